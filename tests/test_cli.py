"""The command line: exit codes, options, what it says when something is wrong, and what it never imports."""

import json
import os
import pickle
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

import openai_lint
from openai_lint import cli, guide, rules, selection
from openai_lint.config import Config, Selection
from openai_lint.escapes import Leaks
from openai_lint.explain import explain
from openai_lint.link.walk import Walk
from openai_lint.rule import Hit, Place, Related, Rule, Severity
from tests.fakes import CALL, on_calls, run, tree, with_rules

HERE = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository; the rules OAI101 (error), OAI107 (warning), OAI202 (info), OAI104 (off) see each call."""
    with_rules(
        monkeypatch,
        on_calls("OAI101", "unhandled-error"),
        on_calls("OAI104", "unhandled-after-retries", Severity.WARNING, default=False),
        on_calls("OAI107", "swallowed-error", Severity.WARNING),
        on_calls("OAI202", "bulk-on-default-retries", Severity.INFO),
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tree(tmp_path, {".git/HEAD": ""})


def codes(*arguments: str) -> list[str]:
    """The codes of the findings of a run."""
    return [found["code"] for found in json.loads(run("--output-format", "json", *arguments).out)["findings"]]


# --- exit codes

EXITS = [
    (0, ["clean.py"]),
    (0, ["empty"]),
    (0, []),
    (1, ["call.py"]),
    (1, ["."]),
    (0, ["call.py", "--exit-zero"]),
    (0, ["call.py", "--select", "OAI2"]),
    (0, ["call.py", "--select", "OAI202"]),
    (1, ["call.py", "--select", "OAI2", "--fail-on", "info"]),
    (1, ["call.py", "--select", "OAI107"]),
    (0, ["call.py", "--select", "OAI107", "--fail-on", "error"]),
    (0, ["call.py", "--statistics", "--exit-zero"]),
    (1, ["call.py", "--statistics"]),
    (0, ["call.py", "--inventory"]),
    (0, ["--list-rules"]),
    (0, ["--explain", "429"]),
    (0, ["--version"]),
    (0, ["--help"]),
    (0, ["--show-files"]),
    (0, ["--show-settings"]),
    (2, ["nowhere.py"]),
    (2, ["call.py", "nowhere.py"]),
    (2, ["--select", "OAI9", "clean.py"]),
    (2, ["--ignore", "unhandled-eror", "clean.py"]),
    (2, ["--per-file-ignores", "a.py", "clean.py"]),
    (2, ["--per-file-ignores", "a.py:OAI9", "clean.py"]),
    (2, ["--explain", "nothing"]),
    (2, ["--no-such-option"]),
    (2, ["--output-format", "xml"]),
    (2, ["--config", "nowhere.toml"]),
    (2, ["--config", "bad.toml", "clean.py"]),
    (2, ["--config", "clean.toml", "--isolated", "clean.py"]),
    (2, ["--sdk", "1"]),
    (2, ["--inventory", "--output-format", "sarif", "call.py"]),
    (2, ["--baseline", "nowhere.json", "call.py"]),
    (2, ["--baseline", "clean.toml", "call.py"]),
    (2, ["--write-baseline", "call.py"]),
    (2, ["--output-file", "nowhere/out.txt", "call.py"]),
]


@pytest.mark.parametrize(
    ("code", "arguments"), EXITS, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_exit_codes(project: Path, code: int, arguments: list[str]) -> None:
    tree(
        project,
        {
            "call.py": "" if not arguments else CALL,
            "clean.py": "x = 1\n",
            "bad.toml": "selekt = []",
            "clean.toml": "",
            "empty/.keep": "",
        },
    )
    done = run(*arguments)
    assert done.code == code, done
    assert "Traceback" not in done.err
    if code == 2:
        assert done.out == ""
        assert done.err.count("\n") == 1
        assert done.err.startswith("openai-lint: ")


MESSAGES = [
    (["nowhere.py"], "openai-lint: no such file or folder: nowhere.py\n"),
    (
        ["--select", "OAI1O1"],
        "openai-lint: --select: no rule matches 'OAI1O1'; did you mean \"OAI101\"? {hint}\n",
    ),
    (
        ["--ignore", "swalowed-error"],
        "openai-lint: --ignore: no rule matches 'swalowed-error'; did you mean \"swallowed-error\"? {hint}\n",
    ),
    (
        ["--explain", "RateLimitEror"],
        "openai-lint: --explain: nothing is known about 'RateLimitEror'; did you mean \"RateLimitError\"?\n",
    ),
    (["--config", "none.toml"], "openai-lint: {here}/none.toml: no such configuration file\n"),
    (["--config", "bad.toml"], 'openai-lint: {here}/bad.toml: selekt: unknown key; did you mean "select"?\n'),
    (
        ["--sdk", "1"],
        'openai-lint: --sdk: expected a release in two or three parts, such as "1.109" or "3.54.0", found \'1\'\n',
    ),
    (["--write-baseline"], "openai-lint: --write-baseline needs --baseline FILE, or baseline in the configuration\n"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), MESSAGES, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_messages_name_the_culprit_and_the_remedy(project: Path, arguments: list[str], message: str) -> None:
    tree(project, {"bad.toml": "selekt = []"})
    hint = "(openai-lint --list-rules shows them all)"
    assert run(*arguments).err == message.replace("{here}", str(project)).replace("{hint}", hint)


def test_an_unknown_rule_in_a_configuration_names_file_and_key(project: Path) -> None:
    tree(project, {"openai-lint.toml": "select = ['OAI77']", "a.py": ""})
    done = run()
    assert done.code == 2
    assert done.err.startswith(f"openai-lint: {project}/openai-lint.toml: select: no rule matches 'OAI77'")


# --- failures of the linter itself


def test_a_rule_that_raises_does_not_stop_the_others(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(found):  # type: ignore[no-untyped-def]
        for call in found.calls:
            place = found.place(call.module, call.site.node.span)
            yield Hit(place, "found before it fell", "help")
            raise ValueError("broken\nin two lines")

    with_rules(
        monkeypatch,
        Rule("OAI102", "unhandled-transient-error", Severity.ERROR, check),
        on_calls("OAI101", "unhandled-error"),
    )
    tree(project, {"a.py": CALL})
    done = run("--output-format", "concise")
    assert done.code == 3
    assert [line.split()[1] for line in done.out.splitlines()] == ["OAI101", "OAI102"]
    assert done.err == (
        f"openai-lint: rule OAI102 failed at {project}/a.py: ValueError: broken in two lines; {cli.REPORT_TO}\n"
    )
    assert "Traceback" in run("--verbose").err


def test_a_function_that_cannot_be_followed_does_not_stop_the_others(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the linker trips over, the rest of the project is judged."""
    walk = Walk.run

    def fall(self: Walk) -> Leaks:
        if self.frame.function is not None and self.frame.function.name == "odd":
            raise RecursionError("too deep")
        return walk(self)

    monkeypatch.setattr(Walk, "run", fall)
    head, call = CALL.rsplit("\n\n", 1)[0], "client.responses.create(model='m', input='hi')"
    tree(project, {"a.py": CALL, "b.py": f"{head}\n\nclient = OpenAI()\n\n\ndef odd():\n    {call}\n"})
    done = run("--output-format", "concise", "--select", "OAI101")
    assert done.code == 3
    assert [line.partition(":")[0] for line in done.out.splitlines()] == ["a.py"]
    assert done.err == (
        f"openai-lint: following the errors of a function failed at {project}/b.py:6: RecursionError: too deep; "
        f"{cli.REPORT_TO}\n"
    )


def test_an_internal_error_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object, **__: object) -> None:
        raise RuntimeError("x\ny")

    monkeypatch.setattr(sys.modules["openai_lint.lint"], "run", fall)
    done = run()
    assert (done.code, done.out) == (3, "")
    assert done.err == f"openai-lint: internal error: RuntimeError: x y; {cli.REPORT_TO}\n"
    assert "Traceback" in run("-v").err


def test_an_interrupt_is_quiet(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["openai_lint.lint"], "run", interrupt)
    assert run().code == 130


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    tree(tmp_path, {"bad.py": "import openai\ndef f(:\n"})
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "openai_lint", str(tmp_path)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=HERE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


# --- what is imported

HEAVY = ("libcst", "openai_lint.extract", "openai_lint.link", "tomli", "concurrent.futures", "asyncio")


def _imported(tmp_path: Path, *arguments: str) -> set[str]:
    program = (
        "import sys\nfrom openai_lint.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=True)
    return set(done.stderr.split())


def test_where_nothing_matters_libcst_is_never_imported(tmp_path: Path) -> None:
    tree(tmp_path, {".git/HEAD": "", "a.py": "import os\n", "b/c.py": "x = 'OpenAI'\n", "n.ipynb": '{"cells": []}'})
    modules = _imported(tmp_path)
    assert "openai_lint.files" in modules
    assert not modules & set(HEAVY)
    tree(tmp_path, {"d.py": CALL})
    assert "libcst" in _imported(tmp_path)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_questions_about_the_tool_are_answered_at_once(tmp_path: Path, option: str) -> None:
    assert not _imported(tmp_path, option) & set(HEAVY)


# --- files that cannot be read


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("bad.py", b"import openai\ndef f(:\n", "bad.py:2:"),
        ("plain.py", b"def f(:\n", "plain.py:1:"),
        ("latin.py", "# é\nimport openai\n".encode("latin-1"), "latin.py:1:"),
        ("nul.py", b"import openai\n\0\n", "nul.py:2:"),
        ("notebook.ipynb", b"{", "notebook.ipynb:1:"),
        ("deep.py", b"import openai\nx = " + b"(" * 5000 + b")" * 5000, "deep.py:2:"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding_and_the_run_goes_on(
    project: Path, name: str, content: bytes, where: str
) -> None:
    tree(project, {name: content, "a.py": CALL})
    done = run("--output-format", "concise", name, "a.py", "--select", "OAI001,OAI101")
    assert done.code == 1
    lines = {line.split()[1]: line for line in done.out.splitlines()}
    assert set(lines) == {"OAI001", "OAI101"}
    assert lines["OAI001"].startswith(where)


def test_a_broken_cell_is_a_finding(project: Path) -> None:
    cells = [{"cell_type": "code", "source": [text]} for text in ("import openai", "def f(:", CALL)]
    tree(project, {"n.ipynb": json.dumps({"cells": cells, "nbformat": 4, "metadata": {}})})
    done = run("--output-format", "concise", "--min-severity", "info", "--select", "OAI001,OAI101")
    first, second = done.out.splitlines()
    assert first.startswith("n.ipynb:cell 2:1:")
    assert "OAI001 this cell was not checked" in first
    assert second.startswith("n.ipynb:cell 3:4:7: OAI101 ")


def test_in_a_folder_only_files_that_speak_of_openai_are_held_against_the_grammar(project: Path) -> None:
    tree(project, {"bad.py": "def f(:\n", "worse.py": "from openai.types import x\ndef f(:\n"})
    done = run("--output-format", "concise")
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["worse.py"]


# --- which findings

SELECTIONS = [
    ([], ["OAI101", "OAI107"]),
    (["--min-severity", "info"], ["OAI101", "OAI107", "OAI202"]),
    (["--min-severity", "error"], ["OAI101"]),
    (["--fail-on", "info"], ["OAI101", "OAI107", "OAI202"]),
    (["--select", "ALL"], ["OAI101", "OAI104", "OAI107"]),
    (["--select", "OAI1"], ["OAI101", "OAI104", "OAI107"]),
    (["--select", "OAI10,OAI202"], ["OAI101", "OAI104", "OAI107", "OAI202"]),
    (["--select", "oai101"], ["OAI101"]),
    (["--select", "unhandled-error"], ["OAI101"]),
    (["--select", "OAI101", "--select", "OAI107"], ["OAI101", "OAI107"]),
    (["--select", "OAI2"], []),
    (["--select", "OAI202"], ["OAI202"]),
    (["--extend-select", "OAI104"], ["OAI101", "OAI104", "OAI107"]),
    (["--ignore", "OAI1"], []),
    (["--ignore", "OAI1", "--extend-select", "OAI107"], ["OAI107"]),
    (["--select", "ALL", "--ignore", "OAI104"], ["OAI101", "OAI107"]),
    (["--select", "OAI101", "--ignore", "OAI1"], ["OAI101"]),
    (["--select", "OAI1", "--ignore", "OAI101"], ["OAI104", "OAI107"]),
    (["--per-file-ignores", "a.py:OAI101"], ["OAI107"]),
    (["--per-file-ignores", "*.py:OAI101,a.py:swallowed-error"], []),
    (["--per-file-ignores", "b.py:OAI101"], ["OAI101", "OAI107"]),
]


@pytest.mark.parametrize(("arguments", "found"), SELECTIONS, ids=lambda value: " ".join(value))
def test_selection(project: Path, arguments: list[str], found: list[str]) -> None:
    tree(project, {"a.py": CALL})
    assert codes(*arguments) == found


def test_the_command_line_selects_over_the_configuration(project: Path) -> None:
    tree(project, {"a.py": CALL, "openai-lint.toml": "select = ['OAI104']\nignore = ['OAI107']"})
    assert codes() == ["OAI104"]
    assert codes("--extend-select", "OAI101") == ["OAI101", "OAI104"]
    assert codes("--select", "OAI1") == ["OAI101", "OAI104", "OAI107"]
    assert codes("--isolated") == ["OAI101", "OAI107"]


def test_severity_of_single_rules(project: Path) -> None:
    tree(project, {"a.py": CALL, "openai-lint.toml": "severity = {OAI101 = 'info', bulk-on-default-retries = 'error'}"})
    assert codes() == ["OAI107", "OAI202"]
    assert "Not shown: 1 info" in run().out


def test_each_file_has_its_own_configuration(project: Path) -> None:
    tree(project, {"a.py": CALL, "b/a.py": CALL, "b/openai-lint.toml": "select = ['OAI104']\nfail-on = 'error'"})
    assert codes() == ["OAI101", "OAI107", "OAI104"]
    assert run("b").code == 0


def test_tests_get_only_what_judges_tests(project: Path) -> None:
    tree(project, {"tests/a.py": CALL, "test_b.py": CALL + "x = (\n"})
    assert codes() == ["OAI001"]
    tree(project, {"openai-lint.toml": "lint-tests = true"})
    assert codes() == ["OAI001", "OAI101", "OAI107"]


def test_notebooks_are_mild(project: Path) -> None:
    cells = [{"cell_type": "code", "source": CALL}]
    tree(project, {"n.ipynb": json.dumps({"cells": cells, "nbformat": 4, "metadata": {}})})
    assert codes() == ["OAI107"]
    assert codes("--select", "OAI101") == ["OAI101"]
    assert run("--select", "OAI101").code == 0
    tree(project, {"openai-lint.toml": "lint-notebooks = true"})
    assert codes() == ["OAI101", "OAI107"]


NOISE = [
    (["OAI101", "OAI105"], ["OAI105"]),
    (["OAI101", "OAI106", "OAI109"], ["OAI106"]),
    (["OAI107", "OAI108"], ["OAI107"]),
    (["OAI205", "OAI207", "OAI203"], ["OAI203", "OAI205"]),
    (["OAI301", "OAI302", "OAI303", "OAI304"], ["OAI304"]),
    (["OAI301", "OAI302"], ["OAI301"]),
    (["OAI101", "OAI201", "OAI301", "OAI405"], ["OAI301", "OAI405"]),
    (["OAI102", "OAI103", "OAI201"], ["OAI102", "OAI103", "OAI201"]),
]


@pytest.mark.parametrize(("fired", "kept"), NOISE, ids=lambda value: " ".join(value))
def test_the_noise_policy(project: Path, monkeypatch: pytest.MonkeyPatch, fired: list[str], kept: list[str]) -> None:
    with_rules(monkeypatch, *(on_calls(code, f"rule-{code.lower()}") for code in fired))
    tree(project, {"a.py": CALL})
    assert codes() == kept


def test_a_rule_that_says_the_same_twice_is_heard_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = on_calls("OAI101", "unhandled-error")
    with_rules(
        monkeypatch, Rule(one.code, one.name, one.severity, lambda found: [*one.check(found), *one.check(found)])
    )
    tree(project, {"a.py": CALL})
    assert codes() == ["OAI101"]


def test_a_finding_is_reported_where_its_path_touches_a_given_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(found):  # type: ignore[no-untyped-def]
        for call in found.calls:
            place = found.place(call.module, call.site.node.span)
            caller = Related(Place(f"{project}/main.py", None, (2, 1, 2, 4)), "called here")
            yield Hit(place, "escapes", "help", call="responses.create", related=(caller,))

    with_rules(monkeypatch, Rule("OAI101", "unhandled-error", Severity.ERROR, check))
    tree(project, {"ask.py": CALL, "main.py": "import ask\nask\n", "other.py": ""})
    (here,) = json.loads(run("--output-format", "json", "ask.py").out)["findings"]
    (there,) = json.loads(run("--output-format", "json", "main.py").out)["findings"]
    assert (here["path"], there["path"]) == ("ask.py", "main.py")
    assert (there["start"], there["related"][0]["path"]) == ({"line": 2, "column": 1}, "ask.py")
    assert here["fingerprint"] == there["fingerprint"]
    assert run("other.py").code == 0


def test_fingerprints_stay_when_lines_move_and_differ_between_calls(project: Path) -> None:
    def marks() -> list[str]:
        return [
            found["fingerprint"]
            for found in json.loads(run("--output-format", "json", "--select", "OAI101").out)["findings"]
        ]

    tree(project, {"a.py": CALL + CALL.split("\n")[3] + "\n"})
    before = marks()
    tree(project, {"a.py": "# moved\n\n" + (CALL + CALL.split("\n")[3]).replace("  ", " ") + "\n"})
    assert marks() == before
    assert len(set(before)) == 2


# --- input and output


def test_standard_input(project: Path) -> None:
    done = run("-", "--output-format", "concise", "--select", "OAI101", stdin=CALL.encode())
    assert done.out == "<stdin>:4:7: OAI101 OAI101 speaks of responses.create\n"
    tree(project, {"sub/openai-lint.toml": "select = ['OAI107']"})
    for dash in (["-"], []):
        named = run(*dash, "--stdin-filename", "sub/x.py", "--output-format", "concise", stdin=CALL.encode())
        assert named.out == "sub/x.py:4:7: OAI107 OAI107 speaks of responses.create\n"


def test_quiet_prints_findings_only(project: Path) -> None:
    assert run("-q").out == run("-q").err == ""
    tree(project, {"a.py": CALL})
    assert "files checked" not in run("-q").out


def test_a_folder_without_python_says_so(project: Path) -> None:
    assert run().err == "openai-lint: no Python files found in the given paths\n"


def test_verbose_says_what_was_skipped(project: Path) -> None:
    tree(project, {"build/a.py": CALL, "b.py": ""})
    assert "build/a.py: excluded" in run("-v", "--force-exclude", "build/a.py").err
    assert "1 files checked, 0 of the project's files parsed" in run("-v").err


def test_output_goes_to_a_file(project: Path) -> None:
    tree(project, {"a.py": CALL})
    done = run("--output-file", "out.txt", "--output-format", "concise")
    assert (done.code, done.out) == (1, "")
    assert (project / "out.txt").read_text().startswith("a.py:4:7: OAI101 ")


def test_colour(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(project, {"a.py": CALL})
    assert "\x1b[" not in run().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run().out
    assert "\x1b[" not in run("--output-format", "concise").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run().out


def test_a_baseline_hides_what_it_knows(project: Path) -> None:
    tree(project, {"a.py": CALL})
    written = run("--baseline", "known.json", "--write-baseline")
    assert written.code == 0
    assert written.err == f"openai-lint: 2 findings written to {project}/known.json\n"
    known = run("--baseline", "known.json")
    assert known.code == 0
    assert "Not shown: 2 in the baseline." in known.out
    tree(project, {"b.py": CALL, "openai-lint.toml": "baseline = 'known.json'"})
    assert {found["path"] for found in json.loads(run("--output-format", "json").out)["findings"]} == {"b.py"}


def test_show_settings_and_files(project: Path) -> None:
    tree(
        project,
        {"a.py": "", "b/c.py": "", "b/openai-lint.toml": "sdk = '1.40'\nper-file-ignores = {'x.py' = ['OAI1']}"},
    )
    assert run("--show-files").out == "a.py\nb/c.py\n"
    shown = run("--show-settings", "b").out
    assert shown.startswith(f"# {project}/b/openai-lint.toml\n")
    assert 'sdk = "1.40"' in shown
    assert 'per-file-ignores = { "x.py" = ["OAI1"] }' in shown
    import tomli

    assert set(tomli.loads(shown)) <= set(openai_lint.config.KEYS)  # type: ignore[attr-defined]


def test_statistics(project: Path) -> None:
    tree(project, {"a.py": CALL, "b.py": CALL})
    assert run("--statistics").out == "2  OAI101  unhandled-error\n2  OAI107  swallowed-error\n"


def test_inventory_lists_calls_of_given_paths_only(project: Path) -> None:
    tree(project, {"a.py": CALL, "b.py": CALL, "tests/c.py": CALL})
    listed = json.loads(run("--inventory", "--output-format", "json", "b.py", "tests").out)["calls"]
    assert [call["path"] for call in listed] == ["b.py", "tests/c.py"]
    tree(project, {"empty.py": ""})
    assert len(json.loads(run("--inventory", "--output-format", "json", "empty.py").out)["calls"]) == 0


def test_the_release_of_the_command_line_holds(project: Path) -> None:
    tree(project, {"a.py": CALL, "pyproject.toml": "[project]\nname='x'\ndependencies=['openai==1.40.0']"})
    for arguments, release in (([], "1.40.0"), (["--sdk", "2.54"], "2.54.0")):
        (call,) = json.loads(run("--inventory", "--output-format", "json", *arguments).out)["calls"]
        assert call["sdk"] == release


# --- the library


def test_lint_is_a_function_that_returns_findings(project: Path) -> None:
    tree(project, {"a.py": CALL})
    found = openai_lint.lint(["a.py"], {"select": ["OAI101"]})
    assert [one.code for one in found] == ["OAI101"]
    assert pickle.loads(pickle.dumps(found)) == found
    assert isinstance(found[0], openai_lint.Finding)
    assert openai_lint.lint([project / "a.py"], {"ignore": ["ALL"]}) == []
    tree(project, {"openai-lint.toml": "ignore = ['OAI101']"})
    assert [one.code for one in openai_lint.lint()] == ["OAI107"]
    assert [one.code for one in openai_lint.lint([project], openai_lint.Config(extend_select=("OAI104",)))] == [
        "OAI101",
        "OAI104",
        "OAI107",
    ]
    with pytest.raises(openai_lint.ConfigError, match="config: selekt: unknown key"):
        openai_lint.lint(["a.py"], {"selekt": []})


# --- selection, as laws

SELECTORS = st.sampled_from(["ALL", "OAI1", "OAI10", "OAI101", "OAI2", "swallowed-error", "OAI104"])


@settings(max_examples=50)
@generated(st.lists(SELECTORS, max_size=4), st.lists(SELECTORS, max_size=4))
def test_ignoring_more_never_selects_more(selected: list[str], ignored: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        with_rules(
            patch,
            *(
                on_calls(code, name)
                for code, name in (("OAI101", "a"), ("OAI104", "b"), ("OAI107", "swallowed-error"), ("OAI202", "c"))
            ),
        )
        layer = [Selection("x", tuple(selected), (), tuple(ignored[:end])) for end in range(len(ignored) + 1)]
        chosen = [selection.chosen(Config(selection=(one,))).codes for one in layer]
        assert all(more <= less for less, more in pairwise(chosen))
    selection.resolve.cache_clear()
    selection._chosen.cache_clear()


# --- the guide

TOPICS = [
    ("429", ["rate limit reached", "quota", "overloaded"]),
    ("401", ["invalid authentication", "incorrect API key", "member of an organisation"]),
    ("500", ["InternalServerError", "APIError"]),
    ("503", ["overloaded", "ServiceUnavailableError"]),
    ("RateLimitError", ["backoff", "OAI102"]),
    ("openai.error.Timeout", ["APITimeoutError"]),
    ("APITimeoutError", ["Timeout (up to 0.28)"]),
    ("openai.APIConnectionError", ["proxy"]),
    ("InvalidRequestError", ["BadRequestError", "never"]),
    ("BadRequestError", ["InvalidRequestError"]),
    ("AuthenticationError", ["stray"]),
    ("ServiceUnavailableError", ["InternalServerError"]),
    ("insufficient_quota", ["credits", "Retry: never"]),
    ("PermissionDeniedError", ["PermissionError"]),
    ("apierror", ["base class"]),
    ("OAI001", ["unreadable-file", "## Why it matters"]),
    ("oai002", ["unused-suppression"]),
    ("unreadable-file", ["OAI001"]),
    ("persistent", ["request id"]),
]


@pytest.mark.parametrize(("topic", "words"), TOPICS, ids=lambda value: value if isinstance(value, str) else None)
def test_explain(topic: str, words: list[str]) -> None:
    text = explain(topic)
    for word in words:
        assert word in " ".join(text.split())


def test_every_rule_that_the_guide_names_is_in_its_table() -> None:
    known = {entry.code for entry in rules.catalogue()}
    named = {code for entry in guide.ENTRIES for code in entry.rules}
    assert all(re.fullmatch(r"OAI[1-4]\d\d", code) for code in named)
    assert not [entry.title for entry in guide.ENTRIES if not set(entry.rules) & known]


def test_list_rules() -> None:
    text = run("--list-rules").out
    for entry in rules.catalogue():
        assert re.search(rf"^{entry.code}  {entry.name} +(error|warning|info) +(on|off) ", text, re.MULTILINE)
    listed = json.loads(run("--list-rules", "--output-format", "json").out)["rules"]
    assert [rule["code"] for rule in listed] == [entry.code for entry in rules.catalogue()]


# --- documents


def test_the_readme_shows_the_help() -> None:
    readme = (HERE / "README.md").read_text()
    help_text = run("--help").out
    block = readme[readme.index("Usage: openai-lint") :]
    assert block[: block.index("```")].rstrip() == help_text.rstrip()


def test_version() -> None:
    assert run("--version").out == f"openai-lint {openai_lint.__version__}\n"
    changelog = (HERE / "CHANGELOG.md").read_text()
    assert f"## [{openai_lint.__version__}]" in changelog
