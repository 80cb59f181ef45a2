"""`.parse()` or `.stream()` under handlers for API errors lets the errors of an answer that broke off out.

## Why it matters

When the model stops at the token limit, or a filter stops it, there is no whole answer to read into the model class.
The helpers raise `LengthFinishReasonError` or `ContentFilterFinishReasonError` then. Both are an `OpenAIError` and no
`APIError`: a handler for API errors, which looks complete, does not catch them.

## Bad

```py
import openai
from pydantic import BaseModel

class Answer(BaseModel):
    text: str

client = openai.OpenAI()
try:
    client.chat.completions.parse(model="gpt-5", messages=[], response_format=Answer)
except openai.APIError as error:
    print(error)
```

## Good

```py
import openai
from pydantic import BaseModel

class Answer(BaseModel):
    text: str

client = openai.OpenAI()
try:
    client.chat.completions.parse(model="gpt-5", messages=[], response_format=Answer)
except openai.LengthFinishReasonError:
    print("the answer is longer than allowed")
except openai.OpenAIError as error:
    print(error)
```

## What counts

The helpers of chat completions, from 1.40 on; streams only where a `response_format` or tools are given. Some handler
on the way catches the API errors of the call, all of them, and none catches these.

## Fix

Unsafe: the clause catches `OpenAIError`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.escapes import RAW
from openai_lint.facts import Handler
from openai_lint.link.queries_versions import sure
from openai_lint.rewrites import Rewrite, SetTypes
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._suggest import needs, shadowed, spelled
from openai_lint.rules._versions import at, listed
from openai_lint.rules._written import written_types

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project
    from openai_lint.link.index import ModuleInfo

READING = frozenset({"response_format", "tools"})
"""Options that make the events of a stream be read into models."""


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call."""
    for call in project.calls:
        if call.method is None or not sure(call):
            continue
        names = (*call.release.parse_errors(call.method), *call.release.parse_errors(call.method, iterating=True))
        out = {leak.error for leak in call.reaching if leak.form == RAW}
        escaping = tuple(name for name in names if name in out)
        if not escaping or call.escapes or call.retried or not _read(call):
            continue
        handlers = [
            (node, module)
            for node, module, errors in call.handled_by
            if isinstance(node, Handler) and errors & set(call.release.documented)
        ]
        if handlers:
            node, module = handlers[0]
            place, other = project.place(call.module, call.site.node.span), project.place(module, node.header)
            where = f"the handler in {at(other, place)}"
            message = f"{listed(escaping)} of {call.site.path} pass by {where}: they are no APIError"
            help_text = (
                f"Catch openai.OpenAIError there, or {listed([f'openai.{name}' for name in escaping])} beside it."
            )
            related = (Related(other, "these errors pass by here"),)
            rewrite = _rewrite(project, call, node, module)
            version = call.release.version
            yield Hit(place, message, help_text, escaping, version, call.site.path, related, rewrite=rewrite)


def _rewrite(project: "Project", call: "ApiCall", handler: Handler, module: "ModuleInfo") -> Rewrite | None:
    """The base of all errors in place of the base of the API's."""
    release = call.release
    wide, narrow = (spelled(module, release, [name])[0] for name in (release.roles["base"], release.roles["api_base"]))
    types = written_types(project, module, handler)
    if narrow not in types or handler.type is None or shadowed(project, module, handler.body[0], [wide]):
        return None
    wider = tuple(dict.fromkeys(wide if item == narrow else item for item in types))
    step = SetTypes(handler.header, handler.type.span, wider)
    return Rewrite(module.path, f"catch {wide}", (step,), needs(module, release, [wide], handler.span))


def _read(call: "ApiCall") -> bool:
    """Whether the answer is read into a model: always by ``parse``, in a stream where it is told how."""
    if call.method is not None and call.release.parse_errors(call.method):
        return True
    return any(not READING.isdisjoint(place.args.keywords) for place in call.invocations)


RULE = Rule("OAI116", "uncovered-parse-error", Severity.INFO, check, fix=Applicability.UNSAFE)
