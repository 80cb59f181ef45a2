"""A literal in the format of an OpenAI key, anywhere in a file.

## Why it matters

Whoever can read the code can spend the account's money, and read what the key may read. The history of the repository
keeps the key when the line is gone, and so does every clone, fork, image and log that was made of it. OpenAI disables
keys that it finds in public: then every request fails with a 401.

## Bad

```py
from openai import OpenAI

client = OpenAI(api_key="@@project@@")
```

## Good

```py
from openai import OpenAI

client = OpenAI()  # reads OPENAI_API_KEY from the environment
```

## What counts

Every text that has the exact format of a key: in literals (also bytes, f-strings, and parts joined with `+`), dicts,
headers, URLs, comments, docstrings, the cells of a notebook and their outputs, and files that cannot be parsed. A key
with one repeated character, the keys of other vendors, and what `placeholders` in the configuration names are none.
Test files are searched too: a key in a test is as public as any other.

## Fix

Unsafe: the environment is read instead. Revoke the key first; a fix does not take it out of the history.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._key_edits import from_environment
from openai_lint.rules._key_words import hit, shown
from openai_lint.rules._keys import breaking

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """Every key, wherever it stands."""
    for found in breaking(project, "OAI301"):
        if found.count > 1:
            yield hit(found, f"{found.count} OpenAI API keys {shown(found)} stand in {found.where}")
        else:
            message = f"an OpenAI API key {shown(found)} stands in {found.where}"
            yield hit(found, message, rewrite=from_environment(project, found))


RULE = Rule("OAI301", "hardcoded-api-key", Severity.ERROR, check, fix=Applicability.UNSAFE)
