"""What all lowering builds on: the dispatch over expressions, and what is gathered on the way."""

from collections.abc import Callable
from typing import Any

import libcst as cst

from openai_lint.extract.annotations import unquoted
from openai_lint.extract.cursor import BLANK, Cursor
from openai_lint.extract.depth import SHALLOW, measure
from openai_lint.extract.parse import parse_expression
from openai_lint.facts import Expr, Name, Span

EXPRESSIONS: dict[type[cst.CSTNode], Callable[[Any, Any], Expr]] = {}
"""How each kind of expression is lowered; filled by ``expressions``."""


class Lowering(Cursor):
    """A cursor that lowers what it stands on, and what it gathers on the way."""

    __slots__ = ("generator", "identifiers", "scopes")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.identifiers: set[str] = set()
        self.scopes: list[str] = []
        self.generator = False  # a yield was seen in the function that is being lowered

    def expr(self, node: cst.BaseExpression) -> Expr:
        """Lowers any expression, and steps over the parentheses around it."""
        if self.text[self.pos] in BLANK:
            self.skip()
        if node.lpar:
            for _ in node.lpar:
                self.take("(")
            if self.text[self.pos] in BLANK:
                self.skip()
            fact = EXPRESSIONS[type(node)](self, node)
            for _ in node.rpar:
                self.take(")")
            return fact
        return EXPRESSIONS[type(node)](self, node)

    def annotation(self, node: cst.Annotation | None, mark: str) -> Expr | None:
        """Lowers ``: type`` or ``-> type``; what is quoted in it is lowered as code."""
        if node is None:
            return None
        self.take(mark)
        lowered = self.expr(node.annotation)
        return lowered if type(lowered) is Name else unquoted(lowered, self._quoted)

    def _quoted(self, text: str, span: Span) -> Expr | None:
        """The expression written in a string. Its spans are exact where the string is one plain literal."""
        code = text.strip()
        if not code or not code.isprintable() or (depth := measure(code)).refusal or depth.depth > SHALLOW:
            return None
        tree = parse_expression(code)
        if tree is None:
            return None
        inner = type(self)(code)
        quotes = 3 if span[3] - span[1] == len(text) + 6 else 1
        inner.line = span[0]
        inner.bol = -(span[1] + quotes + text.index(code))
        lowered = inner.expr(tree)
        self.identifiers |= inner.identifiers
        return lowered

    def identifier(self, name: str) -> str:
        """Steps over a name that is no expression of its own (a keyword, a parameter, what a statement binds)."""
        self.take(name)
        self.identifiers.add(name)
        return name

    def to_here(self, line: int, column: int) -> Span:
        """The span from the given place to the last token read."""
        return line, column, self.line, self.pos - self.bol
