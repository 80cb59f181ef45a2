"""Files of a project, read once, with a note in place of an exception."""

import codecs
import os
import stat
from pathlib import Path

_TOO_LARGE = 64 * 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Disk:
    """What lies below `root`, by paths relative to it with `/`.

    Nothing here raises; `notes` says what could not be had.
    """

    def __init__(self, root: Path) -> None:
        """`root`: a folder; nothing outside it is read."""
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would follow symbolic links
        self.notes: list[str] = []
        self._texts: dict[str, str | None] = {}

    def names(self, folder: str) -> list[str]:
        """The names in a folder, in order; none where it cannot be listed."""
        try:
            with os.scandir(self.root / folder) as entries:
                return sorted(entry.name for entry in entries)
        except (OSError, ValueError):
            return []

    def text(self, path: str) -> str | None:
        """The text of a file; None where there is none to have."""
        if path not in self._texts:
            data = self._read(path)
            self._texts[path] = None if data is None else decoded(data)
        return self._texts[path]

    def text_with(self, marker: bytes, path: str) -> str | None:
        """The text of a file in UTF-8 that holds `marker`, else None. Not remembered: it is meant for large files."""
        data = self._read(path)
        return decoded(data) if data is not None and marker in data else None

    def note(self, path: str, error: Exception) -> None:
        """Remember that the file at `path` is not what its name says."""
        reason = str(error) or type(error).__name__
        self.notes.append(f"{path}: not understood, ignored: {reason.splitlines()[0]}")

    def _read(self, path: str) -> bytes | None:
        full = self.root / path
        if path.startswith("../") or not full.is_relative_to(self.root):
            self.notes.append(f"{path}: outside the project, not read")
            return None
        try:
            status = full.stat()
            # Opening a pipe would wait for ever.
            if not stat.S_ISREG(status.st_mode):
                return None
            if status.st_size > _TOO_LARGE:
                self.notes.append(f"{path}: larger than {_TOO_LARGE // 1024**2} MB, not read")
                return None
            return full.read_bytes()
        except (OSError, ValueError) as error:
            self.notes.append(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}")
            return None


def decoded(data: bytes) -> str:
    """`data` as text, whatever it is: by its mark (PowerShell writes UTF-16), as UTF-8, else byte by byte."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data[:64]:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        return data.decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
