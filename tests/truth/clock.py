"""A clock that goes on when somebody sleeps, and random draws that are the ends of their ranges."""

import asyncio
import contextlib
import random
import sys
import time
import types

from . import watch

real_time, real_monotonic, real_perf, real_sleep = time.time, time.monotonic, time.perf_counter, time.sleep
real_asyncio_sleep = asyncio.sleep

#: unbounded exponential waits would leave the calendar: seconds
LONGEST = 600.0


def owner(depth: int) -> str:
    """The top-level module of the caller: who sleeps."""
    frame = sys._getframe(depth)
    if watch.now and frame.f_code.co_filename.startswith(watch.now.folder):
        return "program"
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def slept(seconds: float, who: str) -> None:
    seconds = float(seconds)
    watch.passed += min(max(seconds, 0.0), LONGEST)
    if watch.now:
        watch.now.event("sleep", round(seconds, 4), who)


def fake_sleep(seconds: float) -> None:
    slept(seconds, owner(2))
    real_sleep(0)


async def fake_async_sleep(delay: float, result: object = None) -> object:
    slept(delay, owner(2))
    end, quiet = real_monotonic() + min(float(delay), 0.5), 0
    await real_asyncio_sleep(0)
    if len(asyncio.all_tasks()) > 1:  # other tasks get the time to come to their end
        while quiet < 3 and real_monotonic() < end:
            quiet = 0 if watch.now.in_flight else quiet + 1
            await real_asyncio_sleep(0.002)
    return result


async def fake_anyio_sleep(delay: float) -> None:
    slept(delay, owner(2))
    await real_asyncio_sleep(0)


def patch_time() -> None:
    time.sleep = fake_sleep
    time.time = lambda: real_time() + watch.passed
    time.monotonic = lambda: real_monotonic() + watch.passed
    time.perf_counter = lambda: real_perf() + watch.passed
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
    """Every random draw gives the end of its range, `high` or `low`: growth and jitter show without statistics."""
    high = draw != "low"
    random.random = lambda: 0.999 if high else 0.001
    random.uniform = lambda a, b: b if high else a
    random.randint = lambda a, b: b if high else a
    random.randrange = lambda a, b=None, step=1: (a - 1 if b is None else b - 1) if high else (0 if b is None else a)
    random.expovariate = lambda lambd=1.0: (3.0 if high else 0.1) / lambd
    random.gauss = lambda mu=0.0, sigma=1.0: mu + sigma * (1 if high else -1)
    random.betavariate = lambda a, b: 0.999 if high else 0.001
