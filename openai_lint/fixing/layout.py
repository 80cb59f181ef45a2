"""How new code is laid out: indentation, blocks and clauses in the style of the file."""

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
