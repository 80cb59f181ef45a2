"""What the final walk over the solved program notes down: the evidence behind every verdict.

Nothing is noted while the fixpoint is still moving (``enabled`` is off), so no note is stale.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from openai_lint.escapes import Leak, Leaks
from openai_lint.facts import Expr, Function, Handler, Span, Stmt
from openai_lint.link.cells import Outcome
from openai_lint.link.index import ModuleInfo
from openai_lint.link.policies import Policy
from openai_lint.link.values import (
    Bound,
    Client,
    ContextFunction,
    Deferred,
    Frame,
    FunctionRef,
    Group,
    Managed,
    Partial,
    Resource,
    Retried,
    Site,
    Value,
)

if TYPE_CHECKING:
    from openai_lint.link.arguments import Arguments
    from openai_lint.link.engine import Engine

Anchor = Expr | Stmt | Handler
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A place that an error passes on its way: the call (or raise) in ``function`` that lets it on."""

    module: ModuleInfo
    function: Function | None
    node: Expr | Stmt


@dataclass(slots=True)
class Invocation:
    """One place where a site's request goes out, with the arguments given there."""

    module: ModuleInfo
    frame: Frame
    node: Expr
    args: "Arguments"


@dataclass(slots=True)
class HandlerUse:
    """A handler that saw documented errors: which it caught and which of them went no further."""

    handler: Handler
    module: ModuleInfo
    function: Function | None
    caught: set[Leak] = field(default_factory=set)
    absorbed: set[Leak] = field(default_factory=set)


class Record:
    """Tables of evidence, filled by the walks."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.enabled = False
        self.clients: dict[Site, dict[Client, None]] = defaultdict(dict)
        self.kinds: dict[Site, set[str]] = defaultdict(set)
        self.invocations: dict[Site, dict[Expr, Invocation]] = defaultdict(dict)
        self.handled_by: dict[Site, dict[tuple[Anchor, ModuleInfo], set[str]]] = defaultdict(dict)
        self.policies: dict[Site, dict[tuple[int, Policy], set[str]]] = defaultdict(dict)
        self.steps: dict[tuple[Function | ModuleInfo, Site, str], Step] = {}
        self.broken_handlers: dict[tuple[Handler, str], tuple[Leak, Frame]] = {}
        self.callers: dict[Function, dict[Function | ModuleInfo, tuple[Expr | None, ModuleInfo]]] = defaultdict(dict)
        self.entries: dict[Function, str] = {}
        self.entry_paths: dict[Function, str] = {}
        self.callbacks: dict[Function, tuple[str, Expr, ModuleInfo]] = {}
        self.handed_over: dict[Function, set[Frame]] = defaultdict(set)
        self.lost_leaks: dict[Site, dict[str, Step]] = defaultdict(dict)
        self._served: dict[Leak, Step] = {}
        self.handlers: dict[Handler, HandlerUse] = {}
        self.decorators: dict[Function, list[Policy]] = defaultdict(list)
        self.notes: dict[str, None] = {}
        self._started: dict[Expr, tuple[Group, Step]] = {}
        self._passed: set[tuple[Frame, Site, str]] = set()
        self._asked: set[Expr] = set()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Note nothing meanwhile: what is asked then need not happen when the program runs."""
        before, self.enabled = self.enabled, False
        try:
            yield
        finally:
            self.enabled = before

    @staticmethod
    def _step(frame: Frame, node: Expr | Stmt) -> Step:
        return Step(frame.module, _function(frame), node)

    # --- always

    def client(self, site: Site, client: Client) -> None:
        """What is known of a site's client."""
        self.clients[site][client] = None

    def kind(self, site: Site, kind: str) -> None:
        """How a site's result is used (``stream``, ``body``)."""
        self.kinds[site].add(kind)

    # --- in the final walk

    def call(self, site: Site, frame: Frame, node: Expr, args: "Arguments") -> None:
        """A request goes out here."""
        if self.enabled:
            known = self.invocations[site].get(node)
            if known is None or _openness(args) > _openness(known.args):  # whichever run of the function comes first
                self.invocations[site][node] = Invocation(frame.module, frame, node, args)

    def edge(self, caller: Frame, callee: Frame, node: Expr | None) -> None:
        """A function of the project is called; calls from tests do not count."""
        if (
            self.enabled
            and isinstance(callee.function, Function)
            and (callee.module.is_test or not caller.module.is_test)
        ):
            source = _definition(caller)
            if source is not callee.function:
                known = self.callers[callee.function]
                if source not in known or _place(node, caller.module) < _place(*known[source]):
                    known[source] = (node, caller.module)

    def passes(self, leaks: Iterable[Leak], frame: Frame, node: Expr | Stmt) -> None:
        """Leaks leave (or go through) an expression of a function."""
        if self.enabled:
            where = _definition(frame)
            for leak in leaks:
                if (frame, leak.site, leak.error) not in self._passed:
                    self._passed.add((frame, leak.site, leak.error))
                    _keep_first(self.steps, (where, leak.site, leak.error), self._step(frame, node))

    def handled(self, leak: Leak, node: Anchor, module: ModuleInfo) -> None:
        """A leak ends here."""
        if self.enabled:
            self.handled_by[leak.site].setdefault((node, module), set()).add(leak.error)
            if isinstance(node, Handler) and node in self.handlers:
                self.handlers[node].absorbed.add(leak)

    def catches(self, handler: Handler, leaks: Leaks, frame: Frame) -> None:
        """A handler's clause matches leaks."""
        if self.enabled and leaks:
            use = self.handlers.setdefault(handler, HandlerUse(handler, frame.module, _function(frame)))
            use.caught |= leaks

    def policy(self, leak: Leak, policy: Policy) -> None:
        """A policy retries a leak."""
        if self.enabled:
            self.policies[leak.site].setdefault((leak.retries, policy), set()).add(leak.error)

    def broken(self, leak: Leak, handler: Handler, error: str, frame: Frame) -> None:
        """Evaluating a clause raises ``error`` instead of handling the leak."""
        if self.enabled:
            known = self.broken_handlers.get((handler, error))
            if known is None or _order(leak) < _order(known[0]):
                self.broken_handlers[handler, error] = (leak, frame)

    def registered(self, function: Function, written: str, path: str) -> None:
        """A decorator hands the function to a framework: as it is written, and its dotted path where that is known."""
        if self.enabled:
            self.entries[function] = written
            self.entry_paths[function] = path

    def decorated(self, function: Function, policy: Policy, frame: Frame) -> None:
        """A retry policy decorates the function."""
        del frame
        if self.enabled and policy not in self.decorators[function]:
            self.decorators[function].append(policy)

    def callback(self, value: Value, path: str, frame: Frame, node: Expr) -> None:
        """A callable is handed to code that cannot be seen."""
        target: object = value
        while isinstance(target, (Bound, Partial, Retried, Managed, ContextFunction)):
            target = target.function
        if isinstance(target, FunctionRef) and target.function.name == "<lambda>":
            self._engine.want(Frame(target.parent.module, target.function, target.parent))
        if self.enabled and isinstance(target, FunctionRef) and not frame.module.is_test:
            known = self.callbacks.get(target.function)
            if known is None or _place(node, frame.module) < _place(*known[1:]):
                self.callbacks[target.function] = (path, node, frame.module)
            self.handed_over[target.function].add(target.parent)
        if isinstance(target, Resource):
            return

    def lost(self, leaks: Leaks, frame: Frame, node: Expr) -> None:
        """Leaks die where nobody catches them."""
        if self.enabled:
            for leak in leaks:
                _keep_first(self.lost_leaks[leak.site], leak.error, self._step(frame, node))

    def started(self, group: Group, frame: Frame, node: Expr) -> None:
        """A task or future is made; if nobody asks for its result, its errors are lost."""
        if self.enabled:
            self._started.setdefault(node, (group, self._step(frame, node)))

    def triggered(self, source: object) -> None:
        """Somebody awaits, iterates or asks for the result of this."""
        if self.enabled and isinstance(source, Group) and source.place is not None:
            self._asked.add(source.place)

    def triggered_all(self, values: Iterable[Value]) -> None:
        """A task group waits for all of these."""
        for value in values:
            if isinstance(value, Deferred):
                self.triggered(value.source)

    def serves(self, leaks: Leaks, frame: Frame, node: Expr) -> None:
        """A framework will iterate this after the function has returned."""
        if self.enabled:
            for leak in leaks:
                _keep_first(self._served, leak, self._step(frame, node))

    def served(self) -> list[tuple[Leak, Step]]:
        """What leaves iterators that a framework was given, and where it was given them, in the order of places."""
        return sorted(self._served.items(), key=lambda item: (_place(item[1].node, item[1].module), _order(item[0])))

    def defines(self, function: Function, frame: Frame) -> None:
        """A ``def`` is run: its decorators are."""
        if self.enabled:
            self._engine.calls.defined(function, frame)

    def note(self, text: str, node: Expr, module: ModuleInfo) -> None:
        """Something to tell with ``--verbose``."""
        self.notes.setdefault(f"{module.path}:{node.span[0]}: {text}")

    def drop_tasks(self) -> None:
        """Tasks and futures that nobody asked for: their errors are lost."""
        for place, (group, step) in list(self._started.items()):
            if place in self._asked:
                continue
            outcome: Outcome = self._engine.triggers.trigger("await", group.members)
            for leak in outcome.leaks:
                _keep_first(self.lost_leaks[leak.site], leak.error, step)


def _place(node: Expr | Stmt | None, module: ModuleInfo) -> tuple[str, Span]:
    return module.path, node.span if node is not None else (0, 0, 0, 0)


def _order(leak: Leak) -> tuple[str, Span, str, str]:
    return (*_place(leak.site.node, leak.site.module), leak.error, leak.raised)


def _keep_first(steps: dict[Key, Step], key: Key, step: Step) -> None:
    """Of several places, take the first in the sources: frames are walked in no order that would last."""
    known = steps.get(key)
    if known is None or _place(step.node, step.module) < _place(known.node, known.module):
        steps[key] = step


def _openness(args: "Arguments") -> tuple[bool, int, list[str]]:
    """By how much arguments allow for more than is written."""
    return args.open_keywords, len(args.keywords), sorted(args.keywords)


def _function(frame: Frame) -> Function | None:
    definition = _definition(frame)
    return definition if isinstance(definition, Function) else None


def _definition(frame: Frame) -> Function | ModuleInfo:
    """What a frame belongs to when callers are counted: its function (a class body's: the one around) or module."""
    current: Frame | None = frame
    while current is not None:
        if isinstance(current.function, Function):
            return current.function
        current = current.parent
    return frame.module
