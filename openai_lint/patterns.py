"""Path patterns as ``.gitignore`` writes them: for ``.gitignore`` itself, ``exclude`` and ``per-file-ignores``.

Most lines of real ignore files are plain names (``build/``) or extensions (``*.log``). They become dictionary look-ups;
only the rest become regular expressions, so that a long ignore file costs a walk next to nothing.
"""

import re
from collections.abc import Iterable

_POSIX = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "A-Fa-f0-9",
}
_SPECIAL = re.compile(r"[*?\[\\]")


class Patterns:
    """Ordered patterns, relative to one folder. The last one that matches decides, as in git."""

    def __init__(self, base: str, lines: Iterable[str]) -> None:
        self.base = base
        self._prefix = base.rstrip("/") + "/"
        self.lines = tuple(lines)
        self._names: dict[str, list[_Line]] = {}
        self._suffixes: dict[str, list[_Line]] = {}
        self._paths: dict[str, list[_Line]] = {}
        self._others: list[tuple[re.Pattern[str], _Line]] = []
        for number, raw in enumerate(self.lines):
            self._add(number, raw)

    def __bool__(self) -> bool:
        return bool(self._names or self._suffixes or self._paths or self._others)

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Whether the last matching pattern takes ``path`` (absolute) in, or None if none matches."""
        if not path.startswith(self._prefix):
            return None
        inside = path[len(self._prefix) :]
        name = inside[inside.rfind("/") + 1 :]
        best: _Line | None = None
        for found in (
            self._names.get(name),
            self._suffixes.get(name[name.rfind(".") :]) if "." in name else None,
            self._paths.get(inside),
        ):
            for line in found or ():
                if (is_folder or not line.folders_only) and (best is None or line.number > best.number):
                    best = line
        for regex, line in self._others:
            if (
                (is_folder or not line.folders_only)
                and (best is None or line.number > best.number)
                and regex.fullmatch(inside)
            ):
                best = line
        return None if best is None else not best.negated

    def takes(self, path: str) -> bool:
        """Whether ``path`` (a file) or one of its folders below ``base`` is taken in."""
        end = len(self._prefix) - 1
        while (end := path.find("/", end + 1)) != -1:
            if self.verdict(path[:end], is_folder=True):
                return True
        return bool(self.verdict(path, is_folder=False))

    def _add(self, number: int, raw: str) -> None:
        text = _strip(raw)
        if not text or text.startswith("#"):
            return
        negated = text.startswith("!")
        if negated:
            text = text[1:]
        folders_only = text.endswith("/")
        text = text.removesuffix("/")
        if text.startswith("./"):
            text = text[1:]
        anchored = "/" in text
        text = text.removeprefix("/")
        if not text:
            return
        line = _Line(number, negated, folders_only)
        if not _SPECIAL.search(text):
            (self._paths if anchored else self._names).setdefault(text, []).append(line)
        elif not anchored and text.startswith("*.") and not _SPECIAL.search(text[1:]) and text.count(".") == 1:
            self._suffixes.setdefault(text[1:], []).append(line)
        else:
            try:
                regex = re.compile(("" if anchored else r"(?:.*/)?") + _translate(text), re.DOTALL)
            except re.error:  # such a pattern matches nothing in git
                return
            self._others.append((regex, line))


class _Line:
    """What one pattern says besides its text."""

    __slots__ = ("folders_only", "negated", "number")

    def __init__(self, number: int, negated: bool, folders_only: bool) -> None:
        self.number = number
        self.negated = negated
        self.folders_only = folders_only


def _strip(raw: str) -> str:
    """The pattern without its line end and without trailing spaces that no backslash protects."""
    text = raw.rstrip("\r\n")
    end = len(text)
    while end and text[end - 1] == " " and not (end > 1 and text[end - 2] == "\\"):
        end -= 1
    return text[:end]


def _translate(pattern: str) -> str:
    """A regular expression over the whole relative path."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
            out.append("(?:.*/)?")
            at += 3
        elif pattern[at:] == "**" and (at == 0 or pattern[at - 1] == "/"):
            out.append(".+" if at else ".*")
            at += 2
        elif pattern[at] == "*":
            out.append("[^/]*")
            while at < len(pattern) and pattern[at] == "*":
                at += 1
        elif pattern[at] == "?":
            out.append("[^/]")
            at += 1
        elif pattern[at] == "[":
            piece, at = _bracket(pattern, at)
            out.append(piece)
        elif pattern[at] == "\\" and at + 1 < len(pattern):
            out.append(re.escape(pattern[at + 1]))
            at += 2
        else:
            out.append(re.escape(pattern[at]))
            at += 1
    return "".join(out)


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """The class that begins at ``at``, and where reading goes on. An unclosed one makes the whole pattern invalid."""
    end = at + 1
    negated = pattern[end : end + 1] in ("!", "^")
    end += negated
    out: list[str] = []
    first = True
    while end < len(pattern) and (first or pattern[end] != "]"):
        first = False
        if pattern.startswith("[:", end) and (close := pattern.find(":]", end)) != -1:
            out.append(_POSIX.get(pattern[end + 2 : close], ""))
            end = close + 2
            continue
        if pattern[end] == "\\" and end + 1 < len(pattern):
            end += 1
            out.append(re.escape(pattern[end]))
        else:
            out.append("-" if pattern[end] == "-" else re.escape(pattern[end]))
        end += 1
    if end >= len(pattern):
        raise re.error("unclosed class")
    return f"(?!/)[{'^' if negated else ''}{''.join(out)}]", end + 1
