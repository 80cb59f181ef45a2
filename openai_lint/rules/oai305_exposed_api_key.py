"""A whole API key is printed, logged, or put in a URL.

## Why it matters

Logs, terminals, notebooks and pages are read by more people than the environment of the process, and they are kept:
in files, in the log service, in the output of CI. URLs are logged by every proxy and server on the way.

## Bad

```py
import os

key = os.environ["OPENAI_API_KEY"]
print(f"starting with key {key}")
```

## Good

```py
import os

key = os.environ["OPENAI_API_KEY"]
print(f"starting with a key that ends in {key[-4:]}")
```

## What counts

The key of the environment (`OPENAI_API_KEY` and other names that say OpenAI and key), `openai.api_key`,
`client.api_key`, a literal key, and every variable that is one of these, as an argument of `print`, of a logger or of a
page's output, or as a part of a URL. A slice of it, a mask, `len(key)`, `bool(key)` and comparisons show nothing and
are fine.

## Fix

None. Show the last four characters, or whether there is a key at all.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.link.library import dotted
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._exposure import exposures

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """Every place where a whole key leaves the program."""
    for module in project.modules:
        for node, where in exposures(project, module):
            written = dotted(node)
            name = "" if "()" in written else written
            named = f" (`{name}`)" if name else ""
            masked = f"{name or 'key'}[-4:]"
            if where == "put in a URL":
                advice = "Send it in a header, as the SDK does; servers and proxies write URLs to their logs."
            else:
                advice = f"Show only its end (`{masked}`), or whether there is one (`bool({name or 'key'})`)."
            yield Hit(project.place(module, node.span), f"a whole API key{named} is {where}", advice)


RULE = Rule("OAI305", "exposed-api-key", Severity.WARNING, check, fix=Applicability.SUGGESTION)
