"""One file's syntax tree with places: finds what the steps of a rewrite speak of, by its span."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from openai_lint.facts import Span


class CannotFixError(Exception):
    """Why an edit cannot be made here; the finding keeps its suggestion."""


COMPOUND = (cst.BaseCompoundStatement,)
_STRINGS: tuple[type[cst.CSTNode], ...] = tuple(
    kind for kind in (cst.SimpleString, cst.FormattedString, getattr(cst, "TemplatedString", None)) if kind is not None
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that has its lines to itself: from line ``first`` to ``last``, indented by ``indent``."""

    node: cst.SimpleStatementLine | cst.BaseCompoundStatement
    first: int
    last: int
    indent: str


class Tree:
    """The tree of ``code`` (what Python reads of ``text``), where lines and columns count from 1.

    ``own`` names the packages that the file belongs to.
    """

    def __init__(self, text: str, code: str, own: frozenset[str] = frozenset()) -> None:
        self.text = text
        self.own = own
        self.lines = text.split("\n")
        self.code = code
        wrapper = MetadataWrapper(cst.parse_module(code), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._positions = wrapper.resolve(PositionProvider)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    # --- places

    def offset(self, line: int, column: int) -> int:
        """The offset of a place in the text."""
        return self._starts[line - 1] + column - 1

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        from bisect import bisect_right

        line = bisect_right(self._starts, offset)
        line = min(line, len(self.lines))
        return line, offset - self._starts[line - 1] + 1

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node stands, without its comments."""
        found = self._positions[node]
        return (found.start.line, found.start.column + 1, found.end.line, found.end.column + 1)

    def bounds(self, node: cst.CSTNode) -> tuple[int, int]:
        """The offsets of a node."""
        first, column, last, end = self.span(node)
        return self.offset(first, column), self.offset(last, end)

    def written(self, node: cst.CSTNode) -> str:
        """The source of a node."""
        start, end = self.bounds(node)
        return self.text[start:end]

    # --- style

    @cached_property
    def unit(self) -> str:
        """One level of indentation."""
        return self.module.default_indent

    @cached_property
    def limit(self) -> int:
        """How long a line may be, as far as the file tells."""
        longest = max((len(line) for line in self.code.split("\n") if not line.lstrip().startswith("#")), default=0)
        return 88 if longest <= 88 else 120

    @cached_property
    def inside_strings(self) -> frozenset[int]:
        """The lines that begin inside a string: nothing may be put in front of them."""
        found: set[int] = set()
        for node in self._positions:
            if isinstance(node, _STRINGS):
                first, _, last, _ = self.span(node)
                found.update(range(first + 1, last + 1))
        return frozenset(found)

    # --- finding

    def path(self, span: Span) -> list[cst.CSTNode]:
        """The nodes that hold a span, from the module down to the smallest."""
        start, end = span[:2], span[2:]
        found: list[cst.CSTNode] = [self.module]
        while True:
            for child in self._below(found[-1]):
                first, column, last, stop = self.extent(child)
                if (first, column) <= start and end <= (last, stop):
                    found.append(child)
                    break
            else:
                return found

    def extent(self, node: cst.CSTNode) -> Span:
        """Where a node stands, with its decorators, or those of the first function in a block."""
        span = self.span(node)
        if isinstance(node, cst.IndentedBlock) and isinstance(node.body[0], (cst.FunctionDef, cst.ClassDef)):
            return (*self.extent(node.body[0])[:2], *span[2:])
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)) and node.decorators:
            return (*self.span(node.decorators[0])[:2], *span[2:])
        return span

    def _below(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for child in node.children:
            if child in self._positions:
                yield child
            else:
                yield from self._below(child)

    def call(self, span: Span) -> cst.Call:
        """The call at a span."""
        for node in self.path(span):
            if isinstance(node, cst.Call) and self.span(node) == span:
                return node
        raise CannotFixError("the call is not found again")

    def handler(self, header: Span) -> tuple[cst.Try | cst.TryStar, int]:
        """The try whose clause has its header at a span, and the number of the clause."""
        for node in reversed(self.path((*header[:2], *header[:2]))):
            if isinstance(node, (cst.Try, cst.TryStar)):
                for number, handler in enumerate(node.handlers):
                    if self.span(handler)[:2] == header[:2]:
                        return node, number
        raise CannotFixError("the clause is not found again")

    def function(self, span: Span) -> cst.FunctionDef:
        """The function that a span is, or stands in the header of."""
        for node in reversed(self.path(span)):
            if isinstance(node, cst.FunctionDef):
                return node
        raise CannotFixError("the function is not found again")

    def statement(self, span: Span) -> Statement:
        """The smallest statement that runs what stands at ``span``, with lines to itself."""
        path = self.path(span)
        for index in range(len(path) - 1, -1, -1):
            node = path[index]
            if isinstance(node, cst.SimpleStatementSuite):
                raise CannotFixError("the statement shares its line with another one")
            if isinstance(node, (cst.SimpleStatementLine, *COMPOUND)):
                return self._runs(node, path[index + 1 :], path[:index])
        raise CannotFixError("the statement is not found again")

    def at(self, span: Span) -> Statement:
        """The statement that is exactly what stands at ``span``, with lines to itself."""
        for node in self.path(span):
            if isinstance(node, (cst.SimpleStatementLine, *COMPOUND)) and self.span(node) == span:
                return self.placed(node)
        raise CannotFixError("the statement is not found again")

    def _runs(
        self,
        node: cst.SimpleStatementLine | cst.BaseCompoundStatement,
        below: list[cst.CSTNode],
        above: list[cst.CSTNode],
    ) -> Statement:
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            raise CannotFixError("it runs where a function or class is defined")
        if isinstance(node, (cst.Try, cst.TryStar, cst.While)):
            raise CannotFixError("it belongs to the head of a larger block")
        for outer, inner in zip([node, *below], below, strict=False):
            if isinstance(inner, cst.Lambda) or (
                isinstance(inner, cst.GeneratorExp) and not isinstance(outer, cst.Arg)
            ):
                raise CannotFixError("it does not run where it stands")
        if isinstance(node, (cst.If, cst.Match)):
            if above and isinstance(above[-1], (cst.If, cst.Else)) and self.written(node).startswith("elif"):
                raise CannotFixError("it belongs to an elif")
            if self.end_line(node) - self.span(node)[0] > _MOST_LINES:
                raise CannotFixError("it belongs to the head of a larger block")
        return self.placed(node)

    def placed(self, node: cst.SimpleStatementLine | cst.BaseCompoundStatement) -> Statement:
        """A statement with its lines. Raises CannotFixError where it shares them with another one."""
        first, column = self.span(node)[:2]
        indent = self.lines[first - 1][: column - 1]
        if indent.strip():
            raise CannotFixError("the statement shares its line with another one")
        last = self.end_line(node)
        return Statement(node, first, last, indent)

    def end_line(self, node: cst.CSTNode) -> int:
        """The last line of a statement, with the comments below it that are indented deeper."""
        first, column, last, _ = self.span(node)
        if not isinstance(node, COMPOUND):
            return last
        indent = self.lines[first - 1][: column - 1]
        end = last
        for number in range(last + 1, len(self.lines) + 1):
            line = self.lines[number - 1]
            if not line.strip():
                continue
            if not line.lstrip().startswith("#") or not line.startswith(
                indent + (" ", "\t")[line[len(indent) :].startswith("\t")]
            ):
                break
            end = number
        return end

    def siblings(self, node: cst.CSTNode, span: Span) -> list[cst.CSTNode]:
        """The statements of the block that a statement stands in."""
        path = self.path(span)
        for parent in reversed(path[: path.index(node)]):
            if isinstance(parent, (cst.IndentedBlock, cst.Module)):
                return list(parent.body)
        return [node]


_MOST_LINES = 25
"""A compound statement above this height is not put into a try for the sake of its head."""
