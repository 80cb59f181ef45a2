"""In which frame a call runs a function: one for each set of arguments that makes a difference."""

from typing import TYPE_CHECKING, TypeGuard

from openai_lint.facts import Const, Expr, Function
from openai_lint.link import library
from openai_lint.link.arguments import Arguments, assigned
from openai_lint.link.cells import ParamCell
from openai_lint.link.index import ScopeInfo
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    ClassRef,
    Display,
    External,
    Frame,
    FunctionRef,
    Instance,
    Literal,
    Value,
    Values,
    literal,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

DEEPEST = 7
"""Frames nested in one another beyond this are run without their arguments."""

MOST_FRAMES = 16
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
        told: list[tuple[str, Values]] = []
        given = assigned(function, args)
        for param in function.params:
            if is_number(param.default) and param.name not in given:
                self._tell(function, param.name, literal(param.default.value), caller)
        for name, values in given.items():
            if name == receiver:
                inherited = self._inherited(values, scope, generic)
                if inherited:
                    bound.append((name, inherited))
                continue
            used = self._engine.uses.of(function, name)
            wanted = frozenset(value for value in values if used.wants(value))
            if wanted:
                bound.append((name, wanted | (values & ANYTHING)))
            if values:
                told.append((name, values))
                if used.keeps or not wanted:
                    self._tell(function, name, values, caller)
        if not bound:
            return generic
        target = Frame(module, function, ref.parent, tuple(sorted(bound, key=lambda item: item[0])))
        frames = self._made.setdefault(function, set())
        if target not in frames and (len(frames) >= MOST_FRAMES or target.depth > DEEPEST):
            for name, values in told:
                self._tell(function, name, values, caller)
            return generic
        frames.add(target)
        return target

    def _tell(self, function: Function, name: str, values: Values, caller: Frame) -> None:
        """Let every frame without this argument know what callers pass."""
        if not caller.module.is_test:
            kept = frozenset(value for value in values if not is_text(value))
            self._engine.solver.contribute(ParamCell(function, name), kept or ANYTHING)

    def _inherited(self, values: Values, scope: ScopeInfo, frame: Frame) -> Values:
        """The receivers of a method, where some are objects of other classes than its own."""
        own = self._engine.evaluator.class_ref(scope.owner, frame) if scope.owner is not None else None
        if all(getattr(value, "cls", value) == own for value in values if isinstance(value, (Instance, ClassRef))):
            return NOTHING
        return frozenset(Instance(value.cls, False) if isinstance(value, Instance) else value for value in values)


def is_number(default: Expr | None) -> TypeGuard[Const]:
    """Whether a parameter's default is a number: callers that leave it out are told apart from those that do not."""
    return isinstance(default, Const) and type(default.value) in (int, float)


def is_text(value: Value) -> bool:
    """Strings and displays passed as arguments tell nothing about errors; there are very many of them."""
    if isinstance(value, Display):
        return not _holds_classes(value)
    return isinstance(value, Literal) and not isinstance(value.value, (int, float, type(None)))


def _holds_classes(value: Display) -> bool:
    """Whether a display is a tuple of classes: errors to catch, most of the time."""
    held = [item for _, found in value.items for item in found]
    return value.kind != "dict" and bool(held) and all(isinstance(item, (External, ClassRef)) for item in held)
