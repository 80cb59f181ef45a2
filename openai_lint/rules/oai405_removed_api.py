"""A call that the SDK of the project does not have: written for 0.x where 1.0 or later is installed, or the reverse.

## Why it matters

The SDK was rewritten with 1.0. Of the calls of one side the other has at most a name, which refuses to be called: the
line raises `APIRemovedInV1`, `AttributeError` or `ImportError`, whatever the API does, and no request goes out.

## Bad

```py main.py
import openai

openai.ChatCompletion.create(model="gpt-4", messages=[])
```

```txt requirements.txt
openai==1.109.1
```

## Good

```py main.py
import openai

client = openai.OpenAI()
client.chat.completions.create(model="gpt-4", messages=[])
```

```txt requirements.txt
openai==1.109.1
```

## What counts

The release comes from the project: its requirements, lock file or metadata, nearest to the file. Where it allows
several, all of them must lack the method. Where nothing says which release is meant, and one root holds code for 0.x
and for later majors, the newer counts, because one environment holds one SDK. Code that tests for the version
(`except ImportError`, `openai.__version__`, `hasattr(openai, ...)`) is silent, and so are calls through drop-ins of
other packages.

## Fix

None. The suggestion names the method that replaces it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._versions import Removed, lifetime, removed_calls

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call."""
    for removed in removed_calls(project):
        call = removed.call
        place = project.place(call.module, call.site.node.span)
        yield Hit(place, _message(removed), _help(removed), sdk=call.release.version, call=call.site.path)


def _message(removed: Removed) -> str:
    path, era = removed.call.site.path, removed.call.site.era
    if era == 0:
        return f"openai.{path} is gone since 1.0, and {removed.where}: the call raises and sends nothing"
    if removed.releases[-1].major == 0:
        return f"{path} came with 1.0, and {removed.where}: there is neither such a client nor such a method"
    first, last = lifetime(path, era)
    when = f"not there yet ({first} has it)" if _before(removed, first) else f"no longer there ({last} had it)"
    return f"{path} is {when}, and {removed.where}: AttributeError"


def _before(removed: Removed, first: str) -> bool:
    def key(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(".")))

    return key(removed.releases[-1].version) < key(first)


def _help(removed: Removed) -> str:
    call, instead = removed.call, removed.instead
    if call.site.era == 0 and instead is not None:
        client = "AsyncOpenAI" if call.method is not None and call.method.coroutine else "OpenAI"
        wait = "await " if client == "AsyncOpenAI" else ""
        return f"client = openai.{client}()\n{wait}client.{instead}(...)\nor pin openai<1 for this code."
    if call.site.era == 0:
        return "Nothing replaces it from 1.0 on; pin openai<1 for this code, or take it out."
    if removed.releases[-1].major == 0:
        return "Require openai>=1." if instead is None else f"Use openai.{instead}(...), or require openai>=1."
    first, last = lifetime(call.site.path, call.site.era)
    return (
        f"Require openai>={first}." if _before(removed, first) else f"Pin openai<={last} for this code, or take it out."
    )


RULE = Rule("OAI405", "removed-api", Severity.ERROR, check, fix=Applicability.SUGGESTION)
