"""Files as bytes: edits by line and column go in, and every byte that they do not name stays."""

import io
import json
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass

from openai_lint.fixing.tree import CannotFixError
from openai_lint.rule import Edit

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def edited(path: str, data: bytes, edits: Sequence[Edit]) -> bytes:
    """The file with its edits, which do not overlap. Raises CannotFixError where it cannot be written so."""
    if path.endswith(".ipynb"):
        return _notebook(data, edits)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        if data != text.encode(encoding):
            raise CannotFixError(f"its bytes are not what {encoding} would write")
        return _spliced(text, edits).encode(encoding)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise CannotFixError(f"its encoding cannot hold the result ({error})") from error


def _spliced(text: str, edits: Sequence[Edit]) -> str:
    """The text, whose line ends may be of any kind, with the edits."""
    starts, ends = [], []
    for match in _LINE.finditer(text):
        if match[0] or match.start() == len(text):
            starts.append(match.start())
            ends.append(match[0][len(match[0].rstrip("\r\n")) :])
    newline = next((end for end in ends if end), "\n")

    def offset(line: int, column: int) -> int:
        if line > len(starts):
            return len(text)
        return starts[line - 1] + column - 1

    out: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda one: one.place.span):
        line, column, last, stop = edit.place.span
        start, end = offset(line, column), offset(last, stop)
        own = ends[min(line, len(ends)) - 1] or newline
        out += [text[at:start], edit.content.replace("\n", own) if own != "\n" else edit.content]
        at = end
    return "".join([*out, text[at:]])


# --- notebooks


def _notebook(data: bytes, edits: Sequence[Edit]) -> bytes:
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    text = data.decode(encoding)
    sources = _sources(text)
    out: list[str] = []
    at = 0
    numbers = sorted({edit.place.cell for edit in edits if edit.place.cell is not None})
    for number in numbers:
        value = sources[number - 1] if number <= len(sources) else None
        if value is None:
            raise CannotFixError("the cell is not found in the notebook's JSON")
        mine = [edit for edit in edits if edit.place.cell == number]
        out += [text[at : value.start], _rewritten(text[value.start : value.end], mine)]
        at = value.end
    result = "".join([*out, text[at:]])
    json.loads(result)
    return result.encode(encoding)


@dataclass(frozen=True, slots=True)
class _Value:
    start: int
    end: int


def _sources(text: str) -> list[_Value | None]:
    """Where the source of each cell stands in the JSON text, in order of the cells."""
    found: list[_Value | None] = []
    members = dict(_members(text, _skip(text, 0)))
    if "cells" in members:
        found += _cell_sources(text, members["cells"].start)
    elif "worksheets" in members:
        for sheet in _items(text, members["worksheets"].start):
            inner = dict(_members(text, sheet.start)) if text[sheet.start] == "{" else {}
            if "cells" in inner:
                found += _cell_sources(text, inner["cells"].start)
    return found


def _cell_sources(text: str, start: int) -> list[_Value | None]:
    found: list[_Value | None] = []
    for cell in _items(text, start):
        members = dict(_members(text, cell.start)) if text[cell.start] == "{" else {}
        found.append(members.get("source", members.get("input")))
    return found


_decoder = json.JSONDecoder()
_space = re.compile(r"[ \t\r\n]*")


def _skip(text: str, at: int) -> int:
    match = _space.match(text, at)
    return at if match is None else match.end()


def _members(text: str, at: int) -> list[tuple[str, _Value]]:
    """Names and values of the object that begins at an offset."""
    found: list[tuple[str, _Value]] = []
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _decoder.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _decoder.raw_decode(text, start)
        found.append((name, _Value(start, end)))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _items(text: str, at: int) -> list[_Value]:
    """The items of the array that begins at an offset."""
    found: list[_Value] = []
    if text[at] != "[":
        return found
    at = _skip(text, at + 1)
    while text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        found.append(_Value(at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _rewritten(written: str, edits: Sequence[Edit]) -> str:
    """The JSON of a cell's source with edits in it; lines that stay keep their JSON."""
    value = json.loads(written)
    source = value if isinstance(value, str) else "".join(value)
    result = _spliced(source, edits)
    if not source.endswith("\n") and result.endswith("\n"):
        result = result[:-1]
    plain = written.isascii()
    if isinstance(value, str):
        return json.dumps(result, ensure_ascii=plain)
    items = _items(written, 0)
    old = [written[item.start : item.end] for item in items]
    new = [json.dumps(line, ensure_ascii=plain) for line in result.splitlines(keepends=True)]
    if value != source.splitlines(keepends=True):
        new = [json.dumps(line, ensure_ascii=plain) for line in _lines(result)]
    same = {json.loads(text): text for text in old}
    shown = [same.get(json.loads(text), text) for text in new]
    if not items:
        return f"[{', '.join(shown)}]"
    opening, closing = written[: items[0].start], written[items[-1].end :]
    between = written[items[0].end : items[1].start] if len(items) > 1 else "," + opening[1:]
    return opening + between.join(shown) + closing


def _lines(text: str) -> list[str]:
    return [match[0] for match in re.finditer(r"[^\n]*\n|[^\n]+\Z", text)]
