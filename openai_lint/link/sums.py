"""Arithmetic on paper: numbers that a retry counts and waits with, as far as the code tells them.

A number is a range, because a random one has no single value. What depends on the error at hand is ``ERROR``; what
cannot be known is ``UNKNOWN``; truth values and None are themselves.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from openai_lint import facts
from openai_lint.facts import Expr
from openai_lint.link import library
from openai_lint.link.values import Display, External, Frame, Literal, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

BIGGEST = 1e9


@dataclass(frozen=True, slots=True)
class Number:
    """Something between two numbers; ``random`` where chance decides."""

    low: float
    high: float
    random: bool = False


class Other(Enum):
    """What is no number."""

    UNKNOWN = "unknown"
    ERROR = "depends on the error"


UNKNOWN: Final = Other.UNKNOWN
ERROR: Final = Other.ERROR

Item: TypeAlias = Number | Other | bool | None
Sheet: TypeAlias = dict[str, Item]

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": lambda left, right: left * 2**right,
}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_RANGES = frozenset({"uniform", "randint", "randrange", "triangular"})
_KEEP = frozenset({"int", "float", "round", "abs", "ceil", "floor"})


class Sums:
    """Works out expressions of one frame. ``sheet`` holds the names that change while it goes on."""

    def __init__(self, engine: "Engine", frame: Frame, sheet: Sheet) -> None:
        self._engine = engine
        self._frame = frame
        self.sheet = sheet
        self.decide: Callable[[Expr], Item] | None = None
        """Tells whether a condition holds, where more than the numbers is known."""

    def value(self, node: Expr) -> Item:
        """What an expression is now."""
        match node:
            case facts.Const():
                return constant(node.value)
            case facts.Name():
                return self.sheet[node.id] if node.id in self.sheet else self._read(node)
            case facts.Attr() | facts.Subscript():
                return self._part(node)
            case facts.BinOp():
                return combine(node.op, self.value(node.left), self.value(node.right))
            case facts.IfExp():
                test = self.truth(node.test) if self.decide is None else self.decide(node.test)
                return self.value(node.body if test is True else node.orelse) if isinstance(test, bool) else UNKNOWN
            case facts.NamedExpr(target=facts.Name() as target):
                found = self.sheet[target.id] = self.value(node.value)
                return found
            case facts.Call():
                return self._call(node)
            case facts.Await():
                return self.value(node.value)
            case facts.Not() | facts.BoolOp() | facts.Compare():
                return self.truth(node)
            case _:
                return ERROR if self._of_error(node) else UNKNOWN

    def truth(self, node: Expr) -> Item:
        """Whether a condition holds now: True, False, or why that cannot be said."""
        match node:
            case facts.Not():
                inner = self.truth(node.value)
                return not inner if isinstance(inner, bool) else inner
            case facts.BoolOp():
                parts = [self.truth(item) for item in node.values]
                decides = node.op == "or"
                if any(part is decides for part in parts):
                    return decides
                return UNKNOWN if UNKNOWN in parts else ERROR if ERROR in parts else not decides
            case facts.Compare():
                return self._compare(node)
            case _:
                return truthy(self.value(node))

    def _compare(self, node: facts.Compare) -> Item:
        left, right = self.value(node.left), self.value(node.right)
        if ERROR in (left, right):
            return ERROR
        if node.op in ("is", "is not", "==", "!=") and (left is None or right is None):
            if UNKNOWN in (left, right):
                return UNKNOWN
            return (left is right) == (node.op in ("is", "=="))
        if node.op in _COMPARISONS and isinstance(left, Number) and isinstance(right, Number):
            answers = {_COMPARISONS[node.op](a, b) for a in (left.low, left.high) for b in (right.low, right.high)}
            return answers.pop() if len(answers) == 1 else UNKNOWN
        if isinstance(left, bool) and isinstance(right, bool) and node.op in ("is", "==", "is not", "!="):
            return (left is right) == (node.op in ("is", "=="))
        return UNKNOWN

    def _read(self, node: Expr) -> Item:
        return single(self._engine.evaluator.value(node, self._frame))

    def _part(self, node: facts.Attr | facts.Subscript) -> Item:
        if self._of_error(node):
            return ERROR
        if isinstance(node, facts.Attr):
            written = library.dotted(node)
            return self.sheet[written] if written in self.sheet else self._read(node)
        index = self.value(node.index)
        for value in self._engine.evaluator.value(node.value, self._frame):
            if isinstance(value, Display) and isinstance(index, Number) and index.low == index.high:
                count = len(value.items)
                position = int(index.low)
                if -count <= position < count:
                    return single(value.items[position][1])
        return self._read(node)

    def _call(self, node: facts.Call) -> Item:
        if self._of_error(node):
            return ERROR
        name = library.written(node.func)
        given = [self.value(arg.value) for arg in node.args if not arg.star]
        numbers = [item for item in given if isinstance(item, Number)]
        known = len(numbers) == len(given) and bool(given)
        if name == "random" and not given:
            return Number(0.0, 1.0, True)
        if name in _RANGES and known and len(numbers) >= 2:
            return Number(numbers[0].low, numbers[1].high, True)
        if name in ("min", "max") and known and len(numbers) > 1:
            choose = min if name == "min" else max
            return Number(
                choose(n.low for n in numbers), choose(n.high for n in numbers), any(n.random for n in numbers)
            )
        if name in _KEEP and known:
            return numbers[0]
        if name == "pow" and known and len(numbers) == 2:
            return combine("**", numbers[0], numbers[1])
        if name == "len" and len(node.args) == 1:
            return self._length(node.args[0].value)
        if name == "exp" and known:
            return combine("**", Number(2.718281828, 2.718281828), numbers[0])
        return self._read(node) if not self.sheet.keys() & names(node) else UNKNOWN

    def _length(self, node: Expr) -> Item:
        """How many a list of the code holds: as counted so far, or where nothing else puts anything in."""
        counted = length_of(node)
        if counted in self.sheet:
            return self.sheet[counted]
        found = self._engine.evaluator.value(node, self._frame)
        lengths = {len(v.items) for v in found if isinstance(v, Display) and all(k is not None for k, _ in v.items)}
        return Number(float(min(lengths)), float(min(lengths))) if len(lengths) == len(found) == 1 else UNKNOWN

    def _of_error(self, node: Expr) -> bool:
        return any(self.sheet.get(name) is ERROR for name in names(node))


def length_of(node: Expr) -> str:
    """Under which name a sheet counts what a list holds."""
    return f"len({library.dotted(node)})"


def names(node: Expr) -> set[str]:
    """The names in an expression."""
    found = {node.id} if isinstance(node, facts.Name) else set()
    for child in facts.children(node):
        if isinstance(child, Expr):
            found |= names(child)
        elif isinstance(child, facts.Arg):
            found |= names(child.value)
    return found


def constant(value: object) -> Item:
    """A constant of the code."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return Number(float(value), float(value))
    return bool(value) if isinstance(value, (str, bytes)) else UNKNOWN


def single(values: Values) -> Item:
    """What a set of values is, if it is one constant."""
    found = [value for value in values if not isinstance(value, External)]
    if len(found) == 1 and len(values) == 1:
        (value,) = found
        if isinstance(value, Literal):
            return constant(value.value)
    return UNKNOWN


def truthy(item: Item) -> Item:
    """The truth value of what is known."""
    if isinstance(item, Number):
        return UNKNOWN if item.low <= 0 <= item.high and item.low != item.high else bool(item.low)
    return item if isinstance(item, (bool, Other)) else False


def combine(op: str, left: Item, right: Item) -> Item:
    """The result of an operator."""
    if ERROR in (left, right):
        return ERROR
    first, second = _number(left), _number(right)
    if first is None or second is None or op not in _OPERATORS:
        return UNKNOWN
    try:
        ends = [_OPERATORS[op](a, b) for a in (first.low, first.high) for b in (second.low, second.high)]
    except (ArithmeticError, ValueError):
        return UNKNOWN
    if any(isinstance(end, complex) or abs(end) > BIGGEST for end in ends):
        return Number(BIGGEST, BIGGEST, first.random or second.random)
    return Number(min(ends), max(ends), (first.random or second.random) and min(ends) != max(ends))


def _number(item: Item) -> Number | None:
    if isinstance(item, bool):
        return Number(float(item), float(item))
    return item if isinstance(item, Number) else None
