"""Functions that call themselves: directly, or through a function that they ask."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Function
from openai_lint.link import library
from openai_lint.link.blocks import inside
from openai_lint.link.values import Bound, Frame, FunctionRef, Managed, Retried

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def calls(engine: "Engine", node: facts.Call, frame: Frame, function: Function) -> int | None:
    """How many parameters come before the arguments of a call of this function; None if it calls something else."""
    if library.written(node.func) != function.name:
        return None
    for target, offset in functions_of(engine, node, frame):
        if target.function is function:
            return offset
    return None


def helper_of(engine: "Engine", node: facts.Call, frame: Frame, function: Function) -> tuple[FunctionRef, int] | None:
    """The function of the project behind a call which calls this function in turn, with the parameters before."""
    if library.written(node.func) in (function.name, ""):
        return None
    for target, offset in functions_of(engine, node, frame):
        scope = target.parent.module.scope_of(target.function)
        if target.function is function or function.name not in scope.mentions:
            continue
        inside_of = Frame(target.parent.module, target.function, target.parent)
        if any(
            isinstance(part, facts.Call) and calls(engine, part, inside_of, function) is not None
            for part in inside(target.function.body)
        ):
            return target, offset
    return None


def functions_of(engine: "Engine", node: facts.Call, frame: Frame) -> Iterator[tuple[FunctionRef, int]]:
    """The functions of the project that a call may run, each with how many parameters come before its arguments."""
    for value in engine.evaluator.value(node.func, frame):
        offset = 0
        target: object = value
        while isinstance(target, (Bound, Retried, Managed)):
            offset += isinstance(target, Bound)
            target = target.function
        if isinstance(target, FunctionRef):
            yield target, offset
