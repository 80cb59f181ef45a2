"""Fold what each release offers into the data files: one fact, the releases in which it holds."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

METHOD_FIELDS = (
    "kind", "coroutine", "stream", "options", "positional", "open", "raw", "streaming", "plumbing",
)  # fmt: skip
ERROR_FIELDS = ("bases", "module", "status", "attributes", "spellings", "unreachable")
CLIENT_FIELDS = ("async", "flavour", "options", "positional", "copy_options", "spellings")


def version_key(release: str) -> tuple[int, ...]:
    """Sort key of a release such as "1.109.1"."""
    return tuple(int(part) for part in release.split("."))


def era(snapshots: list[dict[str, Any]]) -> dict[str, Any]:
    """One document for releases of one era, which are ordered here.

    Each table maps a name to spans `[first, last, shape]`: positions in `releases`, both
    included, and a position in the table's list of shapes.
    """
    snapshots = sorted(snapshots, key=lambda s: version_key(s["release"]))
    return {
        "releases": [s["release"] for s in snapshots],
        "methods": _table([s["methods"] for s in snapshots], METHOD_FIELDS),
        "errors": _table([s["errors"] for s in snapshots], ERROR_FIELDS),
        "clients": _table([s["clients"] for s in snapshots], CLIENT_FIELDS),
        "names": _table([{k: {"kind": v} for k, v in s["names"].items()} for s in snapshots], ("kind",)),
        "facts": _table([{k: {"value": _fact(s, k)} for k in FACTS} for s in snapshots], ("value",)),
    }


FACTS = (
    "client_methods", "module_resources", "modules", "module_attributes", "statuses", "retried_statuses", "defaults",
    "transport",
)  # fmt: skip


def _fact(snapshot: dict[str, Any], key: str) -> Any:
    if key == "retried_statuses":
        return _ranges(snapshot[key])
    return snapshot[key]


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """[408, 409, 429] -> [[408, 409], [429, 429]]."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _table(columns: list[dict[str, Any]], fields: tuple[str, ...]) -> dict[str, Any]:
    shapes: dict[str, int] = {}
    spans: dict[str, list[list[int]]] = {}
    for position, column in enumerate(columns):
        for name, value in sorted(column.items()):
            shape = json.dumps([value.get(field, False) for field in fields], sort_keys=True)
            number = shapes.setdefault(shape, len(shapes))
            held = spans.setdefault(name, [])
            if held and held[-1][1] == position - 1 and held[-1][2] == number:
                held[-1][1] = position
            else:
                held.append([position, position, number])
    return {"shapes": [json.loads(shape) for shape in shapes], "spans": dict(sorted(spans.items()))}


def index(eras: list[dict[str, Any]]) -> dict[str, Any]:
    """What is needed before any era is loaded: the releases, and words that mark a file."""
    methods = {path.split(".")[-1] for era in eras for path in era["methods"]["spans"]}
    classes = {path.split(".")[0] for path in eras[0]["methods"]["spans"]}
    clients = {name.split(".")[-1] for era in eras for shape in era["clients"]["shapes"] for name in shape[-1]}
    return {
        "releases": [release for era in eras for release in era["releases"]],
        "method_names": sorted(methods),
        "class_names": sorted(classes),
        "client_names": sorted(clients),
    }


def write(path: Path, document: dict[str, Any]) -> None:
    """One entry a line, so that a new release is a readable diff."""
    lines = []
    for key, value in document.items():
        lines.append(f"{json.dumps(key)}: {_lines(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _lines(value: Any) -> str:
    if isinstance(value, dict) and value and all(isinstance(v, (dict, list)) for v in value.values()):
        inner = ",\n".join(f"{json.dumps(k)}: {_lines(v)}" for k, v in value.items())
        return "{\n" + inner + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], list) and not isinstance(value[0][0], int):
        return "[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]"
    return json.dumps(value, separators=(",", ":"))
