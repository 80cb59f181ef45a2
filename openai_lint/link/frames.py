"""In which frame a call runs a function: one for each set of arguments that makes a difference."""

from typing import TYPE_CHECKING

from openai_lint.facts import Function
from openai_lint.link import library
from openai_lint.link.arguments import Arguments, assigned
from openai_lint.link.cells import ParamCell
from openai_lint.link.index import ScopeInfo
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    Bound,
    Caught,
    ClassRef,
    ContextFrame,
    ContextFunction,
    Deferred,
    Display,
    Frame,
    FunctionRef,
    Group,
    Instance,
    Kept,
    Literal,
    Partial,
    Request,
    Retried,
    Symbolic,
    Value,
    Values,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

DEEPEST = 7
"""Frames nested in one another beyond this are run without their arguments."""

MOST_FRAMES = 48
"""A function is run with at most this many different sets of arguments."""


class Frames:
    """Chooses frames, and remembers how many there are of each function."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._made: dict[Function, set[Frame]] = {}

    def of(self, ref: FunctionRef, args: Arguments, caller: Frame) -> Frame:
        """The frame for a call: only arguments that change what happens make a frame of its own."""
        function, module = ref.function, ref.parent.module
        generic = Frame(module, function, ref.parent)
        scope = module.scope_of(function)
        receiver = scope.first_parameter() if scope.owner is not None and not library.is_static(function) else None
        bound: list[tuple[str, Values]] = []
        for name, values in assigned(function, args).items():
            if name == receiver:
                inherited = self._inherited(values, scope, generic)
                if inherited:
                    bound.append((name, inherited))
                continue
            used = self._engine.uses.of(function, name)
            wanted = frozenset(value for value in values if used.wants(value))
            if wanted:
                bound.append((name, wanted | (values & ANYTHING)))
            if values and (used.keeps or not wanted) and not caller.module.is_test and not name.startswith("*"):
                told = frozenset(value for value in values if not is_text(value))
                self._engine.solver.contribute(ParamCell(function, name), told or ANYTHING)
        if not bound:
            return generic
        target = Frame(module, function, ref.parent, tuple(sorted(bound, key=lambda item: item[0])))
        frames = self._made.setdefault(function, set())
        if target not in frames and (len(frames) >= MOST_FRAMES or _depth(target) > DEEPEST):
            return generic
        frames.add(target)
        return target

    def _inherited(self, values: Values, scope: ScopeInfo, frame: Frame) -> Values:
        """The receivers of a method, where some are objects of other classes than its own."""
        own = self._engine.evaluator.class_ref(scope.owner, frame) if scope.owner is not None else None
        if all(getattr(value, "cls", value) == own for value in values if isinstance(value, (Instance, ClassRef))):
            return NOTHING
        return frozenset(Instance(value.cls, False) if isinstance(value, Instance) else value for value in values)


def is_text(value: Value) -> bool:
    """Strings and displays passed as arguments tell nothing about errors; there are very many of them."""
    return isinstance(value, (Literal, Display)) and not (
        isinstance(value, Literal) and isinstance(value.value, (int, float, type(None)))
    )


def _depth(frame: Frame) -> int:
    """How many frames are nested in one another in a frame's parents and arguments."""
    deepest = _depth(frame.parent) if frame.parent is not None else 0
    for _, values in frame.bound:
        for value in values:
            deepest = max(deepest, _value_depth(value))
    return deepest + 1


def _value_depth(value: object) -> int:
    match value:
        case FunctionRef():
            return _depth(value.parent)
        case Bound():
            return max(_value_depth(value.function), _value_depth(value.receiver))
        case Partial() | Retried() | ContextFunction():
            return 1 + _value_depth(value.function)
        case Deferred(source=Frame() as frame) | Caught(frame=frame) | ContextFrame(frame=frame):
            return _depth(frame)
        case Deferred(source=Group() as group):
            return 1 + max((_value_depth(member) for member in group.members), default=0)
        case Deferred(source=Request() as request):
            return 1 + max((_value_depth(member) for member in request.result), default=0)
        case Display():
            return 1 + max((_value_depth(item) for _, found in value.items for item in found), default=0)
        case Kept():
            return 1 + max((_value_depth(task) for task in value.tasks), default=0)
        case Symbolic():
            return 1 + max((_value_depth(item) for found in value.args for item in found), default=0)
        case _:
            return 0
