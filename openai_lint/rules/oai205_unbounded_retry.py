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

from openai_lint.link.policy import Policy
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._backoff_help import stop
from openai_lint.rules._http_retries import loops
from openai_lint.rules._policy_edits import end
from openai_lint.rules._retries import hit, retries, seconds, taken_up

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy that never gives up."""
    for retry in retries(project):
        endless = [policy for policy in retry.variants if not policy.bounded]
        names = taken_up(project, retry, endless)
        if not names and any(policy.by != "loop" or not policy.retries.has("vague") for policy in endless):
            names = retry.names
        if names:
            message = f"{retry.subject} never gives up: {_says(endless[0], names)}"
            rewrite = end(project, endless[0])
            yield hit(project, retry, message, stop(retry), names, rewrite=rewrite, policy=endless[0])
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


def _says(policy: Policy, names: tuple[str, ...]) -> str:
    what = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
    if policy.wait == "none":
        return f"while the API answers with {what}, it asks again without a pause"
    wait = f" every {seconds(policy.seconds)}" if policy.wait == "fixed" and policy.seconds else ""
    return f"while the API answers with {what}, it asks again{wait} for ever"


RULE = Rule("OAI205", "unbounded-retry", Severity.ERROR, check, fix=Applicability.UNSAFE)
