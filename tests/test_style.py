"""Types and style: what the configuration in pyproject.toml asks for holds for every file."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
SOURCES = ("openai_lint", "tests", "scripts", "benchmarks")


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "--no-cache", *SOURCES),
        ("ruff", "format", "--check", "--no-cache", *SOURCES),
        ("mypy", "openai_lint"),
    ],
    ids=("lint", "format", "types"),
)
def test_style(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
