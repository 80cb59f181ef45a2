"""Suggestions in the words of the file at hand: its names for the SDK's errors, its variables, its statement."""

from collections.abc import Iterable
from textwrap import dedent
from typing import TYPE_CHECKING

from openai_lint.escapes import ancestors
from openai_lint.facts import Expr, Function, Handler, Import, Span, Stmt
from openai_lint.link.index import ModuleInfo
from openai_lint.link.project import ApiCall
from openai_lint.link.record import HandlerUse
from openai_lint.link.values import Site
from openai_lint.rules._handling import Escape, framework_of
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
    inside = "error." if release.major == 0 else ""
    alias, bare, errors = None, False, None
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
    if alias is not None and not (bare and inside):
        prefix = f"{alias}.{inside}"
    elif errors is not None:
        prefix = f"{errors}."
    else:
        prefix = "" if bare else f"openai.{inside}"
    return [prefix + name for name in names]


def covering(release: Sdk, names: Iterable[str]) -> tuple[str, ...]:
    """The names without those that another one of them catches as well."""
    wanted = tuple(dict.fromkeys(names))
    return tuple(
        name
        for name in wanted
        if not any(f"openai.{other}" in ancestors(f"openai.{name}", release) for other in wanted if other != name)
    )


def clause_text(classes: list[str], name: str) -> str:
    """The head of an except clause."""
    types = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
    return f"except {types} as {name}:"


def transient(module: ModuleInfo, release: Sdk) -> list[str]:
    """The errors that may pass, as a clause of this file would list them."""
    wanted = [name for name in release.transient if name in release.triggers_transient]
    return spelled(module, release, covering(release, wanted))


def permanent(module: ModuleInfo, release: Sdk) -> list[str]:
    """What stands behind a clause for the transient errors, to take all others."""
    return spelled(module, release, [release.roles.get("status_base") or release.roles["base"]])


IN_FRAMEWORKS = {
    "fastapi": ('raise HTTPException(503, "{busy}") from {name}', 'raise HTTPException(502, "{refused}") from {name}'),
    "flask": ('abort(503, "{busy}")', 'abort(502, "{refused}")'),
    "streamlit": ('st.error("{busy}, try later")', 'st.error(f"{refused}: {{{name}}}")'),
    "notebook": ('print(f"{busy}, try later: {{{name}}}")', 'print(f"{refused}: {{{name}}}")'),
    "script": ('sys.exit(f"{busy}, try later: {{{name}}}")', 'sys.exit(f"{refused}: {{{name}}}")'),
    "function": (
        'raise RuntimeError("{what}: {busy}") from {name}',
        'raise RuntimeError("{what}: {refused}") from {name}',
    ),
}
"""What a handler may do about a transient and about a permanent error, by where it stands."""


def answers(project: "Project", module: ModuleInfo, function: Function | None, name: str) -> tuple[str, str]:
    """What a handler may do here about a transient and about a permanent error."""
    setting = framework_of(project, function) if function is not None else None
    if module.facts.cells:
        setting = "notebook"
    elif setting not in IN_FRAMEWORKS:
        setting = "script" if function is None or function.name == "main" else "function"
        if setting == "script" and "streamlit" in {path.partition(".")[0] for path in module.imports}:
            setting = "streamlit"
    what = "this request" if function is None or not function.name.isidentifier() else function.name.strip("_")
    words = {
        "busy": "The OpenAI API is not available",
        "refused": "The OpenAI API refused the request",
        "name": name,
        "what": what.replace("_", " "),
    }
    if setting == "function":
        words |= {"busy": "the OpenAI API is not available", "refused": "the OpenAI API refused the request"}
    soon, never = IN_FRAMEWORKS[setting]
    return soon.format(**words), never.format(**words)


def wrapped(project: "Project", call: ApiCall) -> str:
    """The call's statement in a try that tells what may pass from what never will."""
    release, module, node = call.release, call.module, call.site.node
    soon, never = answers(project, module, call.site.function, "error")
    classes = (transient(module, release), permanent(module, release))
    lines = imports(module, release, [*classes[0], *classes[1], soon])
    lines += ["try:", *(f"    {line}" for line in statement(module, node).split("\n"))]
    lines += [clause_text(classes[0], "error"), f"    {soon}", clause_text(classes[1], "error"), f"    {never}"]
    return "\n".join(lines)


def after_retries(project: "Project", escape: Escape) -> str:
    """Where what a retry lets out at last may be handled, and as what."""
    call = escape.call
    step = escape.steps[-1] if escape.steps else None
    module, node = (step.module, step.node) if step is not None else (call.module, call.site.node)
    function = step.function if step is not None else call.site.function
    roles = call.release.roles
    base = spelled(module, call.release, [roles.get("api_base") or roles["base"]])
    lines = []
    if escape.wrapper == "tenacity.RetryError":
        lines.append("Add `reraise=True` to the retry, so that the SDK's own error leaves it, and handle that:")
    else:
        base = base if escape.wrapper is None else [escape.wrapper]
        lines.append("Handle what is left when the retry has given up:")
    lines += imports(module, call.release, base)
    lines += ["try:", *(f"    {line}" for line in statement(module, node).split("\n"))]
    return "\n".join([*lines, clause_text(base, "error"), f"    {answers(project, module, function, 'error')[0]}"])


def imports(module: ModuleInfo, release: Sdk, words: list[str]) -> list[str]:
    """The import lines that code with these words needs besides those in the file."""
    bound = module.scope.bindings
    new = sorted(word for word in words if word.isidentifier() and word not in bound)
    needed = [f"from openai{'.error' if release.major == 0 else ''} import {', '.join(new)}"] if new else []
    if "openai" not in bound and any(word.startswith("openai.") for word in words):
        needed.append("import openai")
    if "sys" not in bound and any(word.startswith("sys.") for word in words):
        needed.insert(0, "import sys")
    return needed


def completed(project: "Project", escape: Escape, handler: Handler, module: ModuleInfo) -> str:
    """How a try that handles some errors comes to handle the others."""
    call, soon, never = escape.call, escape.transient, escape.permanent
    release = call.release
    name = handler.name or "error"
    line = project.place(module, handler.header).span[0]
    lines: list[str] = []
    if soon:
        written = text_of(module, handler.type.span) if handler.type is not None else ""
        kept = [item.strip() for item in written.strip("()").split(",") if item.strip()]
        added = spelled(module, release, covering(release, soon))
        same_line = "\n" not in written and len(written) < 80
        classes = [*kept, *(item for item in added if item not in kept)] if same_line else added
        lead = "Widen the clause" if same_line else "Add to the clause"
        lines += [f"{lead} of line {line}:", clause_text(classes, name)]
    if never:
        function = call.site.function if module is call.module else None
        lines += [f"{'And add' if lines else 'Add'} a clause for what no retry cures:"]
        lines += [clause_text(spelled(module, release, covering(release, never)), name)]
        lines += [f"    {answers(project, module, function, name)[1]}"]
    return "\n".join(lines)


LOGGERS = ("logger", "log", "LOGGER", "LOG", "_logger", "_log", "logging")
"""Names by which modules call their logger."""


def written_clause(use: HandlerUse) -> str:
    """The clause as it is written, without the name and the colon."""
    kind = use.handler.type
    return "except" if kind is None else f"except {text_of(use.module, kind.span)}"


def reported(use: HandlerUse, site: Site, project: "Project") -> str:
    """The handler with a line that reports its error, and the id of the request where there may be one."""
    release = project.engine.catalogue(site.module, site.era)
    name = use.handler.name or "error"
    kind = "Exception" if use.handler.type is None else text_of(use.module, use.handler.type.span)
    logger = next((known for known in LOGGERS if known in use.module.scope.bindings), None)
    details = f'"{site.path} failed: %s", {name}'
    if "request_id" in release.errors[release.roles["rate_limit"]].attributes:
        details = f'"{site.path} failed: %s (request %s)", {name}, getattr({name}, "request_id", None)'
    lines = ["Say what happened, or let the error out:", *([] if logger else ["import logging"])]
    return "\n".join([*lines, f"except {kind} as {name}:", f"    {logger or 'logging'}.warning({details})"])


def told_apart(use: HandlerUse, site: Site, project: "Project") -> str:
    """Clauses for the documented types, to be put in front of one that takes everything."""
    release = project.engine.catalogue(site.module, site.era)
    name = use.handler.name or "error"
    soon, never = transient(use.module, release), permanent(use.module, release)
    line = project.place(use.module, use.handler.header).span[0]
    return "\n".join([
        f"Put clauses for the documented types in front of line {line}:",
        *imports(use.module, release, [*soon, *never]),
        clause_text(soon, name),
        "    ...  # it may pass: wait and try again, or say so",
        clause_text(never, name),
        "    ...  # it will not pass: somebody has to change the request, the key or the account",
    ])  # fmt: skip
