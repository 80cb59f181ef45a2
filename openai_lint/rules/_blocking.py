"""Which requests hold up an event loop: made by a synchronous client or library while an ``async def`` runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function
from openai_lint.link import ApiCall, library
from openai_lint.link.callers import Use, callers_of
from openai_lint.link.http import HttpRequest, requests
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import Tree, tree_of
from openai_lint.link.values import Bound, External, Partial, Resource, Retried
from openai_lint.rules._course import never, surely

if TYPE_CHECKING:
    from openai_lint.link import Project

_DEEPEST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Blocked:
    """A request that blocks: where it goes out, and which ``async def`` comes to it by which calls (nearest first)."""

    node: Expr
    module: ModuleInfo
    call: ApiCall | HttpRequest
    steps: tuple[Use, ...]
    function: Function


def blocked(project: "Project") -> Iterator[Blocked]:
    """Every request that blocks, each once."""
    for call in project.calls:
        if _is_synchronous(call):
            for invocation in call.invocations:
                if _is_direct(project, invocation.module, invocation.node):
                    found = _reached(project, call, invocation.node, invocation.module)
                    if found is not None:
                        yield found
                        break
    for request in requests(project):
        tree = tree_of(project, request.module)
        if not request.asynchronous and request.known and not _is_awaited(tree, request.node):
            found = _reached(project, request, request.node, request.module)
            if found is not None:
                yield found


def _is_synchronous(call: ApiCall) -> bool:
    if call.method is None:
        return False
    if call.site.era == 0:
        return not call.method.coroutine
    return bool(call.clients) and all(client.asynchronous is False for client in call.clients)


def _is_direct(project: "Project", module: ModuleInfo, node: Expr) -> bool:
    """Whether the method is called right there, rather than handed to something that runs it elsewhere."""
    if not isinstance(node, Call):
        return False
    tree = tree_of(project, module)
    if node not in tree or _is_awaited(tree, node):
        return False
    for value in project.engine.evaluator.value(node.func, tree.frame(node)):
        target: object = value
        while isinstance(target, Bound | Partial | Retried):
            target = target.function
        if isinstance(target, Resource):
            return True
    return False


def _reached(project: "Project", call: ApiCall | HttpRequest, node: Expr, module: ModuleInfo) -> Blocked | None:
    """The nearest ``async def`` that comes to a request through synchronous functions only.

    What making an object does depends on what the object is given, and is off more often than not: a way that leads
    through it counts where it makes the request whatever it is given.
    """
    queue: list[tuple[Expr, ModuleInfo, tuple[Use, ...], bool]] = [(node, module, (), True)]
    seen: set[tuple[Function, bool]] = set()
    while queue:
        current, where, steps, sure = queue.pop(0)
        tree = tree_of(project, where)
        runner = tree.runner(current)
        if runner is None or _runs_elsewhere(runner) or never(tree, current):
            continue
        sure = sure and surely(tree, current)
        if (runner, sure) in seen or (runner, True) in seen:
            continue
        seen.add((runner, sure))
        if runner.is_async:
            return Blocked(node, module, call, steps, runner)
        if len(steps) >= _DEEPEST or runner.name == "<lambda>":
            continue
        uses = callers_of(project).of(runner, where, search=isinstance(call, HttpRequest))
        queue += [
            (use.call, use.module, (*steps, use), sure)
            for use in uses
            if use.call is not None
            and (sure or not use.makes)
            and (where.is_test or not use.module.is_test)
            and _blocks(project, use, runner)
        ]
    return None


def _runs_elsewhere(function: Function) -> bool:
    """Whether a decorator says that the function runs in a thread or process of its own."""
    words = (
        "thread",
        "sync_to_async",
        "asyncify",
        "executor",
        "background",
        "run_sync",
        "to_async",
        "task",
        "blocking",
    )
    return any(word in library.dotted(item).lower() for item in function.decorators for word in words)


def _blocks(project: "Project", use: Use, function: Function) -> bool:
    """Whether a call of a synchronous function runs it there and then."""
    tree = tree_of(project, use.module)
    if use.call is None or _is_awaited(tree, use.call):
        return False
    if not function.is_generator:
        return True
    parent = tree.parent(use.call)
    if isinstance(parent, facts.For | facts.Clause):
        return parent.iterable is use.call and not parent.is_async
    if isinstance(parent, facts.Arg) and isinstance(call := tree.parent(parent), Call):
        values = project.engine.evaluator.value(call.func, tree.frame(call))
        return any(isinstance(value, External) and value.path in library.CONSUMERS for value in values)
    return isinstance(parent, facts.Yield) and parent.delegate


def _is_awaited(tree: Tree, node: Expr) -> bool:
    """Whether the result is awaited: then something made a coroutine of it."""
    parent = tree.parent(node)
    while isinstance(parent, facts.IfExp | facts.BoolOp | facts.NamedExpr):
        node, parent = parent, tree.parent(parent)
    return isinstance(parent, facts.Await)
