"""Which arguments change what a function does with errors: only those make a frame of their own."""

from dataclasses import dataclass

from openai_lint import facts
from openai_lint.facts import Function
from openai_lint.link import library
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

    It ``runs`` it (calls, awaits, iterates, enters, raises, catches it), ``passes`` it on, ``keeps`` it in one, or
    ``counts`` with it (compares it, goes as often round); ``lends``: a function inside counts with it.
    """

    runs: bool
    passes: bool
    keeps: bool
    counts: bool = False
    lends: bool = False

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
                return self.runs and is_error(value.path)
            case _:
                return False


def is_error(path: str) -> bool:
    """Whether the class of a library is one of errors, by its name."""
    return path.endswith(("Error", "Exception", "Timeout")) and "()" not in path


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
    everything = _everything(function)
    for node in everything:
        match node:
            case facts.Call():
                _names(node.func, runs)
                if library.written(node.func) in ("isinstance", "issubclass") and len(node.args) == 2:
                    _names(node.args[1].value, runs)
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
    counts = _counted(everything)
    lends = _counted([inner for node in everything if isinstance(node, Function) for inner in _everything(node)])
    used = runs | passes | counts
    return {
        name: Use(name in runs, name in passes, name in keeps, name in counts, name in lends)
        for param in function.params
        if (name := param.name) in used
    }


def _counted(nodes: list[object]) -> set[str]:
    """Names that are compared with something, or say how often a loop goes round."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, facts.Compare):
            _names(node.left, found)
            _names(node.right, found)
        elif isinstance(node, facts.Call) and library.written(node.func) == "range":
            for arg in node.args:
                _names(arg.value, found)
    return found


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
