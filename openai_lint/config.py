"""``[tool.openai-lint]`` and ``openai-lint.toml``: typed, nearest to each file, never merged except by ``extend``.

The fields of ``Config`` are the table of options: their metadata say what a key takes and what it means, and the
reader, the error messages, the JSON Schema and the documentation are made from them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from os.path import normpath
from pathlib import Path
from typing import Any

from openai_lint.patterns import Patterns

DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".openai-lint-cache",
    ".pants.d",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "*.egg-info",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)

FORMATS = ("text", "full", "concise", "json", "sarif", "github", "gitlab", "junit", "html")
LEVELS = ("info", "warning", "error")
KINDS = ("auto", "application", "library")
FILES = ("openai-lint.toml", "pyproject.toml")
"""Names of configuration files; in one folder the first wins."""

_RELEASE = re.compile(r"\d+\.\d+(\.\d+)?\Z")


class ConfigError(Exception):
    """A configuration that cannot be used: the file, the key in it (or None), and what to do about it."""

    def __init__(self, path: str, key: str | None, message: str) -> None:
        super().__init__(path, key, message)
        self.path = path
        self.key = key
        self.message = message

    def __str__(self) -> str:
        return ": ".join(part for part in (self.path, self.key, self.message) if part)


@dataclass(frozen=True, slots=True)
class Selection:
    """One layer of rule selection: a file's, or the command line's. ``select`` None keeps what the one below chose."""

    origin: str
    select: tuple[str, ...] | None = None
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def _option(kind: str, default: Any, doc: str, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"kind": kind, "doc": doc, "choices": choices})


@dataclass(frozen=True)
class Config:
    """The options that hold for one file. Patterns are kept with the folder that they are relative to."""

    select: tuple[str, ...] | None = _option(
        "selectors", None, "Rules to run instead of the default set: codes, names, prefixes of codes, or ALL."
    )
    extend_select: tuple[str, ...] = _option("selectors", (), "Rules to run besides.")
    ignore: tuple[str, ...] = _option("selectors", (), "Rules not to run.")
    per_file_ignores: tuple[tuple[Patterns, tuple[str, ...]], ...] = _option(
        "pattern-selectors", (), "Rules to ignore in files that match a pattern (written as in .gitignore)."
    )
    severity: tuple[tuple[str, str], ...] = _option(
        "levels", (), "Severity of single rules: code or name to info, warning or error."
    )
    fixable: tuple[str, ...] | None = _option("selectors", None, "Rules whose fixes may be applied (default: all).")
    unfixable: tuple[str, ...] = _option("selectors", (), "Rules whose fixes are never applied.")
    extend_safe_fixes: tuple[str, ...] = _option("selectors", (), "Rules whose unsafe fixes are applied as safe ones.")
    extend_unsafe_fixes: tuple[str, ...] = _option("selectors", (), "Rules whose safe fixes need --unsafe-fixes.")
    unsafe_fixes: bool = _option("bool", False, "Show (and with --fix apply) fixes that change behaviour.")
    show_fixes: bool = _option("bool", False, "Show each suggestion as a diff.")
    exclude: tuple[Patterns, ...] | None = _option(
        "patterns", None, "Files and folders that are not read, instead of the default list (written as in .gitignore)."
    )
    extend_exclude: tuple[Patterns, ...] = _option("patterns", (), "Files and folders that are not read, besides.")
    force_exclude: bool = _option("bool", False, "Exclude also files that the command line names.")
    respect_gitignore: bool = _option("bool", True, "Leave out what .gitignore leaves out.")
    sdk: str | None = _option("release", None, "Release of the openai package, such as 1.109 or 3.54.0.")
    project_kind: str = _option(
        "choice", "auto", "Whether public functions hand their errors to callers outside.", KINDS
    )
    lint_tests: bool = _option("bool", False, "Run every rule on test files too.")
    lint_notebooks: bool = _option("bool", False, "Take unhandled errors in notebooks as seriously as in modules.")
    client_factories: tuple[str, ...] = _option("strings", (), "Functions of yours that return an OpenAI client.")
    handlers: tuple[str, ...] = _option(
        "strings", (), "Decorators and context managers of yours that handle OpenAI errors."
    )
    retries: tuple[str, ...] = _option("strings", (), "Decorators of yours that retry with backoff.")
    placeholders: tuple[str, ...] = _option("strings", (), "Texts that stand for a key and are none.")
    source_roots: tuple[str, ...] = _option("paths", (), "Folders that imports start from, besides those found.")
    output_format: str = _option("choice", "text", "How findings are written.", FORMATS)
    output_file: str | None = _option("path", None, "File to write the findings to, instead of standard output.")
    statistics: bool = _option("bool", False, "Show a count for each rule instead of the findings.")
    min_severity: str | None = _option(
        "choice",
        None,
        "Findings below are counted, not shown (default: warning, or fail-on where that is lower).",
        LEVELS,
    )
    fail_on: str = _option("choice", "warning", "Findings at or above make the exit code 1.", LEVELS)
    baseline: str | None = _option("path", None, "File of findings that are known and not reported.")
    cache_dir: str | None = _option("path", None, "Folder for a cache. Not used in this version.")
    jobs: int = _option("count", 0, "Processes that read files (0: as many as pay).")
    root: bool = _option("bool", False, "This folder is the root for linking, whatever is above.")
    extend: str | None = _option("path", None, "Another configuration file that this one starts from.")
    origin: str = field(default="defaults", metadata={})
    selection: tuple[Selection, ...] = field(default=(), metadata={})

    @property
    def layers(self) -> tuple[Selection, ...]:
        """The layers that rules are selected in, the lowest first; one that was not read from files is one layer."""
        own = Selection(self.origin, self.select, self.extend_select, self.ignore)
        return self.selection or (own,)

    @property
    def shown_from(self) -> str:
        """The least severity that is shown. Nobody should fail for what is not shown."""
        return self.min_severity or min("warning", self.fail_on, key=LEVELS.index)

    @cached_property
    def excludes(self) -> tuple[Patterns, ...]:
        """Every exclude pattern that holds, defaults included."""
        chosen = (Patterns("/", DEFAULT_EXCLUDE),) if self.exclude is None else self.exclude
        return (*chosen, *self.extend_exclude)


KEYS: dict[str, Any] = {option.name.replace("_", "-"): option for option in fields(Config) if option.metadata}
"""Every key of the configuration, as it is written in the file, with its field."""

_STRING_LIST = "a list of strings"
_EXPECTED = {
    "bool": "true or false",
    "string": "a string",
    "path": "a path (a string)",
    "count": "a whole number, 0 or more",
    "release": 'a release in two or three parts, such as "1.109" or "3.54.0"',
    "strings": _STRING_LIST,
    "paths": "a list of paths",
    "selectors": "a list of rule codes, names or prefixes",
    "patterns": "a list of patterns",
    "pattern-selectors": "a table of patterns, each with a list of rules",
    "levels": "a table of rules, each with info, warning or error",
}


def parse(table: Mapping[str, Any], path: str, base: str, where: str = "") -> dict[str, Any]:
    """The typed values of a table of keys, by field name. ``base`` is the folder that patterns and paths start from.

    Raises ConfigError for an unknown key, naming the nearest valid one, and for a value of the wrong type.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        option = KEYS.get(key)
        if option is None:
            raise ConfigError(path, where + key, f"unknown key{nearest(key, KEYS)}")
        kind, choices = option.metadata["kind"], option.metadata["choices"]
        typed = _typed(kind, choices, value, base)
        if typed is None:
            expected = " or ".join((", ".join(choices[:-1]), choices[-1])) if choices else _EXPECTED[kind]
            hint = nearest(value, choices) if choices and isinstance(value, str) else ""
            raise ConfigError(path, where + key, f"expected {expected}, found {_shown(value)}{hint}")
        values[option.name] = typed
    return values


def _typed(kind: str, choices: Sequence[str], value: Any, base: str) -> Any:
    """The value in its final form, or None if it is not of its kind."""
    if kind == "bool":
        return value if isinstance(value, bool) else None
    if kind == "count":
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
    if kind in ("string", "choice", "release", "path"):
        if not isinstance(value, str) or (choices and value not in choices):
            return None
        if kind == "release" and not _RELEASE.match(value):
            return None
        return _absolute(base, value) if kind == "path" else value
    if kind in ("pattern-selectors", "levels"):
        return _typed_table(kind, value, base)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        return None
    if kind == "patterns":
        return (Patterns(base, value),)
    if kind == "paths":
        return tuple(_absolute(base, item) for item in value)
    return tuple(value)


def _typed_table(kind: str, value: Any, base: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    if kind == "levels":
        return tuple(value.items()) if all(level in LEVELS for level in value.values()) else None
    for selectors in value.values():
        if not isinstance(selectors, list | tuple) or not all(isinstance(item, str) for item in selectors):
            return None
    return tuple((Patterns(base, (pattern,)), tuple(selectors)) for pattern, selectors in value.items())


def _absolute(base: str, path: str) -> str:
    return normpath(f"{base}/{path}" if not path.startswith("/") else path)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(word: str, known: Any) -> str:
    """``; did you mean "x"?``, or nothing when no known word is near."""
    from difflib import get_close_matches

    found = get_close_matches(word.replace("_", "-"), list(known), 1, 0.5)
    return f'; did you mean "{found[0]}"?' if found else ""


_TABLES = {"per_file_ignores", "severity"}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values of two layers: lists called ``extend-*`` grow, tables are joined, everything else is replaced."""
    values = dict(below)
    for name, value in above.items():
        if name in values and (name in _TABLES or (name.startswith("extend_") and isinstance(value, tuple))):
            values[name] = values[name] + value
        else:
            values[name] = value
    return values


def _selection(values: Mapping[str, Any], origin: str) -> Selection:
    return Selection(origin, values.get("select"), values.get("extend_select", ()), values.get("ignore", ()))


class ConfigSource:
    """Finds the configuration of each file: the nearest file above it, then the command line's options on top.

    ``explicit`` is the file of ``--config``, or a configuration; it holds for every file. ``isolated`` ignores all
    files. ``overrides`` are typed values by field name, as ``parse`` gives them.
    """

    def __init__(
        self,
        explicit: "str | Config | None" = None,
        *,
        isolated: bool = False,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self._isolated = isolated
        self._overrides = dict(overrides or {})
        self._folders: dict[str, Config] = {}
        self._own: dict[str, Config | None] = {}
        self._explicit = self._load(explicit, needed=True) if isinstance(explicit, str) else explicit
        self._default = self._config({}, (), "defaults")

    def for_path(self, path: str) -> Config:
        """The configuration of a file (absolute path)."""
        return self.for_folder(path.rpartition("/")[0] or "/")

    def for_folder(self, folder: str) -> Config:
        """The configuration of the files that stand in a folder (absolute path)."""
        if self._explicit is not None:
            return self._explicit
        if self._isolated:
            return self._default
        found = self._folders.get(folder)
        if found is None:
            own = self.own(folder)
            if own is not None:
                found = own
            elif folder in ("", "/"):
                found = self._default
            else:
                found = self.for_folder(folder.rpartition("/")[0] or "/")
            self._folders[folder] = found
        return found

    def own(self, folder: str) -> Config | None:
        """The configuration that stands in this very folder, if any."""
        if self._isolated or self._explicit is not None:
            return None
        if folder not in self._own:
            self._own[folder] = next(
                (config for name in FILES if (config := self._load(f"{folder.rstrip('/')}/{name}")) is not None), None
            )
        return self._own[folder]

    def _load(self, path: str, *, needed: bool = False) -> Config | None:
        """The configuration in a file; None where there is no such file, or it says nothing to us."""
        loaded = self._layers(path, (), needed=needed)
        return None if loaded is None else self._config(*loaded, path)

    def _config(self, values: Mapping[str, Any], layers: tuple[Selection, ...], origin: str) -> Config:
        own = _selection(self._overrides, "command line")
        return Config(**merged(values, self._overrides), origin=origin, selection=(*layers, own))

    def _layers(
        self, path: str, chain: tuple[str, ...], *, needed: bool
    ) -> tuple[dict[str, Any], tuple[Selection, ...]] | None:
        table = _table(path, needed=needed)
        if table is None:
            return None
        if path in chain:
            raise ConfigError(path, "extend", "configuration files extend each other in a circle")
        where = "tool.openai-lint." if path.endswith("pyproject.toml") else ""
        values = parse(table, path, path.rpartition("/")[0] or "/", where)
        layers: tuple[Selection, ...] = (_selection(values, path),)
        if (base := values.get("extend")) is not None:
            if not Path(base).is_file():
                raise ConfigError(path, where + "extend", f"no such file: {base}")
            below = self._layers(base, (*chain, path), needed=True)
            if below is not None:
                inherited = {name: value for name, value in below[0].items() if name != "root"}
                values = merged(inherited, values)
                layers = (*below[1], *layers)
        return values, layers


def _table(path: str, *, needed: bool) -> Mapping[str, Any] | None:
    """The keys that a file holds for us, None if there is no such file; ``needed`` makes that an error."""
    try:
        data = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if needed:
            raise ConfigError(path, None, "no such configuration file") from None
        return None
    except OSError as error:
        raise ConfigError(path, None, f"cannot be read: {error.strerror}") from error
    ours = not path.endswith("pyproject.toml")
    if not ours and b"openai-lint" not in data:
        return {} if needed else None
    import tomli

    try:
        document = tomli.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(path, None, f"is not UTF-8: {error.reason} at byte {error.start}") from error
    except tomli.TOMLDecodeError as error:
        raise ConfigError(path, None, f"is not valid TOML: {error}") from error
    if ours:
        tool = document.get("tool")
        document = tool["openai-lint"] if isinstance(tool, dict) and "openai-lint" in tool else document
    else:
        tool = document.get("tool", {})
        if "openai-lint" not in tool:
            return {} if needed else None
        document = tool["openai-lint"]
    if not isinstance(document, dict):
        raise ConfigError(path, "tool.openai-lint", f"expected a table, found {_shown(document)}")
    return document


def shown(config: Config) -> str:
    """The settings as TOML, with the file that they come from in front."""
    import json

    lines = [f"# {config.origin}"]
    for key, option in KEYS.items():
        value = getattr(config, option.name)
        kind = option.metadata["kind"]
        if key == "exclude" and value is None:
            value = (Patterns("/", DEFAULT_EXCLUDE),)
        if value is None or key == "extend":
            continue
        if kind == "patterns":
            value = [line for patterns in value for line in patterns.lines]
        elif kind == "pattern-selectors":
            value = {line: list(rules) for patterns, rules in value for line in patterns.lines}
        elif kind == "levels":
            value = dict(value)
        if isinstance(value, dict):
            inner = ", ".join(f"{json.dumps(name)} = {json.dumps(item)}" for name, item in value.items())
            lines.append(f"{key} = {{ {inner} }}" if inner else f"{key} = {{}}")
        else:
            lines.append(f"{key} = {json.dumps(list(value) if isinstance(value, tuple) else value)}")
    return "\n".join(lines) + "\n"


def schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the configuration, made from the fields of ``Config``."""
    text: dict[str, Any] = {"type": "string"}
    texts: dict[str, Any] = {"type": "array", "items": text}
    shapes: dict[str, dict[str, Any]] = {
        "bool": {"type": "boolean"},
        "count": {"type": "integer", "minimum": 0},
        "release": {"type": "string", "pattern": r"^\d+\.\d+(\.\d+)?$"},
        "path": text,
        "selectors": texts,
        "strings": texts,
        "paths": texts,
        "patterns": texts,
        "pattern-selectors": {"type": "object", "additionalProperties": texts},
        "levels": {"type": "object", "additionalProperties": {"enum": list(LEVELS)}},
    }
    properties = {}
    for key, option in KEYS.items():
        kind, choices = option.metadata["kind"], option.metadata["choices"]
        shape = {"enum": list(choices)} if choices else dict(shapes[kind])
        properties[key] = {"description": option.metadata["doc"], **shape}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "openai-lint",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
