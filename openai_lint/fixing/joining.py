"""One ``try`` in place of several with the same clauses, where they would stand close together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import libcst as cst

from openai_lint.fixing.tree import CannotFixError, Tree
from openai_lint.rewrites import NewClause, Rewrite, WrapInTry

_BETWEEN = 3
"""So many statements may stand between two that are wrapped, and come into the try with them."""
_TALLEST = 40
_TALLEST_OF_RETRIES = 20
"""So many lines a try for several may have, where each gets only handled, or a loop of its own as well."""

_Stmt: TypeAlias = cst.SimpleStatementLine | cst.BaseCompoundStatement
_Block: TypeAlias = cst.IndentedBlock | cst.Module
_BORDERS = (cst.FunctionDef, cst.ClassDef, cst.Try, cst.TryStar, cst.Match)
"""What runs at another time, or may have a say in what the errors become."""
_LOOPS = (cst.For, cst.While)
_YIELD = re.compile(r"\byield\b")
"""Where others may throw in errors of their own."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What one try may wrap for some rewrites: the statements from ``first`` to ``last`` of the first of ``blocks``.

    The other blocks stand around that, each with the statement that leads to it.
    """

    rewrites: tuple[Rewrite, ...]
    clauses: tuple[NewClause, ...]
    first: _Stmt
    last: _Stmt
    blocks: tuple[tuple[_Block, _Stmt], ...]


def joined(tree: Tree, rewrites: Iterable[Rewrite], borders: Sequence[int]) -> dict[Rewrite, Rewrite]:
    """The rewrites that wrap statements in a ``try`` of the same clauses, each with the one that wraps all of them.

    Every clause leaves, so that it is the same whether more or less stands in the try. ``borders`` are the lines at
    which another cell begins.
    """
    alike: dict[object, list[_Row]] = {}
    for rewrite in dict.fromkeys(rewrites):
        plain = rewrite.together or rewrite
        step = plain.steps[0]
        if isinstance(step, WrapInTry) and step.last is None:
            try:
                node = tree.statement(step.span).node
            except CannotFixError:
                continue
            goes_on = any(clause.body[-1] == "continue" for clause in step.clauses)
            row = _Row((rewrite,), step.clauses, node, node, _blocks(tree, node, goes_on))
            alike.setdefault((step.clauses, plain.steps[1:], plain.safe), []).append(row)
    made: dict[Rewrite, Rewrite] = {}
    for found in alike.values():
        for row in _rows(tree, sorted(found, key=lambda one: tree.span(one.first)), borders):
            if len(row.rewrites) > 1:
                made |= dict.fromkeys(row.rewrites, _whole(tree, row))
    return made


def _whole(tree: Tree, row: _Row) -> Rewrite:
    plain = [rewrite.together or rewrite for rewrite in row.rewrites]
    one = plain[0]
    step = WrapInTry(tree.span(row.first), row.clauses, tree.span(row.last))
    needs = sorted({need for rewrite in plain for need in rewrite.needs})
    message = "wrap the statements in a try with the documented errors"
    return replace(one, message=message, steps=(step, *one.steps[1:]), needs=tuple(needs))


def _blocks(tree: Tree, node: _Stmt, goes_on: bool) -> tuple[tuple[_Block, _Stmt], ...]:
    """The blocks around a statement, from which errors leave in the same way."""
    path = tree.path(tree.span(node))
    found: list[tuple[_Block, _Stmt]] = []
    for parent in reversed(path[: path.index(node)]):
        if isinstance(parent, (cst.IndentedBlock, cst.Module)):
            found.append((parent, node))
        elif isinstance(parent, _BORDERS) or (goes_on and isinstance(parent, _LOOPS)):
            break
        elif isinstance(parent, cst.BaseCompoundStatement):
            node = parent
    return tuple(found)


def _rows(tree: Tree, found: Sequence[_Row], borders: Sequence[int]) -> list[_Row]:
    """The rows, and those that stand close together as one."""
    rows: list[_Row] = []
    for row in found:
        whole = _together(rows[-1], row) if rows else None
        if whole is not None:
            first, last = tree.span(whole.first)[0], tree.span(whole.last)[2]
            text = tree.text[tree.bounds(whole.first)[0] : tree.bounds(whole.last)[1]]
            cut = any(first < line <= last for line in borders) or _YIELD.search(text) is not None
            tallest = _TALLEST_OF_RETRIES if row.rewrites[0].together else _TALLEST
            if last - first < tallest and not cut:
                rows[-1] = whole
                continue
        rows.append(row)
    return rows


def _together(left: _Row, right: _Row) -> _Row | None:
    """Two rows as one, in the innermost block that holds both."""
    leading = dict(right.blocks)
    for depth, (block, node) in enumerate(left.blocks):
        if block in leading:
            first, last = (left.first, left.last) if depth == 0 else (node, node)
            body = list(block.body)
            start, end = body.index(last), body.index(leading[block])
            between = body[start + 1 : end]
            if len(between) > _BETWEEN or any(isinstance(one, _BORDERS) for one in between):
                return None
            return replace(
                left,
                rewrites=(*left.rewrites, *right.rewrites),
                first=first,
                last=leading[block],
                blocks=left.blocks[depth:],
            )
    return None
