"""The watch over one run: the plan by which its requests fail, and everything that is seen of it."""

import ast
import asyncio
import contextlib
import inspect
import io
import json
import os
import sys
import threading
import time
from concurrent import futures
from pathlib import Path

from .names import DOCUMENTED

#: a run that asks more often than this never stops
MAX_REQUESTS = 60
#: what a request costs on the virtual clock, in seconds, so that limits of time are reached without waiting
REQUEST_COST = 0.25
real_sleep = time.sleep
#: seconds that have passed on the virtual clock beside the real one
passed = 0.0


def major() -> int:
    """0 for the 0.x line, 1 for everything later."""
    return 0 if sys.modules["openai"].__version__.startswith("0.") else 1


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
        if file.startswith(now.folder):
            return line in except_lines(file)
    return False


def except_lines(file: str) -> set[int]:
    tree = ast.parse(Path(file).read_text())
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return {line for h in handlers if h.type for line in range(h.lineno, (h.type.end_lineno or h.lineno) + 1)}


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
        self.gap = 0.0  # the longest time for which the event loop stood still, where a heartbeat was kept
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
        global passed
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
        passed += REQUEST_COST
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
            "status": status,
            "left": sorted(set(self.left)),
            "left_function": self.left_function(),
            "lost": sorted(self.lost),
            "other": self.other,
            "exit": repr(self.exit) if self.exit is not None else None,
            "requests": self.requests,
            "calls": self.calls,
            "streams": self.streams,
            "pages": self.pages,
            "on_stack": self.on_stack,
            "gap": self.gap,
            "pending": sorted(self.pending),
            "events": list(self.events.values()),
            "output": self.output.getvalue()[-2000:],
        }


#: the watch of this process; the fork server has one too, which nobody asks
now: Watch = None  # type: ignore[assignment]
