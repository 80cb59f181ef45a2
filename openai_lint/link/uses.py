"""Which arguments change what a function does with errors: only those make a frame of their own."""

from dataclasses import dataclass

from openai_lint import facts
from openai_lint.facts import Function
from openai_lint.link.library import APPENDERS
from openai_lint.link.loops import below, descendants
from openai_lint.link.values import (
    Bound,
    Caught,
    ClassRef,
    ContextFrame,
    ContextFunction,
    Deferred,
    Display,
    External,
    FunctionRef,
    Kept,
    Managed,
    Partial,
    Policied,
    Resource,
    Retried,
    Symbolic,
    Value,
)


@dataclass(frozen=True, slots=True)
class Use:
    """How a function uses a parameter.

    It ``runs`` it (calls, awaits, iterates, enters, raises, catches it), ``passes`` it on, or ``keeps`` it in one.
    """

    runs: bool
    passes: bool
    keeps: bool

    def wants(self, value: Value) -> bool:
        """Whether this argument makes a difference."""
        if not (self.runs or self.passes):
            return False
        match value:
            case (
                FunctionRef()
                | Partial()
                | Retried()
                | Managed()
                | Caught()
                | Kept()
                | Symbolic()
                | ContextFunction()
                | Policied()
                | Resource()
            ):
                return True
            case Bound():
                return not isinstance(value.function, External) or isinstance(value.receiver, (Deferred, Resource))
            case Deferred() | ContextFrame() | ClassRef():
                return self.runs
            case Display():
                return any(
                    self.wants(item) for _, found in value.items for item in found if not isinstance(item, ClassRef)
                )
            case External():
                return self.runs and value.path.endswith(("Error", "Exception", "Timeout")) and "()" not in value.path
            case _:
                return False


KEEPING = APPENDERS | {"__init__"}
"""Methods that keep what they are given in the object: ``super().__init__(field=value)`` too."""

UNUSED = Use(False, False, False)


class Uses:
    """The uses of parameters, per function, found once from its facts (nested functions included)."""

    def __init__(self) -> None:
        self._known: dict[Function, dict[str, Use]] = {}

    def of(self, function: Function, name: str) -> Use:
        """How a function uses one parameter."""
        if function not in self._known:
            self._known[function] = _uses(function)
        return self._known[function].get(name, UNUSED)


def _uses(function: Function) -> dict[str, Use]:
    runs: set[str] = set()
    passes: set[str] = set()
    keeps: set[str] = set()
    for node in _everything(function):
        match node:
            case facts.Call():
                _names(node.func, runs)
                puts = isinstance(node.func, facts.Attr) and node.func.attr in KEEPING
                for arg in node.args:
                    _names(arg.value, runs if arg.star else passes)
                    if puts:
                        _names(arg.value, keeps)
            case facts.Await() | facts.Starred():
                _names(node.value, runs)
            case facts.Yield() if node.value is not None:
                _names(node.value, runs if node.delegate else passes)
            case facts.For() | facts.Clause():
                _names(node.iterable, runs)
            case facts.WithItem():
                _names(node.context, runs)
            case facts.Raise() if node.error is not None:
                _names(node.error, runs)
            case facts.Handler() if node.type is not None:
                _names(node.type, runs)
            case facts.Function():
                for decorator in node.decorators:
                    _names(decorator, runs)
            case facts.Return() if node.value is not None:
                _names(node.value, passes)
            case facts.Assign() if node.value is not None:
                _names(node.value, passes)
                if any(not isinstance(target, facts.Name) for target in node.targets):
                    _names(node.value, keeps)
            case _:
                pass
    used = runs | passes
    return {
        param.name: Use(param.name in runs, param.name in passes, param.name in keeps)
        for param in function.params
        if param.name in used
    }


def _everything(function: Function) -> list[object]:
    found: list[object] = []
    stack: list[object] = list(below(function.body))
    while stack:
        node = stack.pop()
        found.append(node)
        if isinstance(node, Function):
            stack.extend(below(node.body))
        elif isinstance(node, facts.Lambda):
            stack.extend(below(node.function.body))
        elif isinstance(node, facts.Class):
            stack.extend(below(node.body))
    return found


def _names(node: facts.Expr, into: set[str]) -> None:
    """The names that an expression is or is made of."""
    if isinstance(node, facts.Name):
        into.add(node.id)
        return
    for inner in descendants(node):
        if isinstance(inner, facts.Name):
            into.add(inner.id)
