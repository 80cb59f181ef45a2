"""The creation of a stream is protected, but its iteration is not, and most of what can break is still to come then.

## Why it matters

With `stream=True` the call returns as soon as the first bytes arrive. The answer comes while the loop runs, and so do
its failures: the connection drops, the server stops sending, an error event arrives in the middle. None of that passes
through the `try` around the call. The SDK does not repeat a stream that has begun.

## Bad

```py
import openai

client = openai.OpenAI()

try:
    stream = client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "Tell me a story"}], stream=True
    )
except openai.OpenAIError as error:
    raise SystemExit(f"no story: {error}")
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="")
```

## Good

```py
import openai

client = openai.OpenAI()

try:
    stream = client.chat.completions.create(
        model="gpt-4.1-mini", messages=[{"role": "user", "content": "Tell me a story"}], stream=True
    )
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="")
except openai.OpenAIError as error:
    raise SystemExit(f"the story breaks off: {error}")
```

## What counts

The iteration must be seen: a loop here, in the function that the stream is returned to, or a framework's streaming
response. Iterating a list page by page counts as well. Where the creation is not protected either, OAI101 or its
siblings say so, and where a handler for the SDK's errors stands around the loop and only the transport's own errors
pass it, OAI109 does.

## Fix

Unsafe: the loop is moved into the `try`.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from openai_lint.escapes import Leak
from openai_lint.facts import Class, Expr, For, Function, Handler, Name, Stmt, Try, children
from openai_lint.link.blocks import assigned, below, inside, leaves
from openai_lint.link.index import ModuleInfo
from openai_lint.link.record import Step
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Deferred, Site
from openai_lint.rewrites import MoveIntoTry, Rewrite
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._handling import Escape, body_span, ending, escapes, line_of, listed, place, try_of, within
from openai_lint.rules._suggest import handling, permanent, transient

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call whose creation is handled while errors of its iteration escape."""
    for escape in escapes(project):
        call = escape.call
        if escape.names or not call.handled_by or not any(_of_sdk(leak) for leak in escape.iterating):
            continue
        step = _iteration(project, escape)
        handlers = _handlers(project, escape)
        if step is None or any(_inside(step, handler, project, call.site) for handler in handlers):
            continue
        here, at = place(project, call), project.place(step.module, step.node.span)
        first = min(handlers, key=lambda handler: handler.span) if handlers else None
        clause = line_of(project.place(project.record.handlers[first].module, first.header), here) if first else None
        guard = f" by the `except` of {clause}" if clause else ""
        what = "pages are" if call.kind == "page" else "stream is"
        yield Hit(
            here,
            f"`{call.site.path}` is protected{guard}, but its {what} read outside of that, in {line_of(at, here)} "
            f"({listed(_raised(escape))}): {ending(project, escape)}",
            _help(escape, step, line_of(at, here), clause),
            _documented(escape),
            call.release.version,
            call.site.path,
            (Related(at, "read here"),),
            rewrite=_rewrite(project, escape, step, first),
        )


_MOST_MOVED = 6
"""Statements that may move into a try together."""


def _rewrite(project: "Project", escape: Escape, step: Step, first: Handler | None) -> Rewrite | None:
    """The loop at the end of the try, where it follows it; else in a try of its own."""
    call = escape.call
    if first is not None and step.function is call.site.function and step.module is call.module:
        trial = try_of(first, call.module)
        if (
            trial is not None
            and trial.span[2] < step.node.span[0]
            and project.record.handlers[first].module is call.module
            and _movable(project, step, trial)
        ):
            move = MoveIntoTry(first.header, step.node.span)
            return Rewrite(call.module.path, "move the loop into the try", (move,))
    types = [transient(step.module, call.release), permanent(step.module, call.release, streaming=True)]
    return handling(project, step.module, step.node, call.release, types).rewrite(project)


def _movable(project: "Project", step: Step, trial: Try) -> bool:
    """Whether a loop can move into a try that stands before it in the same block, with what stands between.

    Where a clause goes on to what follows, that may need no name that would be bound in the try.
    """
    tree = tree_of(project, step.module)
    outer = tree.parent(trial)
    chain = (step.node, *(parent for parent, _ in tree.above(step.node)))
    loop = next((node for node in chain if isinstance(node, Stmt) and tree.parent(node) is outer), None)
    if loop is None or trial.orelse or trial.finalbody:
        return False
    block = children(outer) if outer is not None else step.module.facts.body
    moved = tuple(node for node in block if isinstance(node, Stmt) and trial.span < node.span <= loop.span)
    if len(moved) > _MOST_MOVED or any(isinstance(node, (Function, Class)) for node in moved):
        return False
    if all(leaves(handler.body) for handler in trial.handlers):
        return True
    names = assigned(moved)
    names |= {name.id for one in inside(moved) if isinstance(one, For) for name in _names(one.target)}
    around = step.function.span if step.function is not None else None
    return not any(
        name.id in names and name.span[:2] > loop.span[2:] and (around is None or within(name.span, around))
        for name in tree.of(Name)
    )


def _names(target: Expr) -> Iterator[Name]:
    return (node for node in (target, *below(target)) if isinstance(node, Name))


def _help(escape: Escape, step: Step, loop: str, clause: str | None) -> str:
    call = escape.call
    if clause is not None and step.function is call.site.function and step.module is call.module:
        advice = f"Move the loop of {loop} into the try in front of the clause of {clause}."
    else:
        advice = f"Put a try of its own around the loop in {loop}, or read the stream where it is made."
    if call.release.stream_wraps(call.method):
        return advice
    asynchronous = call.method is not None and call.method.coroutine
    raw = call.release.transport_errors_when_streaming(asynchronous, call.method)
    libraries = sorted({error.dotted.partition(".")[0] for error in raw})
    return (
        f"{advice}\nIn this release a broken stream raises errors of {' and '.join(libraries)}: catch them there too."
    )


def _documented(escape: Escape) -> tuple[str, ...]:
    """The documented errors that leave the iteration, or whose place the transport's errors take."""
    release, method = escape.call.release, escape.call.method
    instead = {
        error.dotted: error.instead_of
        for asynchronous in (False, True)
        for error in release.transport_errors_when_streaming(asynchronous, method)
    }
    found = {instead.get(leak.error, leak.error) for leak in escape.iterating}
    return tuple(name for name in release.documented if name in found)


def _raised(escape: Escape) -> tuple[str, ...]:
    release = escape.call.release
    found = {leak.error for leak in escape.iterating}
    return tuple(name for name in release.inventory_errors if name in found) or tuple(sorted(found))


def _iteration(project: "Project", escape: Escape) -> Step | None:
    """The place where the result is iterated: where an error leaves that only the iteration raises, else a loop."""
    call = escape.call
    created = call.release.creation_errors(call.method) if call.method is not None else ()
    only_there = {leak.error for leak in escape.iterating}.difference(created)
    steps = {
        where: step
        for (where, site, error), step in project.record.steps.items()
        if site is call.site and error in only_there and step.node is not call.site.node
    }
    found = [step for step in steps.values() if not _goes_on(project, step, steps)] or list(steps.values())
    found = found or list(_loops(project, call.site))
    return min(found, key=lambda step: (step.module is not call.module, step.node.span), default=None)


def _goes_on(project: "Project", step: Step, steps: Collection[Function | ModuleInfo]) -> bool:
    """Whether an error that leaves a step comes out of a function called there, which is among those with steps."""
    where: Function | ModuleInfo = step.function or step.module
    for callee in project.callees.get(where, ()):
        at, _ = project.record.callers[callee][where]
        if callee in steps and at is not None and within(at.span, step.node.span):
            return True
    return False


def _loops(project: "Project", site: Site) -> Iterator[Step]:
    """The loops over what a call gives."""
    engine = project.engine
    for module in project.modules:
        for scope in (module.scope, *module.scopes.values()):
            frame = engine.generic_frame(scope)
            for node in inside(scope.node.body):
                if isinstance(node, For):
                    for value in engine.evaluator.value(node.iterable, frame):
                        if isinstance(value, Deferred) and getattr(value.source, "site", None) is site:
                            yield Step(module, scope.function, node.iterable)


def _handlers(project: "Project", escape: Escape) -> list[Handler]:
    site = escape.call.site
    return [
        use.handler
        for use in project.handlers()
        if any(leak.site is site and not leak.iterating for leak in use.absorbed)
    ]


def _inside(step: Step, handler: Handler, project: "Project", site: Site) -> bool:
    """Whether the iteration runs in the very try that the handler belongs to: it stands there, or is called there."""
    use = project.record.handlers[handler]
    node = try_of(handler, use.module)
    if node is None:
        return False
    beside = [project.record.handlers[other] for other in node.handlers if other in project.record.handlers]
    if any(leak.iterating and leak.site == site for other in beside for leak in other.caught):
        return True
    return use.module is step.module and within(step.node.span, body_span(node))


def _of_sdk(leak: Leak) -> bool:
    """Whether an error is the SDK's own: those of the transport alone are OAI109's matter."""
    return "." not in leak.error


RULE = Rule("OAI105", "stream-outside-try", Severity.ERROR, check, fix=Applicability.UNSAFE)
