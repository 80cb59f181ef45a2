"""Who calls a function of the project: read from the code, by the name under which it is mentioned.

The engine's own record knows the callers that matter to an error's way. This one answers for any function, also for
those that make no call of the SDK.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from openai_lint.facts import Attr, Call, Class, Expr, Function, Name
from openai_lint.link import library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Bound, ClassRef, FunctionRef, Managed, Partial, Retried, Value

if TYPE_CHECKING:
    from openai_lint.link.project import Project

MOST_FILES = 40
"""A name that more unread files mention is no name of one function."""


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """One place that names the function: ``call`` if it is called right there, None where it is handed on.

    ``given`` counts the parameters that are bound before the written arguments (``self``). ``makes`` says that the
    place makes an object, which runs the function.
    """

    module: ModuleInfo
    node: Expr
    call: Call | None
    given: int
    makes: bool = False

    def argument(self, function: Function, name: str) -> Expr | None:
        """What this call passes for a parameter, where that can be told."""
        if self.call is None:
            return None
        for arg in self.call.args:
            if arg.keyword == name:
                return arg.value
        names = [param.name for param in function.params if param.kind == "positional"]
        position = names.index(name) - self.given if name in names else -1
        written = [arg for arg in self.call.args if arg.keyword is None and arg.star != "**"]
        if not 0 <= position < len(written) or any(arg.star for arg in written[: position + 1]):
            return None
        return written[position].value


class Callers:
    """Answers for one project; what it has read, it keeps."""

    def __init__(self, project: "Project") -> None:
        self._ref = ref(project)  # what a project is the key of must not keep it alive
        self._read: set[ModuleInfo] = set()
        self._mentions: dict[str, list[tuple[ModuleInfo, Name | Attr]]] = defaultdict(list)
        self._found: dict[Function, list[Use]] = {}
        self._searched: set[str] = set()

    @property
    def _project(self) -> "Project":
        project = self._ref()
        if project is None:
            raise ReferenceError("the project is gone")
        return project

    def of(self, function: Function, module: ModuleInfo, *, search: bool = False) -> list[Use]:
        """Every place that names the function; with ``search`` also in files that nothing else has asked for."""
        name, owner = self._known_as(function, module)
        if search and name not in self._searched and name not in library.COMMON_METHODS:
            self._searched.add(name)
            self._load(name)
            self._found.pop(function, None)
        if function not in self._found:
            self._found[function] = self._uses(function, name, owner)
        return self._found[function]

    @staticmethod
    def _known_as(function: Function, module: ModuleInfo) -> tuple[str, Class | None]:
        owner = module.scope_of(function).owner
        if owner is not None and isinstance(owner.node, Class) and function.name in ("__init__", "__new__"):
            return owner.node.name, owner.node
        return function.name, None

    def _load(self, name: str) -> None:
        loaded = {module.path for module in self._project.modules}
        workspace = self._project.workspace
        paths = workspace.mentioning(name, [path for path in workspace.files if path not in loaded])
        for path in paths[:MOST_FILES]:
            self._project.engine.modules.load(path)

    def _uses(self, function: Function, name: str, owner: Class | None) -> list[Use]:
        self._index()
        found = []
        evaluator = self._project.engine.evaluator
        for module, node in self._mentions.get(name, ()):
            tree = tree_of(self._project, module)
            for value in evaluator.value(node, tree.frame(node)):
                given = _given(value, function, owner)
                if given is not None:
                    parent = tree.parent(node)
                    call = parent if isinstance(parent, Call) and parent.func is node else None
                    found.append(Use(module, node, call, given, owner is not None))
                    break
        return found

    def _index(self) -> None:
        for module in self._project.modules:
            if module not in self._read:
                self._read.add(module)
                tree = tree_of(self._project, module)
                for name in tree.of(Name):
                    self._mentions[name.id].append((module, name))
                for attr in tree.of(Attr):
                    self._mentions[attr.attr].append((module, attr))


def _given(value: Value, function: Function, owner: Class | None) -> int | None:
    """How many arguments the value brings along, if it is the function; None if it is not."""
    given = 0
    current: Any = value
    while isinstance(current, (Bound, Retried, Managed, Partial)):
        given += isinstance(current, Bound)
        current = current.function
    if isinstance(current, FunctionRef) and current.function is function:
        return given
    return 1 if owner is not None and isinstance(current, ClassRef) and current.node is owner else None


_callers: "WeakKeyDictionary[Project, Callers]" = WeakKeyDictionary()


def callers_of(project: "Project") -> Callers:
    """The answers for a project, made once."""
    found = _callers.get(project)
    if found is None:
        found = _callers[project] = Callers(project)
    return found
