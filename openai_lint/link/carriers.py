"""Under which names other code gets at what lets errors out: the words by which callers are looked for.

A caller names the function, or the attribute or variable that holds it (or its coroutine, or an error that was kept),
the class whose special methods run it, or a function that gives any of these.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from openai_lint.escapes import Leaks
from openai_lint.facts import Class, Function
from openai_lint.link import running
from openai_lint.link.cells import CaughtCell, GivesCell, NameCell, RunCell
from openai_lint.link.index import BY_NAME
from openai_lint.link.values import (
    Bound,
    Caught,
    ClassRef,
    ContextFunction,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Group,
    Instance,
    Kept,
    Later,
    Managed,
    Partial,
    Resource,
    Retried,
    Value,
    Values,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo, ScopeInfo, Store

MAKERS = frozenset({"__init__", "__new__", "__post_init__"})
"""The special methods that run when an object is made: of the very class that is called."""

Wanted: TypeAlias = "tuple[str, str | None]"
"""A name that callers use, and the file from which they must have it; None where they get at it through an object."""


class Carriers:
    """The names as they stand at one point of the solution.

    What ``tests`` let out matters to tests alone, and no test decides where an error of other code ends.
    """

    def __init__(self, engine: "Engine", tests: bool) -> None:
        self._engine = engine
        self._tests = tests
        self._runs = list(self._frames())
        self._leaky = {frame.function for frame, leaks in self._runs if leaks and isinstance(frame.function, Function)}
        self.functions: set[Function] = set(self._leaky)
        """The functions that let something out or, once ``names`` was asked for, give what does."""
        self._unasked: dict[Frame, bool] = {}
        self._special: dict[Class, set[Function]] = {}
        self._above: set[Class] = set()
        """The bases of such classes: an object that is declared as one of them may be theirs."""
        for frame, leaks in self._runs:
            if leaks and isinstance(frame.function, Function) and self._unnamed(frame.function, frame.module):
                owner = frame.module.scope_of(frame.function).owner
                if owner is not None and isinstance(owner.node, Class):
                    self._special.setdefault(owner.node, set()).add(frame.function)
                    if frame.function.name not in MAKERS:
                        cls = engine.evaluator.class_ref(
                            owner, engine.generic_frame(frame.module.scope_of(frame.function))
                        )
                        bases = engine.hierarchy.mro(cls)
                        self._above |= {base.node for base in bases if isinstance(base, ClassRef)}

    def _frames(self) -> Iterator[tuple[Frame, Leaks]]:
        for cell, leaks in self._engine.solver.values():
            if isinstance(cell, RunCell):
                mine = frozenset(leak for leak in leaks if leak.site.module.is_test is self._tests)
                if cell.frame.module.is_test is self._tests or (self._tests and mine):
                    yield cell.frame, mine

    def _unnamed(self, function: Function, module: "ModuleInfo") -> bool:
        """Whether a method is run without being named: a special one, or one that a library's base class calls."""
        if function.name.startswith("__") and function.name.endswith("__"):
            return True
        if function.name not in running.RUN_ELSEWHERE.values():
            return False
        owner = module.scope_of(function).owner
        if owner is None:
            return False
        frame = self._engine.generic_frame(module.scope_of(function))
        bases = self._engine.hierarchy.mro(self._engine.evaluator.class_ref(owner, frame))
        return any(
            isinstance(base, External) and path.rpartition(".")[0] == base.path and name == function.name
            for base in bases
            for path, name in running.RUN_ELSEWHERE.items()
        )

    def names(self) -> set[Wanted]:
        """Every name that a caller may use."""
        self._decorate()
        unnamed = {function for functions in self._special.values() for function in functions}
        found = self._makers()
        for scope in self._by_name():
            if isinstance(scope.node, Function):
                self.functions.add(scope.node)
                found.add(self._wanted(scope.node.name, scope))
        for frame, leaks in self._runs:
            function = frame.function
            if not isinstance(function, Function):
                continue
            if not leaks and (
                self._any(self._engine.solver.read(GivesCell(frame)).returns) or self._fills(function, frame)
            ):
                self.functions.add(function)
            if function in self.functions and function not in unnamed and function.name != "<lambda>":
                found.add(self._wanted(function.name, frame.module.scope_of(function)))
        if self._special:
            found |= {
                self._wanted(cls.node.name, cls.parent.module.scope_of(cls.node))
                for cls in self._engine.classes()
                if self._runs_by_itself(cls)
            }
        return found | self._places({frame.module.scope_of(frame.function) for frame, _ in self._runs} | self._given())

    def _by_name(self) -> "set[ScopeInfo]":
        """The methods that may get at one of these by a name that they make (``getattr(self, f"do_{name}")``)."""
        engine = self._engine
        classes: set[ClassRef] = set()
        for frame, leaks in self._runs:
            scope = frame.module.scope_of(frame.function)
            if leaks and scope.owner is not None and isinstance(scope.owner.node, Class):
                classes.add(engine.evaluator.class_ref(scope.owner, engine.generic_frame(scope)))
        bases = {base for cls in classes for base in engine.hierarchy.mro(cls) if isinstance(base, ClassRef)}
        methods = (method for base in bases for method in base.parent.module.scopes[base.node].children)
        return {scope for scope in methods if BY_NAME in scope.mentions and isinstance(scope.node, Function)}

    def _wanted(self, name: str, scope: "ScopeInfo") -> Wanted:
        """A name that is bound around a scope; a test gets at others' names without importing them, as fixtures."""
        member = scope.parent is not None and isinstance(scope.parent.node, Class)
        return name, None if member or self._tests else scope.module.path

    def _given(self) -> "set[ScopeInfo]":
        """The functions that were asked what they give, but not run: decorators keep what they are given, too."""
        return {
            cell.frame.module.scope_of(cell.frame.function)
            for cell, _ in self._engine.solver.values()
            if isinstance(cell, GivesCell) and cell.frame.module.is_test is self._tests
        }

    def _fills(self, function: Function, frame: Frame) -> bool:
        """Whether a function puts a carrier into a container that it is given."""
        filled = frame.module.scope_of(function).filled()
        return any(self._any(self._engine.solver.read(NameCell(frame, name))) for name in filled)

    def _decorate(self) -> None:
        """Let decorators do what they do with the carriers: they often keep them in a table."""
        engine = self._engine
        for frame in {frame for frame, leaks in self._runs if leaks and isinstance(frame.function, Function)}:
            scope: ScopeInfo | None = frame.module.scope_of(frame.function)
            while scope is not None and scope.parent is not None:
                if isinstance(scope.node, (Function, Class)) and scope.node.decorators:
                    engine.solver.read(NameCell(engine.generic_frame(scope.parent), scope.node.name))
                scope = scope.parent if isinstance(scope.parent.node, Class) else None

    def _makers(self) -> set[Wanted]:
        """The classes whose objects have a method that lets errors out: who makes one may pass it on."""
        owners = (frame.module.scope_of(frame.function).owner for frame, leaks in self._runs if leaks)
        return {
            self._wanted(owner.node.name, owner)
            for owner in owners
            if owner is not None and isinstance(owner.node, Class)
        }

    def _places(self, scopes: "Iterable[ScopeInfo]") -> set[Wanted]:
        """Variables of modules and classes, and attributes, in which these scopes keep a carrier."""
        engine = self._engine
        found: set[Wanted] = set()
        run = set(scopes)
        for scope in run:
            if not isinstance(scope.node, Function):
                frame = engine.generic_frame(scope)
                for name, bindings in scope.bindings.items():
                    kept = any(item.kind in ("value", "into") for item in bindings)
                    if kept and self._any(engine.solver.read(NameCell(frame, name))):
                        found.add(self._held(name, scope))
        for module in engine.modules.loaded:
            for put in module.puts:
                wanted = self._held(put.name, put.owner)
                if isinstance(put.owner.node, Function) or wanted in found:
                    continue
                if self._any(engine.solver.read(NameCell(engine.generic_frame(put.owner), put.name))):
                    found.add(wanted)
        for module in engine.modules.loaded:
            found |= {(attr, None) for attr in module.given if self._any(engine.lookup.given(attr))}
        for module in {scope.module for scope in run}:
            for store in module.stores:
                if store.scope not in run or (store.attr, None) in found or not self._readable(store):
                    continue
                if self._any(engine.evaluator.bound(store.binding, engine.generic_frame(store.scope), store.scope)):
                    found.add((store.attr, None))
        return found

    def _held(self, name: str, scope: "ScopeInfo") -> Wanted:
        """A variable of a module or a class."""
        return name, None if self._tests or scope.parent is not None else scope.module.path

    def _readable(self, store: "Store") -> bool:
        """Whether what is stored can be found again: on an object of the project, not on something of a library."""
        frame = self._engine.generic_frame(store.scope)
        return any(isinstance(base, (Instance, ClassRef)) for base in self._engine.evaluator.value(store.target, frame))

    def _any(self, values: Values) -> bool:
        return any(self._carries(value) for value in values)

    def _carries(self, value: Value) -> bool:
        """Whether using a value later may let an error out."""
        match value:
            case Display():
                return any(self._any(inner) for _, inner in value.items)
            case FunctionRef():
                closes = value.function.name == "<lambda>" or self._closes_over_one(value.parent)
                return value.function in self._leaky or (closes and self._uncalled(value))
            case Bound() | Partial() | Retried() | Managed() | ContextFunction():
                return self._carries(value.function)
            case Resource():
                return self._engine.api.method_of(value) is not None
            case Deferred():
                return self._fails_later(value)
            case Kept():
                return True
            case Caught():
                return bool(self._engine.solver.known(CaughtCell(value.frame, value.handler)))
            case ClassRef():
                return self._runs_by_itself(value)
            case Instance():
                return self._runs_by_itself(value.cls)
            case _:
                return False

    def _closes_over_one(self, frame: Frame | None) -> bool:
        """Whether a function around was given a carrier: a decorator called with an SDK method."""
        while frame is not None:
            if any(self._any(values) for _, values in frame.bound):
                return True
            frame = frame.parent
        return False

    def _uncalled(self, value: FunctionRef) -> bool:
        """Whether a function that nobody may have called yet lets errors out, or gives what does."""
        frame = Frame(value.parent.module, value.function, value.parent)
        if frame not in self._unasked:
            self._unasked[frame] = False
            solver = self._engine.solver
            self._unasked[frame] = bool(solver.read(RunCell(frame))) or self._any(solver.read(GivesCell(frame)).returns)
        return self._unasked[frame]

    def _fails_later(self, value: Deferred) -> bool:
        source = value.source
        if isinstance(source, Frame):
            return bool(self._engine.solver.read(RunCell(source)))
        if isinstance(source, Group):
            return self._any(source.members)
        return self._carries(source.function) if isinstance(source, Later) else True

    def _runs_by_itself(self, cls: ClassRef) -> bool:
        """Whether a special method of a class (``__init__``, ``__call__``, ``__iter__`` ...) lets errors out."""
        order = self._engine.hierarchy.mro(cls) if self._special else ()
        return cls.node in self._above or any(
            isinstance(item, ClassRef) and item.node in self._special for item in order
        )
