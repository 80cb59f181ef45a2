"""What displays, subscripts, f-strings and operators may be."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.link import library
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    UNKNOWN,
    ClassRef,
    Display,
    External,
    Frame,
    Literal,
    Symbolic,
    Value,
    Values,
    literal,
    one,
)
from openai_lint.link.widening import MOST_ITEMS, shallow

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def union(parts: Iterable[Values]) -> Values:
    """Everything that any part may be."""
    return NOTHING.union(*parts)


class Displays:
    """Reads composed expressions for the evaluator."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def format(self, node: facts.Format, frame: Frame) -> Values:
        """An f-string, where all of its parts are known."""
        text = ""
        for part in node.parts:
            if isinstance(part, str):
                text += part
                continue
            known = [value.value for value in self._engine.evaluator.value(part, frame) if isinstance(value, Literal)]
            if len(known) != 1:
                return one(Literal(text + library.OPEN_END, str)) if text else ANYTHING
            text += str(known[0])
        return literal(text)

    def sequence(self, node: facts.Sequence, frame: Frame) -> Values:
        """A tuple, list or set display."""
        if node.kind == "slice":
            return ANYTHING
        items: list[tuple[object, Values]] = []
        for position, item in enumerate(node.items):
            exact = not any(isinstance(before, facts.Starred) for before in node.items[: position + 1])
            items.append((position if exact else None, self._engine.evaluator.value(item, frame)))
        return self._display(node.kind, items)

    def dict(self, node: facts.Dict, frame: Frame) -> Values:
        """A dict display; what ``**`` brings in is part of it."""
        items: list[tuple[object, Values]] = []
        for key, value in node.items:
            if key is None:
                for other in self._engine.evaluator.value(value, frame):
                    items.extend(self._taken_in(other))
                continue
            items.append((self._key(key, frame), self._engine.evaluator.value(value, frame)))
        return self._display("dict", items)

    @staticmethod
    def _taken_in(other: Value) -> Iterable[tuple[object, Values]]:
        """What ``**other`` brings into a dict."""
        if not isinstance(other, Display):
            return [(None, ANYTHING)]
        return other.items if other.kind != "table" else [(None, other.items[1][1])]

    def _key(self, node: facts.Expr, frame: Frame) -> object:
        """A key of a dict display: a constant, or a class (tables of errors); None for anything else."""
        if isinstance(node, facts.Const):
            return node.value
        if not isinstance(node, (facts.Name, facts.Attr)):
            return None
        found = self._engine.evaluator.value(node, frame)
        (key,) = found if len(found) == 1 else (None,)
        return key if isinstance(key, ClassRef) or (isinstance(key, External) and "()" not in key.path) else None

    @staticmethod
    def keys(value: Display) -> Values:
        """What the keys of a dict may be."""
        if value.kind == "table":
            return value.items[0][1]
        return union(
            one(key) if isinstance(key, (ClassRef, External)) else literal(key) if key is not None else ANYTHING
            for key, _ in value.items
        )

    @staticmethod
    def _display(kind: str, items: list[tuple[object, Values]]) -> Values:
        """A display, without what nobody will ask of it (long tables, deep data)."""
        plain = [
            (key, frozenset(value if not isinstance(value, Display) or shallow(value) else UNKNOWN for value in found))
            for key, found in items
        ]
        if len(plain) > MOST_ITEMS:
            everything: Values = NOTHING
            for _, found in plain:
                everything |= frozenset(value for value in found if not isinstance(value, Literal))
            return one(Display(kind, ((None, everything or ANYTHING),)))
        return one(Display(kind, tuple(plain)))

    def subscript(self, node: facts.Subscript, frame: Frame) -> Values:
        """``value[index]``."""
        base = self._engine.evaluator.value(node.value, frame)
        key: object = None
        if isinstance(node.index, facts.Const):
            key = node.index.value
        else:
            found = [
                value.value for value in self._engine.evaluator.value(node.index, frame) if isinstance(value, Literal)
            ]
            key = found[0] if len(found) == 1 else None
        if isinstance(node.index, facts.Sequence) and node.index.kind == "slice":
            return base
        held = union(self.item(value, key) for value in base)
        if held == ANYTHING and self._engine.operators.looks_up():
            index = self._engine.evaluator.value(node.index, frame)
            return self._engine.operators.item(base, index, frame, node).values or held
        return held

    def item(self, value: Value, key: object) -> Values:
        """What a value holds under a key (any of its items where that is not known)."""
        match value:
            case Display(kind="table"):
                return value.items[1][1]
            case Display():
                exact = [found for name, found in value.items if name == key and name is not None]
                return exact[-1] if exact and key is not None else union(found for _, found in value.items)
            case External():
                return one(value) if library.is_generic(value.path) else library.extended(value.path, "[]")
            case ClassRef():
                return one(value)
            case _:
                return ANYTHING

    def binary(self, node: facts.BinOp, frame: Frame) -> Values:
        """An operator: policies and displays put together, and arithmetic on constants."""
        left, right = self._engine.evaluator.value(node.left, frame), self._engine.evaluator.value(node.right, frame)
        if self._engine.operators.computes(node.op):
            made = self._engine.operators.binary(node.op, left, right, frame, node).values
            if made:
                return made
        if node.op in ("|", "+") and self._folds(node, frame) and any(isinstance(v, Symbolic) for v in right):
            return right
        if not left or not right:
            return NOTHING  # a side is not known yet, and what is given now would stay
        if node.op == "|" or node.op == "&":
            symbolic = [value for value in left | right if isinstance(value, Symbolic)]
            if symbolic:
                return one(Symbolic(f"operator.{node.op}", (left, right), ()))
            return left | right
        if node.op == "+":
            policies = [value for value in left | right if isinstance(value, Symbolic)]
            if policies:
                return one(Symbolic("operator.+", (left, right), ()))
            if any(isinstance(value, Display) for value in left | right):
                return one(
                    Display("list", ((None, self._engine.evaluator.items(left) | self._engine.evaluator.items(right)),))
                )
            begun = self._begun(left, right)
            if begun:
                return begun
        return self._arithmetic(node.op, left, right)

    @staticmethod
    def _begun(left: Values, right: Values) -> Values:
        """A text of which only the beginning is known: ``"do_" + name``."""
        (first,) = left if len(left) == 1 else (None,)
        if not isinstance(first, Literal) or not isinstance(first.value, str) or not first.value:
            return NOTHING
        if first.value.endswith(library.OPEN_END):
            return left
        known = len(right) == 1 and all(isinstance(value, Literal) for value in right)
        return NOTHING if known else one(Literal(first.value + library.OPEN_END, str))

    def _folds(self, node: facts.BinOp, frame: Frame) -> bool:
        """Whether a name is bound to itself and more (``condition = condition | more``): each round adds a part."""
        if not isinstance(node.left, facts.Name):
            return False
        owner = self._engine.evaluator.owner(node.left.id, frame)
        bindings = owner.module.scope_of(owner.function).bindings.get(node.left.id, ())
        return any(binding.node is node for binding in bindings)

    def _arithmetic(self, op: str, left: Values, right: Values) -> Values:
        if len(left) == 1 and len(right) == 1:
            (first,), (second,) = left, right
            if isinstance(first, Literal) and isinstance(second, Literal):
                return library.arithmetic(op, first.value, second.value)
        return ANYTHING
