"""Retries by result: errors that a function turns into an answer, which the policy around it takes for a failure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leaks
from openai_lint.link.policies import around_function
from openai_lint.link.predicates import Predicate
from openai_lint.link.sums import UNKNOWN, Item, Sums, single, truthy
from openai_lint.link.tokens import leaks_of
from openai_lint.link.values import Bound, Display, External, Frame, FunctionRef, Value, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.walk import Walk


class Answers:
    """Notes, in the final walk, which errors come back by their answer."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def of(self, function: facts.Function, walk: "Walk") -> None:
        """What a walked function gives for errors that it has caught, and which policies around it ask again."""
        record = self._engine.record
        for policy in record.decorators.get(function, ()):
            tests = list(_by_result(policy.retries))
            for leaks, item in self._given(function, walk) if tests else ():
                if any(self._holds(test, item) for test in tests):
                    for leak in leaks:
                        record.policy(leak, around_function(policy, function))

    @staticmethod
    def _given(function: facts.Function, walk: "Walk") -> Iterator[tuple[Leaks, Item]]:
        for live, values, node in walk.returned:
            yield leaks_of(live), None if node is None else _item(values)
        if walk.fell and isinstance(function.body[-1], facts.Try):
            yield frozenset(walk.fallen), None  # nothing comes behind the handlers

    def _holds(self, test: Predicate, item: Item) -> bool:
        return self._answer(test.function, item) is test.wanted

    def _answer(self, function: Value | None, item: Item) -> Item:
        """What a function says of an answer, as far as one expression tells."""
        offset = 0
        while isinstance(function, Bound):
            function, offset = function.function, offset + 1
        if isinstance(function, External) and function.path == "operator.not_":
            known = truthy(item)
            return not known if isinstance(known, bool) else known
        if not isinstance(function, FunctionRef) or len(function.function.params) <= offset:
            return UNKNOWN
        match function.function.body:
            case (*_, facts.Return(value=facts.Expr() as told)):
                frame = Frame(function.parent.module, function.function, function.parent)
                return Sums(self._engine, frame, {function.function.params[offset].name: item}).truth(told)
            case _:
                return UNKNOWN


def _by_result(predicate: Predicate) -> Iterator[Predicate]:
    if predicate.kind == "result":
        yield predicate
    elif predicate.kind == "or":
        for part in predicate.parts:
            yield from _by_result(part)


def _item(values: Values) -> Item:
    """A constant, or an empty list, as what it counts for."""
    if len(values) == 1 and all(isinstance(value, Display) and not value.items for value in values):
        return False
    return single(values)
