"""Which file an import means: module names from the folders of the project, loaded when something asks for them."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

from openai_lint.facts import Import, ModuleFacts, Unreadable
from openai_lint.link.index import ModuleInfo

SOURCE_FOLDERS = ("src", "lib", "app", "python")
"""Folders that commonly are source roots; the root itself always is one."""

NEVER_LOCAL = frozenset({"openai"})
"""Packages that are never taken for a file of the project (an ``openai.py`` beside a script is an accident)."""


class Workspace(Protocol):
    """What the linker needs of the files: their paths, their facts, and who mentions a word."""

    @property
    def files(self) -> "Iterable[str]":
        """All linkable files, absolute, with ``/``."""

    def facts(self, path: str) -> ModuleFacts | Unreadable:
        """The facts of one file, extracted on demand."""

    def is_test(self, path: str) -> bool:
        """Whether the file is a test."""


class Modules:
    """The project's modules by path, and the resolution of imports to them."""

    def __init__(self, workspace: Workspace, root: str, source_roots: tuple[str, ...] = ()) -> None:
        self._workspace = workspace
        self._root = root
        self._source_roots = source_roots
        self._loaded: dict[str, ModuleInfo | None] = {}
        self._cache: dict[tuple[str, str], str | None] = {}
        self.unreadable: dict[str, Unreadable] = {}
        self.loaded: list[ModuleInfo] = []
        """Every module loaded so far, in that order."""

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(path for path in self._workspace.files if path.endswith((".py", ".ipynb", ".pyi")))

    @cached_property
    def _folders(self) -> frozenset[str]:
        folders: set[str] = set()
        for path in self._files:
            folder = path.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(folders)

    @cached_property
    def _homes(self) -> dict[str, list[str]]:
        """Top-level name -> folders in which a module or package of that name stands (monorepos)."""
        homes: dict[str, list[str]] = {}
        for folder in sorted(self._folders, key=lambda item: (item.count("/"), item)):
            if f"{folder}/__init__.py" in self._files:
                parent, _, name = folder.rpartition("/")
                if f"{parent}/__init__.py" not in self._files:
                    homes.setdefault(name, []).append(parent)
        return homes

    def load(self, path: str) -> ModuleInfo | None:
        """The module at a path, extracted and indexed once; None when it cannot be read."""
        if path not in self._loaded:
            facts = self._workspace.facts(path)
            if isinstance(facts, Unreadable):
                self.unreadable[path] = facts
                self._loaded[path] = None
            else:
                module = self._loaded[path] = ModuleInfo(facts, path, self._workspace.is_test(path))
                self.loaded.append(module)
        return self._loaded[path]

    def resolve(self, importer: str, node: Import) -> str | None:
        """The file or folder that ``import module`` / ``from module import`` means; None if it is no file of it."""
        dotted = "." * node.level + node.module
        key = (importer.rpartition("/")[0], dotted)
        if key not in self._cache or self._cache[key] == importer:
            self._cache[key] = self._resolve(importer, node.level, node.module)
        return self._cache[key]

    def near(self, one: ModuleInfo, other: ModuleInfo) -> bool:
        """Whether two modules may be parts of one program: in one top folder, or one imports the other's."""
        first, second = self._top(one.path), self._top(other.path)
        if first == second or not first or not second:
            return True
        return any(
            name.partition(".")[0] in inside.path[len(self._root) :].split("/")
            for user, inside in ((one, other), (other, one))
            for name in user.imports
            if name
        )

    def _top(self, path: str) -> str:
        """The folder below the root that holds a file; empty for a file beside it."""
        inside = path[len(self._root) :].lstrip("/") if path.startswith(self._root) else path
        return inside.partition("/")[0] if "/" in inside else ""

    def child(self, package: str, name: str) -> str | None:
        """The submodule of a package (its ``__init__.py`` or its folder)."""
        folder = package.rpartition("/")[0] if package.endswith("/__init__.py") else package
        if package.endswith(".py") and not package.endswith("/__init__.py"):
            return None
        return self._at(folder, (name,))

    def _resolve(self, importer: str, level: int, module: str) -> str | None:
        parts = tuple(module.split(".")) if module else ()
        folder = importer.rpartition("/")[0]
        if level:
            for _ in range(level - 1):
                folder = folder.rpartition("/")[0]
            return self._at(folder, parts)
        if not parts or parts[0] in NEVER_LOCAL:
            return None
        for base in self._bases(folder):
            found = self._at(base, parts)
            if found is not None and found != importer:
                return found
        for base in self._homes.get(parts[0], ()):
            found = self._at(base, parts)
            if found is not None:
                return found
        return None

    def _bases(self, folder: str) -> Iterable[str]:
        """Folders in which an absolute import is looked up, the likeliest first."""
        package = folder
        while f"{package}/__init__.py" in self._files:
            package = package.rpartition("/")[0]
        yield package
        if folder != package:
            yield folder
        for root in self._source_roots:
            yield str(PurePosixPath(self._root) / root)
        while len(package) > len(self._root):
            package = package.rpartition("/")[0]
            yield package
            for name in SOURCE_FOLDERS:
                yield f"{package}/{name}"
        yield self._root
        while len(folder) > len(self._root):  # a folder of sources may hold an `__init__.py` by mistake
            folder = folder.rpartition("/")[0]
            yield folder

    def _at(self, folder: str, parts: tuple[str, ...]) -> str | None:
        path = "/".join((folder, *parts))
        if parts and f"{path}.py" in self._files:
            return f"{path}.py"
        if f"{path}/__init__.py" in self._files:
            return f"{path}/__init__.py"
        if path in self._folders and self._has_sources(path):
            return path
        return None

    def _has_sources(self, folder: str) -> bool:
        return folder in self._folders
