"""A retry written by hand, gone through on paper while the failure lasts: how often, how long, and whether it ends.

The statements of the loop (or of the function that calls itself) are followed with the numbers that the code tells. A
condition on the error takes the branch that stays; one that cannot be decided and has a branch that leaves is a bound
that nobody can count.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leak
from openai_lint.facts import Block, Expr, Function, Handler, Stmt, Try
from openai_lint.link import library
from openai_lint.link.blocks import (
    PUTTERS,
    around,
    asked,
    asks,
    below,
    changed_by,
    follows,
    inside,
    leaves,
    queues,
    receivers,
    sleeps,
    targets_of,
)
from openai_lint.link.itself import calls, helper_of
from openai_lint.link.narrow import Narrowing
from openai_lint.link.predicates import body_of
from openai_lint.link.rounds import MOST_ROUNDS, Rounds, endless
from openai_lint.link.sums import ERROR, UNKNOWN, Item, Number, Sheet, Sums, combine, length_of, names, single
from openai_lint.link.values import ANYTHING, NOTHING, Bound, External, Frame, FunctionRef, Value

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

UNCOUNTED_ROUNDS = 6
"""How many rounds are followed where their number is not known."""

WAITING_WORDS = ("sleep", "backoff", "back_off", "wait", "delay", "cooldown")
"""Words in the name of a function that cannot be seen and probably waits."""

NO_WAITS = frozenset({"wait_for", "wait", "wait_closed", "get_delay", "get_backoff"})
"""Names with such a word that do not."""

APPENDS = frozenset({"append", "appendleft", "add"})
"""Methods that make a collection one longer."""
PAUSES = ("wait_for", "wait_until", "sleep", "pause", "throttle")
"""How the names of the project's own functions begin that wait, though by other means than sleeping; also ``wait``."""

DEEPEST_PAUSE = 3
"""A function that calls one that calls one that waits is followed this far."""

NEXT, AGAIN, OUT = "next", "again", "out"

NEVER = " "
"""No name begins so."""


@dataclass(slots=True)
class Course:
    """What was seen: requests made, waits between them (None: not known how long), and how it ended.

    ``told``: a wait is taken from the error. ``escape``: a condition that cannot be decided may end it. ``doubt``:
    whether the error at hand is retried depends on more than its class. ``uncounted``: nobody knows how many rounds
    there are.
    """

    requests: int = 0
    waits: list[Number | None] = field(default_factory=list)
    told: bool = False
    escape: bool = False
    ended: bool = False
    uncounted: bool = False
    doubt: bool = False

    def join(self, inner: "Course") -> None:
        """Take over what a function did that was asked on the way."""
        self.told = self.told or inner.told
        self.escape = self.escape or inner.escape
        self.doubt = self.doubt or inner.doubt
        self.waits += inner.waits

    @property
    def attempts(self) -> int | None:
        """The number of requests, where it can be counted."""
        return self.requests if self.ended and not self.uncounted else None

    @property
    def bounded(self) -> bool:
        """Whether it ends, sooner or later."""
        return self.ended or self.escape or self.uncounted


class Rehearsal:
    """Follows one loop, or one function that calls itself."""

    def __init__(self, engine: "Engine", frame: Frame, trial: Try, handler: Handler, leak: Leak | None = None) -> None:
        self._leak = leak
        self._engine = engine
        self._frame = frame
        self._trial = trial
        self._place = engine.guards.place(trial)
        self._handler = handler
        self._holders = around(self._place, frame.module.facts.body if frame.function is None else frame.function.body)
        self._sums = Sums(engine, frame, {})
        self._sums.decide = self._decided
        self._rounds = Rounds(engine, frame, self._sums)
        self._start: tuple[int, int] = (0, 0)
        self._function: Function | None = None
        self._passed: Sheet | None = None
        self._tested: set[str] = set()
        self._asked = asked(handler.body)
        self._queues: set[str] = set()
        self._pausing: dict[facts.Call, bool] = {}
        self._inside: tuple[Function, ...] = ()
        self.course = Course()

    def block(self, body: Block) -> Course:
        """Go through statements once."""
        self._block(body)
        return self.course

    # --- loops

    def loop(self, node: facts.While | facts.For) -> Course:
        """Go through a loop."""
        self._start = node.span[:2]
        self._queues = queues(node, self._trial)
        self._sums.sheet = self._before(node)
        return self._while(node) if isinstance(node, facts.While) else self._for(node)

    def _while(self, node: facts.While) -> Course:
        course = self.course
        for _ in range(MOST_ROUNDS):
            test = self._sums.truth(node.test)
            if test is False:
                course.ended = True
                break
            before = dict(self._sums.sheet)
            signal = self._block(node.body)
            if signal == OUT:
                course.ended = True
                break
            if test is not True:
                changed = {
                    name
                    for name, item in self._sums.sheet.items()
                    if before.get(name, UNKNOWN) != item or item is UNKNOWN
                }
                if self._may_end(node.test, changed):
                    course.escape = True
            if (course.escape or before == self._sums.sheet) and course.requests >= UNCOUNTED_ROUNDS:
                break
        return course

    def _may_end(self, test: Expr, changed: set[str]) -> bool:
        """Whether a condition that cannot be worked out may come to be false while the failure lasts."""
        if names(test) & changed:
            return True
        parts = [test, *below(test)]
        return any(
            isinstance(part, facts.Attr) or (isinstance(part, facts.Call) and library.written(part.func) != "len")
            for part in parts
        )

    def _for(self, node: facts.For) -> Course:
        course = self.course
        rounds = self._rounds.listed(node.iterable)
        course.uncounted = rounds is None and not endless(node.iterable)
        for number in range(MOST_ROUNDS):
            if rounds is not None and number >= len(rounds):
                course.ended = True
                break
            item = rounds[number] if rounds is not None else self._rounds.nth(node.iterable, number)
            self._rounds.bind(node.target, item)
            if self._block(node.body) == OUT:
                course.ended = True
                break
            if rounds is None and number + 1 >= UNCOUNTED_ROUNDS and (course.uncounted or course.escape):
                break
        return course

    # --- recursion

    def recursion(self, function: Function) -> Course:
        """Go through a function whose handler calls it again."""
        self._function = function
        self._start = (function.span[2], function.span[3])
        course = self.course
        scope = self._frame.module.scope_of(function)
        sheet: Sheet = {}
        for param in function.params:
            for binding in scope.bindings.get(param.name, ()):
                if binding.kind == "param" and param.default is not None:
                    sheet[param.name] = self._sums.value(param.default)
        for _ in range(MOST_ROUNDS):
            self._sums.sheet = dict(sheet)
            passed = self._once(function)
            if passed is None:
                course.ended = True
                break
            merged = {**sheet, **passed}
            if merged == sheet and not course.escape:
                break  # nothing counts: the next round is like this one
            if UNKNOWN in passed.values() and course.requests >= UNCOUNTED_ROUNDS:
                break
            sheet = merged
        return course

    def _once(self, function: Function) -> Sheet | None:
        """One run of the function; what it passes to itself, or None when it does not call itself again."""
        self._passed = None
        self._block(function.body)
        return self._passed

    # --- statements

    def _block(self, body: Block) -> str:
        for statement in body:
            signal = self._statement(statement)
            if signal != NEXT:
                return signal
        return NEXT

    def _statement(self, node: Stmt) -> str:
        if node is self._place:
            return self._try(self._trial)
        match node:
            case Try():
                return self._try(node)
            case facts.If():
                return self._if(node)
            case facts.With():
                return self._block(node.body)
            case facts.Return():
                if node.value is not None:
                    self._waits_in(node.value)
                return AGAIN if self._passed is not None else OUT
            case facts.Raise():
                return OUT
            case facts.Jump():
                return {"break": OUT, "continue": AGAIN}.get(node.kind, NEXT)
            case facts.Assign(value=Expr() as value):
                self._assign(node, value)
            case facts.AugAssign():
                self._augment(node)
            case facts.ExprStmt():
                self._waits_in(node.value)
                if isinstance(node.value, facts.Call) and library.written(node.value.func) in library.EXIT_WORDS:
                    return OUT
            case facts.For() | facts.While():
                return self._inner(node)
            case _:
                pass
        return AGAIN if self._passed is not None else NEXT

    def _try(self, node: Try) -> str:
        if node is not self._trial:
            if id(node) in self._holders:
                return self._block(node.body)
            signal = self._block(node.body)
            return signal if signal != NEXT else self._block(node.finalbody)
        for statement in node.body:
            if statement is self._place or asks(statement):
                break
            self._statement(statement)
        self.course.requests += 1
        if self._handler.name is not None:
            self._sums.sheet[self._handler.name] = ERROR
        signal = self._block(self._handler.body)
        last = self._block(node.finalbody)
        return last if last != NEXT else signal

    def _if(self, node: facts.If) -> str:
        self._waits_in(node.test)
        test = self._decided(node.test)
        if test is True or test is False:
            return self._block(node.body if test else node.orelse)
        for branch, other in ((node.body, node.orelse), (node.orelse, node.body)):
            if any(id(statement) in self._holders or statement is self._place for statement in branch):
                if leaves(other) and test is UNKNOWN:
                    self.course.escape = True
                return self._block(branch)
        if test is UNKNOWN and self._queues and self._puts(node.body) is not self._puts(node.orelse):
            self.course.escape = True  # what is not put back is given up
        if leaves(node.body) or (node.orelse and leaves(node.orelse)):
            self._may_leave(node.test, test)
            return self._block(node.orelse if leaves(node.body) else node.body)
        signal = self._block(node.orelse if self._rests(node.orelse) and not self._rests(node.body) else node.body)
        if signal == AGAIN:
            self._may_leave(node.test, test)  # what comes instead may leave
        return signal if signal != OUT else NEXT

    def _decided(self, node: Expr) -> Item:
        """Whether a condition holds, by the numbers or by what is known of the error."""
        test = self._sums.truth(node)
        if test in (UNKNOWN, ERROR) and self._leak is not None:
            verdict = Narrowing(self._engine, self._frame).decide(node, self._leak)
            return test if verdict is None else verdict
        return test

    def _puts(self, body: Block) -> bool:
        """Whether a block puts work back."""
        return not self._queues.isdisjoint(receivers(body, PUTTERS))

    def _rests(self, body: Block) -> bool:
        """Whether a block waits."""
        return any(isinstance(node, facts.Call) and self._is_wait(node) for node in inside(body))

    def _may_leave(self, node: Expr, test: Item) -> None:
        """A condition that cannot be decided keeps the loop going here, and may end it."""
        self.course.escape = self.course.escape or test is UNKNOWN
        if test is ERROR or names(node) & self._asked:
            self.course.doubt = True

    def _inner(self, node: facts.For | facts.While) -> str:
        """A loop inside: it holds the trial, or it waits, or it does not matter."""
        if id(node) in self._holders:
            self._sums.sheet.update(dict.fromkeys(targets_of(node), UNKNOWN))
            signal = self._block(node.body) if self._block_has_trial(node.body) else NEXT
            return NEXT if signal == AGAIN and self._passed is None else signal
        counted = {f"len({name})" for name in receivers(node.body, APPENDS)}
        self._sums.sheet.update(dict.fromkeys(counted & self._sums.sheet.keys(), UNKNOWN))
        if any(self._is_wait(part) for part in below(node) if isinstance(part, facts.Call)):
            self.course.waits.append(None)
        return NEXT

    def _block_has_trial(self, body: Block) -> bool:
        return any(statement is self._place or id(statement) in self._holders for statement in body)

    def _assign(self, node: facts.Assign, value: Expr) -> None:
        self._waits_in(value)
        found = self._sums.value(value)
        for target in node.targets:
            written = library.dotted(target)
            if written:
                self._sums.sheet[written] = found
            elif isinstance(target, facts.Sequence) and isinstance(value, facts.Sequence):
                for part, item in zip(target.items, value.items, strict=False):
                    if isinstance(part, facts.Name):
                        self._sums.sheet[part.id] = self._sums.value(item)

    def _augment(self, node: facts.AugAssign) -> None:
        self._waits_in(node.value)
        written = library.dotted(node.target)
        if written:
            self._sums.sheet[written] = combine(node.op, self._sums.value(node.target), self._sums.value(node.value))

    # --- waits and calls

    def _waits_in(self, node: Expr) -> None:
        for part in (node, *below(node)):
            if isinstance(part, facts.Call):
                if self._again(part):
                    continue
                if isinstance(part.func, facts.Attr) and part.func.attr in APPENDS:
                    self._appended(part.func.value)
                if self._is_wait(part):
                    self._wait(part)

    def _appended(self, node: Expr) -> None:
        """One more in a list whose length is counted."""
        counted, one = length_of(node), Number(1.0, 1.0)
        if counted in self._sums.sheet:
            self._sums.sheet[counted] = combine("+", self._sums.sheet[counted], one)

    def _is_wait(self, node: facts.Call) -> bool:
        known = self._pausing
        if node not in known:
            known[node] = self._pauses(node, self._frame, 0)
        return known[node]

    def _pauses(self, node: facts.Call, frame: Frame, depth: int) -> bool:
        name = library.written(node.func)
        if name == "sleep":
            return True
        values = self._engine.evaluator.value(node.func, frame)
        if any(isinstance(value, External) and value.path in library.SLEEPS for value in values):
            return True
        known = [value for value in values if body_of(value) is not None]
        if known:
            return any(self._takes_a_pause(value, depth) for value in known)
        if name == "wait" and isinstance(node.func, facts.Attr) and not node.args:
            return depth == 0 and values <= ANYTHING  # ``limiter.wait()`` of something that nobody sees
        return depth == 0 and name not in NO_WAITS and any(word in name.lower() for word in WAITING_WORDS)

    def _takes_a_pause(self, value: Value, depth: int) -> bool:
        """Whether a function of the project waits: itself, by its name, or in one that it calls."""
        while isinstance(value, Bound):
            value = value.function
        if not isinstance(value, FunctionRef):
            return False
        function = value.function
        word = function.name.lstrip("_")
        if sleeps(function) or word == "wait" or word.startswith(PAUSES):
            return True
        if depth >= DEEPEST_PAUSE:
            return False
        known, key = self._engine.pauses, (function, depth)
        if key not in known:
            known[key] = False
            frame = Frame(value.parent.module, function, value.parent)
            known[key] = any(
                self._pauses(part, frame, depth + 1) for part in inside(function.body) if isinstance(part, facts.Call)
            )
        return known[key]

    def _wait(self, node: facts.Call) -> None:
        name = library.written(node.func)
        plain = name == "sleep" or any(
            isinstance(value, External) and value.path in library.SLEEPS
            for value in self._engine.evaluator.value(node.func, self._frame)
        )
        if not plain or not node.args:
            self._helper(node)
            return
        given = self._sums.value(node.args[0].value)
        if given is ERROR or follows(node.args[0].value):
            self.course.told = True
        self.course.waits.append(given if isinstance(given, Number) else None)

    def _helper(self, node: facts.Call) -> None:
        """A function of the project that waits: gone through with what it is given, or taken for a good one."""
        for value in self._engine.evaluator.value(node.func, self._frame):
            target: object = value.function if isinstance(value, Bound) else value
            if (
                isinstance(target, FunctionRef)
                and len(target.function.body) < 12
                and target.function not in self._inside
                and len(self._inside) < DEEPEST_PAUSE
            ):
                offset = 1 if isinstance(value, Bound) else 0
                sheet: Sheet = {}
                for param, arg in zip(target.function.params[offset:], node.args, strict=False):
                    sheet[arg.keyword or param.name] = self._sums.value(arg.value)
                inner = Rehearsal(
                    self._engine,
                    Frame(target.parent.module, target.function, target.parent),
                    self._trial,
                    self._handler,
                )
                inner._inside = (*self._inside, target.function)
                inner._sums.sheet = {**sheet, **self._shared(node, target)}
                inner._start = (target.function.span[2], target.function.span[3])
                inner._block(target.function.body)
                self._take_back(inner._sums.sheet, node, target)
                self.course.told = self.course.told or inner.course.told
                self.course.waits += inner.course.waits or ([None] if library.written(node.func) != "sleep" else [])
                return
        self.course.waits.append(None)

    def _shared(self, node: facts.Call, target: FunctionRef) -> Sheet:
        """What a function goes on counting that is not its own: names from outside, attributes of the same object."""
        sheet = {name: item for name, item in self._sums.sheet.items() if name.startswith(_own(node, target))}
        for name in sorted(_from_outside(target)):
            sheet[name] = self._sums.sheet[name] if name in self._sums.sheet else self._at_start(name)
        return sheet

    def _take_back(self, sheet: Sheet, node: facts.Call, target: FunctionRef) -> None:
        """Know what a function has counted on."""
        names_outside, own = _from_outside(target), _own(node, target)
        self._sums.sheet.update(
            {name: item for name, item in sheet.items() if name in names_outside or name.startswith(own)}
        )

    def _again(self, node: facts.Call) -> bool:
        """Whether a call is the function calling itself; what it passes is kept."""
        function = self._function
        if function is None:
            return False
        offset = calls(self._engine, node, self._frame, function)
        if offset is not None:
            self._passed = self._given(node, function, offset)
            return True
        helper = helper_of(self._engine, node, self._frame, function)
        if helper is None:
            return False
        target, offset = helper
        args = self._engine.calls.arguments(node, self._frame)
        if offset:
            args.positional = [NOTHING] * offset + args.positional
        inner = Rehearsal(
            self._engine, self._engine.frames.of(target, args, self._frame), self._trial, self._handler, self._leak
        )
        inner._function, inner._start = function, target.function.span[2:]
        inner._sums.sheet = self._given(node, target.function, offset)
        inner._block(target.function.body)
        self._passed = inner._passed
        self.course.join(inner.course)
        return True

    def _given(self, node: facts.Call, function: Function, offset: int) -> Sheet:
        """What a call passes; ``offset`` parameters come before."""
        passed: Sheet = {}
        params = [param.name for param in function.params][offset:]
        for position, arg in enumerate(node.args):
            name = arg.keyword or (params[position] if position < len(params) and not arg.star else None)
            if name is not None:
                passed[name] = self._sums.value(arg.value)
        return passed

    # --- what is known before

    def _before(self, node: facts.While | facts.For) -> Sheet:
        """The names that the loop assigns, as they stand when it begins."""
        sheet: Sheet = {name: self._at_start(name) for name in sorted(changed_by(node))}
        scope = self._frame.module.scope_of(self._frame.function)
        for name in sorted(receivers(node.body, APPENDS)):
            made = [one.node for one in scope.bindings.get(name, ()) if one.kind == "value"]
            if len(made) == 1 and isinstance(made[0], facts.Sequence) and made[0].span[:2] < self._start:
                held = float(len(made[0].items))
                sheet[f"len({name})"] = Number(held, held)
        return sheet

    def _at_start(self, name: str) -> Item:
        """What a name is when the loop begins."""
        scope = self._frame.module.scope_of(self._frame.function)
        earlier = [
            binding
            for binding in scope.bindings.get(name, ())
            if binding.kind == "param"
            or (binding.kind == "value" and isinstance(binding.node, Expr) and binding.node.span[:2] < self._start)
        ]
        found: Item = UNKNOWN
        for number, binding in enumerate(earlier):
            if binding.kind == "param":
                found = single(self._engine.evaluator.parameter(binding.node, self._frame, scope))
                continue
            before = Sums(self._engine, self._frame, {name: found} if number else {})
            taken = self._comes_to(binding.node, before)
            if taken is not False:
                found = UNKNOWN if binding.path or taken is None else before.value(binding.node)
        return found

    def _comes_to(self, node: Expr, before: Sums) -> bool | None:
        """Whether a binding ahead of the loop is come to (``if tries is None: tries = 3``); None where nobody knows."""
        function = self._frame.function
        body = function.body if isinstance(function, Function) else self._frame.module.facts.body
        for part in inside(body):
            if not isinstance(part, facts.If) or not _holds(part, node.span[:2]) or _holds(part, self._start):
                continue
            test = before.truth(part.test)
            wanted = any(_holds(statement, node.span[:2]) for statement in part.body)
            if test is not wanted:
                return False if isinstance(test, bool) else None
        return True


def _holds(node: Stmt, place: tuple[int, int]) -> bool:
    """Whether a statement spans a place."""
    return node.span[:2] <= place < node.span[2:]


def _from_outside(target: FunctionRef) -> set[str]:
    """The names that a function takes from outside to assign them."""
    scope = target.parent.module.scope_of(target.function)
    return scope.outer | scope.globals


def _own(node: facts.Call, target: FunctionRef) -> str:
    """How the attributes are written that a function called on ``self`` shares with its caller."""
    params = target.function.params
    on_self = isinstance(node.func, facts.Attr) and library.dotted(node.func.value) == "self"
    return "self." if on_self and params and params[0].name == "self" else NEVER
