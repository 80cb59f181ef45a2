"""Retry options of task frameworks: Celery, Prefect, Modal."""

from typing import TYPE_CHECKING

from openai_lint.facts import Call, Expr, Stmt
from openai_lint.link import library
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import EVERYTHING, Predicate
from openai_lint.link.retry_values import count, given, number, of_classes, true
from openai_lint.link.values import Display, Symbolic, Values, the_constant

if TYPE_CHECKING:
    from openai_lint.link.calls import Arguments
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
    number_of = count(retries)
    if number_of == 0:
        return None
    if library.written(node) in ("task", "flow"):
        return _prefect(node, module, number_of, options)
    return Policy(
        "modal", node, module, None if number_of is None else number_of + 1, True, "fixed", False, seconds=MODAL_DELAY
    )


def _celery(node: Call, module: "ModuleInfo", options: dict[str, Values]) -> Policy:
    inner: dict[str, Values] = {}
    for value in options.get("retry_kwargs", ()):
        if isinstance(value, Display):
            inner.update({str(key): found for key, found in value.items})
    most = inner.get("max_retries", options.get("max_retries"))
    bounded = most is None or given(most)
    retries = count(most, CELERY_RETRIES) if bounded else None
    growing = true(options.get("retry_backoff"))
    delay = number(inner.get("countdown", options.get("default_retry_delay")), CELERY_DELAY)
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
