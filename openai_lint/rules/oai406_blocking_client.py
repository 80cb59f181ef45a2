"""The synchronous client is called while an `async def` runs.

## Why it matters

An answer takes seconds. Until it is there nothing else runs on this event loop: no other request of the server is
answered, no timer fires, no connection is kept alive, and during the SDK's retries that can be minutes.

## Bad

```py
from openai import OpenAI

client = OpenAI()


async def answer(question: str) -> str:
    return client.responses.create(model="gpt-5", input=question).output_text
```

## Good

```py
from openai import AsyncOpenAI

client = AsyncOpenAI()


async def answer(question: str) -> str:
    response = await client.responses.create(model="gpt-5", input=question)
    return response.output_text
```

## What counts

The call goes out in an `async def`, or in an ordinary function that one calls, through any number of steps and files.
Making an object counts where its `__init__` sends the request whatever it is given.
Raw requests to OpenAI with `requests`, `httpx` (without `AsyncClient`) and `urllib` count as well. What runs in a
thread or a pool (`asyncio.to_thread`, `run_in_executor`, `run_in_threadpool`, ordinary functions that a framework runs)
blocks nothing.

## Fix

None. Use the asynchronous client, or move the call into a thread.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.link.http import HttpRequest
from openai_lint.link.library import dotted
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._blocking import Blocked, blocked

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """Every request that blocks an event loop."""
    for found in blocked(project):
        name = found.call.call if isinstance(found.call, HttpRequest) else found.call.site.path
        way = "in" if not found.steps else "on the way of"
        yield Hit(
            project.place(found.module, found.node.span),
            f"{name} blocks the event loop: it is synchronous, {way} `async def {found.function.name}`",
            _advice(found),
            call=name,
            related=tuple(
                Related(project.place(use.module, use.node.span), _says(index, found))
                for index, use in enumerate(found.steps)
            ),
        )


def _says(index: int, found: Blocked) -> str:
    last = index == len(found.steps) - 1
    return f"called here, in async def {found.function.name}" if last else "called here"


def _advice(found: Blocked) -> str:
    if found.steps:
        called = found.steps[-1].call
        name = (dotted(called.func) if called is not None else "") or "the function"
        return f"Run it in a thread: `await asyncio.to_thread({name}, ...)`; or make it asynchronous all the way down."
    if isinstance(found.call, HttpRequest):
        return "Await it with `httpx.AsyncClient` or `aiohttp`, or run it in a thread: `await asyncio.to_thread(...)`."
    path = found.call.site.path
    if found.call.site.era == 0:
        owner, _, method = path.rpartition(".")
        return f"Await its asynchronous form: `await openai.{owner}.a{method}(...)`."
    client = found.call.client
    name = client.name if client is not None and client.name in ("OpenAI", "AzureOpenAI", "BedrockOpenAI") else "OpenAI"
    return f"Make the client with `Async{name}` and await the call: `await client.{path}(...)`."


RULE = Rule("OAI406", "blocking-client", Severity.WARNING, check, fix=Applicability.SUGGESTION)
