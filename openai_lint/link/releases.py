"""Which release of the SDK decides for a file, for code of either era."""

from pathlib import Path
from typing import TYPE_CHECKING

from openai_lint.pins import Pins, resolve
from openai_lint.sdk import Sdk, known_releases, sdk

if TYPE_CHECKING:
    from openai_lint.files import Workspace
    from openai_lint.pins import Pin

LAST_OF_OLD = "0.28.1"
"""What stands for the 0.x line where nothing says more."""


class Releases:
    """Answers per file: an override, the project's pin, the newest release of the era."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._pins = Pins(workspace.root)
        self._cache: dict[tuple[str, int], Sdk] = {}
        self._by_folder: dict[str, Pin | None] = {}
        self.sources: dict[str, str] = {}

    def release(self, path: str, era: int) -> Sdk:
        """The release that decides for code of one era in a file."""
        key = (path, era)
        if key not in self._cache:
            self._cache[key] = self._choose(path, era)
        return self._cache[key]

    def pinned(self, path: str) -> tuple[str, ...]:
        """Every known release that the project of a file allows; empty where it says nothing."""
        override = self._override(path)
        if override is not None:
            return (sdk(override).version,)
        pin = self._pin(path)
        return resolve(pin, known_releases()) if pin is not None else ()

    def _override(self, path: str) -> str | None:
        return self._workspace.sdk or self._workspace.config_for(path).sdk

    def _pin(self, path: str) -> "Pin | None":
        try:
            text = self._workspace.read(path)
        except OSError:
            return None
        if b"openai" in text and (b"install" in text or b"/// script" in text):
            return self._pins.for_source(Path(path), text.decode("utf-8", "replace"))
        folder = path.rpartition("/")[0]
        if folder not in self._by_folder:
            self._by_folder[folder] = self._pins.for_file(Path(path))
        return self._by_folder[folder]

    def _choose(self, path: str, era: int) -> Sdk:
        allowed = [version for version in self.pinned(path) if (version.startswith("0.")) == (era == 0)]
        if allowed:
            return sdk(allowed[-1])
        return sdk(LAST_OF_OLD if era == 0 else "newest")
