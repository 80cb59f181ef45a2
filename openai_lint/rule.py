"""What a rule is and what it says: ``Rule``, ``Hit`` (what a check yields) and ``Finding`` (a hit with its code)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from openai_lint.facts import Span
from openai_lint.rewrites import Rewrite

if TYPE_CHECKING:
    from openai_lint.link import Project


class Severity(IntEnum):
    """How bad a finding is; a higher value is worse, so that thresholds compare."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Applicability(Enum):
    """What applying a fix may change: nothing that worked (safe), behaviour (unsafe), or it is advice only."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    SUGGESTION = "suggestion"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in a file. ``path`` is absolute; ``cell`` counts notebook cells from 1, and the span's lines count
    from 1 inside that cell.
    """

    path: str
    cell: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a finding (a step of the error's path, the handler, the policy)."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what stands at ``place`` by ``content``."""

    place: Place
    content: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a finding."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule's check yields.

    ``place`` is where it is shown. ``anchor`` is the place that suppressions and the fingerprint belong to (the call);
    None means ``place``. ``help`` is the concrete suggestion for this very call, as text (may hold several lines of
    code). ``severity`` overrides the rule's own for this hit. ``rewrite`` is what would mend it, if an edit can.
    """

    place: Place
    message: str
    help: str
    errors: tuple[str, ...] = ()
    sdk: str | None = None
    call: str | None = None
    related: tuple[Related, ...] = ()
    anchor: Place | None = None
    severity: Severity | None = None
    rewrite: Rewrite | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of the report. ``fingerprint`` is stable when lines move."""

    code: str
    name: str
    severity: Severity
    message: str
    help: str
    place: Place
    errors: tuple[str, ...]
    sdk: str | None
    call: str | None
    related: tuple[Related, ...]
    fix: Fix | None
    fingerprint: str
    anchor: Place


Check = Callable[["Project"], Iterable[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its file holds the docstring (the documentation page) and ``check``.

    ``default`` tells whether it runs without being selected; ``fix`` is the level of the fix it can offer, or None.
    """

    code: str
    name: str
    severity: Severity
    check: Check = field(compare=False)
    default: bool = True
    fix: Applicability | None = None
    since: str = "0.1.0"
