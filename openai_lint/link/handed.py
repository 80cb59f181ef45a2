"""Errors that a handler hands to a function of the project: which of them come back."""

from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS, Leaks
from openai_lint.facts import Call, Expr, Function, Name
from openai_lint.link.itself import functions_of
from openai_lint.link.tokens import leaks_of
from openai_lint.link.values import NOTHING, Caught, Frame

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def errors_given(frame: Frame) -> frozenset[Caught]:
    """The errors that a frame was given as arguments."""
    return frozenset(value for _, values in frame.bound for value in values if isinstance(value, Caught))


def given_back(engine: "Engine", node: Expr, frame: Frame, leaks: Leaks) -> Leaks:
    """Those of the errors at hand that an expression may be: all, unless a function sorts them (``to_ours(error)``)."""
    call = _call(node, frame)
    if call is None:
        return leaks
    targets = list(functions_of(engine, call, frame))
    if len(targets) < len(engine.evaluator.value(call.func, frame)):
        return leaks
    found = NO_LEAKS
    for ref, before in targets:
        args = engine.calls.arguments(call, frame)
        args.positional = [NOTHING] * before + args.positional
        target = engine.frames.of(ref, args, frame)
        if ref.function.is_async or ref.function.is_generator or not errors_given(target):
            return leaks
        found |= _returned(engine, target)
    return found & leaks


def _call(node: Expr, frame: Frame) -> Call | None:
    """The call that an expression is, or that its name keeps the result of."""
    if isinstance(node, Name):
        bindings = frame.module.scope_of(frame.function).bindings.get(node.id, ())
        node = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "value" and not bindings[0].path else node
    return node if isinstance(node, Call) else None


def _returned(engine: "Engine", target: Frame) -> Leaks:
    """The errors with which a function's ``return`` of an error is reached."""
    from openai_lint.link.walk import Walk

    if not isinstance(target.function, Function) or target in engine.handing:
        return NO_LEAKS
    engine.handing.add(target)
    walk = Walk(engine, target)
    try:
        walk.run()
    finally:
        engine.handing.discard(target)
    return NO_LEAKS.union(
        *(leaks_of(live) for live, values, _ in walk.returned if any(isinstance(value, Caught) for value in values))
    )
