"""Who may let errors out: what a docstring declares, and what the project's build ships to users."""

# ruff: noqa: E501 - one case on one line is a table that can be read

from pathlib import Path

import pytest

from openai_lint.config import ConfigSource
from openai_lint.link.contracts import EVERYTHING, declared
from openai_lint.link.shipping import Shipping
from openai_lint.lint import run, workspaces_of
from tests.fakes import tree


@pytest.mark.parametrize(
    ("docstring", "names"),
    [
        ("Answers.", set()),
        ("Raises:\n    RateLimitError: too many.", {"RateLimitError"}),
        (
            "Ask.\n\n    Raises:\n        openai.APIError: any.\n            ValueError: not an entry\n    ",
            {"APIError"},
        ),
        ("Raises:\n    ValueError, openai.RateLimitError: both", {"ValueError", "RateLimitError"}),
        ("Raises:\n    A or B: either", {"A", "B"}),
        ("Raises:\n    APIError\n\nReturns:\n    RateLimitError: no", {"APIError"}),
        ("Raise:\n    `openai.APIError`: in the singular", {"APIError"}),
        (
            "Raises\n------\nRateLimitError\n    too many\nAPIError\n    any\n\nReturns\n-------\nstr",
            {"RateLimitError", "APIError"},
        ),
        (":raises openai.OpenAIError: any", {"OpenAIError"}),
        (":raise KeyError: no\n:except ValueError: no", {"KeyError", "ValueError"}),
        ("@raise APIError: any", {"APIError"}),
        ("Raises:\n    OpenAI errors, as they are", {EVERYTHING}),
        ("Raises:\n    Any exception of the OpenAI SDK", {EVERYTHING}),
        (":raises: all OpenAI exceptions", {EVERYTHING}),
        ("Raises:\n    ValueError: when OpenAI has an error", {"ValueError"}),
        ("It raises the bar for OpenAI errors.", set()),
    ],
)
def test_what_a_docstring_declares(docstring: str, names: set[str]) -> None:
    assert declared(docstring) == names


def shipping(root: Path, files: dict[str, str]) -> Shipping:
    tree(root, {"openai-lint.toml": "root = true\n", **files})
    (workspace,) = workspaces_of([str(root)], ConfigSource())
    return Shipping(workspace)


PACKAGE = {"kit/__init__.py": "", "kit/ask.py": ""}
IN_SRC = {"src/kit/__init__.py": "", "src/kit/ask.py": ""}
BUILD = '[build-system]\nrequires = ["x"]\n'

SHIPPED = [
    ("hatch, by name", PACKAGE | {"pyproject.toml": BUILD + '[project]\nname = "kit"'}, "kit/ask.py"),
    ("dashes in the name", {"my_kit/__init__.py": "", "pyproject.toml": BUILD + '[project]\nname = "My-Kit"'}, "my_kit/__init__.py"),
    ("in src", IN_SRC | {"pyproject.toml": BUILD + '[project]\nname = "kit"'}, "src/kit/ask.py"),
    ("in src, under another name", IN_SRC | {"pyproject.toml": BUILD + '[project]\nname = "distribution"'}, "src/kit/ask.py"),
    ("the only package", PACKAGE | {"tests/__init__.py": "", "pyproject.toml": BUILD + '[project]\nname = "other"'}, "kit/ask.py"),
    ("hatch, named", {"a/b/ask.py": "", "pyproject.toml": BUILD + '[tool.hatch.build.targets.wheel]\npackages = ["a/b"]'}, "a/b/ask.py"),
    ("poetry, from", {"code/kit/ask.py": "", "pyproject.toml": BUILD + '[tool.poetry]\nname = "x"\npackages = [{include = "kit", from = "code"}]'}, "code/kit/ask.py"),
    ("setuptools, found", {"lib/kit/__init__.py": "", "pyproject.toml": BUILD + '[tool.setuptools.packages.find]\nwhere = ["lib"]'}, "lib/kit/__init__.py"),
    ("setuptools, modules", {"ask.py": "", "pyproject.toml": BUILD + '[tool.setuptools]\npy-modules = ["ask"]'}, "ask.py"),
    ("uv", {"src/core/ask.py": "", "pyproject.toml": BUILD + '[project]\nname = "x"\n[tool.uv.build-backend]\nmodule-name = "core"'}, "src/core/ask.py"),
    ("setup.cfg", IN_SRC | {"setup.cfg": "[metadata]\nname = kit\n[options]\npackages = find:\npackage_dir =\n    = src\n[options.packages.find]\nwhere = src\n", "setup.py": "import setuptools\nsetuptools.setup()\n"}, "src/kit/ask.py"),
    ("setup.py, found", PACKAGE | {"setup.py": "from setuptools import *\nsetup(name='kit', packages=find_packages())\n"}, "kit/ask.py"),
    ("setup.py, listed", {"a/ask.py": "", "b/ask.py": "", "setup.py": "from distutils.core import setup\nsetup(name='x', packages=['a'])\n"}, "a/ask.py"),
    ("setup.py, moved", IN_SRC | {"setup.py": "from setuptools import setup\nsetup(name='kit', package_dir={'': 'src'}, packages=['kit'])\n"}, "src/kit/ask.py"),
    ("a member of a monorepo", {f"libs/one/{name}": text for name, text in PACKAGE.items()} | {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["libs/*"]', "libs/one/pyproject.toml": BUILD + '[project]\nname = "kit"'}, "libs/one/kit/ask.py"),
]  # fmt: skip

NOT_SHIPPED = [
    ("no build", PACKAGE, "kit/ask.py"),
    ("a project without a build", PACKAGE | {"pyproject.toml": '[project]\nname = "kit"'}, "kit/ask.py"),
    ("only settings of tools", PACKAGE | {"pyproject.toml": "[tool.ruff]\nline-length = 100"}, "kit/ask.py"),
    ("poetry, not packaged", PACKAGE | {"pyproject.toml": BUILD + '[tool.poetry]\nname = "kit"\npackage-mode = false'}, "kit/ask.py"),
    ("uv, not packaged", PACKAGE | {"pyproject.toml": BUILD + '[project]\nname = "kit"\n[tool.uv]\npackage = false'}, "kit/ask.py"),
    ("examples beside the package", PACKAGE | {"examples/demo.py": "", "pyproject.toml": BUILD + '[project]\nname = "kit"'}, "examples/demo.py"),
    ("another package", {"a/ask.py": "", "b/ask.py": "", "setup.py": "from distutils.core import setup\nsetup(name='x', packages=['a'])\n"}, "b/ask.py"),
    ("run with -m", PACKAGE | {"kit/__main__.py": "", "pyproject.toml": BUILD + '[project]\nname = "kit"'}, "kit/__main__.py"),
    ("a broken definition", PACKAGE | {"pyproject.toml": "[build-system", "setup.py": "setup(", "setup.cfg": "x"}, "kit/ask.py"),
    ("several packages, none named", {"a/__init__.py": "", "b/__init__.py": "", "pyproject.toml": BUILD + '[project]\nname = "x"'}, "a/__init__.py"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "path"), [case[1:] for case in SHIPPED], ids=[case[0] for case in SHIPPED])
def test_a_build_ships(files: dict[str, str], path: str, tmp_path: Path) -> None:
    assert shipping(tmp_path, files).ships(f"{tmp_path.as_posix()}/{path}")


@pytest.mark.parametrize(("files", "path"), [case[1:] for case in NOT_SHIPPED], ids=[case[0] for case in NOT_SHIPPED])
def test_a_build_does_not_ship(files: dict[str, str], path: str, tmp_path: Path) -> None:
    assert not shipping(tmp_path, files).ships(f"{tmp_path.as_posix()}/{path}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", BUILD + '[project]\nname = "kit"\nscripts = {ask = "kit.ask:main"}'),
        ("pyproject.toml", BUILD + '[tool.poetry]\nname = "kit"\nscripts = {ask = "kit.ask:main"}'),
        ("setup.cfg", "[metadata]\nname = kit\n[options.entry_points]\nconsole_scripts =\n    ask = kit.ask:main\n"),
        ("setup.py", "from setuptools import setup\nsetup(entry_points={'console_scripts': ['ask=kit.ask:main']})\n"),
    ],
)
def test_console_scripts_are_known(name: str, text: str, tmp_path: Path) -> None:
    found = shipping(tmp_path, PACKAGE | {name: text})
    path = f"{tmp_path.as_posix()}/kit/ask.py"
    assert found.is_script(path, "main")
    assert not found.is_script(path, "ask")
    assert not found.is_script(f"{tmp_path.as_posix()}/kit/__init__.py", "main")


def test_calls_that_hand_their_errors_on_are_counted(tmp_path: Path) -> None:
    call = 'OpenAI().responses.create(model="m", input="hi")'
    tree(
        tmp_path,
        {
            "openai-lint.toml": 'root = true\nproject-kind = "library"\nselect = ["OAI101"]\n',
            "kit.py": f"from openai import OpenAI\n\n\ndef one():\n    {call}\n\n\ndef two():\n    {call}\n\n\n{call}\n",
            "tests/test_kit.py": f"from openai import OpenAI\n\n\ndef test():\n    {call}\n",
        },
    )
    report = run([str(tmp_path)], ConfigSource())
    assert report.outside == 2
    assert [finding.place.span[0] for finding in report.findings] == [12]
