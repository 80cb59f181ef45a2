"""A retry of one's own multiplies the retries that the SDK makes inside each attempt.

## Why it matters

From 1.0 on each call of the SDK makes up to three requests before it raises. Six attempts around it are eighteen
requests: the limit that was met is met eighteen times, and the longest time until the user hears of it is multiplied as
well. One of the two should retry, not both.

## Bad

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

## Good

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

client = openai.OpenAI(max_retries=0)


@retry(
    retry=retry_if_exception_type(openai.RateLimitError),
    wait=wait_random_exponential(min=1, max=60),
    stop=stop_after_attempt(6),
)
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## What counts

Policies around calls from 1.0 on, on clients that retry (two retries are the default), for errors that both retry. A
policy without a bound is OAI205 and nothing here.

## Fix

Unsafe: `max_retries=0` on the client.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.link.project import ApiCall
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._policy_edits import without_sdk_retries
from openai_lint.rules._retries import Retry, certain, counted, hit, retries, sdk_requests

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each bounded policy around calls that the SDK retries too."""
    for retry in retries(project):
        if any(not policy.bounded for policy in retry.variants) or not any(
            certain(project, retry, call, name)
            for call, names in retry.errors.items()
            for name in names & set(retry.transient)
        ):
            continue
        doubled = [
            (requests, call) for call in retry.calls if (requests := sdk_requests(call)) is not None and requests > 1
        ]
        if doubled:
            requests, call = max(doubled, key=lambda item: item[0])
            rewrite = without_sdk_retries(project, retry, call)
            yield hit(project, retry, _message(retry, requests), _help(call), retry.transient, rewrite=rewrite)


def _message(retry: Retry, requests: int) -> str:
    attempts = retry.policy.attempts
    inside = f"{counted(requests, 'request')} of the SDK"
    if attempts is None:
        return f"{retry.subject} multiplies the SDK's own: each of its attempts is up to {inside}"
    return f"{counted(attempts, 'attempt')} x {inside} = {attempts * requests} requests"


def _help(call: ApiCall) -> str:
    client = call.client
    name = client.name if client is not None and client.known_by == "constructor" else "OpenAI"
    if client is not None and client.known_by == "module":
        return "Leave the retries to one of the two: openai.max_retries = 0"
    return (
        f"Leave the retries to one of the two: {name}(max_retries=0), or no retry of your own and {name}(max_retries=5)"
    )


RULE = Rule("OAI207", "multiplied-retries", Severity.INFO, check, fix=Applicability.UNSAFE)
