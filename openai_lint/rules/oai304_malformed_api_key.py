r"""A key is written in the code, and in a way that the API refuses it.

## Why it matters

A space, a quote or a line break that was copied along makes every request fail with a 401, and so does a second
`Bearer`. A key where the *name* of an environment variable belongs is never found. The message of the 401 shows only
the ends of the key, so the stray character is hard to see. Besides, the key stands in the code.

## Bad

```py
from openai import OpenAI

client = OpenAI(api_key=" @@project@@\n")
```

## Good

```py
from openai import OpenAI

client = OpenAI()  # reads OPENAI_API_KEY from the environment
```

## What counts

A literal that comes to where a credential belongs and would be a key without white space, line breaks, quotes, `Bearer`
(where the client adds it by itself) or characters that are not ASCII; and a key as the name of an environment variable:
`os.getenv("sk-...")`.

## Fix

Safe for stray white space: it is removed. The key has to leave the code all the same.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.keys import Problem
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._key_edits import stripped
from openai_lint.rules._key_words import hit, shown, what
from openai_lint.rules._keys import breaking

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """Every key that cannot work as it is written."""
    for found in breaking(project, "OAI304"):
        problem = found.verdict.problem
        if problem is Problem.NAME:
            yield hit(
                found,
                f"{what(found)} {shown(found)} stands where the name of an environment variable belongs",
                f'Then name the variable: `os.environ["{found.variable}"]`.',
            )
        elif problem is not None:
            message = f"{what(found)} {shown(found)} is written with {problem.value}: the API answers 401"
            yield hit(found, message, rewrite=stripped(found))


RULE = Rule("OAI304", "malformed-api-key", Severity.ERROR, check, fix=Applicability.SAFE)
