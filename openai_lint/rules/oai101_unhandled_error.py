"""No documented error of an API call is handled on its way to an entry point of the program.

## Why it matters

The API answers 429 when it is busy, 500 and 503 when it is ill, and now and then does not answer at all: every program
that runs for a while meets these errors. Where nobody handles them, the first one ends the script, the request or the
task, with a traceback in place of an answer and with the work so far lost.

## Bad

```py
from openai import OpenAI

client = OpenAI()


def answer(question: str) -> str:
    return client.responses.create(model="gpt-4.1-mini", input=question).output_text


print(answer("Why is the sky blue?"))
```

## Good

```py
import sys

import openai

client = openai.OpenAI()


def answer(question: str) -> str:
    return client.responses.create(model="gpt-4.1-mini", input=question).output_text


try:
    print(answer("Why is the sky blue?"))
except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
    sys.exit(f"The OpenAI API is not available, try later: {error}")
except openai.APIStatusError as error:
    sys.exit(f"The OpenAI API refused the request: {error}")
```

## What counts as handled

A handler anywhere between the call and the entry point: around the call, in any caller, in a decorator or context
manager of the project, or registered with the web framework. A handler that raises the error again handles nothing;
one that raises an exception of the project in its place does. The default page of a framework is no handler: the
message says what the user would see. Errors that die in a thread or in a task that nobody awaits reach nobody, and
are reported.

Silent are calls under a retry (see OAI104), functions whose docstring says that they raise the error, and public
functions of a package that the project's build ships, which hand their errors to the users of the library.

## Fix

Unsafe: the statement is wrapped in a `try` with the documented types, the transient ones apart from the permanent ones.
Calls that stand close together share one `try`; one that is there and has only a `finally` gets the clauses. A script
ends with a message, a loop that asks for input says what went wrong and goes on, a function raises an error of its own.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._handling import ending, judged, leaving, listed, path, place, runs_elsewhere
from openai_lint.rules._new_retries import combines, once_only, retry_for
from openai_lint.rules._suggest import wrapped

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call of which every documented error escapes."""
    for escape in judged(project):
        if not escape.complete:
            continue
        call = escape.call
        names = listed(escape.names, 4)
        elsewhere = runs_elsewhere(project, call)
        first = escape.steps[0] if escape.steps else None
        made = first.node if elsewhere and first is not None and first.module is call.module else leaving(escape)
        found = wrapped(project, call, made)
        text, rewrite = found.text(), found.rewrite(project)
        if once_only(call) and combines(project, found):
            retried = retry_for(project, call, found)
            text = retried.text
            rewrite = rewrite if retried.rewrite is None else replace(retried.rewrite, together=rewrite)
        yield Hit(
            place(project, call),
            f"no documented error of `{call.site.path}` is handled ({names}): {ending(project, escape)}",
            "Handle them where the program has an answer to the failure, for example here:\n" + text,
            escape.names,
            call.release.version,
            call.site.path,
            path(project, escape),
            rewrite=None if elsewhere else rewrite,
        )


RULE = Rule("OAI101", "unhandled-error", Severity.ERROR, check, fix=Applicability.UNSAFE)
