"""An asynchronous retry waits with `time.sleep`, which stops every other task as well.

## Why it matters

`time.sleep` holds the event loop: while one request waits for a limit to pass, no other one is sent, answered or timed
out, and a server does not answer anybody.

## Bad

```py
import time

import openai

client = openai.AsyncOpenAI()


async def ask(question):
    for attempt in range(5):
        try:
            return await client.responses.create(model="gpt-4.1-mini", input=question)
        except openai.RateLimitError:
            time.sleep(2**attempt)
```

## Good

```py
import asyncio

import openai

client = openai.AsyncOpenAI()


async def ask(question):
    for attempt in range(5):
        try:
            return await client.responses.create(model="gpt-4.1-mini", input=question)
        except openai.RateLimitError:
            await asyncio.sleep(2**attempt)
```

## What counts

`time.sleep` in a retry loop or recursion inside `async def`, also of raw HTTP to an OpenAI host, and through a plain
function of the project that sleeps. Loops that wait for a state are not retries.

## Fix

Safe: `await asyncio.sleep(...)`.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Call, Expr, Handler, Stmt
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.index import ModuleInfo
from openai_lint.link.predicates import body_of
from openai_lint.link.tree import tree_of
from openai_lint.link.values import External
from openai_lint.rewrites import Need, Replace, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._http_retries import loops
from openai_lint.rules._retries import retries
from openai_lint.rules._suggest import bound, shadowed, text_of

if TYPE_CHECKING:
    from openai_lint.link import Project

BLOCKING = "time.sleep"


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each sleep that holds the event loop."""
    told: set[Expr] = set()
    places = [(retry.policy.module, retry.policy.node, retry.calls[0].site.path) for retry in retries(project)]
    places += [(found.policy.module, found.policy.node, found.request.call) for found in loops(project)]
    for module, node, what in places:
        function = tree_of(project, module).runner(node)
        if function is None or not function.is_async:
            continue
        for sleep in _sleeps(project, module, _body(project, module, node)):
            if sleep not in told:
                told.add(sleep)
                yield _hit(project, module, sleep, what)


def _body(project: "Project", module: ModuleInfo, node: Expr | Stmt) -> Iterator[Any]:
    """What runs between two attempts: the loop, or the handler that calls the function again."""
    if isinstance(node, (facts.For, facts.While)):
        return inside(node.body)
    handler = next((one for one, _ in tree_of(project, module).above(node) if isinstance(one, Handler)), None)
    return inside(handler.body) if handler is not None else iter(())


def _sleeps(project: "Project", module: ModuleInfo, nodes: Iterable[Any]) -> Iterator[Call]:
    tree = tree_of(project, module)
    for node in nodes:
        if not isinstance(node, Call) or node in module.awaited:
            continue
        for value in project.engine.evaluator.value(node.func, tree.frame(node)):
            if isinstance(value, External) and value.path == BLOCKING:
                yield node
            function = body_of(value)
            if function is not None and not function.is_async and _blocks(function):
                yield node


def _blocks(function: facts.Function) -> bool:
    """Whether a plain function does little more than to sleep."""
    if len(function.body) > 6:
        return False
    calls = [node for statement in function.body for node in (statement, *below(statement)) if isinstance(node, Call)]
    return any(library.dotted(call.func) == BLOCKING for call in calls)


def _hit(project: "Project", module: ModuleInfo, sleep: Call, what: str) -> Hit:
    written = text_of(module, sleep.span)
    direct = library.written(sleep.func) == "sleep"
    given = text_of(module, sleep.args[0].value.span) if direct and sleep.args else "..."
    verb = "holds" if direct else "sleeps with time.sleep, which holds"
    shown = written if len(written) < 60 else written[:50] + "..."
    return Hit(
        project.place(module, sleep.span),
        f"`{shown}` {verb} the event loop while `{what}` is to be retried",
        f"await asyncio.sleep({given})"
        if direct
        else "Make it a coroutine that awaits asyncio.sleep, and await it here.",
        call=what,
        rewrite=_rewrite(project, module, sleep) if direct and len(sleep.args) == 1 else None,
    )


def _rewrite(project: "Project", module: ModuleInfo, sleep: Call) -> Rewrite | None:
    if shadowed(project, module, sleep, ["asyncio"]):
        return None
    text = f"await asyncio.sleep({text_of(module, sleep.args[0].value.span)})"
    if not isinstance(tree_of(project, module).parent(sleep), facts.ExprStmt):
        text = f"({text})"
    needs = () if bound(module, "asyncio", sleep.span) else (Need("asyncio"),)
    return Rewrite(module.path, "await asyncio.sleep", (Replace(sleep.span, text),), needs, safe=True)


RULE = Rule("OAI209", "blocking-sleep", Severity.ERROR, check, fix=Applicability.SAFE)
