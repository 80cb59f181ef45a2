"""What the project's build ships: the packages that other programs import, and the functions that are console scripts.

Read from ``pyproject.toml``, ``setup.cfg`` and ``setup.py`` without running anything. Where the build names no package,
its backend's usual places are looked at. A project without a build ships nothing: it is an application.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openai_lint.pins.disk import Disk

if TYPE_CHECKING:
    from openai_lint.files import Workspace

_SOURCE_FOLDERS = ("", "src", "lib", "python")
_NO_PACKAGE = frozenset({
    "benchmark", "benchmarks", "bin", "build", "ci", "demo", "demos", "dist", "doc", "docs", "example", "examples",
    "notebooks", "playground", "sample", "samples", "scripts", "test", "tests", "tools", "tutorials",
})  # fmt: skip
"""Folders that a build leaves out although they may be packages."""

_TARGET = re.compile(r"([\w.]+)\s*:\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Build:
    """What one build definition ships: folders and files below its folder, and ``module:function`` of its scripts."""

    shipped: tuple[str, ...] = ()
    scripts: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class _Said:
    """What the definitions of one folder say, before it is held against the disk."""

    builds: bool = False
    name: str = ""
    packages: list[str] = field(default_factory=list)
    found_in: list[str] = field(default_factory=list)
    base: str = ""
    scripts: list[str] = field(default_factory=list)


class Shipping:
    """Answers per file, by the nearest build definition above it."""

    def __init__(self, workspace: "Workspace") -> None:
        self._root = str(workspace.root).rstrip("/")
        self._files = frozenset(workspace.files)
        self._disk = Disk(workspace.root)
        self._by_folder: dict[str, Build | None] = {}

    def ships(self, path: str) -> bool:
        """Whether the module at ``path`` is part of what an installation of the project brings."""
        build = self._build(path.rpartition("/")[0])
        if build is None or path.endswith("/__main__.py"):
            return False
        return any(path == shipped or path.startswith(shipped + "/") for shipped in build.shipped)

    def is_script(self, path: str, function: str) -> bool:
        """Whether a function of the module at ``path`` is a console script."""
        build = self._build(path.rpartition("/")[0])
        if build is None:
            return False
        dotted = "." + path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return any(name == function and dotted.endswith("." + module) for module, name in build.scripts)

    def _build(self, folder: str) -> Build | None:
        if folder not in self._by_folder:
            found = self._read(folder)
            if found is None and folder != self._root and folder.startswith(self._root + "/"):
                found = self._build(folder.rpartition("/")[0])
            self._by_folder[folder] = found
        return self._by_folder[folder]

    def _read(self, folder: str) -> Build | None:
        """The build that is defined in this very folder."""
        if folder != self._root and not folder.startswith(self._root + "/"):
            return None
        inside = folder[len(self._root) + 1 :]
        names = set(self._disk.names(inside))
        said = _Said()
        for name, reader in (("pyproject.toml", _pyproject), ("setup.cfg", _setup_cfg), ("setup.py", _setup_py)):
            text = self._disk.text(f"{inside}/{name}" if inside else name) if name in names else None
            if text is not None:
                reader(text, said)
        if not said.builds:
            return Build() if "pyproject.toml" in names and said.name else None
        scripts = frozenset(found for line in said.scripts if (found := _target(line)) is not None)
        return Build(tuple(self._shipped(folder, said)), scripts)

    def _shipped(self, folder: str, said: _Said) -> Iterable[str]:
        named = [self._existing(folder, (said.base, package.split(".*")[0])) for package in said.packages]
        found = [path for path in named if path is not None]
        for where in said.found_in:
            found += self._packages(f"{folder}/{where}".rstrip("/."))
        if found or said.packages or said.found_in:
            return found
        usual = re.sub(r"[-. ]+", "_", said.name)
        for base in _SOURCE_FOLDERS:
            for name in dict.fromkeys((usual, usual.lower())):
                path = self._existing(folder, (base, name)) if name else None
                if path is not None:
                    return [path]
        below = self._packages(f"{folder}/src")
        here = self._packages(folder)
        return below or (here if len(here) == 1 else [])

    def _existing(self, folder: str, parts: tuple[str, str]) -> str | None:
        """The package or module at one of the ways to write it (``a.b``, ``a/b``, ``b.py``), as an absolute path."""
        base, name = parts
        for written in (name, name.replace(".", "/")):
            parts_of_path = (folder, base.strip("./"), written.strip("./").removesuffix(".py"))
            path = "/".join(part for part in parts_of_path if part)
            if f"{path}.py" in self._files:
                return f"{path}.py"
            if any(file.startswith(path + "/") for file in self._files):
                return path
        return None

    def _packages(self, folder: str) -> list[str]:
        """The top-level packages in a folder."""
        base = folder + "/"
        names = {file[len(base) :].partition("/")[0] for file in self._files if file.startswith(base)} - _NO_PACKAGE
        return [base + name for name in sorted(names) if f"{base}{name}/__init__.py" in self._files]


def _target(line: str) -> tuple[str, str] | None:
    found = _TARGET.search(line.rpartition("=")[2])
    return (found[1], found[2]) if found else None


def _pyproject(text: str, said: _Said) -> None:
    import tomli

    try:
        document = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    project, tool = _table(document, "project"), _table(document, "tool")
    poetry, setuptools = _table(tool, "poetry"), _table(tool, "setuptools")
    said.name = str(project.get("name") or poetry.get("name") or "")
    packaged = (poetry.get("package-mode"), _table(tool, "uv").get("package"))
    said.builds = "build-system" in document and False not in packaged
    for scripts in (project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts")):
        if isinstance(scripts, Mapping):
            said.scripts += [str(target) for target in scripts.values()]
    wheel = _table(tool, "hatch", "build", "targets", "wheel")
    for table in (wheel, setuptools):
        for key in ("packages", "only-include", "py-modules"):
            said.packages += [str(item) for item in _list(table.get(key))]
    for item in _list(poetry.get("packages")):
        if isinstance(item, Mapping):
            said.packages.append("/".join(str(item[key]) for key in ("from", "include") if key in item))
    flit, backend = _table(tool, "flit", "module"), _table(tool, "uv", "build-backend")
    said.name = str(flit.get("name") or backend.get("module-name") or said.name)
    said.found_in += [str(where) for where in _list(_table(setuptools, "packages", "find").get("where"))]
    said.base = str(_table(setuptools, "package-dir").get("", ""))


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        inner = document.get(key)
        if not isinstance(inner, Mapping):
            return {}
        document = inner
    return document


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _setup_cfg(text: str, said: _Said) -> None:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except ConfigParserError:
        return
    if not parser.has_section("options") and not parser.has_option("metadata", "name"):
        return
    said.builds = True
    said.name = said.name or parser.get("metadata", "name", fallback="")
    packages = parser.get("options", "packages", fallback="")
    if "find" in packages:
        said.found_in.append(parser.get("options.packages.find", "where", fallback="."))
    else:
        said.packages += packages.split()
    said.packages += parser.get("options", "py_modules", fallback="").split()
    root = re.search(r"^\s*=\s*(\S+)", parser.get("options", "package_dir", fallback=""), re.MULTILINE)
    said.base = root[1] if root else said.base
    for name in ("console_scripts", "gui_scripts"):
        said.scripts += parser.get("options.entry_points", name, fallback="").splitlines()


def _setup_py(text: str, said: _Said) -> None:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "setup":
            said.builds = True
            for keyword in node.keywords:
                _setup_keyword(keyword.arg or "", keyword.value, said)


def _setup_keyword(name: str, value: ast.expr, said: _Said) -> None:
    texts = _texts(value)
    if name == "name" and texts:
        said.name = said.name or texts[0]
    elif name == "packages" and isinstance(value, ast.Call):
        where = [item.value for item in value.keywords if item.arg == "where"] or value.args[:1]
        said.found_in += [text for item in where for text in _texts(item)] or ["."]
    elif name in ("packages", "py_modules"):
        said.packages += texts
    elif name == "package_dir" and isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "" and isinstance(item, ast.Constant):
                said.base = str(item.value)
    elif name in ("entry_points", "scripts"):
        said.scripts += [line for item in texts for line in item.splitlines()]


def _texts(node: ast.expr) -> list[str]:
    return [item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
