"""One release of the SDK, as the rest of the program asks about it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from . import model
from .data_files import era_of, read
from .model import ClientClass, Defaults, ErrorClass, Method, Missing, NotAnError, TransportError
from .tables import Table

# Modules of which the data has every exception name, so that another name there does not exist.
_COMPLETE = {"0": "openai.error", "1": "openai._exceptions"}


def _method(path: str, row: list[Any], since: str, until: str | None) -> Method:
    """A method from its row."""
    kind, coroutine, stream, options, positional, is_open, raw, streaming, plumbing = row
    return Method(
        path, kind, coroutine, stream, frozenset(options), tuple(positional), is_open, raw, streaming, plumbing,
        since, until,
    )  # fmt: skip


def _error(name: str, row: list[Any], since: str, until: str | None) -> ErrorClass:
    """An exception class from its row."""
    bases, module, status, attributes, spellings, unreachable = row
    return ErrorClass(
        name, tuple(bases), module, status or None, frozenset(attributes), tuple(spellings), tuple(unreachable),
        since, until,
    )  # fmt: skip


def _client(name: str, row: list[Any], since: str, until: str | None) -> ClientClass:
    """A client class from its row."""
    asynchronous, flavour, options, positional, copy_options, spellings = row
    return ClientClass(
        name, asynchronous, flavour, frozenset(options), tuple(positional), frozenset(copy_options),
        tuple(spellings), since, until,
    )  # fmt: skip


def _name_kind(_name: str, row: list[Any], _since: str, _until: str | None) -> str:
    return str(row[0])


def _prefixes(paths: Iterable[str]) -> frozenset[str]:
    """Every proper prefix of dotted paths: "a" and "a.b" of "a.b.c"."""
    found: set[str] = set()
    for path in paths:
        owner = path.rpartition(".")[0]
        while owner and owner not in found:
            found.add(owner)
            owner = owner.rpartition(".")[0]
    return frozenset(found)


class Sdk:
    """What one release offers, raises and does by default.  Obtain it from `openai_lint.sdk.sdk`.

    Everything is read-only and made on demand.  `version` is a known release; names of
    errors are those of this release, without a module.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.major = int(version.partition(".")[0])
        self._era = era_of(version)
        self._position = read(f"v{self._era}")["releases"].index(version)
        self._documented = read("documented")[self._era]

    def __repr__(self) -> str:
        return f"Sdk({self.version!r})"

    def __reduce__(self) -> tuple[type["Sdk"], tuple[str]]:
        return Sdk, (self.version,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sdk) and other.version == self.version

    def __hash__(self) -> int:
        return hash(self.version)

    # --- calls -------------------------------------------------------------------------------

    @cached_property
    def _methods(self) -> Table[Method]:
        return Table(self._era, "methods", self._position, _method)

    @cached_property
    def methods(self) -> Mapping[str, Method]:
        """Every method that makes a request, by dotted path."""
        return {path: method for path in self._methods if (method := self._methods[path]).network}

    @cached_property
    def helpers(self) -> Mapping[str, Method]:
        """Methods of the same resources that make no request (`webhooks.unwrap`)."""
        return {path: method for path in self._methods if not (method := self._methods[path]).network}

    def method(self, path: str) -> Method | None:
        """The request-making method at a dotted path in this release."""
        if path not in self._methods:
            return None
        found = self._methods[path]
        return found if found.network else None

    def helper(self, path: str) -> Method | None:
        """The method at a dotted path in this release that makes no request."""
        if path not in self._methods:
            return None
        found = self._methods[path]
        return None if found.network else found

    def any_method(self, path: str) -> Method | None:
        """The request-making method in this release, else in the nearest one of the same era that has it."""
        found = self._methods.ever(path)
        return found if found is not None and found.network else None

    def method_history(self, path: str) -> list[tuple[str, str | None, Method]]:
        """How a method changed: (first release, first release after, entry), oldest first."""
        return self._methods.history(path)

    @cached_property
    def _resources(self) -> frozenset[str]:
        return _prefixes(self._methods)

    def resource(self, path: str) -> bool:
        """True if `path` is a proper prefix of some method: `chat.completions`, `ChatCompletion`."""
        return path in self._resources

    @cached_property
    def _resources_ever(self) -> frozenset[str]:
        return _prefixes(self._methods.names_ever())

    def any_resource(self, path: str) -> bool:
        """As `resource`, in any release of the same era."""
        return path in self._resources_ever

    @cached_property
    def wrappers(self) -> frozenset[str]:
        """Words that may stand anywhere before the method and change what comes back."""
        rows = list(self._methods.rows())
        raw, streaming = any(row[6] for row in rows), any(row[7] for row in rows)
        return frozenset(
            word for word, there in (("with_raw_response", raw), ("with_streaming_response", streaming)) if there
        )

    @cached_property
    def client_methods(self) -> Mapping[str, str]:
        """Methods of the client itself: name -> "client" (gives a client), "local", or a kind of request."""
        return dict(self._fact("client_methods"))

    @cached_property
    def module_resources(self) -> frozenset[str]:
        """First words of paths that also work on the module: `openai.chat`, `openai.ChatCompletion`."""
        return frozenset(self._fact("module_resources"))

    # --- clients and the module --------------------------------------------------------------

    @cached_property
    def _clients(self) -> Table[ClientClass]:
        return Table(self._era, "clients", self._position, _client)

    @cached_property
    def clients(self) -> Mapping[str, ClientClass]:
        """Client classes by class name, alias (`Client`) and dotted spelling (`openai.lib.azure.AzureOpenAI`)."""
        found: dict[str, ClientClass] = {}
        for name in self._clients:
            client = self._clients[name]
            found[name] = client
            for dotted in client.spellings:
                found[dotted] = client
                found.setdefault(dotted.rpartition(".")[2], client)
        return found

    def any_client(self, name: str) -> ClientClass | None:
        """As `clients[name]`, else the class of that name or spelling in any release of the era."""
        found = self.clients.get(name)
        if found is not None:
            return found
        for candidate in self._clients.names_ever():
            client = self._clients.ever(candidate)
            if client is not None and (name == candidate or name in client.spellings):
                return client
        return None

    def client_option_since(self, client: str, option: str) -> str | None:
        """The first known release whose constructor of `client` takes `option`; None if none does."""
        for since, _, entry in self._clients.history(client):
            if option in entry.options:
                return since
        return None

    @cached_property
    def module_attributes(self) -> frozenset[str]:
        """Settings of the module: `openai.api_key`, `openai.api_base`, ..."""
        return frozenset(self._fact("module_attributes"))

    @cached_property
    def _names(self) -> Table[str]:
        return Table(self._era, "names", self._position, _name_kind)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Public top-level names -> error, class, function, value, module, resource, or removed."""
        return {name: self._names[name] for name in self._names if not name.startswith("_")}

    @cached_property
    def removed_names(self) -> frozenset[str]:
        """Names of 0.x that exist only to refuse: `openai.ChatCompletion` from 1.2 on."""
        return frozenset(name for name in self._names if self._names[name] == "removed")

    # --- errors ------------------------------------------------------------------------------

    @cached_property
    def errors(self) -> Mapping[str, ErrorClass]:
        """Every exception class of the SDK by its plain name."""
        return Table(self._era, "errors", self._position, _error)

    @cached_property
    def _spellings(self) -> Mapping[str, str]:
        return {dotted: name for name, error in self.errors.items() for dotted in error.spellings}

    def resolve_error(self, dotted: str) -> ErrorClass | NotAnError | Missing | None:
        """What a dotted name gives when an `except` clause evaluates it after `import openai`.

        None where the data does not know: not a name of the SDK, or one deep inside it.
        """
        if dotted in self._spellings:
            return self.errors[self._spellings[dotted]]
        words = dotted.split(".")
        if words[0] != "openai" or len(words) < 2:
            return NotAnError(dotted, "module") if dotted == "openai" else None
        if words[1] not in self._names and f"openai.{words[1]}" != _COMPLETE[self._era]:
            return Missing(dotted, f"openai.{words[1]}", words[1] in self._modules)
        if len(words) == 2:
            return NotAnError(dotted, self._names.get(words[1], "module"))
        if ".".join(words[:2]) == _COMPLETE[self._era] and len(words) == 3:
            return Missing(dotted, dotted)
        return None

    @cached_property
    def _modules(self) -> frozenset[str]:
        return frozenset(self._fact("modules"))

    def bases(self, name: str) -> tuple[str, ...]:
        """All ancestors of an error, nearest first; empty for a name that is not in the data."""
        return self.errors[name].bases if name in self.errors else ()

    def error_of_status(self, status: int) -> str:
        """The class that an answer with this HTTP status raises."""
        statuses = self._fact("statuses")
        return str(statuses.get(str(status)) or statuses["500" if status >= 500 else "418"])

    @cached_property
    def transient(self) -> tuple[str, ...]:
        """Documented errors that may pass when tried again, in the order of the documentation."""
        return tuple(self._documented["transient"])

    @cached_property
    def permanent(self) -> tuple[str, ...]:
        """Documented errors that the same request meets again."""
        return tuple(self._documented["permanent"])

    @cached_property
    def documented(self) -> tuple[str, ...]:
        """`transient` and `permanent`."""
        return self.transient + self.permanent

    @cached_property
    def inventory_errors(self) -> tuple[str, ...]:
        """`documented`, and what is raised though no guide lists it (0.x: PermissionError)."""
        return self.documented + tuple(self._documented["unlisted"])

    @cached_property
    def triggers_transient(self) -> frozenset[str]:
        """Transient errors that are reason enough for a finding."""
        return frozenset(self._documented["triggers_transient"])

    @cached_property
    def triggers_permanent(self) -> frozenset[str]:
        """Permanent errors that are reason enough for a finding."""
        return frozenset(self._documented["triggers_permanent"])

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """Part played -> class name: base, connection, timeout, rate_limit, server, bad_request, ..."""
        return dict(self._documented["roles"])

    # --- where errors are raised -------------------------------------------------------------

    def creation_errors(self, method: Method) -> tuple[str, ...]:
        """Names raised by the call itself, its `await`, or (managers) when it is entered."""
        if not method.network or method.kind == model.WEBSOCKET_MANAGER:
            return ()
        return self.inventory_errors

    def iteration_errors(self, method: Method, asynchronous: bool = False) -> tuple[str, ...]:
        """Names raised while the result is iterated; for a method with `stream`, while its stream is.

        From 1.0 a stream's iteration also raises plain `APIError` (an error event), which is in no
        documented list but is in this one.  An asynchronous page that is iterated without having
        been awaited makes its first request there.
        """
        if method.kind == model.PAGINATOR or (method.kind == model.SINGLE_PAGE and asynchronous):
            return self.inventory_errors
        if not (method.stream or method.kind in (model.STREAM, model.STREAM_MANAGER)):
            return ()
        wrapped = self._documented["stream_iteration_wrapped"] if self.stream_wraps(method) else []
        return (*wrapped, *self._documented["stream_iteration"])

    def parse_errors(self, method: Method, iterating: bool = False) -> tuple[str, ...]:
        """Names raised where an answer that broke off cannot be read into a model: no `APIError`, and in no guide.

        With `iterating`, those that the events of a stream raise.
        """
        table = self._documented["parse_errors"]
        raising = method.path in table["iteration" if iterating else "creation"]
        return tuple(name for name in table["names"] if raising and name in self.errors)

    def stream_wraps(self, method: Method | None = None) -> bool:
        """True if a stream that breaks off raises the SDK's errors, False if the transport's own."""
        if method is not None and method.path in self._documented["unwrapped_streams"]:
            return False
        return bool(self._fact("transport")["stream_wraps"])

    def transport_errors(self, asynchronous: bool = False) -> tuple[TransportError, ...]:
        """What a broken stream raises where the SDK does not wrap it, in any release."""
        transport = self._fact("transport")
        prefix = "" if self._era == "0" else transport["library"] + "."
        found = []
        for name, instead in self._documented["stream_transport"]["async" if asynchronous else "sync"].items():
            bases = transport["errors"].get(name, ["Exception", "BaseException"])
            found.append(TransportError(prefix + name, tuple(bases), instead))
        return tuple(found)

    def transport_errors_when_streaming(
        self, asynchronous: bool = False, method: Method | None = None
    ) -> tuple[TransportError, ...]:
        """What a broken stream raises raw in this release: empty where the SDK wraps it."""
        return () if self.stream_wraps(method) else self.transport_errors(asynchronous)

    @cached_property
    def transport_library(self) -> str:
        """requests, httpx or httpx2 (0.x uses aiohttp beside requests)."""
        return str(self._fact("transport")["library"])

    @cached_property
    def transport_tree(self) -> Mapping[str, tuple[str, ...]]:
        """Every exception of the transport by dotted name, with the plain names of its bases."""
        transport = self._fact("transport")
        prefix = "" if self._era == "0" else transport["library"] + "."
        return {prefix + name: tuple(bases) for name, bases in transport["errors"].items()}

    # --- behaviour ---------------------------------------------------------------------------

    @cached_property
    def defaults(self) -> Defaults:
        """Retries, waits and timeouts when nobody says otherwise."""
        ranges = tuple((first, last) for first, last in self._fact("retried_statuses"))
        return Defaults(**self._fact("defaults"), retried_statuses=ranges)

    @cached_property
    def client_credentials(self) -> frozenset[str]:
        """Constructor and `with_options` options that hold a secret."""
        return frozenset(self._documented["client_credentials"])

    @cached_property
    def module_credentials(self) -> frozenset[str]:
        """Settings of the module that hold a secret."""
        return frozenset(self._documented["module_credentials"])

    @cached_property
    def call_credentials(self) -> frozenset[str]:
        """Options of single calls that hold a secret."""
        return frozenset(self._documented["per_call_credentials"])

    def _fact(self, key: str) -> Any:
        table = read(f"v{self._era}")["facts"]
        for first, last, shape in table["spans"][key]:
            if first <= self._position <= last:
                return table["shapes"][shape][0]
        raise KeyError(key)
