"""A handler reads an attribute that the error it caught does not have.

## Why it matters

The handler was written for the worst moment and raises `AttributeError` there: the real error is hidden behind it, and
whatever the handler was for does not happen. `http_status`, `json_body` and `user_message` are gone since 1.0, and an
`APIConnectionError` has no `status_code`, because no answer came.

## Bad

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.RateLimitError as error:
    print(error.http_status)
```

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.APIError as error:
    print(error.status_code)
```

## Good

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.APIStatusError as error:
    print(error.status_code)
except openai.APIConnectionError as error:
    print(error.message)
```

## What counts

Clauses that name errors of the SDK only, and the errors of the calls in the `try` that reach them: one that has no such
attribute is enough, because that is the one that crashes. A handler that asks (`hasattr`, `getattr`, `isinstance`,
`type`, `match`) is silent, and so is one whose classes cannot all be known.

## Fix

Safe where one attribute holds the same (`http_status` becomes `status_code`) in every error that arrives.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rewrites import Replace, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._attributes import Absent, absent_attributes
from openai_lint.rules._versions import listed, named

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each attribute."""
    for absent in absent_attributes(project):
        place = project.place(absent.module, absent.node.span)
        yield Hit(
            place,
            _message(absent),
            _help(absent),
            absent.lacking,
            absent.releases[-1].version,
            rewrite=_rewrite(absent),
        )


def _rewrite(absent: Absent) -> Rewrite | None:
    """The attribute that holds the same, where all errors that arrive have it."""
    if not absent.safe:
        return None
    text = f"{absent.name}.{absent.instead}"
    return Rewrite(absent.module.path, f"read {text}", (Replace(absent.node.span, text),), safe=True)


def _message(absent: Absent) -> str:
    who = (
        listed(absent.lacking)
        if len(absent.lacking) < 4
        else f"{absent.lacking[0]} and {len(absent.lacking) - 1} other errors caught here"
    )
    have = "has" if len(absent.lacking) == 1 else "have"
    return f"{who} {have} no {absent.node.attr} in {named(absent.releases)}: this handler raises AttributeError"


def _help(absent: Absent) -> str:
    name = absent.name
    if absent.instead is not None:
        return f"{name}.{absent.instead}"
    if absent.some:
        return (
            f'getattr({name}, "{absent.node.attr}", None), or catch {absent.lacking[0]} in a clause of its own above.'
        )
    return f"Nothing holds it there; str({name}) has the message."


RULE = Rule("OAI114", "missing-error-attribute", Severity.ERROR, check, fix=Applicability.SAFE)
