"""A retry that never retries, or whose own error goes past the handler that waits for the SDK's.

## Why it matters

The code looks protected and is not. tenacity, backoff, retrying and retry call a generator function once and are done
before its first item is asked for; retrying and retry do the same with `async def`. A function that catches everything
inside leaves nothing to retry. And tenacity raises its own RetryError after the last attempt, which `except
openai.RateLimitError` does not catch.

## Bad

```py
import openai
from tenacity import retry, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


@retry(wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6))
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)


try:
    print(ask("Why is the sky blue?"))
except openai.RateLimitError:
    print("too many requests")
```

## Good

```py
import openai
from tenacity import retry, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


@retry(wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6), reraise=True)
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)


try:
    print(ask("Why is the sky blue?"))
except openai.RateLimitError:
    print("too many requests")
```

## What counts

- A generator or async generator under tenacity, backoff, retrying or retry (stamina does retry generators).
- `async def` under retrying, retry or retry2.
- `@retry.retry` without parentheses: the function is taken for an option and never runs.
- A loop in a decorator of the project that hands out the coroutine or generator without running it.
- A plain function that only returns a coroutine: it fails where it is awaited, outside of the policy.
- A function that handles every documented error inside without raising anything.
- A RetryError that goes past a handler for the SDK's errors.

## Fix

Unsafe: `reraise=True` where that cures it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rewrites import Replace, Rewrite
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._ineffective import (
    BARE,
    COROUTINE,
    GENERATOR,
    RETURNS,
    Ineffective,
    PassedBy,
    passed_by,
    without_effect,
)
from openai_lint.rules._policy_edits import reraise
from openai_lint.rules._retries import place
from openai_lint.rules._suggest import text_of

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy without effect, and for each whose error passes by."""
    for found in without_effect(project):
        yield _without(project, found)
    for passing in passed_by(project):
        yield _passing(project, passing)


def _without(project: "Project", found: Ineffective) -> Hit:
    name, by = found.function.name, found.policy.by
    first = found.sites[0]
    who = "this retry loop" if by == "loop" else f"this {by} policy"
    message, help_text = {
        BARE: (
            f"`@{by}.retry` without parentheses takes `{name}` for an option: calling it runs nothing",
            "Call the decorator: @retry(tries=6, delay=1, backoff=2, max_delay=60, jitter=(0, 1))",
        ),
        GENERATOR: (
            f"{who} never retries `{name}`: a generator fails when it is iterated, after the policy is done",
            "Retry a plain function that makes the request and gives back the whole answer, and iterate over that.",
        ),
        COROUTINE: (
            f"{who} never retries `{name}`: {'it' if by == 'loop' else by} does not await coroutines",
            "Make the wrapper `async def`, and await the call."
            if by == "loop"
            else "Use a library that does (tenacity, backoff, stamina).",
        ),
        RETURNS: (
            f"{who} never retries `{name}`: it only returns a coroutine, which fails where it is awaited",
            f"Await inside: async def {name}(...): return await ...",
        ),
    }.get(
        found.why, (_swallows(project, found), f"Let the errors out of `{name}`, and handle them where it is called.")
    )
    related = tuple(
        Related(project.place(site.module, site.node.span), f"`{site.path}` is called once only")
        for site in found.sites[:3]
    )
    release = first.release
    return Hit(
        place(project, found.policy),
        message,
        help_text,
        tuple(release.transient),
        release.version,
        first.path,
        related,
        rewrite=_called(found) if found.why == BARE else None,
    )


def _called(found: Ineffective) -> Rewrite:
    """The decorator with brackets."""
    module, node = found.policy.module, found.policy.node
    text = f"{text_of(module, node.span)}(tries=6, delay=1, backoff=2, max_delay=60, jitter=(0, 1))"
    return Rewrite(module.path, "call the decorator", (Replace(node.span, text),))


def _swallows(project: "Project", found: Ineffective) -> str:
    line = project.place(found.policy.module, found.handler.header).span[0] if found.handler is not None else 0
    return (
        f"this {found.policy.by} policy never retries `{found.function.name}`:"
        f" the handler in line {line} swallows every error first"
    )


def _passing(project: "Project", found: PassedBy) -> Hit:
    written = text_of(found.module, found.handler.header).rstrip(": ")
    where = project.place(found.module, found.handler.header)
    error = found.policy.after.rpartition(".")[2]
    release = found.site.release
    help_text = f"Catch {error} as well."
    if found.policy.by == "tenacity":
        help_text = (
            f"Let the SDK's own error out: reraise=True. Or catch tenacity.RetryError in line {where.span[0]} as well."
        )
    elif found.policy.by == "retrying":
        help_text = "Let the SDK's own error out: leave out wrap_exception=True."
    return Hit(
        place(project, found.policy),
        f"after the last attempt this {found.policy.by} policy raises {error}, which goes past `{written}`",
        help_text,
        (found.error,),
        release.version,
        found.site.path,
        (Related(where, f"never sees the {found.error} that was retried"),),
        rewrite=reraise(project, found.policy),
    )


RULE = Rule("OAI208", "ineffective-retry", Severity.ERROR, check, fix=Applicability.UNSAFE)
