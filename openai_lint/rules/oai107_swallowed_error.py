"""A handler takes a documented error of the API and does nothing with it.

## Why it matters

The program goes on as if it had an answer. Nobody learns that the key was revoked, the quota spent or the model
renamed; it shows, days later, as empty results. An error that persists has to be reported with its message, its code
and the id of the request, and all of them are gone.

## Bad

```py
import openai

client = openai.OpenAI()


def title(text):
    try:
        return client.responses.create(model="gpt-4.1-mini", input=f"A title for: {text}").output_text
    except openai.OpenAIError:
        return ""


print(title("Once upon a time"))
```

## Good

```py
import logging

import openai

client = openai.OpenAI()


def title(text):
    try:
        return client.responses.create(model="gpt-4.1-mini", input=f"A title for: {text}").output_text
    except openai.OpenAIError as error:
        logging.warning("no title: %s", error)
        return ""


print(title("Once upon a time"))
```

## What counts

A body without any use of the error, without a `raise` and without any call: `pass`, `continue`, a constant result.
Printing or logging anything is a call (OAI115 looks at what). The handler of a retry is no such handler: going round
again is its use of the error. Nor is a clause for permanent errors alone that returns an answer (`AuthenticationError`:
the key is not valid), or one for `NotFoundError` alone. `contextlib.suppress` says what it does and is silent.

## Fix

A suggestion: log the error, or let it out.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._handlers import answering, calls_in, is_decision, is_retry, names_of, result, uses_error
from openai_lint.rules._handling import listed
from openai_lint.rules._suggest import reported

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each handler that drops documented errors."""
    for use, sites in answering(project):
        handler = use.handler
        if uses_error(handler) or calls_in(handler) or result(handler) is None:
            continue
        if is_retry(project, use) or is_decision(use, sites):
            continue
        names = names_of(use, sites)
        yield Hit(
            project.place(use.module, handler.header),
            f"{listed(names, 4)} of `{sites[0].path}` {'end' if len(names) > 1 else 'ends'} here unseen: "
            f"the handler {result(handler)}",
            reported(use, sites[0]),
            names,
            sites[0].release.version,
            sites[0].path,
        )


RULE = Rule("OAI107", "swallowed-error", Severity.WARNING, check, fix=Applicability.SUGGESTION)
