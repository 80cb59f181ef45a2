"""A key stands in the code as a default: of a lookup, a parameter, or a field of the settings.

## Why it matters

It looks as if the key came from outside, and it works on every machine, so nobody notices that the variable is missing:
all of them spend the account of whoever wrote the line. The history of the repository keeps the key.

## Bad

```py
import os

from openai import OpenAI

client = OpenAI(api_key=os.getenv("OPENAI_API_KEY", "@@project@@"))
```

## Good

```py
import os

from openai import OpenAI

client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
```

## What counts

A key, or what OAI302 takes for a credential, as the second argument of `getenv`, `environ.get`, `getattr` and the like,
as `default=`, after `or`, as the default of a parameter, or as the default of an annotated field of a class (dataclass,
pydantic settings). In tests only keys in OpenAI's own format count.

## Fix

Unsafe: the default is taken away, so that a missing variable is noticed where it is read. Revoke the key first.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._key_edits import from_environment
from openai_lint.rules._key_words import hit, shown, what
from openai_lint.rules._keys import breaking

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """Every key that is taken when nothing else is given."""
    for found in breaking(project, "OAI303"):
        given = f" for {found.position.label}" if found.position is not None else ""
        yield hit(
            found,
            f"{what(found)} {shown(found)} is the default{given}",
            f'Then take the default away: `os.environ["{found.variable}"]` fails at once where it is not set.',
            rewrite=from_environment(project, found),
        )


RULE = Rule("OAI303", "hardcoded-key-fallback", Severity.ERROR, check, fix=Applicability.UNSAFE)
