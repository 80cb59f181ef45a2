"""How frameworks call a program: each function plays the framework's part for one request, message, task or command.

An error for which the framework has nothing but its default answer is handed to `note_end`: it got out unhandled.
Objects of the program are named as text, ``module:attribute``, and imported here.
"""

import asyncio
import contextlib
import importlib
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from . import clock, watch


def note_end(error: BaseException | None) -> None:
    """Set by the runner: tell what reached the end."""
    raise AssertionError("the runner sets this")


def _get(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _split(request: str) -> tuple[str, str]:
    method, path = request.split(" ", 1)
    return method, path


def heartbeat(place: str) -> None:
    """Await a function of the program beside a heartbeat, and note the longest time between two beats."""
    serve = _get(place)

    async def both() -> None:
        beats: list[float] = []

        async def beat() -> None:
            while True:
                beats.append(clock.real_monotonic())
                await clock.real_asyncio_sleep(0.005)

        task = asyncio.create_task(beat())
        await clock.real_asyncio_sleep(0.02)
        await serve()
        await clock.real_asyncio_sleep(0.01)
        task.cancel()
        watch.now.gap = max(later - earlier for earlier, later in pairwise(beats))

    asyncio.run(both())


def flask(place: str, request: str, **kw: Any) -> None:
    """One request by Flask's test client; what no registered handler takes is propagated."""
    app = _get(place)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    method, path = _split(request)
    response = app.test_client().open(path, method=method, **kw)
    response.get_data()


def quart(place: str, request: str, **kw: Any) -> None:
    """The same for Quart."""
    app = _get(place)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    method, path = _split(request)

    async def ask() -> None:
        response = await app.test_client().open(path, method=method, **kw)
        await response.get_data()

    asyncio.run(ask())


def starlette(place: str, request: str, **kw: Any) -> None:
    """One request to a Starlette or FastAPI application; its own default 500 page counts as unhandled."""
    from starlette.middleware.errors import ServerErrorMiddleware
    from starlette.testclient import TestClient

    default = ServerErrorMiddleware.error_response

    def noted(self: Any, req: Any, exc: Exception) -> Any:
        note_end(exc)
        return default(self, req, exc)

    ServerErrorMiddleware.error_response = noted  # type: ignore[method-assign]
    method, path = _split(request)
    with TestClient(_get(place), raise_server_exceptions=False) as client:
        client.request(method, path, **kw)


def litestar(place: str, request: str, **kw: Any) -> None:
    """One request to Litestar; its own default 500 page counts as unhandled."""
    from litestar.middleware._internal.exceptions import middleware
    from litestar.testing import TestClient

    default = middleware.create_exception_response

    def noted(request: Any, exc: Exception) -> Any:
        note_end(exc)
        return default(request, exc)

    middleware.create_exception_response = noted
    method, path = _split(request)
    with TestClient(_get(place), raise_server_exceptions=False) as client:
        client.request(method, path, **kw)


def django(urls: str, request: str, middleware: tuple[str, ...] = (), **kw: Any) -> None:
    """One request through Django's handler, with the program's middleware; the client raises what nobody takes."""
    from django import setup
    from django.conf import settings

    settings.configure(
        ROOT_URLCONF=urls,
        MIDDLEWARE=list(middleware),
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="not a secret",
        DATABASES={},
        INSTALLED_APPS=[],
    )
    setup()
    from django.test import Client

    method, path = _split(request)
    response = Client().generic(method, path, **kw)
    b"".join(response)


def celery(place: str, *args: Any, **kw: Any) -> None:
    """One task run in the worker's own way (with its retries), without a broker."""
    from celery.app import trace

    trace.get_pickleable_exception = lambda error: error  # else most of the SDK's errors come back in a wrapper
    task = _get(place)
    task.app.conf.update(task_always_eager=True, task_store_eager_result=False)
    result = task.apply(args=args, kwargs=kw)
    if isinstance(result.result, BaseException):
        note_end(result.result)


def click(place: str, *args: str) -> None:
    """A click command line."""
    _get(place).main(args=list(args), prog_name="tool", standalone_mode=True)


def typer(place: str, *args: str) -> None:
    """A typer application; typer shows a traceback for what leaves the command."""
    from typer.main import get_command

    get_command(_get(place)).main(args=list(args), prog_name="tool", standalone_mode=True)


def discord(place: str, text: str) -> None:
    """One message to a discord bot's commands. The library's own `on_command_error` only prints: unhandled."""
    from discord.ext import commands
    from discord.ext.commands.view import StringView

    async def ask() -> None:
        bot = _get(place)

        async def noted(self: Any, ctx: Any, error: Exception) -> None:
            if not self.extra_events.get("on_command_error") and not (ctx.command and ctx.command.has_error_handler()):
                note_end(getattr(error, "original", error))

        commands.Bot.on_command_error = noted  # type: ignore[method-assign]
        commands.Bot.loop = property(lambda self: asyncio.get_running_loop())  # type: ignore[assignment,method-assign]

        async def send(*args: Any, **kw: Any) -> None:
            return None

        prefix = str(bot.command_prefix)
        message = SimpleNamespace(
            content=text,
            author=SimpleNamespace(bot=False, id=1),
            guild=None,
            attachments=[],
            _state=SimpleNamespace(),
            channel=SimpleNamespace(id=1, send=send, typing=contextlib.nullcontext),
        )
        view = StringView(text)
        view.skip_string(prefix)
        name = view.get_word()
        context = commands.Context(
            message=message, bot=bot, view=view, prefix=prefix, invoked_with=name, command=bot.get_command(name)
        )  # type: ignore[arg-type]
        context.send = send  # type: ignore[method-assign,assignment]
        context.typing = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        await bot.invoke(context)
        waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for outcome in await asyncio.gather(*waiting, return_exceptions=True):
            note_end(outcome if isinstance(outcome, BaseException) else None)

    asyncio.run(ask())


def telegram(place: str, text: str) -> None:
    """One message to a python-telegram-bot application; without a registered error handler the library only logs."""
    import telegram as library
    from telegram.ext import Application

    app = _get(place)
    given = Application.process_error

    async def noted(self: Any, update: Any, error: Exception, *args: Any, **kw: Any) -> bool:
        if not self.error_handlers:
            note_end(error)
            return False
        return await given(self, update, error, *args, **kw)

    Application.process_error = noted  # type: ignore[method-assign]

    async def quiet(*args: Any, **kw: Any) -> None:
        return None

    library.Message.reply_text = quiet  # type: ignore[method-assign,assignment]
    library.Bot.send_message = quiet  # type: ignore[method-assign,assignment]
    user = library.User(1, "Ann", is_bot=False)
    message = library.Message(1, None, library.Chat(1, "private"), from_user=user, text=text)  # type: ignore[arg-type]

    async def ask() -> None:
        app._initialized = True
        app.bot._initialized = True
        await app.process_update(library.Update(1, message=message))

    asyncio.run(ask())
