"""What one release from 1.0 on offers; runs inside that release."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import reach
from fake_server import FakeServer
from names import OPTIONS, exception_tree, import_all, is_class, namespaces, reachable_modules, submodules

DUMMY_KEY = "no-key"
# Modules whose names nobody spells in a handler: the data would only grow.
ELSEWHERE = ("openai.cli.", "openai._extras.", "openai._vendor.", "openai.types.", "openai.resources.")


def snapshot() -> dict[str, Any]:
    """Everything the data files say about the running release."""
    import openai

    # Before anything is touched: looking loads modules, which adds names.
    loaded, visible = reachable_modules("openai"), dir(openai)
    sync, asynchronous = openai.OpenAI(api_key=DUMMY_KEY), openai.AsyncOpenAI(api_key=DUMMY_KEY)
    errors = _errors(loaded)
    return {
        "release": openai.__version__,
        "methods": dict(sorted(_methods(sync, asynchronous))),
        "client_methods": _client_methods(sync),
        "module_resources": _module_resources(sync),
        "clients": _clients(),
        "errors": errors,
        "statuses": _statuses(sync),
        "retried_statuses": _retried(sync),
        "names": _names(openai, visible, errors),
        "modules": submodules(openai),
        "module_attributes": _module_attributes(openai),
        "defaults": _defaults(),
        "transport": _transport(),
    }


# --- methods ---------------------------------------------------------------------------------


def _methods(sync: Any, asynchronous: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    from openai._resource import AsyncAPIResource, SyncAPIResource

    twins = dict(_walk(asynchronous, AsyncAPIResource))
    for path, method in _walk(sync, SyncAPIResource):
        yield path, _method(path, method, twins.get(path), sync)


def _walk(owner: Any, base: type, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every public method of every resource beneath `owner`, by dotted path."""
    for name in sorted(set(dir(type(owner))) | set(vars(owner))):
        if name.startswith(("_", "with_")):
            continue
        value = getattr(owner, name)
        if isinstance(value, base):
            yield from _walk(value, base, (*prefix, name))
        elif prefix and (inspect.ismethod(value) or inspect.isfunction(value)):
            yield ".".join((*prefix, name)), value


def _method(path: str, method: Any, twin: Any, client: Any) -> dict[str, Any]:
    seen = reach.read(method, "openai")
    parameters = list(inspect.signature(method).parameters.values())
    by_name = {p.name for p in parameters}
    coroutine = twin is not None and inspect.iscoroutinefunction(inspect.unwrap(twin))
    network = bool(seen.verbs)
    if not network:
        network = _makes_a_request(path)
    kind = _kind(path, method, seen, coroutine, "stream" in by_name) if network else _lazy_kind(method)
    return {
        "kind": kind,
        "coroutine": coroutine,
        "stream": "stream" in by_name,
        "options": sorted(by_name & OPTIONS),
        "positional": [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD],
        "open": any(p.kind is p.VAR_KEYWORD for p in parameters),
        "raw": _wrapped(client, path, "with_raw_response"),
        "streaming": _wrapped(client, path, "with_streaming_response"),
    }


def _makes_a_request(path: str) -> bool:
    """Call the method against a server and see; for what its source does not tell."""
    import openai

    server = FakeServer()
    try:
        owner: Any = openai.OpenAI(api_key=DUMMY_KEY, base_url=server.url, max_retries=0, timeout=2)
        for word in path.split("."):
            owner = getattr(owner, word)
        needed = [p for p in inspect.signature(owner).parameters.values() if p.default is p.empty]
        owner(**{p.name: "x" for p in needed if p.kind is not p.VAR_KEYWORD})
    except Exception:  # the arguments are dummies: only the request counts
        pass
    finally:
        server.close()
    return bool(server.requests)


def _answer(method: Any) -> str:
    answer = inspect.unwrap(method).__annotations__.get("return", "")
    return answer if isinstance(answer, str) else getattr(answer, "__name__", str(answer))


def _kind(path: str, method: Any, seen: reach.Reach, coroutine: bool, stream: bool) -> str:
    """How the call makes its requests and what it gives back."""
    answer = _answer(method)
    if _lazy_kind(method):
        return _lazy_kind(method)
    if seen.pages and not coroutine and not seen.calls_siblings:
        return "single_page" if all(map(_is_single_page, seen.pages)) else "paginator"
    if seen.waits_in_loop:
        return "polling"
    if stream:
        return "json_or_stream"
    if answer.startswith(("Stream[", "AsyncStream[")):
        return "stream"
    if "Binary" in answer:
        return "binary"
    if seen.calls_siblings and not seen.own_verbs:
        return "upload"
    return "json"


def _lazy_kind(method: Any) -> str:
    """The kind of a call that makes its request only when entered; "" for others."""
    answer = _answer(method)
    if "ConnectionManager" in answer:
        return "websocket_manager"
    if "StreamManager" in answer:
        return "stream_manager"
    owner = inspect.unwrap(method).__globals__.get(answer.split("[")[0])
    if inspect.isclass(owner) and hasattr(owner, "__enter__") and not hasattr(owner, "response"):
        base = answer.split("[")[0]
        return "stream_manager" if base.endswith("Stream") and base != "Stream" else ""
    return ""


def _is_single_page(name: str) -> bool:
    import openai.pagination as pagination

    page = getattr(pagination, name, None)
    if page is None:
        return False
    tree = reach.tree_of(page.next_page_info)
    returns = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)] if tree else []
    return all(value is None or (isinstance(value, ast.Constant) and value.value is None) for value in returns)


def _wrapped(client: Any, path: str, wrapper: str) -> bool:
    *resource, name = path.split(".")
    owner = client
    try:
        for word in resource:
            owner = getattr(owner, word)
        return callable(getattr(getattr(owner, wrapper), name))
    except AttributeError:
        return False


def _client_methods(client: Any) -> dict[str, str]:
    """Public methods of the client itself: those that make a request, give a client, or neither."""
    kinds = {}
    for name in sorted(dir(type(client))):
        if name.startswith("_") or not inspect.isfunction(getattr(type(client), name)):
            continue
        if name in reach.CLIENT_VERBS:
            kinds[name] = "paginator" if name == "get_api_list" else "json"
        else:
            kinds[name] = "client" if name in {"copy", "with_options"} else "local"
    return kinds


def _module_resources(client: Any) -> list[str]:
    import openai
    from openai._resource import SyncAPIResource

    names = [n for n in sorted(set(dir(type(client))) | set(vars(client))) if not n.startswith(("_", "with_"))]
    return [n for n in names if isinstance(getattr(client, n), SyncAPIResource) and hasattr(openai, n)]


# --- clients ---------------------------------------------------------------------------------


def _clients() -> dict[str, Any]:
    from openai._base_client import AsyncAPIClient, SyncAPIClient

    found: dict[str, Any] = {}
    for module, name, value in namespaces(("openai", "openai.lib.azure", "openai.lib.bedrock", "openai._client")):
        if not is_class(value) or not issubclass(value, (SyncAPIClient, AsyncAPIClient)):
            continue
        if name.startswith("_") or value in (SyncAPIClient, AsyncAPIClient):
            continue
        entry = found.setdefault(value.__name__, _client(value, issubclass(value, AsyncAPIClient)))
        entry["spellings"].append(f"{module}.{name}")
    return found


def _client(value: type, asynchronous: bool) -> dict[str, Any]:
    parameters = list(inspect.signature(value).parameters.values())
    lineage = " ".join(base.__name__ for base in value.__mro__)
    return {
        "async": asynchronous,
        "flavour": "azure" if "Azure" in lineage else "bedrock" if "Bedrock" in lineage else "openai",
        "options": sorted(p.name for p in parameters),
        "positional": [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD],
        "copy_options": sorted(list(inspect.signature(value.copy).parameters)[1:]),
        "spellings": [],
    }


# --- errors ----------------------------------------------------------------------------------


def _errors(loaded: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    import_all("openai", skip=ELSEWHERE)
    for module, name, value in namespaces(None):
        if not (is_class(value) and issubclass(value, BaseException)):
            continue
        if not value.__module__.startswith("openai") or (module + ".").startswith(ELSEWHERE):
            continue
        if not _spelled(module, value):
            continue
        entry = found.setdefault(value.__name__, _error(value))
        dotted = f"{module}.{name}"
        entry["spellings"].append(dotted)
        if module not in loaded:
            entry["unreachable"].append(dotted)
    return found


def _spelled(module: str, value: type) -> bool:
    """True if code outside the SDK would name the class in this module."""
    import openai

    private = any(part.startswith("_") for part in module.split("."))
    top_level = getattr(openai, value.__name__, None) is value
    return module in {"openai", "openai._exceptions"} or not (private and top_level)


def _error(value: type) -> dict[str, Any]:
    sample = _sample(value)
    plain = set(dir(Exception()))
    names = set(dir(sample)) if sample is not None else set(dir(value))
    for base in value.__mro__:
        names |= set(getattr(base, "__annotations__", {}))
    return {
        "bases": [base.__name__ for base in value.__mro__[1:] if base is not object],
        "module": value.__module__,
        "status": getattr(value, "status_code", None) if isinstance(getattr(value, "status_code", None), int) else None,
        "attributes": sorted(n for n in names - plain if not n.startswith("_")),
        "spellings": [],
        "unreachable": [],
    }


def _sample(value: type) -> BaseException | None:
    """One instance, to see what its constructor sets; None where it cannot be made."""
    http = _http()
    request = http.Request("POST", "http://127.0.0.1/")
    response = http.Response(400, request=request)
    offers = {"message": "m", "request": request, "response": response, "body": None, "symbol": "s", "completion": None}
    try:
        parameters = inspect.signature(value).parameters.values()
        return value(**{p.name: offers[p.name] for p in parameters if p.default is p.empty and p.name in offers})
    except Exception:
        return None


def _http() -> Any:
    import openai._base_client as base

    return getattr(base, "httpx2", None) or base.httpx


def _statuses(client: Any) -> dict[str, str]:
    """The class that each status raises, as the client itself decides."""
    http = _http()
    request = http.Request("POST", "http://127.0.0.1/")
    names = {}
    for status in (*range(400, 432), 451, 499, *range(500, 512), 529, 599):
        error = client._make_status_error("m", body=None, response=http.Response(status, request=request))
        names[str(status)] = type(error).__name__
    return names


def _retried(client: Any) -> list[int]:
    http = _http()
    request = http.Request("POST", "http://127.0.0.1/")
    return [s for s in range(400, 600) if client._should_retry(http.Response(s, request=request))]


# --- the module ------------------------------------------------------------------------------


def _names(module: Any, visible: list[str], errors: dict[str, Any]) -> dict[str, str]:
    """Names of the module and what each is."""
    names = {}
    for name in visible:
        if name.startswith("__"):
            continue
        # A name made on demand is not in the module's own dictionary yet.
        value = vars(module)[name] if name in vars(module) else getattr(module, name)
        if type(value).__name__ == "APIRemovedInV1Proxy":
            names[name] = "removed"
        elif issubclass(type(value), ModuleType):
            names[name] = "module"
        elif is_class(value):
            names[name] = "error" if value.__name__ in errors else "class"
        else:
            # Asking what a lazy proxy is would build the module's client.
            proxy = "Proxy" in type(value).__name__
            names[name] = "resource" if proxy else "function" if type(value) is FunctionType else "value"
    return names


def _module_attributes(module: Any) -> list[str]:
    """The settings of the module: names that its own source assigns."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    names = {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    return sorted(n for n in names if not n.startswith("_"))


def _defaults() -> dict[str, Any]:
    """Retries, waits and timeouts, measured on a client that nobody configured."""
    from openai import _constants

    waits = _waits({}, max_retries=8, draw=0.0), _waits({}, max_retries=8, draw=1.0)
    longest, shortest = max(waits), min(waits)
    followed = [s for s in (1, 60, 61, 120, 121, 300) if _waits({"retry-after": str(s)})[:1] == [float(s)]]
    return {
        "max_retries": len(_waits({})),
        "timeout": _constants.DEFAULT_TIMEOUT.read,
        "connect_timeout": _constants.DEFAULT_TIMEOUT.connect,
        "first_delay": longest[0],
        "longest_delay": max(longest),
        "jitter": round(1 - shortest[0] / longest[0], 3),
        "retry_after_limit": max(followed),
        "beyond_limit": "backoff" if _waits({"retry-after": str(max(followed) + 1)}) else "raise",
    }


def _waits(headers: dict[str, str], max_retries: int | None = None, draw: float = 0.5) -> list[float]:
    """How long a client waits before each further try while the answer is 429 with these headers.

    `draw` is what every random number turns out to be.
    """
    import random
    import time

    import openai

    http = _http()
    transport = http.MockTransport(lambda request: http.Response(429, headers=headers, json={}))
    options = {} if max_retries is None else {"max_retries": max_retries}
    client = openai.OpenAI(api_key=DUMMY_KEY, http_client=http.Client(transport=transport), **options)
    waits: list[float] = []
    kept = time.sleep, random.random
    time.sleep, random.random = waits.append, lambda: draw
    # Releases differ in how they name the two functions inside.
    import openai._base_client as base

    named = {name: getattr(base, name) for name in ("random", "sleep") if callable(getattr(base, name, None))}
    for name in named:
        setattr(base, name, random.random if name == "random" else time.sleep)
    try:
        client.models.list()
    except openai.RateLimitError:
        return waits
    finally:
        time.sleep, random.random = kept
        for name, function in named.items():
            setattr(base, name, function)
    raise AssertionError("429 raised nothing")


def _transport() -> dict[str, Any]:
    http = _http()
    return {"library": http.__name__, "stream_wraps": _stream_wraps(), "errors": exception_tree(http)}


def _stream_wraps() -> bool:
    """True if a stream that breaks off raises the SDK's error and not the transport's."""
    import openai

    http = _http()

    class Broken(http.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b'data: {"choices": []}\n\n'
            raise http.ReadError("cut")

    def answer(request: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Broken())

    client = openai.OpenAI(api_key=DUMMY_KEY, http_client=http.Client(transport=http.MockTransport(answer)))
    stream = client.chat.completions.create(model="m", messages=[], stream=True)
    try:
        for _ in stream:
            pass
    except openai.APIConnectionError:
        return True
    except http.ReadError:
        return False
    raise AssertionError("a broken stream raised nothing")
