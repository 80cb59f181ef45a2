"""Whether running a function comes to a node in it: never, or surely, or only in some runs."""

from typing import Any

from openai_lint import facts
from openai_lint.facts import Block, Expr, Stmt
from openai_lint.link.blocks import inside, leaves
from openai_lint.link.tree import Tree


def never(tree: Tree, node: Expr) -> bool:
    """Whether every run leaves before it comes there."""
    return any(leaves(_before(parent, child)) for parent, child in _up(tree, node))


def surely(tree: Tree, node: Expr) -> bool:
    """Whether every run comes there that is not cut short by an error."""
    return all(
        _always(parent, child) and not any(isinstance(left, facts.Return) for left in inside(_before(parent, child)))
        for parent, child in _up(tree, node)
    )


def _up(tree: Tree, node: Expr) -> list[tuple[Any, Any]]:
    """Each node above with its child on the way, as far as the function that runs the node."""
    found = []
    for parent, child in tree.above(node):
        found.append((parent, child))
        if isinstance(parent, facts.Function) and isinstance(child, Stmt):
            break
    return found


def _before(parent: Any, child: Any) -> Block:
    """The statements that stand before one in its block."""
    if isinstance(child, Stmt):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, ())
            if isinstance(block, tuple) and child in block:
                return block[: block.index(child)]
    return ()


def _always(parent: Any, child: Any) -> bool:
    """Whether what runs the parent surely runs the child."""
    match parent:
        case facts.If() | facts.While() | facts.IfExp():
            return child is parent.test
        case facts.For() | facts.Clause():
            return child is parent.iterable
        case facts.Match():
            return child is parent.subject
        case facts.Comprehension():
            return child is parent.clauses[0]
        case facts.BoolOp():
            return child is parent.values[0]
        case facts.Handler() | facts.Case():
            return False
        case _:
            return True
