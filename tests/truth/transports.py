"""What is patched around the SDK: its transports, its calls, and the places where errors get lost."""

import asyncio
import contextlib
import importlib
import os
import threading
from concurrent import futures

from . import watch

TIMEOUT, STALL_TIMEOUT = 0.03, 0.25


def patch_httpx(name: str) -> None:
    """Requests of httpx (or httpx2) go to the fake server, marked with the fault that is planned for them."""
    httpx = importlib.import_module(name)

    def prepare(request) -> None:
        if request.url.host.startswith("testserver"):  # a test client of a web framework
            return
        body = b""
        with contextlib.suppress(Exception):
            body = request.content
        fault, port = watch.now.on_request(
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
        watch.now.in_flight += 1
        try:
            return await async_send(self, request, **kw)
        finally:
            watch.now.in_flight -= 1

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
        fault, port = watch.now.on_request(url, streams_by(kw.get("json"), kw.get("data")))
        kw["headers"] = {**(kw.get("headers") or {}), "x-truth-run": str(os.getpid()), "x-truth-fault": fault}
        if fault in ("timeout", "stream_stall"):
            kw["timeout"] = (2.0, TIMEOUT if fault == "timeout" else STALL_TIMEOUT)
        return request(self, method, local(url, port), **kw)

    requests.Session.request = patched


def patch_aiohttp() -> None:
    import aiohttp

    request = aiohttp.ClientSession._request

    async def patched(self, method, url, **kw):
        fault, port = watch.now.on_request(str(url), streams_by(kw.get("json"), kw.get("data")))
        kw["headers"] = {**(kw.get("headers") or {}), "x-truth-run": str(os.getpid()), "x-truth-fault": fault}
        if fault in ("timeout", "stream_stall"):
            kw["timeout"] = aiohttp.ClientTimeout(total=TIMEOUT if fault == "timeout" else STALL_TIMEOUT)
        watch.now.in_flight += 1
        try:
            return await request(self, method, local(str(url), port), **kw)
        finally:
            watch.now.in_flight -= 1

    aiohttp.ClientSession._request = patched


def patch_urllib() -> None:
    import urllib.request

    open_url = urllib.request.OpenerDirector.open

    def patched(self, fullurl, data=None, timeout=None, **kw):
        request = urllib.request.Request(fullurl) if isinstance(fullurl, str) else fullurl
        fault, port = watch.now.on_request(request.full_url, streams_by(None, request.data))
        request.full_url = local(request.full_url, port)
        request.add_header("x-truth-fault", fault)
        return open_url(self, request, data, TIMEOUT if fault == "timeout" else 5.0, **kw)

    urllib.request.OpenerDirector.open = patched


def patch_sdk() -> None:
    """Calls of SDK methods are counted apart from the requests that its own retries make of them."""
    from openai import _base_client

    request, async_request = _base_client.SyncAPIClient.request, _base_client.AsyncAPIClient.request

    def patched(self, *args, **kw):
        watch.now.on_call()
        return request(self, *args, **kw)

    async def async_patched(self, *args, **kw):
        watch.now.on_call()
        return await async_request(self, *args, **kw)

    _base_client.SyncAPIClient.request, _base_client.AsyncAPIClient.request = patched, async_patched


def patch_lost() -> None:
    """Errors that reach nobody: threads, tasks and futures that nobody asks."""
    threading.excepthook = lambda args: watch.now.note_lost(args.exc_value)
    asyncio.BaseEventLoop.call_exception_handler = lambda self, context: watch.now.note_lost(context.get("exception"))
    set_exception, result, exception = futures.Future.set_exception, futures.Future.result, futures.Future.exception

    def keep(self, error):
        watch.now.futures.append(self)
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
