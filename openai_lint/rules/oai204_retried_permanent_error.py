"""A retry takes up errors that the same request will meet again: a wrong key, a malformed request.

## Why it matters

401, 403, 400, 404 and 422 do not pass by waiting. Retrying them turns a message that would have told what is wrong at
once into minutes of silence, and spends requests.

## Bad

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


@retry(
    retry=retry_if_exception_type(openai.OpenAIError),
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

client = openai.OpenAI()


@retry(
    retry=retry_if_exception_type((openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)),
    wait=wait_random_exponential(min=1, max=60),
    stop=stop_after_attempt(6),
)
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## What counts

A policy without a predicate, or whose predicate names a base class (`Exception`, `OpenAIError`, `APIError` from 1.0 on)
or a permanent error itself. Where no predicate is written the finding is info. Silent where a function that cannot be
followed decides, and where the handler mends the request before it asks again. Where each attempt takes
another key or another model, what that may mend is left out.

## Fix

Unsafe: the predicate is narrowed to what may pass; a loop gets a clause that stops at what never does.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._backoff_help import narrow as advice
from openai_lint.rules._key_rotation import mended
from openai_lint.rules._narrowing import narrow
from openai_lint.rules._retries import Retry, certain, counted, hit, listed, retries, taken_up

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy that retries what never passes."""
    for retry in retries(project):
        names = _permanent(project, retry)
        if not names or retry.policy.repairs:
            continue
        what = "it can never succeed" if len(names) == 1 else "they can never succeed"
        message = f"{retry.subject} retries {listed(names)}{_times(project, retry, names)}: {what}"
        severity = None if retry.policy.retries.written else Severity.INFO
        yield hit(project, retry, message, advice(retry), names, severity, narrow(project, retry, names))


def _permanent(project: "Project", retry: Retry) -> tuple[str, ...]:
    found = {
        name
        for call, names in retry.errors.items()
        for name in names
        if name in call.release.permanent
        and certain(project, retry, call, name)
        and name not in mended(project, retry, call)
    }
    return tuple(name for name in retry.calls[0].release.permanent if name in found)


def _times(project: "Project", retry: Retry, names: tuple[str, ...]) -> str:
    used = [policy for policy in retry.variants if not set(names).isdisjoint(taken_up(project, retry, [policy]))]
    if used and not any(policy.bounded for policy in used):
        return " for ever"
    tried = {policy.attempts if policy.bounded else None for policy in used}
    number = tried.pop() if len(tried) == 1 else None
    return f" ({counted(number, 'attempt')})" if number else ""


RULE = Rule("OAI204", "retried-permanent-error", Severity.WARNING, check, fix=Applicability.UNSAFE)
