"""The steps that make and change ``try`` statements and their clauses, as splices of the text."""

from dataclasses import replace

import libcst as cst

from openai_lint.fixing.imports import Splice
from openai_lint.fixing.layout import block, clause, clause_head, indented, leaves
from openai_lint.fixing.tree import CannotFixError, Statement, Tree
from openai_lint.rewrites import AddClauses, AddHandlers, Enclose, MoveClause, MoveIntoTry, SetTypes, WrapInTry


def _whole_lines(tree: Tree, statement: Statement) -> tuple[int, int]:
    return tree.offset(statement.first, 1), tree.offset(statement.last, len(tree.lines[statement.last - 1]) + 1)


def wrap(tree: Tree, step: WrapInTry) -> list[Splice]:
    """A try with clauses around one statement, or around several."""
    statement = tree.statement(step.span) if step.last is None else tree.at(step.span)
    if step.last is not None:
        statement = replace(statement, last=tree.at(step.last).last)
    lines = [f"{statement.indent}try:", *indented(tree, statement.first, statement.last, tree.unit)]
    for new in step.clauses:
        lines += clause(tree, new, statement.indent)
    return [Splice(*_whole_lines(tree, statement), "\n".join(lines), keeps=True)]


def enclose(tree: Tree, step: Enclose) -> list[Splice]:
    """New lines around a statement, which stands deeper then."""
    statement = tree.statement(step.span)
    if not isinstance(statement.node, cst.SimpleStatementLine):
        raise CannotFixError("the statement is a block of its own")
    deepest = step.head[-1]
    depth = (len(deepest) - len(deepest.lstrip(" "))) // 4 + 1
    head = block(tree, step.head, statement.indent)
    head += block(tree, step.lead, statement.indent + tree.unit * depth)
    body = indented(tree, statement.first, statement.last, tree.unit * depth)
    follow = [] if leaves(tree, statement) else block(tree, step.follow, statement.indent + tree.unit * depth)
    tail = block(tree, step.tail, statement.indent)
    return [Splice(*_whole_lines(tree, statement), "\n".join([*head, *body, *follow, *tail]), keeps=True)]


def add_clauses(tree: Tree, step: AddClauses) -> list[Splice]:
    """Clauses before or behind one that is there."""
    node, number = tree.handler(step.header)
    placed = tree.placed(node)
    word = "except*" if isinstance(node, cst.TryStar) else "except"
    lines = [line for new in step.clauses for line in clause(tree, new, placed.indent, word)]
    if step.before:
        at = tree.offset(_clause_line(tree, node, number), 1)
        return [Splice(at, at, "\n".join(lines) + "\n")]
    last = _clause_end(tree, node, number)
    at = tree.offset(last, len(tree.lines[last - 1]) + 1)
    return [Splice(at, at, "\n" + "\n".join(lines))]


def _clause_line(tree: Tree, node: cst.Try | cst.TryStar, number: int) -> int:
    """The line of a clause, without the comments above it."""
    first, column = tree.span(node.handlers[number])[:2]
    if tree.lines[first - 1][: column - 1].strip():
        raise CannotFixError("the clause shares its line with another one")
    return first


def _clause_end(tree: Tree, node: cst.Try | cst.TryStar, number: int) -> int:
    handler = node.handlers[number]
    last = tree.span(handler)[2]
    indent = len(tree.lines[tree.span(handler)[0] - 1]) - len(tree.lines[tree.span(handler)[0] - 1].lstrip())
    for below in range(last + 1, len(tree.lines) + 1):
        line = tree.lines[below - 1]
        if not line.strip():
            break
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= indent:
            break
        last = below
    return last


def add_handlers(tree: Tree, step: AddHandlers) -> list[Splice]:
    """The first clauses of a try."""
    node = next(
        (node for node in tree.path(step.span) if isinstance(node, cst.Try) and tree.span(node)[:2] == step.span[:2]),
        None,
    )
    if node is None or node.handlers or node.finalbody is None:
        raise CannotFixError("the try is not found again, or has clauses")
    placed = tree.placed(node)
    first, column = tree.span(node.finalbody)[:2]
    if tree.lines[first - 1][: column - 1] != placed.indent:
        raise CannotFixError("the finally shares its line with another statement")
    while tree.lines[first - 2].startswith(f"{placed.indent}#"):
        first -= 1  # what is said of the finally stays with it
    at = tree.offset(first, 1)
    lines = [line for new in step.clauses for line in clause(tree, new, placed.indent)]
    return [Splice(at, at, "".join(f"{line}\n" for line in lines))]


def set_types(tree: Tree, step: SetTypes) -> list[Splice]:
    """Other types in a clause."""
    node, number = tree.handler(step.header)
    handler = node.handlers[number]
    first = _clause_line(tree, node, number)
    if isinstance(node, cst.TryStar):
        raise CannotFixError("an except* clause")
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else None
    line = tree.lines[first - 1]
    indent = line[: len(line) - len(line.lstrip())]
    start = tree.offset(first, 1)
    if handler.type is None:
        end = tree.offset(first, len(indent) + len("except") + 1)
        colon = tree.text.index(":", end)
    else:
        colon = tree.text.index(":", tree.bounds(handler.name.name if handler.name is not None else handler.type)[1])
    if "#" in tree.text[start:colon]:
        raise CannotFixError("there are comments in the clause")
    return [Splice(start, colon + 1, "\n".join(clause_head(tree, step.types, name, indent)))]


def move_clause(tree: Tree, step: MoveClause) -> list[Splice]:
    """A clause in front of another one."""
    node, number = tree.handler(step.header)
    other, target = tree.handler(step.before)
    if other is not node or target >= number:
        raise CannotFixError("the clauses do not belong together")
    tree.placed(node)
    first, last = _clause_line(tree, node, number), _clause_end(tree, node, number)
    end = tree.offset(last, len(tree.lines[last - 1]) + 1)
    start = tree.offset(first, 1)
    if end < len(tree.text):
        text, cut = tree.text[start : end + 1], Splice(start, end + 1, "")
    else:
        text, cut = tree.text[start:end] + "\n", Splice(start - 1, end, "")
    at = tree.offset(_clause_line(tree, node, target), 1)
    return [Splice(at, at, text), cut]


def move_into_try(tree: Tree, step: MoveIntoTry) -> list[Splice]:
    """Moves what follows a try to the end of its body."""
    node, number = tree.handler(step.header)
    del number
    placed = tree.placed(node)
    if node.orelse is not None or node.finalbody is not None:
        raise CannotFixError("the try has an else or finally")
    body = node.body
    if not isinstance(body, cst.IndentedBlock):
        raise CannotFixError("the body of the try stands on its line")
    block_of = tree.siblings(node, tree.span(node))
    index = block_of.index(node)
    target = tree.path(step.span)
    end = next((place for place, one in enumerate(block_of) if one in target), None)
    if end is None or end <= index:
        raise CannotFixError("it does not follow the try in the same block")
    moved = block_of[index + 1 : end + 1]
    first = placed.last + 1
    last = tree.end_line(moved[-1])
    lines = indented(tree, first, last, tree.unit)
    while lines and not lines[0].strip():
        lines.pop(0)
    body_end = _body_end(tree, node)
    start = tree.offset(body_end + 1, 1)
    stop = tree.offset(last, len(tree.lines[last - 1]) + 1)
    clauses = tree.lines[body_end : placed.last]
    return [Splice(start, stop, "\n".join([*lines, *clauses]), keeps=True)]


def _body_end(tree: Tree, node: cst.Try | cst.TryStar) -> int:
    """The line above the first clause's own line."""
    first = tree.span(node.handlers[0])[0]
    return first - 1
