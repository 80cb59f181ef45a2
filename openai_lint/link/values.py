"""What an expression may be when the program runs, as far as the way of an error depends on it.

Values are small, frozen and compared by content; a set of them (``Values``) means «one of these». The empty set means
«not known yet» (the fixpoint may still bring something), ``UNKNOWN`` means «could be anything».
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from openai_lint.facts import Class, Expr, Function, Handler

if TYPE_CHECKING:
    from openai_lint.link.index import ModuleInfo
    from openai_lint.link.policies import Policy


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


@dataclass(frozen=True, slots=True)
class Frame:
    """One way to run a function: the function, the frame it was defined in, and the arguments that make a difference.

    ``function`` is None for a module's body, and a class for a class body. ``bound`` pairs parameter names with values, sorted by name.
    """

    module: "ModuleInfo"
    function: Function | Class | None
    parent: "Frame | None" = None
    bound: tuple[tuple[str, "Values"], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.module, self.function, self.parent, self.bound)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash

    def argument(self, name: str) -> "Values | None":
        """What this frame was given for a parameter, if that makes a difference."""
        for bound, values in self.bound:
            if bound == name:
                return values
        return None


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function of the project together with the frame in which it was defined, before any decorator."""

    function: Function
    parent: Frame


@dataclass(frozen=True, slots=True)
class ClassRef:
    """A class of the project."""

    node: Class
    parent: Frame
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.node, self.parent)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a project class; ``exact`` when its construction was seen (else it may be a subclass's)."""

    cls: ClassRef
    exact: bool


@dataclass(frozen=True, slots=True)
class Super:
    """``super()`` in a method of ``cls`` whose self is ``receiver``."""

    cls: ClassRef
    receiver: Instance


@dataclass(frozen=True, slots=True)
class Bound:
    """A callable with its first argument already given (a method on its object)."""

    function: "Value"
    receiver: "Value"
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.function, self.receiver)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Partial:
    """``functools.partial`` and its kin: positional arguments and keywords given beforehand."""

    function: "Value"
    args: tuple["Values", ...]
    keywords: tuple[tuple[str, "Values"], ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.function, self.args, self.keywords)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash


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


@dataclass(frozen=True, slots=True)
class Deferred:
    """Something that fails later: when it is awaited, iterated, entered, or asked for its result (``on``).

    ``source`` is what then runs: a frame of the project, a request of the SDK, or a group of other deferred values.
    """

    on: str
    source: "Frame | Request | Group | Later"
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.on, self.source)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Request:
    """What an API call sets going: ``phase`` is creation or iteration; ``result`` is what it gives."""

    site: "Site"
    phase: str
    result: "Values" = frozenset()


@dataclass(frozen=True, slots=True)
class Later:
    """A call that a worker or an executor makes: it runs when its result is asked for."""

    function: "Value"
    args: tuple["Values", ...]
    keywords: tuple[tuple[str, "Values"], ...]
    frame: "Frame"
    node: Expr


@dataclass(frozen=True, slots=True)
class Group:
    """Several deferred values run together. ``absorbs``: their errors come back as values (``return_exceptions``);
    ``wraps``: they leave inside an ExceptionGroup. ``policies`` are retries around them.
    """

    members: "Values"
    absorbs: bool = False
    wraps: bool = False
    policy: "Policy | None" = None
    collects: bool = False
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.members, self.absorbs, self.wraps, self.policy, self.collects)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One place that names an SDK method on a client, or makes a raw request to an OpenAI host.

    ``node`` is the expression shown (the smallest call that contains the name), ``path`` the dotted method, ``era`` the
    generation of the SDK it is written for.
    """

    node: Expr
    module: "ModuleInfo"
    path: str
    era: int
    function: Function | None


@dataclass(frozen=True, slots=True)
class Caught:
    """The error that a handler binds, in one frame."""

    frame: Frame
    handler: Handler


@dataclass(frozen=True, slots=True)
class Kept:
    """The error that a task, or one of several, has ended with, handed back as a value."""

    tasks: "Values"


@dataclass(frozen=True, slots=True)
class Display:
    """A tuple, list, set or dict (``kind``) with what its members may be; ``items`` keeps order and keys if known."""

    kind: str
    items: tuple[tuple[object, "Values"], ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash once: these values key every table of the linker, and nest."""
        object.__setattr__(self, "_hash", hash((self.kind, self.items)))

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Retried:
    """A callable under a retry policy."""

    policy: "Policy"
    function: "Value"


@dataclass(frozen=True, slots=True)
class Symbolic:
    """The unevaluated result of a library call whose arguments matter (``tenacity.stop_after_attempt(3)``)."""

    path: str
    args: tuple["Values", ...]
    keywords: tuple[tuple[str, "Values"], ...]
    node: Expr | None = None
    frame: Frame | None = None

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


@dataclass(frozen=True, slots=True)
class ContextFrame:
    """What calling a ``ContextFunction`` gives: the frame whose ``yield`` stands for the with block."""

    frame: Frame


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
    | Symbolic
    | ContextFunction
    | ContextFrame
    | Policied
)
Values: TypeAlias = frozenset[Value]

NOTHING: Values = frozenset()
ANYTHING: Values = frozenset({UNKNOWN})


CALLABLE = (FunctionRef, Bound, Partial, Retried, Resource)
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
