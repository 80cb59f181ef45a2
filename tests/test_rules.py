"""Every rule: its fixture, its page and its name.

Findings equal the marks in both directions, and ``tests/programs.py`` says how a fixture is written.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from openai_lint import rules
from openai_lint.config import ConfigSource
from openai_lint.lint import run
from openai_lint.report import Report
from openai_lint.rule import Finding, Place
from tests import programs
from tests.programs import Program

CODES = [entry.code for entry in rules.catalogue()]
FIXTURES = programs.fixtures()
ALL = [program for code in FIXTURES for program in programs.programs(code)]

BESIDE = {"OAI002": ("OAI101",)}
"""Rules whose page cannot be judged alone: a comment is unused only where the rule that it silences runs."""

HEADINGS = ("Why it matters", "Bad", "Good", "What counts", "Fix")


def lint(*paths: Path) -> Report:
    """The report on files or folders, as their own configuration wants it."""
    report = run([str(path) for path in paths], ConfigSource())
    assert not report.failures, report.failures[0].trace
    return report


def spot(finding: Finding, folder: Path) -> programs.Spot:
    place = finding.place
    return (_path(place, folder), place.cell, place.span[0], finding.code)


def _path(place: Place, folder: Path) -> str:
    return place.path.removeprefix(folder.as_posix() + "/")


def _where(place: Place, folder: Path) -> str:
    cell = "" if place.cell is None else f"{place.cell}:"
    return f"{_path(place, folder)}:{cell}{place.span[0]}"


def said(report: Report, folder: Path) -> str:
    """The findings as a fixture's ``text`` block holds them."""
    lines = []
    for finding in report.findings:
        lines.append(f"{_where(finding.place, folder)}: {finding.code} {finding.message}")
        lines += [f"  {_where(step.place, folder)}: {step.message}" for step in finding.related]
        help_lines = finding.help.splitlines()
        lines += [f"  help: {help_lines[0]}", *(f"  {line}".rstrip() for line in help_lines[1:])]
    return "\n".join(lines) + "\n"


def shown(spots: Counter[programs.Spot] | frozenset[programs.Spot]) -> str:
    return ", ".join(
        f"{path}:{'' if cell is None else f'{cell}:'}{line} {code}" for path, cell, line, code in sorted(spots, key=str)
    )


@pytest.mark.parametrize("program", ALL, ids=str)
def test_the_gate_hides_nothing(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "OAI001" in str(program):
        pytest.skip("a file that cannot be read is told of where it passes the gate")
    program.write(tmp_path)
    through_the_gate = {spot(finding, tmp_path) for finding in lint(tmp_path).findings}
    monkeypatch.setattr("openai_lint.gate.matters", lambda data: True)
    assert {spot(finding, tmp_path) for finding in lint(tmp_path).findings} == through_the_gate


@pytest.mark.parametrize("program", ALL, ids=str)
def test_functions_that_are_not_run_would_say_nothing(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write(tmp_path)
    of_those_that_matter = {spot(finding, tmp_path) for finding in lint(tmp_path).findings}
    monkeypatch.setattr("openai_lint.link.relevance.Relevance.worth", lambda self, cell: True)
    assert {spot(finding, tmp_path) for finding in lint(tmp_path).findings} == of_those_that_matter


@pytest.mark.parametrize("program", ALL, ids=str)
def test_findings_are_what_the_comments_say(program: Program, tmp_path: Path) -> None:
    program.write(tmp_path)
    report = lint(tmp_path)
    found = Counter(spot(finding, tmp_path) for finding in report.findings)
    mended = program.missed & found.keys()
    assert not mended, f"no longer missed, take `miss` away: {shown(frozenset(mended))}"
    gone = program.wrong - found.keys()
    assert not gone, f"no longer found, take the `false` mark away: {shown(gone)}"
    surplus, lacking = found - program.expected, program.expected - found
    text = said(report, tmp_path)
    assert not (surplus or lacking), f"found besides: {shown(surplus)}; not found: {shown(lacking)}\n{text}"
    if program.message is not None:
        assert program.message == text


@pytest.mark.parametrize("program", ALL, ids=str)
def test_the_files_of_a_program_compile(program: Program) -> None:
    for path in program.sources:
        if path.endswith(".py"):
            compile(program.files[path], path, "exec")
    for path, text in program.fixed.items():
        compile(text, path, "exec")


@pytest.mark.parametrize("code", FIXTURES)
def test_a_fixture_has_programs_of_every_kind(code: str) -> None:
    found = programs.programs(code)
    assert any(program.expected for program in found), "nothing that fires"
    assert any(not program.expected and not program.missed for program in found), "no near miss that is silent"
    assert any(program.message for program in found), "the message is asserted nowhere"


def test_every_rule_has_a_fixture_and_the_reverse() -> None:
    assert FIXTURES == CODES


@pytest.mark.parametrize("entry", rules.catalogue(), ids=lambda entry: entry.code)
def test_a_file_is_called_as_its_rule(entry: rules.Entry) -> None:
    rule = rules.load(entry.code)
    assert (rule.code, rule.name) == (entry.code, entry.name)
    assert re.fullmatch(r"OAI\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)


def sections(code: str) -> dict[str, str]:
    """The parts of a rule's page by their headings."""
    parts = re.split(r"^## +(.+)\n", rules.page(code), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_its_headings(code: str) -> None:
    found = list(sections(code))
    kept = [next((known for known in HEADINGS if heading.startswith(known)), heading) for heading in found]
    assert [heading for heading in kept if heading in HEADINGS] == list(HEADINGS)


@pytest.mark.parametrize("section", ["Bad", "Good"])
@pytest.mark.parametrize("code", CODES)
def test_what_a_page_calls_bad_is_found_and_what_it_calls_good_is_not(code: str, section: str, tmp_path: Path) -> None:
    text = sections(code)[section]
    single = [block for block in programs.blocks(text) if block[0] == "py"]
    assert single, "no example"
    # Blocks with names are one program of several files; a block without a name is a program of its own.
    groups = [text] if any(name for _, name, _ in single) else [f"```py\n{content}```" for _, _, content in single]
    for number, group in enumerate(groups):
        folder = tmp_path / str(number)
        (program,) = programs.read(f"## {section}\n\n{group}\n", code)
        program.write(folder, BESIDE.get(code, ()))
        codes = [finding.code for finding in lint(*(folder / name for name in program.files)).findings]
        assert (code in codes) == (section == "Bad"), f"{section} example {number + 1} gives {codes}"
