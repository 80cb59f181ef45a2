"""The texts that stand in a module: literals, also where they are put together, and the keys seen in them."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Expr, Span
from openai_lint.keys import find_keys
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import Tree, tree_of
from openai_lint.link.values import the_constant

if TYPE_CHECKING:
    from openai_lint.keys import KeyMatch
    from openai_lint.link import Project

_PIECE = re.compile(
    r"sk-|sess-|T3Blb|lbkFJ"
    r"|(?<![\w-])(?=[\w-]{0,80}[a-z])(?=[\w-]{0,80}[A-Z])[A-Za-z0-9_-]{12}"
)
"""What may be a part of a key. Only beside such a one is it worth finding out what the other parts are."""

UNKNOWN = "\0"
"""Stands in a literal's text for what is not known. No key and no credential holds it."""


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A literal as a whole: joined where it is written in parts (`"a" "b"`, `"a" + "b"`, f-strings).

    ``text`` is what is written here; in ``joined`` stand also the constants that it names. ``names`` are those parts.
    """

    node: Expr
    text: str
    joined: str
    names: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A key in a module: where it stands, what may be shown of it, and the literal that holds it (None: a comment)."""

    span: Span
    match: "KeyMatch"
    value: str
    literal: Literal | None


class Literals:
    """The literals of one module, each one once, by the whole that it belongs to."""

    def __init__(self, project: "Project", module: ModuleInfo) -> None:
        self._project = project
        self.module = module
        self.tree: Tree = tree_of(project, module)
        self._known: dict[Expr, Literal] = {}
        self.all: list[Literal] = []
        for kind in (facts.Const, facts.Format, facts.BinOp):
            for node in self.tree.of(kind):
                if self._whole(node) is node and (parts := list(self._parts(node))):
                    text = "".join(UNKNOWN if isinstance(part, Expr) else part for part in parts)
                    names = tuple(part for part in parts if isinstance(part, Expr))
                    whole = not names or _PIECE.search(text) is None
                    joined = text if whole else "".join(self._constant(part) for part in parts)
                    self._known[node] = Literal(node, text, joined, names)
        self.all = sorted(self._known.values(), key=lambda literal: literal.node.span[:2])
        self._starts = [literal.node.span[:2] for literal in self.all]

    def of(self, node: Expr) -> Literal | None:
        """The literal that an expression is, or is a part of."""
        return self._known.get(self._whole(node))

    def at(self, span: Span) -> Literal | None:
        """The innermost literal around a place in the text."""
        for index in range(bisect_right(self._starts, span[:2]) - 1, -1, -1):
            literal = self.all[index]
            if span[2:] <= literal.node.span[2:]:
                return literal
            if index < len(self.all) - 200:
                break  # nothing is nested as deep as that
        return None

    def sightings(self) -> Iterator[Sighting]:
        """Every key in the format of OpenAI: in the text as it is written, and in what it is put together to."""
        text = self.module.facts.text
        seen: dict[Literal, list[str]] = {}
        lines = _Lines(text)
        for match in find_keys(text):
            span = lines.span(match.start, match.end)
            literal = self.at(span)
            value = text[match.start : match.end]
            if literal is not None:
                seen.setdefault(literal, []).append(value)
            yield Sighting(span, match, value, literal)
        for literal in self.all:
            for match in find_keys(literal.joined):
                value = literal.joined[match.start : match.end]
                if value not in seen.get(literal, ()):
                    yield Sighting(literal.node.span, match, value, literal)

    # --- putting together

    def _whole(self, node: Expr) -> Expr:
        """The longest concatenation that the expression is a part of."""
        current: Any = node
        parent = self.tree.parent(current)
        while (isinstance(parent, facts.BinOp) and parent.op == "+") or isinstance(parent, facts.Format):
            current, parent = parent, self.tree.parent(parent)
        return current  # type: ignore[no-any-return]

    def _parts(self, node: Expr) -> Iterator[str | Expr]:
        """The texts that an expression is made of and what stands between them; nothing for what is no literal."""
        match node:
            case facts.Const(value=str() as value):
                yield value
            case facts.Const(value=bytes() as value):
                yield value.decode("latin-1")
            case facts.Format():
                for part in node.parts:
                    yield from [part] if isinstance(part, str) else list(self._parts(part)) or [part]
            case facts.BinOp(op="+"):
                found = [(term, list(self._parts(term))) for term in _terms(node)]
                if any(parts for _, parts in found):
                    for term, parts in found:
                        yield from parts or [term]
            case _:
                pass

    def _constant(self, part: str | Expr) -> str:
        """A part as text. A constant that holds a key by itself is left out: the key is reported where it stands."""
        if isinstance(part, str):
            return part
        if isinstance(part, facts.Name | facts.Attr):
            value = the_constant(self._project.engine.evaluator.value(part, self.tree.frame(part)))
            if isinstance(value, str) and not find_keys(value):
                return value
        return UNKNOWN


def _terms(node: Expr) -> Iterator[Expr]:
    """The terms of a sum, from left to right."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, facts.BinOp) and current.op == "+":
            stack += [current.right, current.left]
        else:
            yield current


class _Lines:
    """Offsets in a text to lines and columns, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def span(self, start: int, end: int) -> Span:
        first, last = bisect_right(self._starts, start), bisect_right(self._starts, end - 1)
        return (first, start - self._starts[first - 1] + 1, last, end - self._starts[last - 1] + 1)


def spans_in(text: str, matches: "list[KeyMatch]") -> list[Span]:
    """Where matches stand in a text."""
    lines = _Lines(text)
    return [lines.span(match.start, match.end) for match in matches]
