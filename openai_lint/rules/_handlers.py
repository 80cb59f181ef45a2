"""What a handler does with the error that it has caught: the facts behind OAI107, OAI108 and OAI115."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Attr, Call, Expr, Handler, Name, Raise
from openai_lint.link import library
from openai_lint.link.loops import below, descendants
from openai_lint.link.predicates import Predicate
from openai_lint.link.record import HandlerUse
from openai_lint.link.values import Bound, FunctionRef, Site
from openai_lint.rules._handling import within
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project

REPORTERS = frozenset({
    "exception", "print_exc", "format_exc", "print_exception", "format_exception", "exc_info", "capture_exception",
    "print_last", "record_exception", "opt", "exc_clear",
})  # fmt: skip
"""Functions that report the error at hand without being given it."""

TELLING = frozenset({"isinstance", "issubclass", "type", "getattr", "hasattr"})
"""Functions that look at what an error is."""

DETAILS = frozenset({"status_code", "http_status", "code", "type", "param", "body", "response", "error", "__class__"})
"""Attributes that tell documented errors apart."""


def answering(project: "Project") -> Iterator[tuple[HandlerUse, list[Site]]]:
    """The handlers at which documented errors of live calls end, with those calls, in order of place."""
    live = {call.site for call in project.calls} - dead_calls(project)
    for use in sorted(project.handlers(), key=lambda use: (use.module.path, use.handler.span)):
        found = {
            leak.site: None
            for leak in sorted(use.absorbed, key=lambda leak: (leak.site.module.path, leak.site.node.span))
            if leak.site in live and leak.error in leak.site.release.documented
        }
        if found:
            yield use, list(found)


def names_of(use: HandlerUse, sites: list[Site]) -> tuple[str, ...]:
    """The documented errors of these calls that end at a handler."""
    errors = {leak.error for leak in use.absorbed if leak.site in sites}
    return tuple(name for name in sites[0].release.documented if name in errors)


def calls_in(handler: Handler) -> list[Call]:
    """Every call in a handler's body."""
    return [node for node in below(handler.body) if isinstance(node, Call)]


def uses_error(handler: Handler) -> bool:
    """Whether the body of a handler does anything with the error: names it, raises, or reports what is at hand."""
    for node in below(handler.body):
        match node:
            case Raise():
                return True
            case Name() if node.id == handler.name:
                return True
            case Call() if library.written(node.func) in REPORTERS:
                return True
            case facts.Arg(keyword="exc_info"):
                return True
            case _:
                pass
    return False


def is_retry(project: "Project", use: HandlerUse) -> bool:
    """Whether a handler belongs to a hand-written retry: going round again is its use of the error."""
    sites = {leak.site for leak in use.caught}
    span = use.handler.span
    around = project.record.decorators.get(use.function, ()) if use.function is not None else ()
    if any(_by_result(policy.retries) for policy in around):
        return True
    for policy, retried in project.policies().items():
        if policy.by != "loop" or policy.module is not use.module or sites.isdisjoint(retried):
            continue
        if within(span, policy.node.span) or within(policy.node.span, span):
            return True
    return False


def _by_result(predicate: Predicate) -> bool:
    """Whether a retry looks at what the function returns: then a constant result asks for another try."""
    return predicate.kind in ("none", "result") or any(_by_result(part) for part in predicate.parts)


def tells_apart(project: "Project", use: HandlerUse) -> bool:
    """Whether a handler looks at what the error is, itself or through a function of the project."""
    name = use.handler.name
    if name is None:
        return any(library.written(call.func) == "exc_info" for call in calls_in(use.handler))
    frame = project.engine.generic_frame(use.module.scope_of(use.function))
    for node in below(use.handler.body):
        match node:
            case Call() if library.written(node.func) in TELLING and _mentions(node.args[:1], name):
                return True
            case Attr() if node.attr in DETAILS and _mentions((node.value,), name):
                return True
            case facts.Compare() if _mentions((node.left, node.right), name):
                return True
            case facts.Match() if _mentions((node.subject,), name):
                return True
            case Call() if _mentions(node.args, name):
                for value in project.engine.evaluator.value(node.func, frame):
                    target = value.function if isinstance(value, Bound) else value
                    if isinstance(target, FunctionRef) and _looks(target):
                        return True
    return False


def _looks(target: FunctionRef) -> bool:
    """Whether a function of the project looks at what one of its arguments is."""
    names = {param.name for param in target.function.params}
    for node in below(target.function.body):
        match node:
            case Call() if library.written(node.func) in TELLING:
                if any(_mentions(node.args[:1], name) for name in names):
                    return True
            case Attr() if node.attr in DETAILS and isinstance(node.value, Name) and node.value.id in names:
                return True
    return False


def _mentions(nodes: "tuple[Expr | facts.Arg, ...]", name: str) -> bool:
    return any(isinstance(inner, Name) and inner.id == name for node in nodes for inner in (node, *descendants(node)))


def result(handler: Handler) -> str | None:
    """What a handler that does nothing does instead, as a predicate; None for one that does something."""
    found = [_outcome(statement) for statement in handler.body]
    known = [item for item in found if item is not None]
    return (known[-1] or "passes over it") if len(known) == len(found) else None


def _outcome(node: facts.Stmt) -> str | None:
    """The predicate of one statement: empty where it says nothing, None where it may matter."""
    match node:
        case facts.Jump(kind="continue"):
            return "goes on with the next round"
        case facts.Jump(kind="break"):
            return "leaves the loop"
        case facts.Jump():
            return "passes over it"
        case facts.Return(value=None):
            return "returns nothing"
        case facts.Return(value=value) if value is not None and _constant(value):
            return "returns a constant"
        case facts.ExprStmt(value=facts.Yield(value=value)) if value is not None and _constant(value):
            return "yields a constant"
        case facts.ExprStmt(value=facts.Const()):
            return ""
        case facts.Assign(value=facts.Const(value=bool())):
            return None
        case facts.Assign(value=value) if value is not None and _constant(value):
            return "goes on with a constant"
        case facts.If():
            inner = [_outcome(statement) for statement in (*node.body, *node.orelse)]
            return None if None in inner else next((item for item in inner if item), "passes over it")
        case _:
            return None


def _constant(node: Expr) -> bool:
    match node:
        case facts.Const():
            return True
        case facts.Sequence():
            return all(_constant(item) for item in node.items)
        case facts.Dict():
            return all(key is not None and _constant(key) and _constant(value) for key, value in node.items)
        case facts.BinOp():
            return _constant(node.left) and _constant(node.right)
        case _:
            return False


def is_decision(use: HandlerUse, sites: list[Site]) -> bool:
    """Whether the clause is for permanent errors alone, and so is an answer.

    That the key is not valid may be what the caller wanted to know, and what is to be deleted may be gone already.
    """
    caught = {leak.error for leak in use.caught}
    permanent = {name for site in sites for name in site.release.permanent}
    if not caught <= permanent:
        return False
    return isinstance(use.handler.body[-1], facts.Return) or caught == {missing_object(sites[0])}


def missing_object(site: Site) -> str | None:
    """The class that says of something that it does not exist, where there is one of its own."""
    return site.release.roles.get("not_found")
