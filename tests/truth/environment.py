"""Where the SDK releases and the libraries of the test programs are installed; they are fetched once."""

import os
import subprocess
import sys
from pathlib import Path

#: the releases that are run: the last of each line
OLD, ONE, NEWEST_2, NEWEST = "0.28.1", "1.109.1", "2.54.0", "3.54.0"

ROOT = Path(__file__).resolve().parents[2]
#: what the programs import besides the SDK
LIBRARIES = (
    "tenacity==9.2.1", "backoff==2.2.1", "stamina==26.1.0", "retrying==1.4.2", "retry==0.9.2", "aiolimiter==1.3.0",
    "httpx==0.28.1", "requests>=2.31", "aiohttp>=3.9", "pydantic>=2.8", "flask>=3", "quart>=0.19", "fastapi>=0.110", "litestar>=2.8", "django>=4.2",
    "celery>=5.3", "click>=8.1", "typer>=0.12", "discord.py>=2.3", "python-telegram-bot>=21", "pytest>=8",
)  # fmt: skip


def base() -> Path:
    """The git-ignored folder for everything that is fetched or remembered."""
    return Path(os.environ.get("OPENAI_LINT_TRUTH_DIR", ROOT / ".sdk"))


def cache_folder() -> Path:
    return base() / "truth-cache"


def install(target: Path, *requirements: str) -> Path:
    """Install into a folder of its own, once: a mark file says that it is complete."""
    mark = target / ".complete"
    wanted = "\n".join(requirements)
    if not mark.exists() or mark.read_text() != wanted:
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--upgrade",
            "--target",
            str(target),
            *requirements,
        ]
        subprocess.run(command, check=True)
        mark.write_text(wanted)
    return target


def paths(release: str) -> list[Path]:
    """Folders for the front of `sys.path`, so that ``import openai`` is this release."""
    installed = [install(base() / release, f"openai=={release}"), install(base() / "libs", *LIBRARIES)]
    return [*installed, Path(__file__).parent / "stand_ins"]
