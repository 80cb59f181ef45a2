"""Each step of a rewrite as splices of the text: small ones, so that every other byte stays as it is."""

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from openai_lint.facts import Span
from openai_lint.fixing import tries
from openai_lint.fixing.imports import Splice
from openai_lint.fixing.layout import block, fold, is_group, leaves
from openai_lint.fixing.tree import CannotFixError, Tree
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
    WrapInTry: tries.wrap,
    Enclose: tries.enclose,
    AddClauses: tries.add_clauses,
    AddHandlers: tries.add_handlers,
    SetTypes: tries.set_types,
    MoveClause: tries.move_clause,
    MoveIntoTry: tries.move_into_try,
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
