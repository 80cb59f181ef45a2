"""Which errors a retry policy takes up again: by class, by a function of the project, or by both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leak, ancestors, clause
from openai_lint.facts import Block, Expr, Function
from openai_lint.link.values import Bound, Frame, FunctionRef, Value

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.narrow import Narrowing
    from openai_lint.sdk import Sdk

Decide = Callable[[Value, Leak], "bool | None"]


@dataclass(frozen=True, slots=True)
class Predicate:
    """Which errors are retried.

    ``kind``: ``all`` (nothing is written: every Exception), ``none``, ``result`` (what the function gives decides, as
    ``function`` says, whose answer is to be ``wanted``; no error is retried), ``only`` / ``except`` (the classes in
    ``paths``), ``function`` (one of the project decides), ``vague`` (something unseen decides), ``pending`` (not known
    yet), ``or`` / ``and`` / ``not`` (over ``parts``).
    """

    kind: str
    paths: tuple[str, ...] = ()
    parts: tuple["Predicate", ...] = ()
    function: Value | None = None
    wanted: bool = True

    def accepts(self, leak: Leak, release: "Sdk", decide: Decide) -> bool | None:
        """Whether an error is retried; None when that depends on more than can be seen."""
        match self.kind:
            case "all":
                return "Exception" in ancestors(leak.raised, release)
            case "none" | "result":
                return False
            case "only" | "except":
                known = ancestors(leak.raised, release)
                named = any(path in known or clause(path, release) in known for path in self.paths)
                return named if self.kind == "only" else not named
            case "function":
                return decide(self.function, leak) if self.function is not None else None
            case "not":
                inner = self.parts[0].accepts(leak, release, decide)
                return None if inner is None else not inner
            case "or":
                found = [part.accepts(leak, release, decide) for part in self.parts]
                return True if True in found else None if None in found else False
            case "and":
                found = [part.accepts(leak, release, decide) for part in self.parts]
                return False if False in found else None if None in found else True
            case _:
                return None

    @property
    def written(self) -> bool:
        """Whether anything is written that could be narrowed."""
        return self.kind != "all"

    def has(self, *kinds: str) -> bool:
        """Whether the predicate or a part of it is of one of these kinds."""
        return self.kind in kinds or any(part.has(*kinds) for part in self.parts)

    def functions(self) -> tuple[Value, ...]:
        """The functions of the project that decide."""
        own = (self.function,) if self.function is not None and self.kind == "function" else ()
        return own + tuple(inner for part in self.parts for inner in part.functions())


EVERYTHING = Predicate("all")
VAGUE = Predicate("vague")


def ask(engine: "Engine", value: Value, leak: Leak, position: int = 0, depth: int = 0) -> bool | None:
    """What a function of the project answers when it is given the error, as the argument at a position.

    ``depth`` counts the predicates that are being asked already.
    """
    from openai_lint.link.narrow import Narrowing

    offset = position
    while isinstance(value, Bound):
        value, offset = value.function, offset + 1
    if not isinstance(value, FunctionRef) or len(value.function.params) <= offset:
        return None
    function = value.function
    frame = Frame(value.parent.module, function, value.parent)
    key = (value, offset, leak.error, leak.raised, leak.form, leak.site.release)
    if key in engine.answers:
        return engine.answers[key]
    found = _run(function.body, leak, Narrowing(engine, frame, frozenset({function.params[offset].name}), depth))
    answers = {False if answer == _FALLS else answer for answer in found}
    if len(answers) != 1 or None in answers:
        return None  # it may be told apart once more is known
    engine.answers[key] = True in answers
    return True in answers


_FALLS = "falls"


def _run(body: Block, leak: Leak, narrowing: "Narrowing") -> set[bool | str | None]:
    """Every answer that a block may return; ``falls`` when control may reach its end."""
    answers: set[bool | str | None] = set()
    for statement in body:
        match statement:
            case facts.Return():
                return answers | {False if statement.value is None else _truth(statement.value, leak, narrowing)}
            case facts.If():
                verdict = narrowing.decide(statement.test, leak)
                inner: set[bool | str | None] = set()
                if verdict is not False:
                    inner |= _run(statement.body, leak, narrowing)
                if verdict is not True:
                    inner |= _run(statement.orelse, leak, narrowing)
                answers |= inner - {_FALLS}
                if _FALLS not in inner:
                    return answers
            case facts.For():
                verdict = narrowing.found(statement, leak)
                only = statement.body[0]
                if verdict is None or not isinstance(only, facts.If):
                    return answers | {None}
                if verdict:
                    return answers | _run(only.body, leak, narrowing)
            case facts.Assign() | facts.ExprStmt() | facts.Jump() | facts.Import():
                continue
            case _:
                return answers | {None}
    return answers | {_FALLS}


def _truth(node: Expr, leak: Leak, narrowing: "Narrowing") -> bool | None:
    if isinstance(node, facts.IfExp):
        verdict = narrowing.decide(node.test, leak)
        taken = [node.body] * (verdict is not False) + [node.orelse] * (verdict is not True)
        found = {_truth(item, leak, narrowing) for item in taken}
        return found.pop() if len(found) == 1 else None
    verdict = narrowing.decide(node, leak)
    return narrowing.truth(node) if verdict is None else verdict


def body_of(value: Value) -> Function | None:
    """The function of the project behind a value, if it is one."""
    while isinstance(value, Bound):
        value = value.function
    return value.function if isinstance(value, FunctionRef) else None
