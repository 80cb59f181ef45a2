"""Text that teaches: the source line, what leaves it and by which path, what to do about this very call."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from openai_lint.files import display
from openai_lint.formats.concise import where
from openai_lint.formats.neutral import masked, safe
from openai_lint.report import Report, Sources

if TYPE_CHECKING:
    from openai_lint.rule import Finding

ONE_BLOCK = (("OAI102", "OAI103"), ("OAI101", "OAI201"))
"""Findings of one call that are one problem to the reader: one block, one suggestion."""

_WIDEST = 140

_KeySpans: TypeAlias = Mapping[tuple[str, int | None, int], Sequence[tuple[int, int]]]

_STYLES = {"bold": "1", "error": "1;31", "warning": "1;33", "info": "1;36", "dim": "2", "good": "32"}


class _Paint:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour else text


def render(
    report: Report,
    *,
    colour: bool = False,
    summary: bool = True,
    fixes: tuple[bool, bool] = (False, False),
    fixed: Mapping[str, int] | None = None,
) -> str:
    """The report as text. ``colour`` adds terminal colours; ``summary`` the closing lines.

    ``fixes`` tells whether safe and unsafe fixes are shown; ``fixed`` counts those that were applied, by code.
    """
    paint = _Paint(colour)
    secrets = report.secrets if any(fixes) else frozenset()
    hidden = report.key_spans()
    blocks = []
    for group in _groups(report.findings):
        shown = _fixes(group, report.sources, paint, fixes, secrets) if any(fixes) else []
        blocks.append(_block(group, report.sources, hidden, paint, shown))
    text = "\n".join(blocks)
    if summary:
        closing = _summary(report, paint, fixed or {})
        text = f"{text}\n{closing}" if text else closing
    return text


def _groups(findings: Sequence["Finding"]) -> list[list["Finding"]]:
    """The findings, those that belong in one block together."""
    groups: list[list[Finding]] = []
    open_groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        for row in ONE_BLOCK:
            if finding.code in row:
                key = (row, finding.anchor)
                if key in open_groups:
                    open_groups[key].append(finding)
                    break
                open_groups[key] = [finding]
                groups.append(open_groups[key])
                break
        else:
            groups.append([finding])
    return groups


def _block(group: Sequence["Finding"], sources: Sources, hidden: _KeySpans, paint: _Paint, fixes: Sequence[str]) -> str:
    lines = []
    for finding in group:
        code = paint(finding.code, str(finding.severity))
        lines.append(f"{paint(safe(where(finding.place)), 'bold')}: {code} {finding.name}: {safe(finding.message)}")
    first = group[0]
    lines += _excerpt(first, sources, hidden, paint)
    lines += _path(group, paint)
    lines += _labelled("help", first.help.splitlines(), paint)
    lines += fixes
    pages = ", ".join(f"openai-lint --explain {finding.code}" for finding in group)
    lines += _labelled("more", [pages], paint)
    return "\n".join(lines) + "\n"


def _excerpt(finding: "Finding", sources: Sources, hidden: _KeySpans, paint: _Paint) -> Iterator[str]:
    """The line where it stands, with carets under the expression."""
    place = finding.place
    line, column, end_line, end_column = place.span
    text = sources.line(place.path, place.cell, line)
    if text is None:
        return
    text = masked(text, hidden.get((place.path, place.cell, line), ()))
    # Shown as a whole, so that a key in it is seen and hidden; the carets are counted on the part before.
    shown = safe(text)
    before = _columns(safe(text[: column - 1]))
    stop = _columns(safe(text[: end_column - 1])) if end_line == line else _columns(shown.rstrip())
    start = 0
    if _columns(shown) > _WIDEST:
        start = max(0, min(before - 20, len(shown) - _WIDEST))
        shown = ("…" if start else "") + shown[start : start + _WIDEST] + ("…" if len(shown) > start + _WIDEST else "")
        start -= bool(start)
    before, stop = before - start, min(stop - start, _columns(shown))
    carets = " " * before + paint("^" * max(1, stop - before), str(finding.severity))
    margin = len(str(line))
    bar = paint("|", "dim")
    yield f"  {line} {bar} {shown.rstrip()}"
    yield f"  {' ' * margin} {bar} {carets}"


def _path(group: Sequence["Finding"], paint: _Paint) -> list[str]:
    """The places that explain the finding, each once: the steps of the path, the handler, the policy."""
    steps = dict.fromkeys(step for finding in group for step in finding.related)
    return _labelled("path", [f"{where(step.place)}: {step.message}" for step in steps], paint)


def _fixes(
    group: Sequence["Finding"],
    sources: Sources,
    paint: _Paint,
    wanted: tuple[bool, bool],
    secrets: frozenset[str],
) -> list[str]:
    """The edits of the findings, each once, as a diff; how to have those that are not wanted."""
    from openai_lint.formats.diff import of_fix
    from openai_lint.rule import Applicability

    lines: list[str] = []
    for fix in dict.fromkeys(finding.fix for finding in group if finding.fix is not None):
        safe_one = fix.applicability is Applicability.SAFE
        if not wanted[0 if safe_one else 1]:
            lines += _labelled("fix ", [f"{fix.message} (--unsafe-fixes shows it)"], paint)
            continue
        how = {Applicability.SAFE: "--fix", Applicability.UNSAFE: "--fix --unsafe-fixes"}.get(fix.applicability)
        lines += _labelled("fix ", [f"{fix.message} ({f'applied by {how}' if how else 'never applied'})"], paint)
        for line in of_fix(fix, sources, secrets):
            shown = "\n".join(f"        {part}" for part in _harmless(line).split("\n"))
            lines.append(paint(shown, {"+": "good", "-": "error"}[line[0]]) if line[0] in "+-" else shown)
    return lines


def _harmless(line: str) -> str:
    return line[:1] + safe(line[1:])


def _labelled(label: str, lines: Sequence[str], paint: _Paint) -> list[str]:
    return [
        f"  {paint(label, 'dim') if not number else ' ' * len(label)}  {safe(line)}".rstrip()
        for number, line in enumerate(lines)
    ]


def _columns(text: str) -> int:
    """The width of a text on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _summary(report: Report, paint: _Paint, fixed: Mapping[str, int]) -> str:
    lines = []
    if fixed:
        codes = ", ".join(f"{number} {code}" for code, number in sorted(fixed.items()))
        lines.append(f"Fixed {sum(fixed.values())} finding{_s(sum(fixed.values()))} ({codes}).")
    count = len(report.findings)
    checked = f"{report.files} file{_s(report.files)} checked"
    if count:
        by_level = [
            f"{number} {level}{_s(number) if level != 'info' else ''}"
            for level in ("error", "warning", "info")
            if (number := sum(str(finding.severity) == level for finding in report.findings))
        ]
        places = len({finding.place.path for finding in report.findings})
        lines.append(
            paint(f"{count} finding{_s(count)}", "bold")
            + f" ({', '.join(by_level)}) in {places} file{_s(places)}; {checked}."
        )
    else:
        lines.append(paint("No findings", "good") + f"; {checked}.")
    lines += left_out(report)
    return "\n".join(lines) + "\n"


def left_out(report: Report) -> list[str]:
    """What is not shown, and how to see it."""
    lines = []
    if report.hidden:
        counts = ", ".join(f"{number} {level}" for level, number in sorted(report.hidden.items()))
        lines.append(f"Not shown: {counts} (--min-severity info shows all).")
    if report.known:
        lines.append(f"Not shown: {report.known} in the baseline.")
    if report.suppressed:
        lines.append(f"Silenced by comments: {report.suppressed}.")
    if report.outside:
        noun = "call hands its" if report.outside == 1 else "calls hand their"
        lines.append(f"{report.outside} {noun} errors to callers outside this project.")
    return lines


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def inventory(report: Report) -> str:
    """The calls as a table: what the code base does when the API is down."""
    calls = report.calls or ()
    rows = [("PLACE", "CALL", "SDK", "RETRY", "REACHES AN ENTRY POINT", "HANDLED AT")]
    for call in calls:
        cell = "" if call["cell"] is None else f"cell {call['cell']}:"
        start = call["start"]
        policy = call["retry"]
        handled = ", ".join(f"{display(spot['path'])}:{spot['line']}" for spot in call["handled_by"])
        escapes = ", ".join(call["escapes"]) or "-"
        if call["leaves_as"] not in (None, "raw"):
            escapes += f" (as {call['leaves_as']})"
        rows.append(
            (
                f"{display(call['path'])}:{cell}{start['line']}",
                call["call"],
                call["sdk"],
                "-" if policy is None else _policy(policy),
                escapes,
                handled or "-",
            )
        )
    shown = [tuple(safe(item) for item in row) for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(rows[0]) - 2)]
    lines = [
        "  ".join([*(item.ljust(width) for item, width in zip(row, widths, strict=False)), *row[-2:]]) for row in shown
    ]
    reaching = sum(bool(call["escapes"]) for call in calls)
    closing = f"{len(calls)} call{_s(len(calls))}; errors of {reaching} reach an entry point."
    return "\n".join([*(lines if calls else ()), closing]) + "\n"


def _policy(policy: "dict[str, object]") -> str:
    attempts = policy.get("attempts")
    times = "unbounded" if policy.get("bounded") is False else "?" if attempts is None else f"x{attempts}"
    return f"{policy.get('by')} {times}"
