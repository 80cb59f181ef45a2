"""Which files there are: the root that is linked, the files below it, and the ones that are reported.

Given paths choose what is reported; the root chooses what is linked, because a hook passes only the changed files and
the handler of an error may stand in another one.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from openai_lint import gate
from openai_lint.config import FILES, Config, ConfigSource
from openai_lint.patterns import Patterns

if TYPE_CHECKING:
    from openai_lint.facts import ModuleFacts, Unreadable

SUFFIXES = (".py", ".pyw", ".ipynb")
STDIN = "<stdin>.py"
"""Name of what comes from standard input, where no other is given."""

_STAR = re.compile(rb"\bimport[ \t]*\(?[ \t]*\*")

_KEPT_BYTES = 512 * 1024 * 1024


class PathError(Exception):
    """A given path that does not exist."""


@dataclass(frozen=True, slots=True)
class Source:
    """What was given: absolute paths of files and folders, and the contents of standard input by its path."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    overlay: Mapping[str, bytes] = field(default_factory=dict)


def absolute(path: str, cwd: str | None = None) -> str:
    """The absolute path with ``/``, ``..`` resolved by name, links kept as they were given."""
    joined = path if cwd is None else os.path.join(cwd, path)  # noqa: PTH118 - one string operation on a hot path
    return os.path.abspath(joined).replace(os.sep, "/")  # noqa: PTH100 - resolve() would follow links


def display(path: str, cwd: str | None = None) -> str:
    """How a file is named in the report: relative to the working directory, absolute only outside it."""
    base = (cwd if cwd is not None else absolute(".")).rstrip("/") + "/"
    shown = path.removeprefix(base)
    return shown.removesuffix(STDIN) + "<stdin>" if shown.endswith(STDIN) else shown


def given(paths: Sequence[str], stdin: tuple[str | None, bytes] | None = None) -> Source:
    """Sorts the given paths. ``stdin`` is the name and the contents that ``-`` stands for.

    Raises PathError for a path that does not exist.
    """
    files: list[str] = []
    folders: list[str] = []
    overlay: dict[str, bytes] = {}
    for path in paths or (".",):
        if path == "-" and stdin is not None:
            name = absolute(stdin[0] or STDIN)
            files.append(name)
            overlay[name] = stdin[1]
            continue
        full = absolute(path)
        if os.path.isdir(full):  # noqa: PTH112
            folders.append(full)
        elif os.path.lexists(full):
            files.append(full)
        else:
            raise PathError(f"no such file or folder: {path}")
    return Source(tuple(dict.fromkeys(files)), tuple(dict.fromkeys(folders)), overlay)


def root_of(path: str, source: ConfigSource) -> str:
    """The root for linking of a folder: the nearest one with ``.git`` or a configuration with ``root = true``.

    Without either the nearest with ``pyproject.toml``, else the working directory, or the folder itself outside of it.
    """
    nearest_project = None
    for folder in _upwards(path):
        own = source.own(folder)
        if (own is not None and own.root) or os.path.lexists(f"{folder.rstrip('/')}/.git"):
            return folder
        if nearest_project is None and os.path.isfile(f"{folder.rstrip('/')}/pyproject.toml"):  # noqa: PTH113
            nearest_project = folder
    if nearest_project is not None:
        return nearest_project
    cwd = absolute(".")
    # Nobody means to link a whole home or machine.
    inside = (path + "/").startswith(cwd.rstrip("/") + "/") and cwd not in ("/", absolute(os.path.expanduser("~")))  # noqa: PTH111
    return cwd if inside else path


def _upwards(folder: str) -> Iterable[str]:
    while True:
        yield folder
        if folder in ("", "/") or "/" not in folder:
            return
        folder = folder.rpartition("/")[0] or "/"


class Workspace:
    """The files of one root: what may be linked, what is reported, and their contents, facts and configuration.

    ``extract`` makes the facts of a file from its bytes; it is handed in, so that nothing here imports a parser.
    """

    def __init__(
        self,
        root: str,
        files: Iterable[str],
        reported: Iterable[str],
        source: ConfigSource,
        extract: "Callable[[str, bytes], ModuleFacts | Unreadable]",
        *,
        overlay: Mapping[str, bytes] | None = None,
        named: Iterable[str] = (),
        notes: Iterable[str] = (),
        sdk: str | None = None,
    ) -> None:
        self.root = Path(root)
        self.files: Sequence[str] = tuple(sorted(files))
        self.reported = frozenset(reported)
        self.named = frozenset(named)
        self.notes = list(notes)
        self.sdk = sdk
        self.jobs = 1
        """How many processes read files; 0 for as many as pay."""
        self.judges_tests = False
        """Whether the calls in all tests count, whatever the configuration says of findings in them."""
        self._source = source
        self._extract = extract
        self._overlay = dict(overlay or {})
        self._bytes: dict[str, bytes] = {}
        self._kept = 0
        self._facts: dict[str, ModuleFacts | Unreadable] = {}
        self._gate: dict[str, bool] = {}

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises OSError where it cannot be read."""
        data = self._overlay.get(path)
        if data is None:
            data = self._bytes.get(path)
        if data is None:
            data = _read(path)
            if self._kept + len(data) <= _KEPT_BYTES:
                self._bytes[path] = data
                self._kept += len(data)
        return data

    def facts(self, path: str) -> "ModuleFacts | Unreadable":
        """The facts of a file, extracted when first asked for."""
        found = self._facts.get(path)
        if found is None:
            try:
                found = self._extract(path, self.read(path))
            except OSError as error:
                from openai_lint.facts import Unreadable

                found = Unreadable(path, f"cannot be read: {error.strerror or error}", 1, 1)
            self._facts[path] = found
        return found

    def prepare(self, paths: Iterable[str]) -> None:
        """Extract the facts of files that will be asked for, several at a time."""
        sources = []
        for path in paths:
            if path not in self._facts:
                with suppress(OSError):
                    sources.append((path, self.read(path)))
        if sources:
            from openai_lint.parallel import extracted

            self._facts.update(extracted(sources, self._extract, self.jobs))

    @property
    def parsed(self) -> Sequence[str]:
        """The files whose facts somebody asked for so far."""
        return tuple(self._facts)

    def gate(self, path: str) -> bool:
        """Whether the file can matter by itself.

        One that cannot be read does: somebody must say so. One that vanished since it was listed does not.
        """
        verdict = self._gate.get(path)
        if verdict is None:
            try:
                verdict = (gate.matters if self.judges(path) else gate.matters_in_tests)(self.read(path))
            except FileNotFoundError:
                self.notes.append(f"{display(path)}: vanished while it was being read")
                verdict = False
            except OSError:
                verdict = True
            self._gate[path] = verdict
        return verdict

    def mentioning(self, word: str, among: Iterable[str]) -> list[str]:
        """The files whose bytes hold ``word`` as a whole identifier."""
        needle = word.encode()
        found = []
        for path in among:
            try:
                if _holds(self.read(path), needle):
                    found.append(path)
            except OSError:
                continue
        return found

    @cached_property
    def starring(self) -> list[str]:
        """The files that import everything from somewhere."""
        found = []
        for path in self.files:
            with suppress(OSError):
                if _STAR.search(self.read(path)) is not None:
                    found.append(path)
        return found

    def config_for(self, path: str) -> Config:
        """The configuration of a file."""
        return self._source.for_path(path)

    def judges(self, path: str) -> bool:
        """Whether the calls of a file count: not those of tests, unless somebody asks for them."""
        return self.judges_tests or not self.is_test(path) or self.config_for(path).lint_tests

    def is_test(self, path: str) -> bool:
        """Whether the file is a test: ``tests/``, ``test_*.py``, ``*_test.py`` or conftest, seen from the root."""
        base = str(self.root).rstrip("/") + "/"
        inside = path[len(base) :] if path.startswith(base) else path.rpartition("/")[2]
        *folders, name = inside.split("/")
        stem = name.rpartition(".")[0]
        return "tests" in folders or stem == "conftest" or stem.startswith("test_") or stem.endswith("_test")


def workspaces(
    source: Source,
    config: ConfigSource,
    extract: "Callable[[str, bytes], ModuleFacts | Unreadable]",
    *,
    sdk: str | None = None,
) -> list[Workspace]:
    """One workspace for each root that the given paths belong to, in order of the roots."""
    by_root: dict[str, tuple[list[str], list[str]]] = {}
    for folder in source.folders:
        by_root.setdefault(root_of(folder, config), ([], []))[1].append(folder)
    for path in source.files:
        by_root.setdefault(root_of(path.rpartition("/")[0] or "/", config), ([], []))[0].append(path)
    made = []
    for root, (named, folders) in sorted(by_root.items()):
        notes: list[str] = []
        walk = _Walk(config, notes)
        files = walk.below(root)
        reported: set[str] = set()
        for folder in folders:
            if folder == root:
                reported.update(files)
            elif folder in walk.seen:
                reported.update(path for path in files if path.startswith(folder.rstrip("/") + "/"))
            elif not config.for_folder(folder).force_exclude:
                # Excluded, ignored or behind a link, and yet named: it is read.
                reported.update(walk.below(folder))
        kept = [path for path in named if not (config.for_path(path).force_exclude and _excluded(path, root, config))]
        notes.extend(f"{display(path)}: excluded" for path in named if path not in kept)
        reported.update(kept)
        made.append(
            Workspace(
                root,
                {*files, *reported},
                reported,
                config,
                extract,
                overlay={path: data for path, data in source.overlay.items() if path in kept},
                named=kept,
                notes=notes,
                sdk=sdk,
            )
        )
    return made


class _Walk:
    """One pass over folders, with a stack instead of recursion; what is left out is left out before it is opened."""

    def __init__(self, source: ConfigSource, notes: list[str]) -> None:
        self._source = source
        self._notes = notes
        self.seen: set[str] = set()

    def below(self, top: str) -> list[str]:
        """Every source file below a folder, but for what the configuration and ``.gitignore`` leave out."""
        found: list[str] = []
        config = self._source.for_folder(top)
        stack = [(top, config, _ignores_above(top) if config.respect_gitignore else ())]
        while stack:
            folder, config, ignores = stack.pop()
            try:
                with os.scandir(folder) as entries:
                    listed = list(entries)
            except OSError as error:
                self._notes.append(f"{display(folder)}: cannot be listed: {error.strerror or error}")
                continue
            names = {entry.name for entry in listed}
            if "pyvenv.cfg" in names and folder != top:
                continue
            self.seen.add(folder)
            if not names.isdisjoint(FILES):
                config = self._source.for_folder(folder)
            if config.respect_gitignore and ".gitignore" in names:
                ignores = (*ignores, _ignore_file(folder, ".gitignore"))
            leave_out = config.excludes
            base = folder.rstrip("/")
            for entry in listed:
                name = entry.name
                path = f"{base}/{name}"
                try:
                    # A linked folder is not followed: it would be read twice, or for ever.
                    if entry.is_dir(follow_symlinks=False):
                        if not _left_out(path, leave_out, ignores, is_folder=True):
                            stack.append((path, config, ignores))
                    elif (
                        name.endswith(SUFFIXES)
                        and entry.is_file()
                        and not (entry.is_symlink() and _leads_inside(path, top))
                        and not _left_out(path, leave_out, ignores, is_folder=False)
                    ):
                        found.append(path)
                except OSError as error:
                    self._notes.append(f"{display(path)}: {error.strerror or error}")
        return found


def _left_out(path: str, excludes: Iterable[Patterns], ignores: Sequence[Patterns], *, is_folder: bool) -> bool:
    if any(patterns.verdict(path, is_folder) for patterns in excludes):
        return True
    for patterns in reversed(ignores):  # the deepest file that says anything decides
        verdict = patterns.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def _excluded(path: str, root: str, source: ConfigSource) -> bool:
    """Whether a walk from the root would not have come to this file."""
    config = source.for_path(path)
    ignores = _ignores_above(root) if config.respect_gitignore else ()
    folder = root.rstrip("/")
    parts = path[len(folder) :].strip("/").split("/")
    for number, name in enumerate(parts, 1):
        if config.respect_gitignore and os.path.isfile(f"{folder}/.gitignore"):  # noqa: PTH113
            ignores = (*ignores, _ignore_file(folder, ".gitignore"))
        folder = f"{folder}/{name}"
        if _left_out(folder, config.excludes, ignores, is_folder=number < len(parts)):
            return True
        if os.path.isfile(f"{folder}/pyvenv.cfg"):  # noqa: PTH113
            return True
    return False


def _ignores_above(folder: str) -> tuple[Patterns, ...]:
    """The ignore files between the top of the repository and ``folder``, which itself is read with its contents."""
    found: list[Patterns] = []
    for above in _upwards(folder):
        base = above.rstrip("/")
        if above != folder and os.path.isfile(f"{base}/.gitignore"):  # noqa: PTH113
            found.append(_ignore_file(above, ".gitignore"))
        if os.path.lexists(f"{base}/.git"):
            if os.path.isfile(f"{base}/.git/info/exclude"):  # noqa: PTH113
                found.append(_ignore_file(above, ".git/info/exclude"))
            return tuple(reversed(found))
    return ()


def _ignore_file(folder: str, name: str) -> Patterns:
    try:
        text = _read(f"{folder.rstrip('/')}/{name}").decode("utf-8", "surrogateescape")
    except OSError:
        text = ""
    return Patterns(folder, text.removeprefix("\ufeff").split("\n"))


def _leads_inside(path: str, top: str) -> bool:
    """Whether a linked file stands below ``top`` anyway, and so is read under its own name."""
    return os.path.realpath(path).startswith(os.path.realpath(top).rstrip("/") + "/")


def _holds(data: bytes, needle: bytes) -> bool:
    at = data.find(needle)
    while at != -1:
        end = at + len(needle)
        if not (_is_word(data, at - 1) or _is_word(data, end)):
            return True
        at = data.find(needle, end)
    return False


def _is_word(data: bytes, at: int) -> bool:
    if not 0 <= at < len(data):
        return False
    byte = data[at]
    # A JSON string in a notebook puts the `n` of its line ends in front of a word.
    if byte == 0x6E and at and data[at - 1] == 0x5C:
        return False
    return byte in _WORD


_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") | frozenset(range(0x80, 0x100))


def _read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(handle).st_size
        parts = []
        while part := os.read(handle, max(size, 1 << 16) + 1):
            parts.append(part)
            size = 0
        return parts[0] if len(parts) == 1 else b"".join(parts)
    finally:
        os.close(handle)
