"""Only `except Exception` (or a bare `except`) covers a call, and it treats every failure alike.

## Why it matters

A rate limit wants patience, a revoked key wants a person, a prompt that is too long wants a shorter prompt, and a
`KeyError` in the next line wants a programmer. A handler that takes them all can do justice to none, and it hides the
mistakes of the program among the failures of the API.

## Bad

```py
import openai

client = openai.OpenAI()

try:
    print(client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?").output_text)
except Exception as error:
    print("something went wrong:", error)
```

## Good

```py
import openai

client = openai.OpenAI()

try:
    print(client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?").output_text)
except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError) as error:
    print("not available at the moment:", error)
except openai.APIStatusError as error:
    print("the request was refused:", error)
except Exception as error:
    print("something went wrong:", error)
```

## What counts

Handlers for everything (`except:`, `Exception`, `BaseException`) at which documented errors of a call end, where no
handler on the way names a type of the SDK. One that looks at the error (`isinstance`, its status or code, its text), or
gives it to a function of the project that does, tells errors apart.

## Fix

Unsafe: clauses for the documented types are put in front; they say which it is, and then do what the blind one does.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._completion import told_apart
from openai_lint.rules._handlers import answering, names_of, tells_apart
from openai_lint.rules._handling import is_blind, uses_of
from openai_lint.rules._suggest import written_clause

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each blind handler that is all a call has."""
    for use, sites in answering(project):
        if not is_blind(project, use) or tells_apart(project, use):
            continue
        alone = [site for site in sites if all(is_blind(project, other) for other in uses_of(project, site))]
        if not alone:
            continue
        found = told_apart(use, alone[0], project)
        release = alone[0].release
        yield Hit(
            project.place(use.module, use.handler.header),
            f"`{written_clause(use)}` is all that covers `{alone[0].path}`, and treats what may pass (such as "
            f"{release.roles['rate_limit']}) like what never will (such as {release.roles['authentication']})",
            found.text,
            names_of(use, alone),
            release.version,
            alone[0].path,
            rewrite=found.rewrite,
        )


RULE = Rule("OAI108", "blind-handler", Severity.INFO, check, fix=Applicability.UNSAFE)
