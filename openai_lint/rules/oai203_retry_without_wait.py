"""A retry asks again at once, or within a second.

## Why it matters

A limit counts requests in a time window. Asking again at once spends the attempts while nothing can have changed, makes
the limit worse for everybody who shares the key, and is what the guide warns of. Waits that grow, with something random
in them, let the limit pass.

## Bad

```py
import openai
from tenacity import retry, retry_if_exception_type, stop_after_attempt

client = openai.OpenAI()


@retry(retry=retry_if_exception_type(openai.RateLimitError), stop=stop_after_attempt(3))
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

Every policy that retries an error that may pass: of a library, a loop, a recursion, a decorator of the project. A fixed
wait of a second or more is OAI212. Silent where each attempt asks for something else (a shorter prompt), and where the
wait follows the answer (`Retry-After`). Reported once for each policy, however many calls it retries.

## Fix

Unsafe: a random exponential wait.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.link.policy import Policy
from openai_lint.link.retry_transports import CONNECTION
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._backoff_help import growing
from openai_lint.rules._http_retries import loops
from openai_lint.rules._policy_edits import grow
from openai_lint.rules._retries import SHORT, counted, hit, listed, retries, seconds, taken_up

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy that does not wait, or hardly."""
    for retry in retries(project):
        hasty = [policy for policy in retry.variants if _hurries(policy)]
        if not hasty or not retry.waited_for:
            continue
        names, after = retry.transient, ""
        if len(hasty) < len(retry.variants):  # others wait: say after what this one does not
            names = retry.met(taken_up(project, retry, hasty))
            after = f" after {listed(names)}" if names else ""
        if names:
            tried = {policy.attempts for policy in hasty}
            message = f"{retry.subject} {_waits(hasty[0], tried.pop() if len(tried) == 1 else None)}{after}"
            rewrite = grow(project, hasty[0])
            yield hit(project, retry, message, growing(retry), names, rewrite=rewrite, policy=hasty[0])
    for found in loops(project):
        if _hurries(found.policy) and found.policy.retries != CONNECTION:
            message = f"this retry of `{found.request.call}` {_waits(found.policy, found.policy.attempts)}"
            yield Hit(
                found.place(project),
                message,
                found.wait(),
                call=found.request.call,
                related=found.related(project),
                rewrite=grow(project, found.policy),
            )


def _hurries(policy: Policy) -> bool:
    if policy.follows or policy.repairs:
        return False
    return policy.wait == "none" or (policy.wait == "fixed" and policy.seconds is not None and policy.seconds < SHORT)


def _waits(policy: Policy, attempts: int | None) -> str:
    between = f" between {counted(attempts, 'attempt')}" if attempts else " before it asks again"
    if policy.wait == "none" or not policy.seconds:
        return f"waits nothing{between}"
    if policy.jitter:
        return f"waits at most {seconds(policy.seconds)}{between}"
    return f"waits only {seconds(policy.seconds)}{between}"


RULE = Rule("OAI203", "retry-without-wait", Severity.WARNING, check, fix=Applicability.UNSAFE)
