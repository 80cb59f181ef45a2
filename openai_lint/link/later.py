"""What fails later: coroutines, generators, requests, tasks, calls in workers, and the errors that they hand back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint.facts import Comprehension, Expr
from openai_lint.link.nesting import Nested, deepest, depth_of

if TYPE_CHECKING:
    from openai_lint.link.policy import Policy
    from openai_lint.link.values import Frame, Site, Value, Values


@dataclass(frozen=True, slots=True)
class Deferred(Nested):
    """Something that fails later: when it is awaited, iterated, entered, or asked for its result (``on``).

    ``source`` is what then runs: a frame of the project, a request of the SDK, or a group of other deferred values.
    """

    on: str
    source: "Frame | Request | Group | Later | Lazy"
    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal((self.on, self.source), self.source.depth)


@dataclass(frozen=True, slots=True)
class Request(Nested):
    """What an API call sets going: ``phase`` is creation or iteration; ``result`` is what it gives."""

    site: "Site"
    phase: str
    result: "Values" = frozenset()

    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal((self.site, self.phase, self.result), 1 + deepest(self.result))


@dataclass(frozen=True, slots=True)
class Later(Nested):
    """A call that a worker or an executor makes: it runs when its result is asked for."""

    function: "Value"
    args: tuple["Values", ...]
    keywords: tuple[tuple[str, "Values"], ...]
    frame: "Frame"
    node: Expr

    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal(
            (self.function, self.args, self.keywords, self.frame, self.node),
            1 + max(depth_of(self.function), self.frame.depth, *(deepest(found) for found in self.args), 0),
        )


@dataclass(frozen=True, slots=True)
class Lazy(Nested):
    """A generator expression: what is in it runs when it is iterated, in the frame where it stands."""

    node: Comprehension
    frame: "Frame"
    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal((self.node, self.frame), 1 + self.frame.depth)


@dataclass(frozen=True, slots=True)
class Group(Nested):
    """Several deferred values run together. ``absorbs``: their errors come back as values (``return_exceptions``);
    ``wraps``: they leave inside an ExceptionGroup. ``policy`` is a retry around them, ``place`` the call that starts
    them, ``inside`` the manager around them.
    """

    members: "Values"
    absorbs: bool = False
    wraps: bool = False
    policy: "Policy | None" = None
    collects: bool = False
    place: Expr | None = None
    inside: "Managed | None" = None
    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        key = (self.members, self.absorbs, self.wraps, self.policy, self.collects, self.place, self.inside)
        self._seal(key, 1 + deepest(self.members))


@dataclass(frozen=True, slots=True)
class Kept(Nested):
    """The error that a task, or one of several, has ended with, handed back as a value."""

    tasks: "Values"

    __hash__ = Nested.__hash__

    def __post_init__(self) -> None:
        """Hash and measure once."""
        self._seal(self.tasks, 1 + deepest(self.tasks))


@dataclass(frozen=True, slots=True)
class Managed:
    """A callable each of whose calls runs inside a manager that decorates it: at ``node``, in the code of ``frame``."""

    manager: "Value"
    function: "Value"
    node: Expr
    frame: "Frame"

    @property
    def depth(self) -> int:
        """How deeply it nests."""
        return 1 + max(depth_of(self.manager), depth_of(self.function))
