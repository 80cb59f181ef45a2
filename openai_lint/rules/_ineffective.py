"""Retry policies that never come to retry, and those whose own error passes by the handler that waits for the SDK's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import NO_LEAKS, RAW, RETRY_ERROR, Leak, Leaks
from openai_lint.facts import Await, Block, Call, Expr, Function, Handler, Span
from openai_lint.link import library
from openai_lint.link.blocks import inside, leaves
from openai_lint.link.clauses import CATCHES
from openai_lint.link.index import ModuleInfo
from openai_lint.link.loops import hand_loop
from openai_lint.link.policy import Policy
from openai_lint.link.predicates import body_of
from openai_lint.link.record import Step
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Deferred, Frame, FunctionRef, Site
from openai_lint.rules._handling import BLIND, clause
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.engine import Engine

BARE, GENERATOR, COROUTINE, RETURNS, SWALLOWS = "bare", "generator", "coroutine", "returns", "swallows"


@dataclass(frozen=True, slots=True, eq=False)
class Ineffective:
    """A policy around a function that it never runs a second time, why, and the calls inside that nobody retries.

    ``handler`` is the one that swallows the errors.
    """

    policy: Policy
    function: Function
    why: str
    sites: tuple[Site, ...]
    handler: Handler | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PassedBy:
    """A policy whose error goes past a handler for the SDK's: the handler, where it is, and one call and name."""

    policy: Policy
    handler: Handler
    module: ModuleInfo
    site: Site
    error: str


# --- policies that never retry


@lru_cache(maxsize=1)
def without_effect(project: "Project") -> tuple[Ineffective, ...]:
    """The policies without effect, in order of place."""
    dead = dead_calls(project)
    found = []
    for function, policies in project.record.decorators.items():
        for policy in policies:
            judged = _judge(project, function, policy) if not policy.cover else None
            if judged is not None and not dead.issuperset(judged.sites):
                found.append(judged)
    found += [one for one in _hand_made(project) if not dead.issuperset(one.sites)]
    return tuple(sorted(found, key=lambda one: (one.policy.module.path, one.policy.node.span)))


def _hand_made(project: "Project") -> Iterator[Ineffective]:
    """Decorators of the project whose loop hands out what fails later: a coroutine or a generator."""
    engine = project.engine
    for function, frames in list(project.frames.items()):
        if not function.decorators or not (function.is_async or function.is_generator):
            continue
        for value in engine.calls.defined(function, engine.defining_frame(frames[0])):
            if not isinstance(value, FunctionRef) or value.function is function or value.function.is_async:
                continue
            frame = Frame(value.parent.module, value.function, value.parent)
            policy = _handing_out(engine, frame, value.function, function)
            raised = frozenset(leak for one in frames for leak in engine.calls.lets_out(one)) if policy else NO_LEAKS
            if policy is not None and raised:
                yield Ineffective(policy, function, GENERATOR if function.is_generator else COROUTINE, _sites(raised))


def _handing_out(engine: "Engine", frame: Frame, wrapper: Function, function: Function) -> Policy | None:
    """The retry loop of a wrapper that only gives back what calling the function gives."""
    for loop in inside(wrapper.body):
        if not isinstance(loop, (facts.For, facts.While)):
            continue
        for trial in inside(loop.body):
            if not isinstance(trial, facts.Try) or not any(
                isinstance(node, facts.Return)
                and node.value is not None
                and _is_call(engine, frame, node.value, function)
                for node in inside(trial.body)
            ):
                continue
            for handler in trial.handlers:
                policy = hand_loop(engine, frame, loop, trial, handler) if not leaves(handler.body) else None
                if policy is not None:
                    return policy
    return None


def _is_call(engine: "Engine", frame: Frame, node: Expr, function: Function) -> bool:
    if not isinstance(node, Call):
        return False
    return any(body_of(value) is function for value in engine.evaluator.value(node.func, frame))


def _judge(project: "Project", function: Function, policy: Policy) -> Ineffective | None:
    if policy.by == "retry" and not policy.enabled:
        own = tuple(call.site for call in project.calls if call.site.function is function)
        return Ineffective(policy, function, BARE, own) if own else None
    if policy.idle:
        return None
    raised, later = _lets_out(project, function, policy)
    if raised and function.is_generator and not policy.generators:
        return Ineffective(policy, function, GENERATOR, _sites(raised))
    if raised and function.is_async and not policy.asynchronous:
        return Ineffective(policy, function, COROUTINE, _sites(raised))
    if raised:
        return None
    if later and not function.is_async and not function.is_generator:
        return Ineffective(policy, function, RETURNS, _sites(later))
    return _swallowed(project, function, policy) if not later else None


def _sites(leaks: Leaks) -> tuple[Site, ...]:
    found = {leak.site for leak in leaks}
    return tuple(sorted(found, key=lambda site: (site.module.path, site.node.span)))


def _lets_out(project: "Project", function: Function, policy: Policy) -> tuple[Leaks, Leaks]:
    """The documented errors that the bare function raises, and those of the coroutines that it gives, as far as the
    policy would take them up.
    """
    engine = project.engine
    raised, later = NO_LEAKS, NO_LEAKS
    for frame in project.frames.get(function, ()):
        engine.memo, engine.call_memo = {}, {}
        raised |= engine.calls.lets_out(frame)
        returned = engine.calls.gives(frame).returns
        deferred = frozenset(value for value in returned if isinstance(value, Deferred) and value.on == "await")
        later |= engine.triggers.trigger("await", deferred).leaks
    return _wanted(project, raised, policy), _wanted(project, later, policy)


def _wanted(project: "Project", leaks: Leaks, policy: Policy) -> Leaks:
    accepts = project.engine.policies.accepts
    return frozenset(
        leak for leak in leaks if leak.error in leak.site.release.documented and accepts(policy, leak) is not False
    )


def _swallowed(project: "Project", function: Function, policy: Policy) -> Ineffective | None:
    """A function that handles every error of its calls without raising anything: the policy never sees one."""
    if policy.retries.has("result", "vague", "function", "none") or _raises(function.body):
        return None
    sites, handler = [], None
    for call in project.calls:
        if call.site.function is not function:
            continue
        transient = set(call.release.transient)
        sample = (Leak(call.site, name, f"openai.{name}", RAW, False, 0) for name in call.release.transient)
        if not any(project.engine.policies.accepts(policy, leak) for leak in sample):
            return None
        here = [
            (node, names) for node, module, names in call.handled_by
            if isinstance(node, Handler) and module is call.module and _within(node, function)
        ]  # fmt: skip
        if not transient <= set().union(*(names for _, names in here)):
            return None
        sites.append(call.site)
        handler = handler or here[0][0]
    return Ineffective(policy, function, SWALLOWS, tuple(sites), handler) if sites else None


def _raises(body: Block) -> bool:
    """Whether statements raise something of their own that no blind handler around takes back."""
    for node in body:
        match node:
            case facts.Raise():
                return True
            case facts.Try():
                blind = any(one.type is None or library.written(one.type) in BLIND for one in node.handlers)
                behind = (*(one.body for one in node.handlers), node.orelse, node.finalbody)
                if (not blind and _raises(node.body)) or any(_raises(block) for block in behind):
                    return True
            case facts.Function() | facts.Class():
                continue
            case _:
                if _raises(tuple(child for child in facts.children(node) if isinstance(child, facts.Stmt))):
                    return True
    return False


def _within(node: Handler, function: Function) -> bool:
    return function.span[:2] <= node.span[:2] and node.span[2:] <= function.span[2:]


# --- errors of policies that pass by


@lru_cache(maxsize=1)
def passed_by(project: "Project") -> tuple[PassedBy, ...]:
    """Each policy whose RetryError goes past a handler that would have caught the SDK's own error, once."""
    wrapping = {
        policy: sites
        for policy, sites in project.policies().items()
        if policy.after not in ("original", "nothing") and not policy.cover
    }
    if not wrapping:
        return ()
    found: dict[tuple[ModuleInfo, object], PassedBy] = {}
    for policy, sites in wrapping.items():
        for one in _around_block(project, policy, sites):
            found.setdefault((policy.module, policy.node), one)
    for site, error, step in _tried(project):
        policies = [policy for policy, sites in wrapping.items() if site in sites]
        if policies:
            for one in _at_step(project, step, site, error, policies):
                found.setdefault((one.policy.module, one.policy.node), one)
    return tuple(sorted(found.values(), key=lambda one: (one.policy.module.path, one.policy.node.span)))


def _tried(project: "Project") -> list[tuple[Site, str, Step]]:
    """The steps of errors' ways that stand in a try, in the order of places, and of the guide for each."""
    found = [
        (site, error, step)
        for (_, site, error), step in project.record.steps.items()
        if isinstance(step.node, Expr) and step.module.tries.get(step.node)
    ]

    def order(item: tuple[Site, str, Step]) -> tuple[str, Span, str, Span, int]:
        site, error, step = item
        ranked = site.release.inventory_errors
        rank = ranked.index(error) if error in ranked else len(ranked)
        return step.module.path, step.node.span, site.module.path, site.node.span, rank

    return sorted(found, key=order)


def _around_block(project: "Project", policy: Policy, sites: dict[Site, set[str]]) -> Iterator[PassedBy]:
    """``for attempt in Retrying(...)`` inside a try."""
    if not isinstance(policy.node, Call):
        return
    tree = tree_of(project, policy.module)
    if not isinstance(tree.parent(policy.node), facts.For):
        return
    function = tree.function(policy.node)
    for site, errors in sites.items():
        for error in sorted(errors):
            leak = Leak(site, error, policy.after, RETRY_ERROR, False, 1)
            step = Step(policy.module, function, policy.node)
            handler = _gone_past(project, step, leak)
            if handler is not None:
                yield PassedBy(policy, handler, policy.module, site, error)


def _at_step(project: "Project", step: Step, site: Site, error: str, policies: list[Policy]) -> Iterator[PassedBy]:
    for leak in _leaks_of(project, step):
        if leak.site is not site or leak.error != error or leak.form != RETRY_ERROR:
            continue
        policy = next((policy for policy in policies if policy.after == leak.raised), None)
        handler = _gone_past(project, step, leak) if policy is not None else None
        if policy is not None and handler is not None:
            yield PassedBy(policy, handler, step.module, site, error)


def _leaks_of(project: "Project", step: Step) -> Leaks:
    """What the expression of a step raises."""
    engine = project.engine
    frames = [Frame(step.module, None)] if step.function is None else project.frames.get(step.function, [])
    leaks = NO_LEAKS
    for frame in frames:
        engine.memo, engine.call_memo = {}, {}
        if isinstance(step.node, Call):
            leaks |= engine.calls.call(step.node, frame).leaks
        elif isinstance(step.node, Await):
            leaks |= engine.triggers.trigger("await", engine.evaluator.value(step.node.value, frame)).leaks
    return leaks


def _gone_past(project: "Project", step: Step, leak: Leak) -> Handler | None:
    """The handler that would catch the SDK's error here and does not catch what the policy makes of it."""
    release = leak.site.release
    plain = leak.inside()
    tries = step.module.tries.get(step.node, ()) if isinstance(step.node, Expr) else ()
    for node in reversed(tries):
        meanings = [(handler, clause(project, handler, step.module, step.function)) for handler in node.handlers]
        if any(paths is not None and leak.raised in paths for _, meaning in meanings for paths in meaning.alternatives):
            return None  # whoever wrote this knows of both
        for handler, meaning in meanings:
            if not meaning.alternatives or meaning.verdict(leak, release) == CATCHES:
                return None
            if meaning.verdict(plain, release) == CATCHES:
                return handler
    return None
