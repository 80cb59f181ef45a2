"""Nobody chose a timeout: a request may hang for ten minutes, and each retry of the SDK for as long again.

## Why it matters

The default is there for the longest answers there are. A user, a worker or a job scheduler gives up long before, and
the request goes on holding its slot.

## Bad

```py
from openai import OpenAI

client = OpenAI()
print(client.responses.create(model="gpt-5", input="hi").output_text)
```

## Good

```py
from openai import OpenAI

client = OpenAI(timeout=60)
print(client.responses.create(model="gpt-5", input="hi").output_text)
```

## What counts

A client that is made without `timeout` and whose calls name none (`timeout=`; 0.x: `request_timeout=`), and calls of
the module (`openai.chat...`, 0.x) without one. An `http_client` has a timeout of its own, and what runs under
`asyncio.wait_for`, `asyncio.timeout` and their kin has a limit. Clients whose making cannot be seen are not judged.

## Fix

Unsafe: `timeout=60` where the client is made.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Expr
from openai_lint.link import ApiCall, library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.inventory import sdk_retries
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Client, External
from openai_lint.rewrites import Rewrite, SetKeywords
from openai_lint.rule import Applicability, Hit, Rule, Severity

if TYPE_CHECKING:
    from openai_lint.link import Project

_CHOSEN = frozenset({"timeout", "http_client"})
_LIMITS = frozenset({"wait_for", "timeout", "timeout_at", "move_on_after", "fail_after", "func_timeout"})


def check(project: "Project") -> Iterable[Hit]:
    """Once for each client that is made, and for each call without one."""
    by_origin: dict[Expr, tuple[ApiCall, Client]] = {}
    of_module = _module_has_one(project)
    for call in project.calls:
        client = call.client
        if client is None or call.kind == "context" or _limited(project, call):
            continue
        if client.known_by == "module":
            if call.site.era == 0 or not of_module:
                yield _hit(project, call, client, call.module, call.site.node)
            continue
        for made in call.clients:
            if made.origin is not None and not _CHOSEN.intersection(name for name, _ in made.options):
                by_origin.setdefault(made.origin, (call, made))
    for origin, (call, client) in by_origin.items():
        module = next((module for module in project.modules if origin in tree_of(project, module)), None)
        if module is not None and not any(arg.star for arg in getattr(origin, "args", ())):
            yield _hit(project, call, client, module, origin)


def _limited(project: "Project", call: ApiCall) -> bool:
    """Whether each place where the request goes out names a limit, or may."""
    word = "timeout" if call.site.era else "request_timeout"
    places = list(call.invocations)
    if not places:
        return True
    return all(
        word in place.args.keywords
        or place.args.open_keywords
        or _stands_under_limit(project, place.module, place.node)
        for place in places
    )


def _stands_under_limit(project: "Project", module: ModuleInfo, node: Expr) -> bool:
    for parent, child in tree_of(project, module).above(node):
        if isinstance(parent, facts.Call) and library.written(parent.func) in _LIMITS:
            return True
        entered = parent.items if isinstance(parent, facts.With) and isinstance(child, facts.Stmt) else ()
        if any(library.written(item.context) in _LIMITS for item in entered):
            return True
        if isinstance(parent, facts.Function):
            return any(library.written(item) in _LIMITS for item in parent.decorators)
    return False


def _module_has_one(project: "Project") -> bool:
    """Whether somebody writes `openai.timeout = ...` or `openai.http_client = ...`."""
    evaluator = project.engine.evaluator
    return any(
        store.attr in _CHOSEN
        and External("openai") in evaluator.value(store.target, project.engine.generic_frame(store.scope))
        for module in project.modules
        for store in module.stores
    )


def _hit(project: "Project", call: ApiCall, client: Client, module: ModuleInfo, node: Expr) -> Hit:
    release = call.release
    seconds = release.defaults.timeout
    retries = 0 if call.site.era == 0 else sdk_retries(client, call)
    tries = "" if not retries else f", and {retries + 1} tries may take {(retries + 1) * seconds / 60:g} minutes"
    if call.site.era == 0:
        advice = "Name a limit: `request_timeout=60`."
    elif node is call.site.node:
        advice = "Name a limit: `timeout=60` in the call, or `openai.timeout = 60` once."
    else:
        advice = f"Name a limit where the client is made: `{client.name}(timeout=60)`."
    return Hit(
        project.place(module, node.span),
        f"nobody chose a timeout: {call.site.path} waits up to {seconds:g} s{tries}",
        advice,
        sdk=release.version,
        call=call.site.path,
        rewrite=_rewrite(module, node, "timeout" if call.site.era else "request_timeout"),
    )


def _rewrite(module: ModuleInfo, node: Expr, option: str) -> Rewrite | None:
    """A timeout of a minute."""
    if not isinstance(node, facts.Call) or any(arg.star for arg in node.args):
        return None
    return Rewrite(module.path, f"{option}=60", (SetKeywords(node.span, ((option, "60"),)),))


RULE = Rule("OAI401", "default-timeout", Severity.INFO, check, default=False, fix=Applicability.UNSAFE)
