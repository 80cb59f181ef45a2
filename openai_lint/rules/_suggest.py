"""Suggestions in the words of the file at hand: its names for the SDK's errors, its variables, its statement."""

import keyword
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from openai_lint.escapes import ancestors
from openai_lint.facts import Await, Class, Expr, Function, Handler, Import, Name, Raise, Span, Stmt, Try, Yield
from openai_lint.link.index import ModuleInfo, ScopeInfo
from openai_lint.link.loops import below
from openai_lint.link.project import ApiCall
from openai_lint.link.queries_versions import versions
from openai_lint.link.record import HandlerUse
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Site
from openai_lint.rewrites import (
    AddClauses,
    AddHandlers,
    InsertAfter,
    InsertBefore,
    Need,
    NewClause,
    Rewrite,
    Step,
    WrapInTry,
)
from openai_lint.rules._answers import IMPORTED, answers, asking_loop
from openai_lint.rules._handling import Escape
from openai_lint.sdk import Sdk

if TYPE_CHECKING:
    from openai_lint.link import Project

_MOST_LINES = 6
"""Longer statements are shown by their first line."""


def text_of(module: ModuleInfo, span: Span) -> str:
    """The source text of a span."""
    first, column, last, end = span
    lines = module.facts.text.split("\n")[first - 1 : last]
    if lines:
        lines[-1] = lines[-1][: end - 1]
        lines[0] = lines[0][column - 1 :]
    return "\n".join(lines)


def statement(module: ModuleInfo, node: Expr | Stmt) -> str:
    """The statement around an expression, dedented; the head of a compound one, and long ones cut."""
    while isinstance(node, Await):
        node = node.value
    found = node if isinstance(node, Stmt) else module.statements.get(node)
    if found is None:
        return text_of(module, node.span)
    text = dedent(" " * (found.span[1] - 1) + text_of(module, found.span)).rstrip()
    lines = text.split("\n")
    body = getattr(found, "body", None)
    if body:
        lines = lines[: max(1, body[0].span[0] - found.span[0])]
        if body[0].span[0] == found.span[0]:
            lines = [lines[0].partition(":")[0] + ":"]
        return "\n".join([*lines, "    ..."])
    return text if len(lines) <= _MOST_LINES else f"{lines[0]}\n    ...\n{lines[-1]}"


def spelled(module: ModuleInfo, release: Sdk, names: Iterable[str]) -> list[str]:
    """How the file would write these errors: ``openai.RateLimitError``, or bare where it imports from openai."""
    wanted = list(names)
    inside = "error." if release.major == 0 else ""
    alias, bare, single, errors = None, False, False, None
    for bindings in module.scope.bindings.values():
        for binding in bindings:
            node = binding.node
            if binding.kind != "import" or not isinstance(node, Import) or node.level:
                continue
            if node.name is None and (node.module == "openai" or node.bound == "openai"):
                alias = node.bound
            elif node.module == "openai" and node.name == "error":
                errors = node.bound
            elif node.module == ("openai.error" if inside else "openai"):
                bare = True
                single = single or node.name in release.errors
    single = single and not _taken(module, {*release.errors, *wanted})
    if errors is not None and inside and not single:
        prefix = f"{errors}."
    elif alias is not None and not single:
        prefix = f"{alias}.{inside}"
    else:
        prefix = "" if bare and not _taken(module, {*release.errors, *wanted}) else f"openai.{inside}"
    return [prefix + name for name in wanted]


def _taken(module: ModuleInfo, names: Iterable[str]) -> bool:
    """Whether the module means something else by one of the names."""
    found = [binding for name in names for binding in module.scope.bindings.get(name, ())]
    return any(
        not isinstance(binding.node, Import) or binding.node.module.partition(".")[0] != "openai" for binding in found
    )


def covering(release: Sdk, names: Iterable[str]) -> tuple[str, ...]:
    """The names without those that another one of them catches as well."""
    wanted = tuple(dict.fromkeys(names))
    return tuple(
        name
        for name in wanted
        if not any(f"openai.{other}" in ancestors(f"openai.{name}", release) for other in wanted if other != name)
    )


def clause_text(classes: list[str], name: str | None) -> str:
    """The head of an except clause."""
    types = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
    return f"except {types}:" if name is None else f"except {types} as {name}:"


def transient(module: ModuleInfo, release: Sdk) -> list[str]:
    """The errors that may pass, as a clause of this file would list them."""
    wanted = [name for name in release.transient if name in release.triggers_transient]
    return spelled(module, release, covering(release, wanted))


def permanent(module: ModuleInfo, release: Sdk, *, streaming: bool = False) -> list[str]:
    """What stands behind a clause for the transient errors, to take all others.

    The error event of a stream (``streaming``) has no status: it is an error of the base class itself.
    """
    if streaming:
        return spelled(module, release, [release.roles.get("api_base") or release.roles["base"]])
    return spelled(module, release, [release.roles.get("status_base") or release.roles["base"]])


def variable(project: "Project", module: ModuleInfo, node: Expr | Stmt) -> str:
    """How a new clause around a node calls its error: as the file does, if that means nothing else there."""
    tree = tree_of(project, module)
    used = [handler.name for handler in tree.of(Handler) if handler.name is not None]
    favourite = max(sorted(set(used)), key=used.count, default="error")
    taken = {above.name for above, _ in tree.above(node) if isinstance(above, Handler)}
    scope: ScopeInfo | None = module.scope_of(tree.function(node))
    while scope is not None:
        taken |= {
            name
            for name, bindings in scope.bindings.items()
            if any(not isinstance(binding.node, Handler) and binding.kind != "handler" for binding in bindings)
        }
        scope = scope.parent
    return next(name for name in (favourite, "error", "exc", "api_error", "openai_error") if name not in taken)


def needs(module: ModuleInfo, release: Sdk, words: Iterable[str], at: Span) -> tuple[Need, ...]:
    """What code at a place that begins with these words needs besides what the file imports."""
    found: set[Need] = set()
    for word in words:
        root = _root(word)
        if bound(module, root, at):
            continue
        if root == "openai" or root in sys.stdlib_module_names:
            found.add(Need(root))
        elif root in IMPORTED:
            found.add(IMPORTED[root])
        elif word.isidentifier() and not keyword.iskeyword(word):
            found.add(Need("openai.error" if release.major == 0 else "openai", word))
    return tuple(sorted(found, key=lambda need: (need.module, need.name or "")))


def bound(module: ModuleInfo, name: str, at: Span) -> bool:
    """Whether a place in a module may use one of the module's names: what runs at once, only those bound above."""
    bindings = module.scope.bindings.get(name, ())
    later = any(isinstance(node, Function) and node.span[0] < at[0] <= node.span[2] for node in module.scopes)
    return any(later or one.node is None or one.node.span[0] <= at[0] for one in bindings)


def _root(word: str) -> str:
    return re.split(r"[.(]", word.removeprefix("raise ").strip(), maxsplit=1)[0]


def imported(
    project: "Project", module: ModuleInfo, node: Expr | Stmt, wanted: Iterable[Need]
) -> tuple[tuple[Need, ...], tuple[Step, ...]]:
    """Where what new code around a node needs is imported: at the top of the file, or by steps.

    A file that imports the SDK in its functions only does so on purpose, and goes on to do so.
    """
    of_sdk = [need for need in wanted if need.module.partition(".")[0] == "openai"]
    rest = tuple(need for need in wanted if need not in of_sdk)
    tree = tree_of(project, module)
    function = tree.function(node)
    lazy = [one for one in tree.of(Import) if not one.level and one.module.partition(".")[0] == "openai"]
    if not of_sdk or not lazy or function is None or any(tree.function(one) is None for one in lazy):
        return tuple(wanted), ()
    around = {function, *(parent for parent, _ in tree.above(function) if isinstance(parent, Function))}
    near = [one for one in lazy if tree.function(one) in around and one.span[0] < node.span[0]]
    if any(one.name is None for one in near):
        of_sdk = [need for need in of_sdk if need.name]
    if not of_sdk:
        return rest, ()
    text = "\n".join(import_lines(of_sdk))
    if near:
        return rest, (InsertAfter(near[-1].span, text),)
    body = [one for one in function.body if one is not function.body[0] or function.docstring is None]
    return (rest, (InsertBefore(body[0].span, f"{text}\n"),)) if body else (tuple(wanted), ())


def shadowed(project: "Project", module: ModuleInfo, node: Expr | Stmt, words: Iterable[str]) -> bool:
    """Whether a function around a node means something of its own by one of the names that the words begin with."""
    roots = {_root(word) for word in words}
    scope: ScopeInfo | None = module.scope_of(tree_of(project, module).function(node))
    while scope is not None and scope.parent is not None:
        if any(
            not isinstance(binding.node, Import)
            for root in roots & scope.bindings.keys()
            for binding in scope.bindings[root]
        ):
            return True
        scope = scope.parent
    return False


@dataclass(frozen=True, slots=True)
class Handling:
    """Clauses that handle what leaves a node: the data behind both the advice and the edit."""

    module: ModuleInfo
    node: Expr | Stmt
    release: Sdk
    clauses: tuple[NewClause, ...]
    enclosing: Handler | Try | None
    possible: bool

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the clauses need besides what the file imports."""
        words = [item for clause in self.clauses for item in clause.types]
        words += [line for clause in self.clauses for line in clause.body]
        return needs(self.module, self.release, words, self.node.span)

    def text(self) -> str:
        """The statement in a try with the clauses, after the imports that it needs."""
        lines = import_lines(self.needs)
        lines += ["try:", *(f"    {line}" for line in statement(self.module, self.node).split("\n"))]
        return "\n".join([*lines, *clause_lines(self.clauses)])

    def rewrite(self, project: "Project") -> Rewrite | None:
        """The edit, or None where a name is taken, or the file is for several releases, which name errors otherwise."""
        if not self.possible or versions(project).asks(self.module):
            return None
        step: Step = WrapInTry(self.node.span, self.clauses)
        message = "wrap the statement in a try with the documented errors"
        if isinstance(self.enclosing, Try):
            step = AddHandlers(self.enclosing.span, self.clauses)
            message = "add clauses for the documented errors to the try"
        elif self.enclosing is not None:
            step = AddClauses(self.enclosing.header, self.clauses, before=True)
            message = "add clauses for the documented errors to the try"
        wanted, more = imported(project, self.module, self.node, self.needs)
        return Rewrite(self.module.path, message, (step, *more), wanted)


def clause_lines(clauses: Iterable[NewClause]) -> list[str]:
    """Clauses as the advice shows them."""
    return [
        line
        for clause in clauses
        for line in (clause_text(list(clause.types), clause.name), *(f"    {row}" for row in clause.body))
    ]


def import_lines(wanted: Iterable[Need]) -> list[str]:
    """Import statements, those of one module together."""
    lines: dict[str, list[str]] = {}
    for need in sorted(wanted, key=lambda one: (one.module not in sys.stdlib_module_names, not one.name, one.module)):
        if not need.name:
            lines[need.line] = []
        else:
            lines.setdefault(f"from {need.module} import ", []).append(need.name)
    return [line + ", ".join(sorted(names)) for line, names in lines.items()]


def handling(
    project: "Project",
    module: ModuleInfo,
    node: Expr | Stmt,
    release: Sdk,
    kinds: Iterable[list[str]],
    service: str = "OpenAI API",
) -> Handling:
    """Clauses around a node: the first of ``kinds`` is answered as transient, the other as permanent errors."""
    kinds = list(kinds)
    name = variable(project, module, node)
    soon, never = answers(project, module, node, name, service)
    clauses = tuple(
        NewClause(tuple(types), name if re.search(rf"(?<![\w.]){name}\b", body) else None, tuple(body.split("\n")))
        for types, body in zip(kinds, (soon, never), strict=False)
        if types
    )
    words = [item for types in kinds for item in types]
    enclosing = _beside(project, module, node)
    possible = not shadowed(project, module, node, [*words, soon, never])
    return Handling(module, node, release, clauses, enclosing, possible)


def _beside(project: "Project", module: ModuleInfo, node: Expr | Stmt) -> Handler | Try | None:
    """The first clause of the innermost try around a node, if none of its clauses has a say in the SDK's errors.

    One that only raises them again has none. The try itself, where it has only a ``finally``.
    """
    loop = asking_loop(project, module, node)
    for parent, child in tree_of(project, module).above(node):
        if isinstance(parent, (Function, Class)) or parent is loop:
            return None
        if isinstance(parent, Try) and child in parent.body and not parent.handlers:
            # What is thrown in at a yield (a context manager's errors of the block) is not this function's.
            return parent if not any(isinstance(one, Yield) for one in below(parent.body)) else None
        if isinstance(parent, Try) and child in parent.body:
            known = project.record.handlers
            speaking = [one for one in parent.handlers if one in known and known[one].caught]
            if parent.star or not all(_only_raises(one) for one in speaking):
                return None  # what it does with them (it may log them) is not to be passed by
            return parent.handlers[0]
    return None


def _only_raises(handler: Handler) -> bool:
    """Whether a clause does nothing but raise its error again."""
    last = handler.body[0]
    if len(handler.body) > 1 or not isinstance(last, Raise) or last.cause is not None:
        return False
    return last.error is None or (isinstance(last.error, Name) and last.error.id == handler.name)


def wrapped(project: "Project", call: ApiCall, node: Expr | Stmt | None = None) -> Handling:
    """The call's statement in a try that tells what may pass from what never will."""
    release, module = call.release, call.module
    classes = [transient(module, release), permanent(module, release, streaming=call.kind in ("stream", "context"))]
    # Who is asked at another address may be anybody who speaks like OpenAI.
    elsewhere = any(option == "base_url" for client in call.clients for option, _ in client.options)
    service = "API" if elsewhere else "OpenAI API"
    return handling(project, module, call.site.node if node is None else node, release, classes, service)


def after_retries(project: "Project", escape: Escape) -> tuple[str, Handling]:
    """Where what a retry lets out at last may be handled, and as what."""
    call = escape.call
    step = escape.steps[-1] if escape.steps else None
    module, node = (step.module, step.node) if step is not None else (call.module, call.site.node)
    roles = call.release.roles
    base = spelled(module, call.release, [roles.get("api_base") or roles["base"]])
    if escape.wrapper == "tenacity.RetryError":
        lead = "Add `reraise=True` to the retry, so that the SDK's own error leaves it, and handle that:"
    else:
        base = base if escape.wrapper is None else [escape.wrapper]
        lead = "Handle what is left when the retry has given up:"
    found = handling(project, module, node, call.release, [base])
    return f"{lead}\n{found.text()}", found


LOGGERS = ("logger", "log", "LOGGER", "LOG", "_logger", "_log", "logging")
"""Names by which modules call their logger."""


def written_clause(use: HandlerUse) -> str:
    """The clause as it is written, without the name and the colon."""
    kind = use.handler.type
    return "except" if kind is None else f"except {text_of(use.module, kind.span)}"


def reported(use: HandlerUse, site: Site) -> str:
    """The handler with a line that reports its error, and the id of the request where there may be one."""
    release = site.release
    name = use.handler.name or "error"
    kind = "Exception" if use.handler.type is None else text_of(use.module, use.handler.type.span)
    logger = next((known for known in LOGGERS if known in use.module.scope.bindings), None)
    details = f'"{site.path} failed: %s", {name}'
    if "request_id" in release.errors[release.roles["rate_limit"]].attributes:
        details = f'"{site.path} failed: %s (request %s)", {name}, getattr({name}, "request_id", None)'
    lines = ["Say what happened, or let the error out:", *([] if logger else ["import logging"])]
    return "\n".join([*lines, f"except {kind} as {name}:", f"    {logger or 'logging'}.warning({details})"])
