"""A coroutine, task or future is made inside a `try`, and asked for its result outside of it.

## Why it matters

Calling an asynchronous method sends nothing and raises nothing: the request goes out, and fails, at the `await`. A
handler around the call alone is never reached. The same is true of what is handed to an executor and fails at
`result()`.

## Bad

```py
import asyncio

import openai

client = openai.AsyncOpenAI()


async def main():
    try:
        pending = client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?")
    except openai.OpenAIError as error:
        raise SystemExit(f"no answer: {error}")
    answer = await pending
    print(answer.output_text)


asyncio.run(main())
```

## Good

```py
import asyncio

import openai

client = openai.AsyncOpenAI()


async def main():
    pending = client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?")
    try:
        answer = await pending
    except openai.OpenAIError as error:
        raise SystemExit(f"no answer: {error}")
    print(answer.output_text)


asyncio.run(main())
```

## What counts

The call stands in the body of a `try` with a clause for one of the errors that escape, and its result is asked for in
a place that this `try` does not protect: behind it, in another function, in a caller that gets the coroutine back.

## Fix

Unsafe: the `await` is moved into the `try`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Await, Expr, Handler, Stmt
from openai_lint.rewrites import MoveIntoTry, Rewrite
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._handling import Escape, awaited_outside, ending, escapes, line_of, place

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call that is made inside a fitting try and awaited outside of it."""
    for escape in escapes(project):
        found = awaited_outside(project, escape)
        if found is None:
            continue
        call = escape.call
        node, handler, awaited = found
        here = place(project, call)
        at = project.place(escape.steps[0].module, awaited.span)
        clause = project.place(call.module, handler.header)
        start = line_of(project.place(call.module, node.span), here)
        verb = "awaited" if isinstance(awaited, Await) else "asked for its result"
        yield Hit(
            here,
            f"`{call.site.path}` is called in the try of {start} and {verb} outside of it, in {line_of(at, here)}: the "
            f"`except` of {line_of(clause, here)} never sees its errors, and {ending(project, escape)}",
            f"Move what stands in {line_of(at, here)} into the try, or the try around it.",
            escape.names,
            call.release.version,
            call.site.path,
            (Related(at, f"{verb} here"), Related(clause, "this clause is never reached")),
            rewrite=_rewrite(escape, handler, awaited),
        )


def _rewrite(escape: Escape, handler: Handler, awaited: Expr | Stmt) -> Rewrite | None:
    """What asks for the result moves into the try, where it follows it in the same function."""
    call, step = escape.call, escape.steps[0]
    if step.module is not call.module or step.function is not call.site.function:
        return None
    return Rewrite(call.module.path, "move the await into the try", (MoveIntoTry(handler.header, awaited.span),))


RULE = Rule("OAI106", "await-outside-try", Severity.ERROR, check, fix=Applicability.UNSAFE)
