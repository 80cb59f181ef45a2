"""The programs of the truth suite: read from Markdown, written to folders.

``programs/*.md`` hold many programs each. A program is a level-two heading (its name), a list of facts and its files::

    ## nightly_digest

    Why it is here, in a sentence.

    - tags: helper, caller
    - sdk: 1.x
    - run: main.py --limit 3

    ```python main.py
    ...
    ```

One of ``run`` (a script with arguments, or ``-m package``), ``call`` (an expression, whose modules are imported) and ``drive``
(an expression over `drivers`, where a framework calls the program) says how it starts. Each API call is marked by a comment
``# api`` on one of its lines. Other facts:

``sdk``          ``0.28``, ``1.x`` (every release from 1.0 on), ``1.x-2.x``, ``3.x``
``retry``        the library or ``loop`` that retries; ``attempts`` and waits are then compared
``inner``        how many calls one attempt of the outermost policy makes, where policies are nested
``known-limit``  why the linter cannot be right here
``python``       the lowest version that has the syntax, when above 3.10
``stdin``        what is typed
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"
MARK = re.compile(r"#\s*api\b")
FACTS = {"tags", "sdk", "run", "call", "drive", "retry", "inner", "known-limit", "python", "stdin", "bound"}


@dataclass(frozen=True)
class Site:
    """One marked API call. Lines count from 1; `function` is the (first, last) line of the innermost ``def``, decorators included."""

    path: str
    mark: int
    first: int
    last: int
    function: tuple[int, int] | None

    @property
    def id(self) -> str:
        return f"{self.path}:{self.mark}"


@dataclass(frozen=True)
class Program:
    """One program: its facts and its files (path in the program -> text)."""

    name: str
    source: str
    facts: dict[str, str] = field(hash=False)
    files: dict[str, str] = field(hash=False)

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(t.strip() for t in self.facts.get("tags", "").split(",") if t.strip())

    @property
    def known_limit(self) -> str | None:
        return self.facts.get("known-limit")

    @property
    def modules(self) -> int:
        return sum(path.endswith(".py") for path in self.files)

    def fits(self, release: str, python: tuple[int, int]) -> bool:
        """True if the program is written for this SDK release and runs on this Python."""
        major = int(release.split(".", maxsplit=1)[0])
        sdk = self.facts.get("sdk", "1.x")
        majors = {"0.28": {0}, "1.x": {1, 2, 3}, "1.x-2.x": {1, 2}, "3.x": {3}}[sdk]
        lowest = tuple(int(part) for part in self.facts.get("python", "3.10").split("."))
        return major in majors and python >= lowest

    def sites(self) -> list[Site]:
        """The marked API calls, in the order of files and lines."""
        return [site for path, text in self.files.items() if path.endswith(".py") for site in sites_in(path, text)]

    def write(self, folder: Path) -> None:
        for path, text in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def sites_in(path: str, text: str) -> Iterator[Site]:
    tree = ast.parse(text)
    for number, line in enumerate(text.splitlines(), 1):
        if MARK.search(line):
            first, last = statement_at(tree, number)
            yield Site(path, number, first, last, function_at(tree, number))


def statement_at(tree: ast.Module, line: int) -> tuple[int, int]:
    """First and last line of the innermost statement at a line; of a compound statement only its head."""
    best: tuple[int, int] = (line, line)
    size = 10**9
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            body = getattr(node, "body", None)
            last = max(node.lineno, body[0].lineno - 1) if isinstance(body, list) and body else node.end_lineno or 0
            if node.lineno <= line <= last and last - node.lineno < size:
                best, size = (node.lineno, last), last - node.lineno
    return best


def function_at(tree: ast.Module, line: int) -> tuple[int, int] | None:
    found: tuple[int, int] | None = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.body[0].lineno <= line <= (
            node.end_lineno or 0
        ):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if found is None or first >= found[0]:
                found = (first, node.end_lineno or 0)
    return found


def read(path: Path) -> Iterator[Program]:
    """The programs of one Markdown file; a fact or fence that nobody knows is an error."""
    for part in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        prose = re.split(r"^```", rest, maxsplit=1, flags=re.MULTILINE)[0]
        facts = {k: v.strip() for k, v in re.findall(r"^- ([a-z-]+): (.*)$", prose, flags=re.MULTILINE)}
        if unknown := facts.keys() - FACTS:
            raise ValueError(f"{path.name}: {name}: unknown facts {sorted(unknown)}")
        files = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", rest, flags=re.MULTILINE | re.DOTALL))
        if not files or not facts.keys() & {"run", "call", "drive"}:
            raise ValueError(f"{path.name}: {name}: no files, or nothing says how it starts")
        yield Program(name.strip(), path.name, facts, files)


def all_programs() -> list[Program]:
    """Every program, by file and place; names are unique."""
    programs = [program for path in sorted(FOLDER.glob("*.md")) for program in read(path)]
    names = [program.name for program in programs]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two programs of one name: {sorted(doubles)}")
    return programs
