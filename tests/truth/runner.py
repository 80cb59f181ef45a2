"""Runs one program under one fault with the real SDK and tells what left it. A fork server, one per SDK release.

Started as ``python -m truth.runner CONFIG`` where CONFIG is JSON ``{"paths": [...], "port": n}``: `paths` go to the
front of `sys.path` (the SDK and the test libraries), `port` is that of `server.py`. Reads one job a line from standard
input, forks a child for it, and answers one line of JSON (see `Watch.result`).

A job holds ``dir``, one of ``run``, ``call`` and ``drive``, the marked ``sites``, and the plan: ``fault`` for the
requests of the site ``target`` (from the one after ``skip`` on, only in the ``first_calls`` or ``first_requests``),
``context`` for those of the other sites, and ``draw``, which end of its range a random number is. The child is the
program's own process: nothing of one run is seen by another.
"""

import ast
import asyncio
import builtins
import contextlib
import faulthandler
import gc
import importlib
import importlib.util
import inspect
import io
import json
import os
import select
import shlex
import signal
import socket
import sys
import threading
import traceback
import types
from pathlib import Path

from . import clock, probes, transports, watch

#: seconds after which a run counts as hanging
PATIENCE = 10


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
        exec(compile(probes.watched(Path(path).read_bytes(), path), path, "exec", dont_inherit=True), module.__dict__)
        return
    if "call" in job:
        consume(eval(job["call"], import_parts(job["call"])))
        return
    from . import drivers

    drivers.note_end = watch.now.note_end
    names = {key: value for key, value in vars(drivers).items() if inspect.isfunction(value)}
    eval(job["drive"], names)


def child(job: dict, port: int, closed_port: int, answer: int) -> None:
    now = watch.now = watch.Watch(job, port, closed_port, answer)
    out = now.output
    sys.stdout = sys.stderr = out
    sys.stdin = io.StringIO(job.get("stdin", ""))

    def hang(*_: object) -> None:
        for frame in sys._current_frames().values():
            out.write("".join(traceback.format_stack(frame)[-6:]))
        now.finish("hang")

    signal.signal(signal.SIGALRM, hang)
    signal.alarm(PATIENCE)
    clock.patch_random(job.get("draw", "high"))
    transports.patch_lost()
    builtins.__truth__ = now.note_function
    builtins.__truth_returned__ = now.note_returned
    builtins.__truth_level__ = probes.level_probe
    os.chdir(job["dir"])
    sys.path_hooks.insert(0, probes.loader_hook(job["dir"]))
    sys.path.insert(0, str(Path(job["dir"], job.get("path", ""))))
    error: BaseException | None = None
    try:
        run_program(job)
    except SystemExit as stop:
        now.exit = stop.code
    except BaseException as caught:
        error = caught
        traceback.print_exc(file=out)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(1)
    now.note_end(error)
    gc.collect()
    now.finish("done")


def warm(port: int) -> None:
    """Imports and builds once what every child would else import and build again."""
    watch.now = watch.Watch({}, port, 0, -1)
    import openai

    if watch.major() == 0:
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
    data, end = b"", clock.real_monotonic() + PATIENCE + 4
    while not data.endswith(b"\n"):
        ready, _, _ = select.select([read], [], [], max(0.0, end - clock.real_monotonic()))
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
    tests = str(Path(__file__).resolve().parents[1])
    sys.path[:] = [
        *paths,
        *(path for path in sys.path if path not in ("", tests)),
    ]  # the suite is none of the program's modules
    os.environ.update(
        OPENAI_API_KEY="test-key",
        OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1",
        OPENAI_API_BASE=f"http://127.0.0.1:{port}/v1",
        AZURE_OPENAI_API_KEY="test-key",
        AZURE_OPENAI_ENDPOINT=f"http://127.0.0.1:{port}",
        OPENAI_API_VERSION="2024-06-01",
        NO_PROXY="*",
    )
    transports.patch_ssl()
    import openai

    if watch.major() == 1:
        openai.api_type = os.environ["OPENAI_API_TYPE"] = "openai"

    for name in ("httpx", "httpx2"):
        with contextlib.suppress(ImportError):
            transports.patch_httpx(name)
    transports.patch_requests()
    transports.patch_aiohttp()
    transports.patch_urllib()
    if watch.major() == 1:
        transports.patch_sdk()
    warm(port)
    clock.patch_time()
    closed = reserve_port()
    say = os.fdopen(os.dup(1), "w")
    preloaded: set[str] = set()
    for line in sys.stdin:
        job = json.loads(line)
        for name in job.get("preload", []):
            if name not in preloaded:
                preloaded.add(name)
                importlib.import_module(name)
                clock.patch_time()
        say.write(json.dumps(answer_of(job, port, closed.getsockname()[1])) + "\n")
        say.flush()


if __name__ == "__main__":
    faulthandler.enable()
    main()
