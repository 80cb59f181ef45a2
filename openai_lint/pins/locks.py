"""Lock files: the release that is really installed.

They are large and written by machines, so only the entry of `openai` is cut out and parsed.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import tomli

from openai_lint.pins.pin import Pin, either, read_pin

_TABLE = re.compile(r"^\[", re.MULTILINE)
_ENTRY = re.compile(r"""\nname = ["']openai["']""")
_MEMBER = re.compile(r"""source = \{ (?:editable|virtual|directory) = "([^"\n]*)" \}""")
_BUILT = re.compile(r"/openai-(?P<version>\d[^-/\s]*)-", re.IGNORECASE)

# More entries than environments exist are no lock file but an attempt to keep us busy.
_ENTRIES = 64


@dataclass(frozen=True, slots=True)
class Lock:
    """What a lock file says: its releases of `openai` (several where environments differ), its workspace's folders."""

    pin: Pin
    members: frozenset[str] = frozenset()


def read_toml_lock(text: str, name: str) -> Lock | None:
    """`uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml`: tables `[[package]]` with `name` and `version`."""
    pins: list[Pin] = []
    for found in islice(_ENTRY.finditer(text), _ENTRIES):
        start = text.rfind("\n[", 0, found.start() + 1) + 1
        following = _TABLE.search(text, found.end())
        entry = tomli.loads(text[start : following.start() if following else len(text)])
        (tables,) = entry.values() if len(entry) == 1 else ([],)
        table = tables[0] if isinstance(tables, list) and tables else {}
        version = table.get("version") if isinstance(table, dict) else None
        pins += _exact(version, f"{name}:{text.count(chr(10), 0, found.start()) + 2}")
    folder = posixpath.dirname(name)
    members = {posixpath.normpath(posixpath.join(folder, member)) for member in _MEMBER.findall(text)}
    pin = either(pins)
    return Lock(pin, frozenset(members)) if pin else None


def read_pipfile_lock(text: str, name: str) -> Lock | None:
    """`Pipfile.lock`: JSON with `default` and `develop`."""
    document = json.loads(text)
    for section in ("default", "develop"):
        packages = document.get(section) if isinstance(document, dict) else None
        entry = packages.get("openai") if isinstance(packages, dict) else None
        version = entry.get("version") if isinstance(entry, dict) else None
        at = re.search(r'"openai"\s*:', text)
        line = text.count("\n", 0, at.start()) + 1 if at else 1
        pin = either(_exact(version.lstrip("=") if isinstance(version, str) else None, f"{name}:{line}"))
        if pin:
            return Lock(pin)
    return None


def read_pixi_lock(text: str, name: str) -> Lock | None:
    """`pixi.lock`, `conda-lock.yml`: addresses of built packages."""
    pins = (
        pin
        for found in islice(_BUILT.finditer(text), _ENTRIES)
        for pin in _exact(found["version"], f"{name}:{text.count(chr(10), 0, found.start()) + 1}")
    )
    pin = either(pins)
    return Lock(pin) if pin else None


def _exact(version: object, source: str) -> Iterator[Pin]:
    pin = read_pin(f"=={version}", source) if isinstance(version, str) else None
    if pin is not None and pin.exact:
        yield pin
