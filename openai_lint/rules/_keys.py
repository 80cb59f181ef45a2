"""Every key and credential that is written in the project, each one once, with the rules that it breaks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from openai_lint.extract.notebook import cell_texts
from openai_lint.facts import Expr, Span
from openai_lint.keys import (
    ENVIRONMENT,
    Context,
    Endpoint,
    Form,
    Judgement,
    Kind,
    Verdict,
    find_keys,
    judge_credential,
    kind_of_name,
    named_placeholder,
)
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.rule import Place
from openai_lint.rules._credentials import Position, Positions
from openai_lint.rules._defaults import is_default
from openai_lint.rules._literals import UNKNOWN, Literal, Literals, Sighting, spans_in

if TYPE_CHECKING:
    from openai_lint.link import Project

_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+|set[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE
)
"""A line of a `.env` file inside a string."""

_ENVIRONMENTS = {kind: name for name, kind in ENVIRONMENT.items() if kind is not Kind.API_KEY}
"""The environment variable for each kind of credential that only one variable holds."""


@dataclass(frozen=True, slots=True)
class Found:
    """One key or credential in the code.

    ``codes`` are the rules that it breaks; of those for one place the pipeline keeps the first. ``where`` says where it
    stands, ``position`` what it is given to, if that is known. The key itself is not kept. ``node`` is the literal in
    ``module``; ``whole`` says whether it is the ``key`` and nothing else, or follows the word Bearer (``bearer``).
    """

    codes: frozenset[str]
    place: Place
    verdict: Verdict
    where: str
    position: Position | None
    variable: str
    count: int = 1
    module: ModuleInfo | None = None
    node: Expr | None = None
    whole: str = ""


_found: "WeakKeyDictionary[Project, list[Found]]" = WeakKeyDictionary()


def keys(project: "Project") -> list[Found]:
    """Every key and credential of the project, in order of place."""
    known = _found.get(project)
    if known is None:
        known = _found[project] = list(_Search(project).run())
    return known


def breaking(project: "Project", code: str) -> Iterator[Found]:
    """What breaks one rule."""
    return (found for found in keys(project) if code in found.codes)


class _Search:
    def __init__(self, project: "Project") -> None:
        self._project = project
        self._literals: dict[ModuleInfo, Literals] = {}
        self._judged: dict[Expr, list[tuple[Position, bool]]] = {}

    def run(self) -> Iterator[Found]:
        positions = Positions(self._project)
        for module in self._project.modules:
            for position in positions.of(module):
                self._place(position, module)
        for module, position in positions.of_requests():
            self._place(position, module)
        for module in self._project.modules:
            yield from self._in_module(module)
            if module.path.endswith(".ipynb"):
                yield from self._in_cells(module)
        for path, problem in self._project.unreadable.items():
            if problem.cell is None and not path.endswith(".ipynb"):
                yield from self._in_bytes(path)

    def _of(self, module: ModuleInfo) -> Literals:
        if module not in self._literals:
            self._literals[module] = Literals(self._project, module)
        return self._literals[module]

    def _place(self, position: Position, module: ModuleInfo, seen: frozenset[Expr] = frozenset()) -> None:
        """Note the position with the literals that come to it."""
        for origin in origins_of(self._project).of(position.node, module):
            literal = self._of(origin.module).of(origin.node)
            if literal is None or literal.node in seen:
                continue
            self._judged.setdefault(literal.node, []).append((position, position.default or origin.default))
            if literal.text.replace(UNKNOWN, "").strip().lower() in ("", "bearer"):
                for name in literal.names:  # f"Bearer {key}"
                    inner = replace(position, node=name, form=Form.BARE)
                    self._place(inner, origin.module, seen | {literal.node})

    # --- one module

    def _in_module(self, module: ModuleInfo) -> Iterator[Found]:
        literals = self._of(module)
        placeholders = self._project.workspace.config_for(module.path).placeholders
        seen: set[Literal] = set()
        for sighting in literals.sightings():
            literal = sighting.literal
            if named_placeholder(sighting.value, placeholders):
                continue
            if literal is None:
                where = "a comment" if _in_comment(module, sighting.span) else "the code"
                yield self._format_key(module, sighting, frozenset({"OAI301"}), where, None)
                continue
            if named_placeholder(literal.text, placeholders):
                continue
            seen.add(literal)
            yield self._sighted(module, literals, sighting, literal, placeholders)
        for literal in literals.all:
            if literal not in seen:
                yield from self._unsighted(module, literals, literal, placeholders)

    def _sighted(
        self,
        module: ModuleInfo,
        literals: Literals,
        sighting: Sighting,
        literal: Literal,
        placeholders: tuple[str, ...],
    ) -> Found:
        codes = {"OAI301"}
        position, default = None, is_default(literals, literal)
        verdict = None
        for candidate, also in self._judged.get(literal.node, ()):
            position, default = position or candidate, default or also
            judged = judge_credential(literal.text, _context(candidate, placeholders))
            if judged.judgement is Judgement.MALFORMED and (verdict is None or candidate.form is Form.VARIABLE):
                verdict, position = judged, candidate
        if verdict is not None:
            codes.add("OAI304")
        if default:
            codes.add("OAI303")
        found = self._format_key(module, sighting, frozenset(codes), "the code", position, verdict)
        return replace(found, module=module, node=literal.node, whole=_whole(literal, sighting.value))

    def _format_key(
        self,
        module: ModuleInfo,
        sighting: Sighting,
        codes: frozenset[str],
        where: str,
        position: Position | None,
        verdict: Verdict | None = None,
    ) -> Found:
        match = sighting.match
        plain = Verdict(Judgement.KEY, match.prefix, match.length)
        variable = _variable(position, match.prefix)
        return Found(codes, self._project.place(module, sighting.span), verdict or plain, where, position, variable)

    def _unsighted(
        self, module: ModuleInfo, literals: Literals, literal: Literal, placeholders: tuple[str, ...]
    ) -> Iterator[Found]:
        """What is a credential only because of where it stands."""
        given = self._judged.get(literal.node, [])
        traced = [item for item in given if item[0].how != "name"] or given
        for position, default in traced:
            verdict = judge_credential(literal.text, _context(position, placeholders))
            if verdict.judgement is Judgement.NONE:
                continue
            codes = {"OAI302"}
            if verdict.judgement is Judgement.MALFORMED:
                codes = (
                    {"OAI304"}
                    if verdict.prefix.startswith("sk-") or position.form is Form.VARIABLE
                    else {"OAI304", "OAI302"}
                )
            if (default or is_default(literals, literal)) and not module.is_test:
                codes.add("OAI303")
            place = self._project.place(module, literal.node.span)
            variable = _variable(position, "")
            whole = _whole(literal, literal.text.removeprefix("Bearer "))
            yield Found(
                frozenset(codes), place, verdict, "the code", position, variable, 1, module, literal.node, whole
            )
            return
        if not given and "=" in literal.text and "KEY" in literal.text.upper():
            yield from self._environment_text(module, literal, placeholders)

    def _environment_text(self, module: ModuleInfo, literal: Literal, placeholders: tuple[str, ...]) -> Iterator[Found]:
        for match in _ASSIGNMENT.finditer(literal.text):
            kind = kind_of_name(match[1])
            if kind is None or UNKNOWN in match[2]:
                continue
            endpoint = Endpoint.AZURE if "AZURE" in match[1].upper() else Endpoint.OPENAI
            position = Position(literal.node, kind, Form.BARE, endpoint, f"`{match[1]}`", match[1], "environment")
            verdict = judge_credential(match[2], _context(position, placeholders))
            if verdict.judgement is Judgement.CREDENTIAL:
                place = self._project.place(module, _within(module, literal.node.span, match[2]))
                yield Found(frozenset({"OAI302"}), place, verdict, "the code", position, match[1])
                return

    # --- what is no code

    def _in_cells(self, module: ModuleInfo) -> Iterator[Found]:
        """Markdown cells and the outputs of all cells. They have no lines of their own: the finding is at the top."""
        placeholders = self._project.workspace.config_for(module.path).placeholders
        code = {cell.number for cell in module.facts.cells}
        for number, source, output in cell_texts(self._project.workspace.read(module.path)):
            for text, where in (
                (output, "the output of this cell"),
                ("" if number in code else source, "this text cell"),
            ):
                found = [
                    match
                    for match in find_keys(text)
                    if not named_placeholder(text[match.start : match.end], placeholders)
                ]
                if found:
                    first = found[0]
                    verdict = Verdict(Judgement.KEY, first.prefix, first.length)
                    place = Place(module.path, number, (1, 1, 1, 1))
                    variable = _variable(None, first.prefix)
                    yield Found(frozenset({"OAI301"}), place, verdict, where, None, variable, len(found))

    def _in_bytes(self, path: str) -> Iterator[Found]:
        """A file that cannot be parsed."""
        try:
            text = self._project.workspace.read(path).decode("utf-8", "replace").replace("\r\n", "\n")
        except OSError:
            return
        placeholders = self._project.workspace.config_for(path).placeholders
        matches = [
            match for match in find_keys(text) if not named_placeholder(text[match.start : match.end], placeholders)
        ]
        for match, span in zip(matches, spans_in(text, matches), strict=True):
            verdict = Verdict(Judgement.KEY, match.prefix, match.length)
            yield Found(
                frozenset({"OAI301"}), Place(path, None, span), verdict, "the file", None, _variable(None, match.prefix)
            )


def _whole(literal: Literal, key: str) -> str:
    """How a literal holds a key: alone, behind the word Bearer, or beside other things."""
    text = literal.text.strip()
    if literal.names:
        return ""
    return "key" if text == key else "bearer" if text == f"Bearer {key}" else ""


def _context(position: Position, placeholders: tuple[str, ...]) -> Context:
    return Context(position.kind, position.form, position.endpoint, placeholders)


def _variable(position: Position | None, prefix: str) -> str:
    """The environment variable that takes the place of the literal."""
    if position is not None and position.variable:
        return position.variable
    if prefix == "sk-admin-":
        return "OPENAI_ADMIN_KEY"
    if position is not None:
        if position.kind in _ENVIRONMENTS:
            return _ENVIRONMENTS[position.kind]
        if position.endpoint is Endpoint.AZURE:
            return "AZURE_OPENAI_API_KEY"
    return "OPENAI_API_KEY"


def _within(module: ModuleInfo, span: Span, value: str) -> Span:
    """Where a part of a literal stands, if it is written in one piece; else the literal."""
    lines = module.facts.text.split("\n")
    for number in range(span[0], span[2] + 1):
        column = lines[number - 1].find(value)
        if column >= 0:
            return (number, column + 1, number, column + 1 + len(value))
    return span


def _in_comment(module: ModuleInfo, span: Span) -> bool:
    return any(comment.line == span[0] and comment.column <= span[1] for comment in module.facts.comments)
