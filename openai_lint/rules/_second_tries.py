"""Second tries that are no policy: the same call once more in a handler, and loops that look at what a helper gives."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import RAW, Leak, clause
from openai_lint.facts import Call, Expr, For, Function, Handler, While
from openai_lint.link import library
from openai_lint.link.blocks import inside, sleeps
from openai_lint.link.callers import callers_of
from openai_lint.link.index import ModuleInfo
from openai_lint.link.loops import LoopWatch
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import body_of
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.link.values import ClassRef, External, Site
from openai_lint.rules._retries import sdk_requests

if TYPE_CHECKING:
    from openai_lint.link import Project

DEEPEST = 3
"""How many callers up are looked at."""


@lru_cache(maxsize=1)
def tried_again(project: "Project") -> frozenset[Site]:
    """The calls that are made again, or that are the second try themselves."""
    found: set[Site] = set()
    for use in project.handlers():
        near = [call.site for call in project.calls if call.module is use.module]
        again = [site for site in near if _holds(use.handler, site.node)]
        for leak in use.caught:
            same = [site for site in again if site.path == leak.site.path and site is not leak.site]
            if same:
                found.update((leak.site, *same))
    once = (
        call for call in project.calls if call.policy is None and call.site not in found and sdk_requests(call) == 1
    )
    found.update(call.site for call in once if _by_result(project, call) or _raised_anew(project, call))
    return frozenset(found)


def _raised_anew(project: "Project", call: ApiCall) -> bool:
    """Whether a handler raises another error instead (``raise RateLimitError(...)``), which a policy around retries."""
    function = call.site.function
    policies = project.record.decorators.get(function, []) if function is not None else []
    if function is None or not policies or not any(isinstance(node, Handler) for node, _, _ in call.handled_by):
        return False
    frame = tree_of(project, call.module).frame(call.site.node)
    for node in inside(function.body):
        if not isinstance(node, facts.Raise) or node.error is None:
            continue
        raised = node.error.func if isinstance(node.error, Call) else node.error
        for value in project.engine.evaluator.value(raised, frame):
            path = f"project.{value.node.qualname}" if isinstance(value, ClassRef) else getattr(value, "path", "")
            if any(_may_retry(project, policy, call, str(path)) for policy in policies):
                return True
    return False


def _may_retry(project: "Project", policy: Policy, call: ApiCall, path: str) -> bool:
    meaning = clause(path, call.release)
    if policy.idle or not isinstance(meaning, str):
        return False
    return project.engine.policies.accepts(policy, Leak(call.site, meaning, meaning, RAW, False, 0)) is not False


def _holds(handler: Handler, node: Expr) -> bool:
    return handler.span[:2] <= node.span[:2] and node.span[2:] <= handler.span[2:]


def _by_result(project: "Project", call: ApiCall) -> bool:
    """Whether the errors end in a function that a loop, which waits or counts its attempts, calls again."""
    function = call.site.function
    if function is None or not any(isinstance(node, Handler) for node, _, _ in call.handled_by):
        return False
    seen: set[Function] = {function}
    places = [(function, call.module)]
    for _ in range(DEEPEST):
        outer: list[tuple[Function, ModuleInfo]] = []
        for one, home in places:
            for use in callers_of(project).of(one, home, search=True):
                if any(_tries(project, use.module, loop) for loop in _loops(project, use.module, use.node)):
                    return True
                caller = tree_of(project, use.module).function(use.node)
                if caller is not None and caller not in seen:
                    seen.add(caller)
                    outer.append((caller, use.module))
        places = outer
    return False


def _loops(project: "Project", module: ModuleInfo, node: Expr) -> Iterator[For | While]:
    for parent, child in tree_of(project, module).above(node):
        if isinstance(parent, facts.Function):
            return
        if isinstance(parent, While) or (isinstance(parent, For) and child is not parent.iterable):
            yield parent


def _tries(project: "Project", module: ModuleInfo, loop: For | While) -> bool:
    frame = tree_of(project, module).frame(loop)
    if isinstance(loop, For) and LoopWatch(project.engine, frame, loop).counts:
        return True
    return any(_waits(project, module, node) for node in inside(loop.body) if isinstance(node, Call))


def _waits(project: "Project", module: ModuleInfo, node: Call) -> bool:
    for value in project.engine.evaluator.value(node.func, tree_of(project, module).frame(node)):
        if isinstance(value, External) and value.path in library.SLEEPS:
            return True
        function = body_of(value)
        if function is not None and len(function.body) < 6 and sleeps(function):
            return True
    return False
