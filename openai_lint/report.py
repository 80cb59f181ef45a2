"""What a run gives back: findings or an inventory, what was left out and why, and the source lines to show."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai_lint.facts import Cell
    from openai_lint.rule import Finding, Place


@dataclass(frozen=True, slots=True)
class Failure:
    """Something of the linter that raised: its own fault. ``path`` is the file it looked at, where that can be told.

    ``code`` is the rule, or None where a function of the project could not be followed: of that one nothing is known.
    """

    code: str | None
    path: str | None
    error: str
    trace: str

    @property
    def subject(self) -> str:
        """What failed, in words."""
        return f"rule {self.code}" if self.code is not None else "following the errors of a function"


@dataclass(frozen=True, slots=True)
class Sources:
    """The decoded text of the files that findings stand in, with the cells of notebooks."""

    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cells: Mapping[str, "tuple[Cell, ...]"] = field(default_factory=dict)

    def line(self, path: str, cell: int | None, number: int) -> str | None:
        """One line (from 1; inside its cell in a notebook) without its end, or None if there is none."""
        lines = self.texts.get(path)
        if lines is None:
            return None
        if cell is not None:
            found = next((known for known in self.cells.get(path, ()) if known.number == cell), None)
            if found is None or not 1 <= number <= found.lines:
                return None
            number += found.first_line - 1
        return lines[number - 1] if 1 <= number <= len(lines) else None

    def whole(self, path: str, cell: int | None) -> str | None:
        """The text of a file or cell, or None where it is not known."""
        lines = self.texts.get(path)
        if lines is None or cell is None:
            return None if lines is None else "\n".join(lines)
        found = next((known for known in self.cells.get(path, ()) if known.number == cell), None)
        if found is None:
            return None
        return "".join(f"{line}\n" for line in lines[found.first_line - 1 : found.first_line - 1 + found.lines])

    def text(self, place: "Place") -> str:
        """What stands at a place."""
        first, column, last, end = place.span
        lines = [self.line(place.path, place.cell, number) or "" for number in range(first, last + 1)]
        if not lines:
            return ""
        lines[-1] = lines[-1][: max(end - 1, 0)]
        lines[0] = lines[0][column - 1 :]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run.

    ``findings`` are those to be shown, sorted by place. ``calls`` is the inventory (None when it was not asked for),
    each entry with absolute paths. ``hidden`` counts findings below ``min-severity`` by their severity. ``failing``
    says whether a finding reaches ``fail-on``. ``reported`` are the files that may be changed.
    """

    findings: "tuple[Finding, ...]" = ()
    calls: tuple[Mapping[str, Any], ...] | None = None
    hidden: Mapping[str, int] = field(default_factory=dict)
    suppressed: int = 0
    known: int = 0
    outside: int = 0
    files: int = 0
    parsed: int = 0
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    failing: bool = False
    sources: Sources = field(default_factory=Sources)
    reported: frozenset[str] = frozenset()

    @property
    def secrets(self) -> frozenset[str]:
        """The texts that stand where keys and credentials were found: no format may show them."""
        found: set[str] = set()
        for finding in self.findings:
            if finding.code in _OF_KEYS:
                text = self.sources.text(finding.place)
                quoted = _QUOTED.findall(text) if text[-1:] in ("'", '"', ")") else [text]
                found |= {word for part in quoted for word in part.split() if len(word) > 7}
        return frozenset(found)

    def key_spans(self) -> dict[tuple[str, int | None, int], list[tuple[int, int]]]:
        """The columns (from 1) at which keys and credentials were found, by path, cell and line."""
        found: dict[tuple[str, int | None, int], list[tuple[int, int]]] = {}
        for finding in self.findings:
            if finding.code in _OF_KEYS:
                path, cell, (first, column, last, end) = finding.place.path, finding.place.cell, finding.place.span
                for line in range(first, last + 1):
                    length = len(self.sources.line(path, cell, line) or "") + 1
                    span = (column if line == first else 1, end if line == last else length)
                    found.setdefault((path, cell, line), []).append(span)
        return found


_QUOTED = re.compile(r"""["']([^"']{8,})["']""")
_OF_KEYS = frozenset({"OAI301", "OAI302", "OAI303", "OAI304"})


def joined(reports: Iterable[Report]) -> Report:
    """The reports of several roots as one."""
    parts = list(reports)
    if len(parts) == 1:
        return parts[0]
    findings = {finding.fingerprint + finding.anchor.path: finding for part in parts for finding in part.findings}
    hidden: dict[str, int] = {}
    for part in parts:
        for level, count in part.hidden.items():
            hidden[level] = hidden.get(level, 0) + count
    listed = [part.calls for part in parts if part.calls is not None]
    return Report(
        tuple(sorted(findings.values(), key=position)),
        tuple(call for calls in listed for call in calls) if listed else None,
        hidden,
        sum(part.suppressed for part in parts),
        sum(part.known for part in parts),
        sum(part.outside for part in parts),
        sum(part.files for part in parts),
        sum(part.parsed for part in parts),
        tuple(note for part in parts for note in part.notes),
        tuple(failure for part in parts for failure in part.failures),
        any(part.failing for part in parts),
        Sources(
            {path: text for part in parts for path, text in part.sources.texts.items()},
            {path: cells for part in parts for path, cells in part.sources.cells.items()},
        ),
        frozenset().union(*(part.reported for part in parts)),
    )


def position(finding: "Finding") -> tuple[Any, ...]:
    """Sorts findings by place, then by code."""
    place = finding.place
    return (place.path, place.cell or 0, place.span, finding.code, finding.message)
