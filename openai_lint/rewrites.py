"""The vocabulary of fixes, as data: a rule says what shall stand where, and ``openai_lint.fixing`` writes it.

Spans are those of the module's facts (a notebook's run on through its cells). Texts are code as the file would write
it, lines without a line end; blocks in them are indented by four spaces, which become the file's own indentation.
"""

from dataclasses import dataclass
from typing import TypeAlias

from openai_lint.facts import Span


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """A name that new code uses: ``import module``, or with a ``name`` ``from module import name``."""

    module: str
    name: str = ""

    @property
    def bound(self) -> str:
        """The name that the import binds."""
        return self.name or self.module.partition(".")[0]

    @property
    def line(self) -> str:
        """The import as a statement of its own."""
        return f"import {self.module}" if not self.name else f"from {self.module} import {self.name}"


@dataclass(frozen=True, slots=True)
class NewClause:
    """An ``except`` clause: its types, the name that it binds (None for none), and the lines of its body."""

    types: tuple[str, ...]
    name: str | None
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """``text`` in place of the expression at ``span``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class WrapInTry:
    """A ``try`` around the smallest statement that holds ``span``. Every clause leaves, so that names stay bound.

    With ``last``, around the statements of one block from the one at ``span`` to the one at ``last``.
    """

    span: Span
    clauses: tuple[NewClause, ...]
    last: Span | None = None


@dataclass(frozen=True, slots=True)
class Enclose:
    """``head`` before the smallest statement that holds ``span``, which is indented below the last line of it.

    ``lead`` stands in front of the statement, at its level, and ``follow`` behind it, unless the statement leaves by
    itself; ``tail`` comes last.
    """

    span: Span
    head: tuple[str, ...]
    follow: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddClauses:
    """New clauses directly before or behind the clause whose header is at ``header``."""

    header: Span
    clauses: tuple[NewClause, ...]
    before: bool = False


@dataclass(frozen=True, slots=True)
class AddHandlers:
    """Clauses for the ``try`` at ``span``, which has only a ``finally``."""

    span: Span
    clauses: tuple[NewClause, ...]


@dataclass(frozen=True, slots=True)
class SetTypes:
    """Other types for the clause whose header is at ``header``; its name and its body stay.

    ``types`` replace what stands at ``span``, or follow the word ``except`` where that is None.
    """

    header: Span
    span: Span | None
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveClause:
    """The clause at ``header`` in front of the clause of the same ``try`` at ``before``."""

    header: Span
    before: Span


@dataclass(frozen=True, slots=True)
class MoveIntoTry:
    """What follows the ``try`` of the clause at ``header``, up to the statement of ``span``, at the end of its body."""

    header: Span
    span: Span


@dataclass(frozen=True, slots=True)
class SetKeywords:
    """Keyword arguments (name and value) of the call at ``span``, added or given another value.

    The arguments whose values are at ``without`` are taken out.
    """

    span: Span
    items: tuple[tuple[str, str], ...]
    without: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveArguments:
    """The arguments of the call at ``span`` whose values are at ``values``, taken out."""

    span: Span
    values: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class RenameArgument:
    """The keyword (none for a positional argument) of the argument of the call at ``span`` with ``value``."""

    span: Span
    value: Span
    name: str


@dataclass(frozen=True, slots=True)
class Decorate:
    """A decorator for the function at ``span``, beneath those that it has."""

    span: Span
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InsertAfter:
    """A statement behind the one that holds ``span``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class CountLoop:
    """``head`` (``for attempt in range(6)``) in place of the ``while`` and its test, of the loop at ``span``."""

    span: Span
    head: str


@dataclass(frozen=True, slots=True)
class Extract:
    """What stands at ``span`` kept under ``name`` first, with ``lines`` behind that, in front of its statement."""

    span: Span
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InsertBefore:
    """A statement in front of the one that begins at ``span``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class RemoveStatement:
    """The statement that holds ``span``, taken out with its lines."""

    span: Span


Step: TypeAlias = (
    Replace
    | WrapInTry
    | Enclose
    | AddClauses
    | AddHandlers
    | SetTypes
    | MoveClause
    | MoveIntoTry
    | SetKeywords
    | RemoveArguments
    | RenameArgument
    | Decorate
    | InsertAfter
    | InsertBefore
    | Extract
    | CountLoop
    | RemoveStatement
)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What mends one finding, in one file: all steps or none.

    ``safe``: nothing that worked before changes. ``message`` says what is done, for people. ``together`` is what is
    done first where several neighbours want it.
    """

    path: str
    message: str
    steps: tuple[Step, ...]
    needs: tuple[Need, ...] = ()
    safe: bool = False
    together: "Rewrite | None" = None
