"""Retries around raw HTTP to an OpenAI host: loops, decorators, and what a session or client repeats by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, For, Handler, Try, While
from openai_lint.link import library, retry_transports
from openai_lint.link.blocks import leaves
from openai_lint.link.http import HttpRequest, requests
from openai_lint.link.loops import hand_loop
from openai_lint.link.origins import origins_of
from openai_lint.link.policy import Policy
from openai_lint.link.tree import tree_of
from openai_lint.rule import Place, Related
from openai_lint.rules._retries import header

if TYPE_CHECKING:
    from openai_lint.link import Project


@dataclass(frozen=True, slots=True, eq=False)
class HttpRetry:
    """A policy around one raw request."""

    policy: Policy
    request: HttpRequest

    def place(self, project: "Project") -> Place:
        """Where the policy is written."""
        return project.place(self.policy.module, header(self.policy.module, self.policy.node.span))

    def related(self, project: "Project") -> tuple[Related, ...]:
        """The request."""
        place = project.place(self.request.module, self.request.node.span)
        return (Related(place, f"retries `{self.request.call}`, sent here"),)

    def wait(self) -> str:
        """How to wait better."""
        if self.policy.by == "urllib3":
            return "Let it grow: Retry(..., backoff_factor=1)"
        sleep = "await asyncio.sleep" if self.request.asynchronous else "time.sleep"
        return f"Wait longer each time, with something random in it:\n{sleep}(min(60, 2**attempt) + random.random())"

    def stop(self) -> str:
        """How to come to an end."""
        if self.policy.by == "urllib3":
            return "Give it an end: Retry(total=5, ...)"
        return "Count the attempts, and give up after the last:\nfor attempt in range(6):"


@lru_cache(maxsize=1)
def loops(project: "Project") -> tuple[HttpRetry, ...]:
    """Every policy around a raw request, each once."""
    found: dict[object, HttpRetry] = {}
    for request in requests(project):
        for policy in _around(project, request):
            if not policy.idle and not policy.cover:
                found.setdefault(policy.node, HttpRetry(policy, request))
    return tuple(found.values())


def _around(project: "Project", request: HttpRequest) -> Iterator[Policy]:
    tree = tree_of(project, request.module)
    engine = project.engine
    if request.function is not None:
        frame = tree.frame(request.function)
        for decorator in request.function.decorators:
            for value in engine.evaluator.value(decorator, frame):
                policy = engine.policies.of(value, decorator, frame)
                if policy is not None:
                    yield policy
    yield from _mounted(project, request)
    trial: Try | None = None
    for parent, child in tree.above(request.node):
        if isinstance(parent, facts.Function):
            return
        if isinstance(parent, Try) and child in parent.body and trial is None:
            trial = parent
        handler = _staying(trial) if trial is not None else None
        if trial is not None and handler is not None and isinstance(parent, (For, While)):
            policy = hand_loop(engine, tree.frame(request.node), parent, trial, handler)
            if policy is not None:
                yield policy


def _mounted(project: "Project", request: HttpRequest) -> Iterator[Policy]:
    """What urllib3 repeats for a session (``session.mount(...)``), and httpx for a client (``transport=...``)."""
    engine = project.engine
    given = request.option("transport")
    if given is not None:
        node, module = given
        for value in engine.evaluator.value(node, tree_of(project, module).frame(node)):
            policy = retry_transports.read(value, request.verb, node, module)
            if policy is not None:
                yield policy
    made = {origin.node for origin in request.session}
    for module in {origin.module for origin in request.session} | {request.module}:
        if "mount" not in module.facts.identifiers:
            continue
        tree = tree_of(project, module)
        for call in tree.of(Call):
            if library.written(call.func) != "mount" or not isinstance(call.func, facts.Attr) or len(call.args) < 2:
                continue
            if made.isdisjoint(origin.node for origin in origins_of(project).of(call.func.value, module)):
                continue
            for value in engine.evaluator.value(call.args[1].value, tree.frame(call)):
                policy = retry_transports.read(value, request.verb, call, module)
                if policy is not None:
                    yield policy


def _staying(trial: Try) -> Handler | None:
    """The first handler that does not leave."""
    return next((one for one in trial.handlers if not leaves(one.body)), None)
