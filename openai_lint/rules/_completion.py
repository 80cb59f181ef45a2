"""How a try that handles some errors comes to handle the others: wider clauses, and new ones in the right place."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openai_lint.escapes import ancestors
from openai_lint.facts import Handler, Try
from openai_lint.link.index import ModuleInfo
from openai_lint.link.queries_versions import versions
from openai_lint.link.record import HandlerUse
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Site
from openai_lint.rewrites import AddClauses, NewClause, Rewrite, SetTypes, Step
from openai_lint.rules._answers import answers
from openai_lint.rules._handling import Escape, leaving, runs_elsewhere
from openai_lint.rules._suggest import (
    LOGGERS,
    clause_lines,
    clause_text,
    covering,
    handling,
    import_lines,
    imported,
    needs,
    permanent,
    shadowed,
    spelled,
    text_of,
    transient,
    variable,
)
from openai_lint.rules._written import written_types
from openai_lint.sdk import Sdk

if TYPE_CHECKING:
    from openai_lint.link import Project

_MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Completion:
    """What makes a try that handles some errors handle the others: advice and edit."""

    text: str
    rewrite: Rewrite | None


@dataclass(frozen=True, slots=True)
class _Missing:
    """What a try lets out of one call, and where clauses for it belong.

    ``before`` is the first clause that takes some of it and lets it out again: what it must not get stands in front.
    ``torn``: a clause lets the same error out at one time and keeps it at another, so that no type tells.
    """

    soon: tuple[str, ...]
    never: tuple[str, ...]
    before: Handler | None
    last: Handler
    torn: bool


def _missing(project: "Project", escape: Escape, use: HandlerUse) -> _Missing:
    trial = tree_of(project, use.module).parent(use.handler)
    handlers = trial.handlers if isinstance(trial, Try) else (use.handler,)
    names = {*escape.transient, *escape.permanent}
    before, torn = None, False
    for handler in handlers:
        known = project.record.handlers.get(handler)
        caught = {leak.error for leak in known.caught if leak.site is escape.call.site} if known is not None else set()
        kept = {leak.error for leak in known.absorbed if leak.site is escape.call.site} if known is not None else set()
        if caught & names:
            before = before or handler
            torn = torn or bool(caught & names & kept)
    return _Missing(escape.transient, escape.permanent, before, handlers[-1], torn)


def completed(project: "Project", escape: Escape, use: HandlerUse, *, meant: bool) -> Completion:
    """How a try that handles some errors comes to handle the others.

    ``meant``: the clause answers errors that may pass, and can take the others of that kind.
    """
    handler, module, release = use.handler, use.module, escape.call.release
    missing = _missing(project, escape, use)
    meant = meant and missing.before is None
    line = project.place(module, handler.header).span[0]
    name = handler.name or variable(project, module, handler.body[0])
    soon, never = answers(project, module, handler.body[0], name)
    lines: list[str] = []
    steps: list[Step] = []
    words: list[str] = []
    new: list[NewClause] = []
    added = spelled(module, release, covering(release, missing.soon))
    if missing.soon and meant:
        step, shown = _wider(project, module, handler, added)
        lead = "Widen the clause" if len(shown) > len(added) else "Add to the clause"
        lines += [f"{lead} of line {line}:", clause_text(shown, handler.name or "error")]
        steps += [step] if step is not None else []
        words += added
    elif missing.soon:
        new.append(NewClause(tuple(added), name, tuple(soon.split("\n"))))
    if missing.never:
        exact = missing.before is not None
        types = covering(release, missing.never) if exact else _lasting(release, missing.never)
        new.append(NewClause(tuple(spelled(module, release, types)), name, tuple(never.split("\n"))))
    if new:
        lines += [_lead(bool(lines), missing, meant), *clause_lines(new)]
        words += [word for clause in new for word in (*clause.types, *clause.body)]
        target = missing.before or missing.last
        if target.type is not None or missing.before is not None:
            steps.append(AddClauses(target.header, tuple(new), before=missing.before is not None))
    text = "\n".join(lines)
    complete = len(steps) == bool(missing.soon and meant) + bool(new)
    several = versions(project).asks(module)  # each release names its errors otherwise
    if missing.torn or not complete or several or shadowed(project, module, handler.body[0], words):
        return Completion(text, None)
    message = "let the clause take the missing errors" if not new else "handle the missing errors beside it"
    wanted, more = imported(project, module, handler.body[0], needs(module, release, words, handler.span))
    return Completion(text, Rewrite(module.path, message, (*steps, *more), wanted))


def translated(project: "Project", escape: Escape) -> Completion:
    """What a clause far away does not take becomes another error where the call is made.

    The clause is for what it was told to take, by whoever uses the code around it: it stays as it is.
    """
    release, module = escape.call.release, escape.call.module
    kinds = [
        spelled(module, release, covering(release, escape.transient)),
        spelled(module, release, covering(release, escape.permanent)),
    ]
    found = handling(project, module, leaving(escape), release, kinds)
    passing = [name for name in release.documented if name not in escape.names and _among(name, escape, release)]
    if passing:
        found = replace(
            found, clauses=(NewClause(tuple(spelled(module, release, passing)), None, ("raise",)), *found.clauses)
        )
    elsewhere = runs_elsewhere(project, escape.call)
    text = f"Handle these where the call is made:\n{found.text()}"
    return Completion(text, None if elsewhere else found.rewrite(project))


def _among(name: str, escape: Escape, release: Sdk) -> bool:
    """Whether an error that may pass is one of those that are not to: a timeout is a connection error."""
    above = ancestors(f"openai.{name}", release)
    return any(f"openai.{other}" in above for other in (*escape.transient, *escape.permanent))


def _wider(project: "Project", module: ModuleInfo, handler: Handler, added: list[str]) -> tuple[Step | None, list[str]]:
    """The clause with more types, and what of it is worth showing."""
    kept = written_types(project, module, handler)
    wider = [*kept, *(item for item in added if item not in kept)]
    if handler.type is None or not kept:
        return None, added
    written = text_of(module, handler.type.span)
    step = SetTypes(handler.header, handler.type.span, tuple(wider))
    return step, wider if "\n" not in written and len(written) < 80 else added


def _lead(also: bool, missing: _Missing, meant: bool) -> str:
    """What the advice says about new clauses."""
    verb = "And add" if also else "Add"
    both = bool(missing.soon and not meant and missing.never)
    what = "it lets out" if both else "no retry cures" if missing.never else "may pass"
    where = "" if missing.before is None else ", in front of the one that lets it out again"
    return f"{verb} {'clauses' if both else 'a clause'} for what {what}{where}:"


def _lasting(release: Sdk, names: Iterable[str]) -> list[str]:
    """The permanent errors as a clause behind the others names them: by their base where they are many."""
    found = covering(release, names)
    base = release.roles.get("status_base") or release.roles["base"]
    if len(found) < 3:
        return list(found)
    return [base, *(name for name in found if f"openai.{base}" not in ancestors(f"openai.{name}", release))]


def told_apart(use: HandlerUse, site: Site, project: "Project") -> Completion:
    """Clauses for the documented types, in front of one that takes everything: they say more, and do the same."""
    module, handler = use.module, use.handler
    release = site.release
    name = handler.name or variable(project, module, handler.body[0])
    soon, never = transient(module, release), permanent(module, release)
    logger = next((known for known in LOGGERS if known in module.scope.bindings), None)
    same = _lines(module, handler)
    clauses = []
    for types, level, what in (
        (soon, "warning", "the OpenAI API is not available, try later"),
        (never, "error", "the OpenAI API refused the request"),
    ):
        said = f'{logger}.{level}("{what}: %s", {name})' if logger else f'print(f"{what}: {{{name}}}")'
        clauses.append(NewClause(tuple(types), name, (said, *(same or ("...  # and what the clause below does",)))))
    line = project.place(module, handler.header).span[0]
    wanted = needs(module, release, [*soon, *never], handler.span)
    lead = f"Put clauses for the documented types in front of line {line}:"
    text = "\n".join([lead, *import_lines(wanted), *clause_lines(clauses)])
    trial = tree_of(project, module).parent(handler)
    if not same or not isinstance(trial, Try) or shadowed(project, module, handler.body[0], [*soon, *never]):
        return Completion(text, None)
    step = AddClauses(handler.header, tuple(clauses), before=True)
    message = "tell what may pass from what never will"
    top, more = imported(project, module, handler.body[0], wanted)
    return Completion(text, Rewrite(module.path, message, (step, *more), top))


def _lines(module: ModuleInfo, handler: Handler) -> tuple[str, ...]:
    """The body of a handler, if it is short and plain enough to stand there twice."""
    if len(handler.body) > _MOST_LINES or any(getattr(node, "body", None) for node in handler.body):
        return ()
    if any(node.span[0] != node.span[2] for node in handler.body):
        return ()
    return tuple(text_of(module, node.span) for node in handler.body)
