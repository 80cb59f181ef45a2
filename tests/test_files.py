"""Files: the root, what is linked, what is reported, what is left out; the patterns against git itself; the gate."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, settings
from hypothesis import given as generated
from hypothesis import strategies as st

from openai_lint import gate
from openai_lint.config import ConfigSource, parse
from openai_lint.facts import Unreadable
from openai_lint.files import PathError, Workspace, absolute, display, given, root_of, workspaces
from openai_lint.patterns import Patterns
from tests.fakes import CALL, KEY, tree

# --- patterns


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the files of PATHS."""
    root = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", root], check=True)
    for path in PATHS:
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.mkdir(exist_ok=True) if path.endswith("/") else full.touch()
    return root


def _git_ignores(root: Path, lines: list[str], paths: list[str]) -> set[str]:
    """What git itself ignores of the paths (a trailing slash marks a folder)."""
    (root / ".gitignore").write_text("\n".join(lines) + "\n")
    names = [path.rstrip("/") for path in paths]
    command = ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"]
    done = subprocess.run(command, cwd=root, input="\0".join(names).encode(), capture_output=True, check=False)
    return set(done.stdout.decode().split("\0")) - {""}


def _ours(root: Path, lines: list[str], paths: list[str]) -> set[str]:
    """What our patterns leave out, a folder with everything in it."""
    patterns = Patterns(str(root), lines)
    out = set()
    for path in paths:
        parts = path.rstrip("/").split("/")
        for depth in range(1, len(parts) + 1):
            is_folder = depth < len(parts) or path.endswith("/")
            if patterns.verdict(f"{root}/{'/'.join(parts[:depth])}", is_folder):
                out.add(path.rstrip("/"))
                break
    return out


PATHS = [
    "a.py",
    "b.py",
    "x/a.py",
    "x/y/a.py",
    "x/y/z/",
    "build/a.py",
    "x/build/a.py",
    "# c.py",
    "!d.py",
    "e .py",
    "[f].py",
    "x/b.pyc",
    "ab/x/",
]
IGNORES = [
    ["a.py"],
    ["/a.py"],
    ["x/"],
    ["x/y"],
    ["y/"],
    ["*.py", "!b.py"],
    ["*.py", "!/b.py"],
    ["x/*", "!x/y"],
    ["x", "!x/a.py"],
    ["**/a.py"],
    ["x/**"],
    ["x/**/a.py"],
    ["**/y/**"],
    ["x/**/"],
    ["*"],
    ["/*", "!/x"],
    ["?.py"],
    ["[ab].py"],
    ["[!a].py"],
    ["[^a].py"],
    ["[a-c].py"],
    ["[[:alpha:]].py"],
    ["*.py[cod]"],
    [r"\# c.py"],
    ["# c.py"],
    [r"\!d.py"],
    ["!d.py"],
    ["e .py"],
    ["a.py   "],
    [r"a.py\ "],
    [r"\[f\].py"],
    ["[f"],
    ["", "  ", "a.py"],
    ["build/", "!build/a.py"],
    ["build", "!x/build"],
    ["x/*/a.py"],
    ["*/a.py"],
    ["/x/y/"],
    ["a.*"],
    ["*"],
    ["**"],
    ["/"],
    ["a**.py"],
    ["x/y/z"],
    ["*z/"],
    ["./a.py"],
]


@pytest.mark.parametrize("lines", IGNORES, ids=" ".join)
def test_patterns_mean_what_they_mean_to_git(repository: Path, lines: list[str]) -> None:
    if lines == ["./a.py"]:  # git matches nothing with it; people who write it in a configuration mean the file
        assert _ours(repository, lines, PATHS) == {"a.py"}
        return
    assert _ours(repository, lines, PATHS) == _git_ignores(repository, lines, PATHS)


PIECES = st.sampled_from(["a", "b", "*", "**", "?", "/", "/", ".py", "x", "y", "[ab]", "[!a]", "!"])


@settings(max_examples=50, deadline=None)
@generated(st.lists(st.lists(PIECES, min_size=1, max_size=6).map("".join), min_size=1, max_size=4))
def test_any_patterns_mean_what_they_mean_to_git(repository: Path, lines: list[str]) -> None:
    # For `**/` behind another character git before 2.40 compared pointers into two different strings, and so answered
    # as the memory lay; its documentation makes it a plain `*`.
    assume(not any(re.search(r"[^/]\*\*+/", line) for line in lines))
    assert _ours(repository, lines, PATHS) == _git_ignores(repository, lines, PATHS)


# --- root


def _root(folder: Path) -> str:
    return root_of(str(folder), ConfigSource())


def test_the_root_is_that_of_the_repository(tmp_path: Path) -> None:
    tree(tmp_path, {".git/HEAD": "", "a/pyproject.toml": "", "a/b/x.py": ""})
    assert _root(tmp_path / "a" / "b") == str(tmp_path)


def test_a_configuration_may_say_that_it_is_the_root(tmp_path: Path) -> None:
    tree(tmp_path, {".git/HEAD": "", "a/openai-lint.toml": "root = true", "a/b/openai-lint.toml": "", "a/b/x.py": ""})
    assert _root(tmp_path / "a" / "b") == f"{tmp_path}/a"


def test_without_repository_the_nearest_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a/pyproject.toml": "", "a/b/x.py": "", "c/x.py": ""})
    monkeypatch.chdir(tmp_path)
    assert _root(tmp_path / "a" / "b") == f"{tmp_path}/a"
    assert _root(tmp_path / "c") == str(tmp_path)
    monkeypatch.chdir(tmp_path / "a")
    assert _root(tmp_path / "c") == f"{tmp_path}/c"


def test_a_home_folder_is_no_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"c/x.py": ""})
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert _root(tmp_path / "c") == f"{tmp_path}/c"


# --- walking


def _spaces(paths: list[str], config: dict[str, object] | None = None) -> list[Workspace]:
    source = ConfigSource(overrides=parse(config or {}, "", absolute(".")))
    return workspaces(given(paths), source, lambda path, data: Unreadable(path, "not read here", 1, 1))


def _space(path: str = ".", config: dict[str, object] | None = None) -> Workspace:
    (space,) = _spaces([path], config)
    return space


def _names(paths: object) -> list[str]:
    return sorted(display(path) for path in paths)  # type: ignore[attr-defined]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tree(tmp_path, {".git/HEAD": ""})


def test_what_is_left_out_by_default(project: Path) -> None:
    tree(
        project,
        {
            "a.py": "",
            "n.ipynb": "",
            "data.txt": "",
            ".github/x.py": "",
            "build/x.py": "",
            "sub/node_modules/x.py": "",
            "__pycache__/x.py": "",
            "mine/pyvenv.cfg": "",
            "mine/lib/x.py": "",
            ".tox/x.py": "",
        },
    )
    assert _names(_space().files) == [".github/x.py", "a.py", "n.ipynb"]


def test_ignore_files_nest_and_the_deepest_decides(project: Path) -> None:
    tree(
        project,
        {
            ".gitignore": "*.py\n!keep.py\n/only/\n",
            "a.py": "",
            "keep.py": "",
            "sub/.gitignore": "!a.py\nkeep.py\n",
            "sub/a.py": "",
            "sub/keep.py": "",
            "only/keep.py": "",
            "sub/only/keep.py": "",
            ".git/info/exclude": "/secret/\n",
            "secret/keep.py": "",
        },
    )
    assert _names(_space().files) == ["keep.py", "sub/a.py"]
    assert "a.py" in _names(_space(config={"respect-gitignore": False}).files)


def test_ignore_files_above_the_root_hold_below_it(project: Path) -> None:
    tree(project, {".gitignore": "a.py\n", "p/openai-lint.toml": "root = true", "p/a.py": "", "p/b.py": ""})
    space = _space("p")
    assert str(space.root) == f"{project}/p"
    assert _names(space.files) == ["p/b.py"]


def test_exclude_replaces_and_extend_exclude_adds(project: Path) -> None:
    tree(project, {"a.py": "", "build/a.py": "", "gen/a.py": "", "src/gen/b.py": ""})
    assert _names(_space(config={"exclude": ["/gen"]}).files) == ["a.py", "build/a.py", "src/gen/b.py"]
    assert _names(_space(config={"extend-exclude": ["gen"]}).files) == ["a.py"]


def test_patterns_of_a_nested_configuration_hold_below_it(project: Path) -> None:
    tree(project, {"gen/a.py": "", "p/openai-lint.toml": "extend-exclude = ['/gen']", "p/gen/a.py": "", "p/b.py": ""})
    assert _names(_space().files) == ["gen/a.py", "p/b.py"]


def test_given_paths_are_reported_and_the_root_is_linked(project: Path) -> None:
    tree(project, {"a.py": "", "src/b.py": "", "src/c.py": ""})
    space = _space("src/b.py")
    assert _names(space.files) == ["a.py", "src/b.py", "src/c.py"]
    assert _names(space.reported) == ["src/b.py"]
    assert _names(_space("src").reported) == ["src/b.py", "src/c.py"]
    (both,) = _spaces(["a.py", "src"])
    assert _names(both.reported) == ["a.py", "src/b.py", "src/c.py"]


def test_paths_of_two_roots_make_two_workspaces(project: Path) -> None:
    tree(project, {"x/.git/HEAD": "", "x/a.py": "", "y/.git/HEAD": "", "y/b.py": ""})
    spaces = _spaces(["y", "x"])
    assert [display(str(space.root)) for space in spaces] == ["x", "y"]


def test_named_files_are_read_even_if_excluded(project: Path) -> None:
    tree(project, {".gitignore": "c.py\n", "build/a.py": "", "b.txt": "", "c.py": "", "v/pyvenv.cfg": "", "v/d.py": ""})
    for name in ("build/a.py", "b.txt", "c.py", "v/d.py"):
        assert _names(_space(name).reported) == [name]
        forced = _space(name, {"force-exclude": True})
        assert _names(forced.reported) == (["b.txt"] if name == "b.txt" else [])
    assert _names(_space("build").reported) == ["build/a.py"]
    assert _names(_space("build", {"force-exclude": True}).reported) == []


def test_force_exclude_does_not_look_above_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"build/p/.git/HEAD": "", "build/p/a.py": ""})
    monkeypatch.chdir(tmp_path)
    assert _names(_space("build/p/a.py", {"force-exclude": True}).reported) == ["build/p/a.py"]


def test_links_are_not_followed_twice(project: Path) -> None:
    tree(project, {"a/x.py": ""})
    (project / "a" / "loop").symlink_to(project)
    (project / "alias.py").symlink_to(project / "a" / "x.py")
    (project / "gone.py").symlink_to(project / "nowhere.py")
    outside = tree(project.parent / f"{project.name}-outside", {"y.py": ""})
    (project / "linked.py").symlink_to(outside / "y.py")
    (project / "folder").symlink_to(outside)
    assert _names(_space().files) == ["a/x.py", "linked.py"]
    assert _names(_space("folder").reported) == ["folder/y.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for the superuser")
def test_unreadable_folders_are_noted(project: Path) -> None:
    tree(project, {"a.py": "", "closed/b.py": ""})
    (project / "closed").chmod(0)
    try:
        space = _space()
    finally:
        (project / "closed").chmod(0o755)
    assert _names(space.files) == ["a.py"]
    assert space.notes == ["closed: cannot be listed: Permission denied"]


def test_a_folder_that_vanished_is_noted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(project, {"a.py": "", "b/c.py": ""})
    real = os.scandir

    def scandir(path: str):  # type: ignore[no-untyped-def]
        if path.endswith("/b"):
            raise FileNotFoundError(2, "No such file or directory")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    space = _space()
    assert _names(space.files) == ["a.py"]
    assert space.notes == ["b: cannot be listed: No such file or directory"]


def test_a_file_that_vanished_does_not_matter_and_is_noted(project: Path) -> None:
    tree(project, {"a.py": CALL})
    space = _space()
    (project / "a.py").unlink()
    assert not space.gate(f"{project}/a.py")
    assert space.notes == ["a.py: vanished while it was being read"]


def test_a_file_that_cannot_be_read_matters(project: Path) -> None:
    tree(project, {"a.py": ""})
    space = _space()
    (project / "a.py").unlink()
    (project / "a.py").mkdir()
    assert space.gate(f"{project}/a.py")
    facts = space.facts(f"{project}/a.py")
    assert isinstance(facts, Unreadable)
    assert facts.reason == "cannot be read: Is a directory"


def test_a_path_that_does_not_exist() -> None:
    with pytest.raises(PathError, match="no such file or folder: nowhere"):
        given(["nowhere"])


def test_standard_input_has_a_name_and_no_file(project: Path) -> None:
    tree(project, {"a.py": ""})
    source = given(["-"], ("sub/b.py", b"x = 1"))
    (space,) = workspaces(source, ConfigSource(), lambda path, data: Unreadable(path, repr(data), 1, 1))
    assert _names(space.reported) == ["sub/b.py"]
    assert space.read(f"{project}/sub/b.py") == b"x = 1"
    (unnamed,) = workspaces(given(["-"], (None, b"")), ConfigSource(), lambda path, data: Unreadable(path, "", 1, 1))
    assert _names(unnamed.reported) == ["<stdin>"]


# --- what a workspace answers


@pytest.mark.parametrize(
    ("name", "is_test"),
    [
        ("tests/a.py", True),
        ("pkg/tests/deep/a.py", True),
        ("test_a.py", True),
        ("pkg/a_test.py", True),
        ("conftest.py", True),
        ("a.py", False),
        ("contest.py", False),
        ("latest/a.py", False),
        ("testing.py", False),
        ("test_n.ipynb", True),
    ],
)
def test_what_is_a_test(project: Path, name: str, is_test: bool) -> None:
    tree(project, {name: ""})
    assert _space().is_test(f"{project}/{name}") is is_test


def test_a_project_below_a_folder_of_tests_is_no_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"tests/p/.git/HEAD": "", "tests/p/a.py": ""})
    monkeypatch.chdir(tmp_path / "tests" / "p")
    assert not _space().is_test(f"{tmp_path}/tests/p/a.py")


def test_mentioning_finds_whole_identifiers(project: Path) -> None:
    tree(
        project,
        {
            "a.py": "x = ask(1)",
            "b.py": "task(1)",
            "c.py": "ask_more()",
            "d.py": "task = ask",
            "e.ipynb": r'"source": ["x = 1\nask()\n"]',
            "f.py": "größeask()",
        },
    )
    space = _space()
    assert _names(space.mentioning("ask", space.files)) == ["a.py", "d.py", "e.ipynb"]
    assert _names(space.mentioning("ask", [f"{project}/d.py", f"{project}/gone.py"])) == ["d.py"]


def test_facts_are_made_once(project: Path) -> None:
    tree(project, {"a.py": ""})
    asked: list[str] = []

    def extract(path: str, data: bytes) -> Unreadable:
        asked.append(path)
        return Unreadable(path, "", 1, 1)

    (space,) = workspaces(given(["."]), ConfigSource(), extract)
    assert space.facts(f"{project}/a.py") is space.facts(f"{project}/a.py")
    assert asked == [f"{project}/a.py"] == list(space.parsed)


def test_display(project: Path) -> None:
    assert display(f"{project}/a/b.py") == "a/b.py"
    assert display("/elsewhere/b.py") == "/elsewhere/b.py"
    assert display(f"{project}x/b.py") == f"{project}x/b.py"


# --- the gate

MATTER = [
    CALL,
    "import openai",
    "import os, openai",
    "import openai as ai",
    "import openai # the SDK",
    "from openai import (\n    OpenAI,\n)",
    "from langfuse.openai import OpenAI",
    "from gptcache.adapter import openai",
    "def f(client): return client.chat.completions.create()",
    "def f(c): return c.completions.with_raw_response.create()",
    "x = self.llm.embeddings \\\n    .create(input='a')",
    "self.api.ChatCompletion.acreate()",
    "url = 'https://api.openai.com/v1'",
    "url = f'https://{name}.openai.azure.com'",
    "from langchain_openai import AzureChatOpenAI",
    "module = importlib.import_module('openai')",
    "def f(client: 'openai.AsyncOpenAI'): ...",
    '{"source": ["openai.api_key = 1\\\\n"]}',
    '{"source": "import os\\\\nopenai.api_key = 1"}',
    "self.openai.api_key = x",
    "except openai.error.Timeout:",
    "os.environ['OPENAI_API_KEY'] = 'x'",
    "x = 1  # noqa: OAI101",
    "x = 1  # openai-lint: ignore[unhandled-error]",
    f"key = '{KEY}'",
    "key = 'sk-abcdefghijklmnop'",
]
DO_NOT = [
    "",
    "import os",
    "x = 'OpenAI makes models'",
    "from openai.types.chat import ChatCompletionMessage",
    "def test(task): return risk - ask",
    "User.objects.create()",
    "from .models import Model",
    "logging.getLogger('openai.agents')",
    "provider = 'openai'",
    "from .providers.openai_provider import x",
    "docs = 'https://platform.openai.com/docs'",
    "response.list()",
]


@pytest.mark.parametrize("text", MATTER)
def test_what_matters(text: str) -> None:
    assert gate.matters(text.encode())


@pytest.mark.parametrize("text", DO_NOT)
def test_what_does_not_matter(text: str) -> None:
    assert not gate.matters(text.encode())


@generated(st.binary(max_size=200), st.sampled_from(MATTER), st.binary(max_size=200))
def test_what_stands_around_it_never_hides_it(before: bytes, text: str, after: bytes) -> None:
    assert gate.matters(before + b"\n" + text.encode() + b"\n" + after)
