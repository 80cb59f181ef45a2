"""Which release of the SDK decides for a file: an override, the project's pin, then what the code itself speaks.

Two questions are told apart. ``release`` answers for code of one era (0 for 0.x, 1 for all later majors), so that a 0.x
call in a 1.x project keeps the names it is written for. ``environment`` answers what will be installed when the file
runs, whoever wrote it: only there can a call, a clause or an option turn out to be written for another SDK.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_lint.pins import Pins, resolve
from openai_lint.pins.source import pin_in_source
from openai_lint.sdk import Sdk, known_releases, nearest_release, sdk

if TYPE_CHECKING:
    from openai_lint.files import Workspace
    from openai_lint.pins import Pin

LAST_OF_OLD = "0.28.1"
"""What stands for the 0.x line where nothing says more."""


_UPGRADES = re.compile(
    r"^[ \t]*[!%][^\n#]*\binstall\b(?=[^\n]*\s(?:-U|--upgrade)\b)[^\n]*[\s\"']openai(?:\[[\w,]*\])?(?=[\s\"';]|$)",
    re.MULTILINE,
)
"""A notebook that installs the newest release, whatever the project says."""


def era_of(release: Sdk) -> int:
    """0 for 0.x, 1 for 1.0 and later."""
    return 0 if release.major == 0 else 1


class Releases:
    """Answers per file. What was chosen, and why, goes to the notes of the workspace, once for each reason."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._pins = Pins(workspace.root)
        self._told: dict[str, None] = {}
        self._by_folder: dict[str, Pin | None] = {}
        self._by_file: dict[str, tuple[str, ...]] = {}
        self._exact: set[str] = set()
        self._aside: set[str] = set()
        self._cache: dict[tuple[str, int], Sdk] = {}

    def release(self, path: str, era: int) -> Sdk:
        """The release that decides for code of one era in a file: the newest of that era that the project allows."""
        key = (path, era)
        if key not in self._cache:
            allowed = [version for version in self.pinned(path) if version.startswith("0.") == (era == 0)]
            newest = LAST_OF_OLD if era == 0 else "newest"
            # A release between two known ones is more like the older: the newer brought something.
            chosen = 0 if path in self._exact else -1
            self._cache[key] = sdk(allowed[chosen] if allowed else newest)
        return self._cache[key]

    def pinned(self, path: str) -> tuple[str, ...]:
        """Every known release that the project of a file allows, oldest first; empty where it says nothing.

        A release between two known ones is represented by both: what is true of both is true of it.
        """
        if path not in self._by_file:
            self._by_file[path] = self._pinned(path)
        return self._by_file[path]

    def aside(self, path: str) -> bool:
        """Whether only an extra or a group of the project says which release is meant."""
        return bool(self.pinned(path)) and path in self._aside

    def environment(self, path: str, spoken: frozenset[int]) -> tuple[Sdk, ...]:
        """The releases that may be installed where a file runs.

        Where the project does not say, the eras that its code speaks decide: the newest release of the only one, the
        newest of all where both are spoken (one environment holds one SDK) or none is. A pin in an extra says nothing
        of the rest where both are spoken: it may be any.
        """
        pinned = self.pinned(path)
        if pinned and path in self._aside and len(spoken) > 1:
            everything = {*pinned, LAST_OF_OLD, sdk().version}
            return tuple(sdk(version) for version in known_releases() if version in everything)
        if pinned:
            return tuple(sdk(version) for version in pinned)
        return (sdk(LAST_OF_OLD if spoken == frozenset({0}) else "newest"),)

    def explain(self, calls: Iterable[tuple[str, int]]) -> None:
        """Note what decided for calls (path and era of each) of files that nothing pins."""
        for era in sorted({era for path, era in calls if not self.pinned(path)}):
            written, chosen = ("0.x", LAST_OF_OLD) if era == 0 else ("1.0 and later", sdk().version)
            self._tell(f"nothing says which openai is used: code for {written} is judged by {chosen}")

    # --- what the project says

    def _pinned(self, path: str) -> tuple[str, ...]:
        override = self._workspace.sdk or self._workspace.config_for(path).sdk
        if override is not None:
            chosen = sdk(override).version
            self._tell(f"openai {chosen}, chosen by the setting sdk = {override}")
            return (chosen,)
        pin = self._pin(path)
        for note in self._pins.notes:
            self._tell(note)
        if pin is None:
            return ()
        if pin.exact:
            self._exact.add(path)
        if pin.aside:
            self._aside.add(path)
        allowed = _representing(pin)
        named = allowed[0] if len(allowed) == 1 else f"{allowed[0]} to {allowed[-1]}"
        only = "" if len(allowed) == 1 else "; a finding about the version is true of all of them"
        self._tell(f"openai {named}, from {self._shown(pin.source)} (openai{pin.specifier}){only}")
        return allowed

    def _pin(self, path: str) -> "Pin | None":
        try:
            data = self._workspace.read(path)
        except OSError:
            return None
        if b"openai" in data and (b"install" in data or b"/// script" in data):
            text = data.decode("utf-8", "replace")
            code = _code_cells(text) if path.endswith(".ipynb") else text
            newest = _UPGRADES.search(code) is not None and pin_in_source(code) is None
            return None if newest else self._pins.for_source(Path(path), code)
        folder = path.rpartition("/")[0]
        if folder not in self._by_folder:
            self._by_folder[folder] = self._pins.for_file(Path(path))
        return self._by_folder[folder]

    def _shown(self, source: str) -> str:
        return source.removeprefix(str(self._workspace.root).rstrip("/") + "/")

    def _tell(self, note: str) -> None:
        if note not in self._told:
            self._told[note] = None
            self._workspace.notes.append(note)


def _representing(pin: "Pin") -> tuple[str, ...]:
    """The known releases that stand for what a pin allows."""
    known = known_releases()
    allowed = resolve(pin, known)
    if pin.lowest is None or not _plain(pin.lowest) or pin.lowest in known:
        return allowed
    # The first release allowed lies between two known ones, and may be like either.
    below = nearest_release(".".join(pin.lowest.split(".")[:3]))
    if below.partition(".")[0] != pin.lowest.partition(".")[0]:
        return allowed
    if not pin.exact:
        return allowed if below in allowed else (below, *allowed)
    above = known[known.index(below) + 1 :][:1]
    return (below, *(release for release in above if release.partition(".")[0] == below.partition(".")[0]))


def _plain(release: str) -> bool:
    return all(part.isdecimal() for part in release.split(".")[:3])


def _code_cells(text: str) -> str:
    """The code of a notebook; nothing for what is none."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    sources: list[str] = []
    sheets = notebook.get("worksheets") if isinstance(notebook, dict) else None
    for holder in [notebook, *(sheets if isinstance(sheets, list) else [])]:
        cells: Any = holder.get("cells") if isinstance(holder, dict) else None
        for cell in cells if isinstance(cells, list) else []:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                source = cell.get("source", cell.get("input", ""))
                sources.append("".join(map(str, source)) if isinstance(source, list) else str(source))
    return "\n".join(sources)
