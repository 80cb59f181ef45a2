"""As many requests go out at once as a collection has items.

## Why it matters

Limits count requests and tokens per minute. A gather over a thousand items sends a thousand requests within a second:
most are refused, are retried together, and are refused again. Something that lets only a few through at a time makes
the whole finish sooner.

## Bad

```py
import asyncio

from openai import AsyncOpenAI

client = AsyncOpenAI()


async def ask(question):
    return await client.responses.create(model="gpt-4.1-mini", input=question)


async def ask_all(questions):
    return await asyncio.gather(*(ask(question) for question in questions))
```

## Good

```py
import asyncio

from openai import AsyncOpenAI

client = AsyncOpenAI()
few = asyncio.Semaphore(8)


async def ask(question):
    async with few:
        return await client.responses.create(model="gpt-4.1-mini", input=question)


async def ask_all(questions):
    return await asyncio.gather(*(ask(question) for question in questions))
```

## What counts

`gather`, `as_completed`, `asyncio.wait` and task groups over a collection whose size the code does not fix at 32 or
less, be it by its keys or by cutting a text off. Silent where a semaphore, a limiter, a lock, batches or a retry is on
the way, and where a synchronous client makes the request: it blocks the loop, so that one follows the other (OAI406).
A pool is bounded by its workers: only more than 32 written as a number are reported.

## Fix

Suggestion: a semaphore around the call.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._concurrency import MOST, Burst, bursts
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each place that sends more requests at once than anybody counted."""
    dead = dead_calls(project)
    for burst in bursts(project):
        sites = tuple(site for site in burst.sites if site not in dead)
        if sites:
            release = sites[0].release
            related = tuple(
                Related(project.place(site.module, site.node.span), f"`{site.path}` is called here")
                for site in sites[:3]
            )
            yield Hit(
                project.place(burst.module, burst.node.span),
                _message(burst, sites[0].path),
                _help(burst),
                ("RateLimitError",),
                release.version,
                sites[0].path,
                related,
            )


def _message(burst: Burst, path: str) -> str:
    if burst.count is not None and burst.what != "TaskGroup" and burst.what not in ("gather", "as_completed", "wait"):
        return f"{burst.count} workers call `{path}` at once, and nothing retries it"
    many = f"`{path}` {burst.count} times" if burst.count is not None else f"`{path}` once for each item"
    return f"{burst.what} sends {many}, all at the same time: nothing keeps their number down"


def _help(burst: Burst) -> str:
    if burst.what in ("gather", "as_completed", "wait", "TaskGroup"):
        return "Let a few through at a time:\nfew = asyncio.Semaphore(8)\nasync with few:\n    ..."
    return f"Give the pool {MOST} workers or fewer, or retry what it calls."


RULE = Rule("OAI210", "unbounded-concurrency", Severity.WARNING, check, fix=Applicability.SUGGESTION)
