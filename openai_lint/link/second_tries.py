"""One more try in a handler: the same call of a function of the project as in the try, with the same arguments.

Other arguments ask for something else, and two calls of an SDK method are two requests of the code. A handler that
first changes what the arguments stand for mends the request. Where a condition on an error's text decides, nobody may
know whether the second try is made for it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leak, Leaks
from openai_lint.facts import Block, Expr, Handler
from openai_lint.link import library
from openai_lint.link.alike import Verdicts
from openai_lint.link.blocks import below, inside, leaves
from openai_lint.link.itself import functions_of
from openai_lint.link.loops import only
from openai_lint.link.narrow import Narrowing
from openai_lint.link.policy import Policy
from openai_lint.link.rehearsal import Rehearsal
from openai_lint.link.repairs import repairs
from openai_lint.link.values import Frame
from openai_lint.link.waits import wait_of, waits_in

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.sdk import Sdk


def second_try(engine: "Engine", frame: Frame, trial: facts.Try, handler: Handler, caught: Leaks) -> Leaks:
    """What a handler takes up by making the call of its try once more."""
    node = _again(trial, handler)
    if node is None or next(functions_of(engine, node, frame), None) is None:
        return frozenset()
    given = engine.evaluator.value(node, frame)
    failing = engine.calls.call(node, frame).leaks | engine.triggers.trigger("await", given).leaks
    sites = {leak.site for leak in failing}
    known = frozenset(leak for leak in caught if leak.site in sites)
    return frozenset(_made(engine, frame, handler, node, known))


def policy_of(engine: "Engine", frame: Frame, trial: facts.Try, again: Mapping[Handler, Leaks]) -> Policy | None:
    """The retry that the handlers of one try make: two attempts."""
    found = [(handler, node) for handler in again if (node := _again(trial, handler)) is not None]
    if not found:
        return None
    handler, node = found[0]
    before = tuple(item for item in handler.body if item.span < node.span)
    course = Rehearsal(engine, frame, trial, handler).block(before)
    wait, jitter, seconds = wait_of(course) or waits_in(engine, frame, handler.body, set())
    taken = frozenset(leak for one, _ in found for leak in again[one])
    told = [_made(engine, frame, one, call, again[one]) for one, call in found]
    doubtful = frozenset(leak for made in told for leak, sure in made.items() if not sure)
    return Policy(
        "loop",
        node,
        frame.module,
        2,
        True,
        wait,
        jitter,
        only(taken - doubtful, doubtful),
        "original",
        seconds,
        repairs=repairs(trial, handler, ()),
        second=True,
    )


def _made(engine: "Engine", frame: Frame, handler: Handler, node: facts.Call, leaks: Leaks) -> dict[Leak, bool]:
    """The errors after which a second try is made, by what is tested around it; False where the tests do not tell."""
    narrowing = Narrowing(engine, frame)
    tests = [
        (test, taken)
        for test, taken in _conditions(handler.body, node)
        if any(narrowing.tells(part) for part in (test, *below(test)))
    ]

    def met(leak: Leak, _: "Sdk") -> bool | None:
        found = [narrowing.decide(test, leak) for test, _ in tests]
        wanted = [taken for _, taken in tests]
        if any(verdict is (not taken) for verdict, taken in zip(found, wanted, strict=True)):
            return None
        return None not in found

    verdicts = Verdicts(met)
    return {leak: sure for leak in leaks if (sure := verdicts.of(leak)) is not None}


def _conditions(body: Block, node: facts.Call) -> Iterator[tuple[Expr, bool]]:
    """What is tested on the way to a call in a block, and how that must come out."""
    for statement in body:
        if not isinstance(statement, facts.If):
            if _holds((statement,), node):
                inner = tuple(child for child in facts.children(statement) if isinstance(child, facts.Stmt))
                yield from _conditions(inner, node)
                return
            continue
        for branch, taken in ((statement.body, True), (statement.orelse, False)):
            if _holds(branch, node):
                yield statement.test, taken
                yield from _conditions(branch, node)
                return
            if branch and leaves(branch):
                yield statement.test, not taken


def _holds(body: Block, node: facts.Call) -> bool:
    return any(inner is node for inner in inside(body))


@lru_cache(maxsize=1 << 12)
def once_more_behind(loop: facts.For | facts.While, behind: facts.Block) -> bool:
    """Whether what a loop tries is tried a last time behind it, where its errors go their way."""
    tried = [
        call
        for trial in inside(loop.body)
        if isinstance(trial, facts.Try) and trial.handlers
        for call in inside(trial.body)
        if isinstance(call, facts.Call)
    ]
    return bool(tried) and any(
        isinstance(node, facts.Call) and any(_alike(node, other) for other in tried)
        for statement in behind
        if isinstance(statement, (facts.Return, facts.ExprStmt, facts.Assign))
        for node in inside((statement,))
    )


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
