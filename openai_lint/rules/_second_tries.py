"""Second tries that are no policy: the same call once more in a handler, and loops that look at what a helper gives."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import RAW, Leak, clause
from openai_lint.facts import Call, Expr, For, Function, Handler, While
from openai_lint.link import library
from openai_lint.link.blocks import inside, sleeps
from openai_lint.link.callers import Use, callers_of
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

DEEPEST = 6
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
    if function is None or not any(isinstance(node, Handler) for node, _, _ in call.handled_by):
        return False
    policies = _around(project, function)
    paths = _raised_in(project, function, call.module) if policies else []
    return any(_may_retry(project, policy, call, path) for policy in policies for path in paths)


def _around(project: "Project", function: Function) -> list[Policy]:
    """The retry policies that decorate a function."""
    return project.record.decorators.get(function, [])


def _raised_in(project: "Project", function: Function, module: ModuleInfo) -> list[str]:
    """The dotted paths of the errors that a function raises."""
    found: list[str] = []
    for node in inside(function.body):
        if isinstance(node, facts.Raise) and node.error is not None:
            raised = node.error.func if isinstance(node.error, Call) else node.error
            for value in project.engine.evaluator.value(raised, tree_of(project, module).frame(node.error)):
                path = f"project.{value.node.qualname}" if isinstance(value, ClassRef) else getattr(value, "path", "")
                found.append(str(path))
    return found


def _may_retry(project: "Project", policy: Policy, call: ApiCall, path: str) -> bool:
    meaning = clause(path, call.release)
    if policy.idle or not isinstance(meaning, str):
        return False
    return project.engine.policies.accepts(policy, Leak(call.site, meaning, meaning, RAW, False, 0)) is not False


def _holds(handler: Handler, node: Expr) -> bool:
    return handler.span[:2] <= node.span[:2] and node.span[2:] <= handler.span[2:]


def _by_result(project: "Project", call: ApiCall) -> bool:
    """Whether the errors end in a function that something calls again, or whose own error a policy retries.

    What calls it again is a loop that waits or counts its attempts, or a function that is given it to call it in one.
    """
    if not any(isinstance(node, Handler) for node, _, _ in call.handled_by):
        return False
    places = [(item.frame.function, item.module) for item in call.invocations]
    places.append((call.site.function, call.module))
    inner = [(one, home) for one, home in dict.fromkeys(places) if isinstance(one, Function)]
    seen: set[Function] = {one for one, _ in inner}
    anew = [path for one, home in inner for path in _raised_in(project, one, home)]
    for _ in range(DEEPEST):
        outer: list[tuple[Function, ModuleInfo]] = []
        for one, home in inner:
            for use in callers_of(project).of(one, home, search=True):
                if _called_again(project, use):
                    return True
                caller = tree_of(project, use.module).function(use.node)
                if caller is not None and caller not in seen:
                    policies = _around(project, caller)
                    if any(_may_retry(project, policy, call, path) for policy in policies for path in anew):
                        return True
                    seen.add(caller)
                    outer.append((caller, use.module))
        inner = outer
    return False


def _called_again(project: "Project", use: Use) -> bool:
    """Whether a place that names a function calls it in a loop that tries, or hands it to a function that does."""
    if any(_tries(project, use.module, loop) for loop in _loops(project, use.module, use.node)):
        return True
    tree = tree_of(project, use.module)
    given = tree.parent(use.node)
    taker = tree.parent(given) if isinstance(given, facts.Arg) else None
    if not isinstance(taker, Call):
        return False
    functions = [body_of(value) for value in project.engine.evaluator.value(taker.func, tree.frame(taker))]
    return any(function is not None and _calls_in_trial(function) for function in functions)


def _calls_in_trial(function: Function) -> bool:
    """Whether a function calls what it is given in a ``try`` in a loop."""
    given = {param.name for param in function.params}
    return any(
        isinstance(node, Call) and library.written(node.func) in given
        for loop in inside(function.body)
        if isinstance(loop, (For, While))
        for trial in inside(loop.body)
        if isinstance(trial, facts.Try) and trial.handlers
        for node in inside(trial.body)
    )


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
