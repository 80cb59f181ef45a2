"""What an OpenAI key looks like, and where one stands in a text.

Every key of the `sk-` family carries the same eight characters in its middle, with one of a few exact
numbers of random characters on each side. So the search looks for that literal, takes the word around it once, and
measures: its time grows with the text and with nothing else, whatever the text is.
"""

import re
from dataclasses import dataclass

MARKER = "T3BlbkFJ"
"""Base64 of "OpenAI": stands in the middle of every key of the `sk-` family."""

SESSION = "sess-"

SIDES = (74, 58, 51, 44, 20)
"""How many random characters stand on each side of the marker, over the years; longest first."""

_SESSION_BODY = 40
_NAME_MOST = 50  # a service account's name inside its key


@dataclass(frozen=True, slots=True)
class Shape:
    """One family of keys: the text in front, and how many random characters may stand on each side of the marker."""

    name: str
    prefix: str
    sides: tuple[int, ...]
    letters: re.Pattern[str]


_WIDE = re.compile(r"[A-Za-z0-9_-]*")
_NARROW = re.compile(r"[A-Za-z0-9]*")

SHAPES = (
    Shape("project", "sk-proj-", SIDES, _WIDE),
    Shape("service-account", "sk-svcacct-", SIDES, _WIDE),
    Shape("service", "sk-service-", SIDES, _WIDE),
    Shape("admin", "sk-admin-", SIDES, _WIDE),
    Shape("user", "sk-None-", SIDES, _WIDE),
    Shape("legacy", "sk-", (20,), _NARROW),
)
"""The exact prefixes. Two more shapes are found besides: `named` (`sk-<name of a service account>-`, 2024) and
`session` (`sess-` and 40 letters and digits, no marker)."""

VENDOR_PREFIXES = (
    "sk-ant-", "sk-ant-api03-", "sk-or-", "sk-lf-", "pk-lf-", "sk-kimi-", "sk-cp-", "sk-helicone-", "sk-litellm-",
    "sk_live_", "sk_test_", "pk_live_", "pk_test_", "rk_live_", "csk-", "gsk_", "xai-", "hf_", "pplx-",
    "r8_", "AIza", "ya29.", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "AKIA", "ASIA", "tvly-",
    "fw_", "nvapi-", "tgp_v1_", "jina_", "lsv2_", "ls__", "pcsk_", "esecret_", "fc-", "app-", "xoxb-",
    "xoxp-", "npm_", "pypi-", "dapi", "dop_v1_", "SG.", "whsec_", "sntrys_",
)  # fmt: skip
"""How the keys of other vendors begin. They are no OpenAI keys, whatever follows."""

# A literal of a key and the rest of the word it stands in; after one such run the search goes on behind it.
_MARKED = re.compile(rf"{MARKER}[A-Za-z0-9_-]{{{min(SIDES)},}}")
_SESSIONS = re.compile(rf"{SESSION}[A-Za-z0-9_-]{{{_SESSION_BODY},}}")
_NAME = re.compile(r"sk-(?!(?:proj|svcacct|admin|None)-)[A-Za-z0-9][A-Za-z0-9-]*-")
# What may stand before a key although its last character is a letter or a digit: escapes of source text and JSON, of
# URLs, of terminals. A key behind "\n" in a raw line is not part of a word that begins with n.
_ESCAPE_BEFORE = re.compile(
    r"(?:\\[abefnrtv0]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|(?:\x1b|\\x1b|\\u001b|\\033)\[[0-9;]{0,8}m)\Z"
)
_ESCAPE_MOST = 18


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """One key in a text. `start` and `end` count code points; the key itself is not kept, so it cannot be shown."""

    start: int
    end: int
    shape: str
    prefix: str

    @property
    def length(self) -> int:
        """Characters of the whole key."""
        return self.end - self.start


def find_keys(text: str) -> list[KeyMatch]:
    """All OpenAI keys in the text, in order, not overlapping.

    A key is no part of a longer word (`task-...`), and none of its sides is one repeated character. The time is linear
    in the length of the text.
    """
    found: list[KeyMatch] = []
    if MARKER in text:
        found += [match for run in _MARKED.finditer(text) if (match := _marked(text, *run.span())) is not None]
    if SESSION in text:
        found += [match for run in _SESSIONS.finditer(text) if (match := _session(text, run.end())) is not None]
        found.sort(key=lambda match: match.start)
    return found


def is_key(value: str) -> bool:
    """Whether the whole value is one key."""
    return any(match.start == 0 and match.end == len(value) for match in find_keys(value))


def has_vendor_prefix(value: str) -> bool:
    """Whether the value begins like the key of another vendor."""
    return value.startswith(VENDOR_PREFIXES)


def starts_word(text: str, at: int) -> bool:
    r"""Whether a word begins at `at`: no letter, digit or underscore before it, but escapes (a raw `\n`)."""
    if at == 0:
        return True
    before = text[at - 1]
    if not (before.isascii() and (before.isalnum() or before == "_")):
        return True
    return _ESCAPE_BEFORE.search(text[max(0, at - _ESCAPE_MOST) : at]) is not None


def _marked(text: str, first: int, end: int) -> KeyMatch | None:
    """The key that ends where the run ends. The marker of a key can only stand at a few distances from there."""
    for right in SIDES:
        middle = end - right - len(MARKER)
        if middle < first or not text.startswith(MARKER, middle):
            continue
        for shape in SHAPES:
            match = _fits(text, shape, middle, right)
            if match is not None:
                return match
        if right == SIDES[-1] and (match := _named(text, middle, end)) is not None:
            return match
    return None


def _fits(text: str, shape: Shape, middle: int, right: int) -> KeyMatch | None:
    if right not in shape.sides:
        return None
    after = middle + len(MARKER)
    for left in shape.sides:
        start = middle - left - len(shape.prefix)
        if start < 0 or not text.startswith(shape.prefix, start) or not starts_word(text, start):
            continue
        sides = text[middle - left : middle], text[after : after + right]
        if all(shape.letters.fullmatch(side) and _varied(side) for side in sides):
            return KeyMatch(start, after + right, shape.name, shape.prefix)
    return None


def _named(text: str, middle: int, end: int) -> KeyMatch | None:
    """`sk-<name>-`, then as in the legacy shape. Only `sk-` is shown: the name belongs to its owner."""
    side = SIDES[-1]
    after = middle + len(MARKER)
    sides = text[max(0, middle - side) : middle], text[after:end]
    if not all(len(part) == side and _NARROW.fullmatch(part) and _varied(part) for part in sides):
        return None
    stop = middle - side
    floor = max(0, stop - _NAME_MOST - len("sk-service--"))
    start = text.find("sk-", floor, stop)
    while start >= 0:
        if (
            starts_word(text, start)
            and _NAME.fullmatch(text, start, stop)
            and not text.startswith(VENDOR_PREFIXES, start)
        ):
            return KeyMatch(start, end, "named", "sk-")
        start = text.find("sk-", start + 1, stop)
    return None


def _session(text: str, end: int) -> KeyMatch | None:
    start, body = end - _SESSION_BODY - len(SESSION), text[end - _SESSION_BODY : end]
    if start < 0 or not text.startswith(SESSION, start) or not _NARROW.fullmatch(body) or not starts_word(text, start):
        return None
    # Without a marker, only the mix tells a key from a digest or a name that somebody wrote out.
    mixed = MARKER not in body and body != body.lower() and body != body.upper() and len(set(body)) > 12
    return KeyMatch(start, end, "session", SESSION) if mixed else None


def _varied(side: str) -> bool:
    return side.count(side[0]) != len(side)
