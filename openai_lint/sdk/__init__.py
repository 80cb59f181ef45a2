"""What the OpenAI Python SDK offers, raises and does by default, release by release.

The data is generated from real releases by `scripts/sdk/generate.py`; `documented.json` and
`migration.json` are written by hand.  Nothing here imports the SDK or anything beyond `json`.

    from openai_lint.sdk import sdk

    release = sdk("1.109.1")                     # or "0.28", "3", "newest"; cached
    release.method("chat.completions.create")    # Method, None for what makes no request
    release.any_method("edits.create")           # also what only other releases of the era have
    release.resource("chat.completions")         # True: a prefix of methods
    release.clients["AsyncAzureOpenAI"]          # ClientClass, also by alias or dotted spelling
    release.resolve_error("openai.Timeout")      # ErrorClass | NotAnError | Missing | None
    release.documented                           # the errors that the documentation lists
    release.creation_errors(method), release.iteration_errors(method)
    release.defaults.max_retries

Names of errors are plain class names (`RateLimitError`); `resolve_error` goes from a dotted
spelling to the class.  0.x and "1.0 and later" are two eras: paths, spellings and shapes are
comparable within one only.  A known release stands for those after it, up to the next.
"""

from functools import cache

from .data_files import read, version_key
from .migration import (
    attribute_replacements,
    call_option_replacements,
    call_replacement,
    client_only_options,
    error_replacements,
    module_attribute_replacements,
)
from .model import (
    BINARY,
    JSON,
    JSON_OR_STREAM,
    PAGINATOR,
    POLLING,
    SINGLE_PAGE,
    STREAM,
    STREAM_MANAGER,
    UPLOAD,
    WEBSOCKET_MANAGER,
    ClientClass,
    Defaults,
    ErrorClass,
    Method,
    Missing,
    NotAnError,
    TransportError,
)
from .release import Sdk

__all__ = [
    "BINARY",
    "JSON",
    "JSON_OR_STREAM",
    "PAGINATOR",
    "POLLING",
    "SINGLE_PAGE",
    "STREAM",
    "STREAM_MANAGER",
    "UPLOAD",
    "WEBSOCKET_MANAGER",
    "ClientClass",
    "Defaults",
    "ErrorClass",
    "Method",
    "Missing",
    "NotAnError",
    "Sdk",
    "TransportError",
    "attribute_replacements",
    "call_option_replacements",
    "call_replacement",
    "client_only_options",
    "error_replacements",
    "known_releases",
    "marker_names",
    "module_attribute_replacements",
    "nearest_release",
    "sdk",
]


def known_releases() -> tuple[str, ...]:
    """Every release that the data was taken from, oldest first."""
    return tuple(read("index")["releases"])


def nearest_release(version: str) -> str:
    """The known release that stands for `version`: the newest one that is not newer.

    `version` has one to three numeric parts, or is "newest".  Parts left out mean the newest
    release that begins with the others ("1" is the last 1.x, "1.40" the last known 1.40.x or
    what came before it).  A version older than every known one of its major gives the oldest
    of that major.  Raises ValueError for anything else.
    """
    releases = known_releases()
    if version == "newest":
        return releases[-1]
    parts = version.split(".")
    if not 1 <= len(parts) <= 3 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"not a release of openai: {version!r} (two or three numbers, such as 1.40 or 0.28.1)")
    wanted = version_key(version)
    same = [known for known in releases if version_key(known)[0] == wanted[0]]
    # A major that is newer than the data is read as the newest known release.
    if not same:
        return releases[-1] if wanted > version_key(releases[-1]) else releases[0]
    reached = [known for known in same if version_key(known)[: len(wanted)] <= wanted]
    return reached[-1] if reached else same[0]


@cache
def _release(version: str) -> Sdk:
    return Sdk(version)


@cache
def sdk(version: str = "newest") -> Sdk:
    """The release that stands for `version` (see `nearest_release`), loaded once."""
    return _release(nearest_release(version))


@cache
def marker_names() -> frozenset[str]:
    """Last words of all methods, classes of 0.x and client classes: one of them is in every file with a call."""
    index = read("index")
    return frozenset((*index["method_names"], *index["class_names"], *index["client_names"]))
