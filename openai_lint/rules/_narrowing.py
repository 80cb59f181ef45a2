"""Retries that are told to try again only what may pass: predicates by library, and a clause for loops by hand."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, For, Function, Jump
from openai_lint.link import library
from openai_lint.link.blocks import inside
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import AddClauses, NewClause, Replace, Rewrite, SetKeywords, Step
from openai_lint.rules._policy_edits import named_in, one_of, staying
from openai_lint.rules._retries import Retry
from openai_lint.rules._suggest import covering, imported, needs, shadowed, spelled, text_of, transient

if TYPE_CHECKING:
    from openai_lint.link import Project


def narrow(project: "Project", retry: Retry, permanent: Iterable[str]) -> Rewrite | None:
    """Retries only what may pass."""
    policy, call = retry.policy, retry.calls[0]
    node, module = policy.node, policy.module
    if policy.by == "loop":
        return _narrow_loop(project, retry, permanent)
    # What else runs under the policy, perhaps another vendor's client, may count on it.
    decorated = tree_of(project, module).parent(node)
    if isinstance(decorated, Function) and any(one.site.function is not decorated for one in retry.calls):
        return None
    names = transient(module, call.release)
    wanted = one_of(names)
    message = "retry only what may pass"
    if shadowed(project, module, node, names):
        return None
    imports = needs(module, call.release, names, node.span)
    if not isinstance(node, Call) or any(arg.star for arg in node.args):
        return None
    given = {arg.keyword: arg for arg in node.args if arg.keyword is not None}
    positional = [arg for arg in node.args if arg.keyword is None]
    step: Step | None = None
    match policy.by:
        case "tenacity" if not positional:
            prefix, more = named_in(project, module, node, "tenacity", (("retry", "retry_if_exception_type()"),))
            present = given.get("retry")
            if more is None:
                return None
            if present is None:
                step = SetKeywords(node.span, (("retry", f"{prefix}retry_if_exception_type({wanted})"),))
                imports = (*imports, *more)
            elif isinstance(present.value, Call) and library.written(present.value.func) == "retry_if_exception_type":
                inner = present.value.args
                step = Replace(inner[0].value.span, wanted) if len(inner) == 1 else None
        case "backoff":
            target = given.get("exception") or (positional[1] if len(positional) > 1 else None)
            step = Replace(target.value.span, wanted) if target is not None else None
        case "stamina":
            target = given.get("on") or next(iter(positional), None)
            step = Replace(target.value.span, wanted) if target is not None else None
        case "retry":
            target = given.get("exceptions") or next(iter(positional), None)
            step = (
                Replace(target.value.span, wanted)
                if target is not None
                else SetKeywords(node.span, (("exceptions", wanted),))
            )
        case "celery" if "autoretry_for" in given:
            step = Replace(given["autoretry_for"].value.span, wanted if len(names) > 1 else f"({wanted},)")
    return Rewrite(module.path, message, (step,), imports) if step is not None else None


def _narrow_loop(project: "Project", retry: Retry, permanent: Iterable[str]) -> Rewrite | None:
    """A clause for what never passes in front of the one that leads to another attempt: it says the same and stops.

    It leaves the loop as the last attempt does; one that has no last attempt is followed by what needs the answer.
    """
    node, module, release = retry.policy.node, retry.policy.module, retry.calls[0].release
    handlers = list(staying(project, module, node))
    if len(handlers) != 1 or handlers[0].type is None or not isinstance(node, (For, facts.While)) or node.orelse:
        return None
    handler = handlers[0]
    body = [one for one in handler.body if not (isinstance(one, Jump) or _sleeps(one) or _gives_up(one))]
    if any(getattr(one, "body", None) or one.span[0] != one.span[2] for one in body):
        return None
    raising = isinstance(node, facts.While) or any(isinstance(one, facts.Raise) for one in inside(handler.body))
    said = [text for one in body if not _AGAIN.search(text := text_of(module, one.span))]
    if not said and not raising:
        return None
    types = spelled(module, release, covering(release, permanent))
    if shadowed(project, module, handler.body[0], types):
        return None
    name = (
        handler.name if any(handler.name and re.search(rf"(?<![\w.]){handler.name}\b", text) for text in said) else None
    )
    clause = NewClause(tuple(types), name, (*said, "raise" if raising else "break"))
    step = AddClauses(handler.header, (clause,), before=True)
    wanted, more = imported(project, module, handler.body[0], needs(module, release, types, handler.span))
    return Rewrite(module.path, "stop at what never passes", (step, *more), wanted)


_AGAIN = re.compile(r"retry|again|wait|sleep|attempt|backoff", re.IGNORECASE)
"""What is said of another attempt, which there will not be."""


def _gives_up(node: facts.Stmt) -> bool:
    """``if attempt == 5: raise``."""
    return (
        isinstance(node, facts.If)
        and not node.orelse
        and isinstance(node.test, facts.Compare)
        and len(node.body) == 1
        and isinstance(node.body[0], facts.Raise)
    )


def _sleeps(node: facts.Stmt) -> bool:
    return not hasattr(node, "body") and any(
        isinstance(found, Call) and library.written(found.func) == "sleep" for found in inside((node,))
    )
