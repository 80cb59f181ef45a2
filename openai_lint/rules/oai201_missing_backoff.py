"""Nothing retries an API call: the first rate limit or lost connection is the end of it.

## Why it matters

Rate limits, overload and broken connections pass by themselves, mostly within seconds. Up to 0.28 the SDK makes one
request and raises. From 1.0 on it retries twice, with waits that grow; with `max_retries=0` that is given up, and where
nothing else retries, every hiccup reaches the user.

## Bad

```py
from openai import OpenAI

client = OpenAI(max_retries=0)


def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## Good

```py
from openai import OpenAI

client = OpenAI(max_retries=5)


def ask(question):
    return client.responses.create(model="gpt-4.1-mini", input=question)
```

## What counts

A retry is a decorator or an object of tenacity, backoff, stamina, retrying, retry, the retry options of Celery,
Prefect, Modal and Temporal, a loop or recursion that tries again after an error, and anything unseen whose name says
so; in the function of the call or in a caller; the same call once more in the handler; a loop that waits, or counts
its attempts, around a function that gives back that it failed. It need not be a good one: OAI203 to OAI208 judge
that. Handling the error is no retry. Calls of 0.x are errors, calls from 1.0 on are reported only where
`max_retries=0` is written.

## Fix

Unsafe: up to 0.28 a retry with the library that the project uses (tenacity, backoff, stamina), or else a short loop,
which also handles what is left in the end where nothing does yet; from 1.0 on `max_retries=0` is taken out.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Assign, Call
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._handling import judged as judged_escapes
from openai_lint.rules._handling import leaving
from openai_lint.rules._ineffective import without_effect
from openai_lint.rules._new_retries import retry_for, without_zero
from openai_lint.rules._noise import dead_calls
from openai_lint.rules._retries import sdk_requests
from openai_lint.rules._second_tries import tried_again
from openai_lint.rules._suggest import Handling, wrapped

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call that is made once only."""
    dead = dead_calls(project)
    judged = tried_again(project) | {site for found in without_effect(project) for site in found.sites}
    # What OAI101 says of the same call is mended in one go.
    unhandled = {
        escape.call.site: wrapped(project, escape.call, leaving(escape))
        for escape in judged_escapes(project)
        if escape.complete and escape.call.site.era == 0
    }
    for call in project.calls:
        if call.policy is not None or call.site in dead or call.site in judged or sdk_requests(call) != 1:
            continue
        if call.method is not None and call.method.kind == "websocket_manager":
            continue
        if not call.invocations and _is_kept(project, call):
            continue  # nobody makes a request with it
        yield _hit(project, call, unhandled.get(call.site))


def _is_kept(project: "Project", call: ApiCall) -> bool:
    """Whether the method is only put under a name."""
    node = call.site.node
    return not isinstance(node, Call) and isinstance(tree_of(project, call.module).parent(node), Assign)


def _hit(project: "Project", call: ApiCall, unhandled: Handling | None) -> Hit:
    old = call.site.era == 0
    retry = retry_for(project, call, unhandled if old else None)
    if old:
        message = f"nothing retries `{call.site.path}`: SDK {call.release.version} makes one request and raises"
        help_text = f"Retry what may pass:\n{retry.text}"
        rewrite = retry.rewrite
    else:
        message = f"nothing retries `{call.site.path}`: `max_retries=0` gives up the SDK's own retries"
        help_text = f"Leave out `max_retries=0`, or retry what may pass yourself:\n{retry.text}"
        rewrite = without_zero(project, call)
    return Hit(
        project.place(call.module, call.site.node.span),
        message,
        help_text,
        tuple(call.release.transient),
        call.release.version,
        call.site.path,
        severity=Severity.ERROR if old else Severity.WARNING,
        rewrite=rewrite,
    )


RULE = Rule("OAI201", "missing-backoff", Severity.ERROR, check, fix=Applicability.UNSAFE)
