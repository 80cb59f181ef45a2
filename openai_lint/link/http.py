"""Raw HTTP to OpenAI and Azure OpenAI hosts: requests that go past the SDK, so that nobody documents their errors.

A request is known by its URL, however that is put together (constants, f-strings, ``base_url`` of a client, sessions),
and by the library's function, however that is imported.
"""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function
from openai_lint.keys import Endpoint, endpoint_of
from openai_lint.link import library
from openai_lint.link.blocks import below
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import Origin, origins_of
from openai_lint.link.texts import UNKNOWN, texts
from openai_lint.link.tree import Tree, tree_of
from openai_lint.link.values import External

if TYPE_CHECKING:
    from openai_lint.link.project import Project

VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
ANY_VERB = frozenset({"request", "stream"})
"""Functions that take the verb as their first argument."""

OPENERS = frozenset({"urlopen", "Request"})
SENDS = frozenset({"urlopen", "open"})

LIBRARIES = frozenset({"requests", "httpx", "httpx2", "aiohttp", "urllib3", "urllib"})
ASYNCHRONOUS = re.compile(r"aiohttp\.|httpx2?\.AsyncClient\b")
RAISES_ITSELF = frozenset({"urllib"})
"""Libraries whose functions raise on an error status."""

MANY = 99
"""The position of what is only given by its name."""

_MARKS = (
    "api.openai.com",
    "openai.azure.",
    "/openai/deployments",
    "/openai/v1",
    "azure-api.net",
    "services.ai.azure.com",
)
_SENDERS = re.compile(r"(?i)session|client|http|pool|conn|^s$|^c$|\.s$")
_API_HOST = re.compile(r"(?:^|\.)api\.openai\.com$")
_AZURE_PATH = re.compile(
    r"(?:/|^\{\})openai/(?:deployments/|v1\b|responses\b|assistants\b|threads\b|files\b)|\.openai\.azure\."
)


@dataclass(frozen=True, slots=True, eq=False)
class HttpRequest:
    """One raw request.

    ``url`` is a template with ``{}`` for what is not known. ``session`` are the calls that make the object it is sent
    with (none for a module's function); ``known`` is whether its library is. ``opened`` are the calls that send it,
    where ``node`` only makes it (``urllib.request.Request``).
    """

    node: Call
    module: ModuleInfo
    function: Function | None
    library: str
    verb: str
    url: str
    endpoint: Endpoint
    asynchronous: bool
    session: tuple[Origin, ...]
    known: bool
    opened: tuple[Call, ...] = ()

    @property
    def call(self) -> str:
        """Verb and path: ``POST /v1/chat/completions``."""
        path = _parts(self.url)[1]
        return f"{self.verb} {path or '/'}"

    def option(self, name: str) -> tuple[Expr, ModuleInfo] | None:
        """What the request, or the session that sends it, is given under a keyword, and where that is written."""
        for call, module in self._calls():
            for arg in call.args:
                if arg.keyword == name:
                    return arg.value, module
        return None

    @property
    def is_made(self) -> bool:
        """Whether ``node`` only makes the request, which another call sends."""
        return library.written(self.node.func) == "Request"

    @property
    def open_options(self) -> bool:
        """Whether there may be more options than are written (``**kwargs``)."""
        return any(arg.star == "**" for call, _ in self._calls() for arg in call.args)

    def _calls(self) -> list[tuple[Call, ModuleInfo]]:
        made = [(origin.node, origin.module) for origin in self.session]
        sent = [(call, self.module) for call in (self.node, *self.opened)]
        return [*sent, *((node, module) for node, module in made if isinstance(node, Call))]

    def to_json(self, project: "Project") -> dict[str, Any]:
        """The request as the inventory lists it; ``path`` is absolute here."""
        place = project.place(self.module, self.node.span)
        first, column, last, end = place.span
        return {
            "path": place.path,
            "cell": place.cell,
            "start": {"line": first, "column": column},
            "end": {"line": last, "column": end},
            "called_from": [],
            "call": self.call,
            "sdk": project.engine.catalogue(self.module, 1).version,
            "kind": "http",
            "client": self.library,
            "function": self.function.qualname if self.function is not None else None,
            "escapes_function": [],
            "escapes": [],
            "escapes_iterating": [],
            "leaves_as": None,
            "lost": [],
            "handled_by": [],
            "retry": None,
        }


_requests: "WeakKeyDictionary[Project, list[HttpRequest]]" = WeakKeyDictionary()


def requests(project: "Project") -> list[HttpRequest]:
    """Every raw request to an OpenAI host, in order of place."""
    found = _requests.get(project)
    if found is None:
        found = _requests[project] = _search(project)
    return found


def _search(project: "Project") -> list[HttpRequest]:
    speaking = [module for module in project.modules if any(mark in module.facts.text for mark in _MARKS)]
    if not speaking:
        return []
    for module in speaking:
        _load_users(project, module)
    found = []
    for module in project.modules:
        libraries = {name.partition(".")[0] for name in module.imports} & LIBRARIES
        if libraries or module in speaking:
            tree = tree_of(project, module)
            made = [one for call in tree.of(Call) if (one := _request(project, tree, call)) is not None]
            found += [_sent(project, tree, one) if one.is_made else one for one in made]
    return sorted(found, key=lambda request: (request.module.path, request.node.span))


def _sent(project: "Project", tree: Tree, request: HttpRequest) -> HttpRequest:
    """A request that is made as an object, with the calls of its module that send it."""
    follow = origins_of(project)
    opened = tuple(
        call
        for call in tree.of(Call)
        if library.written(call.func) in SENDS
        and call.args
        and any(origin.node is request.node for origin in follow.of(call.args[0].value, tree.module))
    )
    return replace(request, opened=opened)


def _load_users(project: "Project", module: ModuleInfo) -> None:
    """Files that say nothing of OpenAI themselves, but use a URL that this module keeps under a name."""
    workspace = project.workspace
    for name, bindings in module.scope.bindings.items():
        values = [binding.node for binding in bindings if binding.kind == "value"]
        if any(isinstance(value, facts.Const) and _says_host(value.value) for value in values):
            loaded = {other.path for other in project.modules}
            for path in workspace.mentioning(name, [path for path in workspace.files if path not in loaded]):
                project.engine.modules.load(path)


def _says_host(value: object) -> bool:
    return isinstance(value, str) and any(mark in value for mark in _MARKS)


def _request(project: "Project", tree: Tree, call: Call) -> HttpRequest | None:
    name = library.written(call.func)
    if not call.args or (name not in VERBS and name not in ANY_VERB and name not in OPENERS):
        return None
    position = 1 if name in ANY_VERB else 0
    url_node = _argument(call, position, "url", "fullurl", "str_or_url")
    if url_node is None or not _worth_a_look(tree.module, call, url_node):
        return None
    paths = {
        value.path
        for value in project.engine.evaluator.value(call.func, tree.frame(call))
        if isinstance(value, External) and value.path.partition(".")[0] in LIBRARIES
    }
    if not paths and not _plausible(call, url_node):
        return None
    session = _session(project, tree, call)
    url = _url(project, tree.module, url_node, session)
    if url is None or _sorted_out(project, tree, call, url_node):
        return None
    path = min(paths, default="")
    if not path and session:
        path = _path_of(project, session[0])
    if name == "Request" and not path.startswith("urllib"):
        return None
    if name == "urlopen" and _is_request_object(project, tree.module, url_node):
        return None  # the Request that it opens is the one that is listed
    awaited = tree.module.awaited
    asynchronous = bool(ASYNCHRONOUS.match(path)) if path else call in awaited or _entered_async(tree, call)
    return HttpRequest(
        call,
        tree.module,
        tree.function(call),
        path.partition(".")[0] or "unknown",
        _verb(project, tree.module, call, name),
        url,
        endpoint_of(url) if _API_HOST.search(_parts(url)[0]) else Endpoint.AZURE,
        asynchronous,
        session,
        bool(path),
    )


def _worth_a_look(module: ModuleInfo, call: Call, url: Expr) -> bool:
    """Whether the words of a call allow for a request at all, before anybody finds out what they stand for."""
    if isinstance(url, facts.Const):
        return isinstance(url.value, str) and ("/" in url.value or url.value == "")
    if any(arg.keyword is not None for arg in call.args) or not isinstance(call.func, facts.Attr):
        return True
    words = library.dotted(call.func.value)
    root = words.partition(".")[0].partition("()")[0]
    bound = module.scope.bindings.get(root, ())
    if any(binding.kind == "import" and binding.node.module.partition(".")[0] in LIBRARIES for binding in bound):
        return True
    return _SENDERS.search(words) is not None


def _argument(call: Call, position: int, *names: str) -> Expr | None:
    for arg in call.args:
        if arg.keyword in names:
            return arg.value
    written = [arg for arg in call.args if arg.keyword is None]
    if position < len(written) and not any(arg.star for arg in written[: position + 1]):
        return written[position].value
    return None


def _plausible(call: Call, url: Expr) -> bool:
    """Whether a call on something unknown (``session.post(...)``) may be a request at all: a URL, and more."""
    if not isinstance(call.func, facts.Attr) or call.func.attr in OPENERS:
        return False
    if any(arg.keyword in ("headers", "json", "data", "params", "timeout") for arg in call.args):
        return True
    return isinstance(url, facts.Const) and _SENDERS.search(library.dotted(call.func.value)) is not None


def _session(project: "Project", tree: Tree, call: Call) -> tuple[Origin, ...]:
    if not isinstance(call.func, facts.Attr):
        return ()
    found = origins_of(project).of(call.func.value, tree.module)
    return tuple(origin for origin in found if isinstance(origin.node, Call) and _path_of(project, origin))


def _path_of(project: "Project", origin: Origin) -> str:
    """The dotted path of the library's class that the call makes an object of."""
    if not isinstance(origin.node, Call):
        return ""
    frame = tree_of(project, origin.module).frame(origin.node)
    values = project.engine.evaluator.value(origin.node.func, frame)
    paths = [value.path for value in values if isinstance(value, External)]
    return next((path for path in paths if path.partition(".")[0] in LIBRARIES), "")


def _url(project: "Project", module: ModuleInfo, node: Expr, session: tuple[Origin, ...]) -> str | None:
    """The template of the URL, if it may lead to OpenAI."""
    bases: set[str] = set()
    for origin in session:
        if isinstance(origin.node, Call):
            position = 0 if library.written(origin.node.func) == "ClientSession" else MANY
            given = _argument(origin.node, position, "base_url")
            bases |= texts(project, given, origin.module) if given is not None else set()
    for text in sorted(texts(project, node, module)):
        if _is_openai(text):
            return text
        if "://" not in text:
            for base in sorted(bases):
                joined = f"{base.rstrip('/')}/{text.lstrip('/')}"
                if _is_openai(joined):
                    return joined
    return None


def _sorted_out(project: "Project", tree: Tree, call: Call, node: Expr) -> bool:
    """Whether the URL may lead elsewhere too, and the call stands where a test of the URL has told which."""
    name = library.dotted(node)
    asked = [
        part
        for parent, child in tree.above(call)
        if isinstance(parent, facts.If | facts.IfExp) and child is not parent.test
        for part in (parent.test, *below(parent.test))
        if isinstance(part, facts.Compare | facts.Call)
        and any(library.dotted(one) == name for one in below(part) if isinstance(one, facts.Name | facts.Attr))
    ]
    if not name or not asked:
        return False
    hosts = [text for text in texts(project, node, tree.module) if "://" in text and UNKNOWN not in _parts(text)[0]]
    return any(not _is_openai(text) for text in hosts)


def _is_openai(url: str) -> bool:
    host = _parts(url)[0]
    if _API_HOST.search(host):
        return True
    if not _AZURE_PATH.search(url):
        return False
    return UNKNOWN in host or not host or endpoint_of(f"https://{host}") is Endpoint.AZURE


def _parts(url: str) -> tuple[str, str]:
    """Host and path of a template. Where it begins with something unknown, that is the host."""
    if "://" not in url:
        if url.startswith("{}") and not url.startswith("{}/"):
            url = "{}/" + url[2:]  # the unknown part ends with its own slash
        host, _, path = url.partition("/")
        return (host, f"/{path.partition('?')[0]}") if UNKNOWN in host or "." in host else ("", url)
    try:
        split = urlsplit(url)
        host = split.hostname or ""
    except ValueError:
        return "", ""
    return host, re.sub("//+", "/", split.path)


def _verb(project: "Project", module: ModuleInfo, call: Call, name: str) -> str:
    if name in VERBS:
        return name.upper()
    if name in ANY_VERB:
        node = _argument(call, 0, "method")
    else:
        node = next((arg.value for arg in call.args if arg.keyword == "method"), None)
        if node is None:
            return "POST" if any(arg.keyword == "data" for arg in call.args) or len(call.args) > 1 else "GET"
    if node is None:
        return "GET"
    found = texts(project, node, module)
    return min(found).upper() if len(found) == 1 else UNKNOWN


def _is_request_object(project: "Project", module: ModuleInfo, node: Expr) -> bool:
    found = origins_of(project).of(node, module)
    return any(isinstance(origin.node, Call) and library.written(origin.node.func) == "Request" for origin in found)


def _entered_async(tree: Tree, call: Call) -> bool:
    for parent, _ in tree.above(call):
        if isinstance(parent, facts.With):
            return parent.is_async
        if isinstance(parent, facts.Stmt):
            return False
    return False
