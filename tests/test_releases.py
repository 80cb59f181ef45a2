"""Which release decides for a file: each source of a version, what stands for what, and what --verbose says of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import run, tree

from openai_lint.config import ConfigSource, parse
from openai_lint.files import Workspace
from openai_lint.link import link
from openai_lint.link.queries_versions import versions
from openai_lint.link.releases import LAST_OF_OLD, Releases
from openai_lint.lint import workspaces_of
from openai_lint.sdk import known_releases, sdk

OLD = "import openai\n\nopenai.ChatCompletion.create(model='m', messages=[])\n"
NEW = "import openai\n\nopenai.OpenAI().responses.create(model='m', input='x')\n"
NEWEST = known_releases()[-1]

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Writes files below a root of their own."""

    def write(**files: str) -> Path:
        named = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
        return tree(tmp_path, {"openai-lint.toml": "root = true\n", **named})

    return write


def workspace(root: Path, **settings: str) -> Workspace:
    config = ConfigSource(overrides=parse(settings, "test", str(root)))
    (made,) = workspaces_of([str(root)], config)
    return made


def pinned(root: Path, name: str = "main.py", **settings: str) -> tuple[str, ...]:
    return Releases(workspace(root, **settings)).pinned((root / name).as_posix())


def chosen(root: Path, era: int, name: str = "main.py", **settings: str) -> str:
    return Releases(workspace(root, **settings)).release((root / name).as_posix(), era).version


def environment(root: Path, name: str = "main.py", **settings: str) -> tuple[str, ...]:
    linked = link(workspace(root, **settings))
    (module,) = (module for module in linked.modules if module.path == (root / name).as_posix())
    return tuple(release.version for release in versions(linked).environment(module))


# --- the setting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stands"),
    [
        ("0.28", "0.28.1"),
        ("0.28.0", "0.27.8"),
        ("1.40", "1.40.0"),
        ("1.40.3", "1.40.0"),
        ("1.99", "1.97.0"),
        ("2.0", "2.0.0"),
        ("3.54.0", "3.54.0"),
        ("3.99", NEWEST),
        ("9.0", NEWEST),
    ],
)
def test_a_setting_of_two_or_three_parts_is_the_nearest_known_release(
    project: Project, given: str, stands: str
) -> None:
    root = project(main_dot_py=NEW, requirements_dot_txt="openai==2.0.0\n")
    assert pinned(root, sdk=given) == (stands,)
    assert environment(root, sdk=given) == (stands,)


def test_a_setting_decides_for_code_of_its_era_only(project: Project) -> None:
    root = project(main_dot_py=NEW)
    assert chosen(root, 0, sdk="0.27.8") == "0.27.8"
    assert chosen(root, 1, sdk="0.27.8") == NEWEST
    assert chosen(root, 1, sdk="1.40") == "1.40.0"
    assert chosen(root, 0, sdk="1.40") == LAST_OF_OLD


def test_the_nearest_configuration_decides(project: Project) -> None:
    root = project(main_dot_py=NEW, old__main_dot_py=OLD)
    (root / "old/openai-lint.toml").write_text('sdk = "0.27.8"\n')
    assert pinned(root, "old/main.py") == ("0.27.8",)
    assert pinned(root) == ()


# --- the pin ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "first", "last", "decides"),
    [
        ("==1.40.0", "1.40.0", "1.40.0", "1.40.0"),
        ("==1.41.0", "1.40.0", "1.50.2", "1.40.0"),
        ("==1.109.9", "1.109.1", "1.109.1", "1.109.1"),
        (">=1.0", "1.0.0", NEWEST, NEWEST),
        (">=1.41,<2", "1.40.0", "1.109.1", "1.109.1"),
        ("~=1.40.0", "1.40.0", "1.40.0", "1.40.0"),
        ("<2", "0.27.8", "1.109.1", "1.109.1"),
        (">=99", NEWEST, NEWEST, NEWEST),
    ],
)
def test_a_pin_stands_for_all_that_it_allows(
    project: Project, written: str, first: str, last: str, decides: str
) -> None:
    root = project(main_dot_py=NEW, requirements_dot_txt=f"openai{written}\n")
    allowed = pinned(root)
    assert (allowed[0], allowed[-1]) == (first, last)
    assert chosen(root, 1) == decides
    assert environment(root) == allowed


def test_a_range_over_both_eras_decides_for_each(project: Project) -> None:
    root = project(main_dot_py=NEW, requirements_dot_txt="openai>=0.27,<2\n")
    assert (chosen(root, 0), chosen(root, 1)) == ("0.28.1", "1.109.1")


def test_a_call_for_another_major_than_the_pin_keeps_the_names_of_its_own(project: Project) -> None:
    assert chosen(project(main_dot_py=OLD, requirements_dot_txt="openai==1.40.0\n"), 0) == LAST_OF_OLD
    assert chosen(project(main_dot_py=NEW, requirements_dot_txt="openai==0.28.1\n"), 1) == NEWEST


def test_the_nearest_file_wins_in_a_monorepo(project: Project) -> None:
    root = project(
        main_dot_py=NEW,
        requirements_dot_txt="openai==2.0.0\n",
        old__main_dot_py=OLD,
        old__requirements_dot_txt="openai==0.27.8\n",
        old__deep__main_dot_py=OLD,
    )
    found = [pinned(root, name) for name in ("main.py", "old/main.py", "old/deep/main.py")]
    assert found == [("2.0.0",), ("0.27.8",), ("0.27.8",)]


def test_a_script_says_itself_what_it_needs(project: Project) -> None:
    script = f'# /// script\n# dependencies = ["openai==1.6.1"]\n# ///\n{NEW}'
    root = project(main_dot_py=script, requirements_dot_txt="openai==2.0.0\n", other_dot_py=NEW)
    assert (pinned(root), pinned(root, "other.py")) == (("1.6.1",), ("2.0.0",))


def test_an_image_of_modal_says_what_is_installed(project: Project) -> None:
    image = f'import modal\n\nimage = modal.Image.debian_slim().pip_install("openai==1.6.1")\n{NEW}'
    assert pinned(project(main_dot_py=image, requirements_dot_txt="openai==2.0.0\n")) == ("1.6.1",)


def notebook(*cells: str, kind: str = "code") -> str:
    made = [{"cell_type": kind, "metadata": {}, "outputs": [], "source": cell.splitlines(True)} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("!pip install openai==0.28.1", OLD), ("0.28.1",)),
        (("%pip install 'openai==1.6.1' tiktoken", NEW), ("1.6.1",)),
        (("%pip install openai", NEW), ("2.0.0",)),
        (("%pip install --upgrade openai", NEW), ()),
        (("!pip install -q -U openai tiktoken", NEW), ()),
        (("!pip install openai --upgrade", NEW), ()),
        (("!pip install --upgrade openai-whisper", NEW), ("2.0.0",)),
        (("# %pip install --upgrade openai", NEW), ("2.0.0",)),
        (("!pip install -U openai", "!pip install openai==1.6.1", NEW), ("1.6.1",)),
    ],
)
def test_a_notebook_says_what_it_installs(project: Project, cells: tuple[str, ...], expected: tuple[str, ...]) -> None:
    root = project(main_dot_ipynb=notebook(*cells), requirements_dot_txt="openai==2.0.0\n")
    assert pinned(root, "main.ipynb") == expected


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", '{"cells": 3}', '{"cells": [3, {"cell_type": "code"}]}', "{openai install"]
)
def test_a_notebook_that_is_none_says_nothing(project: Project, text: str) -> None:
    root = project(main_dot_ipynb=text + " " * 3 + "", requirements_dot_txt="openai==2.0.0\n")
    (root / "main.ipynb").write_text(text if "openai" in text else text + "\n \n")
    assert pinned(root, "main.ipynb") == ("2.0.0",)


def test_what_prose_in_a_notebook_installs_does_not_count(project: Project) -> None:
    root = project(
        main_dot_ipynb=notebook("!pip install openai==0.28.1", kind="markdown"), requirements_dot_txt="openai==2.0.0\n"
    )
    assert pinned(root, "main.ipynb") == ("2.0.0",)


# --- the code itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main_dot_py": NEW}, NEWEST),
        ({"main_dot_py": OLD}, LAST_OF_OLD),
        ({"main_dot_py": OLD, "other_dot_py": NEW}, NEWEST),
        ({"main_dot_py": "import openai\n\nopenai.api_key = 'x'\n"}, NEWEST),
        ({"main_dot_py": "from openai.error import RateLimitError\n"}, LAST_OF_OLD),
        ({"main_dot_py": "import openai\n\nLATER = openai.error.RateLimitError\n"}, LAST_OF_OLD),
        ({"main_dot_py": "from openai import AsyncOpenAI\nfrom openai import RateLimitError\n"}, NEWEST),
    ],
    ids=["1.x", "0.x", "both", "neither", "an import of 0.x", "a name of 0.x", "imports of 1.x"],
)
def test_without_a_pin_the_code_decides(project: Project, files: dict[str, str], expected: str) -> None:
    root = project(**files)
    assert pinned(root) == ()
    assert environment(root) == (expected,)


def test_code_that_has_a_pin_says_nothing_of_code_without(project: Project) -> None:
    root = project(main_dot_py=OLD, new__main_dot_py=NEW, new__requirements_dot_txt="openai==2.0.0\n")
    assert environment(root) == (LAST_OF_OLD,)
    assert environment(root, "new/main.py") == ("2.0.0",)


def test_a_receiver_that_may_be_anybodys_says_nothing(project: Project) -> None:
    chain = "import openai\n\n\ndef ask(client):\n    return client.chat.completions.create(model='m', messages=[])\n"
    assert environment(project(main_dot_py=OLD, other_dot_py=chain)) == (LAST_OF_OLD,)


def test_code_that_asks_for_the_version_says_nothing(project: Project) -> None:
    modern = "openai.OpenAI().responses.create(model='m', input='x')"
    asking = f"import openai\n\nif hasattr(openai, 'OpenAI'):\n    {modern}\n{OLD}"
    root = project(main_dot_py=OLD, compat_dot_py=asking)
    assert environment(root) == (LAST_OF_OLD,)


def test_a_pin_in_an_extra_says_nothing_of_the_rest_where_both_are_spoken(project: Project) -> None:
    toml = '[project]\nname = "p"\nversion = "1"\n\n[project.optional-dependencies]\njudge = ["openai<1"]\n'
    root = project(main_dot_py=OLD, serve_dot_py=NEW, pyproject_dot_toml=toml)
    found = environment(root)
    assert {LAST_OF_OLD, NEWEST} <= set(found)
    (root / "serve.py").unlink()
    assert environment(root) == ("0.27.8", "0.28.1")


# --- code that asks ---------------------------------------------------------------------------------------------------

ASKING = {
    "an import that may fail": "try:\n    from openai import OpenAI\nexcept ImportError:\n    OpenAI = None\n",
    "an import of 0.x": "try:\n    from openai.error import Timeout\nexcept (ImportError, KeyError):\n    pass\n",
    "an import of its module": "try:\n    import openai.error\nexcept ModuleNotFoundError:\n    pass\n",
    "any failure of the import": "try:\n    from openai import OpenAI\nexcept Exception:\n    OpenAI = None\n",
    "the number": "import openai\nV = openai.__version__\n",
    "the number of 0.x": "import openai\nV = openai.version.VERSION\n",
    "the metadata": "from importlib.metadata import version\nimport openai\nV = version('openai')\n",
    "pkg_resources": "import openai, pkg_resources\nV = pkg_resources.get_distribution('openai').version\n",
    "hasattr": "import openai\nV = hasattr(openai, 'error')\n",
    "getattr": "import openai\nE = getattr(openai, 'error', openai)\n",
    "an attribute that may fail": "import openai\ntry:\n    E = openai.error\nexcept AttributeError:\n    E = openai\n",
    "find_spec": "from importlib.util import find_spec\nV = find_spec('openai.error')\n",
    "a flag from elsewhere": "from compat import IS_OPENAI_V1\nimport openai\n",
    "a helper from elsewhere": "from compat import is_openai_v1\nimport openai\n",
    "other flags": "from compat import OPENAI_GE_1, openai_pre_v1, legacy_openai\nimport openai\n",
}
NOT_ASKING = {
    "an optional import": "try:\n    import openai\nexcept ImportError:\n    openai = None\n",
    "a name that every release has": "try:\n    from openai import OpenAIError\nexcept ImportError:\n    pass\n",
    "the version of the Azure API": "import openai\nAZURE_OPENAI_VERSION = openai.api_version = '2024-02-01'\n",
    "another package": "from importlib.metadata import version\nimport openai\nV = version('tiktoken')\n",
    "a handler for something else": "try:\n    from openai import OpenAI\nexcept KeyError:\n    pass\n",
    "words that begin like a flag": "import openai\nclass OpenAIGenerator:\n    openai_prefix = openai_post = 1\n",
    "whether it is installed": "from importlib.util import find_spec\nimport openai\nV = find_spec('openai')\n",
}


@pytest.mark.parametrize("text", ASKING.values(), ids=ASKING)
def test_code_that_asks_for_the_version_is_known(project: Project, text: str) -> None:
    assert _asks(project(main_dot_py=text))


@pytest.mark.parametrize("text", NOT_ASKING.values(), ids=NOT_ASKING)
def test_code_that_does_not_ask_is_judged(project: Project, text: str) -> None:
    assert not _asks(project(main_dot_py=text))


def test_a_flag_of_another_module_counts_where_it_is_imported(project: Project) -> None:
    compat = "import openai\n\nMODERN = hasattr(openai, 'OpenAI')\nOTHER = 3\n"
    root = project(
        compat_dot_py=compat,
        main_dot_py=f"from compat import MODERN\n{OLD}",
        other_dot_py=f"from compat import OTHER\n{OLD}",
    )
    assert _asks(root)
    assert not _asks(root, "other.py")


def _asks(root: Path, name: str = "main.py") -> bool:
    linked = link(workspace(root))
    (module,) = (module for module in linked.modules if module.path == (root / name).as_posix())
    return versions(linked).asks(module)


# --- what is said about it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "arguments", "note"),
    [
        (
            {"requirements_dot_txt": "# x\nopenai==1.40.0\n"},
            (),
            "openai 1.40.0, from requirements.txt:2 (openai==1.40.0)",
        ),
        (
            {"requirements_dot_txt": "openai>=1,<2\n"},
            (),
            "openai 1.0.0 to 1.109.1, from requirements.txt:1 (openai>=1,<2); a finding about the version is true of",
        ),
        ({}, ("--sdk", "1.40"), "openai 1.40.0, chosen by the setting sdk = 1.40"),
        ({}, (), f"nothing says which openai is used: code for 1.0 and later is judged by {NEWEST}"),
        ({"old_dot_py": OLD}, (), "nothing says which openai is used: code for 0.x is judged by 0.28.1"),
        ({"setup_dot_cfg": "openai\n"}, (), "setup.cfg: not understood, ignored"),
    ],
)
def test_verbose_tells_which_version_was_taken_and_from_where(
    project: Project, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], arguments: tuple[str, ...], note: str
) -> None:
    root = project(main_dot_py=NEW, **files)
    monkeypatch.chdir(root)
    told = run("--verbose", "--no-cache", "--select", "OAI405", *arguments, ".").err
    assert note in told
    assert told.count(note) == 1
    assert note not in run("--no-cache", "--select", "OAI405", *arguments, ".").err


def test_the_inventory_gives_each_call_the_release_that_it_is_written_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(main_dot_py=NEW, old_dot_py=OLD, requirements_dot_txt="openai==1.109.1\n")
    monkeypatch.chdir(root)
    calls = json.loads(run("--inventory", "--no-cache", "--output-format", "json", ".").out)["calls"]
    assert {call["call"]: call["sdk"] for call in calls} == {
        "responses.create": "1.109.1",
        "ChatCompletion.create": LAST_OF_OLD,
    }
    assert set(calls[1]["escapes"]) <= set(sdk(calls[1]["sdk"]).inventory_errors)
