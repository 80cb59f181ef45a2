"""One more try in a handler: the same call of a function of the project as in the try, with the same arguments.

Other arguments ask for something else, and two calls of an SDK method are two requests of the code.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leaks
from openai_lint.facts import Handler
from openai_lint.link import library
from openai_lint.link.blocks import inside
from openai_lint.link.itself import functions_of
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import Predicate
from openai_lint.link.rehearsal import Rehearsal
from openai_lint.link.values import Frame
from openai_lint.link.waits import wait_of, waits_in

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def second_try(engine: "Engine", frame: Frame, trial: facts.Try, handler: Handler, caught: Leaks) -> Leaks:
    """What a handler takes up by making the call of its try once more."""
    node = _again(trial, handler)
    if node is None or next(functions_of(engine, node, frame), None) is None:
        return frozenset()
    given = engine.evaluator.value(node, frame)
    failing = engine.calls.call(node, frame).leaks | engine.triggers.trigger("await", given).leaks
    sites = {leak.site for leak in failing}
    return frozenset(leak for leak in caught if leak.site in sites)


def policy_of(engine: "Engine", frame: Frame, trial: facts.Try, again: Mapping[Handler, Leaks]) -> Policy | None:
    """The retry that the handlers of one try make: two attempts."""
    found = [(handler, node) for handler in again if (node := _again(trial, handler)) is not None]
    if not found:
        return None
    handler, node = found[0]
    before = tuple(item for item in handler.body if item.span < node.span)
    course = Rehearsal(engine, frame, trial, handler).block(before)
    wait, jitter, seconds = wait_of(course) or waits_in(engine, frame, handler.body, set())
    taken = {leak.raised for handler, _ in found for leak in again[handler]}
    predicate = Predicate("only", tuple(sorted(taken)))
    return Policy("loop", node, frame.module, 2, True, wait, jitter, predicate, "original", seconds, second=True)


def _again(trial: facts.Try, handler: Handler) -> facts.Call | None:
    tried = [node for node in inside(trial.body) if isinstance(node, facts.Call)]
    words = {library.written(node.func) for node in tried}
    for node in inside(handler.body):
        known = isinstance(node, facts.Call) and library.written(node.func) in words
        if known and any(_alike(node, other) for other in tried):
            return node  # type: ignore[no-any-return]
    return None


def _alike(first: object, second: object) -> bool:
    """Whether two pieces of code say the same."""
    if type(first) is not type(second):
        return False
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_alike, first, second))
    if is_dataclass(first) and not isinstance(first, type):
        names = [field.name for field in fields(first) if field.name not in ("span", "header")]
        return all(_alike(getattr(first, name), getattr(second, name)) for name in names)
    return first == second
