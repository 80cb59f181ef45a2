"""How deep a source nests, measured before anything recursive reads it.

libcst parses by recursion in native code: a chain of ten thousand operators ends the process without an exception,
hundreds of nested brackets take gigabytes, and some constructs take time that doubles with every bracket. A scan of
the tokens that can nest finds an upper bound at a small part of the cost of parsing.
"""

import re
from typing import NamedTuple

SHALLOW = 120
"""Up to this depth the ordinary stack and recursion limit are enough, wherever the parser is called from."""

DEEPEST = 1_000
"""Beyond this depth a source is refused."""

BRACKETS = 200
"""More brackets in one another than this are refused; CPython's own limit is the same."""

LONGEST = 3_000
"""More string literals in a row than this are refused."""

DELICATE = {"case": 7, "del": 12}
"""Brackets allowed in statements whose parsing time grows exponentially with them."""


class Depth(NamedTuple):
    """Upper bounds on a source, and why it must not be parsed, if so.

    ``depth`` bounds the syntax tree (brackets, links of operator chains, blocks), ``strings`` the literals in a row. A
    refused source is measured no further than the ``line`` where the limit is passed.
    """

    depth: int
    strings: int
    refusal: str | None = None
    line: int = 1


_CODE = (
    r"""#[^\n]*|\\\n"""
    r"""|(?P<string>"{3}(?:[^"\\]|\\.|"(?!""))*"{3}|'{3}(?:[^'\\]|\\.|'(?!''))*'{3}"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|["'])"""
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>[,;])|(?P<newline>\n)"
    r"|(?P<operator>\.(?:\w+\.)*|[-+*/%@&|^~]+)"
    r"|\b(?:(?P<infix>and|or|for)|(?P<prefix>if|else|not|lambda|await|yield)"
    r"|(?P<delicate>case(?=[ \t]*[^ \t\n=.,:)\]])|del))\b"
)
_in_code = re.compile(_CODE, re.DOTALL).search
_in_field = re.compile(_CODE + "|(?P<colon>:)", re.DOTALL).search
_in_specification = re.compile(r"(?P<open>\{)|(?P<close>\})|(?P<end>\n)").search
_in_text = {
    quote: re.compile(
        r"\\.|\{\{|(?P<open>\{)|(?P<end>" + quote + ("" if len(quote) == 3 else r"|\n") + ")", re.DOTALL
    ).search
    for quote in ('"""', "'''", '"', "'")
}
_SEARCH = {"": _in_code, "(": _in_code, "{": _in_field, ":": _in_specification, **_in_text}

_deep_margin = re.compile(r"\n[ \t\f]{60}").search
_margin = re.compile(r"([ \t\f]*)(elif\b|else\b|[\n#]?)").match


def measure(text: str) -> Depth:
    """Bounds on how deep the syntax tree of ``text`` is. Linear in the text; for broken sources a guess."""
    depth = worst = strings = longest = 0
    chain = 0  # links since the last separator, on this level of brackets
    # What we are in: "" or "(" code, "{" a field of an f-string, ":" its format, or the quote of an f-string's text.
    mode = ""
    outer: list[tuple[str, int, int]] = []
    brackets = BRACKETS
    blocks = _Blocks() if text.count("elif") > SHALLOW or _deep_margin(text) else None
    pos = 0
    while match := _SEARCH[mode](text, pos):
        start, pos = match.span()
        kind = match.lastgroup
        if kind == "newline":
            if not outer:
                brackets = BRACKETS
                depth = chain = strings = 0
                if blocks is not None:
                    depth = blocks.line(text, pos)
        elif kind == "comma":
            depth -= chain
            chain = strings = 0
        elif kind in ("operator", "infix", "prefix"):
            links = 1
            if kind == "prefix":
                links = 3  # of these each level costs more than the one before
            elif pos - start > 1:
                links = match.group().count(".") or 3 * (pos - start)
            chain += links
            depth += links
            strings = 0
        elif kind == "string":
            strings += 1
            prefix = text[max(start - 2, 0) : start]
            if prefix and prefix[-1] in "fFtTrR" and _is_format(prefix):
                longest = max(longest, strings)
                outer.append((mode, chain, strings))
                mode = match.group()[: 3 if match.group()[:3] in ('"""', "'''") else 1]
                pos = start + len(mode)
                chain = strings = 0
                depth += 1
        elif kind == "open":
            outer.append((mode, chain, strings))
            mode = "(" if mode in ("", "(", "{") else "{"
            chain = strings = 0
            depth += 1
            if len(outer) > brackets:
                return _refused(text, start, worst, longest, f"more than {brackets} brackets in one another")
        elif kind in ("close", "end"):
            if outer:
                depth -= chain + 1
                mode, chain, strings = outer.pop()
                if kind == "close":  # a call or a subscript is a link of a chain
                    chain += 1
                    depth += 1
                    strings = 0
        elif kind == "colon":
            mode = ":"
        elif kind == "delicate":
            word = match.group()
            if word == "del" or not text[text.rfind("\n", 0, start) + 1 : start].strip():
                brackets = len(outer) + DELICATE[word]
        if depth > worst:
            worst = depth
            if depth > DEEPEST:
                return _refused(text, start, depth, longest, f"an expression or statement over {DEEPEST} levels deep")
        if strings > longest:
            longest = strings
            if strings > LONGEST:
                return _refused(text, start, worst, longest, f"more than {LONGEST} string literals in a row")
    return Depth(worst, longest)


def _refused(text: str, pos: int, depth: int, strings: int, refusal: str) -> Depth:
    return Depth(depth, strings, refusal, text.count("\n", 0, pos) + 1)


def _is_format(prefix: str) -> bool:
    """Whether the one or two characters before a quote make it an f-string (or a t-string)."""
    letters = prefix.lower()
    if letters[-1] in "ft":
        return len(letters) == 1 or letters[0] == "r" or not (letters[0].isalnum() or letters[0] == "_")
    return len(letters) == 2 and letters[0] in "ft"


class _Blocks:
    """Follows the blocks that are open, and the ``elif`` chains in them: each ``elif`` nests in the one before."""

    def __init__(self) -> None:
        self.open: list[tuple[int, int]] = []

    def line(self, text: str, pos: int) -> int:
        """The depth of the statement whose line begins at ``pos``."""
        match = _margin(text, pos)
        assert match is not None  # noqa: S101  # the pattern matches the empty string
        margin, word = len(match[1]), match[2]
        if word not in ("\n", "#"):
            while self.open and self.open[-1][0] > margin:
                self.open.pop()
            branches = self.open.pop()[1] if self.open and self.open[-1][0] == margin else 0
            self.open.append((margin, branches + 1 if word == "elif" else branches if word == "else" else 0))
        return len(self.open) + sum(branches for _, branches in self.open)
