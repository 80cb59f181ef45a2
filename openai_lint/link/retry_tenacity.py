"""How tenacity writes a policy down: stops, waits and conditions that are put together with ``|``, ``&`` and ``+``."""

from typing import TYPE_CHECKING

from openai_lint.facts import Attr, Call, Expr, Name, Raise, Return, Stmt
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import EVERYTHING, VAGUE, Predicate, body_of
from openai_lint.link.retry_values import (
    ORDER,
    Wait,
    classes,
    count,
    given,
    number,
    of_classes,
    of_functions,
    of_results,
    parts,
    true,
)
from openai_lint.link.values import Bound, External, FunctionRef, Literal, Symbolic, Values, the_constant

if TYPE_CHECKING:
    from openai_lint.link.index import ModuleInfo

OPTIONS = (
    "sleep",
    "stop",
    "wait",
    "retry",
    "before",
    "after",
    "before_sleep",
    "reraise",
    "retry_error_cls",
    "retry_error_callback",
)
"""Parameters of ``Retrying`` in order; ``retry`` takes them by name only."""

RETRY_ERROR = "tenacity.RetryError"

WAITS: dict[str, tuple[str, bool]] = {
    "wait_none": ("none", False),
    "wait_fixed": ("fixed", False),
    "wait_random": ("fixed", True),
    "wait_incrementing": ("growing", False),
    "wait_exponential": ("growing", False),
    "wait_random_exponential": ("growing", True),
    "wait_full_jitter": ("growing", True),
    "wait_exponential_jitter": ("growing", True),
    "wait_chain": ("growing", False),
}
"""How waits grow, and whether they are random; one that is not here is taken for a good one."""


CURVES = ("wait_exponential", "wait_random_exponential", "wait_full_jitter")
"""Waits that double, from their multiplier on, and are never less than their ``min``."""

LOTS = ("random", "uniform", "randint", "jitter", "gauss", "expovariate", "triangular")
"""Words in the names of what draws lots."""


def read(value: Symbolic, node: Expr | Stmt, module: "ModuleInfo") -> Policy:
    """The policy of ``retry(...)``, ``Retrying(...)`` or ``AsyncRetrying(...)``."""
    keywords = dict(value.keywords)
    if library.last(value.path) != "retry":
        keywords = dict(zip(OPTIONS, value.args, strict=False)) | keywords
    attempts, bounded = stop(keywords.get("stop"))
    kind, jitter, seconds = _within(attempts, keywords.get("wait")) or wait(keywords.get("wait"))
    enabled = the_constant(keywords.get("enabled")) is not False
    return Policy(
        "tenacity",
        node,
        module,
        attempts,
        bounded,
        kind,
        jitter,
        condition(keywords.get("retry")),
        _after(keywords),
        seconds,
        enabled=enabled,
        sleeper=keywords.get("sleep"),
        follows=_follows(keywords.get("wait")),
    )


def _after(keywords: dict[str, Values]) -> str:
    callback = keywords.get("retry_error_callback")
    if given(callback):
        return "original" if any(map(_asks_outcome, callback or ())) else "nothing"
    if true(keywords.get("reraise")):
        return "original"
    custom, _ = classes(keywords.get("retry_error_cls"))
    return custom[0] if custom else RETRY_ERROR


def _asks_outcome(callback: object) -> bool:
    """Whether a callback asks the last attempt for its result, or raises its error: that lets the error itself out."""
    function = body_of(callback) if isinstance(callback, (FunctionRef, Bound)) else None
    nodes = list(inside(function.body)) if function is not None else []
    raised = [item for node in nodes if isinstance(node, Raise) for item in (node.error,) if item is not None]
    asked = [node for node in nodes if isinstance(node, Call) and library.written(node) == "result"]
    return any("outcome.result" in library.dotted(node.func) for node in asked) or any(
        "outcome.exception" in library.dotted(node) for node in raised
    )


def stop(values: Values | None) -> tuple[int | None, bool]:
    """Attempts, and whether there is a bound at all."""
    if not given(values):
        return None, False
    found = [_one_stop(value) for value in parts(values)]
    counts = [attempts for attempts, _ in found if attempts is not None]
    return (max(counts) if counts else None), all(bounded for _, bounded in found)


def _one_stop(value: object) -> tuple[int | None, bool]:
    if isinstance(value, External):
        return None, library.last(value.path) != "stop_never"
    if not isinstance(value, Symbolic):
        return None, True
    name = library.last(value.path)
    if name == "stop_after_attempt":
        return count(value.argument(0, "max_attempt_number")), True
    if name in ("stop_any", "stop_all") or value.path.startswith("operator."):
        sides = [stop(side) for side in value.args]
        counts = [attempts for attempts, _ in sides if attempts is not None]
        ends = [bounded for _, bounded in sides]
        if name == "stop_any" or value.path.endswith("|"):
            return (min(counts) if counts else None), any(ends)
        return (max(counts) if len(counts) == len(sides) else None), all(ends)
    return None, name != "stop_never"


# --- waits


def wait(values: Values | None) -> Wait:
    """How the policy waits between attempts."""
    if not given(values):
        return "none", False, 0.0
    found = [_one_wait(value) for value in parts(values)]
    if not found:
        return "growing", True, None
    best = max(found, key=lambda item: ORDER[item[0]])
    return best[0], any(jitter for _, jitter, _ in found), best[2] if len(found) == 1 else None


def _one_wait(value: object) -> Wait:
    if isinstance(value, (FunctionRef, Bound)):
        return _function(value)
    if isinstance(value, (External, Symbolic)):
        name = library.last(value.path)
        if name in ("wait_combine", "+") or value.path == "operator.+":
            return _sum(value)
        if name == "wait_chain" and isinstance(value, Symbolic):
            return _chain(value)
        kind, jitter = WAITS.get(name, ("growing", True))
        if isinstance(value, Symbolic):
            return _shape(name, kind, jitter, value)
        return kind, jitter, 0.0 if kind == "none" else None
    if isinstance(value, Literal):
        seconds = number(frozenset({value}))
        return "growing" if seconds is None else "fixed", False, seconds
    return "growing", True, None


def _function(value: FunctionRef | Bound) -> Wait:
    """A function of the project: the same number each time, or taken for a good one."""
    function = body_of(value)
    if function is not None and len(function.body) == 1 and isinstance(function.body[0], Return):
        constant = getattr(function.body[0].value, "value", None)
        if isinstance(constant, (int, float)) and not isinstance(constant, bool):
            return "fixed" if constant else "none", False, float(constant)
    return "growing", function is None or _draws(value), None


def _draws(value: FunctionRef | Bound) -> bool:
    """Whether a function draws lots, itself or by what its module keeps under a name that it uses."""
    inner: object = value
    while isinstance(inner, Bound):
        inner = inner.function
    if not isinstance(inner, FunctionRef):
        return True
    nodes = list(inside(inner.function.body))
    kept = inner.parent.module.scope.bindings
    for name in {node.id for node in nodes if isinstance(node, Name)}:
        for made in (binding.node for binding in kept.get(name, ()) if isinstance(binding.node, Expr)):
            nodes += [made, *below(made)]
    words = {node.id if isinstance(node, Name) else node.attr for node in nodes if isinstance(node, (Name, Attr))}
    return any(hint in word for word in words for hint in LOTS)


def _sum(value: External | Symbolic) -> Wait:
    sides = [wait(side) for side in value.args] if isinstance(value, Symbolic) else []
    kind = max((side[0] for side in sides), key=lambda item: ORDER[item], default="none")
    known = [side[2] for side in sides if side[0] != "growing"]
    total = sum(item for item in known if item is not None) if kind != "growing" and None not in known else None
    return kind, any(side[1] for side in sides), total


def _chain(value: Symbolic) -> Wait:
    sides = [wait(side) for side in value.args]
    seconds = {side[2] for side in sides}
    single = all(len(side) == 1 for side in value.args)
    if single and sides and all(side[0] == "fixed" for side in sides) and len(seconds) == 1:
        return "fixed", any(side[1] for side in sides), seconds.pop()
    return "growing", any(side[1] for side in sides), None


def _shape(name: str, kind: str, jitter: bool, value: Symbolic) -> Wait:
    """A wait with its numbers: a curve that its limits flatten is fixed."""
    if kind == "none":
        return kind, False, 0.0
    if name == "wait_fixed":
        seconds = number(value.argument(0, "wait"))
        return ("none" if seconds == 0 else kind), jitter, seconds
    if name == "wait_random":
        return kind, jitter, number(value.argument(1, "max"), 1.0)
    if name == "wait_incrementing" and number(value.argument(1, "increment"), 100.0) == 0:
        seconds = number(value.argument(0, "start"), 0.0)
        return ("none" if seconds == 0 else "fixed"), jitter, seconds
    if name == "wait_exponential_jitter":
        start, most = number(value.argument(0, "initial"), 1.0), number(value.argument(1, "max"))
        jitter = number(value.argument(3, "jitter"), 1.0) != 0
        flat = start is not None and most is not None and most <= start
        return ("fixed" if flat else kind), jitter, most if flat else None
    if name in ("wait_exponential", "wait_random_exponential", "wait_full_jitter"):
        start, most = number(value.argument(0, "multiplier"), 1.0), number(value.argument(1, "max"))
        base, least = number(value.argument(2, "exp_base"), 2.0), number(value.argument(3, "min"), 0.0)
        if most is not None and ((least is not None and least >= most) or (start is not None and most <= start)):
            return "fixed", jitter and (least or 0.0) < most, most
        if base == 1.0 or start == 0:
            return ("fixed" if least or start else "none"), jitter, max(least or 0.0, start or 0.0)
    return kind, jitter, None


def _within(attempts: int | None, values: Values | None) -> Wait | None:
    """A curve that does not rise above its lower limit in so few attempts; None where it does."""
    found = parts(values)
    if attempts is None or not 3 <= attempts <= 10 or len(found) != 1:
        return None
    (value,) = found
    if not isinstance(value, Symbolic) or library.last(value.path) not in CURVES:
        return None
    start, base = number(value.argument(0, "multiplier"), 1.0), number(value.argument(2, "exp_base"), 2.0)
    least, most = number(value.argument(3, "min"), 0.0), number(value.argument(1, "max"), float("inf"))
    if start is None or base is None or least is None or most is None or base > 100:
        return None
    last = max(0.0, least, min(most, start * base ** (attempts - 2)))
    first = max(0.0, least, min(most, start))
    return ("fixed", False, first) if first == last > 0 else None


def _follows(values: Values | None) -> bool:
    """Whether the wait is computed from the error or the answer, as ``Retry-After`` is."""
    return any(
        isinstance(value, (FunctionRef, Bound))
        or (isinstance(value, Symbolic) and library.last(value.path) == "wait_exception")
        for value in values or ()
    )


# --- conditions


def condition(values: Values | None) -> Predicate:
    """Which errors the policy takes up."""
    if not given(values):
        return Predicate("pending") if values is not None and not values else EVERYTHING
    found = tuple(_one_condition(value) for value in values or ())
    return found[0] if len(found) == 1 else Predicate("or", parts=found)


def _one_condition(value: object) -> Predicate:
    if isinstance(value, External):
        return {"retry_never": Predicate("none"), "retry_always": EVERYTHING}.get(library.last(value.path), VAGUE)
    if not isinstance(value, Symbolic):
        return VAGUE
    name = library.last(value.path)
    either, both = value.path == "operator.|" or name == "retry_any", value.path == "operator.&" or name == "retry_all"
    if either or both:
        return Predicate("or" if either else "and", parts=tuple(condition(side) for side in value.args))
    named = value.argument(0, "exception_types")
    if name == "retry_if_exception_type":
        return Predicate("only", ("Exception",)) if named is None else of_classes(named)
    if name in ("retry_if_not_exception_type", "retry_unless_exception_type"):
        return Predicate("none") if named is None else Predicate("not", parts=(of_classes(named),))
    if name == "retry_if_exception":
        return of_functions(value.argument(0, "predicate"))
    if name in ("retry_if_result", "retry_if_not_result"):
        return of_results(value.argument(0, "predicate"), name == "retry_if_result")
    return VAGUE
