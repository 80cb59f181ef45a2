"""A request that may wait for ever: `timeout=None` on an OpenAI client or call, or raw HTTP without a timeout.

## Why it matters

When the network or the API stalls, the request never ends and never fails: no handler and no retry gets a chance, and a
worker is lost. The SDK's default is ten minutes for each try; `None` takes even that away. `requests` and `urllib` have
no default at all.

## Bad

```py
from openai import OpenAI

client = OpenAI(timeout=None)
client.responses.create(model="gpt-5", input="hi")
```

```py
import requests

requests.post("https://api.openai.com/v1/responses", json={"model": "gpt-5", "input": "hi"}).raise_for_status()
```

## Good

```py
from openai import OpenAI

client = OpenAI(timeout=60)
client.responses.create(model="gpt-5", input="hi")
```

```py
import requests

requests.post("https://api.openai.com/v1/responses", json={"model": "gpt-5", "input": "hi"},
timeout=60).raise_for_status()
```

## What counts

From 1.0 on: the word `None`, or a `Timeout(None)`, as `timeout` of a client, of `with_options` or of a call. For raw
requests to OpenAI and Azure OpenAI hosts: no `timeout` with `requests`, `urllib` or `urllib3`, and `timeout=None` with
these, `httpx` and `aiohttp`. A call that is given unknown keywords (`**options`) is silent.

## Fix

Unsafe: a timeout of 60 seconds.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr
from openai_lint.link import http, library
from openai_lint.link.index import ModuleInfo
from openai_lint.rewrites import Replace, Rewrite, SetKeywords
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._clients import is_none, options

if TYPE_CHECKING:
    from openai_lint.link import Project

WITHOUT_DEFAULT = frozenset({"requests", "urllib", "urllib3"})
"""Libraries that wait for ever unless they are told not to."""


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each client, call or request."""
    for module, node, arg, _, taker, method in options(project):
        if arg.keyword == "timeout" and _endless(arg.value):
            message = f"{taker} is told to wait for ever: a request that stalls never fails"
            release = project.engine.catalogue(module, 1).version
            rewrite = _rewrite(module, arg.value)
            place = project.place(module, node.span)
            yield Hit(place, message, "timeout=60", sdk=release, call=method, rewrite=rewrite)
    for request in http.requests(project):
        given = request.option("timeout")
        if given is None and (
            request.library not in WITHOUT_DEFAULT
            or request.open_options
            or _has_positional(request)
            or (request.is_made and not request.opened)
        ):
            continue
        if given is None or _endless(given[0]):
            what = (
                f"{request.library} waits for ever unless told otherwise"
                if given is None
                else "it is told to wait for ever"
            )
            message = f"{request.call} has no timeout, and {what}"
            place = project.place(request.module, request.node.span)
            if given is not None:
                rewrite = _rewrite(given[1], given[0])
            else:
                sending = request.opened[0] if request.opened else request.node
                step = SetKeywords(sending.span, (("timeout", "60"),))
                rewrite = Rewrite(request.module.path, "timeout=60", (step,))
            yield Hit(place, message, "timeout=60", call=request.call, rewrite=rewrite)


def _rewrite(module: ModuleInfo, value: Expr) -> Rewrite:
    """A minute in place of None."""
    none = value.args[0].value if isinstance(value, Call) else value
    return Rewrite(module.path, "wait a minute at most", (Replace(none.span, "60"),))


def _endless(node: Expr) -> bool:
    if isinstance(node, Call) and library.written(node.func) in ("Timeout", "ClientTimeout"):
        return (
            len(node.args) == 1 and is_none(node.args[0].value) and node.args[0].keyword in (None, "timeout", "total")
        )
    return is_none(node)


def _has_positional(request: http.HttpRequest) -> bool:
    """Whether ``urlopen(url, data, 10)`` gives the timeout by its position."""
    if request.library != "urllib":
        return False
    sending = request.opened or (() if request.is_made else (request.node,))
    return any(
        len([arg for arg in call.args if arg.keyword is None and not isinstance(arg.value, facts.Starred)]) > 2
        for call in sending
    )


RULE = Rule("OAI402", "infinite-timeout", Severity.ERROR, check, fix=Applicability.UNSAFE)
