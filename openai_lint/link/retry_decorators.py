"""How backoff, stamina, retrying, retry and retry2 write a policy down."""

from typing import TYPE_CHECKING

from openai_lint.facts import Call, Expr, Raise, Stmt
from openai_lint.link import library
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import EVERYTHING, Predicate, body_of
from openai_lint.link.retry_values import Wait, count, given, number, of_classes, of_functions, of_results, true
from openai_lint.link.values import Display, External, Symbolic, Values, one, the_constant

if TYPE_CHECKING:
    from openai_lint.link.index import ModuleInfo

Node = Expr | Stmt


# --- backoff


def backoff(value: Symbolic, node: Node, module: "ModuleInfo") -> Policy:
    """``on_exception`` and ``on_predicate``. The number of tries counts the first call."""
    kind, seconds = _backoff_wait(value)
    jitter = value.argument(None, "jitter")
    tries, limit = value.argument(None, "max_tries"), value.argument(None, "max_time")
    predicate = (
        of_classes(value.argument(1, "exception"))
        if library.last(value.path) == "on_exception"
        else of_results(value.argument(1, "predicate") or one(External("operator.not_")))
    )
    giveup = value.argument(None, "giveup")
    if given(giveup):
        predicate = Predicate("and", parts=(predicate, Predicate("not", parts=(of_functions(giveup),))))
    silent = the_constant(value.argument(None, "raise_on_giveup")) is False
    after = "nothing" if silent or _raises_its_own(value.argument(None, "on_giveup")) else "original"
    bounded = given(tries) or given(limit)
    random = kind != "none" and (jitter is None or given(jitter))
    return Policy(
        "backoff",
        node,
        module,
        count(tries),
        bounded,
        kind,
        random,
        predicate,
        after,
        seconds,
        follows=_generator(value) == "runtime",
    )


def _raises_its_own(handlers: Values | None) -> bool:
    """Whether what is called when it gives up raises an error of its own, in any case."""
    for handler in handlers or ():
        held = [item for _, found in handler.items for item in found] if isinstance(handler, Display) else [handler]
        for function in map(body_of, held):
            last = function.body[-1] if function is not None and function.body else None
            if isinstance(last, Raise) and isinstance(last.error, Call):
                return True
    return False


def _generator(value: Symbolic) -> str:
    waiter = value.argument(0, "wait_gen")
    return next((library.last(item.path) for item in waiter or () if isinstance(item, External)), "")


def _backoff_wait(value: Symbolic) -> tuple[str, float | None]:
    name = _generator(value)
    if name == "constant":
        interval = value.argument(None, "interval")
        if any(isinstance(item, Display) for item in interval or ()):
            return "growing", None
        seconds = number(interval, 1.0)
        return ("none" if seconds == 0 else "fixed"), seconds
    most, factor = number(value.argument(None, "max_value")), number(value.argument(None, "factor"), 1.0)
    if name == "expo":
        if most is not None and factor is not None and most <= factor:
            return ("none" if most == 0 else "fixed"), most
        if number(value.argument(None, "base"), 2.0) == 1.0:
            return "fixed", factor
    return "growing", None


# --- stamina


def stamina(value: Symbolic, node: Node, module: "ModuleInfo") -> Policy:
    """``retry``, ``retry_context`` and the callers: ten attempts or 45 seconds, unless both are given up."""
    attempts, timeout = value.argument(None, "attempts"), value.argument(None, "timeout")
    name = library.last(value.path)
    if name in ("RetryingCaller", "AsyncRetryingCaller"):
        attempts = value.argument(0, "attempts")
    elif name == "retry_context":
        attempts = value.argument(1, "attempts")
    bounded = attempts is None or given(attempts) or timeout is None or given(timeout)
    start, most = number(value.argument(None, "wait_initial"), 0.1), number(value.argument(None, "wait_max"), 5.0)
    jitter = number(value.argument(None, "wait_jitter"), 1.0)
    flat = number(value.argument(None, "wait_exp_base"), 2.0) == 1.0 or (
        start is not None and most is not None and most <= start
    )
    longest = start + jitter if start is not None and jitter is not None else None
    on = value.argument(0 if name == "retry_context" else None, "on")
    return Policy(
        "stamina",
        node,
        module,
        count(attempts, 10),
        bounded,
        "fixed" if flat else "growing",
        jitter != 0,
        of_classes(on),
        seconds=longest if flat else None,
        generators=name == "retry",
    )


# --- retrying


def retrying(value: Symbolic, node: Node, module: "ModuleInfo") -> Policy:
    """``retry`` and ``Retrying``; times are milliseconds. It does not know coroutines."""
    stop, style = the_constant(value.argument(0, "stop")), the_constant(value.argument(1, "wait"))
    attempts = value.argument(2, "stop_max_attempt_number")
    bounded = (
        given(attempts)
        or given(value.argument(3, "stop_max_delay"))
        or given(value.argument(None, "stop_func"))
        or isinstance(stop, str)
    )
    kind, jitter, seconds = _retrying_wait(value, style)
    on = value.argument(None, "retry_on_exception")
    condition = of_classes(on) if given(on) else EVERYTHING
    after = "retrying.RetryError" if true(value.argument(None, "wrap_exception")) else "original"
    tries = count(attempts, 5 if stop == "stop_after_attempt" else None)
    return Policy("retrying", node, module, tries, bounded, kind, jitter, condition, after, seconds, asynchronous=False)


def _retrying_wait(value: Symbolic, style: object) -> Wait:
    def written(*names: str) -> bool:
        return any(given(value.argument(None, name)) for name in names)

    def seconds(name: str, otherwise: float | None = None) -> float | None:
        found = number(value.argument(None, name), otherwise)
        return found / 1000 if found is not None else None

    extra = seconds("wait_jitter_max", 0.0)
    jitter = extra != 0
    if written(
        "wait_exponential_multiplier",
        "wait_exponential_max",
        "wait_func",
        "wait_incrementing_start",
        "wait_incrementing_increment",
    ):
        return "growing", jitter, None
    if style in ("exponential_sleep", "incrementing_sleep"):
        return "growing", jitter, None
    if written("wait_random_min", "wait_random_max") or style == "random_sleep":
        return "fixed", True, seconds("wait_random_max", 1000.0)
    if written("wait_fixed") or style == "fixed_sleep":
        base = seconds("wait_fixed", 1000.0)
        if base == 0 and not jitter:
            return "none", False, 0.0
        return "fixed", jitter, base + extra if base is not None and extra is not None else None
    return ("fixed", True, extra) if jitter else ("none", False, 0.0)


# --- retry and retry2


def retry(value: Symbolic, node: Node, module: "ModuleInfo") -> Policy:
    """``retry`` and ``retry_call``; -1 tries (the default) never end. It does not know coroutines."""
    offset = 3 if library.last(value.path) == "retry_call" else 0
    tries = count(value.argument(offset + 1, "tries"), -1)
    bounded = tries is None or tries >= 0
    kind, jitter, seconds = _retry_wait(value, offset)
    condition = of_classes(value.argument(offset, "exceptions"))
    return Policy(
        "retry",
        node,
        module,
        tries if bounded else None,
        bounded,
        kind,
        jitter,
        condition,
        "original",
        seconds,
        asynchronous=False,
    )


def _retry_wait(value: Symbolic, offset: int) -> Wait:
    """The delay is multiplied, and what ``jitter`` says is added to it, after each attempt."""
    delay, most = number(value.argument(offset + 2, "delay"), 0.0), number(value.argument(offset + 3, "max_delay"))
    factor = number(value.argument(offset + 4, "backoff"), 1.0)
    extra: Values | None = value.argument(offset + 5, "jitter")
    random = any(isinstance(item, Display) for item in extra or ())
    adds = random or (extra is not None and number(extra) != 0)
    if most is not None and delay is not None and most <= delay:
        return "fixed", False, most
    if adds or (factor != 1.0 and delay != 0):
        return "growing", random, None
    return ("none" if delay == 0 else "fixed"), False, delay
