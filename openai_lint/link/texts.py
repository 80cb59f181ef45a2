"""What a text may be when the program runs, as far as it is written down: URLs above all.

Each answer is a template: what is not known stands in it as ``{}``.
"""

import re
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from openai_lint import facts
from openai_lint.facts import Call, Expr
from openai_lint.link import library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.link.tree import tree_of
from openai_lint.link.values import constants

if TYPE_CHECKING:
    from openai_lint.link.project import Project

UNKNOWN = "{}"
MOST = 16
_LONGEST = 2000
_DEEPEST = 10
_POSITIONAL = frozenset({"{}", "%s", "%d", "%r"})
_FIELD = re.compile(r"\{[^{}]*\}|%(?:\(\w+\))?[sdr]")

SAME = frozenset(
    {"strip", "lstrip", "lower", "removesuffix", "removeprefix", "replace", "decode", "encode", "with_path"}
)
"""Methods of a text that leave it a URL much like before."""

WRAPPERS = frozenset({"str", "URL", "HttpUrl", "AnyHttpUrl", "quote", "unquote", "cast"})
"""Calls whose first argument is the text."""

LOOKUPS = {"getenv": 1, "get": 1, "setdefault": 1, "pop": 1, "getattr": 2, "config": 1, "env": 1}
"""Calls that give the argument at this position where they find nothing."""

JOINS = frozenset({"urljoin", "join", "copy_with", "joinpath"})


def texts(project: "Project", node: Expr, module: ModuleInfo) -> frozenset[str]:
    """Every template that the expression may be; ``{}`` alone where nothing is known of it."""
    return frozenset(_texts(project, node, module, 0))


def _texts(project: "Project", node: Expr, module: ModuleInfo, depth: int) -> set[str]:
    if depth > _DEEPEST:
        return {UNKNOWN}

    def read(part: Expr) -> set[str]:
        return _texts(project, part, module, depth + 1)

    match node:
        case facts.Const(value=str() as value):
            return {value[:_LONGEST]}
        case facts.Const(value=bytes() as value):
            return {value[:_LONGEST].decode("latin-1")}
        case facts.Format():
            return _joined([{part} if isinstance(part, str) else read(part) for part in node.parts])
        case facts.BinOp(op="+"):
            return _joined([read(node.left), read(node.right)])
        case facts.BinOp(op="/"):
            return {_below(left, right) for left, right in _pairs(read(node.left), read(node.right))}
        case facts.BinOp(op="%"):
            given = node.right.items if isinstance(node.right, facts.Sequence) else (node.right,)
            return {_filled(text, [read(item) for item in given]) for text in read(node.left)}
        case facts.IfExp():
            return read(node.body) | read(node.orelse)
        case facts.BoolOp():
            return set().union(*(read(value) for value in node.values))
        case facts.Await() | facts.NamedExpr():
            return read(node.value)
        case facts.Call():
            return _called(project, node, module, depth + 1)
        case facts.Name() | facts.Attr():
            return _named(project, node, module, depth + 1)
        case _:
            return _evaluated(project, node, module)


def _called(project: "Project", node: Call, module: ModuleInfo, depth: int) -> set[str]:
    name = library.written(node.func)
    args = [arg.value for arg in node.args if arg.keyword is None and not arg.star]
    receiver = node.func.value if isinstance(node.func, facts.Attr) else None
    if receiver is not None and name in ("format", "rstrip", *SAME):
        found = _texts(project, receiver, module, depth)
        if name == "format":
            return {_filled(text, [_texts(project, arg, module, depth) for arg in args]) for text in found}
        return {text.rstrip("/") for text in found} if name == "rstrip" else found
    if name in WRAPPERS and args:
        return _texts(project, args[0], module, depth)
    if name in JOINS and len(args) > 1:
        parts = [_texts(project, arg, module, depth) for arg in args[:2]]
        return {urljoin(base, rest) if "://" in base else _below(base, rest) for base, rest in _pairs(*parts)}
    if name in LOOKUPS:
        position = LOOKUPS[name]
        otherwise = [arg.value for arg in node.args if arg.keyword == "default"] or args[position : position + 1]
        if otherwise:
            return _texts(project, otherwise[0], module, depth) | {UNKNOWN}
    return _evaluated(project, node, module)


def _named(project: "Project", node: Expr, module: ModuleInfo, depth: int) -> set[str]:
    found: set[str] = set()
    for origin in origins_of(project).of(node, module):
        if origin.node is node or isinstance(origin.node, (facts.Name, facts.Attr)):
            found |= _evaluated(project, origin.node, origin.module)
        else:
            found |= _texts(project, origin.node, origin.module, depth)
        if len(found) > MOST:
            break
    return found or {UNKNOWN}


def _evaluated(project: "Project", node: Expr, module: ModuleInfo) -> set[str]:
    frame = tree_of(project, module).frame(node)
    values = project.engine.evaluator.value(node, frame)
    found = {value for value in constants(values) if isinstance(value, str)}
    return found if found and len(found) <= MOST else {UNKNOWN}


def _filled(text: str, given: list[set[str]]) -> str:
    """A format with what is given for its fields, in their order, as far as each is one known text."""
    known = iter([min(texts) if len(texts) == 1 else UNKNOWN for texts in given])
    return _FIELD.sub(lambda field: next(known, UNKNOWN) if field[0] in _POSITIONAL else UNKNOWN, text)


def _joined(parts: list[set[str]]) -> set[str]:
    found = {""}
    for part in parts:
        if len(found) * len(part) > MOST:
            part = {UNKNOWN}  # noqa: PLW2901 - too many to tell
        found = {before + text for before, text in product(found, part) if len(before) + len(text) <= _LONGEST}
    return found or {UNKNOWN}


def _pairs(left: set[str], right: set[str]) -> list[tuple[str, str]]:
    return list(product(left, right))[:MOST]


def _below(base: str, rest: str) -> str:
    return f"{base.rstrip('/')}/{rest.lstrip('/')}"
