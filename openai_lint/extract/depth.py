"""How deep a source nests, measured before anything recursive reads it.

libcst parses by recursion in native code: a few thousand nested parentheses, or a chain of ten thousand operators,
end the process without an exception. A scan of the tokens that can nest finds an upper bound at a small part of the
cost of parsing.
"""

import re
from typing import NamedTuple

SHALLOW = 120
"""Up to this depth the ordinary stack and recursion limit are enough, wherever the parser is called from."""

DEEPEST = 3_000
"""Beyond this depth a source is refused."""

LONGEST = 20_000
"""More string literals in a row than this are refused."""


class Depth(NamedTuple):
    """Upper bounds: levels of nesting and of operator chains, string literals in a row, and the line of the worst."""

    depth: int
    strings: int
    line: int


_PLAIN = (
    r"""(?:\b(?i:[bu]|r|br|rb))?(?:"{3}(?:[^"\\]|\\.|"(?!""))*"{3}|'{3}(?:[^'\\]|\\.|'(?!''))*'{3}"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
)
_CODE = (
    r"#[^\n]*|\\\n"
    r"""|(?P<format>\b(?i:f|fr|rf|t|tr|rt)(?:"{3}|'{3}|["']))"""
    rf"|(?P<string>{_PLAIN})"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>[,;])|(?P<newline>\n)"
    r"|(?P<operator>[-+*/%@&|^~<>=!.]+)|(?P<word>\b(?:if|else|and|or|not|lambda|await|for|yield)\b)"
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

_deep_margin = re.compile(rf"\n[ \t\f]{{{SHALLOW},}}[^\s#]").search
_margin = re.compile(r"([ \t\f]*)(elif\b|else\b|[\n#]?)").match


def measure(text: str) -> Depth:
    """Bounds on how deep the syntax tree of ``text`` is. Linear in the text; for broken sources a guess."""
    depth = worst = strings = longest = 0
    chain = 0  # operators since the last separator, on this level of brackets
    # What we are in: "" or "(" code, "{" a field of an f-string, ":" its format, or the quote of an f-string's text.
    mode = ""
    outer: list[tuple[str, int, int]] = []
    blocks = _Blocks() if text.count("elif") > SHALLOW or _deep_margin(text) else None
    pos = 0
    while match := _SEARCH[mode](text, pos):
        start, pos = match.span()
        kind = match.lastgroup
        if kind == "newline":
            if not outer:
                depth = chain = strings = 0
                if blocks is not None:
                    depth = blocks.line(text, pos)
        elif kind == "comma":
            depth -= chain
            chain = strings = 0
        elif kind in ("operator", "word"):
            length = pos - start if kind == "operator" else 1
            chain += length
            depth += length
            strings = 0
        elif kind == "string":
            strings += 1
            longest = max(longest, strings)
        elif kind == "format":
            strings += 1
            longest = max(longest, strings)
            outer.append((mode, chain, strings))
            mode = match.group().lstrip("fFrRtT")
            chain = strings = 0
            depth += 1
        elif kind == "open":
            outer.append((mode, chain, strings))
            mode = "(" if mode in ("", "(", "{") else "{"
            chain = strings = 0
            depth += 1
        elif kind == "colon":
            mode = ":"
        elif kind in ("close", "end") and outer:
            depth -= chain + 1
            mode, chain, strings = outer.pop()
            if kind == "close":  # a call or a subscript is a link of a chain
                chain += 1
                depth += 1
                strings = 0
        if depth > worst:
            worst, worst_at = depth, pos
    return Depth(worst, longest, text.count("\n", 0, worst_at) + 1 if worst else 1)


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
