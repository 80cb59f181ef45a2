"""How long openai-lint takes on a folder, as a multiple of what ruff takes for its nearest rules.

    python benchmarks/against_ruff.py FOLDER... [--runs 5]

Needs ruff on the path. Both programs are started cold, by turns in one run, and medians are compared: a noisy machine
slows both, so that the ratio holds where seconds do not. Compile the bytecode of the environment first
(``python -m compileall -q SITE-PACKAGES``): without it every Python program looks two to three times slower.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUFF = [
    "ruff",
    "check",
    "--no-cache",
    "--isolated",
    "--exit-zero",
    "--quiet",
    "--select",
    "S105,S106,S107,BLE001,E722,S113",
]
OURS = [sys.executable, "-m", "openai_lint", "--no-cache", "--exit-zero", "--quiet"]


def taken(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of wall and of processor that a command takes in a folder. Raises CalledProcessError where it fails."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([*command, "."], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    return wall, (after.children_user + after.children_system) - (before.children_user + before.children_system)


def main() -> int:
    """Prints one line for each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    if shutil.which("ruff") is None:
        parser.error("ruff is not on the path: python -m pip install ruff")
    print(f"{'folder':<40} {'files':>6} {'ruff ms':>9} {'ours ms':>9} {'(cpu)':>9} {'ratio':>7}")
    for folder in given.folders:
        ruff, ours, cpu = [], [], []
        for _ in range(given.runs):
            ruff.append(taken(RUFF, folder)[0])
            wall, processor = taken(OURS, folder)
            ours.append(wall)
            cpu.append(processor)
        theirs, mine = statistics.median(ruff), statistics.median(ours)
        files = sum(1 for _ in folder.rglob("*.py"))
        print(
            f"{folder.name[:40]:<40} {files:>6} {theirs * 1000:>9.0f} {mine * 1000:>9.0f} "
            f"{statistics.median(cpu) * 1000:>9.0f} {mine / theirs:>7.1f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
