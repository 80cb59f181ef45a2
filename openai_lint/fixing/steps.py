"""Each step of a rewrite as splices of the text: small ones, so that every other byte stays as it is."""

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from openai_lint.facts import Span
from openai_lint.fixing.imports import Splice
from openai_lint.fixing.layout import block, clause, clause_head, fold, indented, is_group, leaves
from openai_lint.fixing.tree import CannotFixError, Statement, Tree
from openai_lint.rewrites import (
    AddClauses,
    AddHandlers,
    CountLoop,
    Decorate,
    Enclose,
    Extract,
    InsertAfter,
    InsertBefore,
    MoveClause,
    MoveIntoTry,
    RemoveArguments,
    RemoveStatement,
    RenameArgument,
    Replace,
    SetKeywords,
    SetTypes,
    Step,
    WrapInTry,
)


def splices(tree: Tree, step: Step) -> list[Splice]:
    """The splices of one step. Raises CannotFixError where it cannot be done with care."""
    return _STEPS[type(step)](tree, step)


def line_of(step: Step) -> int:
    """The first line that a step touches: what it needs must be imported above."""
    span: Span | None = getattr(step, "span", None) or getattr(step, "header", None)
    return span[0] if span is not None else 1


def _replace(tree: Tree, step: Replace) -> list[Splice]:
    first, column, last, end = step.span
    start, stop = tree.offset(first, column), tree.offset(last, end)
    found = [node for node in tree.path(step.span)[1:] if tree.span(node) == step.span]
    if not found:
        raise CannotFixError("the expression is not found again")
    if "#" in tree.code[start:stop] and "\n" in tree.code[start:stop]:
        raise CannotFixError("there are comments in what would be replaced")
    text = step.text
    if getattr(found[-1], "lpar", ()) and is_group(text):
        text = text[1:-1]  # the brackets are there
    return _fitted(tree, step.span, [Splice(start, stop, text)])


def _fitted(tree: Tree, span: Span, made: list[Splice]) -> list[Splice]:
    """The splices, or the whole call folded where its line would be too long with them."""
    line = tree.lines[span[0] - 1]
    calls = [
        node
        for node in tree.path(span)
        if isinstance(node, cst.Call)
        and tree.span(node)[0] == tree.span(node)[2] == span[0]
        and all(tree.bounds(node.func)[1] <= one.start for one in made)
    ]
    if any("\n" in one.text for one in made):
        return made
    if not calls:
        indent = line[: len(line) - len(line.lstrip())]
        width = len(line) + sum(len(one.text) - (one.end - one.start) for one in made)
        if width <= tree.limit or len(made) != 1 or len(made[0].text) < _LONG:
            return made
        return [Splice(made[0].start, made[0].end, fold(tree, made[0].text, indent))]
    start, end = tree.bounds(calls[0])
    old = tree.text[start:end]
    at, parts = start, []
    for one in sorted(made, key=lambda one: one.start):
        parts += [tree.text[at : one.start], one.text]
        at = one.end
    new = "".join([*parts, tree.text[at:end]])
    behind = tree.text[end : tree.offset(span[0], len(line) + 1)].partition("  #")[0].rstrip()
    if tree.place(start)[1] - 1 + len(new) + len(behind) <= tree.limit or len(new) <= len(old):
        return made
    indent = line[: len(line) - len(line.lstrip())]
    return [Splice(start, end, fold(tree, new, indent))]


_LONG = 60
"""What is shorter is not worth lines of its own."""


def _whole_lines(tree: Tree, statement: Statement) -> tuple[int, int]:
    return tree.offset(statement.first, 1), tree.offset(statement.last, len(tree.lines[statement.last - 1]) + 1)


def _wrap(tree: Tree, step: WrapInTry) -> list[Splice]:
    statement = tree.statement(step.span)
    lines = [f"{statement.indent}try:", *indented(tree, statement.first, statement.last, tree.unit)]
    for new in step.clauses:
        lines += clause(tree, new, statement.indent)
    return [Splice(*_whole_lines(tree, statement), "\n".join(lines), keeps=True)]


def _enclose(tree: Tree, step: Enclose) -> list[Splice]:
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


def _add_clauses(tree: Tree, step: AddClauses) -> list[Splice]:
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


def _add_handlers(tree: Tree, step: AddHandlers) -> list[Splice]:
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


def _set_types(tree: Tree, step: SetTypes) -> list[Splice]:
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


def _move_clause(tree: Tree, step: MoveClause) -> list[Splice]:
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


def _move_into_try(tree: Tree, step: MoveIntoTry) -> list[Splice]:
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


# --- calls


def _set_keywords(tree: Tree, step: SetKeywords) -> list[Splice]:
    call = tree.call(step.span)
    given = {arg.keyword.value: arg.value for arg in call.args if arg.keyword is not None}
    made = [Splice(*tree.bounds(given[name]), value) for name, value in step.items if name in given]
    spaced = [arg for arg in call.args if arg.keyword is not None and " = " in tree.written(arg)]
    equal = " = " if spaced and len(spaced) == len(given) else "="
    new = [f"{name}{equal}{value}" for name, value in step.items if name not in given]
    if step.without and len(step.without) == len(call.args):
        (cleared,) = _removed(tree, call, step.without)
        return _fitted(tree, step.span, [Splice(cleared.start, cleared.end, ", ".join(new))])
    made += _removed(tree, call, step.without) if step.without else []
    return _fitted(tree, step.span, [*made, *_appended(tree, call, new)] if new else made)


def _appended(tree: Tree, call: cst.Call, new: list[str]) -> list[Splice]:
    """More arguments behind those of a call, each on its own line if theirs are."""
    close = tree.bounds(call)[1] - 1
    if not call.args:
        if tree.text[tree.bounds(call.func)[1] : close].strip("() \n\t"):
            raise CannotFixError("there are comments in the call")
        return [Splice(close, close, ", ".join(new))]
    last = call.args[-1]
    if len(call.args) == 1 and isinstance(last.value, cst.GeneratorExp):
        raise CannotFixError("the only argument is a generator expression")
    end = tree.bounds(last)[1]
    comma = tree.text.find(",", end, close) if isinstance(last.comma, cst.Comma) else -1
    line, column, last_line, _ = tree.span(last)
    row = tree.lines[line - 1]
    if not row[: column - 1].strip() and (comma >= 0 or tree.place(close)[0] > last_line):
        indent = row[: column - 1]
        rows = ",\n".join(indent + text for text in new)
        if comma >= 0:
            return [Splice(comma + 1, comma + 1, f"\n{rows},")]
        return [Splice(end, end, f",\n{rows}")]
    if comma >= 0:
        return [Splice(comma + 1, comma + 1, " " + ", ".join(new))]
    return [Splice(end, end, "".join(f", {text}" for text in new))]


def _argument(tree: Tree, call: cst.Call, value: Span) -> int:
    for index, arg in enumerate(call.args):
        if tree.span(arg.value) == value:
            return index
    raise CannotFixError("the argument is not found again")


def _remove_arguments(tree: Tree, step: RemoveArguments) -> list[Splice]:
    return _removed(tree, tree.call(step.span), step.values)


def _removed(tree: Tree, call: cst.Call, values: Sequence[Span]) -> list[Splice]:
    args = call.args
    gone = sorted(_argument(tree, call, value) for value in values)
    kept = [index for index in range(len(args)) if index not in gone]
    made: list[Splice] = []
    if not kept:
        opening = tree.text.rindex("(", 0, tree.bounds(args[0])[0])
        made.append(Splice(opening + 1, tree.bounds(call)[1] - 1, ""))
    else:
        for index in gone:
            if index < kept[0]:
                made.append(Splice(tree.bounds(args[index])[0], tree.bounds(args[index + 1])[0], ""))
            else:  # with the comma in front of it; one behind the last argument stays
                made.append(Splice(tree.bounds(args[index - 1])[1], tree.bounds(args[index])[1], ""))
    for one in made:
        if "#" in tree.code[one.start : one.end] and "\n" in tree.code[one.start : one.end]:
            raise CannotFixError("there are comments between the arguments")
    return made


def _rename_argument(tree: Tree, step: RenameArgument) -> list[Splice]:
    call = tree.call(step.span)
    arg = call.args[_argument(tree, call, step.value)]
    if any(other.keyword is not None and other.keyword.value == step.name for other in call.args):
        raise CannotFixError(f"{step.name} is given already")
    if arg.keyword is None:
        start = tree.bounds(arg)[0]
        return [Splice(start, start, f"{step.name}=")]
    return [Splice(*tree.bounds(arg.keyword), step.name)]


# --- statements


def _decorate(tree: Tree, step: Decorate) -> list[Splice]:
    node = tree.function(step.span)
    line, column = _def_place(tree, node)
    indent = tree.lines[line - 1][: column - 1]
    if indent.strip():
        raise CannotFixError("the function shares its line with another statement")
    at = tree.offset(line, 1)
    return [Splice(at, at, "\n".join(block(tree, step.lines, indent)) + "\n")]


def _def_place(tree: Tree, node: cst.FunctionDef) -> tuple[int, int]:
    """Where ``def`` or ``async def`` stands."""
    line = tree.span(node.name)[0]
    text = tree.lines[line - 1]
    return line, len(text) - len(text.lstrip()) + 1


def _insert_after(tree: Tree, step: InsertAfter) -> list[Splice]:
    statement = tree.statement(step.span)
    if not isinstance(statement.node, cst.SimpleStatementLine) or leaves(tree, statement):
        raise CannotFixError("nothing can stand behind the statement")
    at = tree.offset(statement.last, len(tree.lines[statement.last - 1]) + 1)
    return [Splice(at, at, "".join(f"\n{line}" for line in block(tree, step.text.split("\n"), statement.indent)))]


def _count_loop(tree: Tree, step: CountLoop) -> list[Splice]:
    for node in tree.path((*step.span[:2], *step.span[:2])):
        if isinstance(node, cst.While) and tree.span(node)[:2] == step.span[:2]:
            if node.orelse is not None:
                raise CannotFixError("the loop has an else")
            return [Splice(tree.bounds(node)[0], tree.bounds(node.test)[1], step.head)]
    raise CannotFixError("the loop is not found again")


def _insert_before(tree: Tree, step: InsertBefore) -> list[Splice]:
    node = next(
        (
            node
            for node in tree.path((*step.span[:2], *step.span[:2]))
            if isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement))
            and tree.span(node)[:2] == step.span[:2]
        ),
        None,
    )
    if node is None:
        raise CannotFixError("the statement is not found again")
    placed = tree.placed(node)
    at = tree.offset(placed.first, 1)
    return [Splice(at, at, "".join(f"{line}\n" for line in block(tree, step.text.split("\n"), placed.indent)))]


def _extract(tree: Tree, step: Extract) -> list[Splice]:
    statement = tree.statement(step.span)
    if not isinstance(statement.node, cst.SimpleStatementLine) or len(statement.node.body) != 1:
        raise CannotFixError("the statement is a block, or shares its line")
    start, end = tree.offset(*step.span[:2]), tree.offset(*step.span[2:])
    at = tree.offset(statement.first, 1)
    if statement.last in tree.inside_strings and any(
        line in tree.inside_strings for line in range(step.span[0] + 1, step.span[2] + 1)
    ):
        raise CannotFixError("a string runs over several lines")
    kept = block(tree, step.lines, statement.indent)
    rows = [f"{statement.indent}{step.name} = {tree.text[start:end]}", *kept]
    return [Splice(at, at, "".join(f"{row}\n" for row in rows)), Splice(start, end, step.name)]


def _remove_statement(tree: Tree, step: RemoveStatement) -> list[Splice]:
    statement = tree.statement(step.span)
    if not isinstance(statement.node, cst.SimpleStatementLine) or len(statement.node.body) != 1:
        raise CannotFixError("the statement shares its line with another one")
    if len(tree.siblings(statement.node, tree.span(statement.node))) == 1:
        raise CannotFixError("nothing would be left of the block")
    start = tree.offset(statement.first, 1)
    return [Splice(start, min(tree.offset(statement.last + 1, 1), len(tree.text)), "")]


_STEPS: dict[type, Callable[[Tree, Any], list[Splice]]] = {
    Replace: _replace,
    WrapInTry: _wrap,
    Enclose: _enclose,
    AddClauses: _add_clauses,
    AddHandlers: _add_handlers,
    SetTypes: _set_types,
    MoveClause: _move_clause,
    MoveIntoTry: _move_into_try,
    SetKeywords: _set_keywords,
    RemoveArguments: _remove_arguments,
    RenameArgument: _rename_argument,
    Decorate: _decorate,
    InsertAfter: _insert_after,
    InsertBefore: _insert_before,
    Extract: _extract,
    CountLoop: _count_loop,
    RemoveStatement: _remove_statement,
}
