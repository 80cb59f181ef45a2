"""Errors that the project puts in place of the SDK's (``raise Busy() from error``), and who tries again for these."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leaks
from openai_lint.facts import Function, Handler, Try
from openai_lint.link.blocks import below, inside
from openai_lint.link.clauses import clause_of
from openai_lint.link.loops import LoopWatch
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import Predicate
from openai_lint.link.values import ClassRef, External, Frame, Instance, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

TRY_AGAIN = frozenset({"tenacity.TryAgain", "tenacity.TryAgain()"})
"""What tenacity retries whatever its condition says."""

EVERY = frozenset({"Exception", "BaseException"})


def names_of(engine: "Engine", values: Values) -> frozenset[str]:
    """The names by which what is raised may be caught: its class, if it is one of the project, and the bases."""
    found: set[str] = set()
    for value in values:
        cls = value.cls if isinstance(value, Instance) else value
        if isinstance(cls, External) and cls.path in TRY_AGAIN:
            found |= TRY_AGAIN
        elif isinstance(cls, ClassRef):
            for base in engine.hierarchy.mro(cls):
                found.add(f"project.{base.node.qualname}" if isinstance(base, ClassRef) else base.path)
    return frozenset(found)


def retries(policy: Policy, names: frozenset[str]) -> bool:
    """Whether a policy takes up an error of these names."""
    if not names or policy.idle:
        return False
    return (policy.by == "tenacity" and names <= TRY_AGAIN) or _accepts(policy.retries, names | EVERY)


def _accepts(predicate: Predicate, names: frozenset[str]) -> bool:
    match predicate.kind:
        case "all":
            return True
        case "only":
            return not names.isdisjoint(predicate.paths)
        case "not":
            return not _accepts(predicate.parts[0], names)
        case "or":
            return any(_accepts(part, names) for part in predicate.parts)
        case "and":
            return all(_accepts(part, names) for part in predicate.parts)
        case _:
            return False


def around(
    engine: "Engine", caller: Function, frame: Frame, call: facts.Expr, names: frozenset[str], leaks: Leaks
) -> Iterator[Policy]:
    """The loops around a call that catch such an error there, and go round again."""
    for loop in inside(caller.body):
        if not isinstance(loop, (facts.For, facts.While)):
            continue
        for trial in (item for item in inside(loop.body) if isinstance(item, Try)):
            if not any(part is call for statement in trial.body for part in below(statement)):
                continue
            handler = _catching(engine, frame, trial, names)
            if handler is not None:
                policy = LoopWatch(engine, frame, loop).for_others(trial, handler, _raised(leaks))
                if policy is not None and not policy.idle:
                    yield policy


def _catching(engine: "Engine", frame: Frame, trial: Try, names: frozenset[str]) -> Handler | None:
    for handler in trial.handlers:
        if handler.type is None:
            return handler
        meant = clause_of(engine.evaluator.value(handler.type, frame), engine).alternatives
        if any(paths is not None and not (names | EVERY).isdisjoint(paths) for paths in meant):
            return handler
    return None


def _raised(leaks: Leaks) -> tuple[str, ...]:
    return tuple(sorted({leak.raised for leak in leaks}))
