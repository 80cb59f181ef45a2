"""The search for callers in files that nothing else asked for: by the names that they must mention.

Whoever uses a function of a module mentions its name, and that of the module or of one through which it is handed on.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from openai_lint.link.carriers import Wanted
from openai_lint.link.index import ScopeInfo
from openai_lint.link.modules import Workspace

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

PACKAGE = "/__init__.py"


class LinkWorkspace(Workspace, Protocol):
    """The files of a project, as the engine needs them."""

    @property
    def root(self) -> object:
        """The folder that is linked as one project."""

    @property
    def starring(self) -> list[str]:
        """The files that import everything from somewhere (``from x import *``)."""

    def gate(self, path: str) -> bool:
        """Whether a file can hold an API call, a client or a key."""

    def judges(self, path: str) -> bool:
        """Whether the calls of a file count."""

    def prepare(self, paths: Iterable[str]) -> None:
        """Tells which facts will be asked for."""

    def mentioning(self, word: str, among: Iterable[str]) -> list[str]:
        """The files whose bytes hold an identifier."""


class CallerSearch:
    """Loads the files that may call what is wanted."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._imported: dict[str, set[Wanted]] = {}
        self._mentioning: dict[str, frozenset[str]] = {}
        self._homes: dict[str, frozenset[str]] = {}

    def index(self, scope: ScopeInfo) -> None:
        """Note what a scope imports, and under which name others may have it from there."""
        for bound, bindings in scope.bindings.items():
            for binding in bindings:
                if binding.kind == "import" and binding.node.name is not None:
                    self._imported.setdefault(binding.node.name, set()).add((bound, scope.module.path))

    def search(self, wanted: set[Wanted], told: set[Wanted], tests: bool) -> set[str]:
        """Load the files that may get at any of these, but for those that were ``told`` before (they are added).

        The names of what is new, and those under which it is imported.
        """
        names: set[str] = set()
        new = wanted - told
        while new:
            told |= new
            names |= {name for name, _ in new}
            self._load(new, tests)
            self._engine.reindex()
            new = {other for name, _ in new for other in self._imported.get(name, ())} - told
        return names

    def _load(self, wanted: set[Wanted], tests: bool) -> None:
        engine = self._engine
        workspace = engine.workspace
        loaded = {module.path for module in engine.modules.loaded}
        found: dict[str, None] = {}
        for name, home in sorted(wanted, key=str):
            for path in sorted(self._mention(name) - loaded):
                if workspace.is_test(path) is tests and workspace.judges(path) and self._may_import(path, home):
                    found.setdefault(path)
        engine.load(found)

    def _mention(self, word: str) -> frozenset[str]:
        found = self._mentioning.get(word)
        if found is None:
            workspace = self._engine.workspace
            found = self._mentioning[word] = frozenset(workspace.mentioning(word, workspace.files))
        return found

    def _may_import(self, path: str, home: str | None) -> bool:
        """Whether a file may import something from another one, directly or through a module that takes everything."""
        if home is None:
            return True
        return any(
            path in self._mention(_name_of(module))
            or (module.endswith(PACKAGE) and path.startswith(module.removesuffix(PACKAGE[1:])))
            for module in self._handing_on(home)
        )

    def _handing_on(self, home: str) -> frozenset[str]:
        """A module, and those that import everything from it, or from one of those."""
        if home not in self._homes:
            found = {home}
            stack = [home]
            while stack:
                word = _name_of(stack.pop())
                new = {path for path in self._engine.workspace.starring if path in self._mention(word)} - found
                found |= new
                stack += new
            self._homes[home] = frozenset(found)
        return self._homes[home]


def _name_of(path: str) -> str:
    """The last word under which a module is imported."""
    return path.removesuffix(PACKAGE).rpartition("/")[2].partition(".")[0]
