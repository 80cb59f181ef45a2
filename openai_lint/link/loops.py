"""Hand-written retries: which loops (and recursions) go round again after an error, how often, and with which waits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.escapes import Leak, Leaks
from openai_lint.facts import Expr, Handler, Stmt
from openai_lint.link import library
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import Predicate
from openai_lint.link.values import Bound, External, Frame, FunctionRef, Retried, constants

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

WAITING_WORDS = ("sleep", "backoff", "back_off", "wait", "delay", "cooldown")
"""Words in the name of a function that cannot be seen and probably waits."""


def descendants(node: Any) -> Iterator[Any]:
    """Every node below, nested functions left out."""
    for child in facts.children(node):
        yield child
        if not isinstance(child, (facts.Function, facts.Class, facts.Lambda)):
            yield from descendants(child)


def below(body: facts.Block) -> Iterator[Any]:
    """Every node of a block, nested functions left out."""
    for statement in body:
        yield statement
        if not isinstance(statement, (facts.Function, facts.Class)):
            yield from descendants(statement)


class LoopWatch:
    """What one loop does with the errors that are caught inside it."""

    def __init__(self, engine: "Engine", frame: Frame, node: facts.While | facts.For) -> None:
        self._engine = engine
        self._frame = frame
        self._node = node
        self._again: set[Leak] = set()
        self._fallen: dict[facts.Try, set[Leak]] = {}
        self._left: set[Leak] = set()
        self._ends = False
        self._trials: dict[Leak, facts.Try] = {}
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

    # --- the verdict

    def through(self, leaks: Leaks) -> Leaks:
        """What leaves the loop: the same leaks, marked as having passed a retry where the loop is one."""
        retried = set(self._again)
        if self._ends:
            for fallen in self._fallen.values():
                retried |= fallen
        retried = {leak for leak in retried if leak in self._trials and self._goes_again(self._trials[leak])}
        if not retried:
            return leaks
        if self._engine.record.enabled:
            policy = self._policy(retried, leaks)
            for leak in retried:
                self._engine.record.policy(leak, policy)
        sites = {leak.site for leak in retried}
        return frozenset(leak._replace(retries=leak.retries + 1) if leak.site in sites else leak for leak in leaks)

    def _goes_again(self, trial: facts.Try) -> bool:
        known = self._engine.retry_loops
        if (self._node, trial) not in known:
            known[self._node, trial] = self._is_retry(trial)
        return known[self._node, trial]

    def _is_retry(self, trial: facts.Try) -> bool:
        """Whether success leaves the loop while the handler stays in it, with the same work to do."""
        if any(isinstance(node, facts.Call) and library.written(node.func) == "input" for node in below(self._node.body)):
            return False
        if isinstance(self._node, facts.For):
            if not self._counts() and self._uses_target(trial):
                return False
            return self._success_leaves(trial) or self._counts() and not self._uses_target(trial)
        return self._success_leaves(trial) or self._success_moves_on(trial)

    def _counts(self) -> bool:
        """Whether a ``for`` only counts (``range(5)``), rather than going through work."""
        assert isinstance(self._node, facts.For)
        iterable = self._node.iterable
        if not isinstance(iterable, facts.Call):
            return isinstance(iterable, facts.Sequence) and all(isinstance(item, facts.Const) and isinstance(item.value, (int, float)) for item in iterable.items)
        name = library.written(iterable.func)
        if name == "range":
            return not any(isinstance(node, facts.Call) and library.written(node.func) == "len" for arg in iterable.args for node in (arg.value, *descendants(arg.value)))
        return name in ("count", "repeat") or "attempt" in name or "retr" in name

    def _uses_target(self, trial: facts.Try) -> bool:
        assert isinstance(self._node, facts.For)
        names = {node.id for node in (self._node.target, *descendants(self._node.target)) if isinstance(node, facts.Name)} - {"_"}
        used = {node.id for node in below(trial.body) if isinstance(node, facts.Name)}
        return not names.isdisjoint(used)

    def _success_leaves(self, trial: facts.Try) -> bool:
        inside = [*below(trial.body), *below(trial.orelse)]
        nested = {id(inner) for node in inside if isinstance(node, (facts.For, facts.While)) for inner in below(node.body)}
        for node in inside:
            if isinstance(node, facts.Return) or (isinstance(node, facts.Jump) and node.kind == "break" and id(node) not in nested):
                return True
        after = self._after(trial)
        return any(isinstance(node, facts.Return) or (isinstance(node, facts.Jump) and node.kind == "break") for node in below(after))

    def _after(self, trial: facts.Try) -> facts.Block:
        body = self._node.body
        for index, statement in enumerate(body):
            if statement is trial or any(node is trial for node in descendants(statement)):
                return body[index + 1 :]
        return ()

    def _success_moves_on(self, trial: facts.Try) -> bool:
        """Whether only success changes what a ``while`` tests."""
        assert isinstance(self._node, facts.While)
        tested = {node.id for node in (self._node.test, *descendants(self._node.test)) if isinstance(node, facts.Name)}
        changed = _assigned(trial.body) | _assigned(trial.orelse)
        return not tested.isdisjoint(changed)

    def _policy(self, retried: set[Leak], leaks: Leaks) -> Policy:
        wait, jitter, seconds = self._waits()
        attempts = self._attempts()
        bounded = self._bounded(retried, leaks)
        errors = tuple(sorted({leak.raised for leak in retried}))
        return Policy("loop", self._node, self._frame.module, attempts if bounded else None, bounded, wait, jitter, Predicate("only", errors), "original", seconds)

    def _attempts(self) -> int | None:
        node = self._node
        if isinstance(node, facts.For):
            if isinstance(node.iterable, facts.Call) and library.written(node.iterable.func) == "range":
                args = [self._constant(arg.value) for arg in node.iterable.args]
                if len(args) == 1 and isinstance(args[0], int):
                    return args[0]
                if len(args) >= 2 and isinstance(args[0], int) and isinstance(args[1], int):
                    return len(range(args[0], args[1], args[2] if len(args) > 2 and isinstance(args[2], int) and args[2] else 1))
            if isinstance(node.iterable, facts.Sequence):
                return len(node.iterable.items)
            return None
        test = node.test
        if isinstance(test, facts.Compare) and isinstance(test.left, facts.Name) and test.op in ("<", "<="):
            limit = self._constant(test.right)
            start = self._first_constant(test.left.id)
            if isinstance(limit, int) and isinstance(start, int):
                return limit - start + (1 if test.op == "<=" else 0)
        return None

    def _constant(self, node: Expr) -> object | None:
        found = constants(self._engine.evaluator.value(node, self._frame))
        numbers = [item for item in found if isinstance(item, (int, float)) and not isinstance(item, bool)]
        return numbers[0] if len(numbers) == 1 else None

    def _first_constant(self, name: str) -> object | None:
        for binding in self._frame.module.scope_of(self._frame.function).bindings.get(name, ()):
            if binding.kind == "value" and isinstance(binding.node, facts.Const):
                return binding.node.value
        return None

    def _bounded(self, retried: set[Leak], leaks: Leaks) -> bool:
        if isinstance(self._node, facts.For):
            return not (isinstance(self._node.iterable, facts.Call) and library.written(self._node.iterable.func) in ("count", "cycle", "iter"))
        if retried & self._left or {(leak.site, leak.error) for leak in retried} & {(leak.site, leak.error) for leak in leaks}:
            return True
        tested = {node.id for node in (self._node.test, *descendants(self._node.test)) if isinstance(node, facts.Name)}
        in_handlers: set[str] = set()
        for trial in {self._trials[leak] for leak in retried}:
            for handler in trial.handlers:
                in_handlers |= _assigned(handler.body)
            in_handlers |= _assigned(self._after(trial)) | _assigned(trial.finalbody)
            before = self._node.body[: len(self._node.body) - len(self._after(trial))]
            in_handlers |= _assigned(tuple(item for item in before if item is not trial))
        for node in below(self._node.body):
            if isinstance(node, facts.If) and any(isinstance(item, (facts.Raise, facts.Return)) or (isinstance(item, facts.Jump) and item.kind == "break") for item in node.body):
                names = {item.id for item in (node.test, *descendants(node.test)) if isinstance(item, facts.Name)}
                if names & (in_handlers | _assigned(self._node.body)):
                    return True
        return not tested.isdisjoint(in_handlers)

    def _waits(self) -> tuple[str, bool, float | None]:
        changing = _assigned(self._node.body)
        if isinstance(self._node, facts.For):
            changing |= {node.id for node in (self._node.target, *descendants(self._node.target)) if isinstance(node, facts.Name)}
        return waits_in(self._engine, self._frame, self._node.body, changing)


def _assigned(body: facts.Block) -> set[str]:
    """Names that statements of a block assign."""
    found: set[str] = set()
    for node in below(body):
        targets: tuple[Expr, ...] = ()
        if isinstance(node, facts.Assign):
            targets = node.targets
        elif isinstance(node, facts.AugAssign):
            targets = (node.target,)
        for target in targets:
            found |= {item.id for item in (target, *descendants(target)) if isinstance(item, facts.Name)}
    return found


def waits_in(engine: "Engine", frame: Frame, body: facts.Block, changing: set[str]) -> tuple[str, bool, float | None]:
    """How a block waits: none, fixed or growing, whether at random, and how many seconds when that is fixed."""
    best: tuple[str, bool, float | None] = ("none", False, 0.0)
    order = {"none": 0, "fixed": 1, "growing": 2}
    for node in below(body):
        if not isinstance(node, facts.Call):
            continue
        name = library.written(node.func)
        paths = {value.path for value in engine.evaluator.value(node.func, frame) if isinstance(value, External)}
        if paths & library.SLEEPS or name == "sleep":
            found = _one_wait(engine, frame, node, changing)
        elif any(word in name.lower() for word in WAITING_WORDS) and name not in ("wait_for", "wait"):
            found = ("growing", True, None)
        else:
            continue
        if order[found[0]] >= order[best[0]]:
            best = found
    return best


def _one_wait(engine: "Engine", frame: Frame, node: facts.Call, changing: set[str]) -> tuple[str, bool, float | None]:
    if not node.args:
        return "fixed", False, None
    return _growth(engine, frame, node.args[0].value, changing, 0)


def _growth(engine: "Engine", frame: Frame, wanted: Expr, changing: set[str], depth: int) -> tuple[str, bool, float | None]:
    parts = [wanted, *descendants(wanted)]
    calls = [library.dotted(item.func) for item in parts if isinstance(item, facts.Call)]
    jitter = any(("random" in name or "uniform" in name or "randint" in name or "jitter" in name) for name in calls)
    names = {item.id for item in parts if isinstance(item, facts.Name)}
    attributes = {item.attr for item in parts if isinstance(item, facts.Attr)}
    told = any("retry" in name.lower() or name in ("headers", "response") for name in attributes | names)
    growing = bool(names & changing) or told or any("expo" in name or "backoff" in name for name in calls) or any("delay" in attr or "backoff" in attr for attr in attributes & changing)
    if growing and depth < 3 and not told:
        inner = [_resolved(engine, frame, name, changing, depth) for name in sorted(names & changing)]
        if inner and all(kind == "fixed" for kind, _, _ in inner) and isinstance(wanted, facts.Name):
            return inner[0]
        jitter = jitter or any(random for _, random, _ in inner)
    if growing:
        return "growing", jitter, None
    known = [item for item in constants(engine.evaluator.value(wanted, frame)) if isinstance(item, (int, float))]
    return "fixed", jitter, float(known[0]) if len(known) == 1 else None


def _resolved(engine: "Engine", frame: Frame, name: str, changing: set[str], depth: int) -> tuple[str, bool, float | None]:
    """How a name that the loop assigns grows: by what it is assigned."""
    kinds: list[tuple[str, bool, float | None]] = []
    for binding in frame.module.scope_of(frame.function).bindings.get(name, ()):
        if binding.kind != "value" or not isinstance(binding.node, Expr) or binding.path:
            return "growing", False, None
        kinds.append(_growth(engine, frame, binding.node, changing - {name} if not _mentions(binding.node, name) else changing, depth + 1))
    if not kinds:
        return "growing", False, None
    jitter = any(random for _, random, _ in kinds)
    if len(kinds) == 1:
        return kinds[0]
    return "growing", jitter, None


def _mentions(node: Expr, name: str) -> bool:
    return any(isinstance(item, facts.Name) and item.id == name for item in (node, *descendants(node)))


def recursion(engine: "Engine", frame: Frame, handler: Handler) -> Policy | None:
    """The retry of a handler that calls its own function again."""
    function = frame.function
    if function is None:
        return None
    for node in below(handler.body):
        if not isinstance(node, facts.Call) or library.written(node.func) != function.name:
            continue
        for value in engine.evaluator.value(node.func, frame):
            target: object = value.function if isinstance(value, Bound) else value
            while isinstance(target, Retried):
                target = target.function
            if isinstance(target, FunctionRef) and target.function is function:
                wait, jitter, seconds = waits_in(engine, frame, handler.body, {param.name for param in function.params})
                counts = any(isinstance(item, facts.BinOp) for arg in node.args for item in (arg.value, *descendants(arg.value))) or bool(_assigned(handler.body) & {param.name for param in function.params})
                statement: Stmt | Expr = node
                return Policy("loop", statement, frame.module, None, counts, wait, jitter, Predicate("all"), "original", seconds)
    return None
