"""A retry for a call that has none: with a library that the project knows, else a short loop by hand."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openai_lint.facts import Call, Const, Expr, Function, Handler, Stmt
from openai_lint.link.index import ModuleInfo
from openai_lint.link.project import ApiCall
from openai_lint.link.queries_versions import versions
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import Decorate, Enclose, Need, NewClause, RemoveArguments, Rewrite
from openai_lint.rules._handling import runs_elsewhere
from openai_lint.rules._policy_edits import ATTEMPTS, COUNTERS, names_around, one_of
from openai_lint.rules._retries import sdk_requests
from openai_lint.rules._suggest import (
    Handling,
    bound,
    clause_text,
    import_lines,
    imported,
    needs,
    shadowed,
    statement,
    transient,
)
from openai_lint.rules._uploads import opens, rewound

if TYPE_CHECKING:
    from openai_lint.link import Project

LIBRARIES = ("tenacity", "backoff", "stamina")
"""Libraries whose retries work everywhere; the first that the file knows is used, else the first of the project."""

_TALLEST = 15
"""A function with more lines is not repeated as a whole for the sake of one call in it."""


@dataclass(frozen=True, slots=True)
class NewRetry:
    """What puts a call under a retry: the advice as text, and the edit, where one can be made."""

    text: str
    rewrite: Rewrite | None


def retry_for(project: "Project", call: ApiCall, unhandled: Handling | None = None) -> NewRetry:
    """A retry for the errors of a call that may pass; with what handles them at last, where nothing does yet."""
    module = call.module
    node: Expr | Stmt = call.site.node
    known = next((name for name in LIBRARIES if _imports(module, name)), None)
    known = known or next((name for name in LIBRARIES if any(_imports(other, name) for other in project.modules)), None)
    function = call.site.function
    clauses: tuple[NewClause, ...] = ()
    if unhandled is not None and combines(project, unhandled):
        clauses, node = unhandled.clauses, unhandled.node
    step: Decorate | Enclose
    if function is not None and known is not None and not clauses and _may_repeat(project, call, function):
        step, more = _decorated(call, function, known)
    elif known in ("tenacity", "stamina"):
        step, more = _inline(call, node, known, clauses, _asynchronous(project, call))
    else:
        step, more = _loop(project, call, node, clauses)
    rewinding = rewound(project, call)
    if isinstance(step, Enclose):
        step = replace(step, lead=rewinding or ())
    names = [*transient(module, call.release), *(name for clause in clauses for name in clause.types)]
    words = [*names, *(line for clause in clauses for line in clause.body)]
    missing = {need for need in more if not bound(module, need.bound, node.span)}
    wanted = tuple(sorted({*missing, *needs(module, call.release, words, node.span)}))
    lines = import_lines(wanted)
    if isinstance(step, Decorate):
        kind = "async def" if function is not None and function.is_async else "def"
        lines += [*step.lines, f"{kind} {function.name if function is not None else 'ask'}(...):"]
    else:
        deep = "    " * ((len(step.head[-1]) - len(step.head[-1].lstrip())) // 4 + 1)
        body = [deep + line for line in (*step.lead, *statement(module, node).split("\n"))]
        follow = [] if body[len(step.lead)].strip().startswith("return") else [deep + line for line in step.follow]
        lines += [*step.head, *body, *follow, *step.tail]
    text = "\n".join(lines)
    possible = not shadowed(project, module, node, [*words, *(need.bound for need in more)]) and rewinding is not None
    message = "retry what may pass, with growing random waits"
    message += ", and handle what is left" if clauses else ""
    if not possible or runs_elsewhere(project, call) or versions(project).asks(module):
        return NewRetry(text, None)
    top, steps = imported(project, module, node, wanted)
    return NewRetry(text, Rewrite(module.path, message, (step, *steps), top))


def combines(project: "Project", unhandled: Handling) -> bool:
    """Whether a retry and what handles its end can be written around the same statement."""
    statement = tree_of(project, unhandled.module).statement(unhandled.node)
    if any(clause.body[-1] == "continue" for clause in unhandled.clauses):
        return False  # with the next round of the loop around it, not with the next attempt
    return unhandled.enclosing is None and not getattr(statement, "body", None)


def once_only(call: ApiCall) -> bool:
    """Whether a call of 0.x is made once, whatever its answer: nothing retries it, and the SDK does not."""
    websocket = call.method is not None and call.method.kind == "websocket_manager"
    return call.site.era == 0 and call.policy is None and not websocket and sdk_requests(call) == 1


def without_zero(project: "Project", call: ApiCall) -> Rewrite | None:
    """``max_retries=0`` taken out where the client is made, so that the SDK retries again."""
    origins = {client.origin for client in call.clients}
    if len(origins) != 1:
        return None
    origin = next(iter(origins))
    if not isinstance(origin, Call):
        return None
    module = next((found for found in project.modules if origin in tree_of(project, found)), None)
    zero = [
        arg.value.span
        for arg in origin.args
        if arg.keyword == "max_retries" and isinstance(arg.value, Const) and arg.value.value == 0
    ]
    if module is None or not zero:
        return None
    step = RemoveArguments(origin.span, tuple(zero))
    return Rewrite(module.path, "let the SDK retry again (twice, unless told otherwise)", (step,))


def _may_repeat(project: "Project", call: ApiCall, function: Function) -> bool:
    """Whether the whole function can be run again: it is short, no generator, and lets the errors out."""
    if function.is_generator or function.name == "<lambda>" or function.span[2] - function.span[0] > _TALLEST:
        return False
    if not opens(call, function, rewound(project, call) or ()):
        return False
    own = tree_of(project, call.module)
    return not any(
        isinstance(node, Handler) and own.function(node) is function
        for node, module, _ in call.handled_by
        if module is call.module
    )


def _decorated(call: ApiCall, function: Function, library: str) -> tuple[Decorate, list[Need]]:
    module = call.module
    names = transient(module, call.release)
    plain = _plain(module, library)
    prefix = f"{library}." if plain else ""
    match library:
        case "tenacity":
            lines = [
                f"@{prefix}retry(",
                *_argument("retry", f"{prefix}retry_if_exception_type", names),
                f"    wait={prefix}wait_random_exponential(min=1, max=60),",
                f"    stop={prefix}stop_after_attempt({ATTEMPTS}),",
                "    reraise=True,",
                ")",
            ]
            words = ["retry", "retry_if_exception_type", "stop_after_attempt", "wait_random_exponential"]
        case "backoff":
            prefix = "" if _from(module, library, "on_exception") else "backoff."
            head = f"@{prefix}on_exception({prefix}expo, {one_of(names)}, max_tries={ATTEMPTS})"
            lines = [head]
            if len(head) > _LONG:
                lines = [
                    f"@{prefix}on_exception(",
                    f"    {prefix}expo,",
                    *_group("    ", names),
                    f"    max_tries={ATTEMPTS},",
                    ")",
                ]
            words = ["on_exception", "expo"]
            plain = prefix != ""
        case _:
            prefix = "" if _from(module, library, "retry") else "stamina."
            head = f"@{prefix}retry(on={one_of(names)}, attempts={ATTEMPTS})"
            lines = [head]
            if len(head) > _LONG:
                lines = [f"@{prefix}retry(", *_group("    on=", names), f"    attempts={ATTEMPTS},", ")"]
            words = ["retry"]
            plain = prefix != ""
    more = [Need(library)] if plain else [Need(library, word) for word in words]
    return Decorate(function.span, tuple(lines)), more


_LONG = 84


def _argument(name: str, function: str, names: list[str]) -> list[str]:
    line = f"    {name}={function}({one_of(names)}),"
    if len(line) <= _LONG:
        return [line]
    return [f"    {name}={function}(", *_group("        ", names), "    ),"]


def _group(lead: str, names: list[str]) -> list[str]:
    if len(names) == 1 or len(lead) + len(one_of(names)) < _LONG:
        return [f"{lead}{one_of(names)},"]
    indent = lead[: len(lead) - len(lead.lstrip())]
    return [f"{lead}(", *(f"{indent}    {name}," for name in names), f"{indent}),"]


def _inline(
    call: ApiCall, node: Expr | Stmt, library: str, clauses: tuple[NewClause, ...], asynchronous: bool
) -> tuple[Enclose, list[Need]]:
    """A retry around one statement: its library's block that is tried again."""
    module = call.module
    names = transient(module, call.release)
    word = "async for" if asynchronous else "for"
    if library == "stamina":
        head = [
            f"{word} attempt in stamina.retry_context(",
            *_group("    on=", names),
            f"    attempts={ATTEMPTS},",
            "):",
            "    with attempt:",
        ]
        more = [Need("stamina")]
    else:
        prefix = "tenacity." if _plain(module, library) else ""
        maker = "AsyncRetrying" if asynchronous else "Retrying"
        head = [
            f"{word} attempt in {prefix}{maker}(",
            *_argument("retry", f"{prefix}retry_if_exception_type", names),
            f"    wait={prefix}wait_random_exponential(min=1, max=60),",
            f"    stop={prefix}stop_after_attempt({ATTEMPTS}),",
            "    reraise=True,",
            "):",
            "    with attempt:",
        ]
        words = [maker, "retry_if_exception_type", "stop_after_attempt", "wait_random_exponential"]
        more = [Need("tenacity")] if prefix else [Need("tenacity", one) for one in words]
    if clauses:
        head = ["try:", *(f"    {line}" for line in head)]
    tail = [line for clause in clauses for line in (*_head(clause), *(f"    {row}" for row in clause.body))]
    return Enclose(node.span, tuple(head), (), tuple(tail)), more


def _loop(
    project: "Project", call: ApiCall, node: Expr | Stmt, clauses: tuple[NewClause, ...]
) -> tuple[Enclose, list[Need]]:
    """A loop by hand, which needs nothing but the standard library."""
    module = call.module
    taken = names_around(project, module, node)
    counter = next((name for name in COUNTERS if name not in taken), "attempt")
    asynchronous = _asynchronous(project, call)
    sleep = "await asyncio.sleep" if asynchronous else "time.sleep"
    first = clauses[0] if clauses else NewClause(tuple(transient(module, call.release)), None, ("raise",))
    tail = [
        *_head(first),
        f"    if {counter} == {ATTEMPTS - 1}:",
        *(f"        {line}" for line in first.body),
        f"    {sleep}(min(60, 2**{counter}) + random.random())",
    ]
    for clause in clauses[1:]:
        tail += [*_head(clause), *(f"    {line}" for line in clause.body)]
    head = (f"for {counter} in range({ATTEMPTS}):", "    try:")
    more = [Need("random"), Need("asyncio" if asynchronous else "time")]
    return Enclose(node.span, head, ("break",), tuple(f"    {line}" for line in tail)), more


def _head(clause: NewClause) -> list[str]:
    line = clause_text(list(clause.types), clause.name)
    if len(line) + 4 <= _LONG:
        return [line]
    ending = ":" if clause.name is None else f" as {clause.name}:"
    return ["except (", *(f"    {name}," for name in clause.types), f"){ending}"]


def _asynchronous(project: "Project", call: ApiCall) -> bool:
    """Whether a coroutine function runs the call: whatever waits there must not hold the event loop."""
    function = tree_of(project, call.module).runner(call.site.node)
    return function is not None and function.is_async


def _plain(module: ModuleInfo, library: str) -> bool:
    """Whether the file writes ``import tenacity``."""
    return any(
        getattr(binding.node, "name", "") is None and getattr(binding.node, "module", "") == library
        for binding in module.scope.bindings.get(library, ())
    )


def _from(module: ModuleInfo, library: str, name: str) -> bool:
    return any(
        getattr(binding.node, "name", "") == name and getattr(binding.node, "module", "") == library
        for binding in module.scope.bindings.get(name, ())
    )


def _imports(module: ModuleInfo, name: str) -> bool:
    return any(imported.partition(".")[0] == name for imported in module.imports)
