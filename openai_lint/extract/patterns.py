"""Lowers the patterns of ``match`` statements."""

from collections.abc import Callable
from typing import Any

import libcst as cst

from openai_lint.extract.cursor import BLANK
from openai_lint.extract.expressions import Expressions
from openai_lint.facts import Pattern


class Patterns(Expressions):
    """The pattern part of the visitor: ``pattern`` for any of them."""

    __slots__ = ()

    def pattern(self, node: cst.MatchPattern) -> Pattern:
        """Lowers any pattern, and steps over the parentheses around it."""
        if isinstance(node, (cst.MatchValue, cst.MatchSingleton)):
            return Pattern("value", self.expr(node.value))  # the parentheses are the expression's
        if self.text[self.pos] in BLANK:
            self.skip()
        for _ in node.lpar:
            self.take("(")
        fact = _LOWER[type(node)](self, node)
        for _ in node.rpar:
            self.take(")")
        return fact

    def _as_pattern(self, node: cst.MatchAs) -> Pattern:
        inner = None
        if node.pattern is not None:
            inner = self.pattern(node.pattern)
            self.take("as")
        name = None
        if node.name is None:
            self.take("_")
        else:
            name = self.identifier(node.name.value)
        if inner is None:
            return Pattern("capture", name=name)
        if inner.name is not None:
            return Pattern("or", parts=(inner,), name=name)
        return Pattern(inner.kind, inner.value, inner.parts, name, inner.attributes)

    def _or_pattern(self, node: cst.MatchOr) -> Pattern:
        parts = []
        for element in node.patterns:
            parts.append(self.pattern(element.pattern))
            if isinstance(element.separator, cst.BitOr):
                self.take("|")
        return Pattern("or", parts=tuple(parts))

    def _class_pattern(self, node: cst.MatchClass) -> Pattern:
        value = self.expr(node.cls)
        self.take("(")
        parts = []
        for element in node.patterns:
            parts.append(self.pattern(element.value))
            self.take_if(element.comma)
        attributes = []
        for keyword in node.kwds:
            name = self.identifier(keyword.key.value)
            self.take("=")
            attributes.append((name, self.pattern(keyword.pattern)))
            self.take_if(keyword.comma)
        self.take(")")
        return Pattern("class", value, tuple(parts), None, tuple(attributes))

    def _list_pattern(self, node: cst.MatchList) -> Pattern:
        if node.lbracket is not None:
            self.take("[")
        fact = self._sequence_pattern(node)
        if node.rbracket is not None:
            self.take("]")
        return fact

    def _sequence_pattern(self, node: cst.MatchSequence) -> Pattern:
        parts = []
        for element in node.patterns:
            if isinstance(element, cst.MatchStar):
                parts.append(self._star(element))
            else:
                parts.append(self.pattern(element.value))
            self.take_if(element.comma)
        return Pattern("other", parts=tuple(parts))

    def _star(self, node: cst.MatchStar) -> Pattern:
        self.take("*")
        if node.name is None:
            self.take("_")
            return Pattern("capture")
        return Pattern("capture", name=self.identifier(node.name.value))

    def _mapping_pattern(self, node: cst.MatchMapping) -> Pattern:
        self.take("{")
        parts = []
        for element in node.elements:
            self.expr(element.key)
            self.take(":")
            parts.append(self.pattern(element.pattern))
            self.take_if(element.comma)
        if node.rest is not None:
            self.take("**")
            parts.append(Pattern("capture", name=self.identifier(node.rest.value)))
            self.take_if(node.trailing_comma)
        self.take("}")
        return Pattern("other", parts=tuple(parts))


_LOWER: dict[type[cst.CSTNode], Callable[[Any, Any], Pattern]] = {
    cst.MatchAs: Patterns._as_pattern,
    cst.MatchOr: Patterns._or_pattern,
    cst.MatchClass: Patterns._class_pattern,
    cst.MatchList: Patterns._list_pattern,
    cst.MatchTuple: Patterns._sequence_pattern,
    cst.MatchMapping: Patterns._mapping_pattern,
}
