"""Retry options of task frameworks: Celery, Prefect, Modal, Temporal."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from openai_lint.facts import Attr, Call, Expr, Function, Handler, Name, Stmt
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import EVERYTHING, Predicate
from openai_lint.link.retry_values import count, given, number, of_classes, true
from openai_lint.link.sums import names
from openai_lint.link.values import NOTHING, Display, Frame, Symbolic, Values, the_constant

if TYPE_CHECKING:
    from openai_lint.link.arguments import Arguments
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo

CELERY_RETRIES, CELERY_DELAY = 3, 180.0
"""What Celery does when the task does not say."""

MODAL_DELAY = 1.0


def read(node: Call, module: "ModuleInfo", args: "Arguments") -> Policy | None:
    """The policy of a decorator of a framework, if it has retry options."""
    options = args.keywords
    if "autoretry_for" in options:
        return _celery(node, module, options)
    retries = options.get("retries")
    if not given(retries):
        return None
    for value in retries or ():
        if isinstance(value, Symbolic) and library.last(value.path) == "Retries":
            return modal(value, node, module)
    number_of, written = count(retries), library.written(node)
    if number_of == 0 or written not in ("task", "flow", "function", "cls", "method"):
        return None
    if written in ("task", "flow"):
        return _prefect(node, module, number_of, options)
    return Policy(
        "modal", node, module, None if number_of is None else number_of + 1, True, "fixed", False, seconds=MODAL_DELAY
    )


def by_task(engine: "Engine", frame: Frame, handler: Handler) -> Policy | None:
    """The retry of a handler that hands a Celery task back to the queue: ``raise self.retry(exc=error)``."""
    function = frame.function
    if not isinstance(function, Function):
        return None
    found = handed_back(function, handler)
    if found is None:
        return None
    decorator, node = found
    outer = frame.parent or Frame(frame.module, None)
    options = engine.calls.arguments(decorator, outer).keywords if isinstance(decorator, Call) else {}
    given = {arg.keyword: arg.value for arg in node.args}
    options |= {key: engine.evaluator.value(given[key], frame) for key in ("max_retries", "countdown") if key in given}
    policy = _celery(node, frame.module, {**options, "autoretry_for": NOTHING})
    growing = "countdown" in given and any(
        isinstance(part, Attr) and part.attr == "retries" for part in below(given["countdown"])
    )
    random = "countdown" in given and "rand" in " ".join(names(given["countdown"]))
    predicate = EVERYTHING if handler.type is None else of_classes(engine.evaluator.value(handler.type, frame))
    wait = "growing" if growing else policy.wait
    return replace(policy, retries=predicate, wait=wait, jitter=random, seconds=None if growing else policy.seconds)


def handed_back(function: Function, handler: Handler) -> tuple[Expr, Call] | None:
    """The decorator that makes a function a task, and the call that hands it back to the queue."""
    decorator = next((one for one in function.decorators if library.written(one) in ("task", "shared_task")), None)
    if decorator is None:
        return None
    node = next((one for one in inside(handler.body) if _hands_back(one, function)), None)
    return None if node is None else (decorator, node)


def _hands_back(node: object, function: Function) -> TypeGuard[Call]:
    if not isinstance(node, Call) or not isinstance(node.func, Attr) or node.func.attr != "retry":
        return False
    return isinstance(node.func.value, Name) and node.func.value.id in ("self", "task", function.name)


def _celery(node: Call, module: "ModuleInfo", options: dict[str, Values]) -> Policy:
    inner: dict[str, Values] = {}
    for value in options.get("retry_kwargs", ()):
        if isinstance(value, Display):
            inner.update({str(key): found for key, found in value.items})
    most = inner.get("max_retries", options.get("max_retries"))
    bounded = most is None or given(most)
    retries = count(most, CELERY_RETRIES) if bounded else None
    growing = true(options.get("retry_backoff"))
    delay = number(inner.get("countdown", options.get("countdown", options.get("default_retry_delay"))), CELERY_DELAY)
    predicate = of_classes(options["autoretry_for"])
    if given(options.get("dont_autoretry_for")):
        predicate = Predicate(
            "and", parts=(predicate, Predicate("not", parts=(of_classes(options["dont_autoretry_for"]),)))
        )
    return Policy(
        "celery",
        node,
        module,
        None if retries is None else retries + 1,
        bounded,
        "growing" if growing else "none" if delay == 0 else "fixed",
        growing and the_constant(options.get("retry_jitter")) is not False,
        predicate,
        seconds=None if growing else delay,
    )


def _prefect(node: Call, module: "ModuleInfo", retries: int | None, options: dict[str, Values]) -> Policy:
    delays = options.get("retry_delay_seconds")
    seconds = number(delays, 0.0)
    jitter = given(options.get("retry_jitter_factor"))
    kind = "none" if seconds == 0 else "fixed" if seconds is not None else "growing"
    condition = options.get("retry_condition_fn")
    predicate = Predicate("and", parts=(EVERYTHING, Predicate("vague"))) if given(condition) else EVERYTHING
    return Policy(
        "prefect",
        node,
        module,
        None if retries is None else retries + 1,
        True,
        kind,
        jitter,
        predicate,
        seconds=seconds,
    )


def modal(value: Symbolic, node: Expr | Stmt, module: "ModuleInfo") -> Policy:
    """``modal.Retries(...)``."""
    retries = count(value.argument(None, "max_retries"))
    factor, delay = (
        number(value.argument(None, "backoff_coefficient"), 2.0),
        number(value.argument(None, "initial_delay"), MODAL_DELAY),
    )
    kind = "growing" if factor != 1.0 else "none" if delay == 0 else "fixed"
    return Policy(
        "modal",
        node,
        module,
        None if retries is None else retries + 1,
        True,
        kind,
        False,
        seconds=None if kind == "growing" else delay,
    )


# --- Temporal

RUNNERS = frozenset(
    {"execute_activity", "start_activity", "execute_activity_method", "start_activity_method", "execute_local_activity"}
)
"""How a workflow has an activity run; its options hold the policy."""


def temporal(engine: "Engine", function: Function, node: Expr, module: "ModuleInfo") -> Policy:
    """What retries an activity: the policy that a workflow gives it, else Temporal's own.

    That has no limit, waits 1 s, 2 s, 4 s and so on, and is nobody's choice: it counts as bounded.
    """
    plain = Policy("temporal", node, module, None, True, "growing", True)
    for home in engine.modules.loaded:
        if not any(name.partition(".")[0] == "temporalio" for name in home.imports):
            continue
        for call in home.calls.values():
            if (
                library.written(call.func) in RUNNERS
                and call.args
                and library.written(call.args[0].value) == function.name
            ):
                found = _of_runner(engine, call, home)
                if found is not None:
                    return found
    return plain


def _of_runner(engine: "Engine", call: Call, module: "ModuleInfo") -> Policy | None:
    options = {arg.keyword: arg.value for arg in call.args if arg.keyword is not None}
    written = options.get("retry_policy")
    if written is None:
        return None
    frame = engine.generic_frame(module.scope_of(_function_around(call, module)))
    for value in engine.evaluator.value(written, frame):
        if isinstance(value, Symbolic) and library.last(value.path) == "RetryPolicy":
            most = count(value.argument(3, "maximum_attempts"), 0)
            bounded = most != 0 or "schedule_to_close_timeout" in options
            start, end = (
                number(value.argument(0, "initial_interval"), 1.0),
                number(value.argument(2, "maximum_interval")),
            )
            flat = number(value.argument(1, "backoff_coefficient"), 2.0) == 1.0 or (end is not None and end == start)
            refused = given(value.argument(4, "non_retryable_error_types"))
            predicate = Predicate("and", parts=(EVERYTHING, Predicate("vague"))) if refused else EVERYTHING
            return Policy(
                "temporal",
                value.node or written,
                value.frame.module if value.frame is not None else module,
                most or None,
                bounded,
                "fixed" if flat else "growing",
                True,
                predicate,
                seconds=start if flat else None,
            )
    return None


def _function_around(call: Call, module: "ModuleInfo") -> Function | None:
    around = [one for one in module.functions if one.span[:2] <= call.span[:2] and call.span[2:] <= one.span[2:]]
    return max(around, key=lambda one: one.span[:2], default=None)
