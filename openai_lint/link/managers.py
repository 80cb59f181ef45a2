"""``with`` statements: what entering raises, and what the manager does with the errors of its block."""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import GROUP, Leak, Leaks
from openai_lint.facts import Expr
from openai_lint.link import library
from openai_lint.link.alike import Verdicts
from openai_lint.link.blocks import inside
from openai_lint.link.clauses import CATCHES, clause_of
from openai_lint.link.itself import functions_of
from openai_lint.link.values import (
    ContextFrame,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Group,
    Instance,
    Literal,
    Managed,
    Policied,
    Symbolic,
    Unknown,
    Value,
    Values,
    constants,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.tokens import Live
    from openai_lint.link.walk import Walk

ENTERS = frozenset({"enter_context", "enter_async_context", "push", "push_async_exit"})
DEEPEST_STACK = 2
"""A stack that is handed on to a function that hands it on is followed this far."""

TASK_STARTERS = frozenset({"create_task", "start_soon"})


def through(engine: "Engine", callee: Managed, leaks: Leaks) -> Leaks:
    """What leaves a call inside a manager that is used as a decorator, with what entering it raises."""
    from openai_lint.link.walk import Walk

    entering = engine.triggers.trigger("enter", one(callee.manager)).leaks
    return entering | Managers(engine, Walk(engine, callee.frame)).exit(callee.manager, leaks, callee.node)[0]


class Managers:
    """The with statements of one walk."""

    def __init__(self, engine: "Engine", walk: "Walk") -> None:
        self._engine = engine
        self._walk = walk

    def walk(self, node: facts.With, live: "Live") -> "Live":
        """Walk a with statement; the tokens that reach its end."""
        return self._items(node, 0, live)

    def _items(self, node: facts.With, index: int, live: "Live") -> "Live":
        walk = self._walk
        if index == len(node.items):
            return walk.block(node.body, live)
        item = node.items[index]
        walk.expr(item.context)
        values = walk.value(item.context)
        walk.leak(self._engine.triggers.trigger("enter", values).leaks, item.context)
        with walk.collect() as raised:
            out = self._items(node, index + 1, live)
        managers = values | self._entered(node, item)
        remaining = frozenset(raised) | self._tasks(node, item)
        swallowed = False
        for manager in managers - values:
            remaining, drops = self.exit(manager, remaining, item.context)
            swallowed = swallowed or drops
        passed: set[Leak] = set()
        for manager in values:
            rest, drops = self.exit(manager, remaining, item.context)
            if _suppresses(manager):
                walk.dropped(node, remaining - rest)
            passed |= rest
            swallowed = swallowed or drops
        walk.leak(passed if values else remaining)
        return out | live if swallowed else out

    def _calls_on(self, node: facts.With, item: facts.WithItem, names: frozenset[str]) -> list[facts.Call]:
        """Calls in the block of the form ``target.name(...)``."""
        if not isinstance(item.target, facts.Name):
            return []
        wanted = item.target.id
        return [
            found
            for found in inside(node.body)
            if isinstance(found, facts.Call)
            and isinstance(found.func, facts.Attr)
            and found.func.attr in names
            and isinstance(found.func.value, facts.Name)
            and found.func.value.id == wanted
        ]

    def _entered(self, node: facts.With, item: facts.WithItem) -> Values:
        """Managers and exits that the block enters on an ``ExitStack``, be it in a function that it gives the stack."""
        if library.written(item.context) not in ("ExitStack", "AsyncExitStack"):
            return frozenset()
        if not isinstance(item.target, facts.Name):
            return frozenset()
        found = self._stacked(node.body, item.target.id, self._walk.frame, DEEPEST_STACK)
        return frozenset(value for value in found if not isinstance(value, Unknown))

    def _stacked(self, body: facts.Block, stack: str, frame: Frame, depth: int) -> Values:
        """What statements enter on the stack of that name."""
        found: Values = frozenset()
        for call in inside(body):
            if not isinstance(call, facts.Call) or not call.args:
                continue
            if library.dotted(call.func).rpartition(".")[0] == stack and library.written(call.func) in ENTERS:
                found |= self._engine.evaluator.value(call.args[0].value, frame)
            passed = [index for index, arg in enumerate(call.args) if library.dotted(arg.value) == stack]
            for ref, before in functions_of(self._engine, call, frame) if passed and depth else ():
                names = [param.name for param in ref.function.params[before:]]
                inner = Frame(ref.parent.module, ref.function, ref.parent)
                for name in names[passed[0] : passed[0] + 1]:
                    found |= self._stacked(ref.function.body, name, inner, depth - 1)
        return found

    def _tasks(self, node: facts.With, item: facts.WithItem) -> Leaks:
        """Errors of the tasks that the block starts in a task group: they leave with the group."""
        if library.written(item.context) not in ("TaskGroup", "create_task_group", "open_nursery"):
            return frozenset()
        found: set[Leak] = set()
        for call in self._calls_on(node, item, TASK_STARTERS):
            made = self._engine.calls.call(call, self._walk.frame).values
            waiting = frozenset(
                value for value in made if isinstance(value, Deferred) and isinstance(value.source, Group)
            )
            members = frozenset(
                member for value in waiting if isinstance(value.source, Group) for member in value.source.members
            )
            self._engine.record.triggered_all(waiting)
            for leak in self._engine.triggers.trigger("await", members).leaks:
                found.add(leak.seen_as("ExceptionGroup", GROUP))
        return frozenset(found)

    def exit(self, manager: Value, leaks: Leaks, node: Expr) -> tuple[Leaks, bool]:
        """What leaves a manager's block of the errors in it, and whether it can swallow any."""
        engine = self._engine
        match manager:
            case Symbolic() if _suppresses(manager):
                return self._suppress(manager, leaks, node)
            case Symbolic() | Policied():
                policy = engine.policies.of(manager, node, self._walk.frame)
                return (engine.policies.through(policy, leaks), True) if policy is not None else (leaks, False)
            case ContextFrame():
                return self._generator(manager, leaks)
            case Instance():
                return self._exit_method(manager, leaks, node)
            case FunctionRef():
                frame = Frame(manager.parent.module, manager.function, manager.parent)
                return self._exit_function(frame, manager.function.params[:3], leaks, node)
            case External() | Unknown():
                name = library.last(manager.path) if isinstance(manager, External) else library.written(node)
                if library.COVER.search(name):
                    cover = engine.policies.cover(node, self._walk.frame)
                    return engine.policies.through(cover, leaks), True
                return leaks, False
            case _:
                return leaks, False

    def _suppress(self, manager: Symbolic, leaks: Leaks, node: Expr) -> tuple[Leaks, bool]:
        clause = clause_of(one(Display("tuple", tuple(enumerate(manager.args)))), self._engine)
        rest: set[Leak] = set()
        verdicts = Verdicts(clause.verdict)
        for leak in leaks:
            if verdicts.of(leak) == CATCHES:
                self._engine.record.handled(leak, node, self._walk.frame.module)
            else:
                rest.add(leak)
        return frozenset(rest), True

    def _generator(self, manager: ContextFrame, leaks: Leaks) -> tuple[Leaks, bool]:
        from openai_lint.link.walk import Walk

        leaving = self._engine.leaving
        function = manager.frame.function
        if function in leaving:
            return leaks, False  # a manager that enters others of its kind: the outermost is the one that counts
        inner = Walk(self._engine, manager.frame, injected=leaks)
        leaving.add(function)
        try:
            out = inner.run()
        finally:
            leaving.discard(function)
        return out, bool(leaks - out) or bool(inner.fell)

    def _exit_method(self, manager: Instance, leaks: Leaks, node: Expr) -> tuple[Leaks, bool]:
        found = self._engine.hierarchy.method(manager.cls, "__exit__") or self._engine.hierarchy.method(
            manager.cls, "__aexit__"
        )
        if found is None:
            return leaks, False
        owner, function = found
        frame = Frame(
            owner.parent.module,
            function,
            owner.parent,
            (((function.params[0].name, one(manager)),) if function.params else ()),
        )
        return self._exit_function(frame, function.params[1:4], leaks, node)

    def _exit_function(
        self, frame: Frame, given: tuple[facts.Param, ...], leaks: Leaks, node: Expr
    ) -> tuple[Leaks, bool]:
        """What is left of errors that a function is told in these parameters, and may swallow by its answer."""
        from openai_lint.link.tokens import NORMAL
        from openai_lint.link.walk import Walk

        function = frame.function
        if not isinstance(function, facts.Function) or function in self._engine.leaving:
            return leaks, False
        walk = Walk(self._engine, frame, subjects=frozenset(param.name for param in given))
        self._engine.leaving.add(function)
        try:
            out = walk.run(leaks | {NORMAL})
        finally:
            self._engine.leaving.discard(function)
        kept: set[Leak] = {leak for leak in leaks if leak in walk.fell}
        for live, values, told in walk.returned:
            if not values or not all(_truthy(value) for value in values):
                kept |= {token for token in live if isinstance(token, Leak) and not walk.holds(told, token)}
        for leak in leaks - kept:
            self._engine.record.handled(leak, node, self._walk.frame.module)
        return frozenset(kept) | out, bool(leaks - kept)


def _suppresses(manager: Value) -> bool:
    return isinstance(manager, Symbolic) and library.last(manager.path) in ("suppress", "raises", "assertRaises")


def _truthy(value: Value) -> bool:
    return isinstance(value, Literal) and bool(value.value)


__all__ = ["Managers", "constants"]
