"""What a literal's text means. ``ast.literal_eval`` would do, at ten times the cost and with warnings on stderr."""

import re
import unicodedata

_ESCAPE = re.compile(
    r"""\\(?:(\n)|(["'\\abfnrtv])|([0-7]{1,3})|x([0-9a-fA-F]{2})"""
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]*)\})"
)
_BYTES_ESCAPE = re.compile(r"""\\(?:(\n)|(["'\\abfnrtv])|([0-7]{1,3})|x([0-9a-fA-F]{2}))""")
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

# CPython refuses to convert longer decimal numbers; nobody compares with one either, so any huge number stands for it.
_HUGE = 1 << 4096


def string(source: str) -> str | bytes:
    """The value of one string or bytes token, prefix and quotes included."""
    start = 0
    while source[start] not in "\"'":
        start += 1
    prefix = source[:start].lower()
    quotes = 3 if source[start : start + 3] in ('"""', "'''") and len(source) >= start + 6 else 1
    body = source[start + quotes : -quotes]
    if "b" in prefix:
        if "\\" in body and "r" not in prefix:
            body = _BYTES_ESCAPE.sub(_evaluated, body)
        return body.encode("latin-1", "replace")
    if "\\" in body and "r" not in prefix:
        return unescaped(body)
    return body


def unescaped(body: str) -> str:
    """``body`` with the escapes of a string evaluated; an unknown escape stays as it is, as in Python."""
    return _ESCAPE.sub(_evaluated, body)


def _evaluated(match: "re.Match[str]") -> str:
    newline, simple, octal, *codes = match.groups()
    if newline:
        return ""
    if simple:
        return _SIMPLE.get(simple, simple)
    if octal:
        return chr(int(octal, 8))
    *hexadecimal, name = codes if len(codes) == 4 else (*codes, None)
    try:
        if name is not None:
            return unicodedata.lookup(name)
        return chr(int(next(code for code in hexadecimal if code), 16))
    except (KeyError, ValueError):
        return match.group()


def integer(source: str) -> int:
    """The value of an integer token."""
    try:
        return int(source, 0)
    except ValueError:
        return _HUGE


def real(source: str) -> float:
    """The value of a float token."""
    return float(source)


def imaginary(source: str) -> complex:
    """The value of an imaginary token."""
    return complex(0.0, float(source[:-1]))
