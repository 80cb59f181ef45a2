"""Rounds of fixes: what did not help is taken back, and facts are kept from one round to the next."""

from importlib import import_module
from pathlib import Path

import pytest

from openai_lint import mending
from openai_lint.config import ConfigSource
from openai_lint.mending import mend
from openai_lint.rewrites import InsertBefore, Replace, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from tests.fakes import CALL, on_calls, tree, with_rules

lint = import_module("openai_lint.lint")
UNSAFE = ConfigSource(overrides={"unsafe_fixes": True})


def rule_with(step_of: object) -> Rule:
    """A rule that reports every API call, with a rewrite of one step."""
    plain = on_calls("OAI101", "unhandled-error")

    def check(project):  # type: ignore[no-untyped-def]
        for hit in plain.check(project):
            module = next(module for module in project.modules if module.path == hit.place.path)
            call = next(call for call in project.calls if call.module is module)
            step = step_of(call.site.node)  # type: ignore[operator]
            yield Hit(hit.place, hit.message, hit.help, rewrite=Rewrite(module.path, "try it", (step,)))

    return Rule("OAI101", "unhandled-error", Severity.ERROR, check, fix=Applicability.UNSAFE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tree(tmp_path, {".git/HEAD": "", "a.py": CALL})


def test_a_fix_that_does_not_help_is_taken_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_rules(monkeypatch, rule_with(lambda node: InsertBefore((4, 1, 4, 1), "x = 1")))
    result = mend(["a.py"], UNSAFE)
    assert not result.changed
    assert result.notes == ("a.py: a fix of OAI101 was refused: it would not mend the finding",)
    assert [finding.code for finding in result.report.findings] == ["OAI101"]


def test_fixes_that_go_in_a_circle_come_to_an_end(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(node):  # type: ignore[no-untyped-def]
        # The call under another name, and back: the finding is never the same, and never gone.
        first = node.args[0].value
        return Replace(first.span, '"n"' if first.value == "m" else '"m"')

    with_rules(monkeypatch, rule_with(other))
    result = mend(["a.py"], UNSAFE)
    assert len(result.notes) == 1
    assert "refused" in result.notes[0]


def test_an_edit_whose_result_is_no_python_is_not_made(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_rules(monkeypatch, rule_with(lambda node: Replace(node.span, "(")))
    report = lint.run(["a.py"], UNSAFE, fixes=True)
    assert report.findings[0].fix is None
    assert any("OAI101 has no edit" in note for note in report.notes)


def test_only_changed_files_are_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(project, {"b.py": CALL, "c.py": "from b import client\n"})
    read: list[str] = []
    plain = lint._extract

    def extract(path: str, data: bytes):  # type: ignore[no-untyped-def]
        read.append(path.rpartition("/")[2])
        return plain(path, data)

    monkeypatch.setattr(lint, "_extract", extract)
    result = mend(["a.py"], UNSAFE)
    assert [path.rpartition("/")[2] for path in result.changed] == ["a.py"]
    assert read.count("b.py") == 1
    assert read.count("a.py") == 2


def test_what_other_processes_read_can_be_fixed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openai_lint import parallel

    monkeypatch.setattr(parallel, "WORTH_A_CHILD", 1)
    for name in "bcdefg":
        (project / f"{name}.py").write_text(CALL)
    result = mend(["."], ConfigSource(overrides={"unsafe_fixes": True, "jobs": 3}))
    assert len(result.changed) == 7


def test_the_number_of_rounds_is_bounded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_rules(monkeypatch, rule_with(lambda node: Replace(node.args[1].value.span, f'"{node.args[1].value.value}!"')))
    result = mend(["a.py"], UNSAFE)
    assert result.notes == (f"stopped fixing after {mending.MOST_ROUNDS} rounds; run again for the rest",)
