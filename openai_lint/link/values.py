"""What an expression may be when the program runs, as far as the way of an error depends on it.

Values are small, frozen and compared by content; a set of them (``Values``) means «one of these». The empty set means
«not known yet» (the fixpoint may still bring something), ``UNKNOWN`` means «could be anything».
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from openai_lint.facts import Class, Expr, Function, Handler
from openai_lint.link.later import Deferred, Group, Kept, Later, Lazy, Managed, Request
from openai_lint.link.nesting import Nested, deepest, depth_of
from openai_lint.unique import Unique

if TYPE_CHECKING:
    from openai_lint.link.index import ModuleInfo
    from openai_lint.link.policies import Policy
    from openai_lint.sdk import Sdk


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything."""


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: string, number, bool or None."""

    value: object
    type: type = field(default=object)


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library, by its dotted path. ``()`` marks the result of a call (``flask.Flask().route``)."""

    path: str


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module or package folder of the project, by absolute path."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Frame(metaclass=Unique):
    """One way to run a function: the function, the frame it was defined in, and the arguments that make a difference.

    ``function`` is None for a module's body, and a class for a class body. ``bound`` pairs names
    of parameters with values, sorted by name.
    """

    module: "ModuleInfo"
    function: Function | Class | None
    parent: "Frame | None" = None
    bound: tuple[tuple[str, "Values"], ...] = ()
    depth: int = field(init=False, repr=False)

    @staticmethod
    def home(module: "ModuleInfo", *_: object) -> "ModuleInfo":
        """The module in whose table the frame stands."""
        return module

    def __post_init__(self) -> None:
        """Measure once how deeply it nests."""
        outer = self.parent.depth if self.parent is not None else 0
        object.__setattr__(self, "depth", 1 + max(outer, *(deepest(found) for _, found in self.bound), 0))

    def argument(self, name: str) -> "Values | None":
        """What this frame was given for a parameter, if that makes a difference."""
        for bound, values in self.bound:
            if bound == name:
                return values
        return None


@dataclass(frozen=True, slots=True, eq=False)
class FunctionRef(metaclass=Unique):
    """A function of the project together with the frame in which it was defined, before any decorator."""

    function: Function
    parent: Frame

    @staticmethod
    def home(_: Function, parent: Frame) -> "ModuleInfo":
        """The module in whose table the function stands."""
        return parent.module

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return self.parent.depth


@dataclass(frozen=True, slots=True, eq=False)
class ClassRef(metaclass=Unique):
    """A class of the project."""

    node: Class
    parent: Frame

    @staticmethod
    def home(_: Class, parent: Frame) -> "ModuleInfo":
        """The module in whose table the class stands."""
        return parent.module

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return self.parent.depth


@dataclass(frozen=True, slots=True, eq=False)
class Instance(metaclass=Unique):
    """An object of a project class; ``exact`` when its construction was seen (else it may be a subclass's)."""

    cls: ClassRef
    exact: bool

    @staticmethod
    def home(owner: ClassRef, _: bool) -> "ModuleInfo":
        """The module in whose table the object stands."""
        return owner.parent.module

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return self.cls.depth


@dataclass(frozen=True, slots=True)
class Super:
    """``super()`` in a method of ``cls`` whose self is ``receiver``."""

    cls: ClassRef
    receiver: Instance


@dataclass(frozen=True, slots=True)
class Bound(Nested):
    """A callable with its first argument already given (a method on its object)."""

    function: "Value"
    receiver: "Value"
    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal((self.function, self.receiver), max(depth_of(self.function), depth_of(self.receiver)))


@dataclass(frozen=True, slots=True)
class Partial(Nested):
    """``functools.partial`` and its kin: positional arguments and keywords given beforehand."""

    function: "Value"
    args: tuple["Values", ...]
    keywords: tuple[tuple[str, "Values"], ...]
    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal(
            (self.function, self.args, self.keywords),
            1
            + max(
                depth_of(self.function),
                *(deepest(found) for found in self.args),
                *(deepest(found) for _, found in self.keywords),
                0,
            ),
        )


@dataclass(frozen=True, slots=True)
class Client:
    """An OpenAI client. ``name`` is the class, ``known_by`` how it is known; ``max_retries`` None when not chosen.

    ``era`` is 0 for the 0.x module API and 1 for clients from 1.x on. ``asynchronous`` is None when unknown.
    """

    name: str
    asynchronous: bool | None
    known_by: str
    era: int = 1
    max_retries: int | str | None = None
    wrapped: str | None = None
    origin: Expr | None = None
    options: tuple[tuple[str, "Values"], ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """``client.chat.completions``: a client and the dotted words behind it, wrappers (``with_raw_response``) apart."""

    client: Client
    path: tuple[str, ...]
    wrapper: str | None
    node: Expr | None
    module: "ModuleInfo"


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One place that names an SDK method on a client, or makes a raw request to an OpenAI host.

    ``node`` is the expression shown (the smallest call that contains the name), ``path`` the dotted method, ``era`` the
    generation of the SDK it is written for, ``release`` what decides for code of that generation there. ``values`` are
    the errors on their way from it, each once.
    """

    node: Expr
    module: "ModuleInfo"
    path: str
    era: int
    function: Function | None
    release: "Sdk"
    values: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Caught:
    """The error that a handler binds, in one frame."""

    frame: Frame
    handler: Handler

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return self.frame.depth


@dataclass(frozen=True, slots=True)
class Display(Nested):
    """A tuple, list, set or dict (``kind``) with what its members may be; ``items`` keeps order and keys if known.

    A ``table`` is a dict of which only is known what its keys and what its values may be, in this order.
    """

    kind: str
    items: tuple[tuple[object, "Values"], ...]
    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal((self.kind, self.items), 1 + max((deepest(found) for _, found in self.items), default=0))


@dataclass(frozen=True, slots=True)
class Retried:
    """A callable under a retry policy."""

    policy: "Policy"
    function: "Value"

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return 1 + depth_of(self.function)


@dataclass(frozen=True, slots=True)
class Symbolic(Nested):
    """The unevaluated result of a library call whose arguments matter (``tenacity.stop_after_attempt(3)``)."""

    path: str
    args: tuple["Values", ...]
    keywords: tuple[tuple[str, "Values"], ...]
    node: Expr | None = None
    frame: Frame | None = None

    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal(
            (self.path, self.args, self.keywords, self.node, self.frame),
            1 + max(self.frame.depth if self.frame is not None else 0, *(deepest(found) for found in self.args), 0),
        )

    def argument(self, position: int | None, *names: str) -> "Values | None":
        """The argument at a position or under one of several names."""
        for name, values in self.keywords:
            if name in names:
                return values
        if position is not None and position < len(self.args):
            return self.args[position]
        return None


@dataclass(frozen=True, slots=True)
class ContextFunction:
    """A generator function made a context manager by ``contextlib.contextmanager``."""

    function: "Value"

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return 1 + depth_of(self.function)


@dataclass(frozen=True, slots=True)
class ContextFrame:
    """What calling a ``ContextFunction`` gives: the frame whose ``yield`` stands for the with block."""

    frame: Frame

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return self.frame.depth


@dataclass(frozen=True, slots=True)
class Policied:
    """A retry policy used as an object: an iterable of attempts, a context manager, or a decorator (``role``)."""

    policy: "Policy"
    role: str


Value: TypeAlias = (
    Unknown
    | Literal
    | External
    | ModuleRef
    | FunctionRef
    | ClassRef
    | Instance
    | Super
    | Bound
    | Partial
    | Client
    | Resource
    | Deferred
    | Caught
    | Kept
    | Display
    | Retried
    | Managed
    | Symbolic
    | ContextFunction
    | ContextFrame
    | Policied
)
Values: TypeAlias = frozenset[Value]

NOTHING: Values = frozenset()
ANYTHING: Values = frozenset({UNKNOWN})


CALLABLE = (FunctionRef, Bound, Partial, Retried, Managed, Resource)
"""The values that run something when they are called."""


def one(value: Value) -> Values:
    """The set that holds exactly this value."""
    return frozenset((value,))


LONGEST_TEXT = 200
"""Longer strings are prompts and the like: nothing depends on them."""


def literal(value: object) -> Values:
    """A constant; the type keeps ``1``, ``1.0`` and ``True`` apart."""
    if isinstance(value, (str, bytes)) and len(value) > LONGEST_TEXT:
        return ANYTHING
    return frozenset((Literal(value, type(value)),))


def constants(values: "Values | None") -> list[object]:
    """The Python constants among the values."""
    return [value.value for value in values or () if isinstance(value, Literal)]


def the_constant(values: "Values | None") -> object | None:
    """The one constant that the values are, or None if they are anything else."""
    if values is not None and len(values) == 1:
        (value,) = values
        if isinstance(value, Literal):
            return value.value
    return None


__all__ = [
    "ANYTHING",
    "CALLABLE",
    "LONGEST_TEXT",
    "NOTHING",
    "UNKNOWN",
    "Bound",
    "Caught",
    "ClassRef",
    "Client",
    "ContextFrame",
    "ContextFunction",
    "Deferred",
    "Display",
    "External",
    "Frame",
    "FunctionRef",
    "Group",
    "Instance",
    "Kept",
    "Later",
    "Lazy",
    "Literal",
    "Managed",
    "ModuleRef",
    "Partial",
    "Policied",
    "Request",
    "Resource",
    "Retried",
    "Site",
    "Super",
    "Symbolic",
    "Unknown",
    "Value",
    "Values",
    "constants",
    "deepest",
    "depth_of",
    "literal",
    "one",
    "the_constant",
]
