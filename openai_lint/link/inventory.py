"""The inventory's view of an API call: one JSON object for each place that names an SDK method."""

from typing import TYPE_CHECKING, Any

from openai_lint.facts import Handler
from openai_lint.link.policies import Policy
from openai_lint.link.values import Client

if TYPE_CHECKING:
    from openai_lint.link.project import ApiCall, Project


def describe(project: "Project", call: "ApiCall") -> dict[str, Any]:
    """The fields of DESIGN's inventory contract; ``path`` is absolute here."""
    place = project.place(call.module, call.site.node.span)
    shown = place.span
    return {
        "path": place.path,
        "cell": place.cell,
        "start": {"line": shown[0], "column": shown[1]},
        "end": {"line": shown[2], "column": shown[3]},
        "called_from": sorted(
            {
                project.place(item.module, item.node.span).span[0]
                for item in call.invocations
                if item.module is call.module and item.node is not call.site.node
            }
            - {shown[0]}
        ),
        "call": call.site.path,
        "sdk": call.release.version,
        "kind": call.kind,
        "client": call.client.known_by if call.client is not None else "chain",
        "function": call.site.function.qualname if call.site.function is not None else None,
        "escapes_function": list(call.escapes_function),
        "escapes": list(call.escapes),
        "escapes_iterating": list(call.escapes_iterating),
        "leaves_as": call.leaves_as,
        "lost": [name for name in call.release.inventory_errors if name in call.lost],
        "handled_by": _handlers(project, call),
        "retry": _policy(project, call, call.policy) if call.policy is not None else _of_sdk(call),
    }


def _handlers(project: "Project", call: "ApiCall") -> list[dict[str, Any]]:
    found = set()
    for node, module, _ in call.handled_by:
        span = node.header if isinstance(node, Handler) else node.span
        place = project.place(module, span)
        found.add((place.path, place.span[0]))
    return [{"path": path, "line": line} for path, line in sorted(found)]


def _policy(project: "Project", call: "ApiCall", policy: Policy) -> dict[str, Any]:
    retried = {
        name
        for one, sites in project.policies().items()
        if one == policy or (policy.family is not None and one.family is policy.family)
        for name in sites.get(call.site, ())
    }
    return {
        "by": policy.by,
        "attempts": policy.attempts if policy.bounded else None,
        "wait": policy.wait,
        "jitter": policy.jitter,
        "bounded": policy.bounded,
        "errors": [name for name in call.release.inventory_errors if name in retried],
    }


def _of_sdk(call: "ApiCall") -> dict[str, Any] | None:
    """The SDK's own retries, unless it has none (0.x) or they are written off."""
    if call.site.era == 0:
        return None
    retries = sdk_retries(call.client, call)
    if retries == 0:
        return None
    waits = call.release.defaults
    return {
        "by": "sdk",
        "attempts": retries + 1 if retries is not None else None,
        "wait": "growing",
        "jitter": waits.jitter > 0,
        "bounded": True,
        "errors": list(call.release.transient),
    }


def sdk_retries(client: Client | None, call: "ApiCall") -> int | None:
    """How often the SDK itself tries again; None when the code decides that in a way that cannot be seen."""
    if client is None or client.max_retries in (None, "default"):
        return call.release.defaults.max_retries
    return client.max_retries if isinstance(client.max_retries, int) else None
