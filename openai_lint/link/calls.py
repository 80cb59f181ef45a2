"""What a call does: which function runs in which frame, what that raises here, and what it gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import GROUP, NO_LEAKS, Leaks
from openai_lint.facts import Class, Expr, Function
from openai_lint.link import library
from openai_lint.link.cells import AttrCell, Gives, GivesCell, Outcome, ParamCell, RunCell
from openai_lint.link.index import ScopeInfo
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    UNKNOWN,
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
    Later,
    Literal,
    ModuleRef,
    Partial,
    Policied,
    Request,
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

DEEPEST = 7
"""Frames nested in one another beyond this are run without their arguments."""

MOST_FRAMES = 48
"""A function is run with at most this many different sets of arguments."""

MOST_NAMESAKES = 3
"""A call on an unknown receiver reaches the project's methods of that name if at most this many classes have one."""


@dataclass(slots=True)
class Arguments:
    """The evaluated arguments of a call. ``open_*``: there may be more than are listed (``*args``, ``**kwargs``)."""

    positional: list[Values] = field(default_factory=list)
    keywords: dict[str, Values] = field(default_factory=dict)
    open_positional: bool = False
    open_keywords: bool = False

    def at(self, position: int, *names: str) -> Values | None:
        """The argument at a position or under one of the names."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.positional[position] if 0 <= position < len(self.positional) else None

    def all(self) -> list[Values]:
        """Every argument."""
        return [*self.positional, *self.keywords.values()]

    def named(self) -> tuple[tuple[str, Values], ...]:
        """The keyword arguments, sorted, as a hashable value."""
        return tuple(sorted(self.keywords.items(), key=lambda item: item[0]))

    def after(self, count: int) -> "Arguments":
        """Without the first positional arguments (those that say what to call)."""
        return Arguments(self.positional[count:], self.keywords, self.open_positional, self.open_keywords)


class Calls:
    """Applies callables to arguments."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._frames: dict[Function, set[Frame]] = {}
        self.quiet = False
        self._triggering: set[tuple[str, Value]] = set()

    # --- call expressions

    def call(self, node: facts.Call, frame: Frame) -> Outcome:
        """The outcome of a call expression, without that of evaluating its arguments."""
        memo = self._engine.call_memo
        key = (node, frame, self.quiet)
        if key not in memo:
            memo[key] = Outcome()
            memo[key] = self._call(node, frame)
        return memo[key]

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Ask for values only: no function is run for what it lets out."""
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before

    def _call(self, node: facts.Call, frame: Frame) -> Outcome:
        if isinstance(node.func, facts.Name) and node.func.id == "super":
            found = self._super(frame)
            if found is not None:
                return Outcome(NO_LEAKS, found)
        callees = self._engine.evaluator.value(node.func, frame)
        args = self.arguments(node, frame)
        result = Outcome()
        for callee in callees:
            result = result | self.apply(callee, args, frame, node)
        return result

    def arguments(self, node: facts.Call, frame: Frame) -> Arguments:
        """The values of a call's arguments."""
        args = Arguments()
        for arg in node.args:
            values = self._engine.evaluator.value(arg.value, frame)
            if arg.star == "*":
                displays = [value for value in values if isinstance(value, Display)]
                if len(values) == 1 and displays and all(isinstance(key, int) for key, _ in displays[0].items):
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
                namesakes = self._namesakes(node.func.attr)
                if namesakes:
                    return self._apply_all(namesakes, args, frame, node)
            return engine.externals.function(f"?.{node.func.attr}", args, frame, node)
        name = library.written(node.func) if isinstance(node, facts.Call) else ""
        return engine.externals.function(f"?.{name}", args, frame, node)

    def _namesakes(self, name: str) -> Values:
        if name.startswith("__") or name in library.COMMON_METHODS:
            return NOTHING
        found = self._engine.methods_named(name)
        if not found or len(found) > MOST_NAMESAKES:
            return NOTHING
        result = NOTHING
        for cls in found:
            result |= self._engine.evaluator.attribute(Instance(cls, False), name, Frame(cls.parent.module, None))
        return result - ANYTHING

    # --- functions of the project

    def run(self, ref: FunctionRef, args: Arguments, frame: Frame, node: Expr | None) -> Outcome:
        """Run a function of the project; what fails later comes as a deferred value."""
        target = self._frame(ref, args, frame)
        self._engine.record.edge(frame, target, node)
        return self.activate(target)

    def activate(self, target: Frame) -> Outcome:
        """What calling the function of a frame does there and then."""
        function = target.function
        assert isinstance(function, Function)
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

    def _frame(self, ref: FunctionRef, args: Arguments, caller: Frame) -> Frame:
        """The frame for a call: only arguments that change what happens make a frame of its own."""
        function = ref.function
        assigned = self._assign(function, args)
        bound: list[tuple[str, Values]] = []
        scope = ref.parent.module.scope_of(function)
        receiver = scope.first_parameter() if scope.owner is not None and not library.is_static(function) else None
        for name, values in assigned.items():
            if name == receiver:
                owner = scope.owner
                assert owner is not None
                inherited = frozenset(
                    value
                    for value in values
                    if isinstance(value, (Instance, ClassRef))
                    and getattr(value, "cls", value) != self._own_class(ref, owner)
                )
                if inherited:
                    bound.append(
                        (
                            name,
                            frozenset(
                                Instance(value.cls, False) if isinstance(value, Instance) else value for value in values
                            ),
                        )
                    )
                continue
            used = self._engine.uses.of(function, ref.parent.module, name)
            if values and any(used.wants(value) for value in values):
                bound.append((name, frozenset(value for value in values if used.wants(value) or value == UNKNOWN)))
            elif values and not caller.module.is_test and not name.startswith("*"):
                told = frozenset(value for value in values if not _is_text(value))
                self._engine.solver.contribute(ParamCell(function, name), told or ANYTHING)
        generic = Frame(ref.parent.module, function, ref.parent)
        if not bound:
            return generic
        target = Frame(ref.parent.module, function, ref.parent, tuple(sorted(bound, key=lambda item: item[0])))
        frames = self._frames.setdefault(function, set())
        if target not in frames and (len(frames) >= MOST_FRAMES or _depth(target) > DEEPEST):
            return generic
        frames.add(target)
        return target

    @staticmethod
    def _assign(function: Function, args: Arguments) -> dict[str, Values]:
        """Pair arguments with parameters, as Python does; what is left over goes to ``*`` and ``**``."""
        assigned: dict[str, Values] = {}
        positional = [param for param in function.params if param.kind == "positional"]
        rest: list[Values] = []
        for index, values in enumerate(args.positional):
            if args.open_positional and index == len(args.positional) - 1:
                rest.append(values)
            elif index < len(positional):
                assigned[positional[index].name] = values
            else:
                rest.append(values)
        names = {param.name for param in function.params if param.kind in ("positional", "keyword")}
        extra: list[tuple[object, Values]] = []
        for name, values in args.keywords.items():
            if name in names:
                assigned[name] = values
            else:
                extra.append((name, values))
        for param in function.params:
            if param.kind == "*" and rest:
                known = not args.open_positional
                assigned[param.name] = one(
                    Display("tuple", tuple((index if known else None, item) for index, item in enumerate(rest)))
                )
            elif param.kind == "**" and extra:
                assigned[param.name] = one(Display("dict", tuple(extra)))
        return assigned

    def _own_class(self, ref: FunctionRef, owner: ScopeInfo) -> ClassRef:
        return self._engine.evaluator.class_ref(owner, Frame(ref.parent.module, ref.function, ref.parent))

    def _construct(self, cls: ClassRef, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """Make an object of a project class."""
        client = self._engine.api.client_of_class(cls, "subclass")
        instance = Instance(cls, True)
        leaks = NO_LEAKS
        found = self._engine.lookup.method(cls, "__init__") or self._engine.lookup.method(cls, "__new__")
        if found is not None:
            owner, function = found
            given = replace(args, positional=[one(instance), *args.positional])
            values = self._engine.evaluator.name(function.name, self._engine.lookup.class_frame(owner))
            for value in values:
                if isinstance(value, (FunctionRef, Retried)):
                    leaks |= self.apply(value, given, frame, node).leaks
        else:
            self._fill_fields(cls, args, frame)
            post = self._engine.lookup.method(cls, "__post_init__")
            if post is not None:
                leaks |= self.run(FunctionRef(post[1], post[0].parent), Arguments([one(instance)]), frame, node).leaks
        if client is not None:
            return Outcome(leaks, one(instance) | one(client))
        return Outcome(leaks, one(instance))

    def _fill_fields(self, cls: ClassRef, args: Arguments, frame: Frame) -> None:
        """A class without ``__init__`` (dataclass, pydantic, attrs): arguments go to its annotated fields."""
        if frame.module.is_test:
            return
        fields: list[tuple[ClassRef, str]] = []
        for item in reversed(self._engine.lookup.mro(cls)):
            if isinstance(item, ClassRef):
                scope = item.parent.module.scopes[item.node]
                fields += [
                    (item, name)
                    for name, bound in scope.bindings.items()
                    if any(b.annotation is not None for b in bound)
                ]
        names = {name: item for item, name in fields}
        for (item, name), values in zip(fields, args.positional, strict=False):
            self._engine.solver.contribute(AttrCell(item, name), values)
        for name, values in args.keywords.items():
            if name in names:
                self._engine.solver.contribute(AttrCell(names[name], name), values)

    def call_property(self, ref: FunctionRef, receiver: Value, frame: Frame) -> Values:
        """The value of a property of an object."""
        if isinstance(receiver, ClassRef):
            return ANYTHING
        outcome = self.run(ref, Arguments([one(receiver)]), frame, None)
        return outcome.values

    def property_leaks(self, base: Value, attr: str, frame: Frame) -> Outcome:
        """What reading ``base.attr`` raises, when that is a property written in the project."""
        if isinstance(base, Instance):
            found = self._engine.lookup.method(base.cls, attr)
            if found is not None and library.is_property(found[1]):
                return self.run(FunctionRef(found[1], found[0].parent), Arguments([one(base)]), frame, None)
        return Outcome()

    def _context(self, callee: ContextFunction, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        inner = callee.function
        given = args
        if isinstance(inner, Bound):
            given = replace(args, positional=[one(inner.receiver), *args.positional])
            inner = inner.function
        if isinstance(inner, FunctionRef):
            target = self._frame(inner, given, frame)
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
        """What the name of a ``class`` is (decorators are taken to give back the class)."""
        parent = frame
        while parent.function is not None and isinstance(parent.function, Class):
            parent = parent.parent or Frame(frame.module, None)
        return one(ClassRef(node, parent))

    def _decorate(self, decorator: Expr, current: Values, function: Function, frame: Frame) -> Values:
        values = self._engine.evaluator.value(decorator, frame)
        result: Values = NOTHING
        for value in values:
            result |= self._engine.externals.decorate(value, decorator, current, function, frame)
        return result

    # --- deferred values

    def trigger(self, on: str, values: Values) -> Outcome:
        """Await, iterate, enter or ask for the result of values."""
        result = Outcome()
        for value in values:
            if (on, value) in self._triggering:
                continue  # an iterator that gives itself
            self._triggering.add((on, value))
            try:
                result = result | self._trigger(on, value)
            finally:
                self._triggering.discard((on, value))
        return result

    def _trigger(self, on: str, value: Value) -> Outcome:
        match value:
            case Deferred():
                if value.on == on or {value.on, on} == {"await", "result"}:
                    return self._source(value)
                if value.on == "await" and on == "iterate":
                    created = self._source(value)
                    return created | self.trigger("iterate", created.values)
                if value.on == "iterate" and on == "enter":
                    return Outcome(NO_LEAKS, one(value))
                if value.on == "await" and on == "enter":
                    return Outcome(NO_LEAKS, one(value))
                return Outcome(NO_LEAKS, ANYTHING)
            case Instance():
                return self._protocol(on, value)
            case Display() if on == "iterate":
                return Outcome(NO_LEAKS, self._engine.evaluator.items(one(value)))
            case Display() if on == "await":
                return self.trigger("await", self._engine.evaluator.items(one(value)))
            case Client() | Resource() if on == "enter":
                return Outcome(NO_LEAKS, one(value))
            case ContextFrame() if on == "enter":
                return Outcome(NO_LEAKS, self.gives(value.frame).yields)
            case External() if on in ("enter", "await"):
                return Outcome(NO_LEAKS, one(value))
            case Policied() | Symbolic() if on in ("enter", "iterate"):
                return Outcome(NO_LEAKS, one(value))
            case _:
                return Outcome(NO_LEAKS, ANYTHING)

    def _protocol(self, on: str, value: Instance) -> Outcome:
        names = {
            "iterate": ("__iter__", "__aiter__", "__next__", "__anext__"),
            "enter": ("__enter__", "__aenter__"),
            "await": ("__await__",),
        }
        result = Outcome()
        for name in names.get(on, ()):
            found = self._engine.lookup.method(value.cls, name)
            if found is None:
                continue
            outcome = self.run(
                FunctionRef(found[1], found[0].parent),
                Arguments([one(value)]),
                Frame(found[0].parent.module, None),
                None,
            )
            if found[1].is_async:
                outcome = self.trigger("await", outcome.values)
            elif found[1].is_generator:
                outcome = self.trigger("iterate", outcome.values)
            result = result | outcome
            if name in ("__iter__", "__aiter__"):
                deferred = frozenset(
                    item
                    for item in outcome.values
                    if isinstance(item, Deferred) or (isinstance(item, Instance) and item != value)
                )
                result = result | self.trigger("iterate", deferred)
        if on == "enter" and not result.values - ANYTHING:
            return Outcome(result.leaks, one(value))
        return result if result.values else Outcome(result.leaks, ANYTHING)

    def _source(self, value: Deferred) -> Outcome:
        source = value.source
        self._engine.record.triggered(source)
        match source:
            case Frame():
                gives = self.gives(source)
                return Outcome(self.lets_out(source), gives.yields if value.on == "iterate" else gives.returns)
            case Request():
                return self._engine.api.request(source)
            case Group():
                return self._group(source)
            case Later():
                return self._later(source)

    def _later(self, call: Later) -> Outcome:
        """Run what was put off; a coroutine that it gives is awaited there too."""
        args = Arguments(list(call.args), dict(call.keywords))
        made = self.apply(call.function, args, call.frame, call.node)
        waiting = frozenset(value for value in made.values if isinstance(value, Deferred) and value.on == "await")
        awaited = self.trigger("await", waiting)
        return Outcome(made.leaks | awaited.leaks, (made.values - waiting) | awaited.values)

    def _group(self, group: Group) -> Outcome:
        inner = Outcome()
        for member in group.members:
            if isinstance(member, Deferred):
                inner = inner | self._source(member)
        leaks = inner.leaks
        if group.policy is not None:
            leaks = self._engine.policies.around(group.policy, inner).leaks
        if group.absorbs:
            leaks = NO_LEAKS
        if group.wraps:
            leaks = frozenset(leak._replace(raised="ExceptionGroup", form=GROUP) for leak in leaks)
        values = one(Display("list", ((None, inner.values),))) if group.collects else inner.values
        return Outcome(leaks, values)


def _is_text(value: Value) -> bool:
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
        case Symbolic():
            return 1 + max((_value_depth(item) for found in value.args for item in found), default=0)
        case _:
            return 0


__all__ = ["UNKNOWN", "Arguments", "Calls"]
