"""The linked project, as rules and the inventory read it: calls with the way of their errors, handlers, policies."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openai_lint.escapes import NO_LEAKS, Leak, Leaks
from openai_lint.facts import Expr, Function, Handler, Span, Stmt
from openai_lint.link import frameworks
from openai_lint.link.engine import Engine
from openai_lint.link.entries import EntryPoints
from openai_lint.link.index import ModuleInfo
from openai_lint.link.policies import Policy
from openai_lint.link.record import HandlerUse, Invocation, Step
from openai_lint.link.values import (
    Client,
    Frame,
    Site,
)
from openai_lint.rule import Place, Related
from openai_lint.sdk import Method, Sdk

if TYPE_CHECKING:
    from openai_lint.facts import Unreadable
    from openai_lint.files import Workspace

FORMS = ("raw", "RetryError", "ExceptionGroup", "broken-handler")


@dataclass(slots=True, eq=False)
class ApiCall:
    """One API call of the project and everything that is known of it."""

    site: Site
    release: Sdk
    method: Method | None
    kind: str
    clients: tuple[Client, ...]
    invocations: tuple[Invocation, ...]
    leaving: Leaks
    reaching: Leaks
    lost: dict[str, Step]
    handled_by: list[tuple[Handler | Expr | Stmt, ModuleInfo, set[str]]]
    policy: Policy | None
    reads_body: bool
    """Whether it is the plain body of an answer that is read as it comes (``with_streaming_response``)."""
    path_steps: list[Step] = field(default_factory=list)
    entry: str | None = None

    @property
    def module(self) -> ModuleInfo:
        """The module in which the call is written."""
        return self.site.module

    @property
    def client(self) -> Client | None:
        """What is best known of the client."""
        return self.clients[0] if self.clients else None

    def documented(self, leaks: Leaks) -> tuple[str, ...]:
        """The documented names among leaks, in the order of the guide."""
        names = {leak.error for leak in leaks}
        return tuple(name for name in self.release.inventory_errors if name in names)

    @property
    def escapes(self) -> tuple[str, ...]:
        """Documented names that reach an entry point."""
        return self.documented(self.reaching)

    @property
    def escapes_function(self) -> tuple[str, ...]:
        """Documented names that leave the function that names the call."""
        return self.documented(self.leaving)

    @property
    def escapes_iterating(self) -> tuple[str, ...]:
        """Those that only the iteration lets out."""
        created = {leak.error for leak in self.reaching if not leak.iterating}
        return tuple(name for name in self.escapes if name not in created)

    @property
    def leaves_as(self) -> str | None:
        """How the errors leave: as they are, or inside another one."""
        forms = {leak.form for leak in self.reaching if leak.error in self.release.inventory_errors}
        return next((form for form in FORMS if form in forms), None) if forms else None

    def to_json(self, project: "Project") -> dict[str, Any]:
        """The call as the inventory lists it."""
        from openai_lint.link.inventory import describe

        return describe(project, self)

    @property
    def retried(self) -> bool:
        """Whether an explicit policy covers the call (a written ``max_retries`` above two counts)."""
        explicit = self.policy is not None and self.policy.by != "sdk"
        client = self.client
        written = isinstance(client.max_retries, int) and client.max_retries > 2 if client is not None else False
        return explicit or written


class Project:
    """What rules may ask. Everything here is read-only and lazily put together from the engine's record."""

    def __init__(self, engine: Engine, workspace: "Workspace") -> None:
        self.engine = engine
        self.workspace = workspace
        self.record = engine.record
        self.outside = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell with ``--verbose``."""
        return tuple(self.record.notes)

    @property
    def modules(self) -> list[ModuleInfo]:
        """Every module that was read."""
        return self.engine.modules.loaded

    @property
    def unreadable(self) -> "dict[str, Unreadable]":
        """Files that could not be read or parsed."""
        return self.engine.modules.unreadable

    # --- places

    def place(self, module: ModuleInfo, span: Span) -> Place:
        """Where a span of a module is; in a notebook, which cell and which line in it."""
        for cell in reversed(module.facts.cells):
            if span[0] >= cell.first_line:
                offset = cell.first_line - 1
                return Place(module.path, cell.number, (span[0] - offset, span[1], span[2] - offset, span[3]))
        return Place(module.path, None, span)

    def related(self, call: ApiCall) -> tuple[Related, ...]:
        """The way of a call's errors: the call, each caller, the entry point."""
        return tuple(
            Related(self.place(step.module, step.node.span), self._says(index, step, call))
            for index, step in enumerate(call.path_steps)
        )

    def _says(self, index: int, step: Step, call: ApiCall) -> str:
        where = f"{step.function.qualname}()" if step.function is not None else "the module body"
        if index == 0:
            return f"raised here, in {where}"
        last = index == len(call.path_steps) - 1
        return f"called here, in {where}" + (f" ({call.entry})" if last and call.entry else "")

    # --- entry points

    @cached_property
    def _points(self) -> EntryPoints:
        return EntryPoints(self.engine)

    @property
    def runs(self) -> dict[Frame, Leaks]:
        """Every frame that was run, with what it lets out."""
        return self._points.runs

    @property
    def frames(self) -> dict[Function, list[Frame]]:
        """The frames in which each function was run."""
        return self._points.frames

    @property
    def callees(self) -> dict[Function | ModuleInfo | None, list[Function]]:
        """The functions that each function or module body calls, in the order of the calls."""
        return self._points.callees

    @property
    def entries(self) -> dict[Function | ModuleInfo, Leaks]:
        """Each entry point, with the leaks that reach it and are not handled by what the framework was told."""
        return self._points.leaks

    def leaves(self, function: Function, frame: Frame) -> Leaks:
        """What leaves a function, decorators included, when it is called, awaited and iterated to its end."""
        return self._points.leaves(function, frame)

    # --- calls

    @cached_property
    def calls(self) -> list[ApiCall]:
        """Every API call, in order of place."""
        reaching: dict[Site, set[Leak]] = defaultdict(set)
        origin: dict[tuple[Site, str], list[Function | ModuleInfo]] = defaultdict(list)
        for entry, leaks in self.entries.items():
            module = entry if isinstance(entry, ModuleInfo) else self.frames[entry][0].module
            for leak in leaks:
                if module.is_test and not leak.site.module.is_test:
                    continue
                reaching[leak.site].add(leak)
                if entry not in origin[leak.site, leak.error]:
                    origin[leak.site, leak.error].append(entry)
        for leak, step in self.record.served():
            reaching[leak.site].add(leak)
            origin[leak.site, leak.error].append(step.function or step.module)
        with self.record.silent():
            leaving = self._leaving()
        found = [
            self._api_call(site, frozenset(leaving.get(site, ())), frozenset(reaching.get(site, ())))
            for site in self.engine.api.sites
        ]
        for call in found:
            self._trace(call, origin)
        return sorted(found, key=lambda call: (call.module.path, call.site.node.span))

    def _leaving(self) -> dict[Site, set[Leak]]:
        """What leaves the function that names each site."""
        found: dict[Site, set[Leak]] = defaultdict(set)
        sites: dict[Function | ModuleInfo, list[Site]] = defaultdict(list)
        for site in self.engine.api.sites:
            sites[site.function or site.module].append(site)
        for where, mine in sites.items():
            leaks: Leaks
            if isinstance(where, Function):
                leaks = NO_LEAKS
                for frame in self.frames.get(where, ()):
                    leaks |= self.leaves(where, frame)
            else:
                summary = self.runs.get(Frame(where, None))
                leaks = summary if summary is not None else NO_LEAKS
            for leak in leaks:
                if leak.site in mine:
                    found[leak.site].add(leak)
        return found

    def _api_call(self, site: Site, leaving: Leaks, reaching: Leaks) -> ApiCall:
        record = self.record
        release = site.release
        method = release.any_method(site.path)
        clients = tuple(
            self.engine.api.settled(client) for client in sorted(record.clients.get(site, {}), key=_certainty)
        )
        kind = "call"
        if method is not None:
            if method.kind in ("stream_manager", "websocket_manager"):
                kind = "context"
            elif method.kind in ("paginator", "single_page"):
                kind = "page"
            elif "stream" in record.kinds.get(site, ()):
                kind = "stream"
        handled = [(node, module, errors) for (node, module), errors in record.handled_by.get(site, {}).items()]
        return ApiCall(
            site,
            release,
            method,
            kind,
            clients,
            tuple(record.invocations.get(site, {}).values()),
            leaving,
            reaching,
            dict(record.lost_leaks.get(site, {})),
            handled,
            self._policy(site, reaching, release, kind),
            "body" in record.kinds.get(site, ()),
        )

    def _policy(self, site: Site, reaching: Leaks, release: Sdk, kind: str) -> Policy | None:
        """The outermost of the policies that lie on every way by which an error of the site reaches an entry point.

        Reading a stream makes no request: what leaves there says nothing about the retries of the one that began it.
        """
        passed = [
            leak.retries
            for leak in reaching
            if leak.error in release.inventory_errors and not (leak.iterating and kind == "stream")
        ]
        found = self.record.policies.get(site, {})
        ranked = sorted(found, key=lambda item: (item[0], item[1].module.path, item[1].node.span))
        covering = [(rank, policy) for rank, policy in ranked if not passed or rank < min(passed)]
        outermost = [policy for rank, policy in covering if rank == covering[-1][0]]
        if not outermost or outermost[-1].family is None:
            return outermost[-1] if outermost else None
        retried = self.record.policies[site]
        counted = all(one.attempts for one in outermost)

        def worst(one: Policy) -> tuple[bool, int, bool]:
            """By which of a family it is told: what never ends, the most attempts, the error that everybody means."""
            limits = "RateLimitError" in retried[covering[-1][0], one]
            return one.bounded, -(one.attempts or 0) if counted else 0, not limits

        return min((one for one in outermost if one.family is not None), key=worst)

    def _trace(self, call: ApiCall, origin: dict[tuple[Site, str], list[Function | ModuleInfo]]) -> None:
        """The steps from the call to one entry point that an error of it reaches."""
        for error in call.escapes:
            entries = origin.get((call.site, error), [])
            for entry in entries:
                steps = self.steps(call.site, error, entry)
                if steps:
                    call.path_steps = steps
                    call.entry = self.describe(entry)
                    return

    def steps(self, site: Site, error: str, entry: Function | ModuleInfo) -> list[Step]:
        steps: list[Step] = []
        current: Function | ModuleInfo | None = entry
        seen: set[object] = set()
        while current is not None and current not in seen:
            seen.add(current)
            step = self.record.steps.get((current, site, error))
            if step is None:
                break
            steps.append(step)
            if step.node is site.node:
                break
            current = self._callee_at(step, site, error, seen)
        return list(reversed(steps))

    def _callee_at(self, step: Step, site: Site, error: str, seen: set[object]) -> Function | ModuleInfo | None:
        """The function that the expression of a step runs and that lets the same error out."""
        where: Function | ModuleInfo = step.function or step.module
        candidates = [
            callee
            for callee in self.callees.get(where, ())
            if (callee, site, error) in self.record.steps and callee not in seen
        ]
        for callee in candidates:
            at, _ = self.record.callers[callee][where]
            if at is not None and _inside(at.span, step.node.span):
                return callee
        return candidates[0] if candidates else None

    def describe(self, entry: Function | ModuleInfo) -> str:
        if isinstance(entry, ModuleInfo):
            return "the module body, when it is run"
        return frameworks.describe(entry, self.record)

    # --- what rules ask beside

    def handlers(self) -> list[HandlerUse]:
        """Every handler that saw a documented error."""
        return list(self.record.handlers.values())

    def policies(self) -> dict[Policy, dict[Site, set[str]]]:
        """Every policy with the sites it retries and the errors that it retries of each."""
        return self._retried

    @cached_property
    def _retried(self) -> dict[Policy, dict[Site, set[str]]]:
        found: dict[Policy, dict[Site, set[str]]] = defaultdict(lambda: defaultdict(set))
        for site, policies in self.record.policies.items():
            for (_, policy), errors in policies.items():
                found[policy][site] |= errors
        return found


def _certainty(client: Client) -> tuple[int, str, Span, str]:
    """What is best known comes first, then what stands first: the same in every run."""
    order = ("constructor", "module", "subclass", "wrapper", "annotation", "chain")
    known = order.index(client.known_by) if client.known_by in order else len(order)
    where = client.origin.span if client.origin is not None else (0, 0, 0, 0)
    return known, client.name, where, str(client.max_retries)


def _inside(inner: Span, outer: Span) -> bool:
    return (outer[0], outer[1]) <= (inner[0], inner[1]) and (inner[2], inner[3]) <= (outer[2], outer[3])
