"""What happens when something put off is awaited, iterated, entered or asked for its result."""

from typing import TYPE_CHECKING

from openai_lint.escapes import GROUP, NO_LEAKS
from openai_lint.link.arguments import Arguments
from openai_lint.link.cells import Outcome
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    Client,
    ContextFrame,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Group,
    Instance,
    Kept,
    Later,
    Lazy,
    Policied,
    Request,
    Resource,
    Symbolic,
    Value,
    Values,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


class Triggers:
    """Runs deferred values, and the methods that stand for them in the project's own classes."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._running: set[tuple[str, Value]] = set()

    def trigger(self, on: str, values: Values) -> Outcome:
        """Await, iterate, enter or ask for the result of values."""
        result = Outcome()
        for value in values:
            if (on, value) in self._running:
                continue  # an iterator that gives itself
            self._running.add((on, value))
            try:
                result = result | self._trigger(on, value)
            finally:
                self._running.discard((on, value))
        return result

    def _trigger(self, on: str, value: Value) -> Outcome:
        match value:
            case Deferred():
                if value.on == on or {value.on, on} == {"await", "result"}:
                    return self._source(value)
                if value.on == "await" and on == "iterate":
                    return self._iterate_awaited(value)
                if value.on == "iterate" and on == "enter":
                    return Outcome(NO_LEAKS, one(value))
                if {(value.on, on)} & {("await", "enter"), ("iterate", "await")}:
                    return Outcome(NO_LEAKS, one(value))  # what `await manager.__aenter__()` gives is there already
                return Outcome(NO_LEAKS, ANYTHING)
            case Instance():
                return self._protocol(on, value)
            case Display() if on == "iterate":
                return Outcome(NO_LEAKS, self._engine.evaluator.items(one(value)))
            case Display(kind="waited") if on == "await":
                return Outcome(NO_LEAKS, one(value))
            case Display() if on == "await":
                return self.trigger("await", self._engine.evaluator.items(one(value)))
            case Client() | Resource() if on == "enter":
                return Outcome(NO_LEAKS, one(value))
            case ContextFrame() if on == "enter":
                return Outcome(NO_LEAKS, self._engine.calls.gives(value.frame).yields)
            case External() if on in ("enter", "await"):
                return Outcome(NO_LEAKS, one(value))
            case Policied() | Symbolic() if on in ("enter", "iterate"):
                return Outcome(NO_LEAKS, one(value))
            case _:
                return Outcome(NO_LEAKS, ANYTHING)

    def _iterate_awaited(self, value: Deferred) -> Outcome:
        """Iterate what a coroutine gives, and what the coroutines that it gives give; each once."""
        result = Outcome()
        waiting: list[Value] = [value]
        seen: set[Value] = {value}
        while waiting:
            current = waiting.pop()
            if not (isinstance(current, Deferred) and current.on == "await"):
                result = result | self.trigger("iterate", one(current))
                continue
            made = self._source(current)
            result = result | made
            waiting += made.values - seen
            seen |= made.values
        return result

    def _protocol(self, on: str, value: Instance) -> Outcome:
        names = {
            "iterate": ("__iter__", "__aiter__", "__next__", "__anext__"),
            "enter": ("__enter__", "__aenter__"),
            "await": ("__await__",),
        }
        result = Outcome()
        for name in names.get(on, ()):
            found = self._engine.hierarchy.method(value.cls, name)
            if found is None:
                continue
            outcome = self._engine.calls.run(
                FunctionRef(found[1], found[0].parent),
                Arguments([one(value)]),
                self._engine.walking or Frame(found[0].parent.module, None),
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
                gives = self._engine.calls.gives(source)
                return Outcome(
                    self._engine.calls.lets_out(source), gives.yields if value.on == "iterate" else gives.returns
                )
            case Request():
                return self._engine.api.request(source)
            case Group():
                return self._group(source)
            case Later():
                return self._later(source, awaits=value.on != "iterate")
            case Lazy():
                return self._lazy(source)

    def _lazy(self, source: Lazy) -> Outcome:
        """Run a generator expression."""
        from openai_lint.link.walk import Walk

        engine = self._engine
        leaks = NO_LEAKS if engine.calls.quiet else Walk(engine, source.frame).comprehension(source.node)
        return Outcome(leaks, engine.evaluator.value(source.node.element, source.frame))

    def _later(self, call: Later, *, awaits: bool) -> Outcome:
        """Run what was put off; workers await a coroutine that it gives, ``map`` hands it on."""
        args = Arguments(list(call.args), dict(call.keywords))
        made = self._engine.calls.apply(call.function, args, call.frame, call.node)
        if not awaits:
            return made
        waiting = frozenset(value for value in made.values if isinstance(value, Deferred) and value.on == "await")
        awaited = self.trigger("await", waiting)
        return Outcome(made.leaks | awaited.leaks, (made.values - waiting) | awaited.values)

    def _group(self, group: Group) -> Outcome:
        inner = Outcome()
        for member in group.members:
            if isinstance(member, Deferred):
                inner = inner | self._source(member)
        leaks = inner.leaks
        if group.inside is not None:
            from openai_lint.link.managers import through

            leaks = through(self._engine, group.inside, leaks)
        if group.policy is not None:
            leaks = self._engine.policies.around(group.policy, inner).leaks
        given = inner.values
        if group.absorbs:
            leaks = NO_LEAKS
            given |= one(Kept(group.members)) if group.collects else NOTHING
        if group.wraps:
            leaks = frozenset(leak.seen_as("ExceptionGroup", GROUP) for leak in leaks)
        values = one(Display("list", ((None, given),))) if group.collects else given
        return Outcome(leaks, values)
