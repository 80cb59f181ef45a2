"""What a ``for`` goes through, as far as the code tells: numbers, delays in a list, what a generator of them yields."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from openai_lint import facts
from openai_lint.facts import Block, Expr
from openai_lint.link import library
from openai_lint.link.sums import UNKNOWN, Item, Number, Sums, combine, single
from openai_lint.link.values import Deferred, Display, Frame

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

MOST_ROUNDS = 300
"""A loop that goes on longer than this has no end that matters."""

Row: TypeAlias = Item | tuple[Item, ...]


class UntoldError(Exception):
    """What a generator yields cannot be told."""


def endless(iterable: Expr) -> bool:
    """Whether it never ends."""
    if not isinstance(iterable, facts.Call):
        return False
    name = library.written(iterable.func)
    return name in ("count", "cycle", "iter") or (name == "repeat" and len(iterable.args) == 1)


class Rounds:
    """The rounds of the loops of one frame. ``sums`` holds the names that change while it goes on."""

    def __init__(self, engine: "Engine", frame: Frame, sums: Sums) -> None:
        self._engine = engine
        self._frame = frame
        self._sums = sums
        self._yielded: list[Row] = []
        self._steps = 0

    def nth(self, iterable: Expr, number: int) -> Item:
        """What a ``for`` without end goes through: ``itertools.count`` may begin anywhere."""
        if isinstance(iterable, facts.Call) and library.written(iterable.func) == "count":
            start, step = (
                self._sums.value(iterable.args[at].value) if at < len(iterable.args) else Number(one, one)
                for at, one in enumerate((0.0, 1.0))
            )
            return combine("+", start, combine("*", step, Number(float(number), float(number))))
        return Number(float(number), float(number))

    def listed(self, iterable: Expr) -> list[Row] | None:
        """What a ``for`` goes through, where that can be listed."""
        match iterable:
            case facts.Call() if library.written(iterable.func) in ("enumerate", "zip"):
                return self._rows(iterable)
            case facts.Call(args=(facts.Arg() as arg,)) if library.written(iterable.func) == "reversed":
                rounds = self.listed(arg.value)
                return rounds[::-1] if rounds is not None and len(rounds) <= MOST_ROUNDS else None
            case facts.Call() if library.written(iterable.func) == "range":
                return self._range(iterable)
            case facts.Call() if library.written(iterable.func) == "chain":
                return self._joined(arg.value for arg in iterable.args)
            case facts.Call(args=(facts.Arg() as arg, facts.Arg() as most)) if library.written(iterable.func) in (
                "repeat",
                "islice",
            ):
                return self._first(iterable, arg.value, self._sums.value(most.value))
            case facts.Call(func=facts.Name(id="list" | "tuple" | "iter"), args=(facts.Arg() as arg,)):
                return self.listed(arg.value)
            case facts.BinOp(op="+"):
                return self._joined((iterable.left, iterable.right))
            case facts.BinOp(op="*"):
                return self._times(self.listed(iterable.left), self._sums.value(iterable.right))
            case facts.Sequence():
                return [self._sums.value(item) for item in iterable.items]
            case facts.Comprehension() if len(iterable.clauses) == 1 and iterable.key is None:
                return self._comprehended(iterable)
            case facts.Name() if (made := self._made(iterable)) is not None:
                return self._comprehended(made)
        for value in self._engine.evaluator.value(iterable, self._frame):
            if isinstance(value, Display) and all(isinstance(key, int) for key, _ in value.items):
                return [single(found) for _, found in value.items]
            if isinstance(value, Deferred) and value.on == "iterate" and isinstance(value.source, Frame):
                return self._generated(value.source)
        return None

    def _range(self, call: facts.Call) -> list[Row] | None:
        given = [self._sums.value(arg.value) for arg in call.args]
        numbers = [int(item.low) for item in given if isinstance(item, Number) and item.low == item.high]
        if len(numbers) == len(given) and 1 <= len(given) <= 3 and (len(given) < 3 or numbers[2]):
            return [Number(float(item), float(item)) for item in range(*numbers)[: MOST_ROUNDS + 1]]
        return None

    def _joined(self, parts: Iterable[Expr]) -> list[Row] | None:
        """One after the other."""
        found: list[Row] = []
        for part in parts:
            rounds = self.listed(part)
            if rounds is None or len(rounds) > MOST_ROUNDS:
                return None
            found += rounds
        return found

    def _first(self, call: facts.Call, given: Expr, most: Item) -> list[Row] | None:
        """The same so often (``repeat``), or so many of what there is (``islice``)."""
        if library.written(call.func) == "repeat":
            return self._times([self._sums.value(given)], most)
        rounds = self.listed(given)
        known = isinstance(most, Number) and most.low == most.high and rounds is not None
        return rounds[: int(most.low)] if known and isinstance(most, Number) and rounds is not None else None

    @staticmethod
    def _times(rounds: list[Row] | None, number: Item) -> list[Row] | None:
        """The same list so often."""
        if rounds is None or not isinstance(number, Number) or number.low != number.high:
            return None
        times = int(number.low)
        return rounds * times if 0 <= len(rounds) * times <= MOST_ROUNDS else None

    def _rows(self, call: facts.Call) -> list[Row] | None:
        """The rows of ``enumerate(...)`` and ``zip(...)``."""
        given = [self.listed(arg.value) for arg in call.args if arg.keyword is None]
        columns = [[item for item in found if not isinstance(item, tuple)] for found in given if found is not None]
        if library.written(call.func) == "enumerate":
            start = self._sums.value(call.args[-1].value) if len(call.args) > 1 else Number(0.0, 0.0)
            first = start.low if isinstance(start, Number) else 0.0
            counted: list[Item] = [Number(first + number, first + number) for number in range(MOST_ROUNDS)]
            columns = [counted, *columns[:1]]
            given = given[:1]
        if not given or None in given:
            return None
        return list(zip(*columns, strict=False))

    def bind(self, target: Expr, item: Row) -> None:
        """Let the target of a loop be this."""
        if isinstance(target, facts.Name):
            self._sums.sheet[target.id] = UNKNOWN if isinstance(item, tuple) else item
        elif isinstance(target, facts.Sequence):
            parts = item if isinstance(item, tuple) else (item,)
            for index, part in enumerate(target.items):
                self.bind(part, parts[index] if index < len(parts) else UNKNOWN)

    # --- comprehensions and generators

    def _made(self, node: facts.Name) -> facts.Comprehension | None:
        """The comprehension that a name is bound to, if to nothing else."""
        owner = self._engine.evaluator.owner(node.id, self._frame)
        bindings = owner.module.scope_of(owner.function).bindings.get(node.id, ())
        made = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "value" else None
        plain = isinstance(made, facts.Comprehension) and len(made.clauses) == 1 and made.key is None
        return made if plain and isinstance(made, facts.Comprehension) else None

    def _comprehended(self, node: facts.Comprehension) -> list[Row] | None:
        clause = node.clauses[0]
        rounds = self.listed(clause.iterable) if not clause.conditions else None
        if rounds is None:
            return None
        before = dict(self._sums.sheet)
        found: list[Row] = []
        for item in rounds:
            self.bind(clause.target, item)
            found.append(self._sums.value(node.element))
        self._sums.sheet.clear()
        self._sums.sheet.update(before)
        return found

    def _generated(self, frame: Frame) -> list[Row] | None:
        """What a generator of the project yields: its statements are gone through."""
        function = frame.function
        if not isinstance(function, facts.Function) or frame == self._frame:
            return None
        inner = Rounds(self._engine, frame, Sums(self._engine, frame, {}))
        try:
            inner.run(function.body)
        except UntoldError:
            return None
        return inner._yielded

    def run(self, body: Block) -> bool:
        """Go through statements of a generator; whether the end is reached."""
        for node in body:
            self._steps += 1
            if self._steps > MOST_ROUNDS * 10:
                raise UntoldError
            if len(self._yielded) > MOST_ROUNDS:
                return False  # without end
            if not self._step(node):
                return False
        return True

    def _step(self, node: facts.Stmt) -> bool:
        sums = self._sums
        match node:
            case facts.ExprStmt(value=facts.Yield(delegate=False, value=value)):
                self._yielded.append(UNKNOWN if value is None else sums.value(value))
            case facts.ExprStmt() | facts.Jump(kind="pass"):
                pass
            case facts.Assign(targets=(facts.Name() as target,), value=Expr() as value):
                sums.sheet[target.id] = sums.value(value)
            case facts.AugAssign(target=facts.Name() as target):
                sums.sheet[target.id] = combine(node.op, sums.value(target), sums.value(node.value))
            case facts.Return():
                return False
            case facts.If():
                test = sums.truth(node.test)
                if not isinstance(test, bool):
                    raise UntoldError
                return self.run(node.body if test else node.orelse)
            case facts.For(orelse=()):
                rounds = self.listed(node.iterable)
                if rounds is None:
                    raise UntoldError
                for item in rounds:
                    self.bind(node.target, item)
                    if not self.run(node.body):
                        return False
            case facts.While(orelse=()):
                while (test := sums.truth(node.test)) is True:
                    if not self.run(node.body):
                        return False
                if test is not False:
                    raise UntoldError
            case _:
                raise UntoldError
        return True
