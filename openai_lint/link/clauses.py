"""Which errors an ``except`` clause (or ``isinstance``, ``suppress``) means, and what it does to a leak."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from openai_lint.escapes import Leak, ancestors, clause
from openai_lint.link.values import ClassRef, Display, External, Frame, Literal, Value, Values
from openai_lint.sdk import Missing, NotAnError, Sdk

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

MOST_COMBINATIONS = 16
"""A tuple of more combinations than this is taken as one of everything that its members may be."""

CATCHES = "catches"
PASSES = "passes"


@dataclass(frozen=True, slots=True)
class Clause:
    """The classes of a clause: each alternative is a tuple of dotted names, or None where it could be anything.

    Several alternatives mean that the name has several values (a conditional import); all that exist in the release
    must catch an error for it to be caught.
    """

    alternatives: tuple[tuple[str, ...] | None, ...]

    def verdict(self, leak: Leak, release: Sdk) -> str:
        """``catches``, ``passes``, or the class of the error that evaluating the clause raises."""
        if not self.alternatives:
            return CATCHES
        found = [self._one(paths, leak.raised, release) for paths in self.alternatives]
        sound = [item for item in found if item in (CATCHES, PASSES)]
        if not sound:
            return found[0]
        return PASSES if PASSES in sound else CATCHES

    @staticmethod
    def _one(paths: tuple[str, ...] | None, raised: str, release: Sdk) -> str:
        if paths is None:
            return CATCHES
        known = ancestors(raised, release)
        caught = False
        broken = ""
        for path in paths:
            meaning = clause(path, release)
            if isinstance(meaning, Missing):
                return "AttributeError"
            if isinstance(meaning, NotAnError):
                broken = "TypeError"
            elif meaning in known:
                caught = True
        return broken or (CATCHES if caught else PASSES)

    def accepts(self, leak: Leak, release: Sdk) -> bool | None:
        """Whether ``isinstance(error, classes)`` is true; None when it cannot be known."""
        if not self.alternatives or None in self.alternatives:
            return None
        verdicts = {self._one(paths, leak.raised, release) for paths in self.alternatives}
        return True if verdicts == {CATCHES} else False if verdicts == {PASSES} else None


EVERY_ERROR = Clause((("BaseException",),))


def clause_of(values: Values, engine: "Engine") -> Clause:
    """The clause that these values are. One of no classes beside others only keeps the place for them (``()`` in a base
    class, None as a default).
    """
    found = {classes for value in values for classes in _alternatives(value, engine)}
    return Clause(tuple(sorted(found - {()} or found, key=repr)))


def _alternatives(value: Value, engine: "Engine") -> Iterator[tuple[str, ...] | None]:
    """What a value may mean: a tuple whose members have several values each is one of few combinations of these."""
    parts = [inner for _, inner in value.items] if isinstance(value, Display) else []
    if prod(map(len, parts)) in range(2, MOST_COMBINATIONS + 1) and all(_named(inner) for inner in parts):
        for chosen in product(*parts):
            yield tuple(name for item in chosen for name in _classes(item, engine) or ())
        return
    yield _classes(value, engine)


def _named(values: Values) -> bool:
    """Whether a member of a tuple is one class, or one of several by the same name (a conditional import)."""
    names = {value.path.rpartition(".")[2] if isinstance(value, External) else value for value in values}
    return len(names) == 1 and "()" not in str(names)


def _classes(value: Value, engine: "Engine") -> tuple[str, ...] | None:
    match value:
        case External():
            return (value.path,) if "()" not in value.path else None
        case ClassRef():
            return (_project_class(value, engine),)
        case Display():
            found: list[str] = []
            for _, inner in value.items:
                for item in inner:
                    classes = _classes(item, engine)
                    if classes is None:
                        return None
                    found += classes
            return tuple(found)
        case Literal():
            return ()
        case _:
            return None


def _project_class(value: ClassRef, engine: "Engine") -> str:
    """A class of the project: it catches none of the SDK's errors, unless it only renames one."""
    del engine
    return f"project.{value.node.qualname}"


def generic(frame: Frame) -> bool:
    """Whether the frame was made without particular arguments."""
    return not frame.bound
