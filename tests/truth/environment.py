"""Where the SDK releases and the libraries of the test programs are installed; they are fetched once."""

import fcntl
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
#: the releases that are run: the last of each line
OLD, ONE, NEWEST_2, NEWEST = "0.28.1", "1.109.1", "2.54.0", "3.54.0"

#: what the programs import besides the SDK; those that retry are pinned, because waits and attempts are compared
LIBRARIES = (
    "tenacity==9.2.1",
    "backoff==2.2.1",
    "stamina==26.1.0",
    "retrying==1.4.2",
    "retry==0.9.2",
    "aiolimiter==1.3.0",
    "httpx==0.28.1",
    "requests>=2.31",
    "aiohttp>=3.9",
    "pydantic>=2.8",
    "flask>=3",
    "quart>=0.19",
    "fastapi>=0.110",
    "litestar>=2.8",
    "django>=4.2",
    "celery>=5.3",
    "click>=8.1",
    "typer>=0.12",
    "discord.py>=2.3",
    "python-telegram-bot>=21",
    "pytest>=8",
)


def base() -> Path:
    """The git-ignored folder for everything that is fetched or remembered."""
    return Path(os.environ.get("OPENAI_LINT_TRUTH_DIR", ROOT / ".sdk"))


def cache_folder() -> Path:
    """Where observations are remembered."""
    return base() / "truth-cache"


def releases() -> ModuleType:
    """The script of the repository that installs releases of the SDK."""
    spec = importlib.util.spec_from_file_location("truth_releases", ROOT / "scripts" / "sdk" / "releases.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def libraries() -> Path:
    """The folder of the libraries, installed the first time: a mark file says that it is complete."""
    target, wanted = base() / "libs", "\n".join(LIBRARIES)
    mark = target / ".complete"
    base().mkdir(parents=True, exist_ok=True)
    with (base() / "libs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or mark.read_text() != wanted:
            pip = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--upgrade",
                "--target",
                str(target),
            ]
            subprocess.run([sys.executable, *pip, *LIBRARIES], check=True)
            mark.write_text(wanted)
    return target


def paths(release: str) -> list[Path]:
    """Folders for the front of `sys.path`, so that ``import openai`` is this release."""
    return [releases().install(release), libraries(), Path(__file__).parent / "stand_ins"]
