"""Hits to findings: what the configuration and the noise policy leave out, where each is shown, what silences it.

Ends with the fingerprint, which stays when lines move.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openai_lint import baseline, rules, selection
from openai_lint.config import Config
from openai_lint.facts import Cell, ModuleFacts
from openai_lint.files import Workspace, display
from openai_lint.report import Sources, position
from openai_lint.rewrites import Rewrite
from openai_lint.rule import Applicability, Edit, Finding, Fix, Hit, Place, Related, Rule, Severity
from openai_lint.suppress import Silencers, without

if TYPE_CHECKING:
    from openai_lint.fixing.plan import Planner

IN_TESTS = frozenset({"OAI001", "OAI002", "OAI301", "OAI303"})
"""Rules that judge test files too."""

MILD_IN_NOTEBOOKS = frozenset({"OAI101", "OAI102", "OAI103", "OAI104", "OAI105", "OAI106", "OAI201"})
"""An uncaught error stops a cell, not the kernel."""

DEAD = ("OAI405", "OAI407", "OAI410")
"""A call that one of these proves dead gets nothing else (a key in it does)."""

AT_MOST_ONE = (
    ("OAI105", "OAI106", "OAI109", "OAI101"),
    ("OAI205", "OAI207"),
    ("OAI107", "OAI108"),
    ("OAI304", "OAI303", "OAI301", "OAI302"),
)
"""Of rules in one row that speak of the same place, the first is kept."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A hit with its rule and the configuration of the file that it belongs to."""

    rule: Rule
    hit: Hit
    anchor: Place
    config: Config
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A judged hit with the place where it is shown and what is related to it there."""

    judged: Judged
    place: Place
    related: tuple[Related, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is shown, and counts of what is not; ``failing``: one that is shown fails the run."""

    shown: tuple[Finding, ...]
    hidden: Mapping[str, int]
    known: int
    failing: bool


def select(hits: Iterable[tuple[Rule, Hit]], workspace: Workspace) -> list[Judged]:
    """The hits that the configuration of their file wants, without those that another hit makes superfluous."""
    wanted: list[Judged] = []
    seen: set[tuple[object, ...]] = set()
    for rule, hit in hits:
        anchor = hit.anchor or hit.place
        config = workspace.config_for(anchor.path)
        key = (rule.code, hit.place, hit.errors, anchor)
        if key in seen or rule.code not in selection.chosen(config).codes or _ignored(rule.code, anchor.path, config):
            continue
        if rule.code not in IN_TESTS and not config.lint_tests and workspace.is_test(anchor.path):
            continue
        seen.add(key)
        wanted.append(Judged(rule, hit, anchor, config))
    return _quiet(wanted)


def _ignored(code: str, path: str, config: Config) -> bool:
    return any(
        code in selection.codes(selectors, config.origin, "per-file-ignores")
        for patterns, selectors in config.per_file_ignores
        if patterns.takes(path)
    )


def _quiet(judged: list[Judged]) -> list[Judged]:
    by_place: dict[Place, set[str]] = {}
    for one in judged:
        by_place.setdefault(one.anchor, set()).add(one.rule.code)
    return [one for one in judged if not _superfluous(one.rule.code, by_place[one.anchor])]


def _superfluous(code: str, beside: set[str]) -> bool:
    if code not in DEAD and not code.startswith("OAI3") and not beside.isdisjoint(DEAD):
        return True
    return any(code in row and not beside.isdisjoint(row[: row.index(code)]) for row in AT_MOST_ONE)


def shown(judged: Iterable[Judged], reported: frozenset[str]) -> list[Placed]:
    """The hits that touch a reported file: at their own place, or else at the first step of their path that does."""
    out = []
    for one in judged:
        hit = one.hit
        step = next((related for related in hit.related if related.place.path in reported), None)
        if hit.place.path in reported:
            out.append(Placed(one, hit.place, hit.related))
        elif step is not None:
            others = tuple(related for related in hit.related if related is not step)
            out.append(Placed(one, step.place, (Related(hit.place, hit.call or "here"), *others)))
        elif one.anchor.path in reported:
            out.append(Placed(one, one.anchor, (Related(hit.place, "here"), *hit.related)))
    return out


def fixable(placed: Sequence[Placed], workspace: Workspace, notes: list[str]) -> list[Placed]:
    """The hits with the edits of their rewrites; why one cannot be made is noted."""
    out = list(placed)
    wanted: dict[str, list[int]] = {}
    for index, one in enumerate(placed):
        if one.judged.fix is None and one.judged.hit.rewrite is not None:
            wanted.setdefault(one.judged.hit.rewrite.path, []).append(index)
        elif one.judged.fix is not None:
            out[index] = _with(one, one.judged.fix)
    if wanted:
        from openai_lint.fixing.plan import Planner

        planner = Planner(str(workspace.root), workspace.files)
        for path, indices in wanted.items():
            facts = workspace.facts(path)
            if isinstance(facts, ModuleFacts):
                _plan(planner, facts, indices, out, notes)
    return out


def _plan(planner: "Planner", facts: ModuleFacts, indices: Sequence[int], out: list[Placed], notes: list[str]) -> None:
    """Makes the fixes of one file; those of one rule that belong together are one."""
    from openai_lint.fixing.tree import CannotFixError

    together: dict[tuple[str, Rewrite], Rewrite] = {}
    for code in {out[index].judged.rule.code for index in indices}:
        rewrites = [out[index].judged.hit.rewrite for index in indices if out[index].judged.rule.code == code]
        whole = planner.joined(filter(None, rewrites), facts)
        together |= {(code, rewrite): found for rewrite, found in whole.items()}
    for index in indices:
        one = out[index]
        rewrite, code = one.judged.hit.rewrite, one.judged.rule.code
        if rewrite is None:
            continue
        try:
            if (code, rewrite) in together:
                with suppress(CannotFixError):
                    out[index] = _with(one, planner.fix(together[code, rewrite], facts))
                    continue
            out[index] = _with(one, planner.fix(rewrite, facts))
        except CannotFixError as error:
            notes.append(f"{display(one.place.path)}:{one.place.span[0]}: {code} has no edit: {error}")


def _with(one: Placed, fix: Fix) -> Placed:
    """A hit with its fix, as the configuration lets it be applied."""
    fix = replace(fix, applicability=_applicability(one.judged, fix.applicability))
    return replace(one, judged=replace(one.judged, fix=fix))


def _applicability(judged: Judged, level: Applicability) -> Applicability:
    """How far a fix may be applied, as the configuration of its file has it."""
    config, code = judged.config, judged.rule.code

    def named(selectors: Sequence[str], key: str) -> bool:
        return bool(selectors) and code in selection.codes(tuple(selectors), config.origin, key)

    if level is Applicability.UNSAFE and named(config.extend_safe_fixes, "extend-safe-fixes"):
        level = Applicability.SAFE
    elif level is Applicability.SAFE and named(config.extend_unsafe_fixes, "extend-unsafe-fixes"):
        level = Applicability.UNSAFE
    allowed = config.fixable is None or named(config.fixable, "fixable")
    return level if allowed and not named(config.unfixable, "unfixable") else Applicability.SUGGESTION


def silencers_of(placed: Iterable[Placed], workspace: Workspace) -> dict[str, Silencers]:
    """The silencing comments of the files that findings belong to, and of every reported file that matters."""
    paths = {one.judged.anchor.path for one in placed} | {path for path in workspace.reported if workspace.gate(path)}
    found = {}
    for path in sorted(paths):
        facts = workspace.facts(path)
        if isinstance(facts, ModuleFacts) and facts.comments:
            found[path] = Silencers(facts.comments, facts.cells, facts.text)
    return found


def silenced(placed: Iterable[Placed], silencers: Mapping[str, Silencers]) -> list[Placed]:
    """The hits that no comment silences."""
    kept = []
    for one in placed:
        rule, anchor, place = one.judged.rule, one.judged.anchor, one.judged.hit.place
        comments = silencers.get(anchor.path)
        spots = {spot for at in (anchor, place) if at.path == anchor.path for spot in _spots(at)}
        if comments is None or not comments.silence(rule.code, rule.name, spots):
            kept.append(one)
    return kept


def findings(placed: Iterable[Placed], sources: Sources, root: str) -> list[Finding]:
    """Findings in order of place, with their fingerprints."""
    made = [
        Finding(
            one.judged.rule.code,
            one.judged.rule.name,
            severity_of(one.judged),
            one.judged.hit.message,
            one.judged.hit.help,
            one.place,
            one.judged.hit.errors,
            one.judged.hit.sdk,
            one.judged.hit.call,
            one.related,
            one.judged.fix,
            "",
            one.judged.anchor,
        )
        for one in placed
    ]
    return fingerprinted(made, sources, root)


def judge(made: Iterable[Finding], workspace: Workspace, with_known: bool) -> Verdict:
    """Splits findings into those to show and those to count, by the configuration of the file that each belongs to."""
    out: list[Finding] = []
    hidden: dict[str, int] = {}
    known = 0
    failing = False
    for finding in made:
        config = workspace.config_for(finding.anchor.path)
        if config.baseline is not None and not with_known and finding.fingerprint in baseline.read(config.baseline):
            known += 1
            continue
        least = Severity[config.shown_from.upper()]
        if finding.severity >= least or finding.code in selection.chosen(config).exact:
            out.append(finding)
            failing = failing or finding.severity >= Severity[config.fail_on.upper()]
        else:
            level = str(finding.severity)
            hidden[level] = hidden.get(level, 0) + 1
    return Verdict(tuple(out), hidden, known, failing)


def _spots(place: Place) -> tuple[tuple[int | None, int], tuple[int | None, int]]:
    return (place.cell, place.span[0]), (place.cell, place.span[2])


def severity_of(judged: Judged) -> Severity:
    """The configured severity, else that of the hit, else the rule's; mild in notebooks."""
    rule, config = judged.rule, judged.config
    for written, level in config.severity:
        if rule.code in selection.codes((written,), config.origin, "severity"):
            return Severity[level.upper()]
    if judged.anchor.cell is not None and not config.lint_notebooks and rule.code in MILD_IN_NOTEBOOKS:
        return Severity.INFO
    return judged.hit.severity or rule.severity


def removal(place: Place, line: str, text: str, idle: Sequence[str]) -> Fix:
    """The fix of OAI002: the comment at ``place``, whose ``text`` ends ``line``, without its idle codes."""
    number, column, _, end = place.span
    left = without(text, idle)
    before = line[: column - 1]
    if left:
        span = (number, column, number, end)
    elif before.strip():
        span = (number, len(before.rstrip()) + 1, number, end)
    else:  # the comment has the line to itself
        span = (number, 1, number + 1, 1)
    message = "remove the comment" if not left else f"remove {', '.join(idle) or 'the suppression'}"
    return Fix(Applicability.SAFE, message, (Edit(Place(place.path, place.cell, span), left),))


def fingerprinted(made: Sequence[Finding], sources: Sources, root: str) -> list[Finding]:
    """The findings with fingerprints of what they are about.

    That is the rule, the file below the root, the call and its text, and a number where the same stands several times
    in one file. Lines do not count.
    """
    from hashlib import sha256

    times: dict[str, int] = {}
    out = []
    base = root.rstrip("/") + "/"
    for finding in sorted(made, key=lambda one: (one.anchor.path, one.anchor.cell or 0, one.anchor.span, one.code)):
        path = finding.anchor.path.removeprefix(base)
        text = " ".join(sources.text(finding.anchor).split())
        if finding.code == "OAI001":
            text = finding.message
        identity = "\0".join((finding.code, path, finding.call or "", text))
        times[identity] = times.get(identity, 0) + 1
        digest = sha256(f"{identity}\0{times[identity]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        out.append(replace(finding, fingerprint=digest))
    return sorted(out, key=position)


def sources_of(placed: Iterable[Placed], workspace: Workspace) -> Sources:
    """The decoded lines of the files that findings speak of; what cannot be parsed is decoded as well as it goes."""
    paths = {path for one in placed for path in (one.place.path, one.judged.anchor.path)}
    texts: dict[str, tuple[str, ...]] = {}
    cells: dict[str, tuple[Cell, ...]] = {}
    for path in sorted(paths):
        facts = workspace.facts(path)
        if isinstance(facts, ModuleFacts):
            texts[path] = tuple(facts.text.split("\n"))
            cells[path] = facts.cells
        elif facts.cell is None:
            try:
                texts[path] = tuple(workspace.read(path).decode("utf-8", "replace").splitlines())
            except OSError:
                continue
    return Sources(texts, cells)


def rule_names() -> dict[str, str]:
    """The code of every rule by its name, and by itself in lower case."""
    return {entry.name: entry.code for entry in rules.catalogue()}
