"""Branches that a function never takes in a frame: it asks whether what it was given is a coroutine function."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Block, Call, Expr, Function, If, Not, Return, Yield
from openai_lint.link import library
from openai_lint.link.blocks import inside
from openai_lint.link.values import Bound, Frame, FunctionRef, Managed, Partial, Retried, Value, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

KINDS: dict[str, Callable[[Function], bool]] = {
    "iscoroutinefunction": lambda function: function.is_async and not function.is_generator,
    "isasyncgenfunction": lambda function: function.is_async and function.is_generator,
    "isgeneratorfunction": lambda function: function.is_generator and not function.is_async,
}
"""Functions of the standard library that ask of which kind a function is."""


class Branches:
    """The exits of functions, frame by frame; most ask for no kind, and have the same in each."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._ask: dict[Function, bool] = {}

    def exits(self, frame: Frame) -> Iterable[Return | Yield]:
        """The return and yield nodes of a frame's function that the frame may come to."""
        function = frame.function
        if not isinstance(function, Function):
            return ()
        exits = self._engine.exits_of(function)
        if function not in self._ask:
            self._ask[function] = any(isinstance(item, If) and _asked(item.test) is not None for item in function.body)
        if not self._ask[function]:
            return exits
        reached: set[int] = set()
        self._go(function.body, frame, reached)
        return [node for node in exits if id(node) in reached]

    def _go(self, body: Block, frame: Frame, reached: set[int]) -> bool:
        """Note what statements hold; whether the end is reached."""
        for statement in body:
            taken = self._taken(statement, frame)
            if taken is not None:
                if not self._go(taken, frame, reached):
                    return False
                continue
            reached.update(id(node) for node in inside((statement,)))
            if isinstance(statement, Return):
                return False
        return True

    def _taken(self, statement: object, frame: Frame) -> Block | None:
        """The branch that is taken in any case."""
        if not isinstance(statement, If):
            return None
        call = _asked(statement.test)
        if call is None:
            return None
        values = self._engine.evaluator.value(call.args[0].value, frame)
        if not values:
            return ()  # it is not known yet, and what is given now would stay
        verdict = _verdict(call, values)
        if verdict is not None and isinstance(statement.test, Not):
            verdict = not verdict
        return None if verdict is None else statement.body if verdict else statement.orelse


def _asked(test: Expr) -> Call | None:
    """The question that a condition is, or denies."""
    inner = test.value if isinstance(test, Not) else test
    return inner if isinstance(inner, Call) and library.written(inner.func) in KINDS and inner.args else None


def _verdict(call: Call, values: Values) -> bool | None:
    functions = [_function(value) for value in values]
    found = {None if one is None else KINDS[library.written(call.func)](one) for one in functions}
    return found.pop() if len(found) == 1 else None


def _function(value: Value) -> Function | None:
    while isinstance(value, (Bound, Partial, Retried, Managed)):
        value = value.function
    return value.function if isinstance(value, FunctionRef) else None
