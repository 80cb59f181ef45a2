"""What becomes of the answer to a raw request: whether anything looks at its status before its body is used."""

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function
from openai_lint.link import library
from openai_lint.link.callers import callers_of
from openai_lint.link.http import RAISES_ITSELF, HttpRequest
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.link.tree import Tree, tree_of
from openai_lint.link.values import Bound, FunctionRef, constants

if TYPE_CHECKING:
    from openai_lint.link import Project

STATUS = frozenset(
    {
        "raise_for_status", "status_code", "status", "ok", "is_error", "is_success", "is_client_error",
        "is_server_error", "getcode", "code", "reason", "reason_phrase",
    }
)  # fmt: skip
"""What an answer tells of its status. Whoever asks has looked."""

BODY = frozenset({"json", "text", "content", "read", "aread", "data", "body", "raw"})
LIKE_BODY = frozenset({"decode", "strip", "splitlines", "split", "lstrip", "rstrip", "copy"})
PARSERS = frozenset({"loads", "load", "literal_eval"})
SEES_ONLY = frozenset(
    {
        "print",
        "pprint",
        "len",
        "str",
        "repr",
        "type",
        "isinstance",
        "dumps",
        "debug",
        "info",
        "warning",
        "error",
        "write",
    }
)
"""Functions to which an answer may be given without it being anybody's to check there."""

_MISSING = frozenset({"KeyError", "LookupError", "IndexError", "TypeError"})
_DEEPEST = 5


class Fate(Enum):
    """What becomes of an answer."""

    UNCHECKED = "nobody looks at its status"
    CHECKED = "somebody does"
    GONE = "it goes where it cannot be followed"


def fate_of(project: "Project", request: HttpRequest) -> Fate:
    """What becomes of the answer to a request."""
    if request.library in RAISES_ITSELF or not request.known or request.open_options or _raises(project, request):
        return Fate.CHECKED
    return _Follow(project).of(request.node, request.module, False, 0)


def _raises(project: "Project", request: HttpRequest) -> bool:
    """Whether the request, or the session, raises by itself: `raise_for_status=True`, event hooks."""
    raising = request.option("raise_for_status")
    if raising is not None:
        frame = tree_of(project, raising[1]).frame(raising[0])
        if constants(project.engine.evaluator.value(raising[0], frame)) != [False]:
            return True
    if request.option("event_hooks") is not None or request.option("hooks") is not None:
        return True
    tree = tree_of(project, request.module)
    return bool(request.session) and any(node.attr in ("hooks", "event_hooks") for node in tree.of(facts.Attr))


class _Follow:
    """Follows an answer (or what was made of its body) through names, returns and parameters."""

    def __init__(self, project: "Project") -> None:
        self._project = project
        self._seen: set[tuple[object, bool]] = set()

    def of(self, node: Expr, module: ModuleInfo, body: bool, depth: int) -> Fate:
        """The fate of the value of an expression; ``body``: it is no answer any more, but what stood in it."""
        if (node, body) in self._seen:
            return Fate.UNCHECKED
        self._seen.add((node, body))
        if depth > _DEEPEST:
            return Fate.GONE
        tree = tree_of(self._project, module)
        parent = tree.parent(node)
        match parent:
            case facts.Await() | facts.NamedExpr() | facts.IfExp() if not _is_test(parent, node):
                inner = [self.of(parent, module, body, depth)]
                if isinstance(parent, facts.NamedExpr):
                    inner.append(self._named(parent.target, node, module, body, depth))
                return _worst(inner)
            case facts.Attr():
                return self._attribute(parent, module, body, depth)
            case facts.Subscript() if parent.value is node:
                return self._item(parent, tree, body)
            case facts.Arg():
                call = tree.parent(parent)
                return self._argument(call, parent, tree, body, depth) if isinstance(call, Call) else Fate.GONE
            case facts.Assign() if parent.value is node:
                return _worst([self._named(target, node, module, body, depth) for target in parent.targets])
            case facts.WithItem():
                if parent.target is None:
                    return Fate.UNCHECKED
                return self._named(parent.target, node, module, body, depth)
            case facts.Return():
                return self._returned(tree.runner(node), module, body, depth)
            case facts.Compare():
                return Fate.CHECKED if parent.op in ("in", "not in") and parent.right is node else Fate.UNCHECKED
            case facts.If() | facts.While() | facts.Assert() | facts.BoolOp() | facts.Not() | facts.IfExp():
                return Fate.CHECKED
            case facts.Match() | facts.Raise():
                return Fate.CHECKED
            case facts.ExprStmt() | facts.Format() | facts.For() | facts.Clause() | facts.AugAssign() | facts.BinOp():
                return Fate.UNCHECKED
            case _:
                return Fate.GONE

    def _named(self, target: Expr, node: Expr, module: ModuleInfo, body: bool, depth: int) -> Fate:
        """The fate of what a name holds: everything that its scope does with it."""
        if not isinstance(target, facts.Name):
            return Fate.GONE
        tree = tree_of(self._project, module)
        evaluator = self._project.engine.evaluator
        owner = evaluator.owner(target.id, tree.frame(node))
        fates = [Fate.UNCHECKED]
        for name in tree.of(facts.Name):
            if name.id == target.id and name is not target and evaluator.owner(name.id, tree.frame(name)) == owner:
                if _is_target(tree, name):
                    continue
                fates.append(self.of(name, module, body, depth))
        return _worst(fates)

    def _attribute(self, node: facts.Attr, module: ModuleInfo, body: bool, depth: int) -> Fate:
        tree = tree_of(self._project, module)
        parent = tree.parent(node)
        called = parent if isinstance(parent, Call) and parent.func is node else None
        if not body and node.attr in STATUS:
            return Fate.CHECKED
        if not body and node.attr in BODY:
            return self.of(called or node, module, True, depth)
        if body and node.attr == "get" and called is not None:
            return Fate.CHECKED  # whoever asks for a key with `get` has thought of its absence
        if body and node.attr in LIKE_BODY and called is not None:
            return self.of(called, module, True, depth)
        return Fate.UNCHECKED

    def _item(self, node: facts.Subscript, tree: Tree, body: bool) -> Fate:
        if not body:
            return Fate.UNCHECKED
        if isinstance(node.index, facts.Const) and node.index.value == "error":
            return Fate.CHECKED
        for trial in _tries(tree, node):
            for handler in trial.handlers:
                if handler.type is not None and _names(handler.type) & _MISSING:
                    return Fate.CHECKED
        return Fate.UNCHECKED

    def _argument(self, call: Call, arg: facts.Arg, tree: Tree, body: bool, depth: int) -> Fate:
        name = library.written(call.func)
        if name in PARSERS:
            return self.of(call, tree.module, True, depth)
        if name == "bool":
            return Fate.CHECKED
        if name in SEES_ONLY and not arg.star:
            return Fate.UNCHECKED
        fates = []
        for value in self._project.engine.evaluator.value(call.func, tree.frame(call)):
            given = 0
            while isinstance(value, Bound):
                given, value = given + 1, value.function  # noqa: PLW2901 - unwrapped
            if not isinstance(value, FunctionRef):
                return Fate.GONE
            fates.append(self._parameter(value, call, arg, given, body, depth))
        return _worst(fates) if fates else Fate.GONE

    def _parameter(self, ref: FunctionRef, call: Call, arg: facts.Arg, given: int, body: bool, depth: int) -> Fate:
        """The fate of an answer inside the function that it is given to."""
        function, module = ref.function, ref.parent.module
        names = [param.name for param in function.params if param.kind == "positional"]
        written = [other for other in call.args if other.keyword is None]
        name = arg.keyword
        if name is None and not any(other.star for other in written) and given + written.index(arg) < len(names):
            name = names[given + written.index(arg)]
        if name is None:
            return Fate.GONE
        tree = tree_of(self._project, module)
        return _worst(
            [
                self.of(node, module, body, depth + 1)
                for node in tree.of(facts.Name)
                if node.id == name and not _is_target(tree, node) and _inside(tree, node, function)
            ]
        )

    def _returned(self, function: Function | None, module: ModuleInfo, body: bool, depth: int) -> Fate:
        """The fate of what a function returns: in each of its callers, if all of them can be seen."""
        if function is None or function.name == "<lambda>" or function.is_generator:
            return Fate.GONE
        uses = callers_of(self._project).of(function, module, search=True)
        uses = [use for use in uses if module.is_test or not use.module.is_test]
        if not uses:
            return Fate.GONE
        fates = []
        for use in uses:
            if use.call is None:
                return Fate.GONE
            node: Expr = use.call
            above = tree_of(self._project, use.module).parent(node)
            if function.is_async and not isinstance(above, facts.Await):
                return Fate.GONE
            fates.append(self.of(node, use.module, body, depth + 1))
        return _worst(fates)


def _worst(fates: list[Fate]) -> Fate:
    """One look is enough; what cannot be followed may have been looked at."""
    for fate in (Fate.CHECKED, Fate.GONE):
        if fate in fates:
            return fate
    return Fate.UNCHECKED


def _is_test(parent: object, node: Expr) -> bool:
    return isinstance(parent, facts.IfExp) and parent.test is node


def _is_target(tree: Tree, name: facts.Name) -> bool:
    parent = tree.parent(name)
    if isinstance(parent, facts.Assign):
        return any(target is name for target in parent.targets)
    if isinstance(parent, facts.WithItem):
        return parent.target is name
    return isinstance(parent, facts.For | facts.Clause | facts.NamedExpr) and parent.target is name


def _inside(tree: Tree, node: Expr, function: Function) -> bool:
    return any(parent is function for parent, child in tree.above(node) if isinstance(child, facts.Stmt))


def _tries(tree: Tree, node: Expr) -> Iterator[facts.Try]:
    """The try statements in whose body a node stands, in its own function."""
    for parent, child in tree.above(node):
        if isinstance(parent, facts.Try) and any(child is statement for statement in parent.body):
            yield parent
        if isinstance(parent, Function):
            return


def _names(node: Expr) -> set[str]:
    items = node.items if isinstance(node, facts.Sequence) else (node,)
    return {library.written(item) for item in items}


def answer_name(project: "Project", request: HttpRequest) -> str:
    """The name under which the answer is kept, or a word for it."""
    tree = tree_of(project, request.module)
    for parent, _ in tree.above(request.node):
        if isinstance(parent, facts.Assign) and isinstance(parent.targets[0], facts.Name):
            value = parent.value
            if value is request.node or (isinstance(value, facts.Await) and value.value is request.node):
                return parent.targets[0].id
        if isinstance(parent, facts.WithItem) and isinstance(parent.target, facts.Name):
            return parent.target.id
        if isinstance(parent, facts.Stmt):
            break
    return ""


UNVERIFIED = {"verify": False, "verify_ssl": False, "ssl": False, "cert_reqs": "CERT_NONE"}
"""Keywords of requests and sessions, and the value that turns off the check of the server's certificate."""


def unverified(project: "Project", request: HttpRequest) -> Iterator[tuple[Expr, ModuleInfo]]:
    """What turns off the check of the server's certificate for a request, and the modules where it is written."""
    given = [(name, found) for name in UNVERIFIED if (found := request.option(name)) is not None]
    connector = request.option("connector")
    if connector is not None:
        for origin in origins_of(project).of(*connector):
            if isinstance(origin.node, Call):
                given += [
                    (arg.keyword, (arg.value, origin.module)) for arg in origin.node.args if arg.keyword in UNVERIFIED
                ]
    for name, (node, module) in given:
        values = project.engine.evaluator.value(node, tree_of(project, module).frame(node))
        if UNVERIFIED[name] in constants(values) or library.written(node) == "CERT_NONE":
            yield node, module
    yield from _switched_off(project, request)


def _switched_off(project: "Project", request: HttpRequest) -> Iterator[tuple[Expr, ModuleInfo]]:
    """`session.verify = False`, in the module of the request."""
    sessions = {origin.node for origin in request.session}
    for store in request.module.stores:
        if store.attr != "verify" or not sessions or not isinstance(store.binding.node, facts.Const):
            continue
        if store.binding.node.value is False:
            origins = origins_of(project).of(store.target, request.module)
            if any(origin.node in sessions for origin in origins):
                yield store.binding.node, request.module
