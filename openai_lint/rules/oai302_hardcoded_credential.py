"""A literal that looks like an issued credential is given to an OpenAI client.

## Why it matters

Azure keys, keys of a proxy and access tokens have no format that gives them away, but they are as good as money to
whoever reads the code, and the history of the repository keeps them.

## Bad

```py
from openai import AzureOpenAI

client = AzureOpenAI(
    api_key="@@azure@@",
    azure_endpoint="https://example.openai.azure.com",
    api_version="2024-10-21",
)
```

## Good

```py
from openai import AzureOpenAI

client = AzureOpenAI(  # reads AZURE_OPENAI_API_KEY from the environment
    azure_endpoint="https://example.openai.azure.com",
    api_version="2024-10-21",
)
```

## What counts

The literal comes to where a credential belongs: `api_key=`, `azure_ad_token=` and their kin in a client's constructor,
`with_options`, a call of 0.x, an attribute of a client or of `openai`, an `Authorization` or `api-key` header of a
request to OpenAI, an environment variable or a name that says OpenAI and key. It has 16 characters or more, mixes
letters and digits, and shows no trace of a person's hand: no words, no sequence, no repetition. Digests, UUIDs and the
keys of other vendors count only where the client talks to somebody else than OpenAI. Nothing counts where it talks to
this machine, or in tests.

## Fix

Unsafe: the environment is read instead. Have the credential replaced first.
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
    """Every literal that is a credential by where it stands and how it looks."""
    for found in breaking(project, "OAI302"):
        given = f" as {found.position.label}" if found.position is not None else ""
        message = f"{what(found)} {shown(found)} is written in the code{given}"
        yield hit(found, message, rewrite=from_environment(project, found))


RULE = Rule("OAI302", "hardcoded-credential", Severity.ERROR, check, fix=Applicability.UNSAFE)
