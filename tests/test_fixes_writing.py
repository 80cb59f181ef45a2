"""Fixed files as bytes: what stays, what is refused, and what the command line says and returns."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_lint.fixing import write as writing
from openai_lint.fixing.document import edited
from openai_lint.fixing.imports import Splice
from openai_lint.fixing.tree import CannotFixError
from openai_lint.fixing.verify import check, spliced
from openai_lint.fixing.write import WriteError, write
from openai_lint.rule import Edit, Place
from tests.fakes import CALL, KEY, run, tree

UNSAFE = ("--fix", "--unsafe-fixes")
CALL_IN_FUNCTION = """\
import openai

client = openai.OpenAI()


def ask(question):
    return client.responses.create(model="m", input=question)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository as the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tree(tmp_path, {".git/HEAD": ""})


def edit(span: tuple[int, int, int, int], content: str, cell: int | None = None) -> Edit:
    return Edit(Place("a.py", cell, span), content)


# --- bytes that stay

ENDS = {"line feeds": "\n", "carriage returns": "\r\n"}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("indent", ["    ", "  ", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_line_ends_indentation_and_byte_order_mark_stay(end: str, indent: str, mark: bytes, project: Path) -> None:
    lines = CALL_IN_FUNCTION.replace("    ", indent).split("\n")
    before = mark + end.join(lines).encode()
    (project / "a.py").write_bytes(before)
    assert run("a.py", *UNSAFE).code == 0
    after = (project / "a.py").read_bytes()
    assert after.startswith(mark + b"import openai")
    text = after[len(mark) :].decode()
    assert text.count("\n") == text.count(end)
    assert f"{end}{indent}try:{end}{indent * 2}return client" in text
    assert f"{end}{indent}except openai.APIStatusError as error:{end}{indent * 2}raise RuntimeError(" in text


def test_the_encoding_that_the_file_names_stays(project: Path) -> None:
    before = "# coding: latin-1\n" + CALL_IN_FUNCTION + "# schöne Grüße\n"
    (project / "a.py").write_bytes(before.encode("latin-1"))
    assert run("a.py", *UNSAFE).code == 0
    assert (project / "a.py").read_bytes().endswith("# schöne Grüße\n".encode("latin-1"))


def test_the_inside_of_a_string_is_not_indented(project: Path) -> None:
    call = (
        "    return client.responses.create(\n"
        '        model="m",\n'
        '        input=f"""Dear {question},\n'
        "  keep this\n"
        "and this.\n"
        '""",  # the prompt\n'
        "    )\n"
    )
    (project / "a.py").write_text(CALL_IN_FUNCTION.rpartition("    return")[0] + call)
    assert run("a.py", *UNSAFE).code == 0
    after = (project / "a.py").read_text()
    assert (
        '        input=f"""Dear {question},\n  keep this\nand this.\n""",  # the prompt\n        )\n    except' in after
    )


def test_a_file_without_a_line_end_gets_none(project: Path) -> None:
    (project / "a.py").write_text(CALL.rstrip("\n"))
    assert run("a.py", *UNSAFE).code == 0
    assert (project / "a.py").read_text().endswith('refused the request: {error}")')


NOTEBOOKS = {
    "lists of lines, one space": {"indent": 1, "ensure_ascii": False},
    "no white space": {"separators": (",", ":")},
    "four spaces, escaped": {"indent": 4, "ensure_ascii": True},
}


@pytest.mark.parametrize("form", NOTEBOOKS.values(), ids=NOTEBOOKS)
@pytest.mark.parametrize("whole", [True, False], ids=["a string", "a list"])
def test_a_notebook_keeps_its_json(form: dict[str, object], whole: bool, project: Path) -> None:
    source = "import openai\nclient = openai.OpenAI()\n"
    call = '%time x = 1\nclient.responses.create(model="m", input="ä")'
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Grüße\n", "\\n"]},
        *(
            {
                "cell_type": "code",
                "source": text if whole else text.splitlines(keepends=True),
                "outputs": [{"text": "ö"}],
            }
            for text in (source, call)
        ),
    ]
    before = json.dumps({"cells": cells, "nbformat": 4, "metadata": {"x": 1.50}}, **form) + "\n"
    (project / "n.ipynb").write_text(before)
    (project / "openai-lint.toml").write_text("lint-notebooks = true\n")
    assert run("n.ipynb", *UNSAFE).code == 0
    after = (project / "n.ipynb").read_text()
    changed = json.loads(after)["cells"][2]["source"]
    text = changed if whole else "".join(changed)
    assert text.startswith('%time x = 1\ntry:\n    client.responses.create(model="m", input="ä")\nexcept (')
    assert after.startswith(before[: before.index("%time")])
    kept = before[before.rindex('"outputs"') :]
    assert after.endswith(kept)
    assert after.isascii() == before.isascii()


@given(
    st.text(alphabet="ab\n", max_size=12), st.integers(0, 12), st.integers(0, 12), st.text(alphabet="x\n", max_size=3)
)
def test_what_an_edit_does_not_name_is_what_it_was(text: str, one: int, other: int, content: str) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))

    def place(offset: int) -> tuple[int, int]:
        return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)

    made = edited("a.py", text.encode(), [edit((*place(start), *place(end)), content)])
    assert made.decode() == text[:start] + content + text[end:]


def test_what_the_encoding_cannot_hold_is_refused() -> None:
    with pytest.raises(CannotFixError):
        edited("a.py", b"# coding: ascii\nx = 1\n", [edit((2, 5, 2, 6), "'ä'")])


# --- what is refused

BEFORE = "a = 1\nif a:\n    b = 2\n    c = 3\n"
UNSOUND = {
    "it is no Python": Splice(0, 5, "a = ("),
    "a statement leaves its block": Splice(15, 19, ""),
    "a statement is hidden in a string": Splice(0, 0, '"""'),
    "the statement itself changes": Splice(0, 5, "try:\n    a = 2\nexcept E:\n    pass", keeps=True),
}


@pytest.mark.parametrize("splice", UNSOUND.values(), ids=UNSOUND)
def test_what_changes_other_statements_is_refused(splice: Splice) -> None:
    with pytest.raises(CannotFixError):
        check(BEFORE, spliced(BEFORE, [splice]), [splice])


def test_what_changes_no_other_statement_is_taken() -> None:
    splice = Splice(0, 5, "try:\n    a = 1\nexcept E:\n    pass", keeps=True)
    check(BEFORE, spliced(BEFORE, [splice]), [splice])


# --- writing


def test_mode_and_link_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "a.py", tmp_path / "a.py"
    tree(tmp_path, {"real/a.py": "old"})
    target.chmod(0o750)
    link.symlink_to(target)
    write(str(link), b"old", b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert os.listdir(target.parent) == ["a.py"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tree(tmp_path, {"a.py": "newer"}) / "a.py"
    with pytest.raises(WriteError, match="changed while it was being fixed"):
        write(str(path), b"old", b"new")
    assert path.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["a.py"]


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_when_writing_fails_the_old_file_stands(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tree(tmp_path, {"a.py": "old"}) / "a.py"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, step, full)
    with pytest.raises(WriteError, match="No space left"):
        write(str(path), b"old", b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.py"]


def test_a_read_only_file_is_left_and_the_run_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a.py").write_text(CALL)
    monkeypatch.setattr(writing.os, "access", lambda *_: False)
    done = run("a.py", *UNSAFE)
    assert done.code == 1
    assert "a.py: not fixed: is read-only" in done.err
    assert (project / "a.py").read_text() == CALL


# --- the command line


def test_nothing_is_written_without_fix(project: Path) -> None:
    (project / "a.py").write_text(CALL)
    for options in ([], ["--unsafe-fixes"], ["--show-fixes"], ["--diff"], ["--diff", "--unsafe-fixes"], ["--no-fix"]):
        run("a.py", *options)
        assert (project / "a.py").read_text() == CALL


def test_fix_alone_writes_safe_ones_only(project: Path) -> None:
    comment = "x = 1  # openai-lint: ignore[OAI101]\n"
    (project / "a.py").write_text(CALL + comment)
    done = run("a.py", "--fix")
    assert (done.code, (project / "a.py").read_text()) == (1, CALL + "x = 1\n")
    assert "Fixed 1 finding (1 OAI002)." in done.out


EXITS = [
    (1, ("--fix",)),
    (0, UNSAFE),
    (1, (*UNSAFE, "--exit-non-zero-on-fix")),
    (0, ("--fix-only", "--unsafe-fixes")),
    (0, ("--fix-only",)),
    (0, ("--diff",)),
    (1, ("--diff", "--unsafe-fixes")),
    (0, ("--diff", "--unsafe-fixes", "--exit-zero")),
    (1, (*UNSAFE, "--unfixable", "OAI101")),
    (1, (*UNSAFE, "--fixable", "OAI2")),
    (1, (*UNSAFE, "--no-fix")),
    (2, ("--fix", "--inventory")),
    (2, ("--fix", "--write-baseline", "--baseline", "b.json")),
    (2, ("--fix", "--fixable", "OAI9")),
]


@pytest.mark.parametrize(
    ("code", "options"), EXITS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_exit_codes(code: int, options: tuple[str, ...], project: Path) -> None:
    (project / "a.py").write_text(CALL)
    assert run("a.py", *options).code == code


def test_a_diff_applies_as_a_patch(project: Path) -> None:
    (project / "a.py").write_text(CALL)
    diff = run("--diff", "--unsafe-fixes").out
    assert diff.startswith("--- a/a.py\n+++ b/a.py\n@@ -1,4 +1,")
    assert run(*UNSAFE).code == 0
    added = [line[1:] for line in diff.split("\n") if line.startswith("+") and not line.startswith("+++")]
    assert set(added) <= set((project / "a.py").read_text().split("\n"))


def test_levels_can_be_moved_for_single_rules(project: Path) -> None:
    (project / "a.py").write_text(CALL + "x = 1  # openai-lint: ignore[OAI101]\n")
    (project / "openai-lint.toml").write_text('extend-safe-fixes = ["OAI101"]\nextend-unsafe-fixes = ["OAI002"]\n')
    assert run("a.py", "--fix").code == 1
    text = (project / "a.py").read_text()
    assert "try:\n    print(client" in text
    assert "# openai-lint: ignore" in text


def test_standard_input_comes_back_fixed(project: Path) -> None:
    done = run("-", "--stdin-filename", "a.py", *UNSAFE, stdin=CALL.encode())
    assert done.code == 0
    assert done.out.startswith("import sys\n\nfrom openai import")
    assert "Fixed 1 finding" in done.err
    assert not (project / "a.py").exists()


def test_only_reported_files_are_changed(project: Path) -> None:
    tree(project, {"llm.py": CALL_IN_FUNCTION, "main.py": "from llm import ask\n\nprint(ask('hi'))\n"})
    run("main.py", *UNSAFE)
    assert (project / "llm.py").read_text() == CALL_IN_FUNCTION


def test_json_carries_the_edits_of_every_fix(project: Path) -> None:
    (project / "a.py").write_text(CALL)
    (found,) = json.loads(run("a.py", "--output-format", "json").out)["findings"]
    assert found["fix"]["applicability"] == "unsafe"
    assert [one["path"] for one in found["fix"]["edits"]] == ["a.py"] * 3
    last = found["fix"]["edits"][-1]
    assert (last["start"], last["cell"]) == ({"line": 4, "column": 1}, None)
    assert last["content"].startswith("try:\n    print(client")


def test_text_shows_a_fix_as_a_diff_below_its_finding(project: Path) -> None:
    (project / "a.py").write_text(CALL)
    assert "--unsafe-fixes shows it" in run("a.py", "--show-fixes").out
    shown = run("a.py", "--unsafe-fixes").out
    assert "fix   wrap the statement in a try with the documented errors (applied by --fix --unsafe-fixes)" in shown
    assert "        +try:\n" in shown


@pytest.mark.parametrize(
    "options", [("--diff",), ("--show-fixes",), ("--output-format", "json"), ("--output-format", "sarif")]
)
def test_no_key_is_shown(options: tuple[str, ...], project: Path) -> None:
    secret = "339d6b0a4c1f8e27" + "5b90c3d2e1f48a76"
    text = (
        "from openai import AzureOpenAI, OpenAI\n\n"
        f'print(OpenAI(api_key="{KEY}").responses.create(model="m", input="hi"))\n'
        f'azure = AzureOpenAI(api_key="{secret}", azure_endpoint="https://x.openai.azure.com", api_version="1")\n'
        'print(azure.responses.create(model="m", input="hi"))\n'
    )
    (project / "a.py").write_text(text)
    done = run("a.py", "--unsafe-fixes", *options)
    for shown in (done.out, done.err):
        assert KEY[12:40] not in shown
        assert secret[4:] not in shown
    if options == ("--diff",):
        assert "does not apply as a patch" in done.out


def test_the_hooks_fix_as_they_say(project: Path) -> None:
    text = (Path(__file__).parent.parent / ".pre-commit-hooks.yaml").read_text()
    entries = [line.split(": ", 1)[1].split() for line in text.split("\n") if line.strip().startswith("entry:")]
    (project / "a.py").write_text(CALL + "x = 1  # openai-lint: ignore[OAI101]\n")
    for entry in entries:
        before = (project / "a.py").read_text()
        assert run(*entry[1:], "a.py").code == 1
        assert ((project / "a.py").read_text() != before) == ("--fix" in entry)
