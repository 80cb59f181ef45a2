"""Some errors of an API call are handled, but transient ones escape: the very errors that waiting would cure.

## Why it matters

Rate limits, timeouts, broken connections and server errors come and go. A handler that knows only some of them gives
the feeling of safety and ends the program on the others. The release decides what a name covers: up to 0.28 `APIError`
is the server's failure alone, and `Timeout` stands beside `APIConnectionError`; from 1.0 on `APIError` is the base of
them all, and `APITimeoutError` is an `APIConnectionError`.

## Bad

```py
import openai

client = openai.OpenAI()

try:
    answer = client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?")
except openai.RateLimitError as error:
    print("too many requests:", error)
```

## Good

```py
import openai

client = openai.OpenAI()

try:
    answer = client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?")
except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError) as error:
    print("not available at the moment:", error)
```

## What counts

Reason enough are `RateLimitError`, `APIConnectionError`, `APITimeoutError` and `InternalServerError` (up to 0.28:
`APIError`, `Timeout`, `RateLimitError`, `APIConnectionError`, `ServiceUnavailableError`). Other transient errors that
escape as well are named beside them. What handles, and where the rule is silent, is the same as for OAI101.

## Fix

Unsafe: the missing types are added to the clause that handles the others, or get one of their own where its words fit
only some of them.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._partly import hits

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call that is handled in part and lets transient errors out."""
    return hits(project, "transient")


RULE = Rule("OAI102", "unhandled-transient-error", Severity.ERROR, check, fix=Applicability.UNSAFE)
