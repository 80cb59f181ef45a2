"""Rewrites to fixes: what a rule wants done becomes edits that were tried on the text and found sound."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

from openai_lint.extract.depth import SHALLOW, measure
from openai_lint.extract.magics import blanked
from openai_lint.extract.module import problem_in
from openai_lint.facts import Cell, ModuleFacts, Span
from openai_lint.fixing.imports import Splice, changed
from openai_lint.fixing.joining import joined
from openai_lint.fixing.steps import line_of, splices
from openai_lint.fixing.tree import CannotFixError, Tree
from openai_lint.fixing.verify import check, spliced
from openai_lint.rewrites import Rewrite
from openai_lint.rule import Applicability, Edit, Fix, Place


class Planner:
    """Makes the fixes of a run; each file is parsed once, as long as its findings come together.

    ``root`` and ``files`` are those of the project: they tell its own modules from packages of others.
    """

    def __init__(self, root: str = "", files: Sequence[str] = ()) -> None:
        self._root = root
        self._files = files
        self._beside: dict[str, set[str]] | None = None
        self._facts: ModuleFacts | None = None
        self._made: Tree | CannotFixError | None = None

    def fix(self, rewrite: Rewrite, facts: ModuleFacts) -> Fix:
        """The edits of a rewrite in the file of ``facts``. Raises CannotFixError where it cannot be done with care."""
        tree = self._tree(facts)
        made = [one for step in rewrite.steps for one in splices(tree, step)]
        line = min(*(tree.place(one.start)[0] for one in made), *(line_of(step) for step in rewrite.steps))
        idle = frozenset() if rewrite.safe and not rewrite.needs else _idle(tree, made)
        made += changed(tree, rewrite.needs, idle, _outermost(tree, line))
        ordered = sorted(dict.fromkeys(made), key=lambda one: (one.start, one.end))
        for left, right in pairwise(ordered):
            if right.start < left.end:
                raise CannotFixError("its edits overlap")
        on_code = _on(tree.code, tree.text, ordered)
        check(tree.code, spliced(tree.code, on_code), on_code)
        edits = tuple(Edit(_place(tree, facts, one), one.text) for one in ordered)
        return Fix(Applicability.SAFE if rewrite.safe else Applicability.UNSAFE, rewrite.message, edits)

    def joined(self, rewrites: Iterable[Rewrite], facts: ModuleFacts) -> dict[Rewrite, Rewrite]:
        """What takes the place of rewrites of the file that do the same to neighbouring statements."""
        try:
            return joined(self._tree(facts), rewrites, [cell.first_line for cell in facts.cells])
        except CannotFixError:
            return {}

    def _tree(self, facts: ModuleFacts) -> Tree:
        if self._facts is not facts:
            self._facts = facts
            try:
                self._made = _parsed(facts.text, code_of(facts), self._own(facts.path))
            except CannotFixError as error:
                self._made = error
        if isinstance(self._made, Tree):
            return self._made
        raise self._made or CannotFixError("the file cannot be parsed")

    def _own(self, path: str) -> frozenset[str]:
        """Names by which a file may import modules of the project: packages that it is in, and what lies beside them.

        A folder may be called openai: what is imported by that name is the SDK all the same.
        """
        if self._beside is None:
            self._beside = {}
            for file in self._files:
                inner = file
                while "/" in inner:
                    inner, _, name = inner.rpartition("/")
                    self._beside.setdefault(inner, set()).add(name.removesuffix(".py"))
        folder = path.rpartition("/")[0]
        beside = (self._beside.get(base, ()) for base in (self._root, f"{self._root}/src", folder))
        return frozenset({*folder.split("/"), *chain.from_iterable(beside)} - {"openai"})


def code_of(facts: ModuleFacts) -> str:
    """What Python reads of a file: its text; of a notebook the cells that can be parsed, without IPython's commands."""
    if not facts.cells:
        return facts.text
    lines = facts.text.split("\n")
    parts = []
    for cell in facts.cells:
        text = "".join(f"{line}\n" for line in lines[cell.first_line - 1 : cell.first_line - 1 + cell.lines])
        code = blanked(text)
        parts.append(code if problem_in(facts.path, code) is None else "\n" * cell.lines)
    return "".join(parts)


def _parsed(text: str, code: str, own: frozenset[str]) -> Tree:
    depth = measure(code)
    if depth.refusal is not None or depth.depth > SHALLOW or depth.strings > SHALLOW:
        raise CannotFixError("the file is nested too deeply")
    try:
        return Tree(text, code, own)
    except Exception as error:  # whatever a new libcst hands out, one file must not end the run
        raise CannotFixError(f"the parser failed ({type(error).__name__})") from error


_WORD = re.compile(r"[^\W\d]\w*")


def _idle(tree: Tree, made: Sequence[Splice]) -> frozenset[str]:
    """Names that stood in what is replaced, and stand nowhere else in the file but in an import."""
    before = Counter(_WORD.findall(tree.code))
    on_code = _on(tree.code, tree.text, list(dict.fromkeys(made)))
    after = Counter(_WORD.findall(spliced(tree.code, on_code)))
    return frozenset(word for word, count in after.items() if count == 1 and before[word] > 1)


def _outermost(tree: Tree, line: int) -> int:
    """The first line of the top-level statement that holds a line, or the line itself."""
    for statement in tree.module.body:
        first, _, last, _ = tree.extent(statement)
        if first <= line <= last:
            return first
    return line


def _on(code: str, text: str, edits: Sequence[Splice]) -> list[Splice]:
    """The splices by the offsets of ``code``, whose lines may be shorter than those of ``text`` (notebooks)."""
    if code == text:
        return list(edits)
    starts_text, starts_code = _starts(text), _starts(code)
    rows = code.split("\n")

    def moved(offset: int) -> int:
        from bisect import bisect_right

        line = bisect_right(starts_text, offset) - 1
        return starts_code[line] + min(offset - starts_text[line], len(rows[line]))

    return [Splice(moved(one.start), moved(one.end), one.text, one.keeps) for one in edits]


def _starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts[:-1]


def _place(tree: Tree, facts: ModuleFacts, splice: Splice) -> Place:
    first, column = tree.place(splice.start)
    last, end = tree.place(splice.end)
    span: Span = (first, column, last, end)
    if not facts.cells:
        return Place(facts.path, None, span)
    start, stop = _cell(facts.cells, first), _cell(facts.cells, last)
    if stop is not start and end == 1:  # up to the very end of the cell
        last -= 1
        stop, end = _cell(facts.cells, last), len(tree.lines[last - 1]) + 1
    if start is None or stop is not start:
        raise CannotFixError("it would reach over several cells")
    base = start.first_line - 1
    return Place(facts.path, start.number, (first - base, column, last - base, end))


def _cell(cells: Sequence[Cell], line: int) -> Cell | None:
    return next((cell for cell in cells if cell.first_line <= line < cell.first_line + cell.lines), None)
