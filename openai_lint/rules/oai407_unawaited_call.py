"""An asynchronous call whose coroutine nobody awaits: the request never goes out.

## Why it matters

Calling a method of `AsyncOpenAI` only makes a coroutine. Without `await` nothing is sent, nothing fails, and Python
says no more than `RuntimeWarning: coroutine ... was never awaited`. Where the result is used as if it were the answer,
the program stops with an `AttributeError` or a `TypeError` instead.

## Bad

```py
from openai import AsyncOpenAI

client = AsyncOpenAI()

async def ask():
    response = client.responses.create(model="gpt-5", input="hi")
    return response.output_text
```

## Good

```py
from openai import AsyncOpenAI

client = AsyncOpenAI()

async def ask():
    response = await client.responses.create(model="gpt-5", input="hi")
    return response.output_text
```

## What counts

The client is known to be asynchronous (in 0.x the method begins with `a`), and the coroutine is dropped at once, kept
in a local name that nobody awaits or hands on, or used as an answer: an attribute, a subscript, a loop or a `with`. A
coroutine that is returned, passed to a function or put in a collection may be awaited there. Pages and
`with_streaming_response` are no coroutines.

## Fix

Unsafe: `await` before the call, in an `async def`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Assign, ExprStmt, For, Return
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import Replace, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._unawaited import unawaited_calls
from openai_lint.rules._versions import source

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call."""
    for call in unawaited_calls(project):
        place = project.place(call.module, call.site.node.span)
        message = f"nobody awaits the coroutine of {call.site.path}: no request goes out"
        yield Hit(
            place,
            message,
            _help(call),
            sdk=call.release.version,
            call=call.site.path,
            rewrite=_rewrite(project, call),
        )


def _rewrite(project: "Project", call: "ApiCall") -> Rewrite | None:
    """The ``await``, where a coroutine function runs the call."""
    module, node = call.module, call.site.node
    tree = tree_of(project, module)
    runner = tree.runner(node)
    if runner is None or not runner.is_async:
        return None
    text = f"await {source(module, node.span)}"
    parent = tree.parent(node)
    if not isinstance(parent, (ExprStmt, Assign, Return, For)):
        text = f"({text})"
    return Rewrite(module.path, "await the call", (Replace(node.span, text),))


def _help(call: "ApiCall") -> str:
    written = source(call.module, call.site.node.func.span) if hasattr(call.site.node, "func") else call.site.path
    if call.site.function is not None and not call.site.function.is_async:
        synchronous = "a method without the leading a" if call.release.major == 0 else "OpenAI instead of AsyncOpenAI"
        return f"Make {call.site.function.name} an async def and write: await {written}(...)\nor use {synchronous}."
    return f"await {written}(...)"


RULE = Rule("OAI407", "unawaited-call", Severity.ERROR, check, fix=Applicability.UNSAFE)
