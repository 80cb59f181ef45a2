"""Fixes, on every program of every fixture: each one mends its finding, adds none, and is done once.

How a program must look afterwards stands in its ``py fixed`` block, where it has one.
"""

from collections import Counter
from pathlib import Path

import pytest

from openai_lint import rules
from openai_lint.config import ConfigSource
from openai_lint.lint import run
from openai_lint.mending import Mended, mend
from openai_lint.report import Report
from openai_lint.rule import Applicability, Finding
from tests import programs
from tests.programs import Program

FIRING = [program for code in programs.fixtures() for program in programs.programs(code) if program.expected]

REFUSED = {
    "OAI101: handlers that let it out again": "the clause that stores the error takes the new one too",
}
"""Programs in which a fix was tried, did not help, and was taken back."""

OF_RETRIES = frozenset({"OAI206"})
"""Remarks (info) that hold of any plain retry: a call that was not retried before earns them by being retried."""

EVERYTHING = ConfigSource(overrides={"unsafe_fixes": True})


def mended(folder: Path, *, unsafe: bool = True) -> Mended:
    """What comes of fixing a folder. The files are written, too."""
    result = mend([str(folder)], EVERYTHING if unsafe else ConfigSource())
    assert not result.report.failures, result.report.failures[0].trace
    for path, (_, after) in result.changed.items():
        Path(path).write_bytes(after)
    return result


def found(report: Report) -> Counter[tuple[str, str]]:
    """The findings by code and path."""
    return Counter((finding.code, finding.place.path) for finding in report.findings)


def applicable(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.applicability is not Applicability.SUGGESTION


@pytest.mark.parametrize("program", FIRING, ids=str)
def test_fixes_mend_what_they_are_for_and_nothing_else_appears(program: Program, tmp_path: Path) -> None:
    program.write(tmp_path)
    first = run([str(tmp_path)], ConfigSource(), fixes=True)
    if not any(applicable(finding) for finding in first.findings):
        assert not program.fixed
        return
    for finding in first.findings:
        level = rules.load(finding.code).fix
        assert finding.fix is None or level is not None
        if finding.fix is not None and finding.fix.applicability is Applicability.SAFE:
            assert level is Applicability.SAFE, "a fix is safer than its rule declares"

    result = mended(tmp_path)
    left = [finding for finding in result.report.findings if applicable(finding)]
    refused = [note for note in result.notes if "refused" in note]
    assert bool(left) == bool(refused) == (str(program) in REFUSED), (left, result.notes)
    assert sum(result.fixed.values()) > 0 or str(program) in REFUSED
    before, after = found(first), found(result.report)
    if "OAI201" in result.fixed:
        after = Counter({key: count for key, count in after.items() if key[0] not in OF_RETRIES})
    assert not after - before, f"findings that were not there before: {after - before}"
    for path, (_, data) in result.changed.items():
        if path.endswith(".py"):
            compile(data, path, "exec")
    again = mended(tmp_path)
    assert not again.changed, "fixing twice is not the same as fixing once"
    for name, text in program.fixed.items():
        assert (tmp_path / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("program", FIRING, ids=str)
def test_without_unsafe_fixes_only_safe_rules_change_anything(program: Program, tmp_path: Path) -> None:
    levels = {rules.load(code).fix for _, _, _, code in program.expected}
    program.write(tmp_path)
    result = mended(tmp_path, unsafe=False)
    assert not result.changed or Applicability.SAFE in levels
    assert all(rules.load(code).fix is Applicability.SAFE for code in result.fixed)


@pytest.mark.parametrize(
    "code", [entry.code for entry in rules.catalogue() if rules.load(entry.code).fix is not Applicability.SUGGESTION]
)
def test_a_rule_that_declares_a_fix_makes_one(code: str, tmp_path: Path) -> None:
    if rules.load(code).fix is None:
        pytest.skip("declares none")
    for number, program in enumerate(program for program in FIRING if program.rule == code):
        folder = tmp_path / str(number)
        program.write(folder)
        report = run([str(folder)], ConfigSource(), fixes=True)
        if any(finding.code == code and applicable(finding) for finding in report.findings):
            return
    pytest.fail("no program of its fixture gets an edit")


@pytest.mark.parametrize("release", ["0.28", "3.54.0"])
def test_no_edit_in_a_file_for_several_releases(release: str, tmp_path: Path) -> None:
    """Each names its errors otherwise: what is right for one is an ImportError in the other."""
    (tmp_path / "main.py").write_text(FOR_SEVERAL, encoding="utf-8")
    report = run([str(tmp_path)], ConfigSource(overrides={"sdk": release, "unsafe_fixes": True}), fixes=True)
    handling = [finding for finding in report.findings if finding.code in ("OAI102", "OAI103", "OAI201")]
    assert handling
    assert not any(applicable(finding) for finding in handling)


FOR_SEVERAL = """\
import openai

NEW = hasattr(openai, "OpenAI")

if NEW:
    from openai import APIConnectionError, RateLimitError
else:
    from openai.error import APIConnectionError, RateLimitError


def create(**kwargs):
    if NEW:
        return openai.OpenAI().chat.completions.create(**kwargs)
    return openai.ChatCompletion.create(**kwargs)


try:
    print(create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}]))
except (RateLimitError, APIConnectionError) as error:
    print("later:", error)
"""
