"""Imports that new code needs: added once, among those of the file, in its style and order."""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import libcst as cst
from libcst.helpers import get_absolute_module_for_import, get_full_name_for_node

from openai_lint.fixing.tree import CannotFixError, Tree
from openai_lint.rewrites import Need


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the text between two offsets. ``keeps``: every statement in it stands in the new text as well."""

    start: int
    end: int
    text: str
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class _Import:
    """One top-level import statement that has its line to itself."""

    node: cst.Import | cst.ImportFrom
    module: str
    line: int
    last: int
    group: int


_ORDERS: tuple[Callable[[bool, str], tuple[bool, str]], ...] = (
    lambda is_from, module: (is_from, module),
    lambda _, module: (False, module),
)
"""How imports of one group may be sorted: plain ones first, or by module alone."""


def _by_type(name: str) -> tuple[int, str]:
    """Constants, classes, and what is neither."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name.lower()


_NAME_ORDERS: tuple[Callable[[str], Any], ...] = (_by_type, str.lower, str)
"""How the names of one import may be sorted: as isort and ruff do unless told otherwise, without case, or with it."""


def _group(module: str, own: Collection[str] = ()) -> int:
    """``__future__``, the standard library, packages, the project's own modules: in that order."""
    root = module.partition(".")[0]
    if root == "__future__":
        return 0
    if root in sys.stdlib_module_names:
        return 1
    return 3 if not root or root in own else 2


def changed(tree: Tree, needs: Iterable[Need], idle: Collection[str], line: int) -> list[Splice]:
    """The splices that bring the names into the file, for code at ``line``, and take names out that became ``idle``.

    Raises CannotFixError on a clash.
    """
    existing = list(_imports(tree, line))
    wanted = sorted({need for need in needs if not _known(existing, need)})
    for need in wanted:
        if need.bound in _bound(tree):
            raise CannotFixError(f"the file uses the name {need.bound} for something else")
    splices: list[Splice] = []
    lines: dict[str, str] = {need.module: need.line for need in wanted if not need.name}
    names: dict[str, list[str]] = {}
    whole: list[_Import] = []
    for need in wanted:
        if need.name:
            names.setdefault(need.module, []).append(need.name)
    for one in existing:
        new = names.pop(one.module, []) if _takes(one, one.module) else []
        gone = {name for name in _names(one) if name in idle}
        if gone and not new and gone == set(_names(one)):
            whole.append(one)
        elif new or (gone and isinstance(one.node, cst.ImportFrom)):
            splices.append(_extended(tree, one, new, gone))
    froms = {module: f"from {module} import {', '.join(new)}" for module, new in names.items()}
    splices += _added(tree, existing, [*sorted(lines.items()), *sorted(froms.items())], line)
    return [*splices, *(_without(tree, one, splices) for one in whole)]


def _added(tree: Tree, existing: Sequence[_Import], new: Sequence[tuple[str, str]], line: int) -> list[Splice]:
    """New import statements (module and text), those for one place together."""
    made: dict[int, list[tuple[int, str]]] = {}
    first: dict[int, list[str]] = {}
    for module, text in new:
        if any(one.group == _group(module) for one in existing):
            splice = _beside(tree, existing, text, module)
            made.setdefault(splice.start, []).append((_group(module), splice.text))
        else:
            first.setdefault(_group(module), []).append(text)
    for group, texts in sorted(first.items()):
        splice = _group_of(tree, existing, "\n".join(texts), group, line)
        made.setdefault(splice.start, []).append((group, splice.text))
    ordered = {start: sorted(found, key=lambda one: one[0]) for start, found in made.items()}
    return [Splice(start, start, "".join(text for _, text in found)) for start, found in ordered.items()]


def _names(one: _Import) -> list[str]:
    """What an import binds, where it is written without ``as``."""
    node = one.node
    if isinstance(node.names, cst.ImportStar) or one.group == 0:
        return []
    return [item.name.value if isinstance(item.name, cst.Name) and item.asname is None else "" for item in node.names]


def _without(tree: Tree, one: _Import, others: Sequence[Splice]) -> Splice:
    """Nothing in place of a whole import, which leaves no second blank line."""
    start, end = tree.offset(one.line, 1), min(tree.offset(one.last + 1, 1), len(tree.text))
    lines = [
        tree.lines[number - 1] if 1 <= number <= len(tree.lines) else "" for number in (one.line - 1, one.last + 1)
    ]
    beside = any(start <= other.start <= end for other in others)
    if not beside and not any(line.strip() for line in lines) and one.last < len(tree.lines):
        end = min(tree.offset(one.last + 2, 1), len(tree.text))
    return Splice(start, end, "")


def _imports(tree: Tree, line: int) -> Iterator[_Import]:
    """The imports of the module's body above a line."""
    for statement in tree.module.body:
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            continue
        node = statement.body[0]
        first, _, last, _ = tree.span(statement)
        if first >= line:
            return
        if isinstance(node, cst.Import):
            module = get_full_name_for_node(node.names[0].name) or ""
            yield _Import(node, module, first, last, _group(module, tree.own))
        elif isinstance(node, cst.ImportFrom):
            module = "" if node.relative else get_absolute_module_for_import(None, node) or ""
            yield _Import(node, module, first, last, _group(module, tree.own))


def _known(existing: Sequence[_Import], need: Need) -> bool:
    return any(_brings(one, need) for one in existing)


def _brings(one: _Import, need: Need) -> bool:
    """Whether an import binds the name already."""
    node = one.node
    if isinstance(node, cst.Import):
        modules = [get_full_name_for_node(item.name) or "" for item in node.names if item.asname is None]
        return not need.name and any(f"{module}.".startswith(f"{need.module}.") for module in modules)
    if one.module != need.module or isinstance(node.names, cst.ImportStar):
        return False
    return any(item.asname is None and item.name.value == need.name for item in node.names)


def _bound(tree: Tree) -> frozenset[str]:
    """Names that the module's body binds by anything but an import, at any depth of its blocks."""
    found: set[str] = set()
    stack: list[cst.CSTNode] = list(tree.module.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            found.add(node.name.value)
        elif isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.NamedExpr, cst.For)):
            found |= {node.target.value} if isinstance(node.target, cst.Name) else set()
        elif isinstance(node, cst.AsName) and isinstance(node.name, cst.Name):
            found.add(node.name.value)
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            stack.extend(node.children)
    return frozenset(found)


def _takes(one: _Import, module: str) -> bool:
    return (
        isinstance(one.node, cst.ImportFrom) and one.module == module and not isinstance(one.node.names, cst.ImportStar)
    )


def _extended(tree: Tree, target: _Import, new: Sequence[str], gone: Collection[str]) -> Splice:
    """More names in a ``from`` import: in order where the names are in order, else at the end; and fewer."""
    node = target.node
    if not isinstance(node, cst.ImportFrom) or isinstance(node.names, cst.ImportStar):
        raise CannotFixError("the import takes no names")
    items = list(node.names)
    start, end = tree.bounds(items[0])[0], tree.bounds(items[-1])[1]
    written = [tree.written(item).rstrip(", \n") for item in items]
    names = [item.name.value for item in items if isinstance(item.name, cst.Name)]
    merged = list(written)
    for name in new:
        key = next((order for order in _NAME_ORDERS if names == sorted(names, key=order)), None)
        at = len(names)
        if key is not None:
            at = next((index for index, other in enumerate(names) if key(other) > key(name)), len(names))
        merged.insert(at, name)
        names.insert(at, name)
    merged = [item for item in merged if item not in gone]
    inside = tree.text[start:end]
    if "#" in inside:  # comments belong to single names: leave them where they are
        return Splice(_last_end(tree, items), _last_end(tree, items), "".join(f", {name}" for name in new))
    first, last = tree.span(items[0])[0], tree.span(items[-1])[0]
    if first != last or (node.lpar is not None and first != target.line):
        column = tree.span(items[0])[1] - 1
        return Splice(start, _last_end(tree, items), (",\n" + " " * column).join(merged))
    line = tree.lines[target.line - 1]
    width = len(line) - (end - start) + len(", ".join(merged))
    if width <= tree.limit or node.lpar is not None:
        return Splice(start, _last_end(tree, items), ", ".join(merged))
    rows = "".join(f"{tree.unit}{item},\n" for item in merged)
    return Splice(start, _last_end(tree, items), f"(\n{rows})")


def _last_end(tree: Tree, items: Sequence[cst.ImportAlias]) -> int:
    last = items[-1]
    return tree.bounds(last.asname.name if last.asname is not None else last.name)[1]


def _beside(tree: Tree, existing: Sequence[_Import], text: str, module: str) -> Splice:
    """An import statement among those of its group."""
    same = [one for one in existing if one.group == _group(module)]
    for order in _ORDERS:
        keys = [order(isinstance(one.node, cst.ImportFrom), one.module.lower()) for one in same]
        if all(left <= right for left, right in pairwise(keys)):
            key = order(text.startswith("from"), module.lower())
            smaller = [one for one, other in zip(same, keys, strict=True) if other <= key]
            if len(smaller) == len(same):
                break
            return _line(tree, smaller[-1].last + 1 if smaller else same[0].line, text)
    return _line(tree, _behind(existing, same[-1]) + 1, text)


def _behind(existing: Sequence[_Import], last: _Import) -> int:
    """The last line of an import; in a file that does not keep its groups apart, of the longest run of that group.

    Where no two stand together, of the block around it.
    """
    if all(left.group <= right.group for left, right in pairwise(existing)):
        return last.last
    runs: list[list[_Import]] = []
    for before, one in zip([None, *existing], existing, strict=False):
        if one.group == last.group:
            if before is None or before.group != one.group or before.last + 1 != one.line:
                runs.append([])
            runs[-1].append(one)
    longest = max(runs, key=len)
    if len(longest) > 1:
        return longest[-1].last
    line = last.last
    for one in existing:
        if one.line == line + 1:
            line = one.last
    return line


def _group_of(tree: Tree, existing: Sequence[_Import], text: str, group: int, line: int) -> Splice:
    """Import statements of a group that the file does not have yet."""
    earlier = [one for one in existing if one.group < group]
    later = [one for one in existing if one.group > group]
    if earlier:
        return _line(tree, earlier[-1].last + 1, f"\n{text}" if _spaced(tree, existing) else text)
    if later:
        return _line(tree, later[0].line, f"{text}\n" if _spaced(tree, existing) else text)
    return _first(tree, text, line)


def _spaced(tree: Tree, existing: Sequence[_Import]) -> bool:
    """Whether blank lines part the groups (or there is one group only)."""
    borders = [(left, right) for left, right in pairwise(existing) if left.group != right.group]
    return all(not tree.lines[right.line - 2].strip() for _, right in borders)


def _first(tree: Tree, text: str, line: int) -> Splice:
    """The first import of a file: behind the docstring and the comments on top."""
    body = list(tree.module.body)
    index = 0
    if (
        body
        and isinstance(body[0], cst.SimpleStatementLine)
        and isinstance(body[0].body[0], cst.Expr)
        and isinstance(body[0].body[0].value, (cst.SimpleString, cst.ConcatenatedString))
    ):
        last = tree.span(body[0])[2]
        if last < line:
            return _line(tree, last + 1, f"\n{text}")
        index = 1
    target = min(tree.span(body[index])[0] if index < len(body) else line, line)
    node = body[index] if index < len(body) else None
    below = "\n" if isinstance(node, (cst.FunctionDef, cst.ClassDef)) else ""
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)) and node.decorators:
        target = min(target, tree.span(node.decorators[0])[0])
    return _line(tree, target, f"{text}\n{below}")


def _line(tree: Tree, number: int, text: str) -> Splice:
    """New lines in front of a line."""
    if number > len(tree.lines):
        end = len(tree.text)
        return Splice(end, end, f"\n{text}")
    at = tree.offset(number, 1)
    return Splice(at, at, f"{text}\n")
