"""Retries by result: errors that a function turns into an answer, which the policy around it takes for a failure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leak, Leaks
from openai_lint.link.blocks import below, inside
from openai_lint.link.loops import LoopWatch
from openai_lint.link.policies import around_function
from openai_lint.link.predicates import Predicate
from openai_lint.link.sums import UNKNOWN, Item, Sums, single, truthy
from openai_lint.link.tokens import NORMAL, leaks_of
from openai_lint.link.translated import around, names_of, retries
from openai_lint.link.values import Bound, Display, External, Frame, FunctionRef, Literal, Value, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.walk import Walk


BESIDE = -1
"""The place among the policies that an error passes of one that is not on its way: the error has ended before."""


class Answers:
    """Notes, in the final walk, which errors come back by their answer."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._answered: dict[facts.Function, set[Leak]] = {}
        self._translated: dict[facts.Function, list[tuple[frozenset[str], Leaks]]] = {}

    def of(self, function: facts.Function, walk: "Walk") -> None:
        """What a walked function gives for errors that it has caught, and which policies around it ask again."""
        record = self._engine.record
        self._translates(function, walk)
        caught = _told(walk)
        if caught:
            self._answered.setdefault(function, set()).update(caught)
        for policy in record.decorators.get(function, ()):
            tests = list(_by_result(policy.retries))
            for leaks, item in self._given(function, walk) if tests else ():
                if any(self._holds(test, item) for test in tests):
                    for leak in leaks:
                        record.policy(leak, around_function(policy, function))

    def _translates(self, function: facts.Function, walk: "Walk") -> None:
        """Which policies around a function try again for the errors that it puts in place of the SDK's."""
        for leaks, values in walk.translated:
            names = names_of(self._engine, values)
            if names:
                self._translated.setdefault(function, []).append((names, leaks))
            for policy in self._engine.record.decorators.get(function, ()):
                if retries(policy, names):
                    for leak in leaks:
                        self._engine.record.policy(leak, around_function(policy, function))

    def loops(self) -> None:
        """Which loops ask a function again by its answer, or for the error that it raises in place of another."""
        engine = self._engine
        for function, found in self._translated.items():
            for caller, (node, module) in list(engine.record.callers.get(function, {}).items()):
                if node is None or not isinstance(caller, facts.Function):
                    continue
                frame = engine.generic_frame(module.scope_of(caller))
                for names, meant in found:
                    for loop_policy in around(engine, caller, frame, node, names, meant):
                        for leak in meant:
                            engine.record.policy(leak.passed(BESIDE), loop_policy)
        for function, leaks in self._answered.items():
            for caller, (node, module) in list(engine.record.callers.get(function, {}).items()):
                if node is None or not isinstance(caller, facts.Function):
                    continue
                frame = engine.generic_frame(module.scope_of(caller))
                for loop, statement in _around(caller.body, node):
                    policy = LoopWatch(engine, frame, loop).by_answer(statement, (leak.raised for leak in leaks))
                    if policy is not None:
                        for leak in leaks:
                            engine.record.policy(leak.passed(BESIDE), policy)

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


def _told(walk: "Walk") -> Leaks:
    """The errors that an answer tells of: it is not the one that success gives as well."""
    told: set[Leak] = set()
    nothing = bool(walk.fell) and any(node is not None for _, _, node in walk.returned)
    for live, values, _ in walk.returned:
        if NORMAL not in live or any(map(_is_nothing, values)):
            told |= leaks_of(live)
            nothing = nothing or NORMAL in live
    return frozenset(told | walk.fallen if nothing else told)


def _is_nothing(value: Value) -> bool:
    """Whether a value may stand for a failure where another stands for success."""
    return isinstance(value, Literal) or (isinstance(value, Display) and not value.items)


def _around(body: facts.Block, node: facts.Expr) -> Iterator[tuple[facts.For | facts.While, facts.Stmt]]:
    """The loops around an expression, each with the plain statement that holds it."""
    for loop in inside(body):
        if isinstance(loop, (facts.For, facts.While)):
            for statement in _run_each_time(loop.body):
                plain = isinstance(statement, (facts.Assign, facts.ExprStmt))
                if plain and any(part is node for part in below(statement)):
                    yield loop, statement


def _run_each_time(body: facts.Block) -> Iterator[facts.Stmt]:
    """The statements of a block that nothing but an error keeps from being run."""
    for statement in body:
        yield statement
        if isinstance(statement, (facts.Try, facts.With)):
            yield from _run_each_time(statement.body)
