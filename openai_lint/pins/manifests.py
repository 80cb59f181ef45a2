"""Manifests in TOML and INI: `pyproject.toml`, `Pipfile`, `pixi.toml`, `setup.cfg`.

Where each tool keeps its dependencies is a table of paths; `*` stands for any key. A value is a list of requirements,
or a table from package name to specifier.
"""

import configparser
import posixpath
import re
from collections.abc import Iterator

import tomli

from openai_lint.pins.pin import Mention, Weight, mention
from openai_lint.pins.requirement import normalized, read_requirement, version_in_url

_MAIN = (
    "project/dependencies",
    "tool/poetry/dependencies",
    "tool/flit/metadata/requires",
    "tool/pixi/dependencies",
    "tool/pixi/pypi-dependencies",
    "packages",
    "dependencies",
    "pypi-dependencies",
)
_OPTIONAL = (
    "project/optional-dependencies/*",
    "dependency-groups/*",
    "tool/poetry/dev-dependencies",
    "tool/poetry/group/*/dependencies",
    "tool/pdm/dev-dependencies/*",
    "tool/hatch/envs/*/dependencies",
    "tool/hatch/envs/*/extra-dependencies",
    "tool/uv/dev-dependencies",
    "tool/rye/dev-dependencies",
    "tool/flit/metadata/requires-extra/*",
    "tool/pixi/feature/*/dependencies",
    "tool/pixi/feature/*/pypi-dependencies",
    "feature/*/dependencies",
    "feature/*/pypi-dependencies",
    "dev-packages",
)
_CONSTRAINT = ("tool/uv/constraint-dependencies", "tool/uv/override-dependencies")
_PLACES = [
    (path.split("/"), weight)
    for paths, weight in ((_MAIN, Weight.MAIN), (_OPTIONAL, Weight.OPTIONAL), (_CONSTRAINT, Weight.CONSTRAINT))
    for path in paths
]
_REQUIREMENTS_FILES = ("tool/setuptools/dynamic/dependencies/file", "tool/hatch/metadata/hooks/requirements_txt/files")
_NAME = re.compile(r"(?<![\w.-])openai(?![\w.-]*\w)", re.IGNORECASE)
_KEY = re.compile(r"""^\s*["']?openai["']?\s*[=.]|dependencies\.["']?openai["']?\s*\]""", re.IGNORECASE | re.MULTILINE)


def read_toml(text: str, name: str) -> Iterator[Mention]:
    """The mentions of `openai` in a TOML manifest; raises ValueError or RecursionError if it is not TOML."""
    document = tomli.loads(text)
    for path, weight in _PLACES:
        for value in _values(document, path):
            for specifier, conditional, written in _specifiers(value):
                source = _source(text, name, written)
                yield mention(specifier, source, weight, conditional=conditional)


def named_requirements(text: str) -> list[str]:
    """The requirements files that a `pyproject.toml` takes its dependencies from, relative to it."""
    document = tomli.loads(text)
    found = [value for place in _REQUIREMENTS_FILES for value in _values(document, place.split("/"))]
    files = [file for value in found for file in (value if isinstance(value, list) else [value])]
    return [posixpath.normpath(file) for file in files if isinstance(file, str)]


def read_setup_cfg(text: str, name: str) -> Iterator[Mention]:
    """The mentions of `openai` in a `setup.cfg`; raises configparser.Error if it is none."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    places = [("options", "install_requires", Weight.MAIN), ("metadata", "requires_dist", Weight.MAIN)]
    if parser.has_section("options.extras_require"):
        places += [("options.extras_require", key, Weight.OPTIONAL) for key in parser["options.extras_require"]]
    for section, key, weight in places:
        for line in (parser.get(section, key, fallback="") or "").splitlines():
            requirement = read_requirement(line)
            if requirement is not None:
                source = _source(text, name, line)
                yield mention(requirement.specifier, source, weight, conditional=requirement.conditional)


def _values(value: object, path: list[str]) -> list[object]:
    """What stands at `path`; nothing where a step leads nowhere."""
    if not path:
        return [value]
    if not isinstance(value, dict):
        return []
    keys = value.keys() if path[0] == "*" else [path[0]]
    return [found for key in keys if key in value for found in _values(value[key], path[1:])]


def _specifiers(value: object) -> Iterator[tuple[str, bool, str]]:
    """(specifier, conditional, as written) of `openai` in a list of requirements or a table by name."""
    if isinstance(value, list):
        for item in value:
            requirement = read_requirement(item) if isinstance(item, str) else None
            if requirement is not None:
                yield requirement.specifier, requirement.conditional, item
    if isinstance(value, dict):
        for key, entry in value.items():
            if normalized(key) == "openai":
                for one in entry if isinstance(entry, list) else [entry]:
                    yield _table_entry(one), isinstance(entry, list), ""


def _table_entry(entry: object) -> str:
    """The specifier of `openai = ...`: a string, or a table with `version`, or the tag of its sources."""
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict):
        return "*"
    texts = {key: value for key, value in entry.items() if isinstance(value, str)}
    if "version" in texts:
        return texts["version"]
    address = next((texts[key] for key in ("url", "path", "file") if key in texts), "")
    return version_in_url(address) or version_in_url("@" + (texts.get("tag") or texts.get("ref") or ""))


def _source(text: str, name: str, written: str) -> str:
    """`name:line` of the requirement as written, or of the key `openai`: readers of TOML and INI tell no lines."""
    at = text.find(written) if written else -1
    if at < 0:
        found = _KEY.search(text) or _NAME.search(text)
        at = found.start() if found else -1
        # The match of a key begins with its indentation, which may begin with empty lines.
        at += len(found[0]) - len(found[0].lstrip()) if found else 0
    return f"{name}:{text.count(chr(10), 0, at) + 1}" if at >= 0 else name
