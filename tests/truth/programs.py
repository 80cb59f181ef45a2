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

One of ``run`` (a script with arguments, or ``-m package``), ``call`` (an expression, whose modules are imported) and
``drive`` (an expression over `drivers`, where a framework calls the program) says how it starts. Each API call is
marked by a comment ``# api`` on one of its lines. Other facts:

``sdk``          ``0.28``, ``1.x`` (every release from 1.0 on), ``1.x-2.x``, ``3.x``, or ``both``: written for 1.x, and
                 put into the words of 0.28 by `to_zero` as a second program (its name ends in ``@0.28``)
``path``         a folder that an installation would put on the path (``src``)
``retry``        the library, ``loop`` or ``sdk`` that retries; attempts and waits are then compared
``bound``        ``time``, where a limit of time and no number ends it
``waits``        ``unseen``, where the waiting is not done in this process
``inner``        how many calls one attempt of the outermost policy makes, where policies are nested
``known-limit``  why the linter cannot be right here
``python``       the lowest version that has the syntax, when above 3.10
``stdin``        what is typed
``finds``        in ``programs/raw``: the rule that the marked call is an example of
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"
MARK = re.compile(r"#\s*api\b")
FACTS = {
    "path",
    "tags",
    "sdk",
    "run",
    "call",
    "drive",
    "retry",
    "inner",
    "known-limit",
    "python",
    "stdin",
    "bound",
    "waits",
    "finds",
}


@dataclass(frozen=True)
class Site:
    """One marked API call. Lines count from 1.

    `function` is the (first, last) line of the innermost ``def``, decorators included.
    """

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
        program = Program(name.strip(), path.name, facts, files)
        yield from in_both(program) if facts.get("sdk") == "both" else [program]


#: 1.x on the left, 0.28 on the right, applied in this order; nothing else is allowed to differ in a program for both
TO_ZERO = (
    (r"^client = openai\.(Async)?OpenAI\(.*\)\n\n?", ""),
    (r"\bclient\.chat\.completions\.create\b", "openai.ChatCompletion.create"),
    (r"\bclient\.embeddings\.create\b", "openai.Embedding.create"),
    (r"\bopenai\.(OpenAIError|APIError)\b", "openai.error.OpenAIError"),
    (r"\bopenai\.APITimeoutError\b", "openai.error.Timeout"),
    (r"\bopenai\.(BadRequestError|NotFoundError)\b", "openai.error.InvalidRequestError"),
    (r"\bopenai\.InternalServerError\b", "openai.error.ServiceUnavailableError"),
    (r"\bopenai\.(RateLimitError|AuthenticationError|APIConnectionError)\b", r"openai.error.\1"),
    (r"\.status_code\b", ".http_status"),
)


def to_zero(text: str) -> str:
    """A module for 1.x in the words of 0.28; a module with an asynchronous client calls ``acreate``."""
    asynchronous = "openai.AsyncOpenAI(" in text
    for pattern, words in TO_ZERO:
        text = re.sub(pattern, words, text, flags=re.MULTILINE)
    return (
        re.sub(r"\bopenai\.(ChatCompletion|Embedding)\.create\b", r"openai.\1.acreate", text) if asynchronous else text
    )


def in_both(program: Program) -> Iterator[Program]:
    """A program for both lines as two programs."""
    yield replace(program, facts=program.facts | {"sdk": "1.x"})
    files = {path: to_zero(text) if path.endswith(".py") else text for path, text in program.files.items()}
    yield Program(program.name + "@0.28", program.source, program.facts | {"sdk": "0.28"}, files)


def all_programs() -> list[Program]:
    """Every program, by file and place; names are unique."""
    programs = [program for path in sorted(FOLDER.glob("*.md")) for program in read(path)]
    names = [program.name for program in programs]
    if doubles := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"two programs of one name: {sorted(doubles)}")
    return programs
