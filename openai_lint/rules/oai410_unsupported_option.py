"""An option that the call or the client does not take in the SDK of the project.

## Why it matters

From 1.0 on an unknown keyword is a `TypeError`: the request never goes out, and no handler for API errors catches it.
`request_timeout` and a `max_retries` for a single call are what code from 0.x brings along. In 0.x itself `timeout` is
taken, and is no request timeout: a request that hangs still waits for ten minutes.

## Bad

```py
import openai

client = openai.OpenAI()
client.embeddings.create(model="text-embedding-3-small", input="hi", request_timeout=10)
```

```py
from openai import OpenAI

client = OpenAI("the key")
```

## Good

```py
import openai

client = openai.OpenAI(max_retries=4)
client.embeddings.create(model="text-embedding-3-small", input="hi", timeout=10)
```

## What counts

Keywords that are written in the call itself. For methods the options that SDK releases disagree on are judged
(timeouts, retries, credentials, engines, headers); for client classes every keyword. Where the project allows several
releases, none of them may take it. Drop-ins and wrappers of other packages have options of their own and are silent.

## Fix

Safe from 1.0 where another spelling is meant (`request_timeout` becomes `timeout`). For 0.x a suggestion.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Expr
from openai_lint.rewrites import RenameArgument, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._options import Refused, since, unsupported_options
from openai_lint.rules._versions import listed, named, source

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call; an option that is taken and does nothing has one of its own."""
    fatal: dict[Expr, list[Refused]] = {}
    for refused in unsupported_options(project):
        if refused.fatal:
            fatal.setdefault(refused.node, []).append(refused)
        else:
            yield _hit(project, [refused], refused.argument)
    for node, found in fatal.items():
        yield _hit(project, found, node)


def _hit(project: "Project", found: list[Refused], node: Expr) -> Hit:
    first = found[0]
    path = first.call.site.path if first.call is not None else None
    place = project.place(first.module, node.span)
    return Hit(
        place,
        _message(found),
        "\n".join(_help(refused) for refused in found),
        sdk=first.releases[-1].version,
        call=path,
        rewrite=_rewrite(found),
    )


def _rewrite(found: list[Refused]) -> Rewrite | None:
    """The option's name here, where one is meant by every wrong one."""
    if not all(refused.safe for refused in found):
        return None
    steps = tuple(RenameArgument(refused.node.span, refused.argument.span, refused.instead or "") for refused in found)
    return Rewrite(found[0].module.path, f"write {found[0].instead}=", steps, safe=True)


def _message(found: list[Refused]) -> str:
    first = found[0]
    if not first.fatal:
        what = f"{first.option}= of {first.where} is no request timeout in {named(first.releases)}"
        return f"{what}: a request that hangs waits 600 s"
    what = "positional arguments" if first.option is None else listed([f"{refused.option}=" for refused in found], "or")
    return f"{first.where} takes no {what} in {named(first.releases)}: TypeError, and no request goes out"


def _help(refused: Refused) -> str:
    value = source(refused.module, refused.argument.span)
    if refused.option is None and refused.instead is not None:
        return f"{refused.where}({refused.instead}=...)"
    if refused.instead is not None and refused.takes == "name":
        return f"{refused.instead}={value}"
    if refused.instead is not None and refused.takes == "client":
        return f"Give it to the client: client.with_options({refused.instead}={value}).{refused.where}(...)"
    first = since(refused.where, refused.option) if refused.call is None and refused.option is not None else None
    if first is not None:
        return f"It came with openai {first}: require openai>={first}, or take it out."
    return f"Take {refused.option}= out." if refused.option is not None else "Give it as a keyword."


RULE = Rule("OAI410", "unsupported-option", Severity.ERROR, check, fix=Applicability.SAFE)
