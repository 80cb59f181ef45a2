"""The waits of a retry grow, but have nothing random in them.

## Why it matters

Workers that were refused together come back together: without something random in the wait they meet the same limit at
the same moment again, each time.

## Bad

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

client = openai.OpenAI()


@retry(
    retry=retry_if_exception_type(openai.RateLimitError),
    wait=wait_exponential(min=1, max=60),
    stop=stop_after_attempt(6),
)
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

Policies whose waits grow. Where the wait is the same each time OAI212 speaks, and where it follows `Retry-After` the
server spreads the clients itself.

## Fix

Unsafe: a random exponential wait.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._backoff_help import random
from openai_lint.rules._policy_edits import randomize
from openai_lint.rules._retries import hit, retries

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy whose waits grow in step with everybody's."""
    for retry in retries(project):
        plain = all(policy.wait == "growing" and not policy.jitter and not policy.follows for policy in retry.variants)
        if plain and retry.transient:
            message = f"{retry.subject} waits longer each time, but with nothing random in it"
            yield hit(project, retry, message, random(retry), retry.transient, rewrite=randomize(project, retry.policy))


RULE = Rule("OAI211", "backoff-without-jitter", Severity.INFO, check, default=False, fix=Applicability.UNSAFE)
