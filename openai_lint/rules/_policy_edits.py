"""Edits of retries as they are written: waits, ends, predicates; by library, and for loops by hand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Arg, Call, For, Function, Handler, Jump, Name, Try
from openai_lint.link import library
from openai_lint.link.blocks import inside, leaves
from openai_lint.link.index import ModuleInfo
from openai_lint.link.policy import Policy
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import (
    CountLoop,
    InsertAfter,
    InsertBefore,
    Need,
    RemoveArguments,
    Replace,
    Rewrite,
    SetKeywords,
    Step,
)
from openai_lint.rules._handling import within
from openai_lint.rules._retries import Retry
from openai_lint.rules._suggest import bound, needs, shadowed, text_of

if TYPE_CHECKING:
    from openai_lint.link import Project

ATTEMPTS = 6
COUNTERS = ("attempt", "attempt_number", "attempt_count")
"""What a new loop may call the number of its attempt."""

RANDOM_WAIT = "wait_random_exponential(min=1, max=60)"

Items = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """How one library is told something: keywords to set, and keywords to leave out."""

    items: Items = ()
    without: tuple[str, ...] = ()


GROWING = {
    "tenacity": _Way((("wait", RANDOM_WAIT),)),
    "stamina": _Way(without=("wait_initial", "wait_max", "wait_jitter", "wait_exp_base")),
    "retrying": _Way(
        (("wait_exponential_multiplier", "1000"), ("wait_exponential_max", "60000"), ("wait_jitter_max", "1000")),
        ("wait_fixed", "wait_random_min", "wait_random_max", "wait_incrementing_start", "wait_incrementing_increment"),
    ),
    "retry": _Way((("delay", "1"), ("backoff", "2"), ("max_delay", "60"), ("jitter", "(0, 1)"))),
    "celery": _Way((("retry_backoff", "True"), ("retry_backoff_max", "600")), ("retry_jitter",)),
}
RANDOM = {
    **GROWING,
    "backoff": _Way(without=("jitter",)),
    "stamina": _Way(without=("wait_jitter",)),
    "celery": _Way(without=("retry_jitter",)),
}
ENDING = {
    "tenacity": _Way((("stop", f"stop_after_attempt({ATTEMPTS})"), ("reraise", "True"))),
    "backoff": _Way((("max_tries", str(ATTEMPTS)),)),
    "stamina": _Way(without=("attempts", "timeout")),
    "retrying": _Way((("stop_max_attempt_number", str(ATTEMPTS)),)),
    "retry": _Way((("tries", str(ATTEMPTS)),)),
    "celery": _Way((("max_retries", "5"),)),
}
_BARE = frozenset({"tenacity", "retrying"})
"""Libraries whose decorator also works without brackets."""

_WRITTEN = frozenset({"retry", "Retrying", "AsyncRetrying", "on_exception", "retry_context", "task", "shared_task"})
"""Calls that take a policy's options."""


def grow(project: "Project", policy: Policy) -> Rewrite | None:
    """Lets the wait grow, at random."""
    message = "wait longer each time, at random"
    if policy.by == "backoff":
        return _generator(project, policy, message)
    if policy.by == "loop":
        return _loop_wait(project, policy, message, jitter=False)
    return _told(project, policy, GROWING, message)


def randomize(project: "Project", policy: Policy) -> Rewrite | None:
    """Puts something random into waits that grow."""
    message = "wait a random time"
    if policy.by == "loop":
        return _loop_wait(project, policy, message, jitter=True)
    return _told(project, policy, RANDOM, message)


def end(project: "Project", policy: Policy) -> Rewrite | None:
    """Gives the policy an end."""
    message = "stop after the sixth attempt"
    if policy.by == "loop":
        return _counted(project, policy, message)
    return _told(project, policy, ENDING, message)


def _counted(project: "Project", policy: Policy, message: str) -> Rewrite | None:
    """An endless loop that counts its attempts, and lets the error of the last one out."""
    node, module = policy.node, policy.module
    handlers = list(staying(project, module, node))
    if not isinstance(node, facts.While) or node.orelse or len(handlers) != 1:
        return None
    trial = tree_of(project, module).parent(handlers[0])
    if not isinstance(trial, Try) or trial.finalbody:
        return None
    more: tuple[Step, ...] = ()
    if isinstance(node.test, facts.Const):
        if not node.test.value or not _ends(node, trial):
            return None
    elif _fills(node, trial):
        more = (InsertAfter(trial.body[-1].span, "break"),)
    else:
        return None
    taken = names_around(project, module, node)
    counter = next((name for name in COUNTERS if name not in taken), None)
    if counter is None:
        return None
    last = f"if {counter} == {ATTEMPTS - 1}:\n    raise"
    head = CountLoop(node.span, f"for {counter} in range({ATTEMPTS})")
    return Rewrite(module.path, message, (head, *more, InsertBefore(handlers[0].body[0].span, last)))


def _fills(loop: facts.While, trial: Try) -> bool:
    """Whether a loop runs until a name holds something, which the end of the try gives it."""
    test = loop.test
    empty = test.value if isinstance(test, facts.Not) else None
    if isinstance(test, facts.Compare) and test.op == "is" and isinstance(test.right, facts.Const):
        empty = test.left if test.right.value is None else None
    last = trial.body[-1]
    return (
        isinstance(empty, Name)
        and loop.body[-1] is trial
        and not trial.orelse
        and isinstance(last, facts.Assign)
        and len(last.targets) == 1
        and isinstance(last.targets[0], Name)
        and last.targets[0].id == empty.id
    )


def _ends(loop: facts.While, trial: Try) -> bool:
    """Whether a round in which nothing fails is the last one."""
    behind = loop.body[loop.body.index(trial) + 1 :]
    last = [*trial.body, *trial.orelse, *behind][-1]
    return isinstance(last, facts.Return) or (isinstance(last, Jump) and last.kind == "break")


def reraise(project: "Project", policy: Policy) -> Rewrite | None:
    """Lets the SDK's own error out at last."""
    ways = {
        "tenacity": _Way((("reraise", "True"),)),
        "retrying": _Way(without=("wrap_exception",)),
    }
    return _told(project, policy, ways, "let the SDK's own error out")


def _told(project: "Project", policy: Policy, ways: dict[str, _Way], message: str) -> Rewrite | None:
    way = ways.get(policy.by)
    node, module = policy.node, policy.module
    if way is None:
        return None
    prefix, wanted = named_in(project, module, node, policy.by, way.items)
    if wanted is None:
        return None
    items = tuple((name, _prefixed(value, prefix)) for name, value in way.items)
    steps: list[Step] = []
    if isinstance(node, Call):
        if library.written(node.func) not in _WRITTEN or any(arg.star for arg in node.args):
            return None
        if policy.by == "tenacity" and any(arg.keyword is None for arg in node.args):
            return None
        kept = [(name, value) for name, value in items if name != "reraise" or not _keyword(node, "reraise")]
        gone = tuple(arg.value.span for arg in node.args if arg.keyword in way.without)
        steps += [SetKeywords(node.span, tuple(kept), gone)] if kept or gone else []
    elif policy.by in _BARE and isinstance(node, (Name, facts.Attr)) and items:
        text = ", ".join(f"{name}={value}" for name, value in items)
        steps.append(Replace(node.span, f"{text_of(module, node.span)}({text})"))
    return Rewrite(module.path, message, tuple(steps), wanted) if steps else None


def named_in(
    project: "Project", module: ModuleInfo, node: facts.Expr | facts.Stmt, by: str, items: Items
) -> tuple[str, tuple[Need, ...] | None]:
    """How the file names what stands in its library: the prefix, or what is to be imported; None on a clash."""
    names = [value.partition("(")[0] for _, value in items if value[:1].isalpha() and "(" in value]
    func = node.func if isinstance(node, Call) else node
    if isinstance(func, facts.Attr) and _is_library(module, func.value, by):
        return f"{text_of(module, func.value.span)}.", ()
    if shadowed(project, module, node, names):
        return "", None
    return "", tuple(Need(by, name) for name in names if not bound(module, name, node.span))


def _is_library(module: ModuleInfo, node: facts.Expr, by: str) -> bool:
    """Whether what stands before the dot is the library, and not a function that one of its decorators has."""
    bindings = module.scope.bindings.get(node.id, ()) if isinstance(node, Name) else ()
    return any(isinstance(one.node, facts.Import) and one.node.module.partition(".")[0] == by for one in bindings)


def _prefixed(value: str, prefix: str) -> str:
    return prefix + value if "(" in value and value[:1].isalpha() else value


def _keyword(node: Call, name: str) -> Arg | None:
    return next((arg for arg in node.args if arg.keyword == name), None)


def _generator(project: "Project", policy: Policy, message: str) -> Rewrite | None:
    """``backoff.expo`` in place of another generator of waits."""
    node, module = policy.node, policy.module
    if not isinstance(node, Call) or library.written(node.func) not in _WRITTEN:
        return None
    first = _keyword(node, "wait_gen") or next((arg for arg in node.args if arg.keyword is None and not arg.star), None)
    if first is None or any(arg.star for arg in node.args):
        return None
    steps: list[Step] = []
    wanted: tuple[Need, ...] = ()
    if isinstance(first.value, facts.Attr) and first.value.attr != "expo":
        steps.append(Replace(first.value.span, f"{text_of(module, first.value.value.span)}.expo"))
    elif isinstance(first.value, Name) and first.value.id != "expo":
        if shadowed(project, module, node, ["expo"]):
            return None
        steps.append(Replace(first.value.span, "expo"))
        wanted = () if bound(module, "expo", node.span) else (Need("backoff", "expo"),)
    gone = tuple(
        arg.value.span for arg in node.args if arg.keyword in ("interval", "jitter", "max_value", "factor", "base")
    )
    steps += [RemoveArguments(node.span, gone)] if gone else []
    return Rewrite(module.path, message, tuple(steps), wanted) if steps else None


# --- loops


def _loop_wait(project: "Project", policy: Policy, message: str, *, jitter: bool) -> Rewrite | None:
    """A wait that grows with the number of the attempt, in a loop that counts them."""
    node, module = policy.node, policy.module
    if not isinstance(node, For) or not isinstance(node.target, Name):
        return None
    sleeps = [
        found for found in inside(node.body) if isinstance(found, Call) and library.written(found.func) == "sleep"
    ]
    asynchronous = _asynchronous(project, module, node)
    words = ["random", *(["asyncio" if asynchronous else "time"] if not sleeps else [])]
    if len(sleeps) > 1 or shadowed(project, module, node, words):
        return None
    steps: list[Step] = []
    if sleeps and len(sleeps[0].args) != 1:
        return None
    if jitter:
        given = sleeps[0].args[0].value if sleeps else None
        if given is None:
            return None
        text = f"{text_of(module, given.span)} + random.random()"
        return Rewrite(
            module.path,
            message,
            (Replace(given.span, text),),
            needs(module, project.engine.catalogue(module, 1), words, node.span),
        )
    counter = _counter(project, module, node, steps)
    if counter is None:
        return None
    wait = f"min(60, 2**{counter}) + random.random()"
    if sleeps:
        steps.append(Replace(sleeps[0].args[0].value.span, wait))
    else:
        text = f"await asyncio.sleep({wait})" if asynchronous else f"time.sleep({wait})"
        steps += _in_handler(project, policy, node, text)
    if not steps or not any(not isinstance(step, Replace) or step.span != node.target.span for step in steps):
        return None
    return Rewrite(
        module.path, message, tuple(steps), needs(module, project.engine.catalogue(module, 1), words, node.span)
    )


def _asynchronous(project: "Project", module: ModuleInfo, node: facts.Stmt) -> bool:
    function = tree_of(project, module).runner(node)
    return function is not None and function.is_async


def _counter(project: "Project", module: ModuleInfo, node: For, steps: list[Step]) -> str | None:
    """The name that counts the attempts from 0; a ``_`` gets one."""
    counts = node.iterable
    if not (isinstance(counts, Call) and library.written(counts.func) == "range" and isinstance(node.target, Name)):
        return None
    start = len(counts.args) > 1
    name = node.target.id
    if name == "_":
        if "attempt" in names_around(project, module, node):
            return None
        steps.append(Replace(node.target.span, "attempt"))
        name = "attempt"
    return f"({name} - {text_of(module, counts.args[0].value.span)})" if start else name


def _in_handler(project: "Project", policy: Policy, node: For, text: str) -> list[Step]:
    """The wait at the end of the handler that stays in the loop, and sees what the loop takes up."""
    trials = [found for found in node.body if isinstance(found, Try)]
    staying = [handler for trial in trials for handler in trial.handlers if not leaves(handler.body)]
    if len(staying) != 1 or (policy in project.policies() and staying[0] not in project.record.handlers):
        return []
    last = staying[0].body[-1]
    if isinstance(last, Jump) or (isinstance(last, facts.ExprStmt) and isinstance(last.value, facts.Const)):
        return [InsertBefore(last.span, text)]
    return [InsertAfter(last.span, text)] if not isinstance(last, (facts.If, facts.Try, For, facts.With)) else []


def staying(project: "Project", module: ModuleInfo, node: facts.Expr | facts.Stmt) -> Iterator[Handler]:
    """The clauses that lead to another attempt of a policy."""
    if isinstance(node, (For, facts.While)):
        for found in node.body:
            if isinstance(found, Try):
                yield from (handler for handler in found.handlers if not leaves(handler.body))
        return
    yield from (one for one, _ in tree_of(project, module).above(node) if isinstance(one, Handler))


def names_around(project: "Project", module: ModuleInfo, node: facts.Expr | facts.Stmt) -> frozenset[str]:
    """The names that code at a node may see or be seen by: those of the outermost function, or of the whole file."""
    tree = tree_of(project, module)
    functions = [above for above, _ in tree.above(node) if isinstance(above, Function)]
    if not functions:
        return module.facts.identifiers
    span = functions[-1].span
    names = {one.id for one in tree.of(Name) if within(one.span, span)}
    for one in tree.of(Function):
        if within(one.span, span):
            names |= module.scope_of(one).bindings.keys()
    return frozenset(names)


def one_of(names: Iterable[str]) -> str:
    """One name, or a tuple of several."""
    found = list(names)
    return found[0] if len(found) == 1 else f"({', '.join(found)})"


# --- the SDK's own retries


def without_sdk_retries(project: "Project", retry: Retry, call: ApiCall) -> Rewrite | None:
    """``max_retries=0`` wherever the call's client is made, if nothing else leans on the retries of that client."""
    origins = [client.origin for client in call.clients if client.known_by == "constructor"]
    makers = [origin for origin in origins if isinstance(origin, Call) and not any(arg.star for arg in origin.args)]
    if not makers or len(makers) != len(call.clients):
        return None
    users = [other for other in project.calls if any(one.origin in makers for one in other.clients)]
    if any(other not in retry.errors for other in users):
        return None
    modules = {found for found in project.modules for origin in makers if origin in tree_of(project, found)}
    if len(modules) != 1:
        return None
    steps = tuple(SetKeywords(span, (("max_retries", "0"),)) for span in sorted({origin.span for origin in makers}))
    return Rewrite(modules.pop().path, "leave the retries to the policy", steps)
