"""The certificate of the server is not checked on the way to OpenAI.

## Why it matters

The key goes out with every request. Without the check, whoever stands between (a hotel's network, a forgotten proxy)
can present himself as the API, read the key and the prompts, and answer what he likes.

## Bad

```py
import httpx
from openai import OpenAI

client = OpenAI(http_client=httpx.Client(verify=False))
```

## Good

```py
import httpx
from openai import OpenAI

client = OpenAI(http_client=httpx.Client(verify="/etc/ssl/certs/company.pem"))
```

## What counts

`verify=False` (aiohttp: `ssl=False`, `verify_ssl=False`; urllib3: `cert_reqs="CERT_NONE"`) on a raw request to OpenAI
or Azure OpenAI, on the session that sends it, or on the client that the SDK is given.

## Fix

Unsafe: the argument is removed. Where a proxy of the company signs the traffic, name its certificate instead.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Expr
from openai_lint.link.http import requests
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Client, constants
from openai_lint.rewrites import RemoveArguments, RemoveStatement, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._http import unverified

if TYPE_CHECKING:
    from openai_lint.link import Project

_TRANSPORTS = frozenset({"http_client", "transport", "http_async_client"})


def check(project: "Project") -> Iterable[Hit]:
    """Every switch that turns the check off."""
    seen: set[Expr] = set()
    for request in requests(project):
        for node, module in unverified(project, request):
            if node not in seen:
                seen.add(node)
                yield _hit(project, node, module, request.call)
    for module in project.modules:
        tree = tree_of(project, module)
        for call in tree.of(facts.Call):
            given = [arg.value for arg in call.args if arg.keyword == "http_client"]
            if not given:
                continue
            made = project.engine.evaluator.value(call, tree.frame(call))
            if any(isinstance(value, Client) for value in made):
                for node, where in _in_transport(project, given[0], module):
                    if node not in seen:
                        seen.add(node)
                        yield _hit(project, node, where, None)


def _in_transport(project: "Project", node: Expr, module: ModuleInfo) -> Iterator[tuple[Expr, ModuleInfo]]:
    """`verify=False` in the call that makes the HTTP client, or the transport in it."""
    for origin in origins_of(project).of(node, module):
        if not isinstance(origin.node, facts.Call):
            continue
        frame = tree_of(project, origin.module).frame(origin.node)
        for arg in origin.node.args:
            if arg.keyword == "verify" and constants(project.engine.evaluator.value(arg.value, frame)) == [False]:
                yield arg.value, origin.module
            elif arg.keyword in _TRANSPORTS:
                yield from _in_transport(project, arg.value, origin.module)


def _hit(project: "Project", node: Expr, module: ModuleInfo, call: str | None) -> Hit:
    return Hit(
        project.place(module, node.span),
        f"the server's certificate is not checked on the way to {call or 'OpenAI'}: the key can be read on the way",
        'Remove the argument; behind a proxy that signs the traffic, name its certificate: `verify="/path/to/ca.pem"`.',
        call=call,
        rewrite=_rewrite(project, node, module),
    )


def _rewrite(project: "Project", node: Expr, module: ModuleInfo) -> Rewrite | None:
    """The argument or the assignment that turns the check off, taken out."""
    tree = tree_of(project, module)
    parent = tree.parent(node)
    if isinstance(parent, facts.Arg) and isinstance(call := tree.parent(parent), facts.Call):
        return Rewrite(module.path, "check the certificate", (RemoveArguments(call.span, (node.span,)),))
    if isinstance(parent, facts.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], facts.Attr):
        return Rewrite(module.path, "check the certificate", (RemoveStatement(node.span),))
    return None


RULE = Rule("OAI404", "disabled-tls", Severity.ERROR, check, fix=Applicability.UNSAFE)
