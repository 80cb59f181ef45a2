"""The answer to a raw HTTP request is used, and nobody looks at its status.

## Why it matters

HTTP libraries do not raise when OpenAI answers 401, 429 or 500. The body is then an `error` object, and the program
goes on as if it were an answer: it crashes somewhere else with a `KeyError`, or stores the error as a result.

## Bad

```py
import requests

response = requests.post("https://api.openai.com/v1/chat/completions", json={}, timeout=60)
print(response.json()["choices"][0]["message"]["content"])
```

## Good

```py
import requests

response = requests.post("https://api.openai.com/v1/chat/completions", json={}, timeout=60)
response.raise_for_status()
print(response.json()["choices"][0]["message"]["content"])
```

## What counts

Requests of `requests`, `httpx`, `aiohttp` and `urllib3` to `api.openai.com` and to Azure OpenAI, also through
constants, f-strings, `base_url` and sessions. A look is `raise_for_status`, any use of `status_code`, `status`, `ok`
and their kin, a test of the answer or of a key in its body (`"error" in data`, `data.get("error")`), a handler for
the `KeyError` of the missing part, `raise_for_status=True`, and hooks. It may be in a caller or in a function that the
answer is given to; where the answer goes out of sight, nothing is said. `urllib` raises by itself.

## Fix

Unsafe: `raise_for_status()` after the request.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.link.http import HttpRequest, requests
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import Extract, InsertAfter, InsertBefore, Replace, Rewrite, Step
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._http import Fate, answer_name, fate_of
from openai_lint.rules._suggest import text_of

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """Every raw request whose answer is taken as it comes."""
    for request in requests(project):
        if fate_of(project, request) is Fate.UNCHECKED:
            name = answer_name(project, request)
            yield Hit(
                project.place(request.module, request.node.span),
                f"nobody looks at the status of {request.call}: a 401, 429 or 500 is taken for an answer",
                _advice(request, name),
                call=request.call,
                rewrite=_rewrite(project, request, name),
            )


def _rewrite(project: "Project", request: HttpRequest, name: str) -> Rewrite | None:
    """``raise_for_status()`` on the answer, which is kept under a name for it."""
    if request.library == "urllib3":
        return None
    module, node = request.module, request.node
    tree = tree_of(project, module)
    message = "raise_for_status()"
    statement = tree.statement(node)
    if not name:
        name = next((word for word in ("response", "answer") if word not in module.facts.identifiers), "")
        parent = tree.parent(node)
        whole = parent if isinstance(parent, facts.Await) else node
        if not name or not isinstance(statement, facts.ExprStmt | facts.Assign | facts.Return):
            return None
        if isinstance(statement, facts.ExprStmt) and statement.value is whole:
            return (
                None
                if isinstance(whole, facts.Await)
                else _rewritten(
                    module, message, Replace(whole.span, f"{text_of(module, whole.span)}.raise_for_status()")
                )
            )
        return _rewritten(module, message, Extract(whole.span, name, (f"{name}.raise_for_status()",)))
    if isinstance(statement, facts.With):
        return _rewritten(module, message, InsertBefore(statement.body[0].span, f"{name}.raise_for_status()"))
    return _rewritten(module, message, InsertAfter(node.span, f"{name}.raise_for_status()"))


def _rewritten(module: ModuleInfo, message: str, step: Step) -> Rewrite:
    return Rewrite(module.path, message, (step,))


def _advice(request: HttpRequest, name: str) -> str:
    if request.library == "urllib3":
        return f"Compare `{name or 'response'}.status` with 200 before the body is used."
    if not name:
        return "Keep the answer under a name, and call `raise_for_status()` on it before its body is used."
    return f"Add before its body is used:\n{name}.raise_for_status()"


RULE = Rule("OAI403", "unchecked-response", Severity.ERROR, check, fix=Applicability.UNSAFE)
