"""How often a retry loop asks again after one error, where it counts that one apart from the others."""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import RAW, Leak
from openai_lint.link.blocks import inside
from openai_lint.link.clauses import CATCHES, clause_of
from openai_lint.link.policy import Policy
from openai_lint.link.project import ApiCall
from openai_lint.link.rehearsal import Rehearsal
from openai_lint.link.tree import tree_of

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.values import Frame

LIMIT = "RateLimitError"
"""The error by which the attempts of a policy are counted."""


def attempts(project: "Project", policy: Policy, call: ApiCall, name: str) -> int | None:
    """The attempts of a policy after this error; None where the code counts it in another way and does not tell."""
    node = policy.node
    if not isinstance(node, (facts.For, facts.While)) or policy.attempts is None:
        return policy.attempts
    trials = [one for one in inside(node.body) if isinstance(one, facts.Try) and one.handlers]
    if len(trials) != 1:
        return policy.attempts
    frame = tree_of(project, policy.module).frame(node)
    mine, usual = (_counted(project, frame, node, trials[0], _leak(call, one)) for one in (name, LIMIT))
    return policy.attempts if mine == usual else mine


def _leak(call: ApiCall, name: str) -> Leak:
    return Leak(call.site, name, f"openai.{name}", RAW, False, 0)


def _counted(
    project: "Project", frame: "Frame", node: facts.For | facts.While, trial: facts.Try, leak: Leak
) -> int | None:
    engine = project.engine
    for handler in trial.handlers:
        if handler.type is not None:
            clause = clause_of(engine.evaluator.value(handler.type, frame), engine)
            if clause.verdict(leak, leak.site.release) != CATCHES:
                continue
        return Rehearsal(engine, frame, trial, handler, leak).loop(node).attempts
    return None
