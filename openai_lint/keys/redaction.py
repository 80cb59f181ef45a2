"""Hides keys in any text that is shown: source lines, diffs, messages, logs.

Here the scale tips the other way than in the search: what may be a key is hidden, because a hash that is hidden costs
nothing and a key that is shown cannot be called back.
"""

import re
from collections.abc import Iterable, Iterator

from openai_lint.keys.credential import looks_issued, shown_prefix
from openai_lint.keys.shapes import MARKER, find_keys
from openai_lint.keys.words import made_up

_SECRET_AT_LEAST = 8  # shorter ones are no credentials, and would blot out ordinary words
_PIECE_AT_LEAST = 6  # a secret may be put together from several literals; longer than any part of the replacement
_REST_AT_LEAST = 24  # the marker and a few characters more: a key that is cut, glued or of a length not seen yet

# Every pattern takes a run as a whole and begins where none of its characters stands before: linear on any text.
_RUN = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(r"[A-Za-z0-9_+/.~-]{14,}={0,2}")  # `=` only as padding: what stands before it is a name
_PIECE = re.compile(rf"[A-Za-z0-9_+/.~-]{{{_PIECE_AT_LEAST},}}")
_FAMILY = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{20,}|sess-[A-Za-z0-9]{20,}|whsec_[A-Za-z0-9+/=]{20,}|ek_[0-9a-f]{32})"
)
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)?")
_AZURE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{60,}")
_AZURE_MARKER = "JQQJ9"
_LINE = re.compile(r"[^\n]+")
_SPEAKS_OF_CREDENTIALS = re.compile(r"(?i)key|token|secret|authorization|bearer|credential|passw")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with each key replaced by its prefix, an ellipsis and its length: `sk-proj-…[164 chars]`.

    `secrets` are values known from elsewhere (as a literal judged a credential by where it stands); they and their
    parts are hidden as well. Redacting twice changes nothing more.
    """
    known = [secret for secret in secrets if len(secret) >= _SECRET_AT_LEAST]
    while True:
        redacted = _once(text, known)
        if redacted == text:
            return text
        # what is left of a run may be a run of its own now, as where a key was glued to another
        text = redacted


def _once(text: str, secrets: list[str]) -> str:
    out, at = [], 0
    for start, end in _merged(sorted({*_known(text, secrets), *_recognised(text)})):
        hidden = text[start:end]
        prefix = _prefix(hidden)
        if hidden != prefix:
            out += [text[at:start], f"{prefix}…[{len(hidden)} chars]"]
            at = end
    return "".join(out) + text[at:]


def _recognised(text: str) -> Iterator[tuple[int, int]]:
    for key in find_keys(text):
        yield key.start, key.end
    if MARKER in text:
        for run in _RUN.finditer(text):
            if run.end() - run.start() >= _REST_AT_LEAST and MARKER in run.group():
                yield run.start() + _key_start(run.group()), run.end()
    for match in _FAMILY.finditer(text):
        if not made_up(match.group()[len(shown_prefix(match.group())) :]):
            yield match.span()
    for match in _JWT.finditer(text):
        yield match.span()
    if _AZURE_MARKER in text:
        for match in _AZURE.finditer(text):
            if _AZURE_MARKER in match.group():
                yield match.span()
    yield from _beside_names(text)


def _beside_names(text: str) -> Iterator[tuple[int, int]]:
    """What looks issued on a line that speaks of credentials, and on the next one."""
    spoke = False
    for line in _LINE.finditer(text):
        speaks = _SPEAKS_OF_CREDENTIALS.search(text, line.start(), line.end()) is not None
        if speaks or spoke:
            for token in _TOKEN.finditer(text, line.start(), line.end()):
                if looks_issued(token.group()):
                    yield token.span()
        spoke = speaks


def _key_start(run: str) -> int:
    """Where the key begins in a run that holds the marker: at the first `sk-` before it, else with the run."""
    return max(0, run.find("sk-", 0, run.find(MARKER)))


def _known(text: str, secrets: list[str]) -> Iterator[tuple[int, int]]:
    if not secrets:
        return
    bodies = [secret[len(_prefix(secret)) :] for secret in secrets]
    for secret in secrets:
        at = text.find(secret)
        while at >= 0:
            yield at, at + len(secret)
            at = text.find(secret, at + len(secret))
    for piece in _PIECE.finditer(text):
        rest = piece.group()[len(_prefix(piece.group())) :]
        if any(rest in body for body in bodies):
            yield piece.span()


def _prefix(hidden: str) -> str:
    return "sess-" if hidden.startswith("sess-") else shown_prefix(hidden)


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    current: tuple[int, int] | None = None
    for start, end in spans:
        if current is not None and start <= current[1]:
            current = current[0], max(current[1], end)
            continue
        if current is not None:
            yield current
        current = start, end
    if current is not None:
        yield current
