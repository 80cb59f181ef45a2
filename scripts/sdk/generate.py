"""Write the data about the SDK in `openai_lint/sdk/data/` from real releases.

    python scripts/sdk/generate.py                 # all releases, and the newest of the package index
    python scripts/sdk/generate.py --add 3.60.0    # this one, beside those that the data has

Each release is installed into a folder of its own (`.sdk/`, git-ignored), looked at by `introspect.py`
in a process of its own, and folded into spans by `fold.py`.  `documented.json` and `migration.json`
are written by hand and stay as they are.  Look at the diff, run the tests, commit.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fold
import releases

HERE = Path(__file__).resolve().parent
DATA = releases.ROOT / "openai_lint" / "sdk" / "data"


def introspect(release: str, base: Path | None = None) -> dict[str, Any]:
    """What one release offers.  Raises CalledProcessError when it cannot be installed or looked at."""
    path = releases.install(release, base)
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(path), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(HERE / "introspect.py")]
    result = subprocess.run(command, check=True, env=environment, capture_output=True)
    snapshot: dict[str, Any] = json.loads(result.stdout)
    if snapshot["release"] != release:
        raise RuntimeError(f"asked for openai {release}, looked at {snapshot['release']}")
    return snapshot


def remembered(release: str, snapshots: Path) -> dict[str, Any]:
    """`introspect`, or what it said the last time with the same scripts."""
    kept = snapshots / f"{release}.json"
    newest_script = max(script.stat().st_mtime for script in HERE.glob("*.py") if script.name not in _FOLDING)
    if not kept.exists() or kept.stat().st_mtime < newest_script:
        snapshot = introspect(release)
        snapshots.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(snapshot))
    return dict(json.loads(kept.read_text()))


# Scripts whose change says nothing new about a release.
_FOLDING = {"generate.py", "fold.py", "releases.py"}


def main() -> None:
    """Introspect, fold, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--add", nargs="*", default=[], metavar="RELEASE", help="releases beside the usual ones")
    options = parser.parse_args()
    known = set(json.loads((DATA / "index.json").read_text())["releases"]) if (DATA / "index.json").exists() else set()
    wanted = known | set(releases.RELEASES) | set(options.add or [releases.newest()])
    snapshots = []
    for release in sorted(wanted, key=fold.version_key):
        snapshots.append(remembered(release, releases.folder() / "snapshots"))
        print(release, sum(bool(m["kind"]) for m in snapshots[-1]["methods"].values()), "methods", flush=True)
    old = [s for s in snapshots if s["release"].startswith("0.")]
    eras = [fold.era(old), fold.era([s for s in snapshots if s not in old])]
    fold.write(DATA / "v0.json", eras[0])
    fold.write(DATA / "v1.json", eras[1])
    fold.write(DATA / "index.json", fold.index(eras))


if __name__ == "__main__":
    main()
