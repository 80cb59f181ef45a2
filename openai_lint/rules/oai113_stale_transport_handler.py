"""A clause for errors of an HTTP library around calls of the SDK only, which never lets them out.

## Why it matters

The SDK wraps what its transport raises: a timeout is an `openai.APITimeoutError`, whatever library timed out. The
clause never matches, and the failure that it was written for goes on unhandled. It also stays behind when the transport
changes: 0.x used `requests`, 1.x and 2.x use `httpx`, and 3.x uses `httpx2`.

## Bad

```py
import requests
from openai import OpenAI

client = OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except requests.exceptions.Timeout:
    print("too slow")
```

## Good

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.APITimeoutError:
    print("too slow")
```

## What counts

Nothing under the `try` but calls of the SDK, and code that plainly does no HTTP of its own, also through functions of
the project. Silent where the `try` covers a stream that is read before 3.14, the body of `with_streaming_response`,
another package, or a client that was given its own `http_client`.

## Fix

Unsafe: the SDK's error in place of the library's.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Handler, Sequence
from openai_lint.link.tree import tree_of
from openai_lint.link.values import External
from openai_lint.rewrites import Rewrite, SetTypes
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._suggest import needs, shadowed, spelled, text_of
from openai_lint.rules._transport import Stale, stale_clauses
from openai_lint.rules._versions import listed

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each clause."""
    found: dict[Handler, list[Stale]] = {}
    for stale in stale_clauses(project):
        found.setdefault(stale.handler, []).append(stale)
    for handler, group in found.items():
        first = group[0]
        names = listed([stale.path for stale in group], "or")
        meant = tuple(dict.fromkeys(stale.meant for stale in group))
        place = project.place(first.module, handler.header)
        related = (Related(project.place(first.call.module, first.call.site.node.span), "the SDK wraps it here"),)
        message = f"nothing here raises {names}: openai {first.release.version} turns it into {listed(meant, 'or')}"
        errors = tuple(name.rpartition(".")[2] for name in meant)
        yield Hit(
            place,
            message,
            f"Catch {listed(meant, 'and')} instead.",
            errors,
            first.release.version,
            related=related,
            rewrite=_rewrite(project, handler, group),
        )


def _rewrite(project: "Project", handler: Handler, group: list[Stale]) -> Rewrite | None:
    """The SDK's errors in place of the library's, which leave the clause."""
    module, release = group[0].module, group[0].release
    frame = project.engine.generic_frame(module.scope_of(tree_of(project, module).function(handler.body[0])))
    items = handler.type.items if isinstance(handler.type, Sequence) else (handler.type,)
    types: list[str] = []
    for item in items:
        if item is None:
            return None
        paths = {value.path for value in project.engine.evaluator.value(item, frame) if isinstance(value, External)}
        stale = [one for one in group if one.path in paths]
        new = spelled(module, release, [one.meant.rpartition(".")[2] for one in stale])
        types += new or [text_of(module, item.span)]
    span = handler.type.span if handler.type is not None else None
    words = spelled(module, release, [one.meant.rpartition(".")[2] for one in group])
    if not set(words) <= set(types) or shadowed(project, module, handler.body[0], words):
        return None
    step = SetTypes(handler.header, span, tuple(dict.fromkeys(types)))
    return Rewrite(module.path, "catch the SDK's errors instead", (step,), needs(module, release, words, handler.span))


RULE = Rule("OAI113", "stale-transport-handler", Severity.WARNING, check, fix=Applicability.UNSAFE)
