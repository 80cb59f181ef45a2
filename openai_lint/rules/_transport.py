"""Errors of HTTP libraries around calls of the SDK: whether anything under a `try` can raise them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function, Handler
from openai_lint.link import library
from openai_lint.link.queries_versions import below, nodes, once, sure, versions
from openai_lint.link.releases import era_of
from openai_lint.link.values import (
    Bound,
    External,
    Frame,
    FunctionRef,
    Literal,
    Policied,
    Resource,
    Retried,
    Symbolic,
    Value,
)
from openai_lint.rules._clauses import class_names
from openai_lint.sdk import Sdk

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project
    from openai_lint.link.index import ModuleInfo

LIBRARIES = frozenset({"requests", "httpx", "httpx2", "aiohttp", "urllib3", "urllib"})

PLAIN_PACKAGES = frozenset(
    {
        "asyncio", "base64", "collections", "contextlib", "copy", "csv", "dataclasses", "datetime", "enum", "functools",
        "hashlib", "io", "itertools", "json", "logging", "math", "os", "pathlib", "pprint", "random", "re", "string",
        "sys", "tempfile", "textwrap", "threading", "time", "traceback", "typing", "uuid", "warnings", "openai",
        "loguru",
    }
)  # fmt: skip
"""Packages whose functions raise no error of an HTTP library."""

PLAIN_METHODS = frozenset(
    name
    for kind in (str, list, dict, set)
    for name in dir(kind)
    if not name.startswith("_") and name not in ("get", "pop")
) | {
    "model_dump",
    "model_dump_json",
    "to_dict",
    "dict",
    "info",
    "debug",
    "warning",
    "error",
    "exception",
    "critical",
    "log",
}
"""Methods of texts, containers, answers and loggers."""

PLAIN_RECEIVERS = frozenset({"literal", "display", "error", "deferred", "client"})

DEEPEST = 4
"""Functions of the project are followed this far."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A class of a clause that nothing under its `try` raises; ``meant`` is the SDK's error for it."""

    module: "ModuleInfo"
    handler: Handler
    path: str
    meant: str
    release: Sdk
    call: "ApiCall"


@once
def stale_clauses(project: "Project") -> tuple[Stale, ...]:
    """Every such class."""
    return tuple(_stale(project))


def _stale(project: "Project") -> Iterator[Stale]:
    known = versions(project)
    for module in project.modules:
        if known.asks(module) or LIBRARIES.isdisjoint(module.facts.identifiers):
            continue
        releases = known.environment(module)
        if len({era_of(release) for release in releases}) != 1:
            continue
        for node, frame in nodes(project, module, facts.Try):
            clauses = [
                (handler, path) for handler in node.handlers for path in _transport_classes(project, handler, frame)
            ]
            if not clauses:
                continue
            calls = _Reach(project).of(node.body, frame)
            if calls is None or not calls:
                continue
            for handler, path in clauses:
                if all(not _may_raise(call, path.partition(".")[0], release) for call in calls for release in releases):
                    yield Stale(module, handler, path, _meant(path, releases[-1]), releases[-1], calls[0])


def _transport_classes(project: "Project", handler: Handler, frame: Frame) -> list[str]:
    names = class_names(project, handler, frame) if handler.type is not None else None
    return [
        path for path in names or () if path.partition(".")[0] in LIBRARIES and path.rpartition(".")[2][:1].isupper()
    ]


def _may_raise(call: "ApiCall", package: str, release: Sdk) -> bool:
    """Whether an error of a package can leave a call under a release as it is."""
    if (
        era_of(release) != call.site.era
        or not sure(call)
        or any(key == "http_client" for client in call.clients for key, _ in client.options)
    ):
        return True
    method = release.any_method(call.site.path)
    if method is None:
        return True
    own = {release.transport_library, *(("aiohttp", "urllib3") if release.major == 0 else ())}
    if package not in own:
        return False
    if call.kind in ("stream", "context") and (call.reads_body or not release.stream_wraps(method)):
        return True
    # In 0.x an answer that breaks off leaves `acreate` as an error of aiohttp; the first 1.x let one timeout through.
    asynchronous = (
        method.coroutine if release.major == 0 else any(client.asynchronous is not False for client in call.clients)
    )
    return call.reads_body or (asynchronous and (release.major == 0 or release.version.startswith(("1.0.", "1.1."))))


def _meant(path: str, release: Sdk) -> str:
    name = path.rpartition(".")[2]
    role = "timeout" if "Time" in name else "status_base" if "HTTP" in name or "Response" in name else "connection"
    error = release.roles.get(role, release.roles["base"])
    return release.errors[error].spellings[0] if release.major == 0 else f"openai.{error}"


class _Reach:
    """The API calls that a block makes, if it does nothing else that could talk HTTP."""

    def __init__(self, project: "Project") -> None:
        self._project = project
        self._by_node = {place.node: call for call in project.calls for place in call.invocations}
        self._seen: set[Function] = set()

    def of(self, body: facts.Block, frame: Frame, depth: int = 0) -> "list[ApiCall] | None":
        """The calls; None where something else may talk HTTP."""
        found: list[ApiCall] = []
        for node in below(body):
            if isinstance(node, facts.With) and not all(self._plain_context(item.context) for item in node.items):
                return None
            if not isinstance(node, Call):
                continue
            if node in self._by_node:
                found.append(self._by_node[node])
                continue
            inner = self._call(node, frame, depth)
            if inner is None:
                return None
            found += inner
        return found

    def _plain_context(self, node: Expr) -> bool:
        return isinstance(node, Call) and (node in self._by_node or library.written(node.func) in ("open", "suppress"))

    def _call(self, node: Call, frame: Frame, depth: int) -> "list[ApiCall] | None":
        values = self._project.engine.evaluator.value(node.func, frame)
        found: list[ApiCall] = []
        for value in values:
            inner = self._value(value, node, depth)
            if inner is None:
                return None
            found += inner
        return found if values else None

    def _value(self, value: Value, node: Call, depth: int) -> "list[ApiCall] | None":
        if isinstance(value, (Resource, Symbolic, Policied, Literal)):
            return []
        if isinstance(value, External):
            head, dot, _ = value.path.replace("()", "").partition(".")
            return [] if not dot or head in PLAIN_PACKAGES else None
        if isinstance(value, Bound) and isinstance(value.function, External):
            return [] if value.function.path.partition(".")[0] in PLAIN_RECEIVERS else None
        while isinstance(value, (Bound, Retried)):
            value = value.function
        if isinstance(value, FunctionRef):
            return self._function(value, depth)
        plain_method = isinstance(node.func, facts.Attr) and node.func.attr in PLAIN_METHODS
        return [] if plain_method else None

    def _function(self, ref: FunctionRef, depth: int) -> "list[ApiCall] | None":
        function = ref.function
        if function in self._seen:
            return []
        if depth >= DEEPEST:
            return None
        self._seen.add(function)
        return self.of(function.body, Frame(ref.parent.module, function, ref.parent), depth + 1)
