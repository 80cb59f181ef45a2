"""A handler reports that something failed, but neither the error nor the id of the request.

## Why it matters

When an error persists the guide asks for the model, the message and code of the error, the time and the id of the
request: without them nobody can find out what happened. `print("API call failed")` has none of it.

## Bad

```py
import openai

client = openai.OpenAI()

try:
    print(client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?").output_text)
except openai.APIError:
    print("the API call failed")
```

## Good

```py
import openai

client = openai.OpenAI()

try:
    print(client.responses.create(model="gpt-4.1-mini", input="Why is the sky blue?").output_text)
except openai.APIStatusError as error:
    print(f"the API call failed: {error} (request {error.request_id})")
except openai.APIError as error:
    print(f"the API call failed: {error}")
```

## What counts

Handlers at which documented errors end and that do call something, but use the error nowhere: its name, a `raise`,
the traceback (`logging.exception`, `exc_info=True`, `traceback.print_exc()`, ...). The handler of a retry is left
alone, and OAI107 speaks of those that do nothing at all.

## Fix

A suggestion: report the error, with the id of the request where it has one.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._handlers import answering, calls_in, is_retry, names_of, uses_error
from openai_lint.rules._handling import listed
from openai_lint.rules._suggest import reported

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each handler that does something, but nothing with the error."""
    for use, sites in answering(project):
        handler = use.handler
        if uses_error(handler) or not calls_in(handler) or is_retry(project, use):
            continue
        names = names_of(use, sites)
        yield Hit(
            project.place(use.module, handler.header),
            f"neither the error of `{sites[0].path}` ({listed(names, 4)}) nor the id of its request is reported here",
            reported(use, sites[0]),
            names,
            sites[0].release.version,
            sites[0].path,
        )


RULE = Rule("OAI115", "incomplete-error-report", Severity.INFO, check, default=False, fix=Applicability.SUGGESTION)
