"""Reading the arguments of a retry library: numbers, classes, functions, and whether an option is written at all."""

from openai_lint.link.predicates import EVERYTHING, VAGUE, Predicate
from openai_lint.link.values import (
    Bound,
    ClassRef,
    Display,
    External,
    FunctionRef,
    Literal,
    Symbolic,
    Value,
    Values,
    the_constant,
)

ORDER = {"none": 0, "fixed": 1, "growing": 2}
"""Kinds of waits, the slower growing first."""

Wait = tuple[str, bool, float | None]
"""How a wait grows, whether it is random, and its seconds where it is fixed and known."""


def number(values: Values | None, otherwise: float | None = None) -> float | None:
    """The one number that the values are; ``otherwise`` where the option is not written; None where it is not known.

    A ``timedelta`` with written parts counts in seconds.
    """
    if values is None:
        return otherwise
    found = the_constant(values)
    if isinstance(found, (int, float)) and not isinstance(found, bool):
        return float(found)
    if len(values) == 1:
        (value,) = values
        if isinstance(value, Symbolic) and value.path.endswith("timedelta"):
            return _seconds(value)
    return None


def _seconds(value: Symbolic) -> float | None:
    factors = {"days": 86400.0, "seconds": 1.0, "milliseconds": 0.001, "minutes": 60.0, "hours": 3600.0}
    parts = [(*zip(("days", "seconds"), value.args, strict=False),), value.keywords]
    total = 0.0
    for name, given in (item for part in parts for item in part):
        amount = number(given)
        if amount is None or name not in factors:
            return None
        total += amount * factors[name]
    return total


def count(values: Values | None, otherwise: int | None = None) -> int | None:
    """As ``number``, for a whole number."""
    if values is None:
        return otherwise
    found = number(values)
    return int(found) if found is not None else None


def given(values: Values | None) -> bool:
    """Whether an option is written and is not None."""
    return values is not None and not all(isinstance(value, Literal) and value.value is None for value in values)


def true(values: Values | None) -> bool:
    """Whether an option is written and may be true."""
    return given(values) and the_constant(values) is not False


def parts(values: Values | None) -> list[Symbolic | External | FunctionRef | Bound | Literal | Display]:
    """The values that say something about a policy."""
    return [
        value for value in values or () if isinstance(value, (Symbolic, External, FunctionRef, Bound, Literal, Display))
    ]


def classes(values: Values | None) -> tuple[tuple[str, ...], bool]:
    """The dotted classes among values (in tuples too, classes of the project by name), and whether that is all."""
    found: set[str] = set()
    complete = bool(values)
    for value in values or ():
        match value:
            case External() if "()" not in value.path and _is_class(value.path):
                found.add(value.path)
            case ClassRef():
                found.add(f"project.{value.node.qualname}")
            case Display():
                for _, inner in value.items:
                    names, all_known = classes(inner)
                    found.update(names)
                    complete = complete and all_known
            case _:
                complete = False
    return tuple(sorted(found)), complete


def _is_class(path: str) -> bool:
    """Whether a name of a library is that of a class; ``dsp.ERRORS`` holds some that nobody knows."""
    name = path.rpartition(".")[2]
    return path in ("socket.timeout", "socket.error", "select.error") or (name[:1].isupper() and not name.isupper())


def of_classes(values: Values | None) -> Predicate:
    """A class, a tuple of classes or a function that is given as what to retry; nothing written means everything."""
    if values is None:
        return EVERYTHING
    if not values:
        return Predicate("pending")
    functions: list[Value] = [value for value in values if isinstance(value, (FunctionRef, Bound))]
    if functions:
        return of_functions(values)
    names, complete = classes(values)
    if not names and not any(isinstance(value, Display) and complete for value in values):
        return VAGUE
    known = Predicate("only", names)
    return known if complete else Predicate("or", parts=(known, VAGUE))


def of_functions(values: Values | None) -> Predicate:
    """A function that decides."""
    if not values:
        return Predicate("pending") if values is not None else VAGUE
    found = tuple(
        Predicate("function", function=value) if isinstance(value, (FunctionRef, Bound)) else VAGUE for value in values
    )
    return found[0] if len(found) == 1 else Predicate("or", parts=found)


def of_results(values: Values | None, wanted: bool = True) -> Predicate:
    """A function that looks at what was given; it is retried where the answer is ``wanted``."""
    function = next(iter(values)) if values is not None and len(values) == 1 else None
    return Predicate("result", function=function, wanted=wanted)
