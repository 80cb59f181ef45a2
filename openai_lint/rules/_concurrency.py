"""Requests that go out all at once: what is gathered, how many there may be, and what keeps their number down."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function, Name
from openai_lint.link import library
from openai_lint.link.blocks import below, inside
from openai_lint.link.callers import callers_of
from openai_lint.link.index import ModuleInfo
from openai_lint.link.predicates import body_of
from openai_lint.link.project import ApiCall
from openai_lint.link.queries_versions import once
from openai_lint.link.tree import tree_of
from openai_lint.link.values import (
    Deferred,
    Display,
    External,
    Frame,
    Group,
    Lazy,
    Literal,
    Request,
    Resource,
    Site,
    Value,
)
from openai_lint.rules._blocking import blocked
from openai_lint.rules._bulk import size_of

if TYPE_CHECKING:
    from openai_lint.link import Project

MOST = 32
"""More than so many requests at once are many."""

GATHERERS = frozenset({"gather", "as_completed", "wait"})
TASKS = frozenset({"create_task", "ensure_future", "start_soon"})
POOLS = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "Pool", "ThreadPool"})

LIMITERS = re.compile(r"sem(aphore)?$|sema|limit|throttl|bucket|quota|concurren|rate|gate|slot|lock", re.IGNORECASE)
"""Words in what is entered or called that keep the number down."""

BATCHES = re.compile(r"batch|chunk|group|window|slice|page", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Burst:
    """One place that sets many requests going: the expression, what is gone through, and the calls behind it."""

    module: ModuleInfo
    node: Expr
    what: str
    sites: tuple[Site, ...]
    count: int | None


def bursts(project: "Project") -> Iterator[Burst]:
    """Every place that may send more requests at once than ``MOST``, with nothing to keep them down."""
    by_site = {call.site: call for call in project.calls}
    if not by_site:
        return
    for module in project.modules:
        tree = tree_of(project, module)
        waited_for: set[tuple[object, str]] = set()
        for node in tree.of(Call):
            name = library.written(node.func)
            if name in GATHERERS:
                found = _gathered(project, module, node, by_site)
                same = [(tree.runner(node), arg.value.id) for arg in node.args if isinstance(arg.value, Name)]
                if found is not None and same and waited_for.issuperset(same):
                    continue  # the tasks that were gathered before, looked after once more
                waited_for.update(same)
            elif name in TASKS:
                found = _started(project, module, node, by_site)
            elif name in POOLS:
                found = _pool(project, module, node, by_site)
            else:
                continue
            if found is not None:
                yield found


# --- gather and its kin


def _gathered(project: "Project", module: ModuleInfo, node: Call, by_site: dict[Site, ApiCall]) -> Burst | None:
    """``gather(*(ask(x) for x in items))``, ``gather(*tasks)``, ``as_completed(tasks)``."""
    frame = tree_of(project, module).frame(node)
    for arg in node.args:
        starred = arg.star == "*" or library.written(node.func) in ("as_completed", "wait")
        if arg.keyword is not None or not starred:
            continue
        sites, functions = _behind(project, project.engine.evaluator.value(arg.value, frame))
        live = _at_once(project, functions, sites, by_site)
        if not live or _held_down(project, module, node, arg.value, functions, live):
            continue
        size = _size(project, module, node, arg.value)
        if size is None or size > MOST:
            return Burst(module, node, library.written(node.func), live, size)
    return None


def _started(project: "Project", module: ModuleInfo, node: Call, by_site: dict[Site, ApiCall]) -> Burst | None:
    """``group.create_task(ask(x))`` in a loop over a collection, in a task group."""
    tree = tree_of(project, module)
    groups = [
        item
        for parent, _ in tree.above(node)
        if isinstance(parent, facts.With)
        for item in parent.items
        if library.written(item.context) in ("TaskGroup", "create_task_group", "open_nursery")
    ]
    if not groups or not isinstance(node.func, facts.Attr) or not node.args:
        return None
    loop = next(
        (parent for parent, _ in tree.above(node) if isinstance(parent, (facts.For, facts.Comprehension))), None
    )
    if loop is None:
        return None
    given = project.engine.evaluator.value(node.args[0].value, tree.frame(node))
    sites, functions = _behind(project, given)
    live = _at_once(project, functions, sites, by_site)
    iterables = [loop.iterable] if isinstance(loop, facts.For) else [clause.iterable for clause in loop.clauses]
    sizes = [size_of(project, module, iterable) for iterable in iterables]
    size = None if None in sizes else max(item or 0 for item in sizes)
    if not live or (size is not None and size <= MOST) or any(_batched(item) for item in iterables):
        return None
    if _held_down(project, module, node, node.args[0].value, functions, live):
        return None
    return Burst(module, node, "TaskGroup", live, size)


def _at_once(
    project: "Project", functions: set[Function], sites: tuple[Site, ...], by_site: dict[Site, ApiCall]
) -> tuple[Site, ...]:
    """The calls that coroutines make side by side and nothing repeats: one that blocks lets no other begin."""
    live = tuple(site for site in sites if site in by_site and by_site[site].policy is None)
    if not live:
        return ()
    run = _reached(project, functions)
    alone = {site for site, function in _in_turn(project) if function in run}
    return tuple(site for site in live if site not in alone)


@once
def _in_turn(project: "Project") -> tuple[tuple[Site, Function], ...]:
    """Calls that block an event loop, each with the coroutine that comes to it."""
    return tuple((found.call.site, found.function) for found in blocked(project) if isinstance(found.call, ApiCall))


def _behind(project: "Project", values: Any) -> tuple[tuple[Site, ...], set[Function]]:
    """The calls that awaiting these values makes, and the coroutines of the project that are run for it."""
    sites: dict[Site, None] = {}
    functions: set[Function] = set()
    stack: list[tuple[Value, int]] = [(value, 0) for value in values]
    while stack:
        value, depth = stack.pop()
        if depth > 6:
            continue
        match value:
            case Display():
                stack += [(item, depth + 1) for _, found in value.items for item in found]
            case Deferred(source=Group() as group):
                if group.policy is None:
                    stack += [(item, depth + 1) for item in group.members]
            case Deferred(source=Lazy() as lazy):
                stack += [(item, depth + 1) for item in project.engine.evaluator.value(lazy.node.element, lazy.frame)]
            case Deferred(source=Request() as request):
                sites[request.site] = None
            case Deferred(source=Frame() as frame):
                if isinstance(frame.function, Function):
                    functions.add(frame.function)
                sites.update({leak.site: None for leak in project.engine.calls.lets_out(frame)})
                sites.update(dict.fromkeys(_named(project, frame.function)))
            case _:
                continue
    return tuple(sites), functions


def _named(project: "Project", function: object) -> list[Site]:
    """The calls that stand in a function itself, whether or not their errors leave it."""
    return [call.site for call in project.calls if call.site.function is function]


# --- what keeps the number down


def _held_down(
    project: "Project",
    module: ModuleInfo,
    node: Call,
    given: Expr,
    functions: set[Function],
    sites: tuple[Site, ...],
) -> bool:
    """Whether a semaphore, a limiter or batches keep the number of requests down."""
    around = list(tree_of(project, module).above(node))
    if any(isinstance(parent, facts.With) and _limits(project, module, parent) for parent, _ in around):
        return True
    if any(isinstance(parent, (facts.For, facts.While)) and _steps(parent) for parent, _ in around):
        return True
    if any(_batched(part) for part in (given, *below(given)) if isinstance(part, Expr)):
        return True
    if _given_in_portions(project, module, node, given):
        return True
    wanted = functions | {site.function for site in sites if site.function is not None}
    for function in _reached(project, wanted):
        frames = project.frames.get(function)
        home = frames[0].module if frames else module
        if any(_limiting(project, home, part) for part in inside(function.body)):
            return True
    return any(_limiting(project, module, part) for part in (given, *below(given)))


def _given_in_portions(project: "Project", module: ModuleInfo, node: Call, given: Expr) -> bool:
    """Whether every caller hands over a portion (``ask_all(questions[at : at + 5])``) of what is gone through."""
    runner = tree_of(project, module).runner(node)
    if runner is None:
        return False
    bindings = module.scope_of(runner).bindings
    made = [given] if not isinstance(given, Name) else [one.node for one in bindings.get(given.id, ())]
    names = {
        clause.iterable.id
        for one in made
        if isinstance(one, facts.Comprehension)
        for clause in one.clauses
        if isinstance(clause.iterable, Name)
    }
    for loop in inside(runner.body):
        if isinstance(loop, facts.For) and isinstance(loop.iterable, Name):
            names.add(loop.iterable.id)
    taken = [param.name for param in runner.params if param.name in names]
    uses = [use for use in callers_of(project).of(runner, module) if not use.module.is_test]
    return bool(taken and uses) and all(
        any(_batched(arg) for name in taken if (arg := use.argument(runner, name)) is not None) for use in uses
    )


def _reached(project: "Project", functions: set[Function]) -> set[Function]:
    """The functions, and those of the project that call one another between them and the request."""
    found = set(functions)
    stack = list(functions)
    while stack and len(found) < 40:
        current = stack.pop()
        for callee in project.callees.get(current, ()):
            if callee not in found:
                found.add(callee)
                stack.append(callee)
    return found


def _limiting(project: "Project", module: ModuleInfo, node: Any) -> bool:
    if isinstance(node, facts.With):
        return _limits(project, module, node)
    if (
        isinstance(node, Call)
        and isinstance(node.func, facts.Attr)
        and node.func.attr in ("acquire", "wait_for_capacity")
    ):
        return True
    return isinstance(node, Call) and bool(LIMITERS.search(library.written(node.func)))


def _limits(project: "Project", module: ModuleInfo, node: facts.With) -> bool:
    """Whether entering one of the managers waits for others to leave it: by what it is, or by its name."""
    for item in node.items:
        values = project.engine.evaluator.value(item.context, tree_of(project, module).frame(node))
        paths = [library.last(value.path) for value in values if isinstance(value, External)]
        if any(LIMITERS.search(word) for word in (_words(item.context), *paths)):
            return True
    return False


def _words(node: Expr) -> str:
    return library.dotted(node) or library.written(node)


def _steps(loop: facts.For | facts.While) -> bool:
    """Whether a loop goes through its work in portions."""
    if isinstance(loop, facts.While):
        return True
    iterable = loop.iterable
    if isinstance(iterable, Call) and library.written(iterable.func) == "range" and len(iterable.args) == 3:
        return True
    return _batched(iterable) or bool(BATCHES.search(library.written(loop.target)))


def _batched(node: Any) -> bool:
    if isinstance(node, facts.Subscript):
        return isinstance(node.index, facts.Sequence) and node.index.kind == "slice"
    word = library.written(node) if isinstance(node, Expr) else ""
    return bool(word) and bool(BATCHES.search(word))


# --- how many


def _size(project: "Project", module: ModuleInfo, node: Call, given: Expr) -> int | None:
    if isinstance(given, Call) and isinstance(given.func, facts.Attr) and given.func.attr == "values":
        given = given.func.value  # ``tasks["summary"] = ask(...)``
    if not isinstance(given, Name):
        return size_of(project, module, given)
    scope = module.scope_of(tree_of(project, module).runner(node))
    bindings = scope.bindings.get(given.id, ())
    filled = [binding for binding in bindings if binding.kind == "into"]
    if filled:
        return _filled(project, module, filled)
    values = [binding.node for binding in bindings if binding.kind == "value" and not binding.path]
    sizes = [size_of(project, module, value) for value in values]
    return max((size for size in sizes if size is not None), default=None) if sizes and None not in sizes else None


def _filled(project: "Project", module: ModuleInfo, filled: list[Any]) -> int | None:
    """How often ``tasks.append(...)`` runs."""
    tree = tree_of(project, module)
    total = 0
    for binding in filled:
        if _by_fixed_key(tree.parent(binding.node)):
            total += 1
            continue
        loops = []
        for parent, _ in tree.above(binding.node):
            if isinstance(parent, Function):
                break
            if isinstance(parent, (facts.For, facts.While)):
                loops.append(parent)
        times = 1
        for loop in loops:
            size = size_of(project, module, loop.iterable) if isinstance(loop, facts.For) else None
            if size is None:
                return None
            times *= size
        total += times
    return total


def _by_fixed_key(node: object) -> bool:
    """Whether an assignment puts something under a key that stands in the code."""
    return isinstance(node, facts.Assign) and all(
        isinstance(target, facts.Subscript) and isinstance(target.index, facts.Const) for target in node.targets
    )


# --- pools


def _pool(project: "Project", module: ModuleInfo, node: Call, by_site: dict[Site, ApiCall]) -> Burst | None:
    """``ThreadPoolExecutor(max_workers=64)`` whose workers make requests."""
    tree = tree_of(project, module)
    written = next((arg.value for arg in node.args if arg.keyword in ("max_workers", "processes")), None)
    if written is None and node.args and node.args[0].keyword is None:
        written = node.args[0].value
    if written is None:
        return None
    found = [
        value.value for value in project.engine.evaluator.value(written, tree.frame(node)) if isinstance(value, Literal)
    ]
    workers = found[0] if len(found) == 1 else None
    if not isinstance(workers, int) or workers <= MOST:
        return None
    sites = _submitted(project, module, node)
    live = tuple(site for site in sites if site in by_site and by_site[site].policy is None)
    return Burst(module, node, library.written(node.func), live, workers) if live else None


def _submitted(project: "Project", module: ModuleInfo, pool: Call) -> tuple[Site, ...]:
    """The calls of what is handed to a pool by the function that makes it."""
    tree = tree_of(project, module)
    runner = tree.runner(pool)
    body = runner.body if runner is not None else module.facts.body
    found: dict[Site, None] = {}
    for node in inside(body):
        if not isinstance(node, Call) or library.written(node.func) not in (
            "submit",
            "map",
            "imap",
            "imap_unordered",
            "starmap",
            "apply_async",
        ):
            continue
        for value in project.engine.evaluator.value(node.args[0].value, tree.frame(node)) if node.args else ():
            function = body_of(value)
            if function is not None:
                for one in _reached(project, {function}):
                    found.update(dict.fromkeys(_named(project, one)))
            elif isinstance(value, Resource) and value.node is not None:
                found.update({call.site: None for call in project.calls if call.site.node is value.node})
    return tuple(found)
