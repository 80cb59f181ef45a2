"""Operators on objects of the project: ``store[key]`` and ``prompt | model`` run special methods of their classes."""

from typing import TYPE_CHECKING

from openai_lint.facts import Expr
from openai_lint.link.arguments import Arguments
from openai_lint.link.cells import Outcome
from openai_lint.link.values import Frame, Instance, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

LOOKED_UP = ("__getitem__", "__missing__")
"""What square brackets run: the first of these that a class of the project has (a dict calls the second)."""

BINARY = {
    "+": ("__add__", "__radd__"),
    "|": ("__or__", "__ror__"),
    "&": ("__and__", "__rand__"),
    ">>": ("__rshift__", "__rrshift__"),
    "*": ("__mul__", "__rmul__"),
    "%": ("__mod__", "__rmod__"),
    "@": ("__matmul__", "__rmatmul__"),
    "-": ("__sub__", "__rsub__"),
    "/": ("__truediv__", "__rtruediv__"),
}
"""The method of the left side, and that of the right side."""


class Operators:
    """Runs special methods; where no class of the project has them, nothing is asked."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def looks_up(self) -> bool:
        """Whether square brackets may run code of the project."""
        return any(map(self._engine.methods_named, LOOKED_UP))

    def computes(self, op: str) -> bool:
        """Whether an operator may run code of the project."""
        return any(map(self._engine.methods_named, BINARY.get(op, ())))

    def item(self, base: Values, key: Values, frame: Frame, node: Expr) -> Outcome:
        """``base[key]``, as far as ``base`` is an object of the project."""
        return self._run(base, LOOKED_UP, key, frame, node)

    def binary(self, op: str, left: Values, right: Values, frame: Frame, node: Expr) -> Outcome:
        """``left op right``, as far as either is an object of the project."""
        for side, other, name in zip((left, right), (right, left), BINARY.get(op, ()), strict=False):
            found = self._run(side, (name,), other, frame, node)
            if found.values or found.leaks:
                return found
        return Outcome()

    def _run(self, receivers: Values, names: tuple[str, ...], other: Values, frame: Frame, node: Expr) -> Outcome:
        result = Outcome()
        for receiver in receivers:
            if not isinstance(receiver, Instance):
                continue
            name = next((name for name in names if self._engine.hierarchy.method(receiver.cls, name)), None)
            if name is not None:
                methods = self._engine.evaluator.attribute(receiver, name, frame)
                result = result | self._engine.calls.invoke(methods, Arguments([other]), frame, node)
        return result
