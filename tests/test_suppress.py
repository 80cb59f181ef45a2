"""Comments that silence: which findings they drop, where they must stand, and which of them are unused."""

import json
from pathlib import Path

import pytest

from openai_lint.facts import Cell, Comment
from openai_lint.rule import Severity
from openai_lint.suppress import Silencers, without
from tests.fakes import CALL, KEY, on_calls, run, tree, with_rules

NAMES = {
    "unhandled-error": "OAI101",
    "missing-backoff": "OAI201",
    "hardcoded-api-key": "OAI301",
    "unused-suppression": "OAI002",
}


def _silencers(text: str, line: int = 3) -> Silencers:
    return Silencers([Comment(line, 10, text)])


@pytest.mark.parametrize(
    ("comment", "code", "silenced"),
    [
        ("# openai-lint: ignore[OAI101] the caller handles it", "OAI101", True),
        ("# openai-lint:ignore[oai101]", "OAI101", True),
        ("# openai-lint: ignore[unhandled-error]", "OAI101", True),
        ("# openai-lint: ignore[OAI201, OAI101]", "OAI101", True),
        ("# openai-lint: ignore[OAI1]", "OAI101", True),
        ("# openai-lint: ignore[OAI201]", "OAI101", False),
        ("# openai-lint: ignore", "OAI101", True),
        ("# openai-lint: ignore", "OAI301", False),
        ("# openai-lint: ignore[]", "OAI101", False),
        ("# openai-lint: ignored[OAI101]", "OAI101", False),
        ("# nosec openai-lint: ignore[OAI101]", "OAI101", False),
        ("# type: ignore # openai-lint: ignore[OAI101]", "OAI101", True),
        ("# noqa: OAI101", "OAI101", True),
        ("# noqa: E501, OAI101", "OAI101", True),
        ("# noqa: E501 OAI101 long", "OAI101", True),
        ("# noqa:E501,OAI101", "OAI101", True),
        ("# NOQA: oai101", "OAI101", True),
        ("# noqa: E501", "OAI101", False),
        ("# noqa", "OAI101", True),
        ("# noqa", "OAI301", False),
        ("# noqa", "OAI303", False),
        ("# noqa: OAI301", "OAI301", True),
        ("# noqa because of the tests", "OAI101", True),
        ("# noqalify", "OAI101", False),
        ("# pragma: allowlist secret", "OAI301", True),
        ("# pragma: allowlist secret", "OAI101", False),
        ("# gitleaks:allow", "OAI302", True),
        ("# a comment on openai-lint", "OAI101", False),
    ],
)
def test_what_a_comment_silences(comment: str, code: str, silenced: bool) -> None:
    name = {code: name for name, code in NAMES.items()}.get(code, "?")
    assert _silencers(comment).silence(code, name, [(None, 3)]) is silenced
    assert not _silencers(comment).silence(code, name, [(None, 4)])


def test_a_comment_for_the_file_counts_on_every_line() -> None:
    silencers = _silencers("# openai-lint: ignore-file[OAI101] a demo")
    assert silencers.silence("OAI101", "unhandled-error", [(None, 99)])
    assert not silencers.silence("OAI201", "missing-backoff", [(None, 3)])


def test_lines_of_a_notebook_count_in_their_cell() -> None:
    cells = (Cell(2, 1, 4), Cell(5, 5, 3))
    silencers = Silencers([Comment(6, 1, "# noqa: OAI101")], cells)
    assert silencers.silence("OAI101", "unhandled-error", [(5, 2)])
    assert not silencers.silence("OAI101", "unhandled-error", [(2, 2)])
    assert silencers.cell_of(6) == (5, 2)
    assert silencers.cell_of(4) == (2, 4)


@pytest.mark.parametrize(
    ("comment", "ran", "idle"),
    [
        ("# openai-lint: ignore[OAI101]", {"OAI101"}, ("OAI101",)),
        ("# openai-lint: ignore[unhandled-error]", {"OAI101"}, ("unhandled-error",)),
        ("# openai-lint: ignore[OAI101]", {"OAI201"}, None),
        ("# openai-lint: ignore[OAI101, OAI201]", {"OAI101"}, ("OAI101",)),
        ("# openai-lint: ignore[OAI999]", {"OAI101"}, ("OAI999",)),
        ("# openai-lint: ignore[OAI1]", {"OAI101"}, ("OAI1",)),
        ("# openai-lint: ignore[OAI]", {"OAI101"}, ("OAI",)),
        ("# openai-lint: ignore[OAI002]", set(NAMES.values()), None),
        ("# openai-lint: ignore", set(NAMES.values()), ()),
        ("# openai-lint: ignore", {"OAI101"}, None),
        ("# noqa: OAI101", {"OAI101"}, ("OAI101",)),
        ("# noqa: E501", {"OAI101"}, None),
        ("# noqa: E501, OAI101", {"OAI101"}, ("OAI101",)),
        ("# noqa", set(NAMES.values()), None),
        ("# pragma: allowlist secret", set(NAMES.values()), None),
    ],
)
def test_what_is_unused(comment: str, ran: set[str], idle: tuple[str, ...] | None) -> None:
    found = _silencers(comment).unused(frozenset(ran), NAMES)
    assert [codes for _, codes in found] == ([] if idle is None else [idle])


def test_what_silences_is_not_unused() -> None:
    silencers = _silencers("# openai-lint: ignore[OAI101, OAI201]")
    assert silencers.silence("OAI101", "unhandled-error", [(None, 3)])
    assert [codes for _, codes in silencers.unused(frozenset(NAMES.values()), NAMES)] == [("OAI201",)]


@pytest.mark.parametrize(
    ("comment", "idle", "left"),
    [
        ("# openai-lint: ignore[OAI101] a reason", ["OAI101"], ""),
        ("# openai-lint: ignore[OAI101, OAI201] a reason", ["OAI101"], "# openai-lint: ignore[OAI201] a reason"),
        ("# openai-lint: ignore", [], ""),
        ("# type: ignore # openai-lint: ignore[OAI101]", ["OAI101"], "# type: ignore"),
        ("# openai-lint: ignore[OAI101] why # nosec", ["OAI101"], "# nosec"),
        ("# noqa: E501, OAI101", ["OAI101"], "# noqa: E501"),
        ("# noqa: OAI101", ["OAI101"], ""),
        ("# noqa: OAI101 # type: ignore", ["OAI101"], "# type: ignore"),
    ],
)
def test_what_is_left_of_a_comment(comment: str, idle: list[str], left: str) -> None:
    assert without(comment, idle) == left


# --- in the pipeline


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with_rules(
        monkeypatch, on_calls("OAI101", "unhandled-error"), on_calls("OAI201", "missing-backoff", Severity.WARNING)
    )
    monkeypatch.chdir(tmp_path)
    return tree(tmp_path, {".git/HEAD": ""})


@pytest.mark.parametrize(
    ("before", "last", "codes"),
    [
        ("", "", ["OAI101", "OAI201"]),
        ("", "  # openai-lint: ignore[OAI101]", ["OAI201"]),
        ("# openai-lint: ignore-file[OAI1, OAI2]\n", "", []),
        ("", "  # noqa", []),
        ("", "  # openai-lint: ignore[OAI101, OAI301]", ["OAI201", "OAI002"]),
        ("", "  # openai-lint: ignore[OAI101, OAI201, OAI002, OAI301]", []),
        ("x = 1  # openai-lint: ignore[OAI101]\n", "", ["OAI002", "OAI101", "OAI201"]),
        ("x = 1  # openai-lint: ignore[OAI101, OAI002]\n", "", ["OAI101", "OAI201"]),
    ],
)
def test_in_the_pipeline(project: Path, before: str, last: str, codes: list[str]) -> None:
    tree(project, {"a.py": before + CALL.rstrip() + last + "\n"})
    done = run("--output-format", "concise")
    assert [line.split()[1] for line in done.out.splitlines()] == codes


def test_first_and_last_line_of_a_call_count(project: Path) -> None:
    body = 'from openai import OpenAI\nOpenAI().responses.create({}\n    model="m",{}\n    input="hi",\n){}\n'
    for first, middle, last, codes in (
        ("  # noqa: OAI101", "", "", ["OAI201"]),
        ("", "", "  # noqa: OAI101", ["OAI201"]),
        ("", "  # noqa: OAI101", "", ["OAI002", "OAI101", "OAI201"]),
    ):
        tree(project, {"a.py": body.format(first, middle, last)})
        found = run("--output-format", "concise").out.splitlines()
        assert sorted(line.split()[1] for line in found) == codes


def test_the_summary_counts_what_is_silenced(project: Path) -> None:
    tree(project, {"a.py": CALL.rstrip() + "  # noqa: OAI101, OAI201\n"})
    done = run()
    assert done.code == 0
    assert done.out == "No findings; 1 file checked.\nSilenced by comments: 2.\n"


def test_a_comment_in_a_file_that_does_not_matter_is_judged(project: Path) -> None:
    tree(project, {"a.py": "x = 1  # openai-lint: ignore[OAI101]\n"})
    done = run("--output-format", "concise")
    assert done.out == "a.py:1:8: OAI002 this comment silences no finding of OAI101\n"


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("x = 1  # openai-lint: ignore[OAI101]\ny = 2\n", "x = 1\ny = 2\n"),
        ("# openai-lint: ignore[OAI101]\ny = 2\n", "y = 2\n"),
        ("é = 1  # noqa: OAI101, E501\n", "é = 1  # noqa: E501\n"),
    ],
)
def test_the_fix_of_an_unused_comment(project: Path, line: str, mended: str) -> None:
    tree(project, {"a.py": line})
    (found,) = json.loads(run("--output-format", "json").out)["findings"]
    assert found["fix"]["applicability"] == "safe"
    (edit,) = found["fix"]["edits"]
    lines = line.splitlines(keepends=True)
    offset = [sum(map(len, lines[: edit[end]["line"] - 1])) + edit[end]["column"] - 1 for end in ("start", "end")]
    assert line[: offset[0]] + edit["content"] + line[offset[1] :] == mended


def test_keys_in_a_comment_are_not_shown(project: Path) -> None:
    tree(project, {"a.py": f"x = 1  # openai-lint: ignore[OAI101] was {KEY}\n"})
    for name in ("text", "json", "concise", "sarif", "github", "gitlab", "junit"):
        done = run("--output-format", name)
        assert "OAI002" in done.out
        assert KEY[20:] not in done.out
