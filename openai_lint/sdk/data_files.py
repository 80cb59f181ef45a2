"""Reading the data files: each once, and only the one that is needed."""

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("data")


@cache
def read(name: str) -> Any:
    """The document `data/<name>.json`."""
    return json.loads((DATA / f"{name}.json").read_bytes())


def era_of(release: str) -> str:
    """The era of a release, "0" before 1.0 and "1" from then on: within one, names and shapes are comparable."""
    return "0" if release.partition(".")[0] == "0" else "1"


def version_key(release: str) -> tuple[int, ...]:
    """Sort key of a release such as "1.109.1"; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in release.split("."))
