"""The cells of the fixpoint: what is computed once for the whole project and again when what it read has grown."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from openai_lint.escapes import NO_LEAKS, Leaks
from openai_lint.facts import Function, Handler
from openai_lint.link.values import NOTHING, ClassRef, Frame, Values

if TYPE_CHECKING:
    from openai_lint.link.index import Binding


@dataclass(frozen=True, slots=True)
class NameCell:
    """What a name may be in the frame that binds it."""

    frame: Frame
    name: str


@dataclass(frozen=True, slots=True)
class BindingCell:
    """What one of several bindings of a name gives, in the frame that binds it."""

    frame: Frame
    binding: "Binding"


@dataclass(frozen=True, slots=True)
class AttrCell:
    """What ``self.name`` may be, from every store in the class itself (not its bases)."""

    cls: ClassRef
    name: str


@dataclass(frozen=True, slots=True)
class ParamCell:
    """What callers in the project pass for a parameter."""

    function: Function
    name: str


@dataclass(frozen=True, slots=True)
class RunCell:
    """What running a frame lets out."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class GivesCell:
    """What running a frame gives: what it returns and what it yields."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class CaughtCell:
    """Which leaks a handler has caught, in one frame."""

    frame: Frame
    handler: Handler


@dataclass(frozen=True, slots=True)
class ClassesCell:
    """How many classes of the project are known."""


@dataclass(frozen=True, slots=True)
class OverridesCell:
    """How many subclasses of a class are known to define a member."""

    cls: ClassRef
    name: str


@dataclass(frozen=True, slots=True)
class StoresCell:
    """How many stores to an attribute of that name on other objects than ``self`` are known."""

    name: str


@dataclass(frozen=True, slots=True)
class ForeignCell:
    """What is stored under a name on objects of a class, or on the class, from outside of it."""

    cls: ClassRef
    name: str


@dataclass(frozen=True, slots=True)
class KeptCell:
    """What the project keeps under a name on an object of a library, written with ``word`` where it is read."""

    library: str
    name: str
    word: str | None


class Gives(NamedTuple):
    """What a function hands back."""

    returns: Values = NOTHING
    yields: Values = NOTHING


class Outcome(NamedTuple):
    """What evaluating one operation raises there and then, and what it gives."""

    leaks: Leaks = NO_LEAKS
    values: Values = NOTHING

    def __or__(self, other: "Outcome") -> "Outcome":
        """Either of the two."""
        return Outcome(self.leaks | other.leaks, self.values | other.values)
