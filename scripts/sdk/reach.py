"""What a method of the SDK comes to: its own source and the source of what it calls.

Runs inside the release under study.  The reader follows calls on ``self``, on
resources of the client, on helpers of the same package and on helpers imported inside
the function, because newer releases keep a method's body in a module that is
imported when the method is first used.
"""

import ast
import importlib
import inspect
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

VERBS = frozenset({"_get", "_post", "_put", "_patch", "_delete", "_get_api_list"})
CLIENT_VERBS = frozenset({"get", "post", "put", "patch", "delete", "get_api_list", "request"})
# 0.x speaks to the network through an APIRequestor, or through `instance.request`.
REQUESTOR_VERBS = frozenset(
    {
        "request",
        "arequest",
        "request_raw",
        "arequest_raw",
        "_poll",
        "_apoll",
        "refresh",
        "arefresh",
        "_static_request",
        "_astatic_request",
    }
)
_DEPTH = 8


@dataclass
class Reach:
    """Everything seen on the way through one method."""

    verbs: set[str] = field(default_factory=set)
    """Names of the requests that it makes, itself or through other methods."""
    own_verbs: set[str] = field(default_factory=set)
    """Those of them that do not pass through another public method."""
    pages: set[str] = field(default_factory=set)
    waits_in_loop: bool = False
    calls_siblings: bool = False
    """True if it calls other methods of the resources, so it is a helper made of requests."""


def read(method: MethodType, root: str) -> Reach:
    """Follow `method` through the package named `root`."""
    reach = Reach()
    _follow(
        inspect.unwrap(method.__func__), {"self": method.__self__, "cls": method.__self__}, root, reach, set(), 0, True
    )
    return reach


def tree_of(function: Any) -> ast.AST | None:
    """The parsed source of a function; None where Python has no source for it."""
    code = getattr(function, "__code__", None)
    return None if code is None else _functions_of(code.co_filename).get(code.co_firstlineno)


@cache
def _functions_of(filename: str) -> dict[int, ast.AST]:
    """The functions of a file by their first line, decorators included."""
    try:
        tree = ast.parse(Path(filename).read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return {}
    functions = (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return {min(n.lineno, *(d.lineno for d in n.decorator_list), n.lineno): n for n in functions}


def _follow(
    function: Any, bound: dict[str, Any], root: str, reach: Reach, seen: set[Any], depth: int, own: bool
) -> None:
    key = (getattr(function, "__module__", ""), getattr(function, "__qualname__", ""), id(bound.get("self")))
    if depth > _DEPTH or key in seen or not str(key[0]).startswith(root):
        return
    seen.add(key)
    tree = tree_of(function)
    if tree is None:
        return
    names = dict(bound)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.update(_imported(node, function))
    scope = _Scope(names, function)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            _note_verb(node, reach, own)
        if isinstance(node, (ast.While, ast.For)) and any(_is_wait(inner) for inner in ast.walk(node)):
            reach.waits_in_loop = True
        if isinstance(node, ast.keyword) and node.arg == "page":
            reach.pages.add(ast.unparse(node.value).split("[")[0].split(".")[-1])
        if isinstance(node, ast.Call):
            _note_page(node, reach)
            target = scope.value(node.func)
            if isinstance(target, MethodType):
                if hasattr(target.__self__, "get_api_list"):
                    # The client itself: beneath it is nothing but the transport.
                    continue
                public = not target.__name__.startswith("_")
                reach.calls_siblings |= public
                receiver = target.__self__
                inner = {"self": receiver, "cls": receiver}
                _follow(inspect.unwrap(target.__func__), inner, root, reach, seen, depth + 1, own and not public)
            elif isinstance(target, FunctionType):
                _follow(inspect.unwrap(target), _arguments(node, target, scope), root, reach, seen, depth + 1, own)


def _note_verb(node: ast.Attribute, reach: Reach, own: bool) -> None:
    receiver = ast.unparse(node.value)
    if (
        node.attr in VERBS
        or (node.attr in CLIENT_VERBS and receiver.endswith("_client"))
        or (
            node.attr in REQUESTOR_VERBS
            and ("requestor" in receiver or receiver in {"self", "cls", "instance", "super()"})
        )
    ):
        reach.verbs.add(node.attr)
        if own:
            reach.own_verbs.add(node.attr)


def _note_page(node: ast.Call, reach: Reach) -> None:
    """`self._get_api_list(path, page=SyncPage[...])`, or the same with the page in second place."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "_get_api_list" and len(node.args) > 1:
        reach.pages.add(ast.unparse(node.args[1]).split("[")[0].split(".")[-1])


def _is_wait(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"_sleep", "sleep"}


def _imported(node: ast.ImportFrom, function: Any) -> dict[str, Any]:
    package = function.__module__.rsplit(".", node.level)[0] if node.level else ""
    if node.level and inspect.getmodule(function).__spec__.submodule_search_locations is not None:
        package = function.__module__ if node.level == 1 else function.__module__.rsplit(".", node.level - 1)[0]
    name = f"{package}.{node.module}" if package and node.module else package or node.module or ""
    try:
        module = importlib.import_module(name)
    except Exception:
        return {}
    return {alias.asname or alias.name: getattr(module, alias.name, None) for alias in node.names}


def _arguments(node: ast.Call, target: FunctionType, scope: "_Scope") -> dict[str, Any]:
    names = list(inspect.signature(target).parameters)
    return {name: scope.value(arg) for name, arg in zip(names, node.args, strict=False) if scope.value(arg) is not None}


class _Scope:
    """Names of a function whose values are known without running it."""

    def __init__(self, names: dict[str, Any], function: Any) -> None:
        self._names = names
        self._globals = getattr(function, "__globals__", {})
        self._class = function.__qualname__.rsplit(".", 1)[0]

    def value(self, node: ast.expr) -> Any:
        """The object that an expression stands for, or None."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, self._globals.get(node.id))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super":
            return self._parent()
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if owner is None or node.attr == "with_streaming_response":
                return None
            if node.attr == "with_raw_response":
                return owner
            try:
                return getattr(owner, node.attr, None)
            except Exception:
                return None
        return None

    def _parent(self) -> Any:
        receiver = self._names.get("cls", self._names.get("self"))
        owner = self._globals.get(self._class)
        if receiver is None or owner is None:
            return None
        try:
            return super(owner, receiver)
        except TypeError:
            return None
