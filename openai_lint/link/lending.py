"""Containers that a function is given to put something into: what it puts there, the caller finds."""

from typing import TYPE_CHECKING

from openai_lint.facts import Arg, Expr, Name, Sequence
from openai_lint.link.cells import NameCell
from openai_lint.link.values import NOTHING, Bound, Frame, FunctionRef, Managed, Partial, Retried, Value, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def lend(engine: "Engine", callee: Value, args: tuple[Arg, ...], frame: Frame) -> None:
    """Note what a call lets a function put into the containers that the caller has under a name."""
    given = 0
    while isinstance(callee, (Bound, Retried, Managed, Partial)):
        given += len(callee.args) if isinstance(callee, Partial) else isinstance(callee, Bound)
        callee = callee.function
    if not isinstance(callee, FunctionRef):
        return
    scope = callee.parent.module.scope_of(callee.function)
    filled = scope.filled()
    if not filled:
        return
    positional = [param.name for param in callee.function.params if param.kind == "positional"][given:]
    passed = {arg.keyword: arg.value for arg in args if arg.keyword is not None}
    passed |= dict(zip(positional, (arg.value for arg in args if arg.keyword is None and not arg.star), strict=False))
    inner = Frame(callee.parent.module, callee.function, callee.parent)
    for name in filled & passed.keys():
        held = passed[name]
        if isinstance(held, Name):
            put: Values = NOTHING
            for binding in scope.bindings[name]:
                if binding.kind == "into":
                    put |= engine.evaluator.bound(binding, inner, scope)
            engine.solver.contribute(NameCell(engine.evaluator.owner(held.id, frame), held.id), put)


def listed(args: tuple[Arg, ...], position: int, name: str) -> tuple[Arg, ...]:
    """The arguments that a call hands on as a tuple: ``Thread(target=work, args=(a, b))``."""
    plain = [arg.value for arg in args if arg.keyword is None and not arg.star]
    named: list[Expr] = [arg.value for arg in args if arg.keyword == name]
    found = named[0] if named else plain[position] if position < len(plain) else None
    items = found.items if isinstance(found, Sequence) else ()
    return tuple(Arg(None, "", item) for item in items)
