"""Many calls in a row, or at once, lean on the two retries that the SDK makes by default.

## Why it matters

Two retries within about two seconds help against a hiccup. In a batch they do not: limits count by the minute, so
once a batch has met one, the next calls meet it as well, each is given up after seconds, and the work of an hour is
lost in the middle.

## Bad

```py
from openai import OpenAI

client = OpenAI()


def summarize(texts):
    return [client.responses.create(model="gpt-4.1-mini", input=text) for text in texts]
```

## Good

```py
from openai import OpenAI

client = OpenAI(max_retries=8)


def summarize(texts):
    return [client.responses.create(model="gpt-4.1-mini", input=text) for text in texts]
```

## What counts

A call in a `for` loop, a comprehension, or handed to a pool or `map`, in its function or a caller of it, that goes
through a collection whose size the code does not fix at ten or less; on a client whose `max_retries` nobody chose, with
no retry around it. `while` loops (conversations, agents) do not count.

## Fix

Suggestion: more retries on the client, or a retry of your own.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._bulk import bulk
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call that is made in bulk on the default retries."""
    dead = dead_calls(project)
    for call in project.calls:
        if call.site.era == 0 or call.policy is not None or call.site in dead or not call.clients:
            continue
        if any(client.max_retries not in (None, "default") for client in call.clients):
            continue
        if call.method is not None and call.method.kind == "websocket_manager":
            continue
        where = bulk(project, call)
        if where is None:
            continue
        module, node = where
        retries = call.release.defaults.max_retries
        yield Hit(
            project.place(call.module, call.site.node.span),
            f"`{call.site.path}` is called in bulk and has only the SDK's default {retries} retries",
            "Choose how often: OpenAI(max_retries=8), or client.with_options(max_retries=8) for this batch.",
            tuple(call.release.transient),
            call.release.version,
            call.site.path,
            (Related(project.place(module, node.span), "gone through here"),) if node is not call.site.node else (),
        )


RULE = Rule("OAI202", "bulk-on-default-retries", Severity.INFO, check, fix=Applicability.SUGGESTION)
