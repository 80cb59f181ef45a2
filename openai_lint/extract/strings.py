"""Lowers string literals: plain, concatenated and formatted ones."""

from typing import Any

import libcst as cst

from openai_lint.extract import literals
from openai_lint.extract.lowering import Lowering
from openai_lint.facts import Const, Expr, Format


class Strings(Lowering):
    """The strings among the expressions."""

    __slots__ = ()

    def _string(self, node: cst.SimpleString) -> Expr:
        value = node.value
        line = self.line
        start = self.pos - self.bol
        self.take_raw(value)
        return Const((line, start, self.line, self.pos - self.bol), literals.string(value))

    def _format(self, node: cst.FormattedString) -> Expr:
        line, column = self.start()
        parts: list[str | Expr] = []
        self._format_parts(node, parts)
        return Format(self.to_here(line, column), _joined(parts))

    def _format_parts(self, node: Any, parts: list[str | Expr]) -> None:
        self.take(node.start)
        raw = "r" in node.start or "R" in node.start
        for part in node.parts:
            self._format_part(part, raw, parts)
        self.take_raw(node.end)

    def _format_part(self, part: Any, raw: bool, parts: list[str | Expr]) -> None:
        if not hasattr(part, "expression"):
            self.take_raw(part.value)
            text = part.value.replace("{{", "{").replace("}}", "}")
            parts.append(text if raw or "\\" not in text else literals.unescaped(text))
            return
        self.take_raw("{")
        parts.append(self.expr(part.expression))
        if part.equal is not None:
            self.take("=")
        if part.conversion is not None:
            self.take("!")
            self.take(part.conversion)
        if part.format_spec is not None:
            self.take(":")
            specification: list[str | Expr] = []
            for nested in part.format_spec:
                self._format_part(nested, raw, specification)
            parts.extend(nested for nested in specification if not isinstance(nested, str))
        self.take("}")

    def _concatenation(self, node: cst.ConcatenatedString) -> Expr:
        # Nested to the right, once for each piece: long prompts are written in hundreds of pieces.
        line, column = self.start()
        parts: list[str | Expr] = []
        binary: list[bytes] = []
        only_text = True
        piece: Any = node
        while True:
            following = None
            if type(piece) is cst.ConcatenatedString:
                piece, following = piece.left, piece.right
            self.start()
            if type(piece) is cst.SimpleString:
                self.take_raw(piece.value)
                value = literals.string(piece.value)
                if isinstance(value, bytes):
                    binary.append(value)
                else:
                    parts.append(value)
            else:
                only_text = False
                self._format_parts(piece, parts)
            if following is None:
                break
            piece = following
        span = self.to_here(line, column)
        if binary:
            return Const(span, b"".join(binary))
        if only_text:
            return Const(span, "".join(part for part in parts if isinstance(part, str)))
        return Format(span, _joined(parts))


def _joined(parts: list[str | Expr]) -> tuple[str | Expr, ...]:
    """The parts with neighbouring texts made one, and empty ones left out."""
    joined: list[str | Expr] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined)
