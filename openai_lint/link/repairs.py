"""Whether a retry asks for something else than before: a request that is mended, another model, another service."""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Expr, Handler
from openai_lint.link import library
from openai_lint.link.blocks import QUIET, assigned, inside
from openai_lint.link.itself import calls
from openai_lint.link.sums import names
from openai_lint.link.values import Frame, constants

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

MUTATORS = frozenset(
    {"pop", "append", "remove", "clear", "insert", "extend", "update", "popleft", "discard", "add", "rotate"}
)
"""Methods that change the object they are called on."""


def repairs(trial: facts.Try, handler: Handler, after: facts.Block, ahead: facts.Block = ()) -> bool:
    """Whether the request is mended before it goes out again: a name that its call is given is changed in between.

    What stands ``ahead`` of the try may make it anew of what was changed.
    """
    given: set[str] = set()
    for node in inside(trial.body):
        if isinstance(node, facts.Call) and library.written(node.func) not in QUIET:
            given |= {name for arg in node.args for name in names(arg.value)}
    changed = assigned(handler.body) | assigned(after) | _mutated(handler.body)
    for node in inside(ahead):
        if isinstance(node, facts.Assign) and node.value is not None and not changed.isdisjoint(names(node.value)):
            changed |= {target.id for target in node.targets if isinstance(target, facts.Name)}
    return not given.isdisjoint(changed)


def _mutated(body: facts.Block) -> set[str]:
    """Names whose objects a block changes: ``messages.pop()``, ``kwargs["model"] = ...``, ``del messages[0]``."""
    found: set[str] = set()
    for node in inside(body):
        targets: tuple[Expr, ...] = ()
        if isinstance(node, facts.Call) and isinstance(node.func, facts.Attr) and node.func.attr in MUTATORS:
            targets = (node.func.value,)
        elif isinstance(node, facts.Delete):
            targets = node.targets
        elif isinstance(node, facts.Assign):
            targets = tuple(target for target in node.targets if isinstance(target, (facts.Subscript, facts.Attr)))
        for target in targets:
            root: Expr = target
            while isinstance(root, (facts.Subscript, facts.Attr)):
                root = root.value
            if isinstance(root, facts.Name):
                found.add(root.id)
    return found


def asks_else(engine: "Engine", frame: Frame, function: facts.Function, trial: facts.Try, node: facts.Call) -> bool:
    """Whether a call of a function by itself asks for something else than the run that makes it."""
    passed = {param.name for param in function.params} & _request_names(trial) & _given_anew(node)
    return bool(passed) or _elsewhere(engine, frame, function, node)


def _request_names(trial: facts.Try) -> set[str]:
    return {
        name
        for node in inside(trial.body)
        if isinstance(node, facts.Call) and library.written(node.func) not in QUIET
        for arg in node.args
        for name in names(arg.value)
    }


def _given_anew(node: facts.Call) -> set[str]:
    """Parameters that a call of itself is given something else for: ``ask(prompt[:-100])``."""
    return {
        name for arg in node.args if not isinstance(arg.value, (facts.Name, facts.Const)) for name in names(arg.value)
    }


def _elsewhere(engine: "Engine", frame: Frame, function: facts.Function, node: facts.Call) -> bool:
    """Whether a call of itself is given another text or name for a parameter: ``ask(prompt, model="gpt-4.1-mini")``.

    Numbers and flags only count.
    """
    offset = calls(engine, node, frame, function) or 0
    params = [param.name for param in function.params][offset:]
    for position, arg in enumerate(node.args):
        name = arg.keyword or (params[position] if position < len(params) and not arg.star else None)
        if name not in params:
            continue
        match arg.value:
            case facts.Const(value=str()):
                return True
            case facts.Attr() as constant if library.dotted(constant).partition(".")[0] not in ("self", "cls", *params):
                values = engine.evaluator.value(constant, frame)
                if not any(isinstance(item, (int, float)) for item in constants(values)):
                    return True
            case _:
                pass
    return False
