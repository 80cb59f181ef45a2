"""The algebra of errors: what leaves a call, what a handler lets through, and how an error looks afterwards.

Pure functions over small frozen data. Class trees of the SDK come from ``openai_lint.sdk``; those of Python from the
interpreter; those of the few transport libraries that leak through the SDK from the table below.
"""

import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint.sdk import ErrorClass, Missing, NotAnError, Sdk
from openai_lint.unique import Unique

if TYPE_CHECKING:
    from openai_lint.link.values import Site

RAW = "raw"
RETRY_ERROR = "RetryError"
GROUP = "ExceptionGroup"
BROKEN = "broken-handler"

LIBRARY_ERRORS: dict[str, tuple[str, ...]] = {
    "httpx.HTTPError": ("Exception",),
    "httpx.RequestError": ("httpx.HTTPError",),
    "httpx.TransportError": ("httpx.RequestError",),
    "httpx.TimeoutException": ("httpx.TransportError",),
    "httpx.ReadTimeout": ("httpx.TimeoutException",),
    "httpx.ConnectTimeout": ("httpx.TimeoutException",),
    "httpx.NetworkError": ("httpx.TransportError",),
    "httpx.ReadError": ("httpx.NetworkError",),
    "httpx.ConnectError": ("httpx.NetworkError",),
    "httpx.ProtocolError": ("httpx.TransportError",),
    "httpx.RemoteProtocolError": ("httpx.ProtocolError",),
    "requests.exceptions.RequestException": ("OSError",),
    "requests.exceptions.HTTPError": ("requests.exceptions.RequestException",),
    "requests.exceptions.ConnectionError": ("requests.exceptions.RequestException",),
    "requests.exceptions.Timeout": ("requests.exceptions.RequestException",),
    "requests.exceptions.ReadTimeout": ("requests.exceptions.Timeout",),
    "requests.exceptions.ChunkedEncodingError": ("requests.exceptions.RequestException",),
    "aiohttp.ClientError": ("Exception",),
    "aiohttp.ClientResponseError": ("aiohttp.ClientError",),
    "aiohttp.ClientPayloadError": ("aiohttp.ClientError",),
    "asyncio.TimeoutError": ("Exception",),
    "tenacity.RetryError": ("Exception",),
    "retrying.RetryError": ("Exception",),
    "instructor.exceptions.InstructorRetryException": ("instructor.exceptions.InstructorError",),
    "instructor.exceptions.InstructorError": ("Exception",),
    "discord.ext.commands.CommandInvokeError": ("discord.ext.commands.CommandError",),
    "discord.ext.commands.CommandError": ("Exception",),
    "discord.app_commands.CommandInvokeError": ("discord.app_commands.AppCommandError",),
    "discord.app_commands.AppCommandError": ("Exception",),
    "ExceptionGroup": ("BaseExceptionGroup", "Exception"),
    "BaseExceptionGroup": ("BaseException",),
}
"""Direct bases of errors that are neither Python's nor the SDK's."""

SPELLINGS = (
    ("requests.", "requests.exceptions."),
    ("aiohttp.client_exceptions.", "aiohttp."),
    ("tenacity.", "tenacity."),
    ("instructor.", "instructor.exceptions."),
    ("discord.ext.commands.", "discord.ext.commands."),
    ("discord.app_commands.", "discord.app_commands."),
    ("retrying.", "retrying."),
)


MOST_RETRIES = 4
"""Policies within policies that are told apart; a function that calls itself under a policy passes it without end."""


@dataclass(frozen=True, slots=True, eq=False)
class Leak(metaclass=Unique):
    """One documented error of one call on its way out.

    ``error`` is its canonical name, ``raised`` the class that handlers see now, ``form`` how it leaves (``raw``,
    ``RetryError``, ``ExceptionGroup``, ``broken-handler``), ``iterating`` whether only the iteration of the result
    raises it, ``retries`` how many explicit retry policies it has passed.
    """

    site: "Site"
    error: str
    raised: str
    form: str
    iterating: bool
    retries: int
    _later: "Leak | None" = field(default=None, init=False, repr=False)

    @staticmethod
    def home(site: "Site", *_: object) -> "Site":
        """The call in whose table the leak stands."""
        return site

    def after_retries(self) -> "Leak":
        """The leak once it has passed one more policy; beyond ``MOST_RETRIES`` (recursion) it is not counted on."""
        if self.retries >= MOST_RETRIES:
            return self
        if self._later is None:
            later = Leak(self.site, self.error, self.raised, self.form, self.iterating, self.retries + 1)
            object.__setattr__(self, "_later", later)
            return later
        return self._later

    def seen_as(self, raised: str, form: str) -> "Leak":
        """The leak as handlers see it from now on."""
        return Leak(self.site, self.error, raised, form, self.iterating, self.retries)

    def first(self) -> "Leak":
        """The leak as if it had passed no policy."""
        return self.passed(0)

    def passed(self, retries: int) -> "Leak":
        """The leak as if it had passed so many policies."""
        return Leak(self.site, self.error, self.raised, self.form, self.iterating, retries)

    def made_anew(self, error: str) -> "Leak":
        """The error of the SDK that the code makes itself in the place of this one."""
        return Leak(self.site, error, f"openai.{error}", RAW, self.iterating, self.retries)

    def inside(self) -> "Leak":
        """The SDK's own error in a leak that something else is raised around."""
        return self.seen_as(f"openai.{self.error}", RAW)


Leaks = frozenset[Leak]
NO_LEAKS: Leaks = frozenset()


@lru_cache(maxsize=4096)
def ancestors(raised: str, release: Sdk) -> frozenset[str]:
    """All classes that catch ``raised``, itself too: SDK errors as ``openai.<name>``, others dotted, Python's bare."""
    if raised.startswith("openai."):
        error = release.errors.get(raised.removeprefix("openai."))
        if error is None:
            return frozenset({raised, "Exception", "BaseException"})
        known = {raised}
        for base in error.bases:
            known.add(f"openai.{base}" if base in release.errors else base)
        return frozenset(known)
    tree = release.transport_tree
    if raised in tree:
        package = raised.rpartition(".")[0]
        dotted = {base: f"{package}.{base}" for base in tree[raised]}
        # `asyncio.TimeoutError` is Python's own, under another name.
        above = {name if name in tree and name != raised else base for base, name in dotted.items()}
        return frozenset({raised, "Exception", "BaseException"} | above)
    if raised in LIBRARY_ERRORS:
        found = {raised}
        for base in LIBRARY_ERRORS[raised]:
            found |= ancestors(base, release)
        return frozenset(found)
    python = getattr(builtins, raised, None)
    if isinstance(python, type) and issubclass(python, BaseException):
        return frozenset(cls.__name__ for cls in python.__mro__ if cls is not object)
    return frozenset({raised, "Exception", "BaseException"})


@lru_cache(maxsize=4096)
def clause(path: str, release: Sdk) -> str | NotAnError | Missing:
    """What a dotted name is as the class of a handler: a canonical class name, or why the clause crashes.

    Names of libraries that this tool knows nothing of are taken for classes of their own, which catch nothing here.
    """
    if path.startswith("openai.") or path == "openai":
        found = release.resolve_error(path)
        return f"openai.{found.name}" if isinstance(found, ErrorClass) else path if found is None else found
    name = path.removeprefix("builtins.")
    if name in ("asyncio.TimeoutError", "concurrent.futures.TimeoutError", "socket.timeout"):
        return "TimeoutError"
    for written, canonical in SPELLINGS:
        if name.startswith(written):
            known = canonical + name.rpartition(".")[2]
            if known in LIBRARY_ERRORS:
                return known
    return name


def catches(raised: str, paths: Iterable[str], release: Sdk) -> bool:
    """Whether a clause that names these (canonical) classes catches ``raised``."""
    known = ancestors(raised, release)
    return any(path in known for path in paths)
