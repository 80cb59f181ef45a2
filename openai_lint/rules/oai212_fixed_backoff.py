"""A retry waits the same time before each attempt.

## Why it matters

A wait that suits a hiccup is too short for a limit that counts by the minute, and one that suits the limit is too long
for a hiccup. Waits that grow suit both, and what is random in them keeps many clients from coming back together.

## Bad

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

client = openai.OpenAI()


@retry(retry=retry_if_exception_type(openai.RateLimitError), wait=wait_fixed(5), stop=stop_after_attempt(6))
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

A fixed wait of a second or more, and a random one whose range does not grow. Shorter ones are OAI203. What follows
`Retry-After` is not fixed, and a policy of two attempts waits only once.

## Fix

Unsafe: a random exponential wait.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.link.policy import Policy
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._backoff_help import growing
from openai_lint.rules._policy_edits import grow
from openai_lint.rules._retries import SHORT, hit, retries, seconds, taken_up

if TYPE_CHECKING:
    from openai_lint.link import Project


MOST_ONCE = 2
"""A policy of so many attempts waits once: there is nothing that could grow."""


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy whose waits do not grow."""
    for retry in retries(project):
        flat = [policy for policy in retry.variants if _flat(policy)]
        if not flat or not retry.waited_for:
            continue
        names = retry.transient
        if len(flat) < len(retry.variants):
            names = retry.met(taken_up(project, retry, flat))
        if names:
            message = f"{retry.subject} {_waits(flat[0])}"
            rewrite = grow(project, flat[0])
            yield hit(project, retry, message, growing(retry), names, rewrite=rewrite, policy=flat[0])


def _flat(policy: Policy) -> bool:
    long_enough = policy.seconds is None or policy.seconds >= SHORT
    once = policy.attempts is not None and policy.attempts <= MOST_ONCE
    return policy.wait == "fixed" and long_enough and not policy.follows and not policy.second and not once


def _waits(policy: Policy) -> str:
    if policy.seconds is None:
        return "waits the same time before each attempt"
    return (
        f"waits {'at most ' if policy.jitter else ''}{seconds(policy.seconds)} each time, however often it is refused"
    )


RULE = Rule("OAI212", "fixed-backoff", Severity.INFO, check, fix=Applicability.UNSAFE)
