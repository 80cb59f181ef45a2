"""An explicit retry gives up, or does not retry this error at all, and what it lets out is handled by nobody.

## Why it matters

A retry makes failures rare, not impossible. When the last attempt has failed the error leaves after all, often in
another dress: tenacity raises its own `RetryError` unless it is told `reraise=True`, so that a caller's `except
RateLimitError` passes by. Whether the program should have an answer to that is for the program to say; so the rule is
off by default.

## Bad

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


@retry(
    retry=retry_if_exception_type(openai.RateLimitError),
    wait=wait_random_exponential(max=60),
    stop=stop_after_attempt(6),
)
def answer(question):
    return client.responses.create(model="gpt-4.1-mini", input=question).output_text


print(answer("Why is the sky blue?"))
```

## Good

```py
import sys

import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


@retry(
    retry=retry_if_exception_type(openai.RateLimitError),
    wait=wait_random_exponential(max=60),
    stop=stop_after_attempt(6),
    reraise=True,
)
def answer(question):
    return client.responses.create(model="gpt-4.1-mini", input=question).output_text


try:
    print(answer("Why is the sky blue?"))
except openai.APIError as error:
    sys.exit(f"no answer, even after six attempts: {error}")
```

## What counts

Every documented error that leaves a call through a retry library, a hand-written loop, a decorator of the project, a
retrying caller, or a written `max_retries` above two; also the permanent ones that the retry rightly does not repeat.
The SDK's own default retries are no such retry: calls that lean on them alone are judged by OAI101 to OAI103.

## Fix

Unsafe: the call of the retried function is wrapped in a `try` with what leaves it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint.facts import Call
from openai_lint.rewrites import Rewrite, SetKeywords
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._handling import Escape, ending, escapes, listed, path, place
from openai_lint.rules._suggest import after_retries

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.policy import Policy


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call under a retry that lets a documented error out."""
    for escape in escapes(project):
        call = escape.call
        release = call.release
        triggers = release.triggers_transient | release.triggers_permanent
        if not escape.retried or triggers.isdisjoint(escape.names):
            continue
        own = call.policy if call.policy is not None and call.policy.by != "sdk" else None
        policy = () if own is None else (Related(project.place(own.module, _head(own)), "the retry"),)
        wrapper = escape.wrapper
        advice, rewrite = _mended(project, escape, own)
        form = f" as {wrapper.rpartition('.')[2]}" if wrapper is not None else ""
        yield Hit(
            place(project, call),
            f"{_by(own, escape)} `{call.site.path}`, and what it lets out{form} is not handled "
            f"({listed(escape.names, 4)}): {ending(project, escape)}",
            advice,
            escape.names,
            release.version,
            call.site.path,
            (*policy, *path(project, escape)),
            rewrite=rewrite,
        )


def _mended(project: "Project", escape: Escape, policy: "Policy | None") -> tuple[str, Rewrite | None]:
    """The advice, and the edit where the retry stands in the file of what calls it."""
    advice, found = after_retries(project, escape)
    rewrite = found.rewrite(project)
    if rewrite is None or escape.wrapper != "tenacity.RetryError":
        return advice, rewrite
    if policy is None or policy.module is not found.module or not isinstance(policy.node, Call):
        return advice, None
    return advice, replace(rewrite, steps=(*rewrite.steps, SetKeywords(policy.node.span, (("reraise", "True"),))))


def _by(policy: "Policy | None", escape: Escape) -> str:
    client = escape.call.client
    if policy is None:
        most = client.max_retries if client is not None else None
        return f"the SDK repeats up to {most} times" if isinstance(most, int) else "a retry on the way repeats"
    who = "a loop" if policy.by == "loop" else policy.by
    return f"{who} repeats" if policy.attempts is None else f"{who} makes {policy.attempts} attempts at"


def _head(policy: "Policy") -> tuple[int, int, int, int]:
    """The first line of the policy: a loop is long."""
    line, column, last, end = policy.node.span
    return (line, column, last, end) if line == last else (line, column, line, column + 1)


RULE = Rule("OAI104", "unhandled-after-retries", Severity.WARNING, check, default=False, fix=Applicability.UNSAFE)
