"""Objects of `httpx` given to a client of openai 3.x, which uses `httpx2`.

## Why it matters

The client takes them and works, but openai 3.x no longer brings `httpx` along. Unless the project requires `httpx`
itself, the next clean installation stops at `import httpx`. Handlers for `httpx` errors around such code match nothing
either.

## Bad

```py
import httpx
from openai import OpenAI

client = OpenAI(timeout=httpx.Timeout(60.0, connect=5.0))
```

## Good

```py
import openai

client = openai.OpenAI(timeout=openai.Timeout(60.0, connect=5.0))
```

## What counts

`http_client` and `timeout` of clients, of `with_options` and of calls, where every release that the project allows is
3.0 or later.

## Fix

None: `openai.Timeout` and `openai.DefaultHttpxClient` are the same thing in every release.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.link.queries_versions import paths, versions
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._clients import options
from openai_lint.rules._versions import named

if TYPE_CHECKING:
    from openai_lint.link import Project

TRANSPORT_OPTIONS = frozenset({"timeout", "http_client"})
INSTEAD = {
    "Timeout": "openai.Timeout",
    "Client": "openai.DefaultHttpxClient",
    "AsyncClient": "openai.DefaultAsyncHttpxClient",
}


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each object."""
    known = versions(project)
    for module, _, arg, frame, taker, method in options(project):
        if arg.keyword not in TRANSPORT_OPTIONS or known.asks(module):
            continue
        releases = known.environment(module)
        stale = sorted(path for path in paths(project, arg.value, frame) if path.startswith("httpx."))
        if not stale or any(release.transport_library != "httpx2" for release in releases):
            continue
        name = stale[0].removesuffix("()").rpartition(".")[2]
        given = f"{taker} is given {stale[0].removesuffix('()')}"
        message = f"{given}, and {named(releases)} uses httpx2 and does not bring httpx along"
        instead = f"{INSTEAD[name]}(...)" if name in INSTEAD else f"httpx2.{name}(...)"
        yield Hit(
            project.place(module, arg.value.span),
            message,
            f"{arg.keyword}={instead}",
            sdk=releases[-1].version,
            call=method,
        )


RULE = Rule("OAI409", "stale-transport-config", Severity.INFO, check, default=False, fix=Applicability.SUGGESTION)
