"""Retry policies at work: what they let through, and which values are policies."""

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS, RETRY_ERROR, Leak, Leaks
from openai_lint.facts import Call, Expr, Function
from openai_lint.link import library, retry_frameworks, retry_libraries
from openai_lint.link.alike import Verdicts
from openai_lint.link.cells import Outcome
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import EVERYTHING, VAGUE, Predicate, ask
from openai_lint.link.values import (
    ANYTHING,
    CALLABLE,
    NOTHING,
    Bound,
    Deferred,
    External,
    Frame,
    FunctionRef,
    Group,
    Partial,
    Policied,
    Retried,
    Symbolic,
    Value,
    Values,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.arguments import Arguments
    from openai_lint.link.engine import Engine

OPEN = "**"


class Policies:
    """Reads policies from values and applies them to leaks."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    # --- the effect of a policy

    def accepts(self, policy: Policy, leak: Leak) -> bool | None:
        """Whether a policy retries an error; None when that depends on more than can be seen."""
        release = leak.site.release
        return policy.retries.accepts(leak, release, lambda value, asked: ask(self._engine, value, asked))

    def through(self, policy: Policy, leaks: Leaks) -> Leaks:
        """What leaves a policy of what happens inside."""
        if not policy.enabled:
            return leaks
        if policy.pending:
            return NO_LEAKS  # an option is not known yet: nothing can be said that would not have to be taken back
        result: set[Leak] = set()
        verdicts = Verdicts(lambda leak, _: self.accepts(policy, leak))
        for leak in leaks:
            accepted = verdicts.of(leak)
            if accepted is not False and not policy.idle:
                self._engine.record.policy(leak, policy)
            passed = leak.after_retries()
            if policy.cover:
                self._engine.record.handled(leak, policy.node, policy.module)
                continue
            if policy.wraps:
                result.add(passed.seen_as(policy.after, RETRY_ERROR))
                continue
            if accepted is not True:
                result.add(passed)
            if accepted is False or not policy.bounded:
                continue
            if policy.after == "nothing":
                self._engine.record.handled(leak, policy.node, policy.module)
            elif policy.after == "original":
                result.add(passed)
            else:
                result.add(passed.seen_as(policy.after, RETRY_ERROR))
        return frozenset(result)

    def around(self, policy: Policy, outcome: Outcome) -> Outcome:
        """Apply a policy to a call: to what it raises at once, and to the coroutine that it gives."""
        values = NOTHING
        for value in outcome.values:
            waits = isinstance(value, Deferred) and value.on == "await" and policy.asynchronous
            replays = isinstance(value, Deferred) and value.on == "iterate" and policy.generators
            if isinstance(value, Deferred) and (waits or replays):
                values |= one(Deferred(value.on, Group(one(value), policy=policy)))
            else:
                values |= one(value)
        return Outcome(self.through(policy, outcome.leaks), values)

    # --- reading

    def models(self, path: str) -> bool:
        """Whether calling this library function gives a policy or a part of one."""
        return retry_libraries.models(path)

    def symbolic(self, path: str, args: "Arguments", frame: Frame, node: Expr) -> Value:
        """The unevaluated call; a policy that is gone through attempt by attempt is read at once."""
        value = self._asked(_unevaluated(path, args, frame, node))
        if retry_libraries.iterates(path):
            policy = self.of(value, node, frame)
            if policy is not None:
                return Policied(policy, "attempts")
        return value

    def _asked(self, value: Symbolic) -> Symbolic:
        """The call with what the functions among its options give, where the library asks them."""
        called = retry_libraries.CALLED.get(value.path.partition(".")[0], frozenset())
        if not any(name in called for name, _ in value.keywords):
            return value
        told = tuple((name, self._given_by(found) if name in called else found) for name, found in value.keywords)
        return replace(value, keywords=told)

    def _given_by(self, values: Values) -> Values:
        """What functions without parameters give; other values as they are."""
        result: Values = NOTHING
        for value in values:
            plain = isinstance(value, FunctionRef) and not value.function.params
            if plain and isinstance(value, FunctionRef):
                frame = Frame(value.parent.module, value.function, value.parent)
                result |= self._engine.calls.gives(frame).returns
            else:
                result |= one(value)
        return result

    def made(self, path: str, args: "Arguments", frame: Frame, node: Expr) -> Outcome:
        """What calling a library function that ``models`` knows does: mostly it only gives a policy."""
        ran = self._run_at_once(path, args, frame, node)
        return ran if ran is not None else Outcome(NO_LEAKS, one(self.symbolic(path, args, frame, node)))

    def of(self, value: Value, node: Expr, frame: Frame) -> Policy | None:
        """The policy that a value is: a library's decorator or retrying object, called or bare."""
        if isinstance(value, Policied):
            return value.policy
        if isinstance(value, External) and retry_libraries.models(value.path):
            value = Symbolic(value.path, (), (), node, frame)
        if isinstance(value, Symbolic):
            module = value.frame.module if value.frame else frame.module
            policy = retry_libraries.read(value, value.node or node, module)
            if policy is not None and any(name == OPEN for name, _ in value.keywords):
                policy = _with_unseen_options(policy)
            return replace(policy, pending=True) if policy is not None and _pending(value) else policy
        return None

    def decorator(self, value: Value, node: Expr, function: Function, frame: Frame) -> Policy | None:
        """The policy that a decorator puts around a function."""
        found = self.of(value, node, frame)
        if found is not None and isinstance(value, External) and value.path.partition(".")[0] in retry_libraries.BARE:
            found = replace(found, enabled=False)
        if isinstance(value, External) and value.path.removesuffix("()") == retry_libraries.ACTIVITY:
            found = retry_frameworks.temporal(self._engine, function, node, frame.module)
        if found is None and isinstance(value, (External, Symbolic)):
            args = self._engine.calls.arguments(node, frame) if isinstance(node, Call) else None
            if args is not None:
                found = retry_libraries.framework(node, frame.module, args)
        if found is None:
            return None
        self._engine.record.decorated(function, found, frame)
        return around_function(found, function)

    def cover(self, node: Expr, frame: Frame) -> Policy:
        """The stand-in for code that cannot be seen and whose name says that it deals with errors."""
        self._engine.record.note(
            f"{library.dotted(node) or 'a decorator'} is taken to deal with errors, by its name", node, frame.module
        )
        return Policy("loop", node, frame.module, None, True, "growing", True, cover=True)

    # --- policies as values

    def call(self, value: Symbolic | Policied, args: "Arguments", frame: Frame, node: Expr) -> Outcome:
        """Calling a policy: with a function it decorates (``retry(...)(fn)``) or runs it (``Retrying(...)(fn, x)``)."""
        skip = 0
        if (
            isinstance(value, Symbolic)
            and retry_libraries.takes_errors_first(value.path)
            and value.argument(None, "on") is None
        ):
            on = args.at(0, "on")
            value = replace(value, keywords=(*value.keywords, ("on", on if on is not None else NOTHING)))
            skip = 1
        policy = self.of(value, node, frame)
        if policy is None:
            return self._engine.calls.unknown(args, frame, node)
        targets = frozenset(item for item in args.at(skip, "f", "fn") or NOTHING if isinstance(item, CALLABLE))
        if isinstance(value, Symbolic) and retry_libraries.decorates(value.path):
            return Outcome(NO_LEAKS, frozenset(Retried(_suited(policy, item), item) for item in targets) or ANYTHING)
        result = Outcome()
        for target in targets:
            result = result | self.around(policy, self._engine.calls.apply(target, args.after(1 + skip), frame, node))
        return result if targets else Outcome(NO_LEAKS, ANYTHING)

    def _run_at_once(self, path: str, args: "Arguments", frame: Frame, node: Expr) -> Outcome | None:
        """``retry_call(f, fargs, fkwargs, ...)``: the function is run under the policy there and then."""
        if not retry_libraries.runs_at_once(path):
            return None
        policy = self.of(_unevaluated(path, args, frame, node), node, frame)
        result = Outcome()
        for target in args.at(0, "f") or NOTHING:
            if policy is not None and isinstance(target, CALLABLE):
                result = result | self.around(policy, self._engine.calls.apply(target, self._passed(args), frame, node))
        return result if result.values or result.leaks else Outcome(NO_LEAKS, ANYTHING)

    def _passed(self, args: "Arguments") -> "Arguments":
        """What ``fargs`` and ``fkwargs`` hand on."""
        made = replace(args, positional=[], keywords={}, open_positional=True, open_keywords=True)
        for given in args.at(2, "fkwargs") or NOTHING:
            made.keywords.update({key: found for key, found in getattr(given, "items", ()) if isinstance(key, str)})
        return made

    def method(self, name: str, value: Value, args: "Arguments", frame: Frame, node: Expr) -> Outcome:
        """``Retrying(...).call(fn)``, ``.wraps(fn)``, ``.copy(...)``."""
        if not isinstance(value, (Symbolic, Policied)):
            return Outcome(NO_LEAKS, ANYTHING)
        if name == "wraps":
            policy = self.of(value, node, frame)
            first = args.positional[0] if args.positional else NOTHING
            if policy is not None:
                return Outcome(NO_LEAKS, frozenset(Retried(_suited(policy, item), item) for item in first))
        if name in ("call", "__call__", "run"):
            return self.call(value, args, frame, node)
        if name == "on" and isinstance(value, Symbolic):
            return Outcome(
                NO_LEAKS, one(replace(value, keywords=(*value.keywords, ("on", args.at(0, "on") or NOTHING))))
            )
        if name == "copy" and isinstance(value, Symbolic):
            merged = dict(value.keywords) | args.keywords
            return Outcome(
                NO_LEAKS, one(replace(value, keywords=tuple(sorted(merged.items(), key=lambda item: item[0]))))
            )
        return Outcome(NO_LEAKS, one(value) if isinstance(value, Policied) else ANYTHING)

    def retry_with(self, value: Value, args: "Arguments", frame: Frame, node: Expr) -> Values:
        """``fn.retry_with(stop=...)``: the function under its policy with some options replaced."""
        if isinstance(value, Bound) and isinstance(value.function, Retried):
            return frozenset(Bound(item, value.receiver) for item in self.retry_with(value.function, args, frame, node))
        if not isinstance(value, Retried):
            return one(value)
        policy = self.of(Symbolic("tenacity.retry", (), args.named(), node, frame), node, frame)
        if policy is None:
            return one(value)
        old, written = value.policy, args.keywords
        if "stop" in written:
            old = replace(old, attempts=policy.attempts, bounded=policy.bounded)
        if "wait" in written:
            old = replace(old, wait=policy.wait, jitter=policy.jitter, seconds=policy.seconds, follows=policy.follows)
        if "retry" in written:
            old = replace(old, retries=policy.retries)
        if {"reraise", "retry_error_callback"} & set(written):
            old = replace(old, after=policy.after)
        return one(Retried(replace(old, node=node), value.function))


def _unevaluated(path: str, args: "Arguments", frame: Frame, node: Expr) -> Symbolic:
    """A call as a value. Options that come in a dict that cannot be seen are kept as ``**``."""
    unseen = ((OPEN, ANYTHING),) if args.open_keywords else ()
    return Symbolic(path, tuple(args.positional), (*args.named(), *unseen), node, frame)


def _with_unseen_options(policy: Policy) -> Policy:
    """A policy some of whose options are not seen: what is not written may be in them."""
    wait, jitter, seconds = policy.wait, policy.jitter, policy.seconds
    if wait == "none":
        wait, jitter, seconds = "growing", True, None
    retries = policy.retries if policy.retries.written else VAGUE
    return replace(policy, bounded=True, wait=wait, jitter=jitter, seconds=seconds, retries=retries)


def _pending(value: Symbolic) -> bool:
    """Whether an argument, also of a part, is not known yet."""
    for found in (*value.args, *(given for _, given in value.keywords)):
        if not found or any(isinstance(item, Symbolic) and _pending(item) for item in found):
            return True
    return False


def _suited(policy: Policy, target: Value) -> Policy:
    """The policy as it works around this callable: what a plain function gives for later is left alone."""
    while isinstance(target, (Bound, Partial)):
        target = target.function
    if not isinstance(target, FunctionRef):
        return policy
    return around_function(policy, target.function)


def around_function(policy: Policy, function: Function) -> Policy:
    """The policy as it works around a function."""
    return replace(
        policy,
        asynchronous=policy.asynchronous and function.is_async,
        generators=policy.generators and function.is_generator,
    )


__all__ = ["EVERYTHING", "Policies", "Policy", "Predicate"]
