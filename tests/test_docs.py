"""The documents tell the truth: what they show is what the program does."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import run, tree

HERE = Path(__file__).parent.parent
README = (HERE / "README.md").read_text(encoding="utf-8")


def _found(*paths: str) -> list[dict[str, object]]:
    findings: list[dict[str, object]] = json.loads(run("--output-format", "json", *paths).out)["findings"]
    return findings


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples, as the working directory."""
    copy = tmp_path / "examples"
    shutil.copytree(HERE / "examples", copy)
    monkeypatch.chdir(copy)
    return copy


def test_what_the_documents_show_is_up_to_date() -> None:
    command = [sys.executable, str(HERE / "scripts" / "docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run scripts/docs.py, which would change:\n{done.stdout}{done.stderr}"


def test_the_examples_show_errors_backoff_and_keys(examples: Path) -> None:
    codes = {str(finding["code"]) for finding in _found(".")}
    assert {code[:4] for code in codes} >= {"OAI1", "OAI2", "OAI3"}


def test_each_place_of_the_examples_shows_what_its_comment_says(examples: Path) -> None:
    claimed: set[tuple[str, str]] = set()
    for path in examples.rglob("*.py"):
        name = path.relative_to(examples).as_posix()
        claimed |= {(name, code) for code in re.findall(r"\bOAI\d{3}\b", path.read_text())}
    found = {(str(finding["path"]), str(finding["code"])) for finding in _found(".")}
    at_calls = {("helpdesk/live.py", "OAI201")}  # said where the client is made, shown at its calls
    assert found == (claimed - {("helpdesk/clients.py", "OAI201")}) | at_calls


def test_no_file_of_the_examples_holds_what_code_hosts_block(examples: Path) -> None:
    for path in examples.rglob("*"):
        assert path.is_dir() or b"T3Blbk" not in path.read_bytes()


def test_the_function_in_the_readme_is_that_of_the_examples(examples: Path) -> None:
    before, after = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[:2]
    path = examples / "helpdesk" / "answers.py"
    source = path.read_text()
    without_docstring = re.sub(r'\n    """Some documented.*?"""', "", source)
    assert before in without_docstring
    clause = before[before.index("    except ") : before.index("    return response")]
    path.write_text("class SummaryError(Exception):\n    pass\n" + without_docstring.replace(clause, after))
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "def summarize" in text)
    assert not [
        finding
        for finding in _found(".")
        if finding["path"] == "helpdesk/answers.py" and line <= finding["start"]["line"] <= line + 4
    ]  # type: ignore[index]


def test_the_two_files_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = README[README.index("## The handler may stand in another file") : README.index("## Try it")]
    files = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", part, re.DOTALL))
    (shown,) = re.findall(r"```text\n(.*?)```", part, re.DOTALL)
    monkeypatch.chdir(tree(tmp_path, {".git/HEAD": "", **files}))
    assert _found(".") == []
    tree(tmp_path, {"main.py": 'from ask import ask\n\nprint(ask("What is a heap?"))\n'})
    assert len(_found(".")) == 1
    assert run(".").out.startswith(shown)


def test_the_program_in_how_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (HERE / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ask, main = re.fullmatch(r"# ask\.py\n(.*)\n# main\.py\n(.*)", program, re.DOTALL).groups()  # type: ignore[union-attr]
    monkeypatch.chdir(tree(tmp_path, {".git/HEAD": "", "ask.py": ask, "main.py": main}))
    findings = _found(".")
    assert {finding["path"] for finding in findings} == {"ask.py"}
    assert "RateLimitError" not in {error for finding in findings for error in finding["errors"]}  # type: ignore[attr-defined]
    assert any(step["path"] == "main.py" for finding in findings for step in finding["related"])  # type: ignore[attr-defined]
    tree(tmp_path, {"main.py": main.replace("RateLimitError", "APIError")})
    assert _found(".") == []


def test_ci_runs_the_command_of_the_readme() -> None:
    script = (HERE / ".ci" / "run").read_text()
    (pattern,) = re.findall(r"sed -n 's/\^\\\((.*?)\\\)\$", script)
    assert re.search(f"^{pattern}$", README, re.MULTILINE)


def test_hooks_and_exit_codes_are_documented() -> None:
    hooks = (HERE / ".pre-commit-hooks.yaml").read_text()
    for name in re.findall(r"^- id: (\S+)$", hooks, re.MULTILINE):
        assert name in README
    usage = (HERE / "docs" / "usage.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d) \|", usage, re.MULTILINE) == ["0", "1", "2", "3"]


def test_links_between_documents_lead_somewhere() -> None:
    for path in [HERE / "README.md", HERE / "CONTRIBUTING.md", *(HERE / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), f"{path.name}: {target}"


GUIDE = """\
import openai

try:
    response = openai.Completion.create(prompt="Hello world", model="davinci-002")
except openai.error.APIError as e:
    print(f"OpenAI API returned an API Error: {e}")
except openai.error.APIConnectionError as e:
    print(f"Failed to connect to OpenAI API: {e}")
except openai.error.RateLimitError as e:
    print(f"OpenAI API request exceeded rate limit: {e}")
"""


def test_the_snippet_of_the_guide_gives_exactly_what_is_true_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree(tmp_path, {".git/HEAD": "", "guide.py": GUIDE}))
    document = json.loads(run("--sdk", "0.28", "--min-severity", "info", "--output-format", "json").out)
    assert [(finding["code"], finding["errors"]) for finding in document["findings"][:2]] == [
        ("OAI102", ["Timeout", "ServiceUnavailableError"]),
        ("OAI103", ["InvalidRequestError", "AuthenticationError"]),
    ]
    assert [finding["code"] for finding in document["findings"][2:]] == ["OAI201"]
