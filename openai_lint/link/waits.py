"""How retries written by hand wait: by the numbers of a rehearsal, or by the words where the numbers do not tell."""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Expr
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.itself import functions_of
from openai_lint.link.rehearsal import NO_WAITS, WAITING_WORDS, Course
from openai_lint.link.retry_values import ORDER, Wait
from openai_lint.link.values import ANYTHING, External, Frame, constants

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def wait_of(course: Course) -> Wait | None:
    """How the waits of a rehearsal grow; None where its numbers do not tell."""
    if course.told:
        return "growing", False, None
    if not course.waits:
        return "none", False, 0.0
    known = [wait for wait in course.waits if wait is not None]
    if len(known) < len(course.waits):
        return None
    random = any(wait.random for wait in known)
    longest = max(wait.high for wait in known)
    if longest == 0:
        return "none", False, 0.0
    if len(known) == 1:
        return None
    if known[-1].high > known[0].high * 1.01 or known[-1].low > known[0].low + 0.5:
        return "growing", random, None
    return "fixed", random, longest


def paused(course: Course, written: Wait) -> Wait:
    """How a retry waits by its words, where it waits in functions that it calls: nobody knows how long."""
    return ("growing", False, None) if course.waits and written[0] == "none" else written


def waits_in(engine: "Engine", frame: Frame, body: facts.Block, changing: set[str]) -> Wait:
    """How a block waits: none, fixed or growing, whether at random, and how many seconds when that is fixed."""
    best: Wait = ("none", False, 0.0)
    for node in inside(body):
        if not isinstance(node, facts.Call):
            continue
        name = library.written(node.func)
        paths = {value.path for value in engine.evaluator.value(node.func, frame) if isinstance(value, External)}
        if paths & library.SLEEPS or name == "sleep":
            found = _one_wait(engine, frame, node, changing)
        elif _named_wait(name) and not _only_tells(engine, frame, node):
            found = ("growing", True, None)
        else:
            continue
        if ORDER[found[0]] >= ORDER[best[0]]:
            best = found
    return best


def _named_wait(name: str) -> bool:
    return any(word in name.lower() for word in WAITING_WORDS) and name not in NO_WAITS


def _only_tells(engine: "Engine", frame: Frame, node: facts.Call) -> bool:
    """Whether functions of the project by such a name wait for nothing: they say how long."""
    functions = [ref.function for ref, _ in functions_of(engine, node, frame)]
    return bool(functions) and all(
        engine.has_return(function)
        and not any(
            isinstance(part, facts.Call) and _named_wait(library.written(part.func)) for part in inside(function.body)
        )
        for function in functions
    )


def _keeps_count(engine: "Engine", frame: Frame, node: facts.Call) -> bool:
    """Whether a call is of a method that changes its object: it may give something else each time."""
    return any(
        isinstance(part, (facts.Assign, facts.AugAssign))
        and any(isinstance(item, facts.Attr) for item in _stored(part))
        for ref, before in functions_of(engine, node, frame)
        if before
        for part in inside(ref.function.body)
    )


def _stored(node: facts.Assign | facts.AugAssign) -> list[Expr]:
    targets = node.targets if isinstance(node, facts.Assign) else (node.target,)
    return [item for target in targets for item in (target, *below(target)) if isinstance(item, Expr)]


def _one_wait(engine: "Engine", frame: Frame, node: facts.Call, changing: set[str]) -> Wait:
    if not node.args:
        return "fixed", False, None
    return _growth(engine, frame, node.args[0].value, changing, 0)


def _growth(engine: "Engine", frame: Frame, wanted: Expr, changing: set[str], depth: int) -> Wait:
    parts = [wanted, *below(wanted)]
    calls = [library.dotted(item.func) for item in parts if isinstance(item, facts.Call)]
    jitter = any(("random" in name or "uniform" in name or "randint" in name or "jitter" in name) for name in calls)
    names = {item.id for item in parts if isinstance(item, facts.Name)}
    attributes = {item.attr for item in parts if isinstance(item, facts.Attr)}
    told = any("retry" in name.lower() or name in ("headers", "response") for name in attributes | names)
    growing = (
        bool(names & changing)
        or told
        or any("expo" in name or "backoff" in name for name in calls)
        or any("delay" in attr or "backoff" in attr for attr in attributes & changing)
    )
    if growing and depth < 3 and not told:
        inner = [_resolved(engine, frame, name, changing, depth) for name in sorted(names & changing)]
        if inner and all(kind == "fixed" for kind, _, _ in inner) and isinstance(wanted, facts.Name):
            return inner[0]
        jitter = jitter or any(random for _, random, _ in inner)
    if growing or any(isinstance(item, facts.Call) and _keeps_count(engine, frame, item) for item in parts):
        return "growing", jitter, None
    values = engine.evaluator.value(wanted, frame)
    known = [item for item in constants(values) if isinstance(item, (int, float))]
    if not known and values - ANYTHING:
        return "growing", jitter, None  # some object: who knows what it is the next time
    return "fixed", jitter, float(known[0]) if len(known) == 1 else None


def _resolved(engine: "Engine", frame: Frame, name: str, changing: set[str], depth: int) -> Wait:
    """How a name that the loop assigns grows: by what it is assigned."""
    kinds: list[Wait] = []
    for binding in frame.module.scope_of(frame.function).bindings.get(name, ()):
        if binding.kind != "value" or not isinstance(binding.node, Expr) or binding.path:
            return "growing", False, None
        kinds.append(
            _growth(
                engine,
                frame,
                binding.node,
                changing - {name} if not _mentions(binding.node, name) else changing,
                depth + 1,
            )
        )
    if not kinds:
        return "growing", False, None
    jitter = any(random for _, random, _ in kinds)
    if len(kinds) == 1:
        return kinds[0]
    return "growing", jitter, None


def _mentions(node: Expr, name: str) -> bool:
    return any(isinstance(item, facts.Name) and item.id == name for item in (node, *below(node)))
