"""Errors that a handler hands to a function of the project: which of them come back."""

from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS, Leaks
from openai_lint.facts import Call, Expr, Function, Name
from openai_lint.link.cells import CaughtCell
from openai_lint.link.itself import functions_of
from openai_lint.link.tokens import leaks_of
from openai_lint.link.values import NOTHING, Bound, Caught, Frame, Managed, Retried, one

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.walk import Walk


def errors_given(frame: Frame) -> frozenset[Caught]:
    """The errors that a frame was given as arguments."""
    return frozenset(value for _, values in frame.bound for value in values if isinstance(value, Caught))


def alike(leaks: Leaks, others: Leaks) -> Leaks:
    """Those leaks that are among others, however many retries either have passed."""
    known = {leak.first() for leak in others}
    return frozenset(leak for leak in leaks if leak.first() in known)


def given_back(engine: "Engine", node: Expr, frame: Frame, leaks: Leaks) -> Leaks:
    """Those of the errors at hand that an expression may be: all, unless a function sorts them (``to_ours(error)``)."""
    call = _call(node, frame)
    targets = _targets(engine, call, frame) if call is not None else []
    if not targets or any(target.function.is_async for target in targets if isinstance(target.function, Function)):
        return leaks
    found = NO_LEAKS
    for target in targets:
        walk = _walked(engine, target, leaks)
        if walk is None:
            return leaks
        for live, values, _ in walk[1].returned:
            if any(isinstance(value, Caught) for value in values):
                found |= leaks_of(live)
    return found & leaks


def sorted_out(engine: "Engine", walk: "Walk", node: Expr, leaks: Leaks) -> Leaks:
    """What a call raises that is given the error at hand, where only some of what its handler has caught is left."""
    if not leaks or not isinstance(node, Call):
        return leaks
    at_hand = NO_LEAKS
    narrowed = False
    for arg in node.args:
        if not isinstance(arg.value, Name):
            continue
        for value in engine.evaluator.value(arg.value, walk.frame):
            left = walk.at_hand(value) if isinstance(value, Caught) else None
            if left is not None and isinstance(value, Caught):
                at_hand |= left
                caught = engine.solver.read(CaughtCell(value.frame, value.handler))
                narrowed = narrowed or len(alike(caught, left)) < len(caught)
    targets = _targets(engine, node, walk.frame) if narrowed else []
    found = NO_LEAKS
    for target in targets:
        walked = _walked(engine, target, at_hand)
        if walked is None:
            return leaks
        found |= walked[0]
    return found if targets else leaks


def _targets(engine: "Engine", call: Call, frame: Frame) -> list[Frame]:
    """The frames of the project's functions that a call gives an error; none where it may run anything else."""
    callees = engine.evaluator.value(call.func, frame)
    targets = list(functions_of(engine, call, frame))
    if len(targets) < len(callees) or any(isinstance(callee, (Retried, Managed)) for callee in callees):
        return []
    found = []
    for ref, before in targets:
        args = engine.calls.arguments(call, frame)
        receivers = [one(callee.receiver) for callee in callees if isinstance(callee, Bound)]
        args.positional = (receivers if len(receivers) == before == 1 else [NOTHING] * before) + args.positional
        target = engine.frames.of(ref, args, frame)
        if ref.function.is_generator or not errors_given(target):
            return []
        found.append(target)
    return found


def _walked(engine: "Engine", target: Frame, at_hand: Leaks) -> "tuple[Leaks, Walk] | None":
    """What a function lets out that is given these errors; None where it is being asked already."""
    from openai_lint.link.walk import Walk

    if target in engine.handing:
        return None
    engine.handing.add(target)
    walk = Walk(engine, target, at_hand=at_hand)
    try:
        return walk.run(), walk
    finally:
        engine.handing.discard(target)


def _call(node: Expr, frame: Frame) -> Call | None:
    """The call that an expression is, or that its name keeps the result of."""
    if isinstance(node, Name):
        bindings = frame.module.scope_of(frame.function).bindings.get(node.id, ())
        node = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "value" and not bindings[0].path else node
    return node if isinstance(node, Call) else None
