"""What running a frame lets out: one structured walk over its statements.

The walk carries *tokens*: in ordinary code the one token ``NORMAL``; in a handler, one token for every leak that the
clause has caught (and ``OTHER`` for errors that have nothing to do with the SDK). A condition on the error splits the
tokens, a bare ``raise`` lets out those that reach it, and those that leave the handler in any other way are absorbed.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import BROKEN, GROUP, NO_LEAKS, Leak, Leaks
from openai_lint.facts import Block, Expr, Handler, Stmt
from openai_lint.link import library
from openai_lint.link.alike import Verdicts
from openai_lint.link.cells import CaughtCell
from openai_lint.link.clauses import CATCHES, EVERY_ERROR, PASSES, clause_of
from openai_lint.link.handed import alike, errors_given, given_back
from openai_lint.link.loops import LoopWatch, goes_again, recursion
from openai_lint.link.managers import Managers
from openai_lint.link.narrow import Narrowing
from openai_lint.link.policy import Policy
from openai_lint.link.raises import Raises, has_error, holder, unwrapped
from openai_lint.link.second_tries import once_more_behind, policy_of, second_try
from openai_lint.link.tokens import DEAD, OTHER, START, Live, Token, after_retries, leaks_of
from openai_lint.link.values import ANYTHING, NOTHING, Caught, External, Frame, Kept, Symbolic, Value, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.sdk import Sdk


class Walk:
    """Runs one frame.

    ``injected``: leaks that every ``yield`` raises (a context manager's generator), or every call of the name
    ``through`` (a middleware). ``subjects``: expressions, as written, that stand for the error at hand.
    ``at_hand``: which errors those are that the frame was given as arguments, where not all that a handler has caught.
    """

    def __init__(
        self,
        engine: "Engine",
        frame: Frame,
        injected: Leaks | None = None,
        subjects: frozenset[str] = frozenset(),
        through: str = "",
        at_hand: Leaks | None = None,
    ) -> None:
        self.engine = engine
        self.frame = frame
        self.injected = injected
        self.through = through
        self._narrowing = Narrowing(engine, frame, subjects)
        self._managers = Managers(engine, self)
        self._raises = Raises(engine, self)
        self._sinks: list[set[Leak]] = [set()]
        self._handlers: list[tuple[Handler | None, Live]] = []
        self._loops: list[LoopWatch] = []
        self._tests: list[tuple[Expr, bool]] = []
        self._given = errors_given(frame)
        self._at_hand = at_hand
        self._live: Live = DEAD
        self.settled: frozenset[str] = frozenset()
        self._kept: list[list[tuple[CaughtCell, Leaks]]] = []
        self.translated: list[tuple[Leaks, Values]] = []
        """What was raised in place of which errors."""
        self._behind: Block = ()
        """What stands behind the loop at hand."""
        self._taken_up: tuple[Leaks, list[tuple[Policy, set[Leak]]]] | None = None
        """What the loop before has retried, where the same is tried a last time behind it, and its policies."""
        self.returned: list[tuple[Live, Values, Expr | None]] = []
        self.fell: Live = DEAD
        self.fallen: set[Leak] = set()
        """What fell out of handlers, to go on behind their try statements."""

    def run(self, live: Live = START) -> Leaks:
        """Walk the whole body."""
        function = self.frame.function
        body: Block = self.frame.module.facts.body if function is None else function.body
        for error in self._given:
            caught = self.engine.solver.read(CaughtCell(error.frame, error.handler))
            live |= caught if self._at_hand is None else self._at_hand
        outer, self.engine.walking = self.engine.walking, self.frame
        try:
            self.fell = self.block(body, live)
        finally:
            self.engine.walking = outer
        return frozenset(self._sinks[0])

    # --- leaks on their way

    def leak(self, leaks: Iterable[Leak], node: Expr | Stmt | None = None) -> None:
        """Raise leaks here."""
        found = frozenset(leaks)
        self._sinks[-1].update(found)
        if node is not None and found:
            self.engine.record.passes(found, self.frame, node)

    @contextmanager
    def collect(self) -> Iterator[set[Leak]]:
        """Gather what is raised inside instead of letting it out."""
        sink: set[Leak] = set()
        self._sinks.append(sink)
        try:
            yield sink
        finally:
            self._sinks.pop()

    def absorbed(self, live: Live) -> None:
        """Tokens that go on as if nothing had happened."""
        if not self._handlers:
            return
        handler = self._handlers[-1][0]
        if handler is not None:
            for token in leaks_of(live):
                self.engine.record.handled(token, handler, self.frame.module)

    # --- statements

    def block(self, body: Block, live: Live) -> Live:
        """Walk statements in order; the tokens that reach the end."""
        settled = self.settled
        for index, statement in enumerate(body):
            if not live:
                break
            if isinstance(statement, (facts.For, facts.While)):
                self._behind = body[index + 1 :]
            live = self._stmt(statement, live)
            if self._taken_up is not None:
                live = self._last_try(body[index + 1 :], live)
                break
        self.settled = settled
        return live

    def _last_try(self, body: Block, live: Live) -> Live:
        """What stands behind a loop that retries, and tries the same once more."""
        (retried, policies), self._taken_up = self._taken_up or (NO_LEAKS, []), None
        with self.collect() as raised:
            live = self.block(body, live)
        for policy, taken in policies:
            known = {(leak.site, leak.raised) for leak in taken}
            for leak in raised:
                if (leak.site, leak.raised) in known:
                    self.engine.record.policy(leak, policy)
        self.leak(after_retries(raised, retried))
        return live

    def _stmt(self, node: Stmt, live: Live) -> Live:
        self._live = live
        match node:
            case facts.ExprStmt():
                self.expr(node.value)
                return DEAD if self._exits(node.value) else live
            case facts.Assign():
                for target in node.targets:
                    self._target(target)
                if node.value is not None:
                    self.expr(node.value)
                    return self._replaced(node, node.value, live) if self._given else live
            case facts.AugAssign():
                self._target(node.target)
                self.expr(node.value)
            case facts.Return():
                return self._return(node, live)
            case facts.Raise():
                return self._raise(node, live)
            case facts.If():
                return self._if(node, live)
            case facts.While():
                return self._while(node, live)
            case facts.For():
                return self._for(node, live)
            case facts.Try():
                return self._try(node, live)
            case facts.With():
                return self._managers.walk(node, live)
            case facts.Match():
                return self._match(node, live)
            case facts.Jump():
                return self._jump(node, live)
            case facts.Function():
                for decorator in node.decorators:
                    self.expr(decorator)
                self.engine.record.defines(node, self.frame)
            case facts.Class():
                self._class(node)
            case facts.Assert():
                self.expr(node.test)
            case _:
                pass
        return live

    def _replaced(self, node: facts.Assign, value: Expr, live: Live) -> Live:
        """The tokens behind an assignment: the name of a given error may stand for another one from here on."""
        names = {target.id for target in node.targets if isinstance(target, facts.Name)}
        given = {name for name, values in self.frame.bound if any(error in values for error in self._given)}
        if self._handlers or names.isdisjoint(given):
            return live
        kept = any(isinstance(found, Caught) for found in self.engine.evaluator.value(value, self.frame))
        return live if kept else live - leaks_of(live)

    def _target(self, node: Expr) -> None:
        if not isinstance(node, facts.Name):
            for child in facts.children(node):
                if isinstance(child, Expr):
                    self.expr(child)

    def _class(self, node: facts.Class) -> None:
        outer = self.frame
        self.frame = Frame(outer.module, node, outer)
        try:
            self.block(node.body, START)
        finally:
            self.frame = outer

    def _return(self, node: facts.Return, live: Live) -> Live:
        values = ANYTHING if node.value is None else NOTHING
        if node.value is not None:
            self.expr(node.value)
            values = self.engine.evaluator.value(node.value, self.frame)
        self.returned.append((live, values, node.value))
        self.absorbed(live)
        for watch in self._loops:
            watch.leave(live)
        return DEAD

    def _jump(self, node: facts.Jump, live: Live) -> Live:
        if node.kind == "pass":
            return live
        self.absorbed(live)
        if self._loops:
            watch = self._loops[-1]
            (watch.break_ if node.kind == "break" else watch.continue_)(live)
        return DEAD

    def _raise(self, node: facts.Raise, live: Live) -> Live:
        if node.error is None:
            if self._handlers or self._given:
                self._let_out(leaks_of(self._current(None, live) if self._handlers else live), node)
            return DEAD
        self.expr(node.error)
        outer = holder(node.error)
        shown = outer or node.error
        values = self.engine.evaluator.value(shown, self.frame)
        here = frozenset(
            value
            for value in values
            if isinstance(value, Caught) and value.frame == self.frame and self._on_stack(value.handler)
        )
        if not here and self._narrowing.is_given(node.error):
            self._let_out(leaks_of(live), node)
        has = bool(self._handlers or self._given)
        at_hand = leaks_of(live) if has else frozenset(self.fallen)
        self._let_out(self._raises.anew(node.error, values, at_hand, passed=not has), node)
        if not here and at_hand and self.engine.record.enabled:
            self.translated.append((at_hand, values))
        let_out: set[Leak] = set()
        for value in here or values:
            leaks = self._again(value, live)
            if value in here:
                leaks &= given_back(self.engine, shown, self.frame, leaks)
            elif value in self._given and not self._handlers:
                leaks = alike(leaks_of(live), leaks)
            else:
                leaks = self._under_tests(leaks, shown)
            leaks = leaks if outer is None else unwrapped(leaks)
            let_out |= leaks
            self._let_out(leaks, node)
        self.absorbed(leaks_of(live) - let_out)
        return DEAD

    def _current(self, handler: Handler | None, live: Live) -> Live:
        """The tokens of a handler on the stack (the innermost for None), as they stand at this point."""
        for depth, (candidate, outer) in enumerate(reversed(self._handlers)):
            if handler is None or candidate is handler:
                return live if depth == 0 else outer
        return DEAD

    def at_hand(self, error: Caught) -> Leaks | None:
        """Which errors a name of one may stand for at this statement; None where that is not followed."""
        if error.frame == self.frame and self._on_stack(error.handler):
            return leaks_of(self._current(error.handler, self._live))
        return leaks_of(self._live) if error in self._given and not self._handlers else None

    def _on_stack(self, handler: Handler) -> bool:
        return any(found is handler for found, _ in self._handlers)

    def _again(self, value: Value, live: Live) -> Leaks:
        """What raising a value lets out: the error at hand, or one that was kept, alone or in a group."""
        match value:
            case Caught():
                if value.frame == self.frame and self._on_stack(value.handler):
                    return leaks_of(self._current(value.handler, live))
                return self.engine.solver.read(CaughtCell(value.frame, value.handler))  # type: ignore[no-any-return]
            case Kept():
                return self.engine.triggers.trigger("await", value.tasks).leaks
            case Symbolic() if value.path in library.GROUPS:
                members = self.engine.evaluator.items(value.argument(1, "exceptions") or NOTHING)
                inner: Leaks = NO_LEAKS.union(*(self._again(member, live) for member in members))
                return frozenset(leak.seen_as("ExceptionGroup", GROUP) for leak in inner)
            case _:
                return NO_LEAKS

    def _under_tests(self, leaks: Leaks, node: Expr) -> Leaks:
        """Those of a kept error's leaks that pass the conditions on it around its ``raise``."""
        if not leaks or not isinstance(node, facts.Name):
            return leaks
        narrowing = Narrowing(self.engine, self.frame, frozenset({node.id}))
        verdicts = Verdicts(
            lambda leak, _: all(narrowing.decide(test, leak) is not (not taken) for test, taken in self._tests),
        )
        return frozenset(leak for leak in leaks if verdicts.of(leak))

    def _let_out(self, leaks: Leaks, node: Stmt) -> None:
        self._sinks[-1].update(leaks)
        if leaks:
            self.engine.record.passes(leaks, self.frame, node)

    def _if(self, node: facts.If, live: Live) -> Live:
        self.expr(node.test)
        if library.written(node.test) == "TYPE_CHECKING":
            return self.block(node.orelse, live)
        yes, no = self.split(node.test, live)
        fine, failed = has_error(node.test, False), has_error(node.test, True)
        settled = self.settled
        self._tests.append((node.test, True))
        self.settled = settled | fine
        left = self.block(node.body, yes) if yes else DEAD
        self._tests[-1] = (node.test, False)
        self.settled = settled | failed
        right = self.block(node.orelse, no) if no else DEAD
        self._tests.pop()
        self.settled = settled | (failed if not left else fine if node.orelse and not right else frozenset())
        return left | right

    def holds(self, test: Expr | None, leak: Leak) -> bool:
        """Whether an expression is surely true for an error."""
        return test is not None and self._narrowing.decide(test, leak) is True

    def split(self, test: Expr, live: Live) -> tuple[Live, Live]:
        """Which tokens may take the branch, and which may not take it."""
        constant = test.value if isinstance(test, facts.Const) else None
        if constant is True or constant is False:
            return (live, DEAD) if constant else (DEAD, live)
        yes: set[Token] = set()
        no: set[Token] = set()
        verdicts = Verdicts(lambda leak, _: self._narrowing.decide(test, leak))
        for token in live:
            verdict = verdicts.of(token) if isinstance(token, Leak) else None
            if verdict is not False:
                yes.add(token)
            if verdict is not True:
                no.add(token)
        return frozenset(yes), frozenset(no)

    def _match(self, node: facts.Match, live: Live) -> Live:
        self.expr(node.subject)
        rest = live
        out: Live = DEAD
        for case in node.cases:
            taken: set[Token] = set()
            left: set[Token] = set()
            for token in rest:
                verdict = (
                    self._narrowing.case(node.subject, case.pattern, token)
                    if isinstance(token, Leak)
                    else (True if case.pattern.kind == "capture" else None)
                )
                if case.guard is not None and verdict is True:
                    verdict = self._narrowing.decide(case.guard, token) if isinstance(token, Leak) else None
                if verdict is not False:
                    taken.add(token)
                if verdict is not True:
                    left.add(token)
            if taken:
                out |= self.block(case.body, frozenset(taken))
            rest = frozenset(left)
        return out | rest

    # --- loops

    def _while(self, node: facts.While, live: Live) -> Live:
        self.expr(node.test)
        endless = isinstance(node.test, facts.Const) and bool(node.test.value)
        return self._loop(node, node.body, node.orelse, live, endless)

    def _for(self, node: facts.For, live: Live) -> Live:
        self.expr(node.iterable)
        self._raises.iterate(node.iterable)
        endless = library.written(node.iterable) in ("count", "cycle") and isinstance(node.iterable, facts.Call)
        found = frozenset(token for token in leaks_of(live) if self._narrowing.found(node, token))
        return self._loop(node, node.body, node.orelse, live, endless, found)

    def _loop(
        self,
        node: facts.While | facts.For,
        body: Block,
        orelse: Block,
        live: Live,
        endless: bool,
        stay: Leaks = NO_LEAKS,
    ) -> Live:
        """Walk a loop; the tokens of ``stay`` never come to its end."""
        behind, self._behind = self._behind, ()
        watch = LoopWatch(self.engine, self.frame, node, bool(behind) and once_more_behind(node, behind))
        self._loops.append(watch)
        self._kept.append([])
        with self.collect() as raised:
            end = self.block(body, live)
            watch.continue_(end)
        self._loops.pop()
        retried = watch.retried()
        self._taken_up = (retried, watch.policies) if watch.once_more and retried else None
        for outer in self._loops[-1:]:
            outer.holds(watch, retried)
        self.fallen = set(after_retries(self.fallen, retried))
        kept = self._kept.pop()
        self.leak(after_retries(raised, retried))
        self._keep([(cell, after_retries(leaks, retried)) for cell, leaks in kept])
        goes_on: Live = DEAD if endless else live - stay
        if orelse and goes_on:
            goes_on = self.block(orelse, goes_on)
        return goes_on | (live if watch.breaks else DEAD)

    # --- try

    def _try(self, node: facts.Try, live: Live) -> Live:
        with self.collect() as everything:
            with self.collect() as raised:
                out = self.block(node.body, live)
            out = self.block(node.orelse, out) if node.orelse and out else out
            rest = frozenset(raised)
            again: dict[Handler, Leaks] = {}
            once_more: dict[Handler, Leaks] = {}
            for handler in node.handlers:
                caught, rest = self._clause(handler, rest, node.star)
                if caught and goes_again(self.engine, self.frame, handler):
                    again[handler] = caught
                elif caught and (taken := second_try(self.engine, self.frame, node, handler, caught)):
                    once_more[handler] = taken
                if self._handle(node, handler, caught, live):
                    out |= live
            everything.update(rest)
        leaves = after_retries(everything, self._retried(node, again, once_more))
        if node.finalbody:
            ends = self.block(node.finalbody, live)
            if not ends:
                self._swallow(leaves, node)
                return DEAD
        self.leak(leaves)
        return out

    def _swallow(self, leaks: Leaks, node: facts.Try) -> None:
        """A ``finally`` that leaves by ``return`` or ``break`` drops the error on its way."""
        for leak in leaks:
            self.engine.record.handled(leak, node.finalbody[0], self.frame.module)

    def _clause(self, handler: Handler, leaks: Leaks, star: bool) -> tuple[Leaks, Leaks]:
        """What a clause catches, and what goes on to the next one."""
        if handler.type is None:
            clause = EVERY_ERROR
        else:
            self.expr(handler.type)
            clause = clause_of(self.engine.evaluator.value(handler.type, self.frame), self.engine)
        caught: set[Leak] = set()
        rest: set[Leak] = set()

        def decide(leak: Leak, release: "Sdk") -> str:
            if star and leak.form == GROUP:
                leak = leak.inside()
            return clause.verdict(leak, release)

        verdicts = Verdicts(decide)
        for leak in leaks:
            verdict = verdicts.of(leak)
            if verdict == CATCHES:
                caught.add(leak)
            elif verdict == PASSES:
                rest.add(leak)
            else:
                broken = leak.seen_as(verdict, BROKEN)
                self.engine.record.broken(leak, handler, verdict, self.frame)
                self._sinks[-1].add(broken)
        return frozenset(caught), frozenset(rest)

    def _handle(self, node: facts.Try, handler: Handler, caught: Leaks, outer: Live) -> bool:
        """Walk a handler's body with what it has caught; whether control can fall out of it."""
        self.engine.record.catches(handler, caught, self.frame)
        for watch in self._loops[-1:]:
            watch.caught(node, caught)
        self._keep([(CaughtCell(self.frame, handler), caught)])
        live: Live = caught | {OTHER}
        if self._handlers:
            self._handlers[-1] = (self._handlers[-1][0], outer)
        self._handlers.append((handler, live))
        end = self.block(handler.body, live)
        for watch in self._loops[-1:]:
            watch.fell(node, end)
        self.fallen |= leaks_of(end)
        self.absorbed(end)
        self._handlers.pop()
        return bool(end)

    def dropped(self, node: facts.With, leaks: Leaks) -> None:
        """A with statement drops errors: for the loop around it, it is a handler that does nothing."""
        for watch in self._loops[-1:]:
            trial = self.engine.guards.trial(node)
            watch.caught(trial, leaks)
            watch.fell(trial, leaks)

    def _keep(self, errors: Iterable[tuple[CaughtCell, Leaks]]) -> None:
        """Let what is raised later know what handlers have caught: around a loop, once what that retries is known."""
        if self._kept:
            self._kept[-1] += errors
            return
        for cell, leaks in errors:
            self.engine.solver.contribute(cell, leaks)

    def _retried(self, node: facts.Try, again: dict[Handler, Leaks], once_more: dict[Handler, Leaks]) -> Leaks:
        """What handlers take up again: by calling their own function, or by making the same call once more."""
        if self.engine.record.enabled:
            found = recursion(self.engine, self.frame, node, again)
            policy = policy_of(self.engine, self.frame, node, once_more)
            found += [(policy, leaks) for leaks in once_more.values()] if policy is not None else []
            for policy, leaks in found:
                for leak in leaks:
                    self.engine.record.policy(leak, policy)
        return NO_LEAKS.union(*again.values(), *once_more.values())

    # --- expressions

    def expr(self, node: Expr) -> None:
        """Raise what evaluating an expression raises."""
        self._raises.expr(node)

    def comprehension(self, node: facts.Comprehension) -> Leaks:
        """What going through a comprehension raises."""
        return self._raises.comprehension(node)

    def _exits(self, node: Expr) -> bool:
        """Whether a statement never comes back (``sys.exit()``); what it was given up for counts as handled."""
        if not isinstance(node, facts.Call):
            return False
        name = library.written(node.func)
        if name not in library.EXIT_WORDS:
            return False
        found = any(
            isinstance(value, External) and value.path in library.EXITS
            for value in self.engine.evaluator.value(node.func, self.frame)
        )
        if found and self._handlers:
            self.absorbed(self._handlers[-1][1])
        return found

    def value(self, node: Expr) -> Values:
        """What an expression may be in this frame."""
        return self.engine.evaluator.value(node, self.frame)
