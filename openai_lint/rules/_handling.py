"""What each API call lets out that nobody may let out, and how it ends: what the rules about handling start from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint.escapes import BROKEN, GROUP, RETRY_ERROR, Leak
from openai_lint.facts import Call, Expr, Function, Handler, Span, Stmt, Try
from openai_lint.link import library
from openai_lint.link.clauses import CATCHES, Clause, clause_of
from openai_lint.link.contracts import Contracts, Entry
from openai_lint.link.frameworks import FRAMEWORK_PAGES
from openai_lint.link.index import ModuleInfo
from openai_lint.link.project import ApiCall
from openai_lint.link.record import HandlerUse, Step
from openai_lint.link.values import External, Site
from openai_lint.rule import Place, Related
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project


@dataclass(frozen=True, slots=True, eq=False)
class Escape:
    """What one call lets out.

    ``created``: documented names that leave from the call itself; ``iterating``: the leaks that only the iteration of
    its result lets out, where that iteration is seen; ``lost``: names that die in a thread or a dropped task.
    ``wrapper`` is the class that a retry puts in their place; ``retried``: they leave through a retry, whatever it
    repeats. ``entry`` is where they end, ``steps`` lead there.
    """

    call: ApiCall
    created: tuple[str, ...]
    iterating: tuple[Leak, ...]
    lost: tuple[str, ...]
    grouped: bool
    wrapper: str | None
    retried: bool
    entry: Entry | None
    steps: tuple[Step, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The documented names that leave the call or are lost, in the order of the guide."""
        return tuple(name for name in self.call.release.documented if name in (*self.created, *self.lost))

    @property
    def transient(self) -> tuple[str, ...]:
        """Those of the names that may pass when tried again, if one of them is reason enough for a finding."""
        release = self.call.release
        found = tuple(name for name in self.names if name in release.transient)
        return found if release.triggers_transient.intersection(found) else ()

    @property
    def permanent(self) -> tuple[str, ...]:
        """Those of the names that the same request meets again, if one of them is reason enough for a finding."""
        release = self.call.release
        found = tuple(name for name in self.names if name in release.permanent)
        return found if release.triggers_permanent.intersection(found) else ()

    @property
    def complete(self) -> bool:
        """Whether no documented error is handled."""
        return set(self.names) >= set(self.call.release.documented)


@lru_cache(maxsize=1)
def escapes(project: "Project") -> tuple[Escape, ...]:
    """What every call lets out, but for dead ones, in order of place."""
    dead = dead_calls(project)
    escaping = Contracts(project).escaping()
    seen = {(leak.site, leak.error) for leaks in project.runs.values() for leak in leaks if leak.iterating}
    return tuple(
        _escape(project, call, escaping.get(call.site, {}), seen) for call in project.calls if call.site not in dead
    )


def judged(project: "Project") -> Iterator[Escape]:
    """The calls that OAI101 to OAI103 judge.

    No explicit retry is around them, and it is not merely their ``await`` that stands in the wrong place.
    """
    for escape in escapes(project):
        if escape.names and not escape.retried and awaited_outside(project, escape) is None:
            yield escape


def _escape(project: "Project", call: ApiCall, leaks: dict[Leak, list[Entry]], seen: set[tuple[Site, str]]) -> Escape:
    # A clause that crashes is a finding of its own, and mending it mends this.
    sound = {leak: entries for leak, entries in leaks.items() if leak.form != BROKEN}
    created = {leak.error for leak in sound if not leak.iterating}
    later = [leak for leak in sound if leak.iterating and leak.error not in created]
    if not created and not call.handled_by:
        # Nothing protects the creation: the iteration makes the first request (asynchronous pages).
        created, later = {leak.error for leak in later}, []
    iterating = tuple(leak for leak in later if (leak.site, leak.error) in seen)
    release = call.release
    lost = tuple(name for name in release.documented if name in call.lost)
    named = tuple(name for name in release.documented if name in created)
    grouped = bool(sound) and all(leak.form == GROUP for leak in sound)
    wrapper = next((leak.raised for leak in sound if leak.form == RETRY_ERROR), None)
    retried = call.retried or any(leak.retries for leak in sound)
    entry, steps = _way(project, call, sound)
    if lost and not named:
        entry, steps = None, (call.lost[lost[0]],)
    return Escape(call, named, iterating, lost, grouped, wrapper, retried, entry, steps)


def _way(project: "Project", call: ApiCall, leaks: dict[Leak, list[Entry]]) -> tuple[Entry | None, tuple[Step, ...]]:
    """Where one of the errors ends and how it gets there; the ones that matter most are asked first."""
    release = call.release
    order = [*release.triggers_transient, *release.triggers_permanent]
    ranked = sorted(
        leaks, key=lambda leak: (leak.iterating, leak.error not in order, leak.error, leak.retries, leak.raised)
    )
    for leak in ranked:
        for entry in leaks[leak]:
            steps = project.steps(call.site, leak.error, entry)
            if steps:
                return entry, tuple(steps)
    return next((entry for leak in ranked for entry in leaks[leak]), None), ()


# --- where and how it ends


def leaving(escape: Escape) -> Expr | Stmt:
    """Where the errors leave: the call, or where the function that makes it awaits or asks for its result."""
    call = escape.call
    step = escape.steps[0] if escape.steps and escape.created else None
    if step is None or step.module is not call.module or step.function is not call.site.function:
        return call.site.node
    return step.node


def runs_elsewhere(project: "Project", call: ApiCall) -> bool:
    """Whether the method is only handed on where it is named, and what is made of it there runs at another place."""
    site = call.site
    if any(invocation.node is site.node for invocation in call.invocations):
        return False
    where = site.function or site.module
    steps = (project.record.steps.get((where, site, error)) for error in call.release.inventory_errors)
    return not any(step is not None and step.node is site.node for step in steps)


def place(project: "Project", call: ApiCall) -> Place:
    """The call as findings show it."""
    return project.place(call.module, call.site.node.span)


def line_of(at: Place, seen_from: Place) -> str:
    """``line 3``, with the file or cell where it is another one."""
    if at.path != seen_from.path:
        return f"line {at.span[0]} of {at.path.rpartition('/')[2]}"
    return f"line {at.span[0]}" if at.cell == seen_from.cell else f"line {at.span[0]} of cell {at.cell}"


def path(project: "Project", escape: Escape) -> tuple[Related, ...]:
    """The steps from the call to where the errors end; nothing where they end at once."""
    if len(escape.steps) < 2 and not escape.lost:
        return ()
    if escape.lost and not escape.created:
        return tuple(Related(project.place(step.module, step.node.span), "started here") for step in escape.steps)
    entry = project.describe(escape.entry) if escape.entry is not None else None
    return project.related(replace(escape.call, path_steps=list(escape.steps), entry=entry))


def listed(names: tuple[str, ...], most: int = 10) -> str:
    """Names in a sentence."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def ending(project: "Project", escape: Escape) -> str:
    """What comes of it where the errors end, as a sentence of its own."""
    if escape.lost and not escape.created:
        return f"that dies in the {_worker(escape)}, where nobody sees it"
    end = _consequence(project, escape)
    return f"inside an ExceptionGroup, {end}" if escape.grouped else end


def _worker(escape: Escape) -> str:
    node = escape.steps[0].node if escape.steps else None
    word = library.written(node) if isinstance(node, Expr) else ""
    if word in ("create_task", "ensure_future", "start_soon", "spawn"):
        return "task"
    return {"submit": "future", "Process": "process"}.get(word, "thread")


def _consequence(project: "Project", escape: Escape) -> str:
    entry = escape.entry
    if entry is None or isinstance(entry, ModuleInfo):
        return _of_module(entry or escape.call.module)
    framework = framework_of(project, entry)
    if framework is not None:
        page = FRAMEWORK_PAGES[framework]
        # A handler that raises the error again may have told the user.
        return page.removesuffix(" and the user gets no answer") if uses_of(project, escape.call.site) else page
    record = project.record
    if entry in record.entries:
        return f"`{entry.qualname}()` hands that to its framework (@{record.entries[entry].replace('()', '')})"
    if entry in record.callbacks:
        return f"`{entry.qualname}()` hands that to whoever calls it back"
    return f"`{entry.qualname}()` lets that out, and no caller of it is seen"


def _of_module(module: ModuleInfo) -> str:
    if module.facts.cells:
        return "the cell stops with a traceback"
    if "streamlit" in {name.partition(".")[0] for name in module.imports}:
        return FRAMEWORK_PAGES["streamlit"]
    return "the program ends with a traceback"


def framework_of(project: "Project", function: Function) -> str | None:
    """The known framework that a function is handed to, by a decorator or as a callback."""
    paths: list[str] = []
    if function in project.record.entries and function in project.frames:
        engine = project.engine
        module = project.frames[function][0].module
        frame = engine.generic_frame(module.scope_of(function).parent or module.scope)
        for decorator in function.decorators:
            node = decorator.func if isinstance(decorator, Call) else decorator
            paths += [value.path for value in engine.evaluator.value(node, frame) if isinstance(value, External)]
    if function in project.record.callbacks:
        paths.append(project.record.callbacks[function][0])
    roots = [found.partition(".")[0] for found in paths]
    return next((root for root in roots if root in FRAMEWORK_PAGES), None)


# --- handlers on the way


def within(inner: Span, outer: Span) -> bool:
    """Whether a span lies in another one."""
    return (outer[0], outer[1]) <= (inner[0], inner[1]) and (inner[2], inner[3]) <= (outer[2], outer[3])


def body_span(node: Try) -> Span:
    """The span of the statements that a try protects."""
    first, last = node.body[0].span, node.body[-1].span
    return (first[0], first[1], last[2], last[3])


def try_of(handler: Handler, module: ModuleInfo) -> Try | None:
    """The try statement of a handler, if an expression stands in its body."""
    for tries in module.tries.values():
        for node in tries:
            if handler in node.handlers:
                return node
    return None


def clause(project: "Project", handler: Handler, module: ModuleInfo, function: Function | None) -> Clause:
    """The classes of a handler's clause."""
    if handler.type is None:
        return Clause((("BaseException",),))
    frame = project.engine.generic_frame(module.scope_of(function))
    return clause_of(project.engine.evaluator.value(handler.type, frame), project.engine)


BLIND = frozenset({"Exception", "BaseException"})


def is_blind(project: "Project", use: HandlerUse) -> bool:
    """Whether a handler takes every error (``except:``, ``except Exception``), whatever it is."""
    alternatives = clause(project, use.handler, use.module, use.function).alternatives
    return bool(alternatives) and all(paths is not None and not BLIND.isdisjoint(paths) for paths in alternatives)


def uses_of(project: "Project", site: Site) -> list[HandlerUse]:
    """The handlers that caught an error of a call's creation, nearest to the call first."""
    found = [use for use in project.handlers() if any(leak.site is site for leak in use.caught)]
    return sorted(found, key=lambda use: (use.module is not site.module, abs(use.handler.span[0] - site.node.span[0])))


def awaited_outside(project: "Project", escape: Escape) -> tuple[Try, Handler, Expr | Stmt] | None:
    """The try in which a coroutine or future is made, a clause that would catch, and where it is asked for instead."""
    call = escape.call
    tries = call.module.tries.get(call.site.node, ())
    if not tries or not escape.created or not escape.steps:
        return None
    step = escape.steps[0]
    made_here = any(made.node is call.site.node for made in call.invocations)
    if not made_here or step.node is call.site.node or isinstance(step.node, Stmt):
        return None
    raised = [f"openai.{name}" for name in escape.created]
    for node in reversed(tries):
        if step.module is call.module and within(step.node.span, body_span(node)):
            return None
        for handler in node.handlers:
            found = clause(project, handler, call.module, call.site.function)
            sample = [Leak(call.site, name[7:], name, "raw", False, 0) for name in raised]
            if found.alternatives and any(found.verdict(leak, call.release) == CATCHES for leak in sample):
                return node, handler, step.node
    return None
