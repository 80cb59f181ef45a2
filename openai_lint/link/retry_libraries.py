"""Which calls of which libraries write a retry policy down, and who reads them.

Each reader turns the unevaluated call (``Symbolic``) into a ``Policy``; what the libraries do was observed by running
them. No reader knows anything of OpenAI.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from openai_lint.facts import Call, Expr, Stmt
from openai_lint.link import library, retry_decorators, retry_frameworks, retry_tenacity, retry_transports
from openai_lint.link.policy import Policy
from openai_lint.link.values import Symbolic

if TYPE_CHECKING:
    from openai_lint.link.arguments import Arguments
    from openai_lint.link.index import ModuleInfo

Reader = Callable[[Symbolic, Expr | Stmt, "ModuleInfo"], Policy]

READERS: dict[str, tuple[Reader, frozenset[str]]] = {
    "tenacity": (retry_tenacity.read, frozenset({"retry", "Retrying", "AsyncRetrying", "TornadoRetrying"})),
    "backoff": (retry_decorators.backoff, frozenset({"on_exception", "on_predicate"})),
    "stamina": (
        retry_decorators.stamina,
        frozenset({"retry", "retry_context", "RetryingCaller", "AsyncRetryingCaller"}),
    ),
    "retrying": (retry_decorators.retrying, frozenset({"retry", "Retrying"})),
    "retry": (retry_decorators.retry, frozenset({"retry", "retry_call"})),
    "retry2": (retry_decorators.retry, frozenset({"retry", "retry_call"})),
    "modal": (retry_frameworks.modal, frozenset({"Retries"})),
}
"""The first word of a dotted path, its reader, and the last words that are whole policies."""

PARTS = frozenset(
    {
        "modal.Retries",
        "modal.retries.Retries",
        "datetime.timedelta",
        "temporalio.common.RetryPolicy",
        "prefect.tasks.exponential_backoff",
        *retry_transports.PARTS,
    }
)
"""Calls of other libraries whose arguments are a part of a policy."""

ACTIVITY = "temporalio.activity.defn"
"""The decorator of what Temporal retries by itself."""

DECORATORS = frozenset({"retry", "on_exception", "on_predicate"})

BARE = frozenset({"retry", "retry2"})
"""Libraries whose decorator does not work without parentheses: the function is taken for an option and never runs."""


CALLED = {"backoff": frozenset({"max_tries", "max_time", "interval"})}
"""Options that may be functions without parameters: what they give counts."""


def models(path: str) -> bool:
    """Whether calling a dotted path gives a policy or a part of one."""
    head, _, rest = path.partition(".")
    if "()" in path or not rest:
        return False
    return path in PARTS or (head in READERS and head != "modal")


def decorates(path: str) -> bool:
    """Whether calling the policy with a function gives the decorated function (rather than running it)."""
    return library.last(path) in DECORATORS


def iterates(path: str) -> bool:
    """Whether the object is mostly gone through: ``for attempt in Retrying(...): with attempt: ...``."""
    return library.last(path) in ("Retrying", "AsyncRetrying", "TornadoRetrying", "retry_context")


def exports(module: str, name: str) -> bool:
    """Whether ``from module import *`` binds a name of a retry library."""
    if module not in READERS:
        return False
    reader, whole = READERS[module]
    words = ("stop_", "wait_", "retry_", "before_", "after_") if reader is retry_tenacity.read else ()
    return name in whole or name in ("RetryError", "TryAgain") or name.startswith(words)


def takes_errors_first(path: str) -> bool:
    """Whether the object is called with what to retry before the callable."""
    return path.startswith("stamina.") and library.last(path) in ("RetryingCaller", "AsyncRetryingCaller")


def runs_at_once(path: str) -> bool:
    """Whether the library's call itself runs the function that it is given (``retry_call``)."""
    return library.last(path) == "retry_call"


def read(value: Symbolic, node: Expr | Stmt, module: "ModuleInfo") -> Policy | None:
    """The policy of a library call, or None when it only is a part of one."""
    reader, whole = READERS.get(value.path.partition(".")[0], (None, frozenset()))
    if reader is None or library.last(value.path) not in whole:
        return None
    return reader(value, node, module)


def framework(node: Expr, module: "ModuleInfo", args: "Arguments") -> Policy | None:
    """Retry options of a framework's decorator: Celery, Prefect, Modal (``task(autoretry_for=...)``)."""
    return retry_frameworks.read(node, module, args) if isinstance(node, Call) else None
