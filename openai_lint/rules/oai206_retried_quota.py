"""A spent quota is retried as if it were a rate limit.

## Why it matters

`insufficient_quota` comes as a 429, and so as a RateLimitError, but no wait cures it: only billing does. A policy that
does not look at the error's code keeps the user waiting through all its attempts, and tells them of a rate limit.

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
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

client = openai.OpenAI()


def may_pass(error):
    return isinstance(error, openai.RateLimitError) and error.code != "insufficient_quota"


@retry(retry=retry_if_exception(may_pass), wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6))
def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## What counts

Every policy that retries RateLimitError whatever its code. Silent where the function that decides, the handler or the
loop looks at the code or speaks of a quota, and where something unseen decides.

## Fix

Suggestion: let `insufficient_quota` out at once.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Const
from openai_lint.link.blocks import below, inside
from openai_lint.link.predicates import body_of
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._key_rotation import mended
from openai_lint.rules._retries import Retry, certain, counted, hit, retries
from openai_lint.rules._suggest import spelled

if TYPE_CHECKING:
    from openai_lint.link import Project

NAME = "RateLimitError"


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each policy that takes a spent quota for a rate limit."""
    for retry in retries(project):
        calls = [call for call in retry.calls if NAME in retry.errors[call]]
        if not calls or retry.policy.repairs or not certain(project, retry, calls[0], NAME) or _looks(retry):
            continue
        if NAME in mended(project, retry, calls[0]):
            continue
        release = calls[0].release
        error = spelled(retry.policy.module, release, [NAME])[0]
        code = "error.error.code" if release.major == 0 else "error.code"
        times = f" {counted(retry.policy.attempts - 1, 'more time')}" if retry.policy.attempts else ""
        yield hit(
            project,
            retry,
            f"{retry.subject} asks{times} after `insufficient_quota`, which is a {NAME} that no wait cures",
            f'Let a spent quota out at once:\nisinstance(error, {error}) and {code} != "insufficient_quota"',
            (NAME,),
        )


def _looks(retry: Retry) -> bool:
    """Whether the policy's code looks at what kind of 429 it is."""
    return any(_speaks(node) for policy in retry.variants for node in _code(policy.node, policy.retries.functions()))


def _code(node: Any, functions: Iterable[Any]) -> Iterator[Any]:
    yield from below(node)
    for value in functions:
        function = body_of(value)
        if function is not None:
            yield from inside(function.body)


def _speaks(node: Any) -> bool:
    if isinstance(node, Const):
        return isinstance(node.value, str) and "quota" in node.value.lower()
    return isinstance(node, facts.Attr) and node.attr == "code"


RULE = Rule("OAI206", "retried-quota", Severity.INFO, check, fix=Applicability.SUGGESTION)
