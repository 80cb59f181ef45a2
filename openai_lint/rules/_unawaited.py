"""Coroutines of the SDK that nobody awaits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function
from openai_lint.link.queries_versions import once, sure, wrapped
from openai_lint.rules._versions import removed_calls

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project
    from openai_lint.link.index import ModuleInfo

OF_COROUTINES = frozenset({"send", "throw", "close"})
"""What a coroutine itself can do; any other attribute of one is an AttributeError."""


@once
def unawaited_calls(project: "Project") -> tuple["ApiCall", ...]:
    """Calls whose coroutine is dropped, or used as if it were the answer."""
    removed = {found.call.site for found in removed_calls(project)}
    calls = (call for call in project.calls if call.site not in removed and _coroutine(call))
    return tuple(call for call in calls if not wrapped(call) and _dropped(call))


def _coroutine(call: "ApiCall") -> bool:
    if call.method is None or not call.method.coroutine or not sure(call):
        return False
    if call.release.major == 0:
        return True
    return all(client.asynchronous is True for client in call.clients) and not call.reads_body


def _dropped(call: "ApiCall") -> bool:
    node = call.site.node
    if (
        not isinstance(node, Call)
        or not any(place.node is node for place in call.invocations)
        or len(call.invocations) != 1
    ):
        return False
    parents = _parents(call)
    return _lost(node, parents, call)


def _parents(call: "ApiCall") -> dict[Any, Any]:
    """Each node of the function around the call with the one that directly holds it; nested functions too."""
    body = call.site.function.body if call.site.function is not None else call.module.facts.body
    return dict(_pairs(body))


def _pairs(body: facts.Block) -> Iterator[tuple[Any, Any]]:
    stack: list[Any] = list(body)
    while stack:
        node = stack.pop()
        for child in _children(node):
            yield child, node
            stack.append(child)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, facts.Lambda):
        yield node.function
    else:
        yield from facts.children(node)


def _lost(node: Expr, parents: dict[Any, Any], call: "ApiCall") -> bool:
    parent = parents.get(node)
    if isinstance(parent, facts.ExprStmt):
        return True
    if _misused(node, parent):
        return True
    if (
        isinstance(parent, facts.Assign)
        and parent.value is node
        and len(parent.targets) == 1
        and isinstance(parent.targets[0], facts.Name)
    ):
        return _name_lost(parent.targets[0], parents, call)
    return False


def _misused(node: Expr, parent: Any) -> bool:
    """Whether the coroutine stands where only an answer can."""
    if isinstance(parent, facts.Attr):
        return parent.attr not in OF_COROUTINES
    if isinstance(parent, facts.Subscript):
        return parent.value is node
    if isinstance(parent, (facts.For, facts.Clause)):
        return parent.iterable is node
    return isinstance(parent, facts.WithItem)


def _name_lost(target: facts.Name, parents: dict[Any, Any], call: "ApiCall") -> bool:
    """Whether a local name that holds the coroutine is only used as if it held the answer, or not at all."""
    scope = call.module.scope_of(call.site.function)
    bindings = scope.bindings.get(target.id, [])
    if len(bindings) != 1 or target.id in scope.globals or target.id in scope.outer:
        return False
    uses = [node for node in parents if isinstance(node, facts.Name) and node.id == target.id and node is not target]
    # A name that nothing uses may still be imported from a module, or shown at the end of a cell.
    if not uses:
        return isinstance(scope.node, Function) and not _free_elsewhere(target.id, call.module, call.site.function)
    return all(_misused(node, parents.get(node)) for node in uses)


def _free_elsewhere(name: str, module: "ModuleInfo", function: Function | None) -> bool:
    """Whether a nested function mentions the name (its body is walked as well, but lambdas and classes may hide it)."""
    scope = module.scope_of(function)
    return any(name in inner.mentions for inner in scope.children)
