"""Which release of `openai` a project uses: every kind of file, ranges, monorepos, absence, broken files."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from openai_lint.pins import Pin, Pins, nearest, pin_in_source, read_pin, resolve
from openai_lint.pins.disk import decoded
from openai_lint.pins.release import read_release

KNOWN = ("0.27.8", "0.28.1", "1.0.0", "1.6.1", "1.40.0", "1.109.1", "2.0.0", "2.54.0", "3.0.0", "3.54.0")


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def pinned(root: Path, files: dict[str, str | bytes], file: str = "app.py") -> tuple[str, str] | None:
    """(specifier, source) of the pin that holds for `file`, with nothing to note."""
    pins = Pins(write(root, files))
    pin = pins.for_file(root / file)
    assert pins.notes == []
    return pin and (pin.specifier, pin.source)


# One file, and what it says: (name, content, specifier, line).
SINGLE = {
    "project": (
        "pyproject.toml",
        '[project]\ndependencies = [\n  "rich",\n  "OpenAI[datalib] >= 1.3, <2",\n]\n',
        ">= 1.3, <2",
        4,
    ),
    "extra": ("pyproject.toml", '[project.optional-dependencies]\nllm = ["openai~=1.3"]\n', "~=1.3", 2),
    "group": ("pyproject.toml", '[dependency-groups]\ndev = [{include-group = "x"}, "openai==1.3.0"]\n', "==1.3.0", 2),
    "poetry caret": (
        "pyproject.toml",
        '[tool.poetry.dependencies]\npython = "^3.9"\nopenai = "^0.27.8"\n',
        "^0.27.8",
        3,
    ),
    "poetry table": (
        "pyproject.toml",
        '[tool.poetry.dependencies.openai]\nversion = "~1.3"\nextras = ["x"]\n',
        "~1.3",
        1,
    ),
    "poetry group": (
        "pyproject.toml",
        '[tool.poetry.group.ai.dependencies]\nopenai = {version="1.3.5", optional=true}\n',
        "1.3.5",
        2,
    ),
    "poetry git": (
        "pyproject.toml",
        '[tool.poetry.dependencies]\nopenai = {git = "https://x.org/y", tag = "v1.3.5"}\n',
        "==1.3.5",
        2,
    ),
    "pdm": ("pyproject.toml", '[tool.pdm.dev-dependencies]\ntest = ["openai>=1"]\n', ">=1", 2),
    "hatch": ("pyproject.toml", '[tool.hatch.envs.default]\ndependencies = ["openai<1"]\n', "<1", 2),
    "uv constraint": ("pyproject.toml", '[tool.uv]\nconstraint-dependencies = ["openai<2"]\n', "<2", 2),
    "pixi": ("pixi.toml", '[pypi-dependencies]\nopenai = ">=1.3,<2"\n', ">=1.3,<2", 2),
    "Pipfile": ("Pipfile", '[packages]\n\n"openai" = "==1.3.5"\n', "==1.3.5", 3),
    "Pipfile table": ("Pipfile", '[dev-packages]\nopenai = {version = "<1", extras = ["x"]}\n', "<1", 2),
    "requirements": ("requirements.txt", "# openai\nrich\nopenai-whisper==9\nopenai == 0.28.1 # old\n", "== 0.28.1", 4),
    "requirements hash": (
        "requirements.txt",
        "rich\nopenai[x]==1.3.5 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n",
        "==1.3.5",
        2,
    ),
    "requirements marker": ("requirements.txt", 'openai>=1 ; python_version > "3.8"\n', ">=1", 1),
    "requirements url": ("requirements.txt", "openai @ https://x.org/p/openai-1.3.5-py3-none-any.whl\n", "==1.3.5", 1),
    "requirements git": (
        "requirements.txt",
        "-e git+https://github.com/openai/openai-python.git@v0.28.1#egg=openai\n",
        "==0.28.1",
        1,
    ),
    "requirements archive": (
        "requirements.txt",
        "https://x.org/openai/openai-python/archive/v1.2.0.zip\n",
        "==1.2.0",
        1,
    ),
    "requirements dev": ("requirements-dev.txt", "openai===1.3.5\n", "===1.3.5", 1),
    "requirements in": ("requirements.in", "openai (>=1)\n", ">=1", 1),
    "requirements folder": ("requirements/base.txt", "openai>=1\n", ">=1", 1),
    "setup.cfg": ("setup.cfg", "[options]\ninstall_requires =\n    rich\n    openai>=1,!=1.5\n", ">=1,!=1.5", 4),
    "setup.cfg extra": ("setup.cfg", "[options.extras_require]\nai = openai<1\n", "<1", 2),
    "setup.py": (
        "setup.py",
        "from setuptools import setup\nsetup(\n  install_requires=['rich',\n 'openai==1.3.5'])\n",
        "==1.3.5",
        4,
    ),
    "setup.py variable": (
        "setup.py",
        "DEPS = ['rich']\nDEPS += ['openai<1']\nsetup(install_requires=DEPS + MORE)\n",
        "<1",
        2,
    ),
    "setup.py function": (
        "setup.py",
        "def deps():\n    return ['openai<1']\nsetup(install_requires=deps())\n",
        "<1",
        2,
    ),
    "setup.py extras": (
        "setup.py",
        "extras = {}\nextras['ai'] = ['openai<1']\nsetup(extras_require=extras)\n",
        "<1",
        2,
    ),
    "setup.py dict": ("setup.py", "c = {'install_requires': ['openai<1']}\nsetup(**c)\n", "<1", 1),
    "setup.py itself": ("setup.py", "r = ['rich']\nr = r + ['openai<1']\nsetup(install_requires=r)\n", "<1", 2),
    "setup.py append": ("setup.py", "r = []\nr.append('openai<1')\nsetup(install_requires=r)\n", "<1", 2),
    "conda": ("environment.yml", "name: x\ndependencies:\n  - python=3.10\n  - openai=1.3.5=py_0\n", "=1.3.5", 4),
    "conda channel": ("environment.yaml", 'dependencies:\n- "conda-forge::openai>=1,<2"  # why\n', ">=1,<2", 2),
    "conda pip": (
        "environment.yml",
        "dependencies:\n  - pip:\n    - openai==0.28\nother:\n  - openai==9\n",
        "==0.28",
        3,
    ),
    "conda inline": ("conda.yml", "dependencies: [python=3.9, openai=0.27, rich]\n", "=0.27", 1),
    "uv.lock": (
        "uv.lock",
        'version = 1\n\n[[package]]\nname = "openai"\nversion = "1.3.5"\nsource = { registry = "x" }\n',
        "==1.3.5",
        4,
    ),
    "poetry.lock": (
        "poetry.lock",
        '[[package]]\nname = "openai"\nversion = "1.3.5"\n\n[package.extras]\nx = ["y"]\n',
        "==1.3.5",
        2,
    ),
    "pdm.lock": (
        "pdm.lock",
        '[[package]]\nname = "openai"\nversion = "1.3.5"\n\n[[package]]\nname = "rich"\nversion = "9"\n',
        "==1.3.5",
        2,
    ),
    "pylock": ("pylock.toml", '[[packages]]\r\nname = "openai"\r\nversion = "1.3.5"\r\n', "==1.3.5", 2),
    "Pipfile.lock": ("Pipfile.lock", '{"default": {},\n "develop": {"openai": {"version": "==1.3.5"}}}', "==1.3.5", 2),
    "pixi.lock": ("pixi.lock", "version: 6\n- pypi: https://x.org/openai-1.3.5-py3-none-any.whl\n", "==1.3.5", 2),
}


@pytest.mark.parametrize(("name", "content", "specifier", "line"), SINGLE.values(), ids=SINGLE)
def test_each_kind_of_file(tmp_path: Path, name: str, content: str, specifier: str, line: int) -> None:
    assert pinned(tmp_path, {name: content}) == (specifier, f"{name}:{line}")


NOT_OURS = {
    "other packages": (
        "requirements.txt",
        "openai-whisper==1\nopen_ai==1\nopenai.x==1\nlangchain-openai==1\nopenai_x\n",
    ),
    "extra of another": ("requirements.txt", "llama-index[openai]==1\n"),
    "url of another": ("requirements.txt", "git+https://github.com/openai/whisper.git@v1.2.3\n"),
    "no version": ("requirements.txt", "openai\n"),
    "a branch": ("requirements.txt", "git+https://github.com/openai/openai-python@main\n"),
    "any version": ("pyproject.toml", '[tool.poetry.dependencies]\nopenai = "*"\n'),
    "local path": ("pyproject.toml", '[tool.poetry.dependencies]\nopenai = {path = "../openai"}\n'),
    "keywords": ("setup.py", "setup(keywords=['openai==1'], install_requires=['rich'])\n"),
    "lock of others": (
        "uv.lock",
        '[[package]]\nname = "langchain-openai"\nversion = "1.0"\ndependencies = [{ name = "openai" }]\n',
    ),
    "no pins at all": ("readme.txt", "openai==1.0\n"),
    "conda elsewhere": ("environment.yml", "channels:\n  - openai=1.0\n"),
}


@pytest.mark.parametrize(("name", "content"), NOT_OURS.values(), ids=NOT_OURS)
def test_what_says_nothing(tmp_path: Path, name: str, content: str) -> None:
    assert pinned(tmp_path, {name: content}) is None


# specifier: lowest, highest, closed, exact
BOUNDS = {
    "==1.3": ("1.3.0", "1.3.0", True, True),
    "==1.*": ("1.0.0", "2.0.0", False, False),
    "1.3.5": ("1.3.5", "1.3.5", True, True),
    "=1.3": ("1.3.0", "1.4.0", False, False),
    "=1.3.5": ("1.3.5", "1.3.6", False, True),
    ">=1.3": ("1.3.0", None, False, False),
    ">1.3": ("1.3.0", None, False, False),
    "<=1.3": (None, "1.3.0", True, False),
    "<2": (None, "2.0.0", False, False),
    "~=1.3": ("1.3.0", "2.0.0", False, False),
    "~=1.3.5": ("1.3.5", "1.4.0", False, False),
    "^1.3.5": ("1.3.5", "2.0.0", False, False),
    "^0.27.8": ("0.27.8", "0.28.0", False, False),
    "^0.0.3": ("0.0.3", "0.0.4", False, False),
    "^0.0": ("0.0.0", "0.1.0", False, False),
    "~1.3.5": ("1.3.5", "1.4.0", False, False),
    "~1": ("1.0.0", "2.0.0", False, False),
    ">=1,!=1.5,<2": ("1.0.0", "2.0.0", False, False),
    ">=1 <2": ("1.0.0", "2.0.0", False, False),
    "^0.27 || ^1.3": ("0.27.0", "2.0.0", False, False),
    ">=1.0.0b2": ("1.0.0b2", None, False, False),
    "!=1.5": (None, None, False, False),
    "*": (None, None, False, False),
    "": (None, None, False, False),
}


@pytest.mark.parametrize("specifier", BOUNDS)
def test_bounds(specifier: str) -> None:
    pin = read_pin(specifier, "here:1")
    assert pin is not None
    assert (pin.lowest, pin.highest, pin.closed, pin.exact) == BOUNDS[specifier]
    assert pin.unbounded == (pin.lowest is None and pin.highest is None)


@pytest.mark.parametrize(
    "specifier", [">=2,<1", "==1.0,==2.0", ">=", "latest", "==1.0rc1.*", ">=1" + ",<2" * 1000, "1..2"]
)
def test_what_no_release_satisfies_is_no_pin(specifier: str) -> None:
    assert read_pin(specifier, "here:1") is None


AROUND = [
    "1.1",
    "1.2.dev0",
    "1.2a1.dev1",
    "1.2a1",
    "1.2a1.post1",
    "1.2rc1",
    "1.2",
    "1.2.post1.dev1",
    "1.2.post1",
    "1.2.1",
    "1.3",
]


@pytest.mark.parametrize("operator", ["==", "!=", ">=", "<=", ">", "<", "~=", "==*", "!=*"])
def test_each_operator_agrees_with_packaging_around_a_version(operator: str) -> None:
    for version in ["1.2", "1.2.0"] if "*" in operator else AROUND:
        specifier = f"{operator[:2]}{version}.*" if "*" in operator else f"{operator}{version}"
        expected = SpecifierSet(specifier)
        pin = read_pin(specifier, "here:1")
        assert pin is not None
        for candidate in AROUND:
            assert pin.allows(candidate) == expected.contains(candidate, prereleases=True), (specifier, candidate)


numbers = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
releases = st.builds(
    lambda epoch, base, pre, post, dev: epoch + base + pre + post + dev,
    st.sampled_from(["", "", "", "1!"]),
    numbers,
    st.sampled_from(["", "", "a1", "b2", "rc1", ".rc.2", "-c3"]),
    st.sampled_from(["", "", ".post1", "-2", ".rev3"]),
    st.sampled_from(["", "", ".dev1", ".dev0"]),
)
clauses = st.one_of(
    st.builds(str.__add__, st.sampled_from(["==", "!=", ">=", "<=", ">", "<"]), releases),
    st.builds(lambda operator, base: f"{operator}{base}.*", st.sampled_from(["==", "!="]), numbers),
    st.builds(
        lambda major, rest: f"~={major}.{rest}", st.integers(0, 4), releases.filter(lambda text: "!" not in text)
    ),
)


@given(st.lists(clauses, min_size=1, max_size=3), st.lists(releases, min_size=1, max_size=5))
def test_ranges_agree_with_packaging(parts: list[str], candidates: list[str]) -> None:
    specifier = SpecifierSet(",".join(parts))
    pin = read_pin(",".join(parts), "here:1")
    for candidate in candidates:
        expected = specifier.contains(candidate, prereleases=True)
        assert (pin is not None and pin.allows(candidate)) == expected, candidate


@given(releases, releases)
def test_releases_are_ordered_as_packaging_orders_them(left: str, right: str) -> None:
    ours, theirs = (read_release(left), read_release(right)), (Version(left), Version(right))
    assert ours[0] is not None
    assert ours[1] is not None
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])
    assert Version(str(ours[0])) == theirs[0]


@given(st.lists(clauses, min_size=1, max_size=3), releases)
def test_nothing_outside_the_bounds_is_allowed(parts: list[str], candidate: str) -> None:
    pin = read_pin(",".join(parts), "here:1")
    if pin is None or not pin.allows(candidate):
        return
    final = Version(Version(candidate).public)
    assert pin.lowest is None or final >= Version(pin.lowest if "dev" in pin.lowest else f"{pin.lowest}.dev0")
    assert pin.highest is None or final < Version(pin.highest) or (pin.closed and final == Version(pin.highest))


RESOLVED = {
    "==1.40.0": ("1.40.0",),
    "==1.39.0": ("1.40.0",),
    "==1.9.1": ("1.6.1",),
    "==0.28": ("0.28.1",),
    "==0.29": ("0.28.1",),
    "==9.9": ("3.54.0",),
    "==0.1": ("0.27.8",),
    "==2.0.0rc1": ("2.0.0",),
    "<1": ("0.27.8", "0.28.1"),
    ">=1,<2": ("1.0.0", "1.6.1", "1.40.0", "1.109.1"),
    ">=2.54,!=3.0.0": ("2.54.0", "3.54.0"),
    "~=1.35.0": ("1.40.0",),
    ">=1.7,<1.20": ("1.6.1",),
    "^0.27 || ^3.1": ("0.27.8", "3.54.0"),
}


@pytest.mark.parametrize("specifier", RESOLVED)
def test_known_releases_of_a_pin(specifier: str) -> None:
    pin = read_pin(specifier, "here:1")
    assert pin is not None
    shuffled = (*KNOWN[5:], *KNOWN[:5])
    assert resolve(pin, shuffled) == RESOLVED[specifier]


def test_previews_count_only_where_nothing_else_is_allowed() -> None:
    pin = read_pin(">=2.0.0b1", "here:1")
    assert pin is not None
    assert resolve(pin, ("1.0.0", "2.0.0b1", "2.0.0")) == ("2.0.0",)
    assert resolve(pin, ("1.0.0", "2.0.0b1")) == ("2.0.0b1",)
    assert resolve(pin, ()) == ()


@pytest.mark.parametrize(
    ("option", "release"),
    [
        ("1", "1.109.1"),
        ("0.28", "0.28.1"),
        ("1.109", "1.109.1"),
        ("1.39", "1.40.0"),
        ("1.4.2", "1.6.1"),
        ("1.3.2", "1.0.0"),
        ("x", None),
    ],
)
def test_nearest_release_of_an_option(option: str, release: str | None) -> None:
    assert nearest(option, KNOWN) == release


def test_a_line_is_named_by_its_newest_final_release() -> None:
    assert nearest("2", ("2.0.0", "2.1.0b1")) == "2.0.0"


def test_nearest_file_wins_in_a_monorepo(tmp_path: Path) -> None:
    pins = Pins(
        write(
            tmp_path,
            {
                "pyproject.toml": '[project]\ndependencies = ["openai>=1"]\n',
                "old/requirements.txt": "openai==0.28\n",
                "old/deep/er/app.py": "",
                "silent/requirements.txt": "rich\n",
                "any/requirements.txt": "openai\n",
            },
        )
    )

    def specifier(path: str) -> str | None:
        pin = pins.for_file(Path(path))
        return pin and pin.specifier

    assert specifier("app.py") == ">=1"
    assert specifier("old/deep/er/app.py") == "==0.28"
    assert specifier("silent/app.py") == ">=1"
    # It asks for openai of any version: what the root pins is another environment's.
    assert specifier("any/app.py") is None
    assert pins.for_file(tmp_path.parent / "outside.py") is None


LOCKED = 'version = 1\n[[package]]\nname = "openai"\nversion = "1.30.0"\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": '[project]\ndependencies = ["openai>=1"]\n', "uv.lock": LOCKED}, ("==1.30.0", "uv.lock:3")),
        ({"pyproject.toml": '[project]\ndependencies = ["openai"]\n', "uv.lock": LOCKED}, ("==1.30.0", "uv.lock:3")),
        (
            {"requirements.txt": "openai==1.5\n", "setup.py": "setup(install_requires=['openai>=1'])"},
            ("==1.5", "requirements.txt:1"),
        ),
        ({"requirements.txt": "openai>=1\n", "requirements-dev.txt": "openai==1.5\n"}, (">=1", "requirements.txt:1")),
        ({"requirements.txt": "rich\n", "requirements-dev.txt": "openai==1.5\n"}, ("==1.5", "requirements-dev.txt:1")),
        ({"requirements.txt": "openai<1\n", "a-requirements.txt": "openai>=1\n"}, ("<1", "requirements.txt:1")),
        (
            {"pyproject.toml": '[dependency-groups]\na = ["openai>=2"]\n', "requirements.txt": "openai<1\n"},
            ("<1", "requirements.txt:1"),
        ),
        ({"requirements.in": "openai>=1\n", "requirements.txt": "openai==1.5\n"}, ("==1.5", "requirements.txt:1")),
        (
            {"requirements.txt": "openai\n", "environment.yml": "dependencies:\n- openai<1\n"},
            ("<1", "environment.yml:2"),
        ),
        (
            {"pyproject.toml": '[project]\ndependencies=["openai>=1"]\noptional-dependencies={a=["openai==2"]}\n'},
            (">=1", "pyproject.toml:2"),
        ),
    ],
)
def test_files_of_one_folder(tmp_path: Path, files: dict[str, str | bytes], expected: tuple[str, str]) -> None:
    assert pinned(tmp_path, files) == expected


def test_a_stale_lock_file_loses_and_is_noted(tmp_path: Path) -> None:
    pins = Pins(write(tmp_path, {"pyproject.toml": '[project]\ndependencies = ["openai>=2"]\n', "uv.lock": LOCKED}))
    pin = pins.for_file(Path("app.py"))
    assert pin is not None
    assert (pin.specifier, pin.exact) == (">=2", False)
    assert pins.notes == ["uv.lock:3: ==1.30.0 is out of date, pyproject.toml:2 asks for >=2"]


def test_a_lock_file_with_several_environments_is_a_range(tmp_path: Path) -> None:
    pins = Pins(write(tmp_path, {"uv.lock": LOCKED + '[[package]]\nname = "openai"\nversion = "2.0.0"\n'}))
    pin = pins.for_file(Path("app.py"))
    assert pin is not None
    assert (pin.lowest, pin.highest, pin.exact, pin.allows("1.31.0")) == ("1.30.0", "2.0.0", False, False)


def test_the_lock_file_of_a_workspace_holds_for_its_members(tmp_path: Path) -> None:
    member = '[[package]]\nname = "one"\nversion = "0"\nsource = { editable = "libs/one" }\n'
    project = '[project]\ndependencies = ["openai>=1"]\n'
    files = {"uv.lock": LOCKED + member, "libs/one/pyproject.toml": project, "libs/two/pyproject.toml": project}
    pins = Pins(write(tmp_path, files))
    one, two = pins.for_file(Path("libs/one/src/a.py")), pins.for_file(Path("libs/two/a.py"))
    assert one is not None
    assert two is not None
    assert (one.specifier, two.specifier) == ("==1.30.0", ">=1")


def test_requirements_include_each_other(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r requirements/base.txt\n-c limits.txt\n-r requirements.txt\n-rmissing\n-r ../../x.txt\n",
        "requirements/base.txt": "--requirement=more.in\n",
        "requirements/more.in": "\nopenai\n",
        "limits.txt": "rich<9\nopenai<1\n",
    }
    pins = Pins(write(tmp_path, files))
    pin = pins.for_file(Path("app.py"))
    assert pin is not None
    assert (pin.source, pin.highest) == ("limits.txt:2", "1.0.0")
    assert [note.partition(":")[0] for note in pins.notes] == ["missing", "../../x.txt"]


def test_requirements_named_by_pyproject_are_its_own(tmp_path: Path) -> None:
    files = '[tool.setuptools.dynamic]\ndependencies = {file = ["./deps/dev.txt"]}\n'
    dynamic = '[project]\ndynamic = ["dependencies"]\n' + files
    others = {"deps/dev.txt": "openai<1\n", "requirements.txt": "openai>=1\n"}
    assert pinned(tmp_path, {"pyproject.toml": dynamic, **others}) == ("<1", "deps/dev.txt:1")


def test_markers_are_alternatives_and_extras_hold_together(tmp_path: Path) -> None:
    markers = 'openai==0.28 ; python_version < "3.8"\nopenai==1.5 ; python_version >= "3.8"\n'
    assert pinned(tmp_path / "a", {"requirements.txt": markers}) == ("==0.28 or ==1.5", "requirements.txt:1")
    extras = '[project.optional-dependencies]\na = ["openai>=1"]\nb = ["openai<2", "openai"]\n'
    assert pinned(tmp_path / "b", {"pyproject.toml": extras}) == (">=1,<2", "pyproject.toml:3")
    exclusive = '[project.optional-dependencies]\na = ["openai>=1"]\nb = ["openai==0.28"]\n'
    assert pinned(tmp_path / "c", {"pyproject.toml": exclusive}) == (">=1 or ==0.28", "pyproject.toml:2")


BROKEN = {
    "toml": ("pyproject.toml", "[project\ndependencies = ['openai==1']"),
    "deep toml": ("pyproject.toml", "openai = " + "[" * 100_000),
    "ini": ("setup.cfg", "install_requires = openai"),
    "python": ("setup.py", "print 'openai'"),
    "deep python": ("setup.py", "openai = " + "-" * 200_000 + "1"),
    "specifier": ("requirements.txt", "openai==latest\n"),
    "contradiction": ("requirements.txt", "openai>2,<1\n"),
    "json": ("Pipfile.lock", '{"openai": '),
    "deep json": ("Pipfile.lock", '{"openai":' * 100_000),
    "lock": ("uv.lock", '[[package]]\nname = "openai"\nversion = 1.3.5.6\n'),
    "setup.cfg bytes": ("setup.cfg", b"\xff\xffopenai"),
}


@pytest.mark.parametrize(("name", "content"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_noted_and_passed_over(tmp_path: Path, name: str, content: str | bytes) -> None:
    pins = Pins(write(tmp_path, {f"sub/{name}": content, "requirements.txt": "openai==1.5\n"}))
    pin = pins.for_file(Path("sub/app.py"))
    assert pin is not None
    assert pin.specifier == "==1.5"
    (note,) = pins.notes
    assert note.startswith(f"sub/{name}: not understood, ignored: ")


@pytest.mark.parametrize(
    "content",
    [
        "openai==1.5\r\n".encode("utf-16"),
        "openai==1.5\n".encode("utf-16-le"),
        "openai==1.5\n".encode("utf-16-be"),
        "openai==1.5\n".encode("utf-32"),
        b"\xef\xbb\xbfopenai==1.5\n",
        "# é\nopenai==1.5".encode("latin-1"),
    ],
)
def test_odd_encodings(tmp_path: Path, content: bytes) -> None:
    found = pinned(tmp_path, {"requirements.txt": content})
    assert found is not None
    assert found[0] == "==1.5"


@given(st.binary(max_size=200))
def test_any_bytes_are_some_text(data: bytes) -> None:
    assert isinstance(decoded(data), str)


fragments = st.sampled_from(
    ["openai", "==", "1.3", ",", "\n", "[", "]", "{", "}", '"', "'", "=", ":", "- ", "-r ", "-c ", "a", ".", "\\", "#",
     "dependencies", "[project]", "[[package]]", "name = ", "version = ", "install_requires", "setup(", ")", "@",
     "git+", "|", "*", ";", "%pip install ", "# /// script", "# ///", "pip_install(", "\0", "é"]
)  # fmt: skip


@given(text=st.lists(fragments, max_size=30).map("".join))
def test_nothing_is_raised_on_any_content(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    names = [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "Pipfile",
        "Pipfile.lock",
        "requirements.txt",
        "uv.lock",
        "environment.yml",
    ]
    root = tmp_path_factory.mktemp("any")
    for name in [*names, "pixi.lock"]:
        Pins(write(root / name.replace(".", "_"), {name: text})).for_source(Path("a.py"), text)


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "setup.py").mkdir()
    (tmp_path / "uv.lock").symlink_to("uv.lock")
    (tmp_path / "requirements.txt").symlink_to("nowhere")
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pyproject.toml")
    pins = Pins(tmp_path)
    assert pins.for_file(Path("a.py")) is None
    assert sorted(note.partition(":")[0] for note in pins.notes) == ["requirements.txt", "uv.lock"]


def test_folders_that_cannot_be_listed_say_nothing(tmp_path: Path) -> None:
    pins = Pins(tmp_path / "nowhere")
    assert pins.for_file(Path("a/b.py")) is None
    assert Pins(tmp_path).for_file(Path("a\0b/c.py")) is None


def test_a_root_reached_by_a_link_is_the_same_root(tmp_path: Path) -> None:
    write(tmp_path / "real", {"requirements.txt": "openai==1.5\n"})
    (tmp_path / "link").symlink_to("real")
    assert Pins(tmp_path / "link").for_file(tmp_path / "real" / "a.py") is not None


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a/b/x.py": "", "a/requirements.txt": "openai==1.5\n"})
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.append(Path(path).name), scandir(path))[1])
    pins = Pins(tmp_path)
    for name in ("a/b/x.py", "a/b/y.py", "a/z.py"):
        assert pins.for_file(tmp_path / name) is not None
    # An exact pin is the end of the search: no lock file further up could say more.
    assert listed == ["b", "a"]


SOURCES = {
    "script": (
        '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#   "openai<2",\n# ]\n# ///\nimport openai\n',
        "<2",
        4,
    ),
    "magic": ("import os\n%pip install -q openai==0.28 tiktoken\n", "==0.28", 2),
    "shell": ("! pip install 'openai>=1.2,<2'\n", ">=1.2,<2", 1),
    "interpreter": ("!{sys.executable} -m pip install openai==0.28;\n", "==0.28", 1),
    "uv": ("!uv pip install openai==0.28 && echo openai==9\n", "==0.28", 1),
    "conda": ("%conda install -y openai=0.27.8\n", "=0.27.8", 1),
    "cell magic": ("%%bash\npip install \\\n  openai==0.28\n", "==0.28", 2),
    "last one": ("%pip install openai==0.27\n%pip install openai==0.28\n%pip install openai\n", "==0.28", 2),
    "commented out": ("# !pip install openai==0.28\n", "==0.28", 1),
    "commented out beside another": ("#%pip install openai==0.27\n%pip install openai==1.5\n", "==1.5", 2),
    "modal": ('image = (Image.debian_slim()\n  .pip_install("rich",\n    "openai==1.2.3"))\n', "==1.2.3", 3),
    "modal list": ("image.uv_pip_install(['openai[x]~=1.2'], extra='y')\n", "~=1.2", 1),
    "two images": ('a.pip_install("openai==1.2")\nb.pip_install("openai==1.3")\n', "==1.2 or ==1.3", 1),
}


@pytest.mark.parametrize(("text", "specifier", "line"), SOURCES.values(), ids=SOURCES)
def test_pins_inside_a_source(text: str, specifier: str, line: int) -> None:
    for ends in (text, text.replace("\n", "\r\n")):
        pin = pin_in_source(ends)
        assert pin is not None
        assert (pin.specifier, pin.source) == (specifier, f"line {line}")


@pytest.mark.parametrize(
    "text",
    [
        "import openai\n",
        "%pip install openai\n",
        "%pip install openai==0.28\n%pip install --upgrade openai\n",
        "# pip install openai==0.28\n",
        'raise ImportError("install it with: pip install openai==0.28")\n',
        "%pip install openai-whisper==1\n",
        "%pip uninstall openai==1\n",
        "# /// script\n# dependencies = [openai==1]\n# ///\n",
        "# /// script\n# dependencies = 3\n# ///\n",
        "# /// script\n# dependencies = ['openai==1']\n",
        'image.pip_install("rich")\n',
    ],
)
def test_sources_that_pin_nothing(text: str) -> None:
    assert pin_in_source(text) is None


def test_a_source_goes_before_its_project(tmp_path: Path) -> None:
    pins = Pins(write(tmp_path, {"requirements.txt": "openai==1.5\n"}))

    def answer(text: str) -> tuple[str, str]:
        pin = pins.for_source(Path("nb.ipynb"), text)
        assert isinstance(pin, Pin)
        return pin.specifier, pin.source

    assert answer("import openai") == ("==1.5", "requirements.txt:1")
    assert answer("%pip install openai==1.5") == ("==1.5", "nb.ipynb, line 1")
    assert answer("%pip install openai==0.28") == ("==0.28", "nb.ipynb, line 1")
    assert answer("%pip install openai>=1") == ("==1.5", "requirements.txt:1")
    assert answer("%pip install openai>=2") == (">=2", "nb.ipynb, line 1")
