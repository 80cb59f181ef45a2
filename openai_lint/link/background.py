"""What runs beside the code that starts it: coroutines run by a loop, tasks, futures, threads."""

from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS
from openai_lint.facts import Call, Expr
from openai_lint.link.arguments import Arguments
from openai_lint.link.cells import Outcome
from openai_lint.link.lending import lend, listed
from openai_lint.link.values import (
    ANYTHING,
    CALLABLE,
    NOTHING,
    ClassRef,
    Deferred,
    Display,
    External,
    Frame,
    Group,
    Kept,
    Later,
    Value,
    Values,
    constants,
    literal,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


class Background:
    """Models of starting and waiting."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def await_now(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``asyncio.run(...)``: a coroutine, or a function that gives one, is run to its end."""
        result = Outcome()
        for values in args.all():
            for value in values:
                if isinstance(value, Deferred):
                    result = result | self._engine.triggers.trigger("await", one(value))
                elif isinstance(value, CALLABLE):
                    called = self._engine.calls.apply(value, args.after(1), frame, node)
                    result = result | called | self._engine.triggers.trigger("await", called.values)
        return result if result.values else Outcome(result.leaks, ANYTHING)

    def gather(self, name: str, args: Arguments) -> Outcome:
        """Several coroutines awaited together."""
        members: Values = NOTHING
        for values in args.positional:
            for value in values:
                members |= self._engine.evaluator.items(one(value)) if isinstance(value, Display) else one(value)
        deferred = frozenset(value for value in members if isinstance(value, Deferred))
        if not deferred:
            return Outcome(NO_LEAKS, ANYTHING)
        absorbs = any(constants(args.keywords.get("return_exceptions")))
        if name == "as_completed":
            return Outcome(NO_LEAKS, one(Display("list", ((None, deferred),))))
        return Outcome(NO_LEAKS, one(Deferred("await", Group(deferred, absorbs=absorbs, collects=True))))

    def task(self, path: str, name: str, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``create_task(...)``: runs beside; its errors come where it is awaited."""
        given = args.positional[0] if args.positional else next(iter(args.keywords.values()), NOTHING)
        deferred = frozenset(value for value in given if isinstance(value, Deferred))
        for value in given:
            if isinstance(value, CALLABLE) and name in ("start_soon", "spawn"):
                deferred |= frozenset(
                    item
                    for item in self._engine.calls.apply(value, args.after(1), frame, node).values
                    if isinstance(item, Deferred)
                )
        if not deferred:
            return Outcome(NO_LEAKS, ANYTHING)
        # The errors of a task in a task group leave with the group; asking the task itself comes too late.
        in_group = any(word in path for word in ("TaskGroup", "create_task_group", "open_nursery"))
        group = Group(deferred, absorbs=in_group, place=node)
        self._engine.record.started(group, frame, node)
        return Outcome(NO_LEAKS, one(Deferred("result" if name == "run_coroutine_threadsafe" else "await", group)))

    def awaited(self, position: int, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``to_thread(f, ...)``: the function runs when the result is awaited."""
        callees = args.at(position, "func") or NOTHING
        runs = frozenset(value for value in callees if isinstance(value, (*CALLABLE, ClassRef, External)))
        if not runs:
            return Outcome(NO_LEAKS, ANYTHING)
        result = NOTHING
        for callee in runs:
            result |= one(Deferred("await", self._put_off("await", callee, args.after(position + 1), frame, node)))
        return Outcome(NO_LEAKS, result)

    @staticmethod
    def _put_off(on: str, callee: Value, args: Arguments, frame: Frame, node: Expr) -> Group:
        """The call of ``callee`` as something that fails only when it is awaited or its result is asked for."""
        return Group(one(Deferred(on, Later(callee, tuple(args.positional), args.named(), frame, node))), place=node)

    def thread(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """A thread or process made for a function: what that lets out reaches nobody."""
        targets = args.keywords.get("target") or args.keywords.get("function") or args.at(1) or NOTHING
        passed = Arguments(self._listed(args.at(2, "args")))
        if isinstance(node, Call):
            for target in targets:
                lend(self._engine, target, listed(node.args, 2, "args"), frame)
        for value in args.at(3, "kwargs") or NOTHING:
            if isinstance(value, Display):
                passed.keywords.update({key: found for key, found in value.items if isinstance(key, str)})
        self._lose(frozenset(value for value in targets if isinstance(value, CALLABLE)), passed, frame, node)
        return Outcome(NO_LEAKS, one(External("threading.Thread()")))

    def start(self, name: str, receiver: Value, frame: Frame, node: Expr) -> Outcome:
        """``worker.start()``: the object's own method of that name runs where nobody catches."""
        self._lose(self._engine.evaluator.attribute(receiver, name, frame), Arguments(), frame, node)
        return Outcome(NO_LEAKS, ANYTHING)

    def _lose(self, callees: Values, args: Arguments, frame: Frame, node: Expr) -> None:
        outcome = self._engine.calls.invoke(callees, args, frame, node)
        waiting = frozenset(item for item in outcome.values if isinstance(item, Deferred))
        later = self._engine.triggers.trigger("await", waiting)
        self._engine.record.lost(outcome.leaks | later.leaks, frame, node)

    @staticmethod
    def _listed(given: Values | None) -> list[Values]:
        return [found for item in given or NOTHING if isinstance(item, Display) for _, found in item.items]

    def wait(self, args: Arguments) -> Outcome:
        """``wait(tasks)``: it raises nothing; their results and errors are asked for afterwards."""
        members = self._engine.evaluator.items(args.at(0, "fs") or NOTHING)
        tasks = one(Display("list", ((None, members - ANYTHING or ANYTHING),)))
        return Outcome(NO_LEAKS, one(Display("waited", ((0, tasks), (1, tasks)))))

    def exception(self, task: Deferred) -> Outcome:
        """``task.exception()``: the error as a value, or None."""
        self._engine.triggers.trigger(task.on, one(task))  # it has run, whatever came of it
        return Outcome(NO_LEAKS, one(Kept(one(task))) | literal(None))

    def tell(self, task: Deferred, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``task.add_done_callback(f)``: the function gets the task, and may ask for its error or its result."""
        outcome = self._engine.calls.invoke(args.at(0, "fn") or NOTHING, Arguments([one(task)]), frame, node)
        self._engine.record.lost(outcome.leaks, frame, node)
        return Outcome(NO_LEAKS, ANYTHING)

    def apply_async(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``pool.apply_async(f, (x,), {...})``: a result to ask for, of a call with these arguments."""
        passed = Arguments(self._listed(args.at(1, "args")))
        for value in args.at(2, "kwds") or NOTHING:
            if isinstance(value, Display):
                passed.keywords.update({key: found for key, found in value.items if isinstance(key, str)})
        result = NOTHING
        for callee in args.positional[0]:
            if isinstance(callee, CALLABLE):
                group = self._put_off("result", callee, passed, frame, node)
                self._engine.record.started(group, frame, node)
                result |= one(Deferred("result", group))
        return Outcome(NO_LEAKS, result or ANYTHING)

    def submit(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``executor.submit(f, ...)``: a future."""
        callees = args.at(0, "fn") or NOTHING
        result = NOTHING
        for callee in callees:
            if isinstance(callee, CALLABLE):
                if isinstance(node, Call):
                    lend(self._engine, callee, node.args[1:], frame)
                group = self._put_off("result", callee, args.after(1), frame, node)
                self._engine.record.started(group, frame, node)
                result |= one(Deferred("result", group))
        return Outcome(NO_LEAKS, result or ANYTHING)
