"""Room for deep recursion: callers of callers nest as deeply as the program that is read."""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STACK = 512 * 1024 * 1024
"""Bytes of stack; reserved, not used, until the recursion needs them."""

DEPTH = 60_000


def run_deep(work: Callable[[], T]) -> T:
    """Run ``work`` where it may nest deeply; what it raises is raised here."""
    result: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to the caller below
            errors.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size(STACK)
    sys.setrecursionlimit(max(limit, DEPTH))
    try:
        thread = threading.Thread(target=target, name="openai-lint-link")
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    if errors:
        raise errors[0]
    return result[0]
