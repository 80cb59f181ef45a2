"""Hand-written retries: which loops (and recursions) go round again after an error, how often, and with which waits."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leak, Leaks
from openai_lint.facts import Handler
from openai_lint.link import library, retry_frameworks
from openai_lint.link.alike import Verdicts
from openai_lint.link.blocks import (
    PUTTERS,
    asks,
    assigned,
    blocks_of,
    changed_by,
    inside,
    leaves,
    leaves_loop,
    queues,
    receivers,
)
from openai_lint.link.blocks import below as descendants
from openai_lint.link.blocks import inside as below
from openai_lint.link.clauses import CATCHES, clause_of
from openai_lint.link.itself import calls, helper_of
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import EVERYTHING, VAGUE, Predicate
from openai_lint.link.rehearsal import Course, Rehearsal
from openai_lint.link.repairs import asks_else, repairs
from openai_lint.link.retry_values import Wait, of_classes
from openai_lint.link.sums import names
from openai_lint.link.values import Display, Frame, Literal
from openai_lint.link.waits import paused, wait_of, waits_in

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.sdk import Sdk

__all__ = ["LoopWatch", "below", "descendants", "goes_again", "hand_loop", "only", "recursion"]

EVERY_ERROR = Predicate("only", ("BaseException",))
"""What a bare ``except:`` takes up."""


class LoopWatch:
    """What one loop does with the errors that are caught inside it."""

    def __init__(self, engine: "Engine", frame: Frame, node: facts.While | facts.For, once_more: bool = False) -> None:
        self._engine = engine
        self.once_more = once_more
        """Whether the same is tried once more behind the loop."""
        self.policies: list[tuple[Policy, set[Leak]]] = []
        self._frame = frame
        self._node = node
        self._again: set[Leak] = set()
        self._fallen: dict[facts.Try, set[Leak]] = {}
        self._left: set[Leak] = set()
        self._ends = False
        self._trials: dict[Leak, facts.Try] = {}
        self._put_off: set[facts.Try] = set()
        self.breaks = False

    # --- told by the walk

    def break_(self, live: frozenset[Leak | str]) -> None:
        """Tokens that leave the loop by ``break``."""
        self.breaks = self.breaks or bool(live)
        self.leave(live)

    def leave(self, live: frozenset[Leak | str]) -> None:
        """Tokens that leave the loop by ``break`` or ``return``."""
        self._left.update(token for token in live if isinstance(token, Leak))

    def continue_(self, live: frozenset[Leak | str]) -> None:
        """Tokens that go round again."""
        self._ends = self._ends or "normal" in live
        self._again.update(token for token in live if isinstance(token, Leak))

    def fell(self, node: facts.Try, live: frozenset[Leak | str]) -> None:
        """Tokens that fell out of a handler of ``node``, to go on behind the try statement."""
        leaks = {token for token in live if isinstance(token, Leak)}
        self._fallen.setdefault(node, set()).update(leaks)

    def caught(self, node: facts.Try, leaks: Leaks) -> None:
        """Which try statement caught a leak."""
        for leak in leaks:
            self._trials[leak] = node

    def holds(self, inner: "LoopWatch", done: Leaks) -> None:
        """A loop inside has ended: what it puts off, this one may take up."""
        for leak, trial in inner._trials.items():
            if leak not in done and _puts_off(self._node, inner._node, trial):
                self._trials.setdefault(leak, trial)
                self._put_off.add(trial)
                self._again.add(leak)

    # --- the verdict

    def retried(self) -> Leaks:
        """What the loop takes up again."""
        again = set(self._again)
        if self._ends:
            for fallen in self._fallen.values():
                again |= fallen
        found = {leak for leak in again if leak in self._trials and self._goes_again(self._trials[leak])}
        if found and self._engine.record.enabled:
            self.policies = self._policies(found)
            for policy, leaks in self.policies:
                for leak in leaks:
                    self._engine.record.policy(leak, policy)
        return frozenset(found)

    def _goes_again(self, trial: facts.Try) -> bool:
        known = self._engine.retry_loops
        if (self._node, trial) not in known:
            known[self._node, trial] = trial in self._put_off or self._is_retry(trial)
        return known[self._node, trial]

    def _is_retry(self, trial: facts.Try) -> bool:
        """Whether success leaves the loop while the handler stays in it, with the same work to do."""
        if any(
            isinstance(node, facts.Call) and library.written(node.func) == "input" for node in below(self._node.body)
        ):
            return False
        node = self._node
        if isinstance(node, facts.For):
            work = _uses_target(node, trial)
            counts = self._counts(node)
            if work and not counts:  # models, keys: the next one is tried until one answers
                return leaves((*trial.body, *trial.orelse)) or leaves(self._after(trial))
            ends = self._success_leaves(trial) or self._success_is_asked_for(trial)
            return ends or (counts and not work and _pauses(trial))
        return self._success_leaves(trial) or _success_moves_on(node, trial) or bool(queues(node, trial))

    def _counts(self, node: facts.For) -> bool:
        """Whether a ``for`` only counts (``range(5)``), rather than going through work."""
        iterable = node.iterable
        if isinstance(iterable, facts.Call) and library.written(iterable.func) == "reversed" and iterable.args:
            iterable = iterable.args[0].value
        if not isinstance(iterable, facts.Call):
            values = self._engine.evaluator.value(iterable, self._frame)
            return bool(values) and all(isinstance(value, Display) and _numeric(value) for value in values)
        name = library.written(iterable.func)
        if name == "range":
            return not any(
                isinstance(node, facts.Call) and library.written(node.func) == "len"
                for arg in iterable.args
                for node in (arg.value, *descendants(arg.value))
            )
        return name in ("count", "repeat") or "attempt" in name or "retr" in name

    def _success_leaves(self, trial: facts.Try) -> bool:
        """Whether something behind the request leaves the loop."""
        first = next((index for index, statement in enumerate(trial.body) if asks(statement)), 0)
        return leaves_loop((*trial.body[first:], *trial.orelse, *self._after(trial)))

    def _success_is_asked_for(self, trial: facts.Try) -> bool:
        """Whether an ``if`` around the try, or beside it, looks at what success assigns (``if answer is None:``)."""
        found = assigned(trial.body) | assigned(trial.orelse)
        inner = set(map(id, inside(trial.body)))
        return any(
            isinstance(node, facts.If) and id(node) not in inner and not found.isdisjoint(names(node.test))
            for node in inside(self._node.body)
        )

    def _after(self, trial: facts.Try) -> facts.Block:
        return _behind(self._node.body, self._engine.guards.place(trial)) or ()

    def _ahead_of(self, trial: facts.Try) -> facts.Block:
        body, place = self._node.body, self._engine.guards.place(trial)
        index = next((at for at, one in enumerate(body) if any(node is place for node in inside((one,)))), 0)
        return body[:index]

    def _policies(self, retried: set[Leak]) -> list[tuple[Policy, set[Leak]]]:
        """The policies that the loop is, with what each takes up: it may count or wait otherwise for some errors."""
        known: dict[tuple[facts.Try, Handler], tuple[Verdicts[Course], dict[int, Policy]]] = {}
        groups: dict[Policy, tuple[set[Leak], set[Leak]]] = {}
        for leak in sorted(retried, key=_plainness):
            trial, handler = place = self._handler_of(leak)
            if place not in known:
                known[place] = Verdicts(self._rehearsing(trial, handler)), {}
            courses, read = known[place]
            course = courses.of(leak)
            key = id(course) if _asks(handler) else 0
            if key not in read:
                read[key] = self._read(course, trial, handler, EVERYTHING)
            taken, doubtful = groups.setdefault(read[key], (set(), set()))
            may_end = course.doubt or (course.attempts is not None and course.attempts <= 1)
            (doubtful if may_end else taken).add(leak)
        alone = len(groups) == 1
        return [
            (replace(policy, retries=only(sure, doubtful), family=None if alone else self._node), sure | doubtful)
            for policy, (sure, doubtful) in groups.items()
        ]

    def _rehearsing(self, trial: facts.Try, handler: Handler) -> "Callable[[Leak, Sdk], Course]":
        """How the loop goes on after an error that a handler has caught."""
        return lambda leak, _: self._course(trial, handler, leak)

    def _course(self, trial: facts.Try, handler: Handler, leak: Leak | None = None) -> Course:
        return Rehearsal(self._engine, self._frame, trial, handler, leak).loop(self._node)

    def _read(self, course: Course, trial: facts.Try, handler: Handler, predicate: Predicate) -> Policy:
        changing = changed_by(self._node)
        if isinstance(self._node, facts.For):
            changing |= names(self._node.target)
        wait, jitter, seconds = self._waits(course, trial, handler, changing)
        return Policy(
            "loop",
            self._node,
            self._frame.module,
            course.attempts + self.once_more if course.attempts is not None else None,
            course.bounded,
            wait,
            jitter,
            predicate,
            "original",
            seconds,
            follows=course.told,
            repairs=repairs(trial, handler, self._after(trial), self._ahead_of(trial)) or self._takes_turns(trial),
        )

    def _takes_turns(self, trial: facts.Try) -> bool:
        """Whether each round asks something else of what the loop goes through: another model, another key."""
        return isinstance(self._node, facts.For) and not self._counts(self._node) and _uses_target(self._node, trial)

    @property
    def counts(self) -> bool:
        """Whether the loop only counts."""
        return isinstance(self._node, facts.For) and self._counts(self._node)

    def around(self, trial: facts.Try, handler: Handler) -> Policy | None:
        """The policy that the loop is around a try whose errors are not followed; None where it is none."""
        return self._read(self._course(trial, handler), trial, handler, EVERYTHING) if self._is_retry(trial) else None

    def for_others(self, trial: facts.Try, handler: Handler, raised: Iterable[str]) -> Policy | None:
        """The policy that the loop is around a try whose handler takes up what stands for these errors."""
        if not self._is_retry(trial):
            return None
        return self._read(self._course(trial, handler), trial, handler, Predicate("only", tuple(raised)))

    def by_answer(self, statement: facts.Stmt, raised: Iterable[str]) -> Policy | None:
        """The policy that the loop is around a statement whose call answers errors, and by whose answer it goes on."""
        told, node = assigned((statement,)), self._node
        decides = [part for part in inside(node.body) if isinstance(part, facts.If) and names(part.test) & told]
        tested = isinstance(node, facts.While) and names(node.test) & told
        if not tested and not any(_goes(part.body) or _goes(part.orelse) for part in decides):
            return None
        trial = self._engine.guards.trial(statement)
        if not self._is_retry(trial):
            return None
        handler, predicate = trial.handlers[0], Predicate("only", tuple(sorted(set(raised))))
        return self._read(self._course(trial, handler), trial, handler, predicate)

    def _waits(self, course: Course, trial: facts.Try, handler: Handler, changing: set[str]) -> Wait:
        found = wait_of(course)
        if found is not None:
            return found
        body = tuple(item for item in self._node.body if item is not trial)
        return paused(course, waits_in(self._engine, self._frame, (*body, *handler.body, *trial.finalbody), changing))

    def _handler_of(self, leak: Leak) -> tuple[facts.Try, Handler]:
        """The handler that an error comes to."""
        trial = self._trials[leak]
        release = leak.site.release
        for handler in trial.handlers:
            if handler.type is None:
                return trial, handler
            values = self._engine.evaluator.value(handler.type, self._frame)
            if clause_of(values, self._engine).verdict(leak, release) == CATCHES:
                return trial, handler
        return trial, trial.handlers[-1]


def _asks(handler: Handler) -> bool:
    """Whether a handler goes one way or the other."""
    return any(isinstance(node, (facts.If, facts.IfExp, facts.Match)) for node in inside(handler.body))


def _behind(body: facts.Block, place: facts.Stmt) -> facts.Block | None:
    """The statements that follow one, in its own block and behind what holds that; None where it is not in there."""
    for index, statement in enumerate(body):
        if statement is place:
            return body[index + 1 :]
        for block in blocks_of(statement):
            found = _behind(block, place)
            if found is not None:
                return (*found, *body[index + 1 :])
    return None


def _goes(body: facts.Block) -> bool:
    """Whether a block leaves its loop, or the round."""
    return leaves_loop(body) or any(isinstance(node, facts.Jump) and node.kind == "continue" for node in inside(body))


def hand_loop(
    engine: "Engine", frame: Frame, node: facts.While | facts.For, trial: facts.Try, handler: Handler
) -> Policy | None:
    """The policy of a loop around a request that is none of the SDK's."""
    return LoopWatch(engine, frame, node).around(trial, handler)


def _uses_target(node: facts.For, trial: facts.Try) -> bool:
    """Whether a ``for`` gives each round its own work, be it through names that it derives from its own."""
    derived = names(node.target) - {"_"}
    for statement in inside(node.body):
        if isinstance(statement, facts.Assign) and statement.value is not None and names(statement.value) & derived:
            derived |= {target.id for target in statement.targets if isinstance(target, facts.Name)}
    used = {item.id for item in inside(trial.body) if isinstance(item, facts.Name)}
    return not derived.isdisjoint(used)


def _pauses(trial: facts.Try) -> bool:
    """Whether a handler sleeps: a loop that counts and forgets to stop is meant to ask again, not for something new."""
    return any(
        isinstance(node, facts.Call) and library.written(node.func) == "sleep"
        for handler in trial.handlers
        for node in inside(handler.body)
    )


def _success_moves_on(node: facts.While, trial: facts.Try) -> bool:
    """Whether only success changes what a ``while`` tests."""
    return not names(node.test).isdisjoint(assigned(trial.body) | assigned(trial.orelse))


def _puts_off(outer: facts.While | facts.For, inner: facts.While | facts.For, trial: facts.Try) -> bool:
    """Whether a loop keeps what has failed, for the next round of the loop around it to go through."""
    if not isinstance(inner, facts.For):
        return False
    work = names(inner.iterable)
    kept = {name for handler in trial.handlers for name in receivers(handler.body, PUTTERS)}
    return not kept.isdisjoint(work) or any(
        isinstance(node, facts.Assign)
        and node.value is not None
        and not kept.isdisjoint(names(node.value))
        and any(isinstance(target, facts.Name) and target.id in work for target in node.targets)
        for node in inside(outer.body)
    )


def _numeric(value: Display) -> bool:
    """Whether a display holds numbers and None only: delays, not work."""
    held = [item for _, found in value.items for item in found]
    return bool(held) and all(
        isinstance(item, Literal) and (item.value is None or isinstance(item.value, (int, float))) for item in held
    )


def goes_again(engine: "Engine", frame: Frame, handler: Handler) -> bool:
    """Whether a handler calls its own function again, or hands its task back to the queue."""
    function = frame.function
    if not isinstance(function, facts.Function):
        return False
    return (
        _calls_itself(engine, frame, function, handler) is not None
        or retry_frameworks.handed_back(function, handler) is not None
    )


def recursion(
    engine: "Engine", frame: Frame, trial: facts.Try, again: Mapping[Handler, Leaks]
) -> list[tuple[Policy, Leaks]]:
    """The retries of handlers that call their own function again, with what they take up: a family of policies."""
    function = frame.function
    if not isinstance(function, facts.Function):
        return []
    found: list[tuple[Policy, Leaks]] = []
    for handler, caught in again.items():
        node = _calls_itself(engine, frame, function, handler)
        if node is not None:
            found += _recursion(engine, frame, function, trial, handler, node, caught)
        elif (policy := retry_frameworks.by_task(engine, frame, handler)) is not None:
            found.append((policy, caught))
    return found


def _recursion(
    engine: "Engine",
    frame: Frame,
    function: facts.Function,
    trial: facts.Try,
    handler: Handler,
    node: facts.Call,
    caught: Leaks,
) -> list[tuple[Policy, Leaks]]:
    """The retry of one handler, with those of its errors for which it does call its function again."""
    courses = Verdicts(lambda leak, _: Rehearsal(engine, frame, trial, handler, leak).recursion(function))
    again = frozenset(leak for leak in caught if courses.of(leak).requests > 1 or not courses.of(leak).ended)
    if not again:
        return []
    course = courses.of(_plainest(again))
    wait, jitter, seconds = wait_of(course) or paused(
        course, waits_in(engine, frame, handler.body, {param.name for param in function.params})
    )
    named = EVERY_ERROR if handler.type is None else of_classes(engine.evaluator.value(handler.type, frame))
    doubtful = {leak for leak in again if courses.of(leak).doubt}
    predicate = named if again == caught and not doubtful else only(again - doubtful, doubtful)
    policy = Policy(
        "loop",
        node,
        frame.module,
        course.attempts,
        course.bounded,
        wait,
        jitter,
        predicate,
        "original",
        seconds,
        follows=course.told,
        repairs=asks_else(engine, frame, function, trial, node) or repairs(trial, handler, ()),
        family=trial,
    )
    return [(policy, again)]


def only(sure: Leaks | set[Leak], doubtful: Leaks | set[Leak]) -> Predicate:
    """Exactly these errors, of some of which nobody knows."""
    predicate = Predicate("only", tuple(sorted({leak.raised for leak in sure})))
    if not doubtful:
        return predicate
    unsure = Predicate("only", tuple(sorted({leak.raised for leak in doubtful})))
    some = Predicate("and", parts=(unsure, VAGUE))
    others = Predicate("and", parts=(predicate, Predicate("not", parts=(unsure,))))  # a base may be sure
    return Predicate("or", parts=(others, some)) if sure else some


def _plainest(leaks: Leaks | set[Leak]) -> Leak:
    """The error by which a retry is told: the one that everybody means, if it is among them."""
    return min(leaks, key=_plainness)


def _plainness(leak: Leak) -> tuple[bool, str, str]:
    return leak.error != "RateLimitError", leak.error, leak.raised


def _calls_itself(engine: "Engine", frame: Frame, function: facts.Function, handler: Handler) -> facts.Call | None:
    """The call by which a handler runs its own function again, itself or through a function that it asks."""
    unrun = _unrun(handler.body) if function.is_generator else frozenset()
    for node in below(handler.body):
        if not isinstance(node, facts.Call) or id(node) in unrun:
            continue
        if calls(engine, node, frame, function) is not None or helper_of(engine, node, frame, function) is not None:
            return node
    return None


def _unrun(body: facts.Block) -> frozenset[int]:
    """The calls, by identity, whose generators nothing here iterates: those that are only handed out or dropped."""
    found: set[int] = set()
    for node in below(body):
        if isinstance(node, facts.ExprStmt) or (isinstance(node, facts.Yield) and not node.delegate):
            value = node.value
            items = value.items if isinstance(value, facts.Sequence) else (value,)
            found |= {id(item) for item in items if isinstance(item, facts.Call)}
    return frozenset(found)
