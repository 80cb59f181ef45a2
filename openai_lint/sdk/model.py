"""The plain data that the rest of the program reads about one release of the SDK."""

from dataclasses import dataclass

# Kinds of a method: what the call does and what comes back.
JSON = "json"
JSON_OR_STREAM = "json_or_stream"  # a stream when `stream=True` is given
STREAM = "stream"  # always a stream
PAGINATOR = "paginator"  # iterating asks for more pages
SINGLE_PAGE = "single_page"  # iterable, but one request serves all
STREAM_MANAGER = "stream_manager"  # the request goes out when it is entered
STREAM_ENDS = frozenset(
    {
        "get_final_completion",
        "get_final_messages",
        "get_final_response",
        "get_final_run",
        "get_final_run_steps",
        "until_done",
    }
)
"""Methods of what a stream manager gives, which read it to its end; the stream that `create()` gives has none."""
WEBSOCKET_MANAGER = "websocket_manager"  # connects when it is entered
POLLING = "polling"  # asks again until a state is reached
UPLOAD = "upload"  # a helper made of several requests
BINARY = "binary"  # gives back a body of bytes


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a resource (from 1.0) or of a class of the module (0.x)."""

    path: str
    """Dotted, without the client or module: `chat.completions.create`, `ChatCompletion.acreate`."""
    kind: str
    """One of the constants above; "" for a helper that makes no request."""
    coroutine: bool
    """From 1.0: awaited on an asynchronous client.  0.x: this very method is awaited."""
    stream: bool
    """Takes `stream=True`."""
    options: frozenset[str]
    """Which of the options that rules ask about it takes (timeout, request_timeout, max_retries, ...)."""
    positional: tuple[str, ...]
    """Parameters that may be given by position, in order."""
    open: bool
    """Takes any keyword: an unknown one goes into the request and is no TypeError."""
    raw: bool
    """There is `with_raw_response.<name>`."""
    streaming: bool
    """There is `with_streaming_response.<name>`."""
    plumbing: bool
    """0.x: inherited machinery (`request`, `refresh`, ...), not an endpoint."""
    since: str
    """The first known release that has it (without a gap up to the one asked for)."""
    until: str | None
    """The first known release after it that lacks it; None if the newest has it."""

    @property
    def name(self) -> str:
        """The last word of the path."""
        return self.path.rpartition(".")[2]

    @property
    def resource(self) -> str:
        """The path without its last word."""
        return self.path.rpartition(".")[0]

    @property
    def network(self) -> bool:
        """True if calling it (or entering, iterating, awaiting the result) makes a request."""
        return bool(self.kind)

    @property
    def manager(self) -> bool:
        """True if the request goes out when the result is entered."""
        return self.kind in (STREAM_MANAGER, WEBSOCKET_MANAGER)


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One exception class of the SDK."""

    name: str
    bases: tuple[str, ...]
    """Names of all ancestors, nearest first, down to `BaseException`."""
    module: str
    status: int | None
    """The only HTTP status that it stands for, where the class says so."""
    attributes: frozenset[str]
    """Public attributes that an instance has beyond those of `Exception`."""
    spellings: tuple[str, ...]
    """Dotted names under which it can be imported."""
    import_only: tuple[str, ...]
    """Spellings whose module is not loaded by `import openai` alone."""
    since: str
    until: str | None

    @property
    def public(self) -> bool:
        """True if it is a name of the top-level module."""
        return f"openai.{self.name}" in self.spellings

    def caught_by(self, name: str) -> bool:
        """True if `except <name>` (a plain class name of the same release or a builtin) catches it."""
        return name == self.name or name in self.bases


@dataclass(frozen=True, slots=True)
class NotAnError:
    """The name exists and is no exception: an `except` clause with it raises TypeError."""

    dotted: str
    kind: str
    """class, value, function, module, resource, or removed (a proxy that refuses to be called)."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Evaluating the name after `import openai` raises AttributeError."""

    dotted: str
    at: str
    """The shortest dotted prefix that does not exist: `openai.error`."""
    loadable: bool = False
    """`at` is a module that only an import of its own makes an attribute: importing the name may work."""

    @property
    def import_error(self) -> str | None:
        """What `from <module> import <last word>` raises; None where it may work."""
        if self.loadable:
            return None
        return "ImportError" if self.at == self.dotted else "ModuleNotFoundError"


@dataclass(frozen=True, slots=True)
class ClientClass:
    """One class of clients."""

    name: str
    asynchronous: bool
    flavour: str
    """openai, azure or bedrock."""
    options: frozenset[str]
    positional: tuple[str, ...]
    copy_options: frozenset[str]
    """What `with_options` and `copy` take."""
    spellings: tuple[str, ...]
    since: str
    until: str | None


@dataclass(frozen=True, slots=True)
class TransportError:
    """An error of the HTTP library that leaves the SDK as it is."""

    dotted: str
    bases: tuple[str, ...]
    """Names of its ancestors within its library and the builtins, nearest first, without a module."""
    instead_of: str
    """The documented error in whose place it stands."""

    @property
    def library(self) -> str:
        """The package that it comes from."""
        return self.dotted.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the SDK does when nobody says otherwise.  Times in seconds."""

    max_retries: int
    """Retries after the first try."""
    timeout: float
    connect_timeout: float
    first_delay: float
    """Longest wait before the first retry; each next one doubles."""
    longest_delay: float
    jitter: float
    """The share of a wait that may be missing."""
    retry_after_limit: float
    """The longest `Retry-After` header that is followed; 0 where none is."""
    beyond_limit: str
    """What a longer one leads to: "backoff" (its own waits) or "raise" (no retry)."""
    retried_statuses: tuple[tuple[int, int], ...]
    """Ranges of HTTP statuses, both ends included, that are retried."""

    def retries_status(self, status: int) -> bool:
        """True if the SDK tries again after this HTTP status."""
        return any(first <= status <= last for first, last in self.retried_statuses)
