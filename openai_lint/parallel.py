"""Facts of many files at once: child processes read a share of them each, and hand the facts back through a pipe."""

import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_lint.facts import ModuleFacts, Unreadable

    Extract = Callable[[str, bytes], ModuleFacts | Unreadable]
    Found = dict[str, ModuleFacts | Unreadable]

OWN_THREADS = 2
"""The main thread, and the one in which a project is linked."""

WORTH_A_CHILD = 150_000
"""Bytes of source that take longer to read than a child takes to start and to hand back its facts."""


def workers(jobs: int, size: int) -> int:
    """How many processes read ``size`` bytes of source: ``jobs`` at most, 0 for one on each core that may be used."""
    # A process forked on macOS may not use the system's own libraries; elsewhere there is no fork at all. Of a program
    # with threads of its own, a child could inherit a lock that nobody ever opens.
    if not hasattr(os, "fork") or sys.platform == "darwin" or threading.active_count() > OWN_THREADS:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(jobs or cores, size // WORTH_A_CHILD))


def extracted(sources: Sequence[tuple[str, bytes]], extract: "Extract", jobs: int) -> "Found":
    """The facts of every source, a pair of path and bytes. What a child fails to hand back is read here."""
    count = workers(jobs, sum(len(data) for _, data in sources))
    shares = _shares(sources, count)
    children = []
    for share in shares[1:]:
        with suppress(OSError):  # no more processes or descriptors: the share is read here
            children.append(_start(share, extract))
    found: Found = {path: extract(path, data) for path, data in shares[0]}
    for pipe, child in children:
        found.update(_collect(pipe, child))
    return found | {path: extract(path, data) for path, data in sources if path not in found}


def _shares(sources: Sequence[tuple[str, bytes]], count: int) -> list[list[tuple[str, bytes]]]:
    """As many shares of about the same number of bytes."""
    shares: list[list[tuple[str, bytes]]] = [[] for _ in range(count)]
    sizes = [0] * count
    for path, data in sorted(sources, key=lambda source: len(source[1]), reverse=True):
        smallest = sizes.index(min(sizes))
        shares[smallest].append((path, data))
        sizes[smallest] += len(data)
    return shares


def _start(share: Sequence[tuple[str, bytes]], extract: "Extract") -> tuple[int, int]:
    receiver, sender = os.pipe()
    with warnings.catch_warnings():
        # The thread that waits for this one holds no lock that a child could need.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        os.close(sender)
        return receiver, child
    status = 1
    try:
        os.close(receiver)
        found = {path: extract(path, data) for path, data in share}
        with os.fdopen(sender, "wb") as out:
            pickle.dump(found, out, pickle.HIGHEST_PROTOCOL)
        status = 0
    finally:
        os._exit(status)  # no handler, buffer or thread of the parent may run twice


def _collect(pipe: int, child: int) -> "Found":
    with os.fdopen(pipe, "rb") as received:
        data = received.read()
    _, status = os.waitpid(child, 0)
    # Only what this very program has written into its own pipe is unpickled, and only if it came to its end.
    return pickle.loads(data) if status == 0 else {}  # noqa: S301
