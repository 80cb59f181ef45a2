"""What urllib3 and httpx repeat by themselves when a session or a client is told to."""

from typing import TYPE_CHECKING

from openai_lint.facts import Expr
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import Predicate
from openai_lint.link.retry_values import count, given, number, true
from openai_lint.link.values import Display, Symbolic, Value, Values, constants, the_constant

if TYPE_CHECKING:
    from openai_lint.link.index import ModuleInfo

RETRY = frozenset({"urllib3.Retry", "urllib3.util.Retry", "urllib3.util.retry.Retry", "requests.adapters.Retry"})
ADAPTER = frozenset({"requests.adapters.HTTPAdapter", "requests.HTTPAdapter"})
TRANSPORT = frozenset(
    {"httpx.HTTPTransport", "httpx.AsyncHTTPTransport", "httpx2.HTTPTransport", "httpx2.AsyncHTTPTransport"}
)
PARTS = RETRY | ADAPTER | TRANSPORT

TOTAL = 10
"""What urllib3 does when no number is given."""

SAFE = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
"""Verbs that urllib3 repeats after an answer; POST is none of them unless it is named."""

STATUSES = frozenset({413, 429, 503})
"""Answers that urllib3 repeats unasked when they come with ``Retry-After``."""


def read(value: Value, verb: str, node: Expr, module: "ModuleInfo") -> Policy | None:
    """The policy of an adapter or transport for requests with a verb; None where it repeats nothing."""
    if not isinstance(value, Symbolic):
        return None
    if value.path in TRANSPORT:
        return _httpx(value, node, module)
    if value.path in ADAPTER:
        retries = value.argument(2, "max_retries")
        for inner in retries or ():
            if isinstance(inner, Symbolic) and inner.path in RETRY:
                return _urllib3(inner, verb, inner.node or node, module)
        # A plain number repeats what never got to the server, at once.
        return _policy("urllib3", node, module, count(retries, 0), ("none", 0.0), CONNECTION)
    if value.path in RETRY:
        return _urllib3(value, verb, node, module)
    return None


CONNECTION = Predicate("only", ("openai.APIConnectionError",))
"""What never got to the server."""


def _policy(
    by: str, node: Expr, module: "ModuleInfo", retries: int | None, wait: tuple[str, float | None], what: Predicate
) -> Policy | None:
    if retries == 0:
        return None
    attempts = None if retries is None else retries + 1
    return Policy(by, node, module, attempts, True, wait[0], False, what, seconds=wait[1])


def _httpx(value: Symbolic, node: Expr, module: "ModuleInfo") -> Policy | None:
    """Connections only; it waits 0, 0.5, 1, 2 seconds and so on."""
    written = value.argument(None, "retries")
    return _policy("httpx", node, module, count(written, 0), ("growing", None), CONNECTION) if given(written) else None


def _urllib3(value: Symbolic, verb: str, node: Expr, module: "ModuleInfo") -> Policy | None:
    total = value.argument(0, "total")
    limits = [value.argument(position, name) for position, name in ((1, "connect"), (2, "read"), (4, "status"))]
    bounded = total is None or given(total) or all(given(limit) for limit in limits)
    retries = count(total, TOTAL) if total is None or given(total) else None
    if retries == 0 or the_constant(total) is False:
        return None
    factor = number(value.argument(None, "backoff_factor"), 0.0)
    statuses = _numbers(value.argument(None, "status_forcelist"))
    answers = _repeats(verb, value.argument(None, "allowed_methods") or value.argument(None, "method_whitelist"))
    follows = answers and the_constant(value.argument(None, "respect_retry_after_header")) is not False
    wait = "growing" if follows or factor != 0.0 else "none"
    limit = answers and (429 in statuses or follows)
    named = ("openai.RateLimitError",) if limit else ()
    server = ("openai.InternalServerError",) if answers and any(status >= 500 for status in statuses) else ()
    return Policy(
        "urllib3",
        node,
        module,
        None if retries is None else retries + 1,
        bounded,
        wait,
        given(value.argument(None, "backoff_jitter")),
        Predicate("only", ("openai.APIConnectionError", *named, *server)),
        seconds=0.0 if wait == "none" else None,
        follows=follows,
    )


def _numbers(values: Values | None) -> frozenset[int]:
    found: set[int] = set()
    for value in values or ():
        if isinstance(value, Display):
            found |= {item for _, inner in value.items for item in constants(inner) if isinstance(item, int)}
    return frozenset(found)


def _repeats(verb: str, allowed: Values | None) -> bool:
    """Whether requests with a verb are repeated after an answer."""
    if allowed is None:
        return verb.upper() in SAFE
    if not true(allowed):
        return True  # None and False: every verb
    words = {
        item.upper()
        for value in allowed
        if isinstance(value, Display)
        for _, inner in value.items
        for item in constants(inner)
        if isinstance(item, str)
    }
    return verb.upper() in words if words else True
