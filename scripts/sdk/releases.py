"""Releases of `openai`, each installed into a folder of its own."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Those that the data has always been taken from, and those between which something changed.
RELEASES = (
    "0.27.8", "0.28.1",
    "1.0.0", "1.1.2", "1.2.0", "1.6.1", "1.10.0", "1.12.0", "1.20.0", "1.30.5", "1.35.15", "1.39.0", "1.40.0",
    "1.50.2", "1.55.3", "1.60.2", "1.66.5", "1.70.0", "1.78.1", "1.85.0", "1.92.3", "1.97.0", "1.104.2", "1.109.1",
    "2.0.0", "2.8.1", "2.15.0", "2.21.0", "2.27.0", "2.34.0", "2.41.0", "2.51.0", "2.52.0", "2.54.0",
    "3.0.0", "3.7.0", "3.13.0", "3.14.0", "3.20.0", "3.27.0", "3.34.0", "3.41.0", "3.48.0",
)  # fmt: skip


def folder() -> Path:
    """The git-ignored folder that holds the releases."""
    return Path(os.environ.get("OPENAI_LINT_TRUTH_DIR", ROOT / ".sdk"))


def requirements(release: str) -> list[str]:
    """What to install for a release: the early clients pass an argument that httpx 0.28 took away."""
    major, minor, *_ = (int(part) for part in release.split("."))
    return [f"openai=={release}", *(["httpx<0.28"] if major == 1 and minor < 56 else [])]


def install(release: str, base: Path | None = None) -> Path:
    """The folder in which `openai` is this release; installed there first if it is not yet.

    Safe when several processes ask at once.  Raises CalledProcessError when pip fails.
    """
    base = base or folder()
    target, wanted = base / release, "\n".join(requirements(release))
    mark = target / ".complete"
    with _locked(base / f"{release}.lock"):
        if not mark.exists() or mark.read_text() != wanted:
            shutil.rmtree(target, ignore_errors=True)
            pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(target)]
            subprocess.run([sys.executable, *pip, *requirements(release)], check=True)
            mark.write_text(wanted)
    return target


def newest() -> str:
    """The newest release in the package index."""
    command = [sys.executable, "-m", "pip", "index", "versions", "openai", "--disable-pip-version-check"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return answer.split("(", 1)[1].split(")", 1)[0]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
