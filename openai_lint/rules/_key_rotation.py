"""What is chosen anew at each attempt of a retry: with another key or model, what was refused may well pass."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openai_lint.facts import (
    Assign,
    Attr,
    AugAssign,
    BinOp,
    Call,
    Const,
    Expr,
    For,
    Function,
    Name,
    Return,
    Sequence,
    Subscript,
    While,
)
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.rules._retries import Retry

if TYPE_CHECKING:
    from openai_lint.link import Project

KEY = "api_key"
MODELS = frozenset({"model", "engine", "deployment_id"})
PICKERS = frozenset({"next", "choice", "choices", "pop", "popleft", "sample"})

BY_KEY = frozenset({"AuthenticationError", "PermissionDeniedError", "PermissionError", "RateLimitError"})
"""What another key or another client may put right (a limit that is spent, too)."""

BY_MODEL = frozenset({"BadRequestError", "InvalidRequestError", "NotFoundError", "UnprocessableEntityError"})
"""What another model may put right."""

_MOST_FUNCTIONS = 60


def mended(project: "Project", retry: Retry, call: ApiCall) -> frozenset[str]:
    """The errors that the next attempt may not meet, because it takes another key, client or model."""
    moves = _Moves()
    for body in _bodies(project, retry):
        moves.read(body)
    moves.settle()
    found: frozenset[str] = frozenset()
    if moves.key_moves() or not moves.picked.isdisjoint(_receiver(call)):
        found |= BY_KEY
    node = call.site.node
    if isinstance(node, Call):
        models = [arg.value for arg in node.args if arg.keyword in MODELS]
        if any(moves.is_picked(value) for value in models):
            found |= BY_MODEL
    return found


def _bodies(project: "Project", retry: Retry) -> Iterator[list[Any]]:
    """The nodes that run again: the loop or function that is retried, and the functions of the project it calls."""
    functions: dict[Function, None] = {}
    seen: set[Function | None] = set()
    for policy in retry.variants:
        tree = tree_of(project, policy.module)
        around = next((parent for parent, _ in tree.above(policy.node) if isinstance(parent, Function)), None)
        if isinstance(policy.node, (For, While)):
            yield [policy.node, *below(policy.node)]
            seen.add(around)
        elif around is not None and (policy.by == "loop" or policy.node in around.decorators):
            functions[around] = None
    if not functions and not seen:
        functions.update({call.site.function: None for call in retry.calls if call.site.function is not None})
    stack = [*functions, *seen]
    while stack and len(functions) < _MOST_FUNCTIONS:
        for callee in project.callees.get(stack.pop(), ()):
            if callee not in functions and callee not in seen:
                functions[callee] = None
                stack.append(callee)
    for function in functions:
        yield [function, *inside(function.body)]


def _receiver(call: ApiCall) -> set[str]:
    """The words of the client that a request is made with."""
    node: Any = call.site.node.func if isinstance(call.site.node, Call) else call.site.node
    return _words(node) - set(call.site.path.split(".")) if isinstance(node, Expr) else set()


@dataclass(slots=True)
class _Moves:
    """Words (last parts of names and attributes) that hold something else the next time.

    ``picked`` hold an element that was chosen out of several; ``moving`` also hold counters and what is made of them.
    """

    assigned: list[tuple[str, Expr]] = field(default_factory=list)
    passed: list[Expr] = field(default_factory=list)
    moving: set[str] = field(default_factory=set)
    picked: set[str] = field(default_factory=set)

    def read(self, nodes: list[Any]) -> None:
        """Take in what the nodes assign, give back and hand over as a key."""
        for node in nodes:
            match node:
                case Assign(targets=targets, value=Expr() as value):
                    self.assigned += [(_word(part), value) for target in targets for part in _parts(target)]
                case AugAssign(target=target):
                    self.moving.add(_word(target))
                case For(target=target):
                    self.moving |= {_word(part) for part in _parts(target)}
                case Function(name=name, body=body):
                    self.assigned += [
                        (name, part.value) for part in inside(body) if isinstance(part, Return) and part.value
                    ]
                case Call(args=args):
                    self.passed += [arg.value for arg in args if arg.keyword == KEY]
                case _:
                    pass
        self.moving.discard("")

    def settle(self) -> None:
        """Follow what moves through the names that it is assigned to."""
        before = -1
        while before != len(self.moving) + len(self.picked):
            before = len(self.moving) + len(self.picked)
            for word, value in self.assigned:
                if word and self.is_picked(value):
                    self.picked.add(word)
                    self.moving.add(word)
                elif word and (
                    (isinstance(value, BinOp) and word in _words(value))
                    or (isinstance(value, (Name, Attr)) and library.written(value) in self.moving)
                ):
                    self.moving.add(word)

    def key_moves(self) -> bool:
        """Whether a key is chosen anew."""
        assigned = [value for word, value in self.assigned if word == KEY]
        return any(self.is_picked(value) for value in (*assigned, *self.passed))

    def is_picked(self, value: Expr) -> bool:
        """Whether an expression gives one out of several, and another one the next time."""
        for node in (value, *below(value)):
            if isinstance(node, Call) and library.written(node.func) in PICKERS:
                return True
            if isinstance(node, Subscript) and not _words(node.index).isdisjoint(self.moving):
                return True
            if isinstance(node, (Name, Attr)) and library.written(node) in self.picked:
                return True
        return False


def _parts(target: Expr) -> tuple[Expr, ...]:
    return target.items if isinstance(target, Sequence) else (target,)


def _word(target: Expr) -> str:
    """The last word of a target; the key of an item."""
    if isinstance(target, Subscript):
        return target.index.value if isinstance(target.index, Const) and isinstance(target.index.value, str) else ""
    return library.written(target)


def _words(node: Expr) -> set[str]:
    return {library.written(part) for part in (node, *below(node)) if isinstance(part, (Name, Attr))}
