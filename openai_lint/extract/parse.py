"""Text to libcst tree, without ever raising, overflowing or ending the process."""

import ast
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import libcst as cst

from openai_lint.extract.depth import SHALLOW, Depth
from openai_lint.facts import Unreadable

T = TypeVar("T")

_STACK = 256 * 1024 * 1024  # bytes; reserved, and touched only as far as the nesting goes
_FRAMES = 6  # Python frames that one level of nesting costs, at most
_one_at_a_time = threading.Lock()  # the stack size and the recursion limit belong to the whole process

_LIBCST_PLACE = re.compile(r"error at (\d+):(\d+)")
_PYTHON_2 = re.compile(
    r"""^\s*(?:print\s+[^\s=(]|print\s*$|print\s*>>|exec\s+["'\w]|raise\s+\w+\s*,|except\s+[\w.]+\s*,\s*\w+\s*:)"""
    r"""|`|<>|\b0\d+\b|\b\d+[lL]\b|\bur["']"""
)


def with_stack_for(depth: Depth, work: Callable[[], T]) -> T:
    """Runs ``work`` where there is stack for a source of that depth: right here, or in a thread of its own."""
    if depth.depth <= SHALLOW and depth.strings <= SHALLOW:
        return work()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again below, in the calling thread
            errors.append(error)

    with _one_at_a_time:
        limit = sys.getrecursionlimit()
        size = threading.stack_size(_STACK)
        try:
            sys.setrecursionlimit(max(limit, _FRAMES * depth.depth + 1_000))
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        finally:
            threading.stack_size(size)
            sys.setrecursionlimit(limit)
    if errors:
        raise errors[0]
    return results[0]


def parse(path: str, text: str) -> cst.Module | Unreadable:
    """The tree of ``text``, which must not be too deep for the stack; or what is wrong with it, and where."""
    try:
        with _unvalidated():
            return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        return _syntax_error(path, text, error)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        reason = "half of a surrogate pair, which no encoding can hold; save the file as UTF-8"
        return Unreadable(path, reason, line, error.start - text.rfind("\n", 0, error.start))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001  # native code panics with a BaseException of its own
        reason = f"the parser failed ({type(error).__name__}: {str(error)[:80]}); exclude the file"
        return Unreadable(path, reason, 1, 1)


@contextmanager
def _unvalidated() -> Iterator[None]:
    """Keeps libcst from validating each node as it is made: the parser makes none that would not pass, and the checks
    cost a quarter of the parsing. Nodes that are put together by hand are validated as ever.
    """
    validate = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = _accept  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        cst.CSTNode.__post_init__ = validate  # type: ignore[method-assign]


def _accept(node: cst.CSTNode) -> None:
    del node


def parse_expression(code: str) -> cst.BaseExpression | None:
    """The tree of one expression, which must not be deep; None if ``code`` is none."""
    try:
        return cst.parse_expression(code)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  # as above
        return None


def _syntax_error(path: str, text: str, error: cst.ParserSyntaxError) -> Unreadable:
    """CPython's parser explains errors far better; libcst's word is kept where this Python accepts the source."""
    place = _LIBCST_PLACE.search(error.message)
    line, column = (int(place[1]), int(place[2])) if place else (error.raw_line, error.raw_column)
    what = error.message.partition(":")[2].partition(", ")[0].strip()
    what = "invalid syntax" if "expected one of" in what or not what else what
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        what += " to libcst, which reads the sources here, though Python accepts it"
    except SyntaxError as diagnosis:
        if diagnosis.lineno:
            line, column, what = diagnosis.lineno, diagnosis.offset or 1, diagnosis.msg
    except (ValueError, RecursionError, MemoryError, OverflowError):
        pass
    lines = text.split("\n")
    line = min(max(line, 1), len(lines))
    column = min(max(column, 1), len(lines[line - 1]) + 1)
    nearby = lines[max(line - 2, 0) : line + 1]
    if any(_PYTHON_2.search(candidate) for candidate in nearby):
        return Unreadable(path, f"{what}: this looks like Python 2; port the file or exclude it", line, column)
    return Unreadable(path, f"{what}; mend the file or exclude it", line, column)
