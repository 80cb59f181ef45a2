"""In which frame a call runs a function: one for each set of arguments that makes a difference."""

from typing import TYPE_CHECKING

from openai_lint.facts import Function, Param
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
    the_constant,
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
        self._optional: dict[Function, tuple[Param, ...]] = {}
        self.left_out: set[ParamCell] = set()
        """Parameters that some call leaves to their default."""

    def of(self, ref: FunctionRef, args: Arguments, caller: Frame) -> Frame:
        """The frame for a call: only arguments that change what happens make a frame of its own."""
        function, module = ref.function, ref.parent.module
        generic = Frame(module, function, ref.parent)
        scope = module.scope_of(function)
        receiver = scope.first_parameter() if scope.owner is not None and not library.is_static(function) else None
        bound: list[tuple[str, Values]] = []
        told: list[tuple[str, Values]] = []
        numbers: list[tuple[str, Values, bool]] = []
        given = assigned(function, args)
        self._leave_out(ref, given, caller)
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
            if used.counts and not wanted and is_number(values):
                numbers.append((name, values, used.lends))
            elif values:
                told.append((name, values))
                if used.keeps or not wanted:
                    self._tell(ref, name, values, caller)
        if bound or any(lends for _, _, lends in numbers):
            bound += [(name, values) for name, values, _ in numbers]
        else:
            for name, values, _ in numbers:
                self._tell(ref, name, values, caller)
            if not bound:
                return generic
        told += [(name, values) for name, values, _ in numbers]
        target = Frame(module, function, ref.parent, tuple(sorted(bound, key=lambda item: item[0])))
        frames = self._made.setdefault(function, set())
        if target not in frames and (len(frames) >= MOST_FRAMES or target.depth > DEEPEST):
            for name, values in told:
                self._tell(ref, name, values, caller)
            return generic
        frames.add(target)
        return target

    def _tell(self, ref: FunctionRef, name: str, values: Values, caller: Frame) -> None:
        """Let every frame without this argument know what callers pass."""
        if not caller.module.is_test:
            kept = frozenset(value for value in values if not is_text(value))
            cell = ParamCell(ref.function, name)
            self._engine.solver.contribute(cell, kept or ANYTHING)
            if cell in self.left_out:
                self._default(ref, name, cell)

    def _leave_out(self, ref: FunctionRef, given: dict[str, Values], caller: Frame) -> None:
        """Note the parameters that a call leaves to their default: where others are told, the default is one more."""
        optional = self._optional.get(ref.function)
        if optional is None:
            optional = self._optional[ref.function] = tuple(p for p in ref.function.params if p.default is not None)
        for param in optional:
            cell = ParamCell(ref.function, param.name)
            if param.name not in given and cell not in self.left_out and not caller.module.is_test:
                self.left_out.add(cell)
                if (self._engine.solver.known(cell) or NOTHING) - ANYTHING:
                    self._default(ref, param.name, cell)

    def _default(self, ref: FunctionRef, name: str, cell: ParamCell) -> None:
        default = next((p.default for p in self._optional[ref.function] if p.name == name), None)
        if default is not None:
            self._engine.solver.contribute(cell, self._engine.evaluator.value(default, ref.parent))

    def _inherited(self, values: Values, scope: ScopeInfo, frame: Frame) -> Values:
        """The receivers of a method, where some are objects of other classes than its own."""
        own = self._engine.evaluator.class_ref(scope.owner, frame) if scope.owner is not None else None
        if all(getattr(value, "cls", value) == own for value in values if isinstance(value, (Instance, ClassRef))):
            return NOTHING
        return frozenset(Instance(value.cls, False) if isinstance(value, Instance) else value for value in values)


def is_text(value: Value) -> bool:
    """Strings and displays passed as arguments tell nothing about errors; there are very many of them."""
    if isinstance(value, Display):
        return not _holds_classes(value)
    return isinstance(value, Literal) and not isinstance(value.value, (int, float, type(None)))


def _holds_classes(value: Display) -> bool:
    """Whether a display is a tuple of classes: errors to catch, most of the time."""
    held = [item for _, found in value.items for item in found]
    return value.kind != "dict" and bool(held) and all(isinstance(item, (External, ClassRef)) for item in held)


def is_number(values: Values) -> bool:
    """Whether an argument is one number."""
    found = the_constant(values)
    return isinstance(found, (int, float)) and not isinstance(found, bool)
