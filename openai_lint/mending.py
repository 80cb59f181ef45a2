"""Fixes in rounds: lint, apply what may be applied, lint again, until nothing is left or a fix does not help."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from openai_lint.config import ConfigSource
from openai_lint.files import STDIN, absolute, display
from openai_lint.fixing.document import edited
from openai_lint.fixing.tree import CannotFixError
from openai_lint.lint import Extractor, run
from openai_lint.report import Report
from openai_lint.rule import Applicability, Edit, Finding

MOST_ROUNDS = 10
_MOST_TRIES = 30
"""Rounds, with those that were taken back."""

_Identity = tuple[str, str, str]
"""Path, code and text of a finding: what stays when lines move."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What came of fixing: the contents before and after of each changed file, and the report on what is left.

    ``fixed`` counts by code. ``notes`` say which fixes were refused, and why. ``secrets`` are texts of keys and
    credentials that stood in the files and may not be shown.
    """

    report: Report
    changed: Mapping[str, tuple[bytes, bytes]]
    fixed: Mapping[str, int]
    notes: tuple[str, ...]
    secrets: frozenset[str]


@dataclass(slots=True)
class _State:
    """What is known so far.

    ``single``: of the findings that look alike one is tried at a time, from this one on, as not all fixes helped.
    """

    original: dict[str, bytes] = field(default_factory=dict)
    current: dict[str, bytes] = field(default_factory=dict)
    refused: set[_Identity] = field(default_factory=set)
    single: dict[_Identity, int] = field(default_factory=dict)
    fixed: Counter[str] = field(default_factory=Counter)
    notes: dict[str, None] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    seen: set[tuple[str, bytes]] = field(default_factory=set)


def mend(paths: Sequence[str], config: ConfigSource, *, stdin: tuple[str | None, bytes] | None = None) -> Mended:
    """Applies the fixes that the configuration allows, in memory: nothing is written.

    Raises what ``lint.run`` raises.
    """
    state = _State()
    extractor = Extractor()
    if stdin is not None:
        state.current[absolute(stdin[0] or STDIN)] = stdin[1]

    def lint() -> Report:
        return run(paths, config, stdin=stdin, fixes=True, changed=state.current, extractor=extractor)

    report = lint()
    rounds = tries = 0
    while rounds < MOST_ROUNDS and tries < _MOST_TRIES and not report.failures:
        tries += 1
        before = dict(state.current)
        applied = _round(report, config, state, extractor)
        if not applied:
            break
        made = state.current.items() - before.items()
        circling = {path for path, _ in made & state.seen}
        after = lint()
        useless = _useless(report, after, applied) | {one for one, _ in applied if one[0] in circling}
        if useless or after.failures:
            # What does not help is not done: back, and again without it.
            state.current = before
            _refuse({identity for identity, _ in applied} if after.failures else useless, applied, state)
            continue
        state.fixed.update(code for (_, code, _), count in applied for _ in range(count))
        state.seen |= made
        report = after
        rounds += 1
    else:
        if not report.failures:
            state.notes.setdefault(f"stopped fixing after {MOST_ROUNDS} rounds; run again for the rest")
    changed = {
        path: (state.original[path], data)
        for path, data in sorted(state.current.items())
        if path in state.original and state.original[path] != data
    }
    return Mended(report, changed, dict(state.fixed), tuple(state.notes), frozenset(state.secrets))


def allowed(finding: Finding, config: ConfigSource) -> bool:
    """Whether the configuration lets the fix of a finding be applied."""
    if finding.fix is None or finding.fix.applicability is Applicability.SUGGESTION:
        return False
    unsafe = config.for_path(finding.anchor.path).unsafe_fixes
    return unsafe or finding.fix.applicability is Applicability.SAFE


def _round(report: Report, config: ConfigSource, state: _State, extractor: Extractor) -> list[tuple[_Identity, int]]:
    """Applies fixes that do not touch each other; which findings they are for, and how many of each."""
    state.secrets |= report.secrets
    taken: dict[str, list[Edit]] = {}
    chosen: dict[str, list[Finding]] = {}
    met: Counter[_Identity] = Counter()
    families: dict[str, str] = {}
    for finding in sorted(report.findings, key=lambda one: (one.place.path, one.code, one.place.span)):
        fix = finding.fix
        if fix is None or not allowed(finding, config):
            continue
        identity = _identity(finding, report)
        met[identity] += 1
        if identity in state.refused or state.single.get(identity, met[identity] - 1) != met[identity] - 1:
            continue
        path = fix.edits[0].place.path
        if path not in report.reported:
            continue
        mine = taken.setdefault(path, [])
        # One family at a time: a fix of retries would hide whether one of handling helped.
        family = families.setdefault(path, finding.code[:4])
        if finding.code[:4] != family and not set(fix.edits) <= set(mine):
            continue
        if all(_fits(edit, mine) for edit in fix.edits):
            mine += [edit for edit in fix.edits if edit not in mine]
            chosen.setdefault(path, []).append(finding)
    applied: Counter[_Identity] = Counter()
    for path, findings in chosen.items():
        data = state.current.get(path)
        if data is None:
            data = state.original.get(path)
        if data is None:
            data = extractor.data(path)
        try:
            state.current[path] = edited(path, data, taken[path])
        except CannotFixError as error:
            state.refused |= {_identity(finding, report) for finding in findings}
            state.notes.setdefault(f"{display(path)}: not fixed: {error}")
            continue
        state.original.setdefault(path, data)
        applied.update(_identity(finding, report) for finding in findings)
    return list(applied.items())


def _fits(edit: Edit, others: Sequence[Edit]) -> bool:
    """Whether an edit can stand beside others: it is the same as one of them, or touches none."""
    return all(edit == other or not _touch(edit, other) for other in others)


def _touch(one: Edit, other: Edit) -> bool:
    if one.place.cell != other.place.cell:
        return False
    first, second = sorted((one, other), key=lambda edit: (edit.place.span, edit.content))
    a, b = first.place.span, second.place.span
    return b[:2] < a[2:] or a == b


def _identity(finding: Finding, report: Report) -> _Identity:
    text = " ".join(report.sources.text(finding.place).split())
    return (finding.place.path, finding.code, text)


def _refuse(useless: set[_Identity], applied: Sequence[tuple[_Identity, int]], state: _State) -> None:
    """Does not try again what did not help; of several that look alike each is tried alone first."""
    counts = dict(applied)
    for identity in sorted(useless):
        path, code, _ = identity
        if identity in state.single:
            state.single[identity] += 1
        elif counts[identity] > 1:
            state.single[identity] = 0
            continue
        else:
            state.refused.add(identity)
        state.notes.setdefault(f"{display(path)}: a fix of {code} was refused: it would not mend the finding")


def _useless(before: Report, after: Report, applied: Sequence[tuple[_Identity, int]]) -> set[_Identity]:
    """The findings that are there as often as before, although something was done about them."""
    was = Counter(_identity(finding, before) for finding in before.findings)
    left = Counter(_identity(finding, after) for finding in after.findings)
    unreadable = {finding.place.path for finding in after.findings if finding.code == "OAI001"}
    unreadable -= {finding.place.path for finding in before.findings if finding.code == "OAI001"}
    return {
        identity for identity, count in applied if left[identity] > was[identity] - count or identity[0] in unreadable
    }
