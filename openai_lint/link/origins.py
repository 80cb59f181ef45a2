"""Where a value was written down: an expression followed back through names, attributes, parameters and defaults.

The evaluator says what an expression may be; this says which literal, display or call in the source it comes from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from openai_lint import facts
from openai_lint.facts import Expr, Function
from openai_lint.link import library
from openai_lint.link.callers import callers_of
from openai_lint.link.index import Binding, ModuleInfo, ScopeInfo
from openai_lint.link.tree import tree_of
from openai_lint.link.values import ClassRef, Instance, ModuleRef

if TYPE_CHECKING:
    from openai_lint.link.project import Project

MOST = 24
"""An expression with more origins than this is not followed any further."""

DEEPEST = 12

UNWRAPPED_METHODS = frozenset({"strip", "rstrip", "lstrip", "get_secret_value", "unwrap", "copy", "decode", "encode"})
UNWRAPPED_CALLS = frozenset({"str", "SecretStr", "Secret", "dict", "cast", "literal"})
"""Calls that give back what they are given, or what they are called on, as far as an origin goes."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """An expression that is no name any more. ``default``: it counts only where nothing else is given."""

    node: Expr
    module: ModuleInfo
    default: bool


class Origins:
    """Answers for one project; what it has followed, it keeps."""

    def __init__(self, project: "Project") -> None:
        self._ref = ref(project)  # what a project is the key of must not keep it alive
        self._found: dict[Expr, tuple[Origin, ...]] = {}

    @property
    def _project(self) -> "Project":
        project = self._ref()
        if project is None:
            raise ReferenceError("the project is gone")
        return project

    def of(self, node: Expr, module: ModuleInfo) -> tuple[Origin, ...]:
        """Where the value of an expression of a module comes from; the expression itself where it is no name."""
        if node not in self._found:
            found: dict[Expr, Origin] = {}
            for origin in self._follow(node, module, False, frozenset(), 0):
                found.setdefault(origin.node, origin)
                if len(found) >= MOST:
                    break
            self._found[node] = tuple(found.values())
        return self._found[node]

    def _follow(
        self, node: Expr, module: ModuleInfo, default: bool, seen: frozenset[Expr], depth: int
    ) -> Iterator[Origin]:
        if node in seen or depth > DEEPEST:
            return
        seen, depth = seen | {node}, depth + 1
        inner: list[Expr] = []
        match node:
            case facts.Name() | facts.Attr():
                known = False
                for expr, other, is_default in self._bound(node, module):
                    known = True
                    yield from self._follow(expr, other, default or is_default, seen, depth)
                if not known:
                    yield Origin(node, module, default)
                return
            case facts.IfExp():
                inner = [node.body, node.orelse]
            case facts.BoolOp():
                for index, value in enumerate(node.values):
                    yield from self._follow(value, module, default or (node.op == "or" and index > 0), seen, depth)
                return
            case facts.Await() | facts.NamedExpr() | facts.Starred():
                inner = [node.value]
            case facts.Call(func=facts.Attr(value=receiver, attr=attr)) if attr in UNWRAPPED_METHODS:
                inner = [receiver]
            case facts.Call() if library.written(node.func) in UNWRAPPED_CALLS and node.args:
                inner = [node.args[-1].value]
            case _:
                yield Origin(node, module, default)
                return
        for value in inner:
            yield from self._follow(value, module, default, seen, depth)

    # --- names

    def _bound(self, node: "facts.Name | facts.Attr", module: ModuleInfo) -> Iterator[tuple[Expr, ModuleInfo, bool]]:
        frame = tree_of(self._project, module).frame(node)
        if isinstance(node, facts.Name):
            owner = self._project.engine.evaluator.owner(node.id, frame)
            yield from self._in_scope(node.id, owner.module.scope_of(owner.function))
            return
        for value in self._project.engine.evaluator.value(node.value, frame):
            match value:
                case ModuleRef():
                    target = self._module(value.path)
                    if target is not None:
                        yield from self._in_scope(node.attr, target.scope)
                case ClassRef():
                    yield from self._in_class(value, node.attr)
                case Instance():
                    yield from self._in_class(value.cls, node.attr)
                case _:
                    pass

    def _in_scope(self, name: str, scope: ScopeInfo) -> Iterator[tuple[Expr, ModuleInfo, bool]]:
        for binding in scope.bindings.get(name, ()):
            if binding.kind == "import":
                path = self._project.engine.modules.resolve(scope.module.path, binding.node)
                target = self._module(path) if path is not None and binding.node.name is not None else None
                if target is not None and target is not scope.module:
                    yield from self._in_scope(binding.node.name, target.scope)
            elif binding.kind == "param":
                yield from self._parameter(binding.node, scope)
            else:
                yield from _written(binding, scope.module)

    def _parameter(self, param: facts.Param, scope: ScopeInfo) -> Iterator[tuple[Expr, ModuleInfo, bool]]:
        function = scope.function
        if param.default is not None:
            yield param.default, scope.module, True
        if not isinstance(function, Function) or param.kind.startswith("*"):
            return
        for use in callers_of(self._project).of(function, scope.module):
            passed = use.argument(function, param.name)
            if passed is not None and (scope.module.is_test or not use.module.is_test):
                yield passed, use.module, False

    def _in_class(self, cls: ClassRef, attr: str) -> Iterator[tuple[Expr, ModuleInfo, bool]]:
        for item in self._project.engine.hierarchy.mro(cls):
            if not isinstance(item, ClassRef):
                continue
            module = item.parent.module
            yield from self._in_scope(attr, module.scopes[item.node])
            for store in module.stores:
                owner = _method_scope(store.scope)
                if store.attr != attr or owner is None or owner.owner is None or owner.owner.node is not item.node:
                    continue
                if isinstance(store.target, facts.Name) and store.target.id == owner.first_parameter():
                    yield from _written(store.binding, module)

    def _module(self, path: str) -> ModuleInfo | None:
        """A module that is known already, or one that hands on what others hold."""
        modules = self._project.engine.modules
        if path.endswith("/__init__.py"):
            return modules.load(path)
        return next((module for module in modules.loaded if module.path == path), None)


def _written(binding: Binding, module: ModuleInfo) -> Iterator[tuple[Expr, ModuleInfo, bool]]:
    """The expression that a plain assignment or ``with`` gives the name."""
    if binding.kind not in ("value", "entered") or not isinstance(binding.node, Expr):
        return
    node: Expr = binding.node
    for index in binding.path:
        if not isinstance(node, facts.Sequence) or index is None or index >= len(node.items):
            return
        node = node.items[index]
    yield node, module, False


def _method_scope(scope: ScopeInfo) -> ScopeInfo | None:
    """The method that holds a nested function's scope, or the scope itself."""
    current: ScopeInfo | None = scope
    while current is not None and current.owner is None:
        current = current.parent
    return current


_origins: "WeakKeyDictionary[Project, Origins]" = WeakKeyDictionary()


def origins_of(project: "Project") -> Origins:
    """The answers for a project, made once."""
    found = _origins.get(project)
    if found is None:
        found = _origins[project] = Origins(project)
    return found
