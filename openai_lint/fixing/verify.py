"""What must hold of every fixed text: it is Python, and the statements outside of the edits are the same as before."""

import ast
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import cast

from openai_lint.fixing.imports import Splice
from openai_lint.fixing.tree import CannotFixError

_Said = tuple[tuple[int, ...], str]
"""Where a statement and the blocks around it begin, and what it says."""


def spliced(text: str, edits: Sequence[Splice]) -> str:
    """The text with the splices, which do not overlap, in place."""
    out: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        out += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*out, text[at:]])


def check(before: str, after: str, edits: Sequence[Splice]) -> None:
    """Raises CannotFixError unless ``after``, made by ``edits``, is sound."""
    old, new = _parsed(before, "the file"), _parsed(after, "the result")
    ordered = sorted(edits, key=lambda one: (one.start, one.end))
    moved = _Shift(ordered)
    regions = [(moved.new_start(index), moved.new_start(index) + len(edit.text)) for index, edit in enumerate(ordered)]
    kept = _outside(old, before, [(edit.start, edit.end) for edit in ordered])
    there = _outside(new, after, regions)
    if Counter((tuple(map(moved, places)), said) for places, said in kept) != Counter(there):
        raise CannotFixError("other statements would change")
    for index, edit in enumerate(ordered):
        if edit.keeps:
            inside = _within(old, before, edit.start, edit.end)
            result = _within(new, after, *regions[index])
            if inside - result:
                raise CannotFixError("the statement itself would change")


def _parsed(text: str, what: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = compile(text, "", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CannotFixError(f"{what} is not what this Python can parse ({error})") from error
    return cast(ast.Module, tree)


class _Shift:
    """Offsets of the old text to those of the new one."""

    def __init__(self, edits: Sequence[Splice]) -> None:
        self._ends = [edit.end for edit in edits]
        self._sums = [0]
        self._starts = [edit.start for edit in edits]
        for edit in edits:
            self._sums.append(self._sums[-1] + len(edit.text) - (edit.end - edit.start))

    def __call__(self, offset: int) -> int:
        return offset + self._sums[bisect_right(self._ends, offset)]

    def new_start(self, index: int) -> int:
        return self._starts[index] + self._sums[index]


def _offsets(text: str) -> tuple[list[int], list[str]]:
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts, lines


def _statements(tree: ast.Module, text: str) -> list[tuple[ast.stmt, int, int, tuple[int, ...]]]:
    """Every statement with its bounds and where the blocks around it begin."""
    starts, lines = _offsets(text)

    def offset(line: int, column: int) -> int:
        row = lines[line - 1]
        return starts[line - 1] + (column if row.isascii() else len(row.encode()[:column].decode("utf-8", "replace")))

    found: list[tuple[ast.stmt, int, int, tuple[int, ...]]] = []
    stack: list[tuple[ast.AST, tuple[int, ...]]] = [(tree, ())]
    while stack:
        node, above = stack.pop()
        for child in ast.iter_child_nodes(node):
            inner = above
            if isinstance(child, ast.stmt):
                start = offset(child.lineno, child.col_offset)
                end = offset(child.end_lineno or child.lineno, child.end_col_offset or 0)
                found.append((child, start, end, above))
                inner = (*above, start)
            stack.append((child, inner))
    return found


def _outside(tree: ast.Module, text: str, regions: Sequence[tuple[int, int]]) -> list[_Said]:
    """The statements that touch no region; of one with a block its head counts, without decorators."""
    found = []
    statements = _statements(tree, text)
    heads: dict[int, list[int]] = {}
    for _, start, _, above in statements:
        if above:
            heads.setdefault(above[-1], []).append(start)
    for node, start, end, above in statements:
        stop = min(heads.get(start, (end,)))
        if any(start < last and first < stop if last > first else start < first < stop for first, last in regions):
            continue
        found.append(((*above, start), _head(node)))
    return found


def _head(node: ast.stmt) -> str:
    fields = {
        name: value
        for name, value in ast.iter_fields(node)
        if name not in ("decorator_list", "handlers", "cases")
        and not (isinstance(value, list) and value and isinstance(value[0], ast.stmt))
    }
    if not hasattr(node, "body"):
        return ast.dump(node)
    shown = {
        name: [ast.dump(item) if isinstance(item, ast.AST) else item for item in value]
        if isinstance(value, list)
        else ast.dump(value)
        if isinstance(value, ast.AST)
        else value
        for name, value in fields.items()
    }
    return f"{type(node).__name__} {shown}"


def _within(tree: ast.Module, text: str, start: int, end: int) -> Counter[str]:
    """The statements inside of bounds that hold no others."""
    return Counter(
        ast.dump(node)
        for node, first, last, _ in _statements(tree, text)
        if start <= first and last <= end and not hasattr(node, "body")
    )
