"""Runs one program under one fault with the real SDK and tells what left it. A fork server, one per SDK release.

Started as ``python runner.py CONFIG`` where CONFIG is JSON ``{"paths": [...], "port": n, "preload": [...]}``: `paths` go to
the front of `sys.path` (the SDK and the test libraries), `port` is that of `server.py`.
Reads one job a line from standard input, forks a child for it, and answers one line of JSON (see `Watch.result`).

A job: ``{"dir", "run" | "call" | "drive", "fault", "target", "context", "skip", "first_calls", "draw", "sites", "functions", "stdin"}``.
The child is the program's own process: nothing of one run is seen by another.
"""

import ast
import asyncio
import contextlib
import faulthandler
import functools
import gc
import importlib
import importlib.machinery
import inspect
import io
import json
import os
import random
import select
import shlex
import signal
import socket
import sys
import threading
import time
import types
from concurrent import futures
from pathlib import Path

#: a run that asks more often than this never stops
MAX_REQUESTS = 60
#: seconds after which a run counts as hanging
PATIENCE = 10
#: what a request costs on the virtual clock, in seconds, so that limits of time are reached without waiting
REQUEST_COST = 0.25
TIMEOUT, STALL_TIMEOUT = 0.03, 0.25

DOCUMENTED = {
    0: (
        "APIError",
        "Timeout",
        "RateLimitError",
        "APIConnectionError",
        "ServiceUnavailableError",
        "InvalidRequestError",
        "AuthenticationError",
        "PermissionError",
    ),
    1: (
        "APIConnectionError",
        "APITimeoutError",
        "RateLimitError",
        "InternalServerError",
        "ConflictError",
        "BadRequestError",
        "AuthenticationError",
        "PermissionDeniedError",
        "NotFoundError",
        "UnprocessableEntityError",
    ),
}

real_time, real_monotonic, real_perf, real_sleep = time.time, time.monotonic, time.perf_counter, time.sleep
real_asyncio_sleep = asyncio.sleep


def major() -> int:
    """0 for the 0.x line, 1 for everything later."""
    return 0 if sys.modules["openai"].__version__.startswith("0.") else 1


# --- what leaves -------------------------------------------------------------------------------------------------------------


def documented(error: BaseException) -> str | None:
    """The documented name of an error of the SDK itself, else None."""
    cls = type(error)
    if cls.__module__.partition(".")[0] == "openai" and cls.__name__ in DOCUMENTED[major()]:
        return cls.__name__
    return None


def frames_of(error: BaseException) -> list[tuple[str, int]]:
    """(file, line) of the traceback, outermost first."""
    found, tb = [], error.__traceback__
    while tb is not None:
        found.append((tb.tb_frame.f_code.co_filename, tb.tb_lineno))
        tb = tb.tb_next
    return found


def leaving(error: BaseException | None) -> list[tuple[str, str, BaseException]]:
    """(documented name, form, the SDK's error) of everything that `error` brings out."""
    if error is None:
        return []
    if name := documented(error):
        return [(name, "raw", error)]
    if type(error).__name__ == "RetryError":
        attempt = getattr(error, "last_attempt", None)
        inner = None
        if hasattr(attempt, "exception"):
            inner = attempt.exception()
        elif getattr(attempt, "has_exception", False):
            inner = attempt.value[1]  # retrying keeps (type, error, traceback)
        return [(name, "RetryError", e) for name, _, e in leaving(inner)]
    if hasattr(error, "exceptions") and type(error).__name__.endswith("ExceptionGroup"):
        return [(name, "ExceptionGroup", e) for inner in error.exceptions for name, _, e in leaving(inner)]
    if isinstance(error, (AttributeError, TypeError, NameError)) and error.__context__ is not None and in_clause(error):
        return [(name, "broken-handler", e) for name, _, e in leaving(error.__context__)]
    return []


def in_clause(error: BaseException) -> bool:
    """True if the error was raised by evaluating an ``except`` clause of the program."""
    for file, line in reversed(frames_of(error)):
        if file.startswith(WATCH.folder):
            return line in except_lines(file)
    return False


def except_lines(file: str) -> set[int]:
    tree = ast.parse(Path(file).read_text())
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return {line for h in handlers if h.type for line in range(h.lineno, (h.type.end_lineno or h.lineno) + 1)}


# --- the watch over one run --------------------------------------------------------------------------------------------------


class Watch:
    """Everything that is recorded in one run, and the plan by which its requests fail."""

    def __init__(self, job: dict, port: int, closed_port: int, answer: int) -> None:
        self.job, self.port, self.closed_port, self.answer = job, port, closed_port, answer
        self.folder = job.get("dir", "\0") + os.sep
        self.requests: dict[str, int] = {}  # site -> HTTP requests tried
        self.calls: dict[str, int] = {}  # site -> calls of an SDK method
        self.streams: dict[str, bool] = {}
        self.pages: dict[str, bool] = {}
        self.on_stack: dict[str, bool] = {}  # site -> its function was on the stack when the request went out
        self.events: dict[str, list] = {}  # thread and task -> [("call", site) | ("http", site) | ("sleep", s, who)]
        self.left: list[tuple[str, str, str]] = []  # (site, name, form) that reached the end
        self.left_levels: set[tuple[str, int, str]] = set()  # (site, decorators passed, name)
        self.entered: dict[str, int] = {}  # site -> the outermost decorator through which its function was called
        self.lost: set[tuple[str, str]] = set()
        self.pending: set[str] = set()  # sites whose function gave back something that is still to run
        self.futures: list[futures.Future] = []
        self.other: str | None = None  # another error that left
        self.exit: object = None
        self.output = io.StringIO()
        self.ended = False
        self.in_flight = 0  # asynchronous requests without an answer

    # where a request comes from

    def site_of(self, places: list[tuple[str, int]]) -> str:
        """The marked call that the program's frames point to; "" when none does."""
        sites = self.job.get("sites", [])
        for file, line in places:
            for site in sites:
                if file == str(Path(self.folder, site["path"])) and site["first"] <= line <= site["last"]:
                    return site["id"]
        return sites[0]["id"] if len(sites) == 1 else ""

    def stack(self) -> list:
        frame, found = sys._getframe(2), []
        while frame is not None:
            if frame.f_code.co_filename.startswith(self.folder):
                found.append(frame)
            frame = frame.f_back
        return found

    def event(self, *what: object) -> None:
        key = str(threading.get_ident())
        with contextlib.suppress(RuntimeError):
            key += str(id(asyncio.current_task()))
        self.events.setdefault(key, []).append(what)

    # requests

    def on_call(self) -> None:
        """An SDK method was called."""
        site = self.site_of([(f.f_code.co_filename, f.f_lineno) for f in self.stack()])
        self.calls[site] = self.calls.get(site, 0) + 1
        self.event("call", site)

    def on_request(self, url: str, streams: bool) -> tuple[str, int]:
        """How to answer a request: (fault or "", port)."""
        frames = self.stack()
        site = self.site_of([(f.f_code.co_filename, f.f_lineno) for f in frames])
        self.requests[site] = self.requests.get(site, 0) + 1
        self.streams[site] = self.streams.get(site, False) or streams
        self.pages[site] = self.pages.get(site, False) or "after=" in url
        for entry in self.job.get("sites", []):
            if entry["id"] == site and entry["function"]:
                path, first, last = str(Path(self.folder, entry["path"])), *entry["function"]
                seen = any(f.f_code.co_filename == path and first <= f.f_code.co_firstlineno <= last for f in frames)
                self.on_stack[site] = self.on_stack.get(site, True) and seen
        if major() == 0:  # no retries of its own: a request is a call
            self.calls[site] = self.calls.get(site, 0) + 1
            self.event("call", site)
        self.event("http", site)
        clock.offset += REQUEST_COST
        if sum(self.requests.values()) > self.job.get("limit", MAX_REQUESTS):
            self.finish("unbounded")
        fault = self.fault_for(site)
        return fault, self.closed_port if fault == "refused" else self.port

    def fault_for(self, site: str) -> str:
        job = self.job
        if site != job.get("target") and len(job.get("sites", [])) > 1:
            return job.get("context") or ""
        if self.requests[site] <= job.get("skip", 0):
            return ""
        if job.get("first_calls") and self.calls.get(site, 0) > job["first_calls"]:
            return ""
        if job.get("first_requests") and self.requests[site] > job["first_requests"]:
            return ""
        return job.get("fault") or ""

    # the end

    def note_end(self, error: BaseException | None) -> None:
        """What reached an entry point, whoever catches it afterwards (a framework's default page is no handler)."""
        found = leaving(error)
        for name, form, inner in found:
            self.left.append((self.site_of_error(inner), name, form))
        if error is not None and not found:
            self.other = f"{type(error).__module__}.{type(error).__name__}: {error}"[:300]

    def site_of_error(self, error: BaseException) -> str:
        return self.site_of([p for p in reversed(frames_of(error)) if p[0].startswith(self.folder)])

    def note_function(self, sites: str, level: int = 0) -> None:
        """Called by the rewritten functions: the error in flight leaves the function that encloses these sites.

        `level` counts the decorators that it has passed; what leaves the function is what leaves the outermost one
        through which the function was really called.
        """
        error = sys.exc_info()[1]
        for name, _, inner in leaving(error):
            site = self.site_of_error(inner)
            for mine in sites.split(","):
                if site == mine:
                    self.left_levels.add((mine, level, name))

    def note_entered(self, sites: str, level: int) -> None:
        for mine in sites.split(","):
            self.entered[mine] = max(level, self.entered.get(mine, 0))

    def left_function(self) -> list[tuple[str, str]]:
        """(site, name) of what left the function with its decorators."""
        return sorted({(site, name) for site, level, name in self.left_levels if level == self.entered.get(site, 0)})

    def note_returned(self, sites: str, value: object) -> object:
        """A returned coroutine, stream or page: whatever it raises later is no longer seen from this function."""
        pending = inspect.isawaitable(value) or inspect.isgenerator(value) or inspect.isasyncgen(value)
        if pending or type(value).__name__ in ("Stream", "AsyncStream") or type(value).__name__.endswith("Page"):
            self.pending.update(sites.split(","))
        return value

    def note_lost(self, error: BaseException | None) -> None:
        for name, _, inner in leaving(error):
            self.lost.add((self.site_of_error(inner), name))

    def finish(self, status: str) -> None:
        """Write the result and end the process at once, whatever else still runs in it."""
        if self.ended:
            while True:
                real_sleep(1)
        self.ended = True
        for future in self.futures:
            if not getattr(future, "truth_seen", False):
                self.note_lost(future._exception)
        data = (json.dumps(self.result(status)) + "\n").encode()
        while data:
            data = data[os.write(self.answer, data) :]
        os._exit(0)

    def result(self, status: str) -> dict:
        """`status` is "done", "unbounded", "hang" or "broken"; the rest as in the constructor."""
        return {
            "status": status, "left": sorted(set(self.left)), "left_function": self.left_function(),
            "lost": sorted(self.lost), "other": self.other, "exit": repr(self.exit) if self.exit is not None else None,
            "requests": self.requests, "calls": self.calls, "streams": self.streams, "pages": self.pages,
            "on_stack": self.on_stack, "pending": sorted(self.pending), "events": list(self.events.values()), "output": self.output.getvalue()[-2000:],
        }  # fmt: skip


# --- a clock that goes on when somebody sleeps ----------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.offset = 0.0


clock = Clock()


def owner(depth: int) -> str:
    """The top-level module of the caller: who sleeps."""
    frame = sys._getframe(depth)
    if WATCH and frame.f_code.co_filename.startswith(WATCH.folder):
        return "program"
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def slept(seconds: float, who: str) -> None:
    seconds = float(seconds)
    clock.offset += min(max(seconds, 0.0), 600.0)  # unbounded exponential waits would leave the calendar
    if WATCH:
        WATCH.event("sleep", round(seconds, 4), who)


def fake_sleep(seconds: float) -> None:
    slept(seconds, owner(2))
    real_sleep(0)


async def fake_async_sleep(delay: float, result: object = None) -> object:
    slept(delay, owner(2))
    end, quiet = real_monotonic() + min(float(delay), 0.5), 0
    await real_asyncio_sleep(0)
    if len(asyncio.all_tasks()) > 1:  # other tasks get the time to come to their end
        while quiet < 3 and real_monotonic() < end:
            quiet = 0 if WATCH.in_flight else quiet + 1
            await real_asyncio_sleep(0.002)
    return result


async def fake_anyio_sleep(delay: float) -> None:
    slept(delay, owner(2))
    await real_asyncio_sleep(0)


def patch_time() -> None:
    time.sleep = fake_sleep
    time.time = lambda: real_time() + clock.offset
    time.monotonic = lambda: real_monotonic() + clock.offset
    time.perf_counter = lambda: real_perf() + clock.offset
    asyncio.sleep = asyncio.tasks.sleep = fake_async_sleep
    asyncio.BaseEventLoop.time = lambda self: real_monotonic()
    with contextlib.suppress(ImportError):
        import anyio

        anyio.sleep = fake_anyio_sleep
    with contextlib.suppress(ImportError):
        import datetime

        import backoff._async
        import backoff._sync

        class VirtualDatetime(datetime.datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime.datetime:
                return datetime.datetime.fromtimestamp(time.time())

        virtual = types.SimpleNamespace(datetime=VirtualDatetime, timedelta=datetime.timedelta)
        backoff._sync.datetime = backoff._async.datetime = virtual


def patch_random(draw: str) -> None:
    """Every random draw gives the end of its range, `high` or `low`: growth and jitter can be told without statistics."""
    high = draw != "low"
    random.random = lambda: 0.999 if high else 0.001
    random.uniform = lambda a, b: b if high else a
    random.randint = lambda a, b: b if high else a
    random.randrange = lambda a, b=None, step=1: (a - 1 if b is None else b - 1) if high else (0 if b is None else a)
    random.expovariate = lambda lambd=1.0: (3.0 if high else 0.1) / lambd
    random.gauss = lambda mu=0.0, sigma=1.0: mu + sigma * (1 if high else -1)
    random.betavariate = lambda a, b: 0.999 if high else 0.001


# --- transports ---------------------------------------------------------------------------------------------------------------


def patch_httpx(name: str) -> None:
    """Requests of httpx (or httpx2) go to the fake server, marked with the fault that is planned for them."""
    httpx = importlib.import_module(name)

    def prepare(request) -> None:
        if request.url.host.startswith("testserver"):  # a test client of a web framework
            return
        body = b""
        with contextlib.suppress(Exception):
            body = request.content
        fault, port = WATCH.on_request(
            str(request.url), b'"stream":true' in body.replace(b" ", b"") or b'name="stream"' in body
        )
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)
        request.headers["host"] = f"127.0.0.1:{port}"
        request.headers["x-truth-run"] = str(os.getpid())
        if fault:
            request.headers["x-truth-fault"] = fault
        if fault in ("timeout", "stream_stall"):
            read = TIMEOUT if fault == "timeout" else STALL_TIMEOUT
            request.extensions["timeout"] = {"connect": 2.0, "write": 2.0, "pool": 2.0, "read": read}

    send, async_send = httpx.Client.send, httpx.AsyncClient.send

    def patched(self, request, **kw):
        prepare(request)
        return send(self, request, **kw)

    async def async_patched(self, request, **kw):
        prepare(request)
        WATCH.in_flight += 1
        try:
            return await async_send(self, request, **kw)
        finally:
            WATCH.in_flight -= 1

    httpx.Client.send, httpx.AsyncClient.send = patched, async_patched


def local(url: str, port: int) -> str:
    _scheme, _, rest = url.partition("://")
    _, slash, path = rest.partition("/")
    return f"http://127.0.0.1:{port}{slash}{path}"


def streams_by(json_body: object, data: object) -> bool:
    if isinstance(json_body, dict):
        return bool(json_body.get("stream"))
    return isinstance(data, (bytes, str)) and '"stream": true' in (data.decode() if isinstance(data, bytes) else data)


def patch_requests() -> None:
    import requests

    request = requests.Session.request

    def patched(self, method, url, **kw):
        fault, port = WATCH.on_request(url, streams_by(kw.get("json"), kw.get("data")))
        kw["headers"] = {**(kw.get("headers") or {}), "x-truth-run": str(os.getpid()), "x-truth-fault": fault}
        if fault in ("timeout", "stream_stall"):
            kw["timeout"] = (2.0, TIMEOUT if fault == "timeout" else STALL_TIMEOUT)
        return request(self, method, local(url, port), **kw)

    requests.Session.request = patched


def patch_aiohttp() -> None:
    import aiohttp

    request = aiohttp.ClientSession._request

    async def patched(self, method, url, **kw):
        fault, port = WATCH.on_request(str(url), streams_by(kw.get("json"), kw.get("data")))
        kw["headers"] = {**(kw.get("headers") or {}), "x-truth-run": str(os.getpid()), "x-truth-fault": fault}
        if fault in ("timeout", "stream_stall"):
            kw["timeout"] = aiohttp.ClientTimeout(total=TIMEOUT if fault == "timeout" else STALL_TIMEOUT)
        WATCH.in_flight += 1
        try:
            return await request(self, method, local(str(url), port), **kw)
        finally:
            WATCH.in_flight -= 1

    aiohttp.ClientSession._request = patched


def patch_sdk() -> None:
    """Calls of SDK methods are counted apart from the requests that its own retries make of them."""
    from openai import _base_client

    request, async_request = _base_client.SyncAPIClient.request, _base_client.AsyncAPIClient.request

    def patched(self, *args, **kw):
        WATCH.on_call()
        return request(self, *args, **kw)

    async def async_patched(self, *args, **kw):
        WATCH.on_call()
        return await async_request(self, *args, **kw)

    _base_client.SyncAPIClient.request, _base_client.AsyncAPIClient.request = patched, async_patched


def patch_lost() -> None:
    """Errors that reach nobody: threads, tasks and futures that nobody asks."""
    threading.excepthook = lambda args: WATCH.note_lost(args.exc_value)
    asyncio.BaseEventLoop.call_exception_handler = lambda self, context: WATCH.note_lost(context.get("exception"))
    set_exception, result, exception = futures.Future.set_exception, futures.Future.result, futures.Future.exception

    def keep(self, error):
        WATCH.futures.append(self)
        set_exception(self, error)

    def seen(method):
        def asked(self, timeout=None):
            self.truth_seen = True
            return method(self, timeout)

        return asked

    futures.Future.set_exception, futures.Future.result, futures.Future.exception = keep, seen(result), seen(exception)


def patch_ssl() -> None:
    """One TLS context for all clients: making one takes longer than a whole run."""
    import ssl

    made: list = []
    create = ssl.create_default_context

    def once(*args, **kw):
        if not made:
            made.append(create())
        return made[0]

    ssl.create_default_context = once
    with contextlib.suppress(ImportError):
        import httpx2._config

        httpx2._config.create_ssl_context = once
        httpx2._transports.default.create_ssl_context = once


# --- the program ---------------------------------------------------------------------------------------------------------------


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles the program's modules; functions around a marked call also tell which errors leave them."""

    def source_to_code(self, data, path, *, _optimize=-1):
        return compile(watched(data, str(path)), path, "exec", dont_inherit=True, optimize=_optimize)


def watched(source: bytes | str, path: str) -> ast.Module:
    """The program's tree in which each function that encloses a site reports what leaves it."""
    tree = ast.parse(source, path)
    by_lines: dict[tuple[int, int], list[str]] = {}
    for site in WATCH.job.get("sites", []):
        if site["function"] and str(Path(WATCH.folder, site["path"])) == path:
            by_lines.setdefault(tuple(site["function"]), []).append(site["id"])
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if sites := by_lines.get((first, node.end_lineno)):
                wrap(node, ",".join(sites))
    return ast.fix_missing_locations(tree)


class Returns(ast.NodeTransformer):
    """What the function returns is looked at: a stream or coroutine takes its errors elsewhere."""

    def __init__(self, sites: str) -> None:
        self.sites = sites

    def visit_FunctionDef(self, node):
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_Return(self, node):
        if node.value is not None:
            call = ast.parse(f"__truth_returned__({self.sites!r}, 0)", mode="eval").body
            for part in ast.walk(call):
                if hasattr(part, "lineno"):
                    ast.copy_location(part, node.value)
            call.args[1] = node.value
            node.value = call
        return node


def wrap(node, sites: str) -> None:
    probe = ast.parse(f"try:\n pass\nexcept BaseException:\n __truth__({sites!r})\n raise").body[0]
    last = node.body[-1]
    for part in ast.walk(probe):
        if hasattr(part, "lineno"):
            ast.copy_location(part, last)
    Returns(sites).generic_visit(node)
    docstring = node.body[:1] if ast.get_docstring(node) is not None else []
    probe.body = node.body[len(docstring) :] or [ast.copy_location(ast.Pass(), last)]
    node.body = [*docstring, probe]
    decorators: list = []
    for level, decorator in enumerate(reversed(node.decorator_list), 1):
        probing = ast.parse(f"__truth_level__({sites!r}, {level})", mode="eval").body
        for part in ast.walk(probing):
            if hasattr(part, "lineno"):
                ast.copy_location(part, decorator)
        decorators = [probing, decorator, *decorators]
    node.decorator_list = decorators


def level_probe(sites: str, level: int):
    """A decorator that tells what leaves a function after so many of its own decorators; it keeps the function's kind.

    What is no function any more (a property, a task, a command) is left alone, but for instances of the program's classes.
    """

    def noted(error_out: type, *_: object) -> None:
        if error_out is not None:
            WATCH.note_function(sites, level)

    watch = contextlib.ExitStack  # each call pushes `noted` on a stack of its own

    def decorate(made):
        own = getattr(sys.modules.get(type(made).__module__), "__file__", None) or ""
        if not inspect.isfunction(made) and not (callable(made) and own.startswith(WATCH.folder)):
            return made
        if inspect.isasyncgenfunction(made):

            async def probed(*args, **kw):
                WATCH.note_entered(sites, level)
                with watch() as stack:
                    stack.push(noted)
                    async for item in made(*args, **kw):
                        yield item

        elif inspect.iscoroutinefunction(made):

            async def probed(*args, **kw):
                WATCH.note_entered(sites, level)
                with watch() as stack:
                    stack.push(noted)
                    return await made(*args, **kw)

        elif inspect.isgeneratorfunction(made):

            def probed(*args, **kw):
                WATCH.note_entered(sites, level)
                with watch() as stack:
                    stack.push(noted)
                    return (yield from made(*args, **kw))

        else:

            def probed(*args, **kw):
                WATCH.note_entered(sites, level)
                with watch() as stack:
                    stack.push(noted)
                    return later(made(*args, **kw))

        async def awaited(value):
            with watch() as stack:
                stack.push(noted)
                return await value

        def iterated(value):
            with watch() as stack:
                stack.push(noted)
                return (yield from value)

        async def iterated_async(value):
            with watch() as stack:
                stack.push(noted)
                async for item in value:
                    yield item

        def later(value):
            if inspect.iscoroutine(value):
                return awaited(value)
            if inspect.isasyncgen(value):
                return iterated_async(value)
            return iterated(value) if inspect.isgenerator(value) else value

        return functools.wraps(made)(probed) if inspect.isfunction(made) else probed

    return decorate


def loader_hook(folder: str):
    def hook(path: str):
        if path != folder and not path.startswith(folder + os.sep):
            raise ImportError
        return importlib.machinery.FileFinder(path, (Loader, [".py"]))

    return hook


def import_parts(expression: str) -> dict:
    """The modules that an expression such as ``pkg.mod.f(x)`` needs, by the name with which it begins."""
    names: dict = {}
    for node in ast.walk(ast.parse(expression, mode="eval")):
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            continue
        dotted = inner.id
        for part in ["", *reversed(parts)]:
            dotted = f"{dotted}.{part}" if part else dotted
            try:
                importlib.import_module(dotted)
            except ModuleNotFoundError as error:
                if error.name and (dotted == error.name or dotted.startswith(error.name + ".")):
                    break
                raise
        if inner.id in sys.modules:
            names[inner.id] = sys.modules[inner.id]
    return names


def consume(value: object) -> None:
    """Run to the end what a call gave back: coroutines, generators, streams."""

    async def drain(it) -> None:
        async for _ in it:
            pass

    async def await_it(it) -> object:
        return await it

    if inspect.isawaitable(value):
        value = asyncio.run(await_it(value))
    if hasattr(value, "__anext__") or type(value).__name__ == "AsyncStream":
        asyncio.run(drain(value))
    elif hasattr(value, "__next__") or type(value).__name__ == "Stream":
        for _ in value:
            pass


def run_program(job: dict) -> None:
    if "run" in job:
        target, *argv = shlex.split(job["run"])
        if target == "-m":
            name, *argv = argv
            spec = importlib.util.find_spec(name)
            if spec.submodule_search_locations is not None:
                spec = importlib.util.find_spec(name + ".__main__")
            path, package = spec.origin, spec.parent
        else:
            path, package = str(Path(job["dir"], target)), None
        module = types.ModuleType("__main__")
        module.__file__, module.__package__ = path, package
        sys.modules["__main__"] = module
        sys.argv = [path, *argv]
        exec(compile(watched(Path(path).read_bytes(), path), path, "exec", dont_inherit=True), module.__dict__)
        return
    if "call" in job:
        consume(eval(job["call"], import_parts(job["call"])))
        return
    import drivers

    drivers.note_end = WATCH.note_end
    names = {key: value for key, value in vars(drivers).items() if not key.startswith("_")}
    eval(job["drive"], names)


def child(job: dict, port: int, closed_port: int, answer: int) -> None:
    global WATCH
    WATCH = Watch(job, port, closed_port, answer)
    out = WATCH.output
    sys.stdout = sys.stderr = out
    sys.stdin = io.StringIO(job.get("stdin", ""))

    def hang(*_: object) -> None:
        import traceback

        for frame in sys._current_frames().values():
            out.write("".join(traceback.format_stack(frame)[-6:]))
        WATCH.finish("hang")

    signal.signal(signal.SIGALRM, hang)
    signal.alarm(PATIENCE)
    patch_random(job.get("draw", "high"))
    patch_lost()
    import builtins

    builtins.__truth__ = WATCH.note_function
    builtins.__truth_returned__ = WATCH.note_returned
    builtins.__truth_level__ = level_probe
    os.chdir(job["dir"])
    sys.path_hooks.insert(0, loader_hook(job["dir"]))
    sys.path.insert(0, str(Path(job["dir"], job.get("path", ""))))
    error: BaseException | None = None
    try:
        run_program(job)
    except SystemExit as stop:
        WATCH.exit = stop.code
    except BaseException as caught:
        error = caught
        import traceback

        traceback.print_exc(file=out)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(1)
    WATCH.note_end(error)
    gc.collect()
    WATCH.finish("done")


# --- the fork server -------------------------------------------------------------------------------------------------------------

WATCH: Watch = None  # type: ignore[assignment]


def warm(port: int) -> None:
    """Imports and builds once what every child would else import and build again."""
    global WATCH
    WATCH = Watch({}, port, 0, -1)
    import openai

    if major() == 0:
        openai.ChatCompletion.create(model="m", messages=[])
        return
    client = openai.OpenAI()
    for _ in client.chat.completions.create(model="m", messages=[], stream=True):
        pass
    client.chat.completions.create(model="m", messages=[])
    client.embeddings.create(model="m", input="x")
    client.models.list()
    with contextlib.suppress(Exception):
        client.moderations.create(input="x")
        client.images.generate(prompt="x")
        client.files.list()
        client.responses.create(model="m", input="x")
        for _ in client.responses.create(model="m", input="x", stream=True):
            pass

    async def asynchronous() -> None:
        async with openai.AsyncOpenAI() as other:
            await other.chat.completions.create(model="m", messages=[])
            async for _ in await other.chat.completions.create(model="m", messages=[], stream=True):
                pass

    asyncio.run(asynchronous())
    client.close()


def reserve_port() -> socket.socket:
    """A bound socket that never listens: connections to it are refused."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def answer_of(job: dict, port: int, closed_port: int) -> dict:
    read, write = os.pipe()
    gc.freeze()  # a collection in the child must not touch, and so copy, the memory of the parent
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            child(job, port, closed_port, write)
        finally:
            os._exit(1)
    os.close(write)
    data, end = b"", real_monotonic() + PATIENCE + 4
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([read], [], [], max(0.0, end - real_monotonic()))
        part = os.read(read, 1 << 20) if ready else b""
        if not part:
            break
        data += part
    os.close(read)
    if not data.endswith(b"\n"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return json.loads(data) if data.endswith(b"\n") else {"status": "broken"}


def main() -> None:
    config = json.loads(sys.argv[1])
    port, paths = config["port"], config["paths"]
    sys.dont_write_bytecode = True
    sys.path[:0] = [*paths, str(Path(__file__).parent)]
    os.environ.update(
        OPENAI_API_KEY="test-key", OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1", OPENAI_API_BASE=f"http://127.0.0.1:{port}/v1",
        AZURE_OPENAI_API_KEY="test-key", AZURE_OPENAI_ENDPOINT=f"http://127.0.0.1:{port}", OPENAI_API_VERSION="2024-06-01",
        NO_PROXY="*",
    )  # fmt: skip
    patch_ssl()
    import openai

    if major() == 1:
        openai.api_type = os.environ["OPENAI_API_TYPE"] = "openai"

    for name in ("httpx", "httpx2"):
        with contextlib.suppress(ImportError):
            patch_httpx(name)
    patch_requests()
    patch_aiohttp()
    if major() == 1:
        patch_sdk()
    warm(port)
    patch_time()
    closed = reserve_port()
    say = os.fdopen(os.dup(1), "w")
    preloaded: set[str] = set()
    for line in sys.stdin:
        job = json.loads(line)
        for name in job.get("preload", []):
            if name not in preloaded:
                preloaded.add(name)
                importlib.import_module(name)
                patch_time()
        say.write(json.dumps(answer_of(job, port, closed.getsockname()[1])) + "\n")
        say.flush()


if __name__ == "__main__":
    faulthandler.enable()
    main()
