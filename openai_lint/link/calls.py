"""What a call does: which function runs in which frame, what that raises here, and what it gives."""

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import NO_LEAKS, Leaks
from openai_lint.facts import Class, Expr, Function
from openai_lint.link import library
from openai_lint.link.arguments import Arguments, fits
from openai_lint.link.cells import AttrCell, Gives, GivesCell, Outcome, RunCell
from openai_lint.link.index import ModuleInfo
from openai_lint.link.lending import lend
from openai_lint.link.values import (
    ANYTHING,
    CALLABLE,
    NOTHING,
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
    Group,
    Instance,
    Literal,
    Managed,
    ModuleRef,
    Partial,
    Policied,
    Resource,
    Retried,
    Super,
    Symbolic,
    Value,
    Values,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

MOST_NAMESAKES = 3
"""A call on an unknown receiver reaches the project's methods of that name if at most this many classes have one; a
class with those that override its method counts once."""


class Calls:
    """Applies callables to arguments."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.quiet = False

    # --- call expressions

    def call(self, node: facts.Call, frame: Frame) -> Outcome:
        """The outcome of a call expression, without that of evaluating its arguments."""
        memo = self._engine.call_memo
        key = (node, frame, self.quiet)
        if key not in memo:
            memo[key] = Outcome()
            memo[key] = self._call(node, frame)
        return memo[key]

    def _call(self, node: facts.Call, frame: Frame) -> Outcome:
        if isinstance(node.func, facts.Name) and node.func.id == "super":
            found = self._super(frame)
            if found is not None:
                return Outcome(NO_LEAKS, found)
        callees = self._engine.evaluator.value(node.func, frame)
        args = self.arguments(node, frame)
        result = Outcome()
        for callee in callees:
            lend(self._engine, callee, node.args, frame)
            result = result | self.apply(callee, args, frame, node)
        return result

    def arguments(self, node: facts.Call, frame: Frame) -> Arguments:
        """The values of a call's arguments."""
        args = Arguments()
        for arg in node.args:
            values = self._engine.evaluator.value(arg.value, frame)
            if arg.star == "*":
                displays = [value for value in values if isinstance(value, Display)]
                ordered = displays and displays[0].kind != "table"
                if len(values) == 1 and ordered and all(isinstance(key, int) for key, _ in displays[0].items):
                    args.positional += [found for _, found in displays[0].items]
                else:
                    args.open_positional = True
                    args.positional.append(self._engine.evaluator.items(values))
            elif arg.star == "**":
                known = False
                for value in values:
                    if isinstance(value, Display):
                        args.keywords.update({str(key): found for key, found in value.items if isinstance(key, str)})
                        known = all(isinstance(key, str) for key, _ in value.items)
                args.open_keywords = args.open_keywords or not known
            elif arg.keyword is not None:
                args.keywords[arg.keyword] = values
            else:
                args.positional.append(values)
        return args

    def _super(self, frame: Frame) -> Values | None:
        current: Frame | None = frame
        while current is not None and current.function is not None:
            scope = current.module.scope_of(current.function)
            owner = scope.owner
            if owner is not None:
                name = scope.first_parameter()
                receivers = self._engine.evaluator.name(name, current) if name else NOTHING
                cls = self._engine.evaluator.class_ref(owner, current)
                found = NOTHING
                for receiver in receivers:
                    if isinstance(receiver, Instance):
                        found |= one(Super(cls, receiver))
                    elif isinstance(receiver, ClassRef):
                        found |= one(Super(cls, Instance(receiver, False)))
                return found
            current = current.parent
        return None

    # --- applying a value

    def apply(self, callee: Value, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """What calling one value with these arguments does."""
        engine = self._engine
        match callee:
            case FunctionRef():
                return self.run(callee, args, frame, node)
            case Bound(function=External() as method):
                return engine.externals.method(method.path, callee.receiver, args, frame, node)
            case Bound():
                given = replace(args, positional=[one(callee.receiver), *args.positional])
                return self.apply(callee.function, given, frame, node)
            case Partial():
                merged = Arguments(
                    [*callee.args, *args.positional],
                    dict(callee.keywords) | args.keywords,
                    args.open_positional,
                    args.open_keywords,
                )
                return self.apply(callee.function, merged, frame, node)
            case Managed():
                return self.managed(callee, self.apply(callee.function, args, frame, node))
            case Retried():
                return engine.policies.around(callee.policy, self.apply(callee.function, args, frame, node))
            case ContextFunction():
                return self._context(callee, args, frame, node)
            case ClassRef():
                return self._construct(callee, args, frame, node)
            case Instance():
                called = engine.evaluator.attribute(callee, "__call__", frame)
                return (
                    self._apply_all(called - ANYTHING, args, frame, node)
                    if called - ANYTHING
                    else self.unknown(args, frame, node)
                )
            case Resource() | Client():
                return (
                    engine.api.invoke(callee, args, frame, node)
                    if isinstance(callee, Resource)
                    else Outcome(NO_LEAKS, ANYTHING)
                )
            case External():
                return engine.externals.function(callee.path, args, frame, node)
            case Symbolic() | Policied():
                return engine.policies.call(callee, args, frame, node)
            case ModuleRef() | Caught() | Deferred() | Literal() | Display() | ContextFrame():
                return Outcome(NO_LEAKS, ANYTHING)
            case _:
                return self.unknown(args, frame, node)

    def managed(self, callee: Managed, outcome: Outcome) -> Outcome:
        """What is left of a call inside a manager: of what it raises at once, and of the coroutine that it gives."""
        from openai_lint.link.managers import through

        if not asynchronous(callee.manager):
            return Outcome(through(self._engine, callee, outcome.leaks), outcome.values)
        values: Values = NOTHING
        for value in outcome.values:
            waits = isinstance(value, Deferred) and value.on == "await"
            values |= one(Deferred("await", Group(one(value), inside=callee))) if waits else one(value)
        return Outcome(outcome.leaks, values)

    def _apply_all(self, callees: Values, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        result = Outcome()
        for callee in callees:
            result = result | self.apply(callee, args, frame, node)
        return result

    def invoke(self, callees: Values, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """Call whatever these values are, awaiting and iterating nothing."""
        return self._apply_all(callees - ANYTHING, args, frame, node)

    def unknown(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """A call whose callee is not known: namesakes in the project, or code that runs what it is given."""
        engine = self._engine
        if isinstance(node, facts.Call) and isinstance(node.func, facts.Attr):
            receiver = engine.evaluator.value(node.func.value, frame)
            if not receiver - ANYTHING:
                namesakes = self.namesakes(node.func.attr, frame.module)
                fitting = frozenset(value for value in namesakes if isinstance(value, CALLABLE) and _fits(value, args))
                if fitting:
                    return self._apply_all(fitting, args, frame, node)
            if node.func.attr == "__init__":
                args = self._besides_fields(receiver, args)
            return engine.externals.function(f"?.{node.func.attr}", args, frame, node)
        name = library.written(node.func) if isinstance(node, facts.Call) else ""
        return engine.externals.function(f"?.{name}", args, frame, node)

    def _besides_fields(self, receiver: Values, args: Arguments) -> Arguments:
        """What ``super().__init__(...)`` passes to a base that is not seen, but for the fields of the class itself."""
        fields = {
            name for value in receiver if isinstance(value, Super) for _, name in self._fields(value.receiver.cls)
        }
        return replace(args, keywords={name: values for name, values in args.keywords.items() if name not in fields})

    def namesakes(self, name: str, caller: ModuleInfo) -> Values:
        """The methods of that name which a call on an unknown receiver may mean: few, and near the code that calls."""
        if name.startswith("__") or name in library.COMMON_METHODS:
            return NOTHING
        found = self._engine.methods_named(name)
        if len(found) > MOST_NAMESAKES:
            found = self._families(found, name)
        if not found or len(found) > MOST_NAMESAKES:
            return NOTHING
        result = NOTHING
        for cls in found:
            if not self._engine.modules.near(caller, cls.parent.module):
                continue
            result |= self._engine.evaluator.attribute(Instance(cls, False), name, Frame(cls.parent.module, None))
        # What a property gives is no method, and nothing to tell apart from any other value of that name.
        return frozenset(value for value in result if isinstance(value, (FunctionRef, Bound, Partial, Retried)))

    def _families(self, classes: list[ClassRef], name: str) -> list[ClassRef]:
        """The classes that define a method first: a call through one of these means the methods of all below it."""
        found: dict[ClassRef, None] = {}
        for cls in classes:
            above = [item for item in self._engine.hierarchy.mro(cls) if isinstance(item, ClassRef)]
            first = [item for item in above if self._engine.hierarchy.own_method(item, name) is not None]
            found.setdefault(first[-1] if first else cls)
        return list(found)

    # --- functions of the project

    def run(self, ref: FunctionRef, args: Arguments, frame: Frame, node: Expr | None) -> Outcome:
        """Run a function of the project; what fails later comes as a deferred value."""
        target = self._engine.frames.of(ref, args, frame)
        self._engine.record.edge(frame, target, node)
        return self.activate(target)

    def activate(self, target: Frame) -> Outcome:
        """What calling the function of a frame does there and then."""
        function = target.function
        if not isinstance(function, Function):
            return Outcome()
        if function.is_generator:
            return Outcome(NO_LEAKS, one(Deferred("iterate", target)))
        if function.is_async:
            return Outcome(NO_LEAKS, one(Deferred("await", target)))
        return Outcome(self.lets_out(target), self.gives(target).returns)

    def gives(self, target: Frame) -> Gives:
        """What running a frame gives."""
        return self._engine.solver.read(GivesCell(target))  # type: ignore[no-any-return]

    def lets_out(self, target: Frame) -> Leaks:
        """What running a frame lets out; nothing while only values are asked for."""
        return NO_LEAKS if self.quiet else self._engine.solver.read(RunCell(target))

    def _construct(self, cls: ClassRef, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """Make an object of a project class."""
        client = self._engine.api.client_of_class(cls, "subclass")
        instance = Instance(cls, True)
        leaks = NO_LEAKS
        found = self._engine.hierarchy.method(cls, "__init__") or self._engine.hierarchy.method(cls, "__new__")
        if found is not None:
            owner, function = found
            given = replace(args, positional=[one(instance), *args.positional])
            values = self._engine.evaluator.name(function.name, self._engine.hierarchy.class_frame(owner))
            for value in values:
                if isinstance(value, (FunctionRef, Retried, Managed)):
                    leaks |= self.apply(value, given, frame, node).leaks
        else:
            self._fill_fields(cls, args, frame)
            post = self._engine.hierarchy.method(cls, "__post_init__")
            if post is not None:
                leaks |= self.run(FunctionRef(post[1], post[0].parent), Arguments([one(instance)]), frame, node).leaks
        if client is not None:
            return Outcome(leaks, one(instance) | one(client))
        return Outcome(leaks, one(instance))

    def _fill_fields(self, cls: ClassRef, args: Arguments, frame: Frame) -> None:
        """A class without ``__init__`` (dataclass, pydantic, attrs): arguments go to its annotated fields."""
        if frame.module.is_test:
            return
        fields = self._fields(cls)
        names = {name: item for item, name in fields}
        given = {name for (_, name), _ in zip(fields, args.positional, strict=False)} | args.keywords.keys()
        for item, name in fields:
            if name not in given:
                self._fill_field(item, name, self._engine.lookup.default(item, name))
        for (item, name), values in zip(fields, args.positional, strict=False):
            self._fill_field(item, name, values)
        for name, values in args.keywords.items():
            if name in names:
                self._fill_field(names[name], name, values)

    def _fill_field(self, cls: ClassRef, name: str, values: Values) -> None:
        cell = AttrCell(cls, name)
        self._engine.solver.read(cell)  # first what methods store there: a cell that was given something is known
        self._engine.solver.contribute(cell, values)

    def _fields(self, cls: ClassRef) -> list[tuple[ClassRef, str]]:
        """The annotated names of a class and its bases, those of bases first."""
        return [
            (item, name)
            for item in reversed(self._engine.hierarchy.mro(cls))
            if isinstance(item, ClassRef)
            for name, bound in item.parent.module.scopes[item.node].bindings.items()
            if any(binding.annotation is not None for binding in bound)
        ]

    def call_property(self, ref: FunctionRef, receiver: Value, frame: Frame) -> Values:
        """The value of a property of an object."""
        if isinstance(receiver, ClassRef):
            return ANYTHING
        outcome = self.run(ref, Arguments([one(receiver)]), frame, None)
        return outcome.values

    def property_leaks(self, base: Value, attr: str, frame: Frame) -> Outcome:
        """What reading ``base.attr`` raises, when that is a property written in the project."""
        result = Outcome()
        for ref, receiver in self._engine.lookup.properties(base, attr):
            result = result | self.run(ref, Arguments([one(receiver)]), frame, None)
        return result

    def _context(self, callee: ContextFunction, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        inner = callee.function
        given = args
        if isinstance(inner, Bound):
            given = replace(args, positional=[one(inner.receiver), *args.positional])
            inner = inner.function
        if isinstance(inner, FunctionRef):
            target = self._engine.frames.of(inner, given, frame)
            self._engine.record.edge(frame, target, node)
            return Outcome(NO_LEAKS, one(ContextFrame(target)))
        return Outcome(NO_LEAKS, ANYTHING)

    # --- definitions

    def defined(self, function: Function, frame: Frame) -> Values:
        """What the name of a ``def`` is after its decorators have run."""
        parent = frame
        while parent.function is not None and isinstance(parent.function, Class):
            parent = parent.parent or Frame(frame.module, None)
        current: Values = one(FunctionRef(function, parent))
        for decorator in reversed(function.decorators):
            current = self._decorate(decorator, current, function, frame)
        return current

    def defined_class(self, node: Class, frame: Frame) -> Values:
        """What the name of a ``class`` is after its decorators have run; those of libraries give back the class."""
        parent = frame
        while parent.function is not None and isinstance(parent.function, Class):
            parent = parent.parent or Frame(frame.module, None)
        current: Values = one(ClassRef(node, parent))
        for decorator in reversed(node.decorators):
            for value in self._engine.evaluator.value(decorator, frame):
                current = self._engine.externals.decorate_class(value, decorator, current, frame)
        return current

    def _decorate(self, decorator: Expr, current: Values, function: Function, frame: Frame) -> Values:
        values = self._engine.evaluator.value(decorator, frame)
        result: Values = NOTHING
        for value in values:
            result |= self._engine.externals.decorate(value, decorator, current, function, frame)
        return result


def _fits(value: Value, args: Arguments) -> bool:
    """Whether a method may be called with these arguments, as far as its signature is seen."""
    given = 0
    while isinstance(value, Bound):
        value, given = value.function, given + 1
    return not isinstance(value, FunctionRef) or fits(value.function, args, given)


def asynchronous(manager: Value) -> bool:
    """Whether a manager is entered by ``async with``."""
    if isinstance(manager, ContextFrame):
        return isinstance(manager.frame.function, Function) and manager.frame.function.is_async
    return isinstance(manager, Instance) and any(
        binding.kind == "def"
        for binding in manager.cls.parent.module.scopes[manager.cls.node].bindings.get("__aexit__", ())
    )
