"""Bytes to text as Python reads them: byte order mark, coding cookie (PEP 263), UTF-8, line ends."""

import codecs
import re

from openai_lint.facts import Unreadable

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_NO_STATEMENT = re.compile(rb"[ \t\f]*(?:#.*)?\r?$")

# Codecs that need quadratic time, or are none that a source can be written in.
_REFUSED = frozenset({"punycode", "idna", "undefined"})


def decode(path: str, data: bytes) -> str | Unreadable:
    """The text of a Python source, every line end made a line feed; or what is wrong with its bytes."""
    marked = data.startswith(codecs.BOM_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Unreadable(path, "the file is UTF-16, which Python does not read; save it as UTF-8", 1, 1)
    if marked:
        data = data[3:]
    name, line = _cookie(data)
    encoding = name or "utf-8"
    try:
        codec = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        codec = "undefined"
    if codec in _REFUSED:
        reason = f"unknown encoding {encoding!r} in the coding comment; save the file as UTF-8 and drop the comment"
        return Unreadable(path, reason, line, 1)
    if marked and codec != "utf-8":
        reason = f"the coding comment says {encoding!r}, but the file begins with a UTF-8 mark; drop one of them"
        return Unreadable(path, reason, line, 1)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        return _undecodable(path, data, error, name)
    except (LookupError, ValueError, OverflowError):
        reason = f"the bytes are not {encoding!r} as the coding comment says; save the file as UTF-8"
        return Unreadable(path, reason, line, 1)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    nul = text.find("\0")
    if nul >= 0:
        reason = "a NUL byte: this is no Python source, or a damaged one; restore or exclude the file"
        return Unreadable(path, reason, text.count("\n", 0, nul) + 1, nul - text.rfind("\n", 0, nul))
    return text


def _cookie(data: bytes) -> tuple[str | None, int]:
    """The encoding that one of the first two lines names, and the line."""
    first, _, rest = data[:1000].partition(b"\n")
    match = _COOKIE.match(first)
    if match:
        return match[1].decode("ascii", "replace"), 1
    if not _NO_STATEMENT.match(first):
        return None, 1
    match = _COOKIE.match(rest.partition(b"\n")[0])
    return (match[1].decode("ascii", "replace"), 2) if match else (None, 1)


def _undecodable(path: str, data: bytes, error: UnicodeDecodeError, cookie: str | None) -> Unreadable:
    before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    byte = f"0x{data[error.start]:02x}" if error.start < len(data) else "at the end"
    if cookie:
        reason = f"byte {byte} is not {cookie}, which the coding comment promises; save the file as UTF-8"
    else:
        reason = f"byte {byte} is not UTF-8; save the file as UTF-8, or name its encoding in a first-line comment"
        reason += " (# -*- coding: latin-1 -*-)"
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return Unreadable(path, reason, before.count(b"\n") + 1, column)
