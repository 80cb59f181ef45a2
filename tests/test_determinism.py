"""A run says the same every time, in whatever order Python happens to keep its sets; and no rule fails on any mix."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.programs import fixtures, programs

SEEDS = ("1", "2")


def said(folder: Path, seed: str) -> str:
    """What a run over a folder prints, with the hashes of strings as a seed has them."""
    command = [sys.executable, "-m", "openai_lint", "--isolated", "--no-cache", "--exit-zero", "--min-severity", "info"]
    told = subprocess.run(
        [*command, "--output-format", "json", "."],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return told.stdout


def test_the_same_in_every_order_of_sets(tmp_path: Path) -> None:
    """Every second program of the fixtures, linted as one project: they share names, as large repositories do."""
    for rule in fixtures():
        for program in programs(rule)[::2]:
            for name, text in program.files.items():
                if name in program.sources:
                    path = tmp_path / rule / re.sub(r"\W", "_", program.name) / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="")
    first, *others = (said(tmp_path, seed) for seed in SEEDS)
    assert first.count('"code"') > 250
    assert all(other == first for other in others)
