"""Where things stand: a cursor that walks the source text in step with the tree.

libcst keeps every token but no positions, and its own position provider costs more than parsing. Lowering visits the
tree in source order and knows each token that must come next, so it is enough to step over the text token by token:
white space and comments are skipped, everything else is compared with what the tree says. Nothing is searched for,
and a span is two readings of the cursor.
"""

import re

import libcst as cst

from openai_lint.facts import Comment

BLANK = frozenset(" \t\f\n\\#")

_space = re.compile(r"[ \t\f]*(?:(?:\\|#[^\n]*)?\n[ \t\f]*)*(?:#[^\n]*)?").match
_comment = re.compile(r"#[^\n]*").finditer


class Cursor:
    """A place in the text. ``pos - bol`` is the column, from 1, of the next character to read.

    ``text`` ends in two sentinels, so that reading at ``pos`` never fails. ``drift`` counts the tokens which were
    not where the tree had them; it stays 0 unless libcst and this package disagree about Python's tokens.
    """

    __slots__ = ("bol", "comments", "drift", "line", "pos", "text")

    def __init__(self, text: str) -> None:
        self.text = text + "\n\0"
        self.pos = 0
        self.line = 1
        self.bol = -1
        self.comments: list[Comment] = []
        self.drift = 0

    def skip(self) -> int:
        """Steps over white space, line ends and comments, and keeps the comments. Returns the new offset."""
        text = self.text
        pos = self.pos
        if text[pos] == " " and text[pos + 1] not in BLANK:
            self.pos = pos + 1
            return pos + 1
        self.pos = end = _space(text, pos).end()  # type: ignore[union-attr]  # the pattern matches the empty string
        if text.find("#", pos, end) >= 0:
            for comment in _comment(text, pos, end):
                start = comment.start()
                line_start = text.rfind("\n", 0, start)
                self.comments.append(
                    Comment(self.line + text.count("\n", pos, start), start - line_start, comment.group())
                )
        newline = text.rfind("\n", pos, end)
        if newline >= 0:
            self.line += text.count("\n", pos, end)
            self.bol = newline
        return end

    def take(self, token: str) -> None:
        """Steps over ``token``, which holds no line end, and over what white space stands before it."""
        pos = self.pos
        if not self.text.startswith(token, pos):
            pos = self.skip()
            if not self.text.startswith(token, pos):
                self._resume(token)
                return
        self.pos = pos + len(token)

    def take_raw(self, token: str) -> None:
        """Steps over ``token``, which may hold line ends and begins exactly here (the inside of a string)."""
        pos = self.pos
        if not self.text.startswith(token, pos):
            self._resume(token)
            return
        self.pos = end = pos + len(token)
        if "\n" in token:
            self.line += token.count("\n")
            self.bol = self.text.rfind("\n", pos, end)

    def take_if(self, node: object) -> None:
        """Steps over the comma or semicolon that a tree node says is there."""
        kind = type(node)
        if kind is cst.Comma:
            self.take(",")
        elif kind is cst.Semicolon:
            self.take(";")

    def start(self) -> tuple[int, int]:
        """Line and column of the next token."""
        if self.text[self.pos] in BLANK:
            self.skip()
        return self.line, self.pos - self.bol

    def _resume(self, token: str) -> None:
        # A wrong column is better than a lost file: go on behind the next place that reads like the token.
        self.drift += 1
        found = self.text.find(token, self.pos)
        if found >= 0:
            end = found + len(token)
            self.line += self.text.count("\n", self.pos, end)
            self.bol = max(self.bol, self.text.rfind("\n", 0, end))
            self.pos = end
