"""How new code is laid out: indentation, blocks and clauses in the style of the file."""

import re
from collections.abc import Sequence

from openai_lint.fixing.tree import Statement, Tree
from openai_lint.rewrites import NewClause


def indented(tree: Tree, first: int, last: int, unit: str) -> list[str]:
    """Lines ``first`` to ``last`` one level deeper; what begins inside a string, and blank lines, stay as they are."""
    kept = tree.inside_strings
    return [
        line if number in kept or not line.strip() else unit + line
        for number, line in enumerate(tree.lines[first - 1 : last], first)
    ]


def block(tree: Tree, lines: Sequence[str], indent: str) -> list[str]:
    """Lines of new code below an indentation, with the file's unit in place of four spaces."""
    out = []
    for line in lines:
        text = line.lstrip(" ")
        out.append(f"{indent}{tree.unit * ((len(line) - len(text)) // 4)}{text}" if text else "")
    return out


def clause(tree: Tree, new: NewClause, indent: str, word: str = "except") -> list[str]:
    """A clause with its body."""
    return [*clause_head(tree, new.types, new.name, indent, word), *block(tree, new.body, indent + tree.unit)]


def clause_head(tree: Tree, types: Sequence[str], name: str | None, indent: str, word: str = "except") -> list[str]:
    """The head of a clause, on one line if that is not too long, else with one type on each."""
    ending = ":" if name is None else f" as {name}:"
    shown = types[0] if len(types) == 1 else f"({', '.join(types)})"
    line = f"{indent}{word} {shown}{ending}"
    if len(line) <= tree.limit or len(types) == 1:
        return [line]
    return [f"{indent}{word} (", *(f"{indent}{tree.unit}{item}," for item in types), f"{indent}){ending}"]


def leaves(tree: Tree, statement: Statement) -> bool:
    """Whether a statement never goes on to the next one."""
    import libcst as cst

    node = statement.node
    del tree
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[-1], (cst.Return, cst.Raise))


def fold(tree: Tree, text: str, indent: str) -> str:
    """A call or tuple with each of its items on a line of its own, and those again that are still too long."""
    opening = _last_group(text)
    if opening is None:
        return text
    inner = indent + tree.unit
    rows = []
    for part in _parts(text[opening + 1 : -1]):
        row = part if len(inner) + len(part) + 1 <= tree.limit else fold(tree, part, inner)
        rows.append(f"{inner}{row},\n")
    return f"{text[: opening + 1]}\n{''.join(rows)}{indent})"


_token = re.compile(r"""(?s:"{3}.*?"{3}|'{3}.*?'{3})|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[(\[{]|[)\]}]|,""")


def _last_group(text: str) -> int | None:
    """Where the bracket opens that the text ends with."""
    if not text.endswith(")"):
        return None
    open_ones: list[int] = []
    for match in _token.finditer(text):
        if match[0] in "([{":
            open_ones.append(match.start())
        elif match[0] in ")]}" and open_ones:
            start = open_ones.pop()
            if match.end() == len(text):
                return start
    return None


def is_group(text: str) -> bool:
    """Whether a text is one pair of brackets with what stands in it."""
    return _last_group(text) == 0


def _parts(text: str) -> list[str]:
    """What commas part, outside of strings and brackets."""
    parts, depth, start = [], 0, 0
    for match in _token.finditer(text):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
        elif match[0] == "," and not depth:
            parts.append(text[start : match.start()].strip())
            start = match.end()
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts
