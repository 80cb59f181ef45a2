"""Nothing that a source file says may act on the terminal, the CI log or the reader.

Keys, control characters and workflow commands are made harmless before they are shown.
"""

import re
from collections.abc import Iterable
from functools import cache

# C0 and C1 controls but for the tab, separators that end a line for some readers, and marks that turn the direction
# of text round.
_CONTROL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
# `::error::` at the beginning of a line commands GitHub's runner; `##[...]`, `##vso[...]` and `##teamcity[...]` command
# it and others anywhere in a line.
_COMMAND = re.compile(r"\A(\s*):(?=:)|##(?=\w*\[)")


def safe(text: str) -> str:
    """One line of text that is safe to show on a terminal and in a CI log."""
    return _COMMAND.sub(_harmless, flat(text))


def flat(text: str) -> str:
    """One line of text without keys and control characters, for documents that no runner reads for commands."""
    return _CONTROL.sub(_visible, redacted(text).replace("\t", "    "))


def visible(text: str) -> str:
    """One line of text with its tabs and without other control characters."""
    return _CONTROL.sub(_visible, text)


def block(text: str) -> str:
    """Several lines of text, each as ``flat`` makes it."""
    return "\n".join(flat(line) for line in text.splitlines())


def redacted(text: str) -> str:
    """The text with keys shown by their prefix only."""
    return _redact(text)


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each of the secrets shown by its first characters only."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, f"{secret[:3]}…")
    return text


def masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """A line with what stands at ``spans`` (columns from 1, where keys were found) dotted out, every column kept.

    What is recognised as a key wherever it stands is left to the other functions, which tell its length.
    """
    for start, end in spans:
        pieces = list(_LITERAL.finditer(text, start - 1, end - 1)) or list(_WHOLE.finditer(text, start - 1, end - 1))
        shown = redacted(text)
        if not any(len(piece["inside"]) > 2 and piece["inside"] in shown for piece in pieces):
            continue
        kept = len(_prefix("".join(piece["inside"] for piece in pieces)))
        for piece in pieces:
            first, last = piece.span("inside")
            text = text[: first + kept] + "•" * max(0, last - first - kept) + text[last:]
            kept = 0
    return text


_LITERAL = re.compile(r"""(?P<quote>["'])(?P<inside>.*?)(?P=quote)""")
_WHOLE = re.compile(r"(?P<inside>.+)")


@cache
def _prefix(secret: str) -> str:
    from openai_lint.keys.credential import shown_prefix

    return shown_prefix(secret)


@cache
def _redact(text: str) -> str:
    from openai_lint.keys import redact

    return redact(text)


def _visible(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _harmless(match: re.Match[str]) -> str:
    return "# #" if match[0] == "##" else f"{match[1]}: "
