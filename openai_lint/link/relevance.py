"""Which functions are worth running: those that can get at an API call, or at something that lets its errors out.

A project holds thousands of functions and a handful of calls. A function that names none of the words under which
errors travel, and is given nothing that carries them, lets none out; running it would only cost time.
"""

from typing import TYPE_CHECKING

from openai_lint.facts import Function
from openai_lint.link.cells import RunCell
from openai_lint.link.index import BY_NAME, ScopeInfo
from openai_lint.link.values import (
    ANYTHING,
    Bound,
    Caught,
    ClassRef,
    Client,
    ContextFrame,
    ContextFunction,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Instance,
    Kept,
    Managed,
    Partial,
    Policied,
    Resource,
    Retried,
    Super,
    Symbolic,
    Value,
    Values,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


class Relevance:
    """Decides frame by frame, and again when more words are known under which errors travel."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._names: dict[bool, set[str]] = {False: set(), True: set()}
        self._functions: set[Function] = set()
        self._roots: set[ScopeInfo] = set()
        self._mentions: dict[ScopeInfo, frozenset[str]] = {}
        self.parked: dict[RunCell, None] = {}

    def start_with(self, scope: ScopeInfo) -> None:
        """Run a scope in any case: it names a method of the SDK."""
        self._roots.add(scope)
        self._again(
            [
                cell
                for cell in self.parked
                if self._engine.runner(cell.frame.module.scope_of(cell.frame.function)) is scope
            ]
        )

    def add(self, names: set[str], functions: set[Function], tests: bool) -> None:
        """Take functions that let errors out, and names under which they and others can be got at, in tests or not."""
        new = (names - self._names[tests]) | {function.name for function in functions - self._functions}
        self._names[tests] |= names
        self._functions |= functions
        if new:
            self._again([
                cell
                for cell in self.parked
                if cell.frame.module.is_test is tests and self._concerned(cell.frame, new)
            ])  # fmt: skip

    def _concerned(self, frame: Frame, names: set[str]) -> bool:
        if not names.isdisjoint(self._mentioned(frame.module.scope_of(frame.function))):
            return True
        current: Frame | None = frame
        while current is not None:
            if current.bound:
                return True
            current = current.parent
        return False

    def _again(self, cells: list[RunCell]) -> None:
        for cell in cells:
            self._engine.solver.again(cell)

    def worth(self, cell: RunCell) -> bool:
        """Whether a frame can let anything out; one that cannot is kept in ``parked`` until more is known."""
        found = self._worth(cell.frame)
        if found:
            self.parked.pop(cell, None)
        else:
            self.parked[cell] = None
        return found

    def _worth(self, frame: Frame) -> bool:
        scope = frame.module.scope_of(frame.function)
        if self._engine.runner(scope) in self._roots or self._is_given_something(frame):
            return True
        outer = frame.parent
        if outer is not None and isinstance(outer.function, Function) and self._worth(outer):
            return True  # it sees whatever the function around it holds
        mentioned = self._mentioned(scope)
        hot = self._names[frame.module.is_test] & mentioned
        return BY_NAME in mentioned or any(self._reaches(name, scope, frame) for name in hot)

    def _is_given_something(self, frame: Frame) -> bool:
        current: Frame | None = frame
        while current is not None:
            if any(self._any(values) for _, values in current.bound):
                return True
            current = current.parent
        return False

    def _mentioned(self, scope: ScopeInfo) -> frozenset[str]:
        """The words of a scope and of what is defined in it."""
        found = self._mentions.get(scope)
        if found is None:
            inner = [self._mentioned(child) for child in scope.children]
            found = self._mentions[scope] = frozenset(scope.mentions | scope.words).union(*inner)
        return found

    def _reaches(self, name: str, scope: ScopeInfo, frame: Frame) -> bool:
        """Whether a mention of a name here may mean what lets errors out under that name."""
        if name in scope.words or name not in scope.mentions:
            return True  # found by its name, or used in what is defined here
        evaluator = self._engine.evaluator
        for node in scope.attributes.get(name, ()):
            base = evaluator.value(node.value, frame)
            if name in self._engine.property_names and any(isinstance(item, (Instance, Super)) for item in base):
                return True
            values = evaluator.value(node, frame)
            if self._any(values) or (not base - ANYTHING and self._engine.calls.namesakes(name, frame.module)):
                return True
            if any(isinstance(item, External) for item in base) and self._any(self._engine.lookup.given(name)):
                return True  # an object that a library makes of what it is told (argparse's arguments)
        return self._any(evaluator.name(name, frame))

    def _is_known(self, name: str) -> bool:
        return any(name in names for names in self._names.values())

    def _any(self, values: Values) -> bool:
        return any(self._carries(value) for value in values)

    def _goes_on(self, ref: FunctionRef, held: Instance) -> bool:
        """Whether a method goes on by ``super()`` to one that lets errors out: which one is the object's to say."""
        if "super" not in ref.parent.module.scope_of(ref.function).mentions:
            return False
        hierarchy = self._engine.hierarchy
        behind = (cls for cls in hierarchy.mro(held.cls) if isinstance(cls, ClassRef))
        return any(hierarchy.own_method(cls, ref.function.name) in self._functions for cls in behind)

    def _carries(self, value: Value) -> bool:
        match value:
            case FunctionRef():
                known = value.function in self._functions or value.function.name == "<lambda>"
                return known or self._is_given_something(value.parent)
            case Bound(function=External()):
                return self._carries(value.receiver)
            case Bound(function=FunctionRef() as ref, receiver=Instance() as held):
                return self._carries(ref) or self._goes_on(ref, held)
            case Bound() | Partial() | Retried() | Managed() | ContextFunction():
                return self._carries(value.function)
            case ClassRef():
                return self._is_known(value.node.name)
            case Instance():
                return self._is_known(value.cls.node.name)
            case Display():
                return any(self._any(found) for _, found in value.items)
            case Client() | Resource() | Deferred() | Caught() | Kept() | Symbolic() | Policied() | ContextFrame():
                return True
            case _:
                return False
