"""The programs of the rules' fixtures: ``tests/rules/OAI101.md``, one Markdown file for each rule.

A fixture holds any number of programs. A program is a level-two heading (its name), prose if it helps, and its files::

    ## a helper whose caller handles

    Why it is here, in a sentence.

    ```py main.py
    from openai import OpenAI

    client = OpenAI()
    print(client.responses.create(model="m", input="hi"))  # OAI101
    ```

**Files.** A fence whose info has a second word is a file of that name (folders may be in it). ``py`` alone is
``main.py``. What is fenced as ``py`` must compile and may hold marks; every other language (``toml pyproject.toml``,
``txt requirements.txt``, ``text broken.py``) is written as it stands. ``py notebook.ipynb`` is a notebook: a line
``# %%`` begins a new code cell.

**Marks** stand in a comment at the end of the line where the finding starts, and are exact in both directions:
``# OAI101``, ``# OAI101 x2`` (twice), ``# OAI102 OAI103`` (both); ``# miss OAI101`` is a known false negative and
``# false OAI101`` a known false positive: both are limits that we live with, and fail when they are mended. Where no
comment can stand (in a string, in a file that does not parse) a line of the prose says the same:
``- main.py:4 OAI301``, in a notebook ``- notebook.ipynb:2:4 OAI301`` (cell 2, line 4 of it).

**Configuration.** A fence ``toml`` without a name is the ``openai-lint.toml`` of the program (``sdk = "0.28"``).
Unless it selects, only the rule of the fixture runs; with ``select = ["OAI1"]`` the marks are exact for all that is
selected. Everything that is found is shown, also what is info.

**Message.** A fence ``text`` without a name holds what is said about the program, in the order of places:
``place: code message``, then, indented by two, the steps of the path, and ``help: ...``. At least one program of a
fixture has it.

**Fixes.** ``py fixed main.py`` is the file as ``--fix --unsafe-fixes`` leaves it.

**Keys.** No key stands in a fixture. ``@@legacy@@``, ``@@project@@``, ``@@service@@``, ``@@admin@@``, ``@@azure@@``,
``@@azure84@@`` and ``@@anthropic@@`` become keys of that shape, the same ones in each run, when the program is
written.
"""

import json
import random
import re
import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "rules"

_FENCE = re.compile(r"^```(\w+)(?: +(fixed) +)?(?: *(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKED = re.compile(r"#\s*((?:(?:(?:miss|false) )?OAI\d{3}(?: x\d+)?[,\s]*)+)$")
_MARK = re.compile(r"(?:(miss|false) )?(OAI\d{3})(?: x(\d+))?")
_EXPECTED = re.compile(r"^- (\S+?\.\w+):(?:(\d+):)?(\d+) (.+)$", re.MULTILINE)
_KEY = re.compile(r"@@([a-z0-9]+)@@")
_CELL = re.compile(r"^# %%.*\n", re.MULTILINE)

Spot = tuple[str, int | None, int, str]
"""Path in the program, cell, line, code."""


@dataclass(frozen=True)
class Program:
    """One program of a fixture: its files by their path, what is found in it, what is said, what fixes make of it.

    ``sources`` are the files that must compile.
    """

    rule: str
    name: str
    files: dict[str, str] = field(hash=False)
    expected: Counter[Spot] = field(hash=False)
    missed: frozenset[Spot]
    wrong: frozenset[Spot]
    settings: str
    message: str | None
    fixed: dict[str, str] = field(hash=False)
    sources: frozenset[str]

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"

    @property
    def selects(self) -> bool:
        """Whether the program says itself which rules run."""
        return re.search(r"^(extend-)?select\b", self.settings, re.MULTILINE) is not None

    def write(self, folder: Path, selected: tuple[str, ...] = ()) -> None:
        """Write the files below a folder, with a configuration that runs this rule and ``selected`` only."""
        codes = json.dumps([self.rule, *selected])
        chosen = "" if self.selects else f"select = {codes}\n"
        level = "" if "min-severity" in self.settings else 'min-severity = "info"\n'
        kept = {"openai-lint.toml": f"root = true\n{chosen}{level}{self.settings}", **self.files}
        for name, text in kept.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")


def fixtures() -> list[str]:
    """The codes that have a fixture."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


@cache
def programs(rule: str) -> tuple[Program, ...]:
    """The programs of one rule's fixture."""
    return tuple(read((FOLDER / f"{rule}.md").read_text(encoding="utf-8"), rule))


def read(text: str, rule: str) -> Iterator[Program]:
    """The programs in the text of a fixture. A fence or mark that nobody understands is an error."""
    parts = re.split(r"^## +", _with_keys(text), flags=re.MULTILINE)[1:]
    names = [part.partition("\n")[0].strip() for part in parts]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{rule}: two programs of one name: {sorted(doubles)}")
    for name, part in zip(names, parts, strict=True):
        yield _program(rule, name, part)


def blocks(text: str) -> Iterator[tuple[str, str | None, str]]:
    """The fences of a text: language, name or None, content."""
    for language, _, name, content in _FENCE.findall(text):
        yield language, name or None, content


def _program(rule: str, name: str, text: str) -> Program:
    files: dict[str, str] = {}
    fixed: dict[str, str] = {}
    settings, message = "", None
    sources: set[str] = set()
    expected: Counter[Spot] = Counter()
    missed: set[Spot] = set()
    wrong: set[Spot] = set()
    if text.count("\n```") % 2:
        raise ValueError(f"{rule}: {name}: a fence is left open")
    for language, mark, file, content in _FENCE.findall(text):
        if mark:
            fixed[file or "main.py"] = content
        elif language == "py":
            path = file or "main.py"
            if path in files:
                raise ValueError(f"{rule}: {name}: {path} is there twice")
            files[path] = _notebook(content) if path.endswith(".ipynb") else content
            sources.add(path)
            for cell, line, marks in _marks(path, content):
                _take(path, cell, line, marks, expected, missed, wrong)
        elif file:
            files[file] = content
        elif language == "toml":
            settings = content
        elif language == "text":
            message = content
        else:
            raise ValueError(f"{rule}: {name}: a fence {language!r} without a name means nothing")
    prose = _FENCE.sub("", text)
    for path, cell, line, marks in _EXPECTED.findall(prose):
        _take(path, int(cell) if cell else None, int(line), marks, expected, missed, wrong)
    if not files:
        raise ValueError(f"{rule}: {name}: no files")
    kept = (frozenset(missed), frozenset(wrong))
    return Program(rule, name, files, expected, *kept, settings, message, fixed, frozenset(sources))


def _marks(path: str, content: str) -> Iterator[tuple[int | None, int, str]]:
    """Cell, line and text of each comment that marks."""
    cells: list[tuple[int | None, str]] = [(None, content)]
    if path.endswith(".ipynb"):
        cells = list(enumerate(_cells(content), 1))
    for cell, text in cells:
        for number, line in enumerate(text.splitlines(), 1):
            if found := _MARKED.search(line):
                yield cell, number, found[1]


def _take(
    path: str, cell: int | None, line: int, marks: str, expected: Counter[Spot], missed: set[Spot], wrong: set[Spot]
) -> None:
    for kind, code, times in _MARK.findall(marks):
        spot = (path, cell, line, code)
        if kind == "miss":
            missed.add(spot)
            continue
        expected[spot] += int(times or 1)
        if kind == "false":
            wrong.add(spot)


def _cells(content: str) -> list[str]:
    return [cell.rstrip("\n") for cell in _CELL.split(content) if cell.strip()]


def _notebook(content: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": cell.splitlines(keepends=True),
        }
        for cell in _cells(content)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _with_keys(text: str) -> str:
    return _KEY.sub(lambda found: key(found[1]), text)


@cache
def key(shape: str) -> str:
    """A key of a shape, always the same one. It opens nothing."""
    rng = random.Random(shape)
    narrow, wide = string.ascii_letters + string.digits, string.ascii_letters + string.digits + "_-"

    def drawn(alphabet: str, count: int) -> str:
        return "".join(rng.choices(alphabet, k=count))

    marker = "T3Blbk" + "FJ"
    prefixes = {"project": "sk-proj-", "service": "sk-svcacct-", "admin": "sk-admin-"}
    if shape == "legacy":
        return "sk-" + drawn(narrow, 20) + marker + drawn(narrow, 20)
    if shape in prefixes:
        return prefixes[shape] + drawn(wide, 73) + "a" + marker + drawn(wide, 73) + "a"
    if shape == "azure":
        return drawn("0123456789abcdef", 32)
    if shape == "azure84":
        return drawn(narrow, 52) + "JQQJ99" + drawn(narrow, 10) + "ACYeBjFXJ3w3AAAB"
    if shape == "anthropic":
        return "sk-ant-api03-" + drawn(wide, 93) + "AA"
    raise ValueError(f"no key of shape {shape!r}")
