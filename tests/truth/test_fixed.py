"""Fixed programs under the same faults: the named errors get out no more, and without a fault nothing changes."""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from openai_lint.config import ConfigSource
from openai_lint.lint import run
from openai_lint.mending import mend
from openai_lint.report import Report
from openai_lint.rule import Applicability, Finding

from . import harness
from .environment import NEWEST, OLD
from .programs import Program, all_programs

#: rules that name documented errors which get out at a call
HANDLING = ("OAI101", "OAI102", "OAI103", "OAI105", "OAI106")
#: rules after whose fix a call is tried again, and waits in between
RETRYING = ("OAI201", "OAI203", "OAI212")
#: rules that speak of a retry, not of a call: their fixes are seen where a program has one call
OF_POLICIES = ("OAI203", "OAI204", "OAI205", "OAI207", "OAI208", "OAI211", "OAI212")
#: faults that never pass, and what the SDK raises then
PERMANENT = {"bad_request": {"BadRequestError", "InvalidRequestError"}, "auth": {"AuthenticationError"}}
SELECTED = tuple(sorted({*HANDLING, *RETRYING, *OF_POLICIES}))
_SECOND = "the second of two tasks keeps its error when the first one fails: nobody asks for it, before and after"
#: fixes that are right and are seen not to cure, with the reason
EXCUSED = {
    "to_thread_direct_out@0.28": "the harness does not see what a thread sleeps",
    "create_task_dropped@0.28": "nobody waits for the task: the program ends before it tries again",
    "wait_for_out@0.28": "the limit of time around the call ends it before it tries again",
    "run_until_complete_old_loop": _SECOND,
    "run_until_complete_old_loop@0.28": _SECOND,
    "method_reference_partial_guard@0.28": "the guard ends rate limits before the retry around it sees one",
    "r5_hand_timeout_only_retried@0.28": "wait_for makes a task of each call: the harness sees no waits between them",
    "r5_old_async_batch_retries_failed": "the harness does not see who waits where waits and calls are in other tasks",
    "wait_for_in@0.28": "the limit of time around the call ends it before it tries again",
}

SAMPLE = 12


@dataclass(frozen=True)
class Fixed:
    """A program before and after, and the findings that were mended at each of its calls (by number)."""

    before: Program
    after: Program
    mended: dict[int, tuple[Finding, ...]]
    counts: Counter[str]


def fixed(program: Program, release: str) -> Fixed | None:
    """The program as ``--fix --unsafe-fixes`` leaves it; None where there is nothing to mend."""
    overrides = {"unsafe_fixes": True, "sdk": release, "select": SELECTED, "min_severity": "info"}
    config = ConfigSource(overrides=overrides)
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base).resolve() / program.name
        program.write(folder)
        (folder / "openai-lint.toml").write_text("root = true\n")
        first = run([str(folder)], config, fixes=True)
        result = mend([str(folder)], config)
    if not result.changed:
        return None
    files = dict(program.files)
    for path, (_, data) in result.changed.items():
        files[path.removeprefix(f"{folder.as_posix()}/")] = data.decode()
    after = result.report
    # What was refused may fall silent all the same, once the call is retried.
    refused = {code for code in SELECTED if any(f"a fix of {code} was refused" in note for note in result.notes)}
    left = Counter((one.code, one.place.path, _squeezed(after, one)) for one in after.findings)
    mended: dict[int, list[Finding]] = {}
    for finding in first.findings:
        fix = finding.fix
        text = _squeezed(first, finding)
        if fix is None or fix.applicability is Applicability.SUGGESTION or finding.code in refused:
            continue
        if left[finding.code, finding.place.path, text]:
            continue
        path = finding.place.path.removeprefix(f"{folder.as_posix()}/")
        for number, site in enumerate(program.sites()):
            alone = finding.code in OF_POLICIES and len(program.sites()) == 1
            if alone or (site.path == path and site.first <= finding.place.span[0] <= site.last):
                mended.setdefault(number, []).append(finding)
    return Fixed(
        program,
        replace(program, files=files),
        {key: tuple(found) for key, found in mended.items()},
        Counter(result.fixed),
    )


def _squeezed(report: Report, finding: Finding) -> str:
    return " ".join(report.sources.text(finding.place).split())


def chosen(release: str) -> list[Program]:
    return [program for program in all_programs() if program.fits(release, sys.version_info[:2])]


@cache
def fixes(release: str, most: int | None) -> tuple[Fixed, ...]:
    """Every program that a fix changes; with ``most`` some of them, from all over the suite."""
    programs = chosen(release)
    if most is not None:
        programs = programs[:: max(1, len(programs) // (3 * most))]
    found = [one for program in programs if (one := fixed(program, release)) is not None and one.mended]
    return tuple(found if most is None else found[:most])


def judged(release: str, most: int | None) -> tuple[Counter[str], list[str]]:
    """How often a fix of each rule cured, and what it did not."""
    pairs = fixes(release, most)
    assert pairs
    seen = harness.observe([pair.after for pair in pairs], release)
    cured: Counter[str] = Counter()
    wrong: list[str] = []
    for pair in pairs:
        truth = seen[pair.after.name]
        wrong += [f"{pair.after.name}: {problem}" for problem in truth.problems]
        sites = pair.after.sites()
        if len(sites) != len(pair.before.sites()):
            wrong.append(f"{pair.after.name}: calls were lost")
            continue
        for number, findings in pair.mended.items():
            site = truth.sites.get(sites[number].id)
            for finding in findings if site is not None else ():
                complaint = _complaint(finding, site)  # type: ignore[arg-type]
                cured[finding.code] += complaint is None
                if complaint is not None and pair.after.name not in EXCUSED:
                    wrong.append(f"{pair.after.name}: {finding.code} at {sites[number].id}: {complaint}")
    return cured, wrong


def _complaint(finding: Finding, site: harness.SiteTruth) -> str | None:
    """What is wrong with the mended call, if anything is."""
    if finding.code in HANDLING:
        out = sorted(set(finding.errors) & {*site.escapes, *site.lost})
        return f"{', '.join(out)} still out" if out else None
    if finding.code in OF_POLICIES and finding.code not in RETRYING:
        return _of_policy(finding, site.retries)
    retries = site.retries
    calls, waits = retries.calls.get("rate", 0), retries.waits.get("rate", [])
    if calls < 2:  # it is left to the SDK, which begins with half a second
        calls, waits = retries.requests.get("rate", 0), [2 * wait for wait in retries.sdk_waits.get("rate", [])]
    if calls < 2:
        return "one request under a rate limit"
    return None if waits and max(waits) >= 1 else f"waits {waits}"


def _of_policy(finding: Finding, retries: harness.Retries) -> str | None:
    """What is wrong with a mended retry, if anything is."""
    match finding.code:
        case "OAI204":
            again = [
                fault
                for fault, names in PERMANENT.items()
                if names & set(finding.errors) and retries.calls.get(fault, 0) > 1
            ]
            return f"{again} asked again" if again else None
        case "OAI205":
            return f"{retries.unbounded} for ever" if retries.unbounded else None
        case "OAI207":
            asked = retries.requests.get("server", 0)
            return f"{asked} requests" if asked > retries.calls.get("server", 0) else None
        case "OAI208":
            return "one request under a rate limit" if retries.calls.get("rate", 0) < 2 else None
        case _:
            same = retries.waits.get("rate") == retries.low_waits.get("rate")
            return f"always waits {retries.waits.get('rate')}" if same else None


def _steady(value: object) -> list[str]:
    """What is the same in each run: times, addresses and temporary names are not, nor the order of threads."""
    return sorted(re.sub(r"\btmp\w{8}\b|0x[0-9a-f]+|\d+", "0", repr(value)))


def same_when_nothing_fails(pairs: Iterable[Fixed], release: str) -> list[str]:
    """Programs that do something else than before although nothing fails."""
    different = []
    with harness.running(release) as once:
        for pair in pairs:
            before, after = once(pair.before), once(pair.after)
            different += [
                f"{pair.after.name}: {what}: {before.get(what)!r} -> {after.get(what)!r}"
                for what in ("status", "output", "exit", "other")
                if _steady(before.get(what)) != _steady(after.get(what))
            ]
    return different


@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_a_sample_of_fixed_programs_is_cured(release: str) -> None:
    cured, wrong = judged(release, SAMPLE)
    assert wrong == []
    assert cured
    assert same_when_nothing_fails(fixes(release, SAMPLE), release) == []


@pytest.mark.slow
@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_fixed_programs_are_cured(release: str) -> None:
    cured, wrong = judged(release, None)
    print(f"{release}: cured {dict(sorted(cured.items()))} in {len(fixes(release, None))} programs")
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_fixed_programs_do_the_same_when_nothing_fails(release: str) -> None:
    assert same_when_nothing_fails(fixes(release, None), release) == []
