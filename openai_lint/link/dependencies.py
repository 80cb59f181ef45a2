"""What a framework injects into a route: a dependency that yields gets the errors of the route there (FastAPI)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint.facts import Call, Expr, Function
from openai_lint.link import library
from openai_lint.link.blocks import below
from openai_lint.link.clauses import EVERY_ERROR
from openai_lint.link.error_handlers import ErrorHandler
from openai_lint.link.kinds import WEB
from openai_lint.link.values import Frame, FunctionRef

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo

MARKS = frozenset({"Depends", "Security"})
DEEPEST = 4
"""Dependencies of dependencies are followed so far."""


def dependencies(engine: "Engine", function: Function, module: "ModuleInfo", depth: int = 0) -> Iterator[ErrorHandler]:
    """The generators around a function that it asks for in its parameters and decorators, the innermost first."""
    frame = engine.defining_frame(engine.generic_frame(module.scope_of(function)))
    for call in reversed([call for part in _asking(function) for call in _marks(part)]):
        for value in engine.evaluator.value(call.args[0].value, frame):
            if not isinstance(value, FunctionRef):
                continue
            home = value.parent.module
            if value.function.is_generator:
                run = Frame(home, value.function, value.parent)
                yield ErrorHandler(WEB, EVERY_ERROR, call, module, run, yields=True)
            if depth < DEEPEST:
                yield from dependencies(engine, value.function, home, depth + 1)


def _asking(function: Function) -> Iterator[Expr]:
    for param in function.params:
        yield from (part for part in (param.annotation, param.default) if part is not None)
    yield from function.decorators


def _marks(part: Expr) -> list[Call]:
    found = (part, *below(part))
    return [node for node in found if isinstance(node, Call) and node.args and library.written(node.func) in MARKS]
