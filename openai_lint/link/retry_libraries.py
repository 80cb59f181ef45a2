"""How tenacity, backoff, stamina, retrying, retry and the frameworks write a policy down.

Each reader turns the unevaluated call (``Symbolic``) into a ``Policy``; what the libraries do was observed by running
them. No reader knows anything of OpenAI.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from openai_lint.facts import Call, Expr, Stmt
from openai_lint.link import library
from openai_lint.link.policies import EVERYTHING, Policy, Predicate
from openai_lint.link.values import Bound, Display, External, FunctionRef, Literal, Symbolic, Values, the_constant

if TYPE_CHECKING:
    from openai_lint.link.calls import Arguments
    from openai_lint.link.index import ModuleInfo

Paths = Callable[[Values | None], tuple[str, ...]]
Node = Expr | Stmt

LIBRARIES = frozenset({"tenacity", "backoff", "stamina", "retrying", "retry", "retry2", "modal"})

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
"""tenacity's waits: how they grow, and whether they are random."""

ROLES = {"tenacity": ("retry", "Retrying", "AsyncRetrying", "TornadoRetrying"), "backoff": ("on_exception", "on_predicate"),
         "stamina": ("retry", "retry_context", "RetryingCaller", "AsyncRetryingCaller"), "retrying": ("retry", "Retrying"),
         "retry": ("retry", "retry_call"), "retry2": ("retry", "retry_call"), "modal": ("Retries",)}

DECORATORS = frozenset({"retry", "on_exception", "on_predicate"})


def models(path: str) -> bool:
    """Whether a dotted path belongs to a retry library."""
    head, _, rest = path.partition(".")
    return head in LIBRARIES and bool(rest) and "()" not in path and path not in ("modal.App", "modal.Stub", "modal.Image") and (head != "modal" or rest == "Retries")


def decorates(path: str) -> bool:
    """Whether calling the policy with a function gives the decorated function (rather than running it)."""
    return library.last(path) in DECORATORS


def leading(path: str) -> int:
    """How many arguments stand before the callable when the policy object runs it."""
    return 1 if path.startswith("stamina.") else 0


def read(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy | None:
    """The policy of a library call, or None when it only is a part of one."""
    head, name = value.path.partition(".")[0], library.last(value.path)
    if name not in ROLES.get(head, ()):
        return None
    reader = {"tenacity": _tenacity, "backoff": _backoff, "stamina": _stamina, "retrying": _retrying, "retry": _retry, "retry2": _retry, "modal": _modal}[head]
    return reader(value, node, module, paths)


def _number(values: Values | None) -> float | None:
    found = the_constant(values)
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def _attempts(values: Values | None) -> int | None:
    found = _number(values)
    return int(found) if found is not None else None


def _given(values: Values | None) -> bool:
    """Whether an option is written and is not None."""
    return values is not None and not all(isinstance(value, Literal) and value.value is None for value in values)


def _true(values: Values | None) -> bool:
    return values is not None and the_constant(values) is not False and _given(values)


def _parts(values: Values | None) -> list[Symbolic | External | FunctionRef | Bound | Literal | Display]:
    return [value for value in values or () if isinstance(value, (Symbolic, External, FunctionRef, Bound, Literal, Display))]


# --- tenacity


def _tenacity(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy:
    keywords = dict(value.keywords)
    names = ("sleep", "stop", "wait", "retry", "before", "after", "before_sleep", "reraise", "retry_error_cls", "retry_error_callback")
    if library.last(value.path) != "retry":
        keywords = dict(zip(names, value.args, strict=False)) | keywords
    attempts, bounded = _stop(keywords.get("stop"))
    wait, jitter, seconds = _wait(keywords.get("wait"))
    if _given(keywords.get("retry_error_callback")):
        after = "nothing"
    elif _true(keywords.get("reraise")):
        after = "original"
    else:
        custom = paths(keywords.get("retry_error_cls"))
        after = custom[0] if custom else "tenacity.RetryError"
    enabled = the_constant(keywords.get("enabled")) is not False
    return Policy("tenacity", node, module, attempts, bounded, wait, jitter, _condition(keywords.get("retry"), paths), after, seconds, enabled=enabled)


def _stop(values: Values | None) -> tuple[int | None, bool]:
    """Attempts and whether there is a bound at all."""
    if not _given(values):
        return None, False
    attempts: int | None = None
    bounded = False
    for value in _parts(values):
        if isinstance(value, Symbolic) and value.path.startswith("operator."):
            sides = [_stop(side) for side in value.args]
            counts = [count for count, _ in sides if count is not None]
            ends = [end for _, end in sides]
            attempts = min(counts) if counts else None
            bounded = any(ends) if value.path.endswith("|") else all(ends)
        elif isinstance(value, Symbolic):
            name = library.last(value.path)
            if name == "stop_after_attempt":
                attempts = _attempts(value.argument(0, "max_attempt_number"))
            elif name in ("stop_any", "stop_all"):
                sides = [_stop(side) for side in value.args]
                counts = [count for count, _ in sides if count is not None]
                attempts = (min(counts) if name == "stop_any" else max(counts)) if counts else None
            bounded = name != "stop_never"
        elif isinstance(value, External):
            bounded = library.last(value.path) != "stop_never"
        else:
            bounded = True
    return attempts, bounded or not _parts(values)


def _wait(values: Values | None) -> tuple[str, bool, float | None]:
    if not _given(values):
        return "none", False, 0.0
    kinds: list[tuple[str, bool, float | None]] = []
    for value in _parts(values):
        if isinstance(value, Symbolic) and value.path.startswith("operator."):
            kinds += [_wait(side) for side in value.args if side]
        elif isinstance(value, Symbolic):
            kinds.append(_one_wait(value))
        elif isinstance(value, External):
            kind, jitter = WAITS.get(library.last(value.path), ("growing", False))
            kinds.append((kind, jitter, None))
        else:
            kinds.append(("growing", True, None))
    if not kinds:
        return "growing", True, None
    order = {"none": 0, "fixed": 1, "growing": 2}
    kind = max(kinds, key=lambda item: order[item[0]])[0]
    known = [seconds for _, _, seconds in kinds]
    total = sum(item for item in known if item is not None) if None not in known else None
    return kind, any(jitter for _, jitter, _ in kinds), total


def _one_wait(value: Symbolic) -> tuple[str, bool, float | None]:
    name = library.last(value.path)
    if name == "wait_combine":
        parts = [_wait(side) for side in value.args]
        order = {"none": 0, "fixed": 1, "growing": 2}
        return max((part[0] for part in parts), key=lambda kind: order[kind], default="none"), any(part[1] for part in parts), None
    if name == "wait_chain":
        parts = [_wait(side) for side in value.args]
        same = len({part[2] for part in parts}) == 1 and all(part[0] == "fixed" for part in parts)
        return ("fixed" if same else "growing"), any(part[1] for part in parts), parts[0][2] if same and parts else None
    kind, jitter = WAITS.get(name, ("growing", True))
    if kind == "fixed":
        seconds = _number(value.argument(0, "wait")) if name == "wait_fixed" else _number(value.argument(1, "max"))
        return kind, jitter, seconds
    if kind == "growing":
        low, high = _number(value.argument(2, "min")), _number(value.argument(1, "max"))
        if name == "wait_exponential":
            low, high = _number(value.argument(3, "min")), _number(value.argument(1, "max"))
        if low is not None and high is not None and low >= high:
            return "fixed", jitter, high
    return kind, jitter, None


def _condition(values: Values | None, paths: Paths) -> Predicate:
    if not _given(values):
        return EVERYTHING
    found: list[Predicate] = []
    for value in _parts(values):
        if isinstance(value, Symbolic):
            found.append(_one_condition(value, paths))
        elif isinstance(value, External):
            found.append(Predicate("none") if library.last(value.path) == "retry_never" else EVERYTHING if library.last(value.path) == "retry_always" else Predicate("vague"))
        else:
            found.append(Predicate("vague"))
    if not found:
        return Predicate("vague")
    return found[0] if len(found) == 1 else Predicate("or", parts=tuple(found))


def _one_condition(value: Symbolic, paths: Paths) -> Predicate:
    name = library.last(value.path)
    if value.path in ("operator.|", "operator.&"):
        return Predicate("or" if value.path.endswith("|") else "and", parts=tuple(_condition(side, paths) for side in value.args))
    if name in ("retry_any", "retry_all"):
        return Predicate("or" if name == "retry_any" else "and", parts=tuple(_condition(side, paths) for side in value.args))
    if name == "retry_if_exception_type":
        given = value.argument(0, "exception_types")
        return Predicate("only", paths(given)) if given is not None and paths(given) else EVERYTHING if given is None else Predicate("vague")
    if name in ("retry_if_not_exception_type", "retry_unless_exception_type"):
        return Predicate("except", paths(value.argument(0, "exception_types")))
    if name in ("retry_if_result", "retry_if_not_result"):
        return Predicate("none")
    return Predicate("vague")


# --- the other libraries


def _classes(values: Values | None, paths: Paths) -> Predicate:
    """A class or tuple of classes given as the errors to retry."""
    if values is None:
        return EVERYTHING
    found = paths(values)
    if not found:
        return Predicate("vague")
    return EVERYTHING if found == ("Exception",) or found == ("BaseException",) else Predicate("only", found)


def _backoff(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy:
    waiter = value.argument(0, "wait_gen")
    name = next((library.last(item.path) for item in waiter or () if isinstance(item, External)), "")
    wait = "fixed" if name == "constant" else "growing"
    jitter = value.argument(None, "jitter")
    interval = value.argument(None, "interval")
    seconds = (_number(interval) if interval is not None else 1.0) if wait == "fixed" else None
    tries, limit = value.argument(None, "max_tries"), value.argument(None, "max_time")
    predicate = _classes(value.argument(1, "exception"), paths) if library.last(value.path) == "on_exception" else Predicate("none")
    giveup = value.argument(None, "giveup")
    if _given(giveup):
        predicate = Predicate("and", parts=(predicate, Predicate("vague")))
    after = "nothing" if the_constant(value.argument(None, "raise_on_giveup")) is False else "original"
    return Policy("backoff", node, module, _attempts(tries), _given(tries) or _given(limit), "none" if seconds == 0 else wait, jitter is None or _given(jitter), predicate, after, seconds)


def _stamina(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy:
    attempts, timeout = value.argument(None, "attempts"), value.argument(None, "timeout")
    bounded = attempts is None or _given(attempts) or timeout is None or _given(timeout)
    count = 10 if attempts is None else _attempts(attempts)
    on = value.argument(0 if library.last(value.path) == "retry_context" else None, "on")
    return Policy("stamina", node, module, count, bounded, "growing", True, _classes(on, paths), generators=library.last(value.path) == "retry")


def _retrying(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy:
    keywords = dict(value.keywords)
    attempts = keywords.get("stop_max_attempt_number")
    bounded = _given(attempts) or _given(keywords.get("stop_max_delay")) or _given(keywords.get("stop_func"))
    growing = {"wait_exponential_multiplier", "wait_exponential_max", "wait_incrementing_start", "wait_incrementing_increment", "wait_func"} & set(keywords)
    random = {"wait_random_min", "wait_random_max", "wait_jitter_max"} & set(keywords)
    fixed = keywords.get("wait_fixed")
    wait = "growing" if growing else "fixed" if random or fixed is not None else "none"
    milliseconds = _number(fixed)
    seconds = 0.0 if wait == "none" else milliseconds / 1000 if milliseconds is not None and wait == "fixed" else None
    on = keywords.get("retry_on_exception")
    condition = EVERYTHING if not _given(on) else _classes(on, paths)
    if "retry_on_result" in keywords and on is None:
        condition = Predicate("none")
    after = "retrying.RetryError" if _true(keywords.get("wrap_exception")) else "original"
    return Policy("retrying", node, module, _attempts(attempts), bounded, wait, bool(random), condition, after, seconds, asynchronous=False)


def _retry(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy:
    offset = 3 if library.last(value.path) == "retry_call" else 0
    tries = value.argument(offset + 1, "tries")
    count = _attempts(tries)
    bounded = _given(tries) and count != -1
    delay = _number(value.argument(offset + 2, "delay")) if value.argument(offset + 2, "delay") is not None else 0.0
    factor = value.argument(offset + 4, "backoff")
    jitter = value.argument(offset + 5, "jitter")
    wait = "none" if delay == 0.0 and not _given(jitter) else "growing" if _given(factor) and _number(factor) != 1 else "fixed"
    condition = _classes(value.argument(offset, "exceptions"), paths)
    return Policy("retry", node, module, count if bounded else None, bounded, wait, _given(jitter), condition, "original", delay if wait != "growing" else None, asynchronous=False)


def _modal(value: Symbolic, node: Node, module: "ModuleInfo", paths: Paths) -> Policy:
    del paths
    count = _attempts(value.argument(None, "max_retries"))
    factor = _number(value.argument(None, "backoff_coefficient")) if value.argument(None, "backoff_coefficient") is not None else 2.0
    delay = _number(value.argument(None, "initial_delay")) if value.argument(None, "initial_delay") is not None else 1.0
    wait = "fixed" if factor == 1.0 else "growing"
    return Policy("modal", node, module, count + 1 if count is not None else None, True, wait, False, seconds=delay if wait == "fixed" else None)


# --- frameworks


def framework(node: Expr, module: "ModuleInfo", args: "Arguments", paths: Paths) -> Policy | None:
    """Retry options of a framework's decorator: Celery, Prefect, Modal (``task(autoretry_for=...)``)."""
    keywords = args.keywords
    if not isinstance(node, Call):
        return None
    if "autoretry_for" in keywords:
        limit = _attempts(keywords.get("max_retries")) if "max_retries" in keywords else 3
        bounded = not ("max_retries" in keywords and not _given(keywords["max_retries"]))
        growing = _true(keywords.get("retry_backoff"))
        jitter = growing and the_constant(keywords.get("retry_jitter")) is not False
        delay = _number(keywords.get("default_retry_delay")) if "default_retry_delay" in keywords else 180.0
        return Policy("celery", node, module, limit + 1 if limit is not None and bounded else None, bounded, "growing" if growing else "fixed", jitter,
                      _classes(keywords["autoretry_for"], paths), seconds=None if growing else delay)
    retries = keywords.get("retries")
    if retries is not None and _given(retries):
        for value in retries:
            if isinstance(value, Symbolic) and value.path == "modal.Retries":
                return _modal(value, node, module, paths)
        count = _attempts(retries)
        if count == 0:
            return None
        delays = keywords.get("retry_delay_seconds")
        wait = "none" if delays is None and library.written(node) in ("task", "flow") else "fixed" if _number(delays) is not None else "growing"
        by = "prefect" if library.written(node) in ("task", "flow") else "modal"
        return Policy(by, node, module, count + 1 if count is not None else None, True, wait, "retry_jitter_factor" in keywords, seconds=_number(delays) if delays is not None else None)
    return None
