"""What instructor makes of a call that asks for a model: its own retries, and its own error around every other one."""

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint.facts import Expr
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import VAGUE
from openai_lint.link.values import Client, Frame, Symbolic

if TYPE_CHECKING:
    from openai_lint.link.arguments import Arguments
    from openai_lint.link.engine import Engine

WRAPPER, OPTION, MODEL = "instructor.", "max_retries", "response_model"
ERROR = "instructor.exceptions.InstructorRetryException"


def read(engine: "Engine", client: Client, args: "Arguments", node: Expr, frame: Frame) -> Policy | None:
    """The policy that ``max_retries=`` writes into a call on a client that instructor has patched.

    How often the API's errors are repeated differs between its releases (up to 1.6 like any failure, later not at
    all), so nothing is said of that; every release wraps what is left.
    """
    given = args.keywords.get(OPTION)
    if client.wrapped is None or not client.wrapped.startswith(WRAPPER) or given is None or MODEL not in args.keywords:
        return None
    policy = Policy("instructor", node, frame.module, None, True, "growing", True, VAGUE)
    for value in given:
        own = engine.policies.of(value, node, frame) if isinstance(value, Symbolic) else None
        policy = own if own is not None else policy
    return replace(policy, after=ERROR, wraps=True)
