"""What stands around a node of a module's facts: its parent, the function that runs it, the frame it is read in."""

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from openai_lint.facts import Arg, Case, Class, Clause, Expr, Function, Handler, Param, Pattern, Stmt, WithItem
from openai_lint.link.index import ModuleInfo
from openai_lint.link.values import Frame

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.project import Project

Node = TypeVar("Node")

_NODES = (Expr, Stmt, Arg, Clause, Pattern, Handler, WithItem, Case, Param)


class Tree:
    """Every node of one module, in source order, each with the node above it."""

    def __init__(self, module: ModuleInfo, engine: "Engine") -> None:
        self.module = module
        self._engine = engine
        self._parents: dict[Any, Any] = {}
        self._kinds: dict[type, list[Any]] = {}
        self._frames: dict[Function | Class | None, Frame] = {}
        stack: list[Any] = list(reversed(module.facts.body))
        while stack:
            node = stack.pop()
            self._kinds.setdefault(type(node), []).append(node)
            below = list(_children(node))
            for child in below:
                self._parents[child] = node
            stack.extend(reversed(below))

    def __contains__(self, node: object) -> bool:
        return node in self._parents

    def of(self, kind: type[Node]) -> list[Node]:
        """The nodes of exactly this class, in source order."""
        return self._kinds.get(kind, [])

    def parent(self, node: Any) -> Any:
        """The node directly above; None at the top of the module."""
        return self._parents.get(node)

    def above(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Each node above, nearest first, with its child on the way."""
        parent = self._parents.get(node)
        while parent is not None:
            yield parent, node
            node, parent = parent, self._parents.get(parent)

    def statement(self, node: Any) -> Stmt | None:
        """The statement that the node is or directly belongs to."""
        while node is not None and not isinstance(node, Stmt):
            node = self._parents.get(node)
        return node

    def scope(self, node: Any) -> Function | Class | None:
        """The function (also a lambda) or class whose body holds the node; None in the module's body.

        Defaults, decorators and annotations belong to the scope around the function.
        """
        for parent, child in self.above(node):
            if isinstance(parent, (Function, Class)) and isinstance(child, Stmt):
                return parent
        return None

    def function(self, node: Any) -> Function | None:
        """The innermost ``def`` whose body holds the node (class bodies and lambdas belong to what holds them)."""
        for parent, child in self.above(node):
            if isinstance(parent, Function) and parent.name != "<lambda>" and isinstance(child, Stmt):
                return parent
        return None

    def runner(self, node: Any) -> Function | None:
        """The function (also a lambda) that runs when the node does; class bodies belong to what holds them."""
        for parent, child in self.above(node):
            if isinstance(parent, Function) and isinstance(child, Stmt):
                return parent
        return None

    def frame(self, node: Any) -> Frame:
        """The frame in which an expression is read, without particular arguments."""
        scope = self.scope(node)
        if scope not in self._frames:
            info = self.module.scope_of(scope)
            frame = self._engine.generic_frame(info)
            self._frames[scope] = Frame(self.module, scope, frame) if isinstance(scope, Class) else frame
        return self._frames[scope]


_trees: "WeakKeyDictionary[Project, dict[ModuleInfo, Tree]]" = WeakKeyDictionary()


def tree_of(project: "Project", module: ModuleInfo) -> Tree:
    """The tree of a module, made once for each project."""
    trees = _trees.setdefault(project, {})
    if module not in trees:
        trees[module] = Tree(module, project.engine)
    return trees[module]


_fields: dict[type, tuple[str, ...]] = {}


def _children(node: Any) -> Iterator[Any]:
    kind = type(node)
    if kind not in _fields:
        _fields[kind] = tuple(field.name for field in fields(node) if field.name not in ("span", "header"))
    for name in _fields[kind]:
        value = getattr(node, name)
        if isinstance(value, _NODES):
            yield value
        elif isinstance(value, tuple):
            yield from _inside(value)


def _inside(values: tuple[Any, ...]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, _NODES):
            yield value
        elif isinstance(value, tuple):
            yield from _inside(value)
