"""What one release before 1.0 offers; runs inside that release."""

import ast
import asyncio
import inspect
import signal
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import reach
from fake_server import FakeServer
from names import OPTIONS, exception_tree, is_class, namespaces, submodules

DUMMY_KEY = "no-key"
# Inherited by every object that can make requests, and written in no one's code as an API call.
PLUMBING = frozenset({"request", "arequest", "refresh", "arefresh", "wait", "await_"})


def snapshot() -> dict[str, Any]:
    """Everything the data files say about the running release."""
    import openai
    import openai.error

    # Before anything is touched: looking loads modules, which adds names.
    visible = dir(openai)
    return {
        "release": openai.__version__,
        "methods": dict(sorted(_methods(openai))),
        "client_methods": {},
        "module_resources": sorted({path.split(".")[0] for path, _ in _classes(openai)}),
        "clients": {},
        "errors": _errors(openai),
        "statuses": _statuses(),
        "retried_statuses": [],
        "names": _names(openai, visible),
        "modules": submodules(openai),
        "module_attributes": _module_attributes(openai),
        "defaults": _defaults(),
        "transport": _transport(),
    }


# --- methods ---------------------------------------------------------------------------------


def _classes(module: Any) -> Iterator[tuple[str, type]]:
    from openai.openai_object import OpenAIObject

    for name, value in sorted(vars(module).items()):
        if is_class(value) and issubclass(value, OpenAIObject):
            yield name, value


def _methods(module: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    from openai.openai_object import OpenAIObject

    for owner, value in _classes(module):
        for name in sorted(dir(value)):
            if name.startswith("_") or (name in dir(OpenAIObject) and name not in PLUMBING) or name in dir(dict):
                continue
            function = inspect.getattr_static(value, name)
            if isinstance(function, (types.FunctionType, classmethod, staticmethod)):
                yield f"{owner}.{name}", _method(value, name, function)


def _method(owner: type, name: str, function: Any) -> dict[str, Any]:
    bound = getattr(owner, name)
    if not inspect.ismethod(bound):
        # A plain function of the class: bind it to something that answers like an instance.
        bound = types.MethodType(inspect.unwrap(bound), owner)
    seen = reach.read(bound, "openai")
    trial = _try(owner, name)
    network = bool(seen.verbs) or trial.requests > 0
    coroutine = name == "await_" or (name.startswith("a") and network and _is_twin(owner, name))
    parameters = list(inspect.signature(bound).parameters.values())
    by_name = {p.name for p in parameters}
    is_open = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return {
        "kind": _kind(name, seen, trial) if network else "",
        "coroutine": coroutine,
        "stream": trial.streams,
        "options": sorted((by_name | _named_inside(bound)) & OPTIONS - ({"request_timeout"} - trial.honours)),
        "positional": _positional(bound),
        "open": is_open,
        "raw": False,
        "streaming": False,
        "plumbing": name in PLUMBING or name.endswith("_request"),
    }


def _positional(method: Any) -> list[str]:
    """Names of the positional parameters, also where `*args` hands them to the class above."""
    parameters = list(inspect.signature(method).parameters.values())
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return names
    found = False
    for base in method.__self__.__mro__:
        above = vars(base).get(method.__name__)
        if found and isinstance(above, classmethod):
            return names + _positional(types.MethodType(above.__func__, method.__self__))
        found = found or getattr(above, "__func__", None) is method.__func__
    return names


def _is_twin(owner: type, name: str) -> bool:
    """`acreate` beside `create`: the name tells, because some are plain functions that give back a coroutine."""
    return hasattr(owner, name[1:])


def _named_inside(method: Any) -> set[str]:
    """Options that the method, or one of the same name above it, takes out of its keywords."""
    functions = {
        (base, n): reach.tree_of(getattr(v, "__func__", v))
        for base in method.__self__.__mro__
        for n, v in vars(base).items()
    }
    same = [tree for (_, name), tree in functions.items() if name == method.__name__ and tree is not None]
    used = {node.attr for tree in same for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    helpers = [
        tree
        for (base, name), tree in functions.items()
        if tree is not None and name.startswith("_") and name.removeprefix(f"_{base.__name__}") in used
    ]
    found: set[str] = set()
    for tree in (*same, *helpers):
        arguments = tree.args
        found |= {a.arg for a in (*arguments.args, *arguments.kwonlyargs)}
        found |= {str(node.args[0].value) for node in ast.walk(tree) if _takes_option(node)}
    return found


def _takes_option(node: ast.AST) -> bool:
    """`params.pop("name", ...)` and its like."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"pop", "get"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"params", "kwargs"}
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
    )


def _kind(name: str, seen: reach.Reach, trial: "Trial") -> str:
    if "paging" in name:
        return "paginator"
    if trial.lazy:
        return "stream"
    if seen.waits_in_loop and ("wait" in name or "poll" in name):
        return "polling"
    if trial.streams:
        return "json_or_stream"
    return "binary" if name.endswith("download") else "json"


class Trial:
    """What calling the method against a server showed."""

    def __init__(self) -> None:
        self.requests = 0
        self.streams = False
        self.lazy = False
        self.honours: set[str] = set()


def _try(owner: type, name: str) -> Trial:
    """Call the method with dummies: plainly, with `stream=True`, and with a request timeout."""
    trial = Trial()
    plain, count = _call(owner, name, {})
    trial.requests = count
    trial.lazy = inspect.isgenerator(plain) or inspect.isasyncgen(plain)
    if not trial.lazy:
        streamed, _ = _call(owner, name, {"stream": True})
        trial.streams = inspect.isgenerator(streamed) or inspect.isasyncgen(streamed)
    trial.honours = {"request_timeout"} if _timeout_arrives(owner, name) else set()
    return trial


def _dummies(method: Any, extra: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"model": "m", "api_key": DUMMY_KEY}
    parameters = inspect.signature(method).parameters
    is_open = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for parameter in parameters.values():
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            values.setdefault(parameter.name, _dummy(parameter.name))
    return {k: v for k, v in (values | extra).items() if is_open or k in parameters}


def _dummy(name: str) -> Any:
    if name in {"file", "image", "mask"}:
        import io

        return io.BytesIO(b"x")
    return {"method": "get", "method_": "get", "url": "/models", "params": {}}.get(name, "x")


def _call(owner: type, name: str, extra: dict[str, Any]) -> tuple[Any, int]:
    """The result of one call (the first step of it, where it is lazy) and the number of requests."""
    import openai

    server = _server()
    server.requests.clear()
    openai.api_base, openai.api_key = server.url, DUMMY_KEY
    result: Any = None
    try:
        method = getattr(owner, name)
        if not inspect.ismethod(method):
            method = getattr(owner(id="x", api_key=DUMMY_KEY), name)
        values = _dummies(method, extra)

        async def run() -> Any:
            answer = method(**values)
            if inspect.isawaitable(answer):
                answer = await asyncio.wait_for(answer, 3)
            if inspect.isasyncgen(answer):
                await asyncio.wait_for(anext_of(answer), 3)
            return answer

        # Some methods wait for ever for an answer that the server never gives.
        signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, 1.5, 1.5)
        result = asyncio.run(run())
        if inspect.isgenerator(result):
            next(result, None)
    except BaseException:  # the arguments are dummies: only the request counts
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return result, len(server.requests)


@cache
def _server() -> FakeServer:
    return FakeServer()


class _TooLongError(BaseException):
    """Beyond the reach of what the SDK itself catches."""


def _too_long(*args: Any) -> None:
    raise _TooLongError


async def anext_of(generator: Any) -> Any:
    """First item of an async generator; None where it is empty."""
    async for item in generator:
        return item
    return None


def _timeout_arrives(owner: type, name: str) -> bool:
    """True if `request_timeout=` reaches the transport of this method."""
    from openai import api_requestor

    seen: list[Any] = []

    def spy(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(kwargs.get("request_timeout"))
        raise RuntimeError("seen")

    async def aspy(self: Any, *args: Any, **kwargs: Any) -> Any:
        spy(self, *args, **kwargs)

    requestor = api_requestor.APIRequestor
    saved = requestor.request_raw, requestor.arequest_raw
    requestor.request_raw, requestor.arequest_raw = spy, aspy
    try:
        _call(owner, name, {"request_timeout": 7})
    finally:
        requestor.request_raw, requestor.arequest_raw = saved
    return 7 in seen


# --- errors ----------------------------------------------------------------------------------


def _errors(module: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, name, value in namespaces(("openai", "openai.error")):
        if is_class(value) and issubclass(value, BaseException) and value.__module__.startswith("openai"):
            entry = found.setdefault(value.__name__, _error(value))
            entry["spellings"].append(f"{place}.{name}")
    return found


def _error(value: Any) -> dict[str, Any]:
    needed = [p for p in inspect.signature(value).parameters.values() if p.default is p.empty]
    sample = value(**{p.name: "x" for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD})
    names = set(dir(sample)) - set(dir(Exception())) - {"construct_error_object"}
    return {
        "bases": [base.__name__ for base in value.__mro__[1:] if base is not object],
        "module": value.__module__,
        "status": None,
        "attributes": sorted(n for n in names if not n.startswith("_")),
        "spellings": [],
        "unreachable": [],
    }


def _statuses() -> dict[str, str]:
    """The class that each status raises, as the requestor itself decides."""
    import openai.error
    from openai.api_requestor import APIRequestor

    requestor, names = APIRequestor(DUMMY_KEY), {}
    body = '{"error": {"message": "m", "type": "t", "param": null, "code": null}}'
    for status in (*range(400, 432), 451, 499, *range(500, 512), 529, 599):
        try:
            requestor._interpret_response_line(body, status, {}, stream=False)
        except openai.error.OpenAIError as error:
            names[str(status)] = type(error).__name__
    return names


# --- the module ------------------------------------------------------------------------------


def _names(module: Any, visible: list[str]) -> dict[str, str]:
    names = {}
    for name in visible:
        value = getattr(module, name)
        if name.startswith("__"):
            continue
        if isinstance(value, types.ModuleType):
            names[name] = "module"
        elif is_class(value):
            names[name] = "error" if issubclass(value, BaseException) else "class"
        else:
            names[name] = "function" if inspect.isfunction(value) else "value"
    return names


def _module_attributes(module: Any) -> list[str]:
    """The settings of the module: names that its own source assigns."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names |= {t.id for t in targets if isinstance(t, ast.Name)}
    return sorted(n for n in names if not n.startswith("_"))


def _transport() -> dict[str, Any]:
    import aiohttp
    import requests.exceptions

    errors = {f"requests.exceptions.{k}": v for k, v in exception_tree(requests.exceptions).items()}
    errors |= {f"aiohttp.{k}": v for k, v in exception_tree(aiohttp).items()}
    # The same class as the builtin from Python 3.11 on.
    errors["asyncio.TimeoutError"] = ["TimeoutError", "OSError", "Exception", "BaseException"]
    return {"library": "requests", "stream_wraps": False, "errors": errors}


def _defaults() -> dict[str, Any]:
    from openai import api_requestor

    timeout = float(api_requestor.TIMEOUT_SECS)
    return {
        "max_retries": 0,
        "timeout": timeout,
        "connect_timeout": timeout,
        "first_delay": 0,
        "longest_delay": 0,
        "jitter": 0,
        "retry_after_limit": 0,
        "beyond_limit": "raise",
    }
