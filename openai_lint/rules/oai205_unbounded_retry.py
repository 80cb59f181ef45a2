"""A retry has no stop and no limit.

## Why it matters

A revoked key, a spent quota or an outage does not end within the patience of anybody. A policy without a bound hangs
instead of failing: the user sees nothing, the worker is lost, and each request goes on being counted.

## Bad

```py
import openai
from tenacity import retry, retry_if_exception_type, wait_random_exponential

client = openai.OpenAI()


@retry(retry=retry_if_exception_type(openai.RateLimitError), wait=wait_random_exponential(min=1, max=60))
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## Good

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


@retry(
    retry=retry_if_exception_type(openai.RateLimitError),
    wait=wait_random_exponential(min=1, max=60),
    stop=stop_after_attempt(6),
)
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## What counts

What the libraries do when nothing is said: tenacity, backoff, retrying, retry and retry2 never stop, stamina does.
Loops without a counter, a deadline or another way out, and recursion that counts nothing. It silences OAI207.

## Fix

Unsafe: a stop is added; a `while True` counts six attempts, and lets the error of the last one out.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._backoff_help import stop
from openai_lint.rules._http_retries import loops
from openai_lint.rules._policy_edits import end
from openai_lint.rules._retries import Retry, hit, retries, seconds

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy that never gives up."""
    for retry in retries(project):
        if any(not policy.bounded for policy in retry.variants):
            message = f"{retry.subject} never gives up: {_says(retry)}"
            yield hit(project, retry, message, stop(retry), retry.names, rewrite=end(project, retry.policy))
    for found in loops(project):
        if not found.policy.bounded:
            message = f"this retry of `{found.request.call}` never gives up"
            yield Hit(
                found.place(project),
                message,
                found.stop(),
                call=found.request.call,
                related=found.related(project),
                rewrite=end(project, found.policy),
            )


def _says(retry: Retry) -> str:
    names = retry.names
    what = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    policy = retry.policy
    if policy.wait == "none":
        return f"while the API answers with {what}, it asks again without a pause"
    wait = f" every {seconds(policy.seconds)}" if policy.wait == "fixed" and policy.seconds else ""
    return f"while the API answers with {what}, it asks again{wait} for ever"


RULE = Rule("OAI205", "unbounded-retry", Severity.ERROR, check, fix=Applicability.UNSAFE)
