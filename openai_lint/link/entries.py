"""Where a program begins: the functions and module bodies that nobody of the project calls, and what reaches them."""

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openai_lint.escapes import NO_LEAKS, Leaks
from openai_lint.facts import Expr, Function, Span
from openai_lint.link import library
from openai_lint.link.arguments import Arguments, fits
from openai_lint.link.cells import Outcome, RunCell
from openai_lint.link.cover import Cover
from openai_lint.link.index import ModuleInfo, ScopeInfo
from openai_lint.link.values import (
    ANYTHING,
    Bound,
    ContextFunction,
    Deferred,
    Frame,
    FunctionRef,
    Managed,
    Retried,
    Values,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


class EntryPoints:
    """The entry points of a solved project."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    @cached_property
    def runs(self) -> dict[Frame, Leaks]:
        """Every frame that was run, with what it lets out."""
        return {cell.frame: summary for cell, summary in self._engine.solver.values() if isinstance(cell, RunCell)}

    @cached_property
    def frames(self) -> dict[Function, list[Frame]]:
        """The frames in which each function was run, in the order of places."""
        found: dict[Function, list[Frame]] = {}
        for frame in self.runs:
            if isinstance(frame.function, Function):
                found.setdefault(frame.function, []).append(frame)
        return dict(sorted(found.items(), key=lambda item: (item[1][0].module.path, item[0].span)))

    def leaves(self, function: Function, frame: Frame) -> Leaks:
        """What leaves a function, decorators included, when it is called, awaited and iterated to its end."""
        engine = self._engine
        engine.memo, engine.call_memo = {}, {}
        anew = any(binding.node is function for binding in frame.module.earlier.values())
        if not function.decorators and not anew:
            return self._finish(engine.calls.activate(frame))
        leaks, outer = NO_LEAKS, engine.defining_frame(frame)
        for value in engine.evaluator.name(function.name, outer) if anew else engine.calls.defined(function, outer):
            leaks |= self._call(value, frame, function)
        return leaks

    def _call(self, value: Any, frame: Frame, function: Function) -> Leaks:
        engine = self._engine
        if isinstance(value, Retried):
            inner = self._outcome(value.function, frame, function)
            return self._finish(engine.policies.around(value.policy, inner))
        return self._finish(self._outcome(value, frame, function))

    def _outcome(self, value: Any, frame: Frame, function: Function) -> Outcome:
        engine = self._engine
        if isinstance(value, FunctionRef) and value.function is function:
            return engine.calls.activate(frame)
        if isinstance(value, Retried):
            return engine.policies.around(value.policy, self._outcome(value.function, frame, function))
        if isinstance(value, Managed):
            return engine.calls.managed(value, self._outcome(value.function, frame, function))
        if isinstance(value, ContextFunction):
            return self._outcome(value.function, frame, function)
        if isinstance(value, (FunctionRef, Bound)):
            module_frame = Frame(frame.module, None)
            return engine.calls.apply(
                value, Arguments(open_positional=True, open_keywords=True), module_frame, Expr((1, 1, 1, 1))
            )
        return Outcome()

    def _finish(self, outcome: Outcome) -> Leaks:
        """Run what a call gives to its end: a coroutine awaited, a generator or stream iterated."""
        leaks = outcome.leaks
        values: Values = outcome.values
        for _ in range(4):
            deferred = frozenset(value for value in values if isinstance(value, Deferred))
            if not deferred:
                break
            values = frozenset()
            for value in deferred:
                later = self._engine.triggers.trigger(value.on, frozenset({value}))
                leaks |= later.leaks
                values |= later.values
        return leaks

    @cached_property
    def leaks(self) -> dict[Function | ModuleInfo, Leaks]:
        """Leaks that reach each entry point: first modules, then functions, each in the order of places."""
        callers = self._engine.record.callers
        roots = [
            function
            for function in self.frames
            if self._is_root(function) or function in self._engine.record.entries or function in self._callbacks
        ]
        found: dict[Function | ModuleInfo, Leaks] = {}
        for module in sorted(self._engine.modules.loaded, key=lambda module: module.path):
            summary = self.runs.get(Frame(module, None))
            if summary is not None:
                found[module] = summary
        reached = self._reachable([*roots, *found, *self._doubtful])
        for function in self.frames:
            if (
                function not in reached
                and any(self.runs[frame] for frame in self.frames[function])
                and callers.get(function)
            ):
                roots.append(function)
                reached |= self._reachable([function])
        cover = Cover(self._engine)
        for function in roots:
            leaks = NO_LEAKS
            for frame in self.frames[function]:
                if self._begins_with(frame, function):
                    leaks |= self.leaves(function, frame)
            found[function] = cover.filter(leaks, function, self.frames[function][0].module)
        return {entry: leaks for entry, leaks in found.items() if isinstance(entry, ModuleInfo)} | {
            function: found[function] for function in self.frames if function in found
        }

    @cached_property
    def _callbacks(self) -> set[Function]:
        """Functions that unseen code may call; not those that are only kept, and called in the project."""
        callers = self._engine.record.callers
        return {
            function
            for function, (path, _, _) in self._engine.record.callbacks.items()
            if library.last(path) not in library.KEEPERS or not callers.get(function)
        }

    def _begins_with(self, frame: Frame, function: Function) -> bool:
        """Whether the program may begin with this way to run an entry point.

        A function made by another one and handed over (what a decorator made of one function) is not what the same
        decorator made of others, which only the project calls.
        """
        if function not in self._callbacks:
            return not frame.bound
        made_here = frame.parent is None or not isinstance(frame.parent.function, Function)
        handed_over = self._engine.record.handed_over[function]
        return (
            made_here
            or frame.parent in handed_over
            or not self._engine.record.callers.get(function)
            or function in self._engine.record.entries
        )

    def _is_root(self, function: Function) -> bool:
        if self._engine.record.callers.get(function):
            return False
        if function.name == "<lambda>":
            return function in self._callbacks
        module = self.frames[function][0].module
        scope = module.scope_of(function)
        nested = scope.parent is not None and isinstance(scope.parent.node, Function)
        if nested:
            return function in self._engine.record.entries or function in self._callbacks
        return function not in self._doubtful

    @cached_property
    def _doubtful(self) -> set[Function]:
        """Functions of which it is not sure whether somebody calls them."""
        found = set()
        for function, frames in self.frames.items():
            scope = frames[0].module.scope_of(function)
            uncalled = not self._engine.record.callers.get(function)
            if uncalled and any(self.runs[frame] for frame in frames) and self._may_be_called(function, scope):
                found.add(function)
        return found

    def _may_be_called(self, function: Function, scope: ScopeInfo) -> bool:
        """Whether a method of a common name may be what is called inside some ``try``, on a receiver that is not known.

        Calls on unknown receivers mean no methods of such names; nor is it sure that nobody calls them.
        """
        engine = self._engine
        if scope.owner is None or function.name not in library.COMMON_METHODS or function in engine.record.entries:
            return False
        for caller in engine.scopes_reading(function.name):
            if caller.module.is_test or not engine.modules.near(caller.module, scope.module):
                continue
            frame = engine.generic_frame(caller)
            for node in caller.attributes[function.name]:
                call = caller.module.calls.get(node)
                tried = any(item.handlers for item in caller.module.tries.get(node, ()))
                if tried and call is not None and getattr(call, "func", None) is node:
                    unknown = not engine.evaluator.value(node.value, frame) - ANYTHING
                    if unknown and fits(function, engine.calls.arguments(call, frame), 1):
                        return True
        return False

    def _reachable(self, start: list[Any]) -> set[Function]:
        callees: dict[Any, list[Function]] = self.callees
        seen: set[Any] = set()
        stack = list(start)
        while stack:
            current = stack.pop()
            if current in seen:
                continue
            seen.add(current)
            stack.extend(callees.get(current, ()))
        return {item for item in seen if isinstance(item, Function)}

    @cached_property
    def callees(self) -> dict[Function | ModuleInfo | None, list[Function]]:
        """The functions that each function or module body calls, in the order of the calls."""
        found: dict[Any, list[tuple[Span, Function]]] = defaultdict(list)
        for callee, callers in self._engine.record.callers.items():
            for caller, (node, _) in callers.items():
                found[caller].append((node.span if node is not None else callee.span, callee))

        def order(item: tuple[Span, Function]) -> tuple[Span, Span, str]:
            return item[0], item[1].span, item[1].qualname

        return {caller: [callee for _, callee in sorted(calls, key=order)] for caller, calls in found.items()}
