"""Retry policies: one model for every library and loop, and what they let through."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS, RETRY_ERROR, Leak, Leaks, ancestors, clause
from openai_lint.facts import Call, Expr, Function, Stmt
from openai_lint.link import library
from openai_lint.link.cells import Outcome
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    Bound,
    ClassRef,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Group,
    Partial,
    Policied,
    Resource,
    Retried,
    Symbolic,
    Value,
    Values,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.calls import Arguments
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo
    from openai_lint.sdk import Sdk


@dataclass(frozen=True, slots=True)
class Predicate:
    """Which errors are retried.

    ``kind``: ``all`` (every Exception), ``none``, ``only`` / ``except`` (the classes in ``paths``), ``vague`` (a function
    decides), ``or`` / ``and`` (over ``parts``).
    """

    kind: str
    paths: tuple[str, ...] = ()
    parts: tuple["Predicate", ...] = ()

    def accepts(self, raised: str, release: "Sdk") -> bool | None:
        """Whether an error of this class is retried; None when it depends on more than the class."""
        match self.kind:
            case "all":
                return "Exception" in ancestors(raised, release)
            case "none":
                return False
            case "vague":
                return None
            case "only" | "except":
                known = ancestors(raised, release)
                named = any(clause(path, release) in known for path in self.paths)
                return named if self.kind == "only" else not named
            case "or":
                found = [part.accepts(raised, release) for part in self.parts]
                return True if True in found else None if None in found else False
            case _:
                found = [part.accepts(raised, release) for part in self.parts]
                return False if False in found else None if None in found else True

    def narrows(self) -> bool:
        """Whether the predicate tells errors apart at all."""
        if self.kind in ("or", "and"):
            return any(part.narrows() for part in self.parts)
        return self.kind != "all"


EVERYTHING = Predicate("all")


@dataclass(frozen=True, slots=True)
class Policy:
    """Who retries, how often, with which waits, which errors, and what comes out at the end.

    ``attempts`` counts the first call (None: unbounded or unknown). ``wait`` is none, fixed or growing; ``seconds`` a
    fixed wait where it is known. ``after`` is ``original``, ``nothing`` (a callback's value or None) or the dotted class
    that wraps the last error. ``asynchronous`` / ``generators`` tell where the policy works. ``node`` is the decorator,
    call or loop it is written in.
    """

    by: str
    node: Expr | Stmt
    module: "ModuleInfo"
    attempts: int | None
    bounded: bool
    wait: str
    jitter: bool
    retries: Predicate = EVERYTHING
    after: str = "original"
    seconds: float | None = None
    asynchronous: bool = True
    generators: bool = False
    enabled: bool = True
    cover: bool = False


class Policies:
    """Reads policies from values and applies them to leaks."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    # --- the effect of a policy

    def through(self, policy: Policy, leaks: Leaks) -> Leaks:
        """What leaves a policy of what happens inside."""
        if not policy.enabled:
            return leaks
        result: set[Leak] = set()
        for leak in leaks:
            release = self._engine.catalogue(leak.site.module, leak.site.era)
            accepted = policy.retries.accepts(leak.raised, release)
            if accepted is not False:
                self._engine.record.policy(leak, policy)
            passed = leak._replace(retries=leak.retries + 1)
            if policy.cover:
                self._engine.record.handled(leak, policy.node, policy.module)
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
                result.add(passed._replace(raised=policy.after, form=RETRY_ERROR))
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
        from openai_lint.link import retry_libraries

        return retry_libraries.models(path)

    def symbolic(self, path: str, args: "Arguments", frame: Frame, node: Expr) -> Symbolic:
        """The unevaluated call."""
        return Symbolic(path, tuple(args.positional), args.named(), node, frame)

    def of(self, value: Value, node: Expr, frame: Frame) -> Policy | None:
        """The policy that a value is: a library's decorator or retrying object, called or bare."""
        from openai_lint.link import retry_libraries

        if isinstance(value, Policied):
            return value.policy
        if isinstance(value, External) and retry_libraries.models(value.path):
            value = Symbolic(value.path, (), (), node, frame)
        if isinstance(value, Symbolic):
            return retry_libraries.read(value, value.node or node, value.frame.module if value.frame else frame.module, self.paths)
        return None

    def decorator(self, value: Value, node: Expr, function: Function, frame: Frame) -> Policy | None:
        """The policy that a decorator puts around a function."""
        from openai_lint.link import retry_libraries

        found = self.of(value, node, frame)
        if found is None and isinstance(value, (External, Symbolic)):
            args = self._engine.calls.arguments(node, frame) if isinstance(node, Call) else None
            if args is not None:
                found = retry_libraries.framework(node, frame.module, args, self.paths)
        if found is not None:
            self._engine.record.decorated(function, found, frame)
        return found

    def cover(self, node: Expr, frame: Frame) -> Policy:
        """The stand-in for code that cannot be seen and whose name says that it deals with errors."""
        self._engine.record.note(f"{library.dotted(node) or 'a decorator'} is taken to deal with errors, by its name", node, frame.module)
        return Policy("loop", node, frame.module, None, True, "growing", True, cover=True)

    def paths(self, values: Values | None) -> tuple[str, ...]:
        """The dotted classes among values: in tuples too; project classes by their name."""
        found: list[str] = []
        for value in values or ():
            if isinstance(value, External):
                found.append(value.path)
            elif isinstance(value, ClassRef):
                found.append(f"project.{value.node.qualname}")
            elif isinstance(value, Display):
                for _, inner in value.items:
                    found += self.paths(inner)
        return tuple(sorted(set(found)))

    # --- policies as values

    def call(self, value: Symbolic | Policied, args: "Arguments", frame: Frame, node: Expr) -> Outcome:
        """Calling a policy: with a function it decorates (``retry(...)(fn)``) or runs it (``Retrying(...)(fn, x)``)."""
        from openai_lint.link import retry_libraries

        policy = self.of(value, node, frame)
        if policy is None:
            return self._engine.calls.unknown(args, frame, node)
        first = args.positional[0] if args.positional else NOTHING
        targets = frozenset(item for item in first if isinstance(item, (FunctionRef, Bound, Partial, Retried, Resource)))
        if isinstance(value, Symbolic) and retry_libraries.decorates(value.path):
            return Outcome(NO_LEAKS, frozenset(Retried(policy, item) for item in targets) or ANYTHING)
        skip = retry_libraries.leading(value.path) if isinstance(value, Symbolic) else 0
        if skip and not targets:
            first = args.positional[skip] if len(args.positional) > skip else NOTHING
            targets = frozenset(item for item in first if isinstance(item, (FunctionRef, Bound, Partial, Retried, Resource)))
        result = Outcome()
        for target in targets:
            result = result | self.around(policy, self._engine.calls.apply(target, args.after(1 + skip), frame, node))
        return result if targets else Outcome(NO_LEAKS, ANYTHING)

    def method(self, name: str, value: Value, args: "Arguments", frame: Frame, node: Expr) -> Outcome:
        """``Retrying(...).call(fn)``, ``.wraps(fn)``, ``.copy(...)``."""
        if not isinstance(value, (Symbolic, Policied)):
            return Outcome(NO_LEAKS, ANYTHING)
        if name in ("wraps",):
            policy = self.of(value, node, frame)
            first = args.positional[0] if args.positional else NOTHING
            if policy is not None:
                return Outcome(NO_LEAKS, frozenset(Retried(policy, item) for item in first))
        if name in ("call", "__call__", "run"):
            return self.call(replace(value, path="tenacity.Retrying") if isinstance(value, Symbolic) else value, args, frame, node)
        if name in ("copy", "on") and isinstance(value, Symbolic):
            merged = dict(value.keywords) | args.keywords
            return Outcome(NO_LEAKS, one(replace(value, keywords=tuple(sorted(merged.items(), key=lambda item: item[0])))))
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
        old = value.policy
        merged = replace(
            old,
            attempts=policy.attempts if "stop" in args.keywords else old.attempts,
            bounded=policy.bounded if "stop" in args.keywords else old.bounded,
            wait=policy.wait if "wait" in args.keywords else old.wait,
            jitter=policy.jitter if "wait" in args.keywords else old.jitter,
            seconds=policy.seconds if "wait" in args.keywords else old.seconds,
            retries=policy.retries if "retry" in args.keywords else old.retries,
            after=policy.after if {"reraise", "retry_error_callback"} & set(args.keywords) else old.after,
        )
        return one(Retried(merged, value.function))
