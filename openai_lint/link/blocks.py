"""Questions about statements that need nothing but them: what they assign, whether they leave, what is inside."""

import builtins
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from openai_lint import facts
from openai_lint.facts import Block, Expr, Stmt
from openai_lint.link import library
from openai_lint.link.sums import names

QUIET = frozenset(
    {"print", "debug", "info", "warning", "warn", "error", "exception", "log", "critical", "write", "time", "monotonic"}
) | frozenset(name for name in dir(builtins) if name.islower() and name not in ("next", "anext", "map"))
"""Calls that surely are no request."""


_KEPT = 1 << 14  # nodes of which the answer is kept: loops are rehearsed again and again

TAKERS = frozenset({"pop", "popleft", "get", "get_nowait"})
PUTTERS = frozenset({"append", "appendleft", "insert", "put", "put_nowait"})
"""Methods that take work from a list or a queue, and that put it there."""


_DEFINITIONS = (facts.Function, facts.Class, facts.Lambda)


def below(node: Any) -> Iterator[Any]:
    """Every node below one in source order, nested functions left out."""
    stack = facts.children(node)
    stack.reverse()
    while stack:
        child = stack.pop()
        yield child
        if not isinstance(child, _DEFINITIONS):
            stack += reversed(facts.children(child))


def inside(body: Block) -> Iterator[Any]:
    """Every node of a block, nested functions left out."""
    for statement in body:
        yield statement
        if not isinstance(statement, (facts.Function, facts.Class)):
            yield from below(statement)


def blocks_of(node: Stmt) -> Iterator[Block]:
    """The blocks that a statement holds, those of nested functions and classes left out."""
    if isinstance(node, (facts.Function, facts.Class)):
        return
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, tuple):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def assigned(body: Block) -> set[str]:
    """Names that statements of a block assign."""
    found: set[str] = set()
    for node in inside(body):
        targets: tuple[Expr, ...] = ()
        if isinstance(node, facts.Assign):
            targets = node.targets
        elif isinstance(node, (facts.AugAssign, facts.NamedExpr)):
            targets = (node.target,)
        for target in targets:
            parts = target.items if isinstance(target, facts.Sequence) else (target,)
            found |= {part.id for part in parts if isinstance(part, facts.Name)}
    return found


def changed_by(node: facts.While | facts.For) -> set[str]:
    """Names that a loop assigns in its body or in what it tests (``while (n := n + 1) < 5``)."""
    tested = (node.test, *below(node.test)) if isinstance(node, facts.While) else ()
    targets = [part.target for part in tested if isinstance(part, facts.NamedExpr)]
    return assigned(node.body) | {target.id for target in targets if isinstance(target, facts.Name)}


def queues(node: facts.While | facts.For, trial: facts.Try) -> set[str]:
    """Where a loop takes its work from, and a handler in it puts it back."""
    given = {name for handler in trial.handlers for name in receivers(handler.body, PUTTERS)}
    return given & receivers(node.body, TAKERS)


def receivers(body: Block, methods: frozenset[str]) -> set[str]:
    """What these methods are called on in a block, as it is written."""
    return {
        library.dotted(node.func.value)
        for node in inside(body)
        if isinstance(node, facts.Call) and isinstance(node.func, facts.Attr) and node.func.attr in methods
    } - {""}


def asked(body: Block) -> set[str]:
    """Names that a block assigns what a call gives."""
    found: set[str] = set()
    for node in inside(body):
        if isinstance(node, facts.Assign) and isinstance(node.value, (facts.Call, facts.Await)):
            found |= {target.id for target in node.targets if isinstance(target, facts.Name)}
    return found


def leaves(body: Block) -> bool:
    """Whether a block surely leaves by ``raise``, ``return``, ``break`` or an exit."""
    for node in body:
        match node:
            case facts.Raise() | facts.Return() | facts.Jump(kind="break"):
                return True
            case facts.If() if node.orelse and leaves(node.body) and leaves(node.orelse):
                return True
            case facts.ExprStmt(value=facts.Call() as call) if library.written(call.func) in library.EXIT_WORDS:
                return True
            case _:
                continue
    return False


def leaves_loop(body: Block) -> bool:
    """Whether a block of a loop's body may leave that loop: by ``return``, or a ``break`` that is its own."""
    if any(isinstance(node, facts.Return) for node in inside(body)):
        return True
    return any(isinstance(node, facts.Jump) and node.kind == "break" for node in _of_loop(body))


def _of_loop(nodes: Iterable[Any]) -> Iterator[Any]:
    """The statements of a block, those of loops in it left out."""
    for node in nodes:
        yield node
        if not isinstance(node, (facts.For, facts.While, facts.Function, facts.Class, Expr)):
            yield from _of_loop(facts.children(node))


@lru_cache(maxsize=_KEPT)
def asks(node: Stmt) -> bool:
    """Whether a statement makes a call that may be the request."""
    return any(isinstance(part, facts.Call) and library.written(part.func) not in QUIET for part in below(node))


@lru_cache(maxsize=_KEPT)
def sleeps(function: facts.Function) -> bool:
    """Whether a function sleeps itself."""
    return any(isinstance(node, facts.Call) and library.written(node.func) == "sleep" for node in inside(function.body))


def follows(node: Expr) -> bool:
    """Whether a wait is taken from the answer: a header, an attribute of that name."""
    for part in (node, *below(node)):
        word = part.id if isinstance(part, facts.Name) else part.attr if isinstance(part, facts.Attr) else ""
        text = part.value if isinstance(part, facts.Const) and isinstance(part.value, str) else ""
        if "retry_after" in word.lower() or word == "headers" or "retry-after" in text.lower():
            return True
    return False


class Guards:
    """Statements as the try statements that they stand for: ``with suppress(...)``, a call that answers errors."""

    def __init__(self) -> None:
        self._tries: dict[Stmt, facts.Try] = {}
        self._places: dict[facts.Try, Stmt] = {}

    def trial(self, node: Stmt) -> facts.Try:
        """The try statement that does the same; its clause is not read, because others know what is dropped."""
        if node not in self._tries:
            handler = facts.Handler(node.span, node.span, None, None, ())
            body = node.body if isinstance(node, facts.With) else (node,)
            found = self._tries[node] = facts.Try(node.span, body, (handler,), (), (), False)
            self._places[found] = node
        return self._tries[node]

    def place(self, trial: facts.Try) -> Stmt:
        """The statement of the code that a try statement is."""
        return self._places.get(trial, trial)


def targets_of(node: facts.For | facts.While) -> set[str]:
    """The names that a ``for`` binds."""
    return names(node.target) if isinstance(node, facts.For) else set()


def around(wanted: Stmt, body: Block) -> set[int]:
    """The nodes around a statement in a block, by identity."""
    found: set[int] = set()

    def search(node: Any) -> bool:
        if node is wanted:
            return True
        if any(search(child) for child in facts.children(node)):
            found.add(id(node))
            return True
        return False

    for statement in body:
        search(statement)
    return found
