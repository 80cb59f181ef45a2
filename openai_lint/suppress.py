"""Comments that silence findings, and which of our own silence none.

``# openai-lint: ignore[OAI101] reason``, ``# openai-lint: ignore-file[...]``, ``# noqa``, and the pragmas that scanners
for secrets know.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from openai_lint.facts import Cell, Comment

_OURS = re.compile(r"#\s*openai-lint\s*:\s*(ignore-file|ignore)\b\s*(?:\[([^\]]*)\])?", re.IGNORECASE)
_NOQA = re.compile(r"#\s*noqa\b(?:\s*:\s*([A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
_ALLOWED = re.compile(r"#.*(?:pragma:\s*allowlist[ -]secret|gitleaks:\s*allow)", re.IGNORECASE)
_CODE = re.compile(r"OAI\d+\Z", re.IGNORECASE)

KEYS = "OAI3"
"""Codes that the pragmas of secret scanners silence begin so."""

STUBBORN = frozenset({"OAI301", "OAI302", "OAI303"})
"""Rules that a comment without codes does not silence: a key in the code is worth naming the rule."""


@dataclass(slots=True)
class Silencer:
    """One comment that silences. ``codes`` None stands for everything; ``whole_file`` for every line."""

    comment: Comment
    codes: tuple[str, ...] | None
    whole_file: bool
    ours: bool
    used: set[str] = field(default_factory=set)

    def takes(self, code: str, name: str, lines: Sequence[int]) -> bool:
        """Whether this comment silences a rule on one of these lines (of the whole module)."""
        if not self.whole_file and self.comment.line not in lines:
            return False
        if self.codes is None:
            self.used.add("")
            return code not in STUBBORN
        for written in self.codes:
            if written.lower() == name or code == written.upper() or self._prefix(written, code):
                self.used.add(written)
                return True
        return False

    @staticmethod
    def _prefix(written: str, code: str) -> bool:
        return _CODE.match(written) is not None and code.startswith(written.upper())


class _Allowed(Silencer):
    """A pragma of a secret scanner."""

    def takes(self, code: str, name: str, lines: Sequence[int]) -> bool:
        del name
        return code.startswith(KEYS) and self.comment.line in lines


class Silencers:
    """The silencing comments of one file."""

    def __init__(self, comments: Iterable[Comment], cells: Sequence[Cell] = (), text: str = "") -> None:
        self.lines = text.split("\n")
        self._cells = {cell.number: cell for cell in cells}
        self.all = [silencer for comment in comments for silencer in _read(comment)]

    def silence(self, code: str, name: str, spots: Iterable[tuple[int | None, int]]) -> bool:
        """Whether a finding is silenced; ``spots`` are (cell, line) pairs where a comment counts for it."""
        if not self.all:
            return False
        lines = [self._line(cell, line) for cell, line in spots]
        # No short cut: a second comment for the same finding is used as well.
        return bool(sum(silencer.takes(code, name, lines) for silencer in self.all))

    def unused(self, ran: frozenset[str], names: dict[str, str]) -> list[tuple[Silencer, tuple[str, ...]]]:
        """Comments that silence nothing, with those of their codes that do not (none for a comment without codes).

        ``ran`` are the codes of the rules that ran on this file; ``names`` gives the code of every rule's name. Codes
        of other tools, and of rules that did not run, are not judged.
        """
        running = set(ran)
        found: list[tuple[Silencer, tuple[str, ...]]] = []
        for silencer in self.all:
            if any(names.get(written.lower(), written.upper()) == "OAI002" for written in silencer.codes or ()):
                continue
            if silencer.ours and silencer.codes is None and not silencer.used and running >= set(names.values()):
                found.append((silencer, ()))
            idle = tuple(
                written
                for written in silencer.codes or ()
                if written not in silencer.used and _judged(written, silencer.ours, running, names)
            )
            if idle:
                found.append((silencer, idle))
        return found

    def cell_of(self, line: int) -> tuple[int | None, int]:
        """The cell that a line of the module stands in, and the line in it; no cell outside notebooks."""
        for cell in self._cells.values():
            if cell.first_line <= line < cell.first_line + cell.lines:
                return cell.number, line - cell.first_line + 1
        return None, line

    def _line(self, cell: int | None, line: int) -> int:
        return line if cell is None or cell not in self._cells else self._cells[cell].first_line + line - 1


def without(text: str, idle: Collection[str]) -> str:
    """A comment without the codes that silence nothing; without all that is ours in it if none would be left.

    Empty if nothing is left of the comment at all.
    """
    for pattern, group in ((_OURS, 2), (_NOQA, 1)):
        match = pattern.search(text)
        if match is None:
            continue
        codes = _split(match[group]) if match[group] is not None else ()
        kept = [code for code in codes if code not in idle]
        if kept:
            return text[: match.start(group)] + ", ".join(kept) + text[match.end(group) :]
        # What follows is the reason, up to the next comment of another tool.
        rest = text[match.end() :]
        after = rest[rest.index("#") :] if "#" in rest else ""
        return (text[: match.start()] + after).rstrip()
    return text


def _judged(written: str, ours: bool, running: set[str], names: dict[str, str]) -> bool:
    """Whether an idle code is ours to judge: its rule ran, or it stands in a comment of ours and no rule has it."""
    code = names.get(written.lower(), written.upper())
    matched = {known for known in names.values() if known.startswith(code)} if _CODE.match(code) else set()
    if not matched:
        return ours
    return matched <= running


def _read(comment: Comment) -> list[Silencer]:
    text = comment.text
    if match := _OURS.search(text):
        codes = _split(match[2]) if match[2] is not None else None
        return [Silencer(comment, codes, match[1].lower() == "ignore-file", ours=True)]
    found: list[Silencer] = []
    if match := _NOQA.search(text):
        found.append(Silencer(comment, _split(match[1]) if match[1] else None, whole_file=False, ours=False))
    if _ALLOWED.search(text):
        found.append(_Allowed(comment, None, whole_file=False, ours=False))
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[\s,]+", text) if part)
