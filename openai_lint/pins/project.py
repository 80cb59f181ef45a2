"""Which release of `openai` the project around a file uses: the nearest folder that says so, up to the root."""

import os
from dataclasses import replace
from pathlib import Path

from openai_lint.pins.disk import Disk
from openai_lint.pins.folder import Folder, read_folder
from openai_lint.pins.pin import Pin, narrowed
from openai_lint.pins.source import pin_in_source


class Pins:
    """The pins of one project. Each folder and each file is read once, and nothing is raised for what they hold."""

    def __init__(self, root: Path) -> None:
        """`root`: the folder above which nothing is read."""
        self._disk = Disk(root)
        self._folders: dict[str, Folder] = {}
        self._answers: dict[Path, Pin | None] = {}

    @property
    def notes(self) -> list[str]:
        """One sentence for each file that could not be used, and for each lock file that its manifest contradicts."""
        return self._disk.notes

    def for_file(self, path: Path) -> Pin | None:
        """The pin that holds for `path` (absolute, or relative to the root).

        The nearest folder that names `openai` decides. None where none does, where it gives no version (`openai` alone:
        another folder's version would be a guess), and outside the root.
        """
        folder = path.parent
        if folder not in self._answers:
            self._answers[folder] = self._answer(self._upwards(folder))
        return self._answers[folder]

    def for_source(self, path: Path, text: str) -> Pin | None:
        """As `for_file`, for a file with `text` (of a notebook, its joined cells), which may name a release itself.

        A range in the text is narrowed by the project's pin where both agree.
        """
        around, inside = self.for_file(path), pin_in_source(text)
        if inside is None:
            return around
        inside = replace(inside, source=f"{path.as_posix()}, {inside.source}")
        return inside if around is None else narrowed(inside, around) or inside

    def _answer(self, chain: list[str]) -> Pin | None:
        for position, current in enumerate(chain):
            found = self._folder(current)
            if not found.named:
                continue
            if found.pin is not None and found.pin.exact:
                return found.pin
            # A member of a workspace is installed by the lock file of the workspace, further up.
            locks = (lock for above in chain[position + 1 :] for lock in self._folder(above).locks)
            lock = next((lock.pin for lock in locks if current in lock.members), None)
            if found.pin is None or lock is None:
                return found.pin or lock
            return narrowed(found.pin, lock) or found.pin
        return None

    def _upwards(self, folder: Path) -> list[str]:
        """`folder` and those above it to the root, relative to the root (itself ""); none for a folder outside."""
        root = self._disk.root
        full = Path(os.path.abspath(root / folder))  # noqa: PTH100 - resolve() would follow symbolic links
        if not full.is_relative_to(root):
            # The caller may have resolved links on one of the two only.
            try:
                root, full = root.resolve(), full.resolve()
            except (OSError, ValueError, RuntimeError):
                return []
            if not full.is_relative_to(root):
                return []
        parts = full.relative_to(root).parts
        return ["/".join(parts[:length]) for length in range(len(parts), -1, -1)]

    def _folder(self, path: str) -> Folder:
        found = self._folders.get(path)
        if found is None:
            found = self._folders[path] = read_folder(path, self._disk)
        return found
