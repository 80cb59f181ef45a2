"""Writes a fixed file: the old or the new one stands there at any time, never half of one."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


class WriteError(Exception):
    """Why a file was left as it is."""


def write(path: str, before: bytes, after: bytes) -> None:
    """Puts ``after`` in the place of ``before``, with the same mode and owner; a link is followed, not replaced.

    Raises WriteError, and leaves the file as it is, where it changed since it was read or cannot be written.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = None
    try:
        state = os.stat(target)  # noqa: PTH116
        if not stat.S_ISREG(state.st_mode):
            raise WriteError("is no regular file")
        if not os.access(target, os.W_OK):
            raise WriteError("is read-only")
        handle, temporary = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".openai-lint", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        _like(temporary, state)
        if Path(target).read_bytes() != before:
            raise WriteError("changed while it was being fixed; run again")
        os.replace(temporary, target)  # noqa: PTH105
        temporary = None
        _settle(folder)
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108


def _like(path: str, state: os.stat_result) -> None:
    """Gives a new file the mode and owner of the one that it replaces."""
    if hasattr(os, "chown"):
        own = os.stat(path)  # noqa: PTH116
        if (own.st_uid, own.st_gid) != (state.st_uid, state.st_gid):
            try:
                os.chown(path, state.st_uid, state.st_gid)
            except PermissionError as error:
                raise WriteError("belongs to somebody else, who would lose it") from error
    os.chmod(path, stat.S_IMODE(state.st_mode))  # noqa: PTH101


def _settle(folder: str) -> None:
    """Makes the new name of the file last, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
