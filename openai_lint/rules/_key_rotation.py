"""Whether each attempt of a retry takes another key: then a refused key is no reason to stop."""

from typing import TYPE_CHECKING, Any

from openai_lint.facts import Assign, Call, Const, Expr, For, Subscript, While
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.predicates import body_of
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.rules._retries import Retry

if TYPE_CHECKING:
    from openai_lint.link import Project

KEYS = frozenset({"api_key", "api_keys", "key"})
PICKERS = frozenset({"next", "choice", "choices", "pop", "popleft", "sample", "cycle", "rotate"})

REFUSED = frozenset({"AuthenticationError", "PermissionDeniedError", "PermissionError"})
"""What another key may put right."""


def takes_another_key(project: "Project", retry: Retry, call: ApiCall) -> bool:
    """Whether what is repeated chooses its key anew: ``openai.api_key = keys[self.turn]``, ``OpenAI(api_key=next(keys))``."""
    nodes: list[Any] = []
    for policy in retry.variants:
        if isinstance(policy.node, (For, While)):
            nodes += below(policy.node)
        elif isinstance(policy.node, Call) and policy.by == "loop":
            runner = tree_of(project, policy.module).runner(policy.node)
            nodes += inside(runner.body) if runner is not None else ()
    if retry.policy.by != "loop" and call.site.function is not None:
        nodes += inside(call.site.function.body)
    return any(_chooses(project, call, node) for node in nodes)


def _chooses(project: "Project", call: ApiCall, node: Any) -> bool:
    if isinstance(node, Assign) and node.value is not None:
        return any(library.written(target) in KEYS for target in node.targets) and _varies(project, call, node.value)
    if isinstance(node, Call):
        return any(arg.keyword == "api_key" and _varies(project, call, arg.value) for arg in node.args)
    return False


def _varies(project: "Project", call: ApiCall, value: Expr) -> bool:
    """Whether an expression may give another value each time: an element at a place that is not fixed, or one picked."""
    for node in (value, *below(value)):
        if isinstance(node, Subscript) and not isinstance(node.index, Const):
            return True
        if isinstance(node, Call):
            if library.written(node.func) in PICKERS:
                return True
            frame = tree_of(project, call.module).frame(node)
            if any(body_of(found) is not None for found in project.engine.evaluator.value(node.func, frame)):
                return True
    return False
