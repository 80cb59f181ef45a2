"""What one module says, as plain frozen data: the only thing the linker and the rules see of a source file.

The extractor lowers a libcst tree into these nodes and drops everything that cannot matter to an error's way through
the program (white space, formatting, operators' spelling). No node refers to libcst, to a file handle or to another
module; every node compares and hashes by identity, so that it can key a table while the program is linked.

Spans are ``(line, column, end line, end column)``: lines from 1, columns from 1 in code points, the end exclusive.
In a notebook the code cells are one module: its lines run on through the cells and ``Cell`` tells where each begins.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeAlias

Span: TypeAlias = tuple[int, int, int, int]


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Expr:
    """Any expression."""

    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Name(Expr):
    id: str


@dataclass(frozen=True, slots=True, eq=False)
class Attr(Expr):
    value: Expr
    attr: str


@dataclass(frozen=True, slots=True, eq=False)
class Arg:
    """One argument of a call. ``star`` is ``""``, ``"*"`` or ``"**"``; ``keyword`` is None for a positional one."""

    keyword: str | None
    star: str
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Call(Expr):
    func: Expr
    args: tuple[Arg, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Const(Expr):
    """A literal: ``str`` (implicit concatenation joined), ``bytes``, a number, ``bool``, None or ``...``."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Format(Expr):
    """An f-string (or a concatenation with one): literal text and the expressions between."""

    parts: tuple[str | Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Await(Expr):
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Yield(Expr):
    """``yield value`` or, when ``delegate``, ``yield from value``."""

    value: Expr | None
    delegate: bool


@dataclass(frozen=True, slots=True, eq=False)
class Lambda(Expr):
    function: "Function"


@dataclass(frozen=True, slots=True, eq=False)
class IfExp(Expr):
    test: Expr
    body: Expr
    orelse: Expr


@dataclass(frozen=True, slots=True, eq=False)
class BoolOp(Expr):
    """``and`` / ``or`` (``op``) over two or more values."""

    op: str
    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Not(Expr):
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Compare(Expr):
    """``left op right``; a chain is lowered to an ``and`` of pairs. ``op`` is ``==``, ``is``, ``not in``, ..."""

    left: Expr
    op: str
    right: Expr


@dataclass(frozen=True, slots=True, eq=False)
class BinOp(Expr):
    """A binary operator (``op`` as written: ``+``, ``|``, ``**`` ...); unary minus is ``0 - value``."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Subscript(Expr):
    """``value[index]``; a slice or several indices make ``index`` a ``Sequence`` of what they hold."""

    value: Expr
    index: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Starred(Expr):
    """``*value`` inside a display or an assignment target."""

    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Sequence(Expr):
    """A tuple, list, set or slice display (``kind``)."""

    kind: str
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Dict(Expr):
    """A dict display; the key of ``**other`` is None."""

    items: tuple[tuple[Expr | None, Expr], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One ``for target in iterable if ...`` of a comprehension."""

    target: Expr
    iterable: Expr
    conditions: tuple[Expr, ...]
    is_async: bool


@dataclass(frozen=True, slots=True, eq=False)
class Comprehension(Expr):
    """``kind`` is list, set, dict or generator. ``key`` is set for a dict only."""

    kind: str
    key: Expr | None
    element: Expr
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NamedExpr(Expr):
    """``target := value``."""

    target: Expr
    value: Expr


# --- patterns ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A ``case`` pattern, as far as it tells errors apart.

    ``kind``: ``class`` (``value`` is the class), ``value`` (compared with ``value``), ``or`` (any of ``parts``),
    ``capture`` (matches everything; ``_`` too), ``other`` (may match). ``name`` is what the match binds, if anything.
    """

    kind: str
    value: Expr | None = None
    parts: tuple["Pattern", ...] = ()
    name: str | None = None
    attributes: tuple[tuple[str, "Pattern"], ...] = ()


# --- statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Stmt:
    """Any statement. The span of a compound statement covers all of it."""

    span: Span


Block: TypeAlias = tuple[Stmt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExprStmt(Stmt):
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Assign(Stmt):
    """``a = b = value``, ``a: annotation = value`` or ``a: annotation`` (``value`` None)."""

    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class AugAssign(Stmt):
    target: Expr
    op: str
    value: Expr


@dataclass(frozen=True, slots=True, eq=False)
class Return(Stmt):
    value: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Raise(Stmt):
    error: Expr | None
    cause: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class If(Stmt):
    """``elif`` is an ``If`` alone in ``orelse``."""

    test: Expr
    body: Block
    orelse: Block


@dataclass(frozen=True, slots=True, eq=False)
class While(Stmt):
    test: Expr
    body: Block
    orelse: Block


@dataclass(frozen=True, slots=True, eq=False)
class For(Stmt):
    target: Expr
    iterable: Expr
    body: Block
    orelse: Block
    is_async: bool


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """One ``except`` clause. ``header`` spans ``except ... :`` without the body; ``type`` is None for a bare one."""

    span: Span
    header: Span
    type: Expr | None
    name: str | None
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Try(Stmt):
    """``star`` is true for ``except*``."""

    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    finalbody: Block
    star: bool


@dataclass(frozen=True, slots=True, eq=False)
class WithItem:
    context: Expr
    target: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class With(Stmt):
    items: tuple[WithItem, ...]
    body: Block
    is_async: bool


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    pattern: Pattern
    guard: Expr | None
    body: Block


@dataclass(frozen=True, slots=True, eq=False)
class Match(Stmt):
    subject: Expr
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Import(Stmt):
    """``import a.b as c`` and ``from ..a import b as c``, one bound name each.

    ``level`` counts leading dots. ``module`` is the dotted module (``""`` for ``from . import x``). ``name`` is what is
    taken from it (``"*"`` for a star, None for a plain import). ``bound`` is the local name: for ``import a.b`` it is
    ``a``.
    """

    module: str
    name: str | None
    bound: str
    level: int


@dataclass(frozen=True, slots=True, eq=False)
class Jump(Stmt):
    """``break``, ``continue`` or ``pass`` (``kind``)."""

    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Scope(Stmt):
    """``global`` / ``nonlocal`` (``kind``)."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Delete(Stmt):
    targets: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Assert(Stmt):
    test: Expr
    message: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Param:
    """``kind`` is positional, keyword (only), ``*`` or ``**``."""

    name: str
    kind: str
    annotation: Expr | None
    default: Expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Function(Stmt):
    """A ``def`` or a lambda (``name`` is ``<lambda>``, its body one ``Return``).

    ``qualname`` is the name as Python's ``__qualname__`` would have it, without ``<locals>`` (``A.run.inner``).
    ``header`` spans ``def ... :``. An annotation written as a string is lowered as the expression in it.
    """

    header: Span
    name: str
    qualname: str
    params: tuple[Param, ...]
    decorators: tuple[Expr, ...]
    returns: Expr | None
    body: Block
    is_async: bool
    is_generator: bool
    docstring: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Class(Stmt):
    """``keywords`` are the class statement's keyword arguments (``metaclass=...``)."""

    header: Span
    name: str
    qualname: str
    bases: tuple[Expr, ...]
    keywords: tuple[Arg, ...]
    decorators: tuple[Expr, ...]
    body: Block
    docstring: str | None


# --- modules ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its ``#``, where it stands, and the lines of the logical line (statement header) it belongs to."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A notebook's cell: number from 1 (every cell counts), first line in the joined module, count of lines."""

    number: int
    first_line: int
    lines: int


@dataclass(frozen=True, slots=True, eq=False)
class ModuleFacts:
    """One readable file. ``text`` is its decoded source (of a notebook the joined code cells), with line feeds only.

    ``problems`` are the cells of a notebook that could not be parsed; the facts are those of the other cells.
    """

    path: str
    text: str
    body: Block
    docstring: str | None
    comments: tuple[Comment, ...]
    cells: tuple[Cell, ...]
    identifiers: frozenset[str]
    problems: tuple["Unreadable", ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be decoded or parsed: what is wrong, where, and what to do.

    With a ``cell`` the line counts from 1 inside that cell.
    """

    path: str
    reason: str
    line: int
    column: int
    cell: int | None = None


def children(node: Any) -> list[Any]:
    """The nodes directly below a node, in source order; nested functions, classes and lambdas included."""
    kind = type(node)
    read = _READERS.get(kind)
    if read is None:
        read = _READERS[kind] = _reader(kind)
    found: list[Any] = []
    for value in read(node):
        if type(value) is tuple:
            _collect(value, found)
        elif type(value) in _KINDS:
            found.append(value)
    return found


_PLAIN = frozenset(
    {
        "span",
        "header",
        "id",
        "attr",
        "op",
        "kind",
        "name",
        "bound",
        "module",
        "level",
        "names",
        "qualname",
        "docstring",
        "delegate",
        "is_async",
        "is_generator",
        "star",
        "keyword",
    }
)
"""Fields that hold no nodes."""

_NODES = (Expr, Stmt, Arg, Clause, Pattern, Handler, WithItem, Case, Param)
_KINDS = frozenset(kind for base in _NODES for kind in (base, *base.__subclasses__()))
_READERS: dict[type, Callable[[Any], tuple[Any, ...]]] = {}


def _reader(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """Reads at once the fields of a class that may hold nodes."""
    names = [field.name for field in fields(kind) if field.name not in _PLAIN]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda node: tuple([getattr(node, name) for name in names])


def _collect(values: tuple[Any, ...], found: list[Any]) -> None:
    for value in values:
        if type(value) in _KINDS:
            found.append(value)
        elif type(value) is tuple:
            _collect(value, found)
