"""Which expressions are a whole API key when the program runs, and where such a one is shown."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr
from openai_lint.keys import MODULE_ATTRIBUTES, find_keys, kind_of_name
from openai_lint.link import library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.link.tree import Tree, tree_of
from openai_lint.link.values import Client, External

if TYPE_CHECKING:
    from openai_lint.link import Project

_SPEAKS_OF_KEYS = re.compile(r"(?i)api_?key|openai\w{0,40}(?:key|token|secret)")

PRINTERS = frozenset(
    {"print", "pprint.pprint", "pprint", "sys.stdout.write", "sys.stderr.write", "warnings.warn", "rich.print"}
)
LOG_LEVELS = frozenset(
    {"debug", "info", "warning", "warn", "error", "critical", "exception", "log", "success", "trace"}
)
LOGGERS = ("log", "logger", "logging", "_log", "_logger", "loguru")
SHOWERS = frozenset(
    {"streamlit.write", "streamlit.text", "streamlit.code", "streamlit.markdown", "click.echo", "typer.echo"}
)

LOOKUPS = frozenset({"getenv", "get", "config", "env", "getpass", "get_secret", "pop"})
"""Calls that give what is kept under the name that they are given."""

KEEPS_IT_WHOLE = frozenset(
    {"str", "repr", "format", "strip", "rstrip", "lstrip", "get_secret_value", "decode", "encode"}
)
"""Calls whose result shows as much of a key as was put in."""


def exposures(project: "Project", module: ModuleInfo) -> Iterator[tuple[Expr, str]]:
    """Each expression that is a whole key, with the words for where it goes ("printed", "logged", "put in a URL")."""
    if _SPEAKS_OF_KEYS.search(module.facts.text) is None:
        return
    tree = tree_of(project, module)
    for call in tree.of(Call):
        sink = _sink(project, tree, call)
        if sink is not None:
            for arg in call.args:
                if arg.keyword not in ("file", "exc_info", "extra"):
                    yield from ((node, sink) for node in _shown(project, module, arg.value))
    for text in tree.of(facts.Format):
        yield from ((node, "put in a URL") for node in _in_url(project, module, text))


def _sink(project: "Project", tree: Tree, call: Call) -> str | None:
    name = library.written(call.func)
    if isinstance(call.func, facts.Attr) and name in LOG_LEVELS:
        owner = library.dotted(call.func.value).lower().replace("()", "")
        return "logged" if owner.rpartition(".")[2].endswith(LOGGERS) else None
    if name == "print" and isinstance(call.func, facts.Name):
        return "printed"
    if name not in {path.rpartition(".")[2] for path in PRINTERS | SHOWERS}:
        return None
    for value in project.engine.evaluator.value(call.func, tree.frame(call)):
        if isinstance(value, External):
            if value.path in PRINTERS:
                return "printed"
            if value.path in SHOWERS:
                return "shown to whoever opens the page" if value.path.startswith("streamlit") else "printed"
    return None


def _shown(project: "Project", module: ModuleInfo, node: Expr) -> Iterator[Expr]:
    """The keys that stand whole in what is shown."""
    match node:
        case facts.Format():
            for part in node.parts:
                if isinstance(part, Expr):
                    yield from _shown(project, module, part)
        case facts.BinOp(op="+"):
            yield from _shown(project, module, node.left)
            yield from _shown(project, module, node.right)
        case facts.BinOp(op="%"):
            inner = node.right.items if isinstance(node.right, facts.Sequence) else (node.right,)
            for item in inner:
                yield from _shown(project, module, item)
        case facts.Call(func=facts.Attr(value=receiver, attr="format")):
            del receiver
            for arg in node.args:
                yield from _shown(project, module, arg.value)
        case facts.Call() if library.written(node.func) in KEEPS_IT_WHOLE:
            inner = tuple(arg.value for arg in node.args[:1])
            if isinstance(node.func, facts.Attr):
                inner = (node.func.value,)
            for item in inner:
                yield from _shown(project, module, item)
        case _ if is_key(project, module, node):
            yield node
        case _:
            pass


def _in_url(project: "Project", module: ModuleInfo, text: facts.Format) -> Iterator[Expr]:
    first = text.parts[0] if text.parts else ""
    if not isinstance(first, str) or not first.startswith(("http://", "https://")):
        return
    for part in text.parts:
        if isinstance(part, Expr) and is_key(project, module, part):
            yield part


def is_key(project: "Project", module: ModuleInfo, node: Expr) -> bool:
    """Whether an expression is a key, because of where it comes from or, if that cannot be seen, what it is called."""
    if not isinstance(node, facts.Name | facts.Attr | facts.Subscript | facts.Call):
        return False
    origins = origins_of(project).of(node, module)
    verdicts = [_is_source(project, origin.module, origin.node) for origin in origins]
    return bool(verdicts) and any(verdicts) and all(verdict is not False for verdict in verdicts)


def _is_source(project: "Project", module: ModuleInfo, node: Expr) -> bool | None:
    """Whether a key comes from here: True, False, or None where the place says nothing."""
    match node:
        case facts.Const(value=str() as value):
            return True if find_keys(value) else None
        case facts.Const():
            return None
        case facts.Subscript(index=facts.Const(value=str() as name)):
            return kind_of_name(name) is not None
        case facts.Call(args=(facts.Arg(value=facts.Const(value=str() as name)), *_)):
            return library.written(node.func) in LOOKUPS and kind_of_name(name) is not None
        case facts.Attr(attr=attr) if attr in MODULE_ATTRIBUTES:
            frame = tree_of(project, module).frame(node)
            owners = project.engine.evaluator.value(node.value, frame)
            return any(isinstance(owner, Client) or owner == External("openai") for owner in owners)
        case facts.Attr(attr=attr):
            return kind_of_name(attr) is not None
        case facts.Name(id=name):
            return kind_of_name(name) is not None
        case _:
            return False
