"""Which calls of Python and its libraries run what they are given: at once, later, in a loop, in a thread, as data."""

AWAITERS = frozenset(
    {
        "asyncio.run",
        "asyncio.get_event_loop().run_until_complete",
        "asyncio.new_event_loop().run_until_complete",
        "asyncio.get_running_loop().run_until_complete",
        "anyio.run",
        "trio.run",
        "uvloop.run",
    }
)
"""Functions that run a coroutine to its end."""

ASKING_METHODS = frozenset({"result", "get", "join", "wait", "__await__", "send", "throw", "__next__", "__anext__"})
"""Methods of tasks, futures, coroutines and iterators that have them run, and raise what they raise."""

AWAITING_METHODS = frozenset({"run_until_complete", "run_coroutine_threadsafe", "run_sync", "run_async"})

TASK_MAKERS = frozenset({"create_task", "ensure_future", "start_soon", "spawn", "run_coroutine_threadsafe"})
"""Last names of calls that start a coroutine in the background."""

GATHERERS = frozenset({"gather", "gather_with_concurrency", "as_completed", "amap"})

LAZY_CALLS = frozenset({"map", "itertools.starmap"})
"""Functions that call their first argument with the items of the others, while what they give is iterated."""

CALLS_NOW: dict[str, int] = {
    "filter": 0,
    "functools.reduce": 0,
    "copyreg.pickle": 0,
    "timeit.timeit": 0,
}
"""Functions that call the argument at this position at once, or while they are iterated."""

CALLING_METHODS = frozenset(
    {
        "apply",
        "map",
        "starmap",
        "imap",
        "imap_unordered",
        "progress_apply",
        "parallel_apply",
        "applymap",
        "progress_map",
        "filter",
        "thread_map",
        "process_map",
        "flat_map",
        "transform",
        "pipe",
        "call_with_retry",
        "run_with_retry",
        "with_retry",
    }
)
"""Methods that, on whatever they are called, call the function they are given before they return."""

AWAITED_CALLS: dict[str, int] = {
    "asyncio.to_thread": 0,
    "anyio.to_thread.run_sync": 0,
    "starlette.concurrency.run_in_threadpool": 0,
    "fastapi.concurrency.run_in_threadpool": 0,
    "trio.to_thread.run_sync": 0,
    "run_in_executor": 1,
    "run_in_threadpool": 0,
    "to_thread": 0,
}
"""Calls that run the callable at this position when awaited."""

THREADS = frozenset(
    {"threading.Thread", "threading.Timer", "multiprocessing.Process", "multiprocessing.context.Process"}
)
"""Classes whose target runs where nobody catches."""

RUN_ELSEWHERE = {
    "threading.Thread.start": "run",
    "threading.Timer.start": "run",
    "multiprocessing.Process.start": "run",
    "multiprocessing.context.Process.start": "run",
}
"""Methods of library classes that run another method of the object where nobody catches."""

WAITERS = frozenset({"asyncio.wait", "concurrent.futures.wait", "asyncio.tasks.wait"})
"""Functions that wait for tasks or futures and give them back, done or not."""
