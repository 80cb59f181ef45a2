"""Configuration: which file holds, every wrong key or value with its exact message, layers, the schema."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from openai_lint.config import KEYS, Config, ConfigError, ConfigSource, parse, schema
from openai_lint.patterns import Patterns
from tests.fakes import tree

WRONG = [
    ("selekt = ['ALL']", 'selekt: unknown key; did you mean "select"?'),
    ("per_file_ignore = {}", 'per_file_ignore: unknown key; did you mean "per-file-ignores"?'),
    ("zzz = 1", "zzz: unknown key"),
    ("select = 'OAI101'", "select: expected a list of rule codes, names or prefixes, found 'OAI101'"),
    ("select = [1]", "select: expected a list of rule codes, names or prefixes, found [1]"),
    ("exclude = 'a'", "exclude: expected a list of patterns, found 'a'"),
    ("lint-tests = 'yes'", "lint-tests: expected true or false, found 'yes'"),
    ("lint-tests = 1", "lint-tests: expected true or false, found 1"),
    ("jobs = -1", "jobs: expected a whole number, 0 or more, found -1"),
    ("jobs = true", "jobs: expected a whole number, 0 or more, found True"),
    ("sdk = '1'", 'sdk: expected a release in two or three parts, such as "1.109" or "3.54.0", found \'1\''),
    ("sdk = 1.109", 'sdk: expected a release in two or three parts, such as "1.109" or "3.54.0", found 1.109'),
    ("baseline = 1", "baseline: expected a path (a string), found 1"),
    (
        "project-kind = 'libary'",
        "project-kind: expected auto, application or library, found 'libary'; did you mean \"library\"?",
    ),
    ("fail-on = 'never'", "fail-on: expected info, warning or error, found 'never'"),
    (
        "severity = {OAI101 = 'bad'}",
        "severity: expected a table of rules, each with info, warning or error, found {'OAI101': 'bad'}",
    ),
    ("severity = []", "severity: expected a table of rules, each with info, warning or error, found []"),
    (
        "per-file-ignores = {'a.py' = 'OAI101'}",
        "per-file-ignores: expected a table of patterns, each with a list of rules, found {'a.py': 'OAI101'}",
    ),
    ("handlers = [[]]", "handlers: expected a list of strings, found [[]]"),
    ("source-roots = 'src'", "source-roots: expected a list of paths, found 'src'"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_key_or_value_names_file_key_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tree(tmp_path, {"openai-lint.toml": text}) / "openai-lint.toml"
    with pytest.raises(ConfigError) as error:
        ConfigSource().for_folder(str(tmp_path))
    assert str(error.value) == f"{path}: {message}"


def test_keys_in_pyproject_are_named_with_their_table(tmp_path: Path) -> None:
    path = tree(tmp_path, {"pyproject.toml": "[tool.openai-lint]\nlint-test = true"}) / "pyproject.toml"
    with pytest.raises(ConfigError) as error:
        ConfigSource().for_folder(str(tmp_path))
    assert str(error.value) == f'{path}: tool.openai-lint.lint-test: unknown key; did you mean "lint-tests"?'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"select = [", "is not valid TOML: "),
        (b"# \xff", "is not UTF-8: "),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes, message: str) -> None:
    tree(tmp_path, {"openai-lint.toml": content})
    with pytest.raises(ConfigError, match=message):
        ConfigSource().for_folder(str(tmp_path))


def test_a_table_that_is_none(tmp_path: Path) -> None:
    tree(tmp_path, {"pyproject.toml": "[tool]\nopenai-lint = 1"})
    with pytest.raises(ConfigError, match=r"tool\.openai-lint: expected a table, found 1"):
        ConfigSource().for_folder(str(tmp_path))


def test_a_missing_file_of_config_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration file"):
        ConfigSource(str(tmp_path / "none.toml"))


def test_the_nearest_file_holds_and_is_not_merged(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "pyproject.toml": "[tool.openai-lint]\nlint-tests = true\nsdk = '0.28'",
            "a/openai-lint.toml": "lint-notebooks = true",
            "a/b/pyproject.toml": "[project]\nname = 'has no table of ours, openai-lint'",
        },
    )
    source = ConfigSource()
    top, inner = source.for_path(f"{tmp_path}/x.py"), source.for_path(f"{tmp_path}/a/b/c/x.py")
    assert (top.lint_tests, top.lint_notebooks, top.sdk) == (True, False, "0.28")
    assert (inner.lint_tests, inner.lint_notebooks, inner.sdk) == (False, True, None)
    assert inner.origin == f"{tmp_path}/a/openai-lint.toml"


def test_the_file_of_its_own_goes_before_pyproject(tmp_path: Path) -> None:
    tree(tmp_path, {"pyproject.toml": "[tool.openai-lint]\nsdk = '0.28'", "openai-lint.toml": "sdk = '1.40'"})
    assert ConfigSource().for_folder(str(tmp_path)).sdk == "1.40"


def test_extend_starts_from_another_file(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "base.toml": "sdk = '0.28'\nroot = true\nignore = ['OAI1']\nextend-exclude = ['a']\n"
            "severity = {OAI101 = 'info'}",
            "p/openai-lint.toml": "extend = '../base.toml'\nextend-exclude = ['b']\nignore = []\n"
            "severity = {OAI201 = 'info'}",
        },
    )
    config = ConfigSource().for_folder(f"{tmp_path}/p")
    assert config.sdk == "0.28"
    assert not config.root
    assert config.ignore == ()
    assert [(patterns.base, patterns.lines) for patterns in config.extend_exclude] == [
        (str(tmp_path), ("a",)),
        (f"{tmp_path}/p", ("b",)),
    ]
    assert config.severity == (("OAI101", "info"), ("OAI201", "info"))
    assert [layer.ignore for layer in config.selection] == [("OAI1",), (), ()]


def test_extend_in_a_circle(tmp_path: Path) -> None:
    tree(tmp_path, {"openai-lint.toml": "extend = 'b.toml'", "b.toml": "extend = 'openai-lint.toml'"})
    with pytest.raises(ConfigError, match="extend each other in a circle"):
        ConfigSource().for_folder(str(tmp_path))


def test_extend_without_a_file(tmp_path: Path) -> None:
    tree(tmp_path, {"openai-lint.toml": "extend = 'b.toml'"})
    with pytest.raises(ConfigError, match=r"extend: no such file: .*/b\.toml"):
        ConfigSource().for_folder(str(tmp_path))


def test_the_command_line_is_on_top_of_each_file(tmp_path: Path) -> None:
    tree(tmp_path, {"openai-lint.toml": "sdk = '0.28'\nselect = ['OAI1']", "a/openai-lint.toml": "sdk = '1.40'"})
    source = ConfigSource(overrides=parse({"sdk": "2.0", "select": ["OAI2"]}, "", str(tmp_path)))
    assert [source.for_folder(f"{tmp_path}{sub}").sdk for sub in ("", "/a")] == ["2.0", "2.0"]
    assert [layer.select for layer in source.for_folder(str(tmp_path)).selection] == [("OAI1",), ("OAI2",)]


def test_isolated_and_explicit(tmp_path: Path) -> None:
    tree(tmp_path, {"openai-lint.toml": "sdk = '0.28'\nroot = true", "other.toml": "sdk = '1.40'"})
    isolated, explicit = ConfigSource(isolated=True), ConfigSource(f"{tmp_path}/other.toml")
    assert isolated.for_folder(str(tmp_path)).sdk is None
    assert isolated.own(str(tmp_path)) is None
    assert explicit.for_folder(str(tmp_path)).sdk == "1.40"
    assert explicit.for_folder("/").sdk == "1.40"


def test_paths_start_from_the_file_that_names_them(tmp_path: Path) -> None:
    tree(tmp_path, {"openai-lint.toml": "baseline = 'known.json'\nsource-roots = ['py', '/abs']"})
    config = ConfigSource().for_folder(str(tmp_path))
    assert config.baseline == f"{tmp_path}/known.json"
    assert config.source_roots == (f"{tmp_path}/py", "/abs")


def test_every_key_is_an_option_and_the_schema_knows_each() -> None:
    described = {option.name for option in fields(Config) if option.metadata}
    assert described == {name.replace("-", "_") for name in KEYS}
    made = schema()
    assert set(made["properties"]) == set(KEYS)
    assert all(shape["description"].endswith(".") for shape in made["properties"].values())
    assert made["additionalProperties"] is False


def test_the_committed_schema_is_the_generated_one() -> None:
    path = Path(__file__).parent.parent / "docs" / "openai-lint.schema.json"
    assert json.loads(path.read_text()) == schema()


def test_the_documentation_names_every_key_with_its_meaning() -> None:
    text = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()
    for key, option in KEYS.items():
        assert f"| `{key}` |" in text
        assert option.metadata["doc"] in text


def test_default_excludes_hold_until_replaced() -> None:
    assert Config().excludes[0].takes("/any/node_modules/x.py")
    assert not Config(exclude=(Patterns("/", ("a",)),)).excludes[0].takes("/any/node_modules/x.py")
