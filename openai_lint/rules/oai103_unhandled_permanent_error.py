"""Some errors of an API call are handled, but permanent ones escape: those that no second try will cure.

## Why it matters

A revoked key, a model that was switched off, a prompt that has grown too long: the request will be refused again and
again until somebody changes something. The error says what, but only to who reads it; a traceback in the middle of a
batch, or a bare 500 from a web server, is not where it will be read.

## Bad

```py
import openai

client = openai.OpenAI()

try:
    answer = client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?")
except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError) as error:
    print("not available at the moment:", error)
```

## Good

```py
import sys

import openai

client = openai.OpenAI()

try:
    answer = client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?")
except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError) as error:
    print("not available at the moment:", error)
except openai.APIStatusError as error:
    sys.exit(f"the request was refused ({error.status_code}): {error.message}")
```

## What counts

Reason enough are `BadRequestError` and `AuthenticationError` (up to 0.28: `InvalidRequestError` and
`AuthenticationError`). Other permanent errors that escape as well are named beside them. What handles, and where the
rule is silent, is the same as for OAI101.

## Fix

Unsafe: a clause for the missing types is added behind the others.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._partly import hits

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call that is handled in part and lets permanent errors out."""
    return hits(project, "permanent")


RULE = Rule("OAI103", "unhandled-permanent-error", Severity.WARNING, check, fix=Applicability.UNSAFE)
