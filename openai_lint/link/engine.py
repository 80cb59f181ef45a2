"""The engine: which cells exist, which functions are worth running, and when everything is known.

Demand-driven: it starts with the functions that name a method of the SDK, and goes on with whoever mentions a function
that lets an error out, in loaded modules and in files that nothing else asked for.
"""

from collections.abc import Collection, Hashable, Iterable
from functools import cached_property
from typing import Any, Protocol

from openai_lint.escapes import NO_LEAKS, Leaks
from openai_lint.facts import Attr, Class, Function, Return, Stmt, Try, Yield
from openai_lint.link import library, vendors
from openai_lint.link.api import Api
from openai_lint.link.blocks import Guards
from openai_lint.link.branches import Branches
from openai_lint.link.caller_search import CallerSearch, LinkWorkspace
from openai_lint.link.calls import Calls
from openai_lint.link.carriers import Carriers, Wanted
from openai_lint.link.cells import (
    AttrCell,
    BindingCell,
    CaughtCell,
    ClassesCell,
    ForeignCell,
    Gives,
    GivesCell,
    KeptCell,
    NameCell,
    Outcome,
    OverridesCell,
    ParamCell,
    RunCell,
    StoresCell,
)
from openai_lint.link.evaluate import Evaluator
from openai_lint.link.externals import Externals
from openai_lint.link.frames import Frames
from openai_lint.link.hierarchy import Hierarchy
from openai_lint.link.index import ModuleInfo, ScopeInfo
from openai_lint.link.lookup import Lookup
from openai_lint.link.loops import below
from openai_lint.link.modules import Modules
from openai_lint.link.operators import Operators
from openai_lint.link.policies import Policies
from openai_lint.link.reaching import Reaching
from openai_lint.link.record import Record
from openai_lint.link.relevance import Relevance
from openai_lint.link.retry_results import Answers
from openai_lint.link.solver import Solver
from openai_lint.link.triggers import Triggers
from openai_lint.link.uses import Uses
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    ClassRef,
    Frame,
    Values,
)
from openai_lint.link.walk import Walk
from openai_lint.sdk import Sdk, marker_names, sdk

MOST_ROUNDS = 12
"""Rounds of callers of callers; real projects need three or four."""

MOST_PASSES = 2
"""How often everything is solved again with what callers were found to pass."""


class Releases(Protocol):
    """Which release of the SDK a file is written for."""

    def release(self, path: str, era: int) -> Sdk:
        """The release that decides for code of one era (0, or 1 for 1.x and later) in a file."""


class Engine:
    """Everything that links one project."""

    def __init__(self, workspace: "LinkWorkspace", releases: Releases, source_roots: tuple[str, ...] = ()) -> None:
        self.workspace = workspace
        self.modules = Modules(workspace, str(workspace.root), source_roots)
        self._releases = releases
        self._wanted: dict[Frame, None] = {}
        self._generic: dict[ScopeInfo, Frame] = {}
        self._mentions: dict[str, list[ScopeInfo]] = {}
        self._attributes: dict[str, list[ScopeInfo]] = {}
        self._indexed = 0
        self._classes: list[ClassRef] = []
        self._methods: dict[str, list[ClassRef]] = {}
        self._asking: dict[Function, ScopeInfo] = {}
        self.property_names: set[str] = set()
        self.method_words = marker_names()
        self.solving = True
        self.answers: dict[Any, bool] = {}
        """What functions of the project say of an error that they are asked about."""
        self.handing: set[Frame] = set()
        """The frames that are being asked which errors they give back."""
        self.walking: Frame | None = None
        """The frame that is being run."""
        self.leaving: set[Function | Class | None] = set()
        """The context managers whose end is being run with the errors of their block."""
        self.uses = Uses()
        self._exits: dict[Function, list[Return | Yield]] = {}
        self.guards = Guards()
        self.pauses: dict[tuple[Function, int], bool] = {}
        """Which functions wait, as far as it is known in this round: themselves, or in one that they call."""
        self.retry_loops: dict[tuple[Stmt, Try], bool] = {}
        self.solver = Solver(self._compute, self._bottom, self._join)
        self.memo: dict[Any, Values] = {}
        self.call_memo: dict[Any, Outcome] = {}
        self.evaluator = Evaluator(self)
        self.lookup = Lookup(self)
        self.hierarchy = Hierarchy(self)
        self.calls = Calls(self)
        self.frames = Frames(self)
        self.triggers = Triggers(self)
        self.operators = Operators(self)
        self.branches = Branches(self)
        self.api = Api(self)
        self.externals = Externals(self)
        self.policies = Policies(self)
        self.record = Record(self)
        self.reaching = Reaching()
        self.relevance = Relevance(self)
        self.callers = CallerSearch(self)
        self.guessed: set[ParamCell] = set()
        self.failures: dict[tuple[str, int], Exception] = {}
        """What went wrong while functions were followed, by file and line."""

    # --- cells

    @staticmethod
    def _bottom(cell: Hashable) -> Any:
        if isinstance(cell, GivesCell):
            return Gives()
        if isinstance(cell, (ClassesCell, OverridesCell, StoresCell)):
            return 0
        return NO_LEAKS if isinstance(cell, (CaughtCell, RunCell)) else NOTHING

    @staticmethod
    def _join(old: Any, new: Any) -> Any:
        if isinstance(old, Gives):
            return Gives(old.returns | new.returns, old.yields | new.yields)
        if isinstance(old, int):
            return max(old, new)
        return old | new

    def _compute(self, cell: Hashable) -> Any:
        quiet, self.calls.quiet = self.calls.quiet, not isinstance(cell, RunCell)
        memo, self.memo = self.memo, {}
        calls, self.call_memo = self.call_memo, {}
        try:
            match cell:
                case NameCell():
                    return self.evaluator.compute_name(cell)
                case BindingCell():
                    return self.evaluator.compute_binding(cell)
                case AttrCell():
                    return self.lookup.compute_attr(cell)
                case ForeignCell():
                    return self.lookup.compute_foreign(cell)
                case KeptCell():
                    return self.lookup.compute_kept(cell)
                case GivesCell():
                    return self.evaluator.compute_gives(cell)
                case RunCell():
                    return self._run(cell.frame) if self.relevance.worth(cell) else NO_LEAKS
                case ParamCell():
                    return NOTHING
                case _:
                    return self._bottom(cell)
        finally:
            self.memo, self.call_memo = memo, calls
            self.calls.quiet = quiet

    def _run(self, frame: Frame) -> Leaks:
        """What a frame lets out. One that cannot be followed, by the linker's own fault, is told of, and lets out
        nothing: the rest of the project is judged all the same.
        """
        try:
            return Walk(self, frame).run()
        except Exception as error:  # noqa: BLE001 - as above
            self._failed(frame, error)
            return NO_LEAKS

    def _failed(self, frame: Frame, error: Exception) -> None:
        line = frame.function.span[0] if frame.function is not None else 1
        self.failures[frame.module.path, line] = error

    # --- questions about the project

    def catalogue(self, module: ModuleInfo, era: int) -> Sdk:
        """The release of the SDK that decides for code of an era in a module."""
        return self._releases.release(module.path, era)

    def speaks_openai(self, module: ModuleInfo, words: int) -> bool:
        """Whether a chain on an unknown receiver may be OpenAI's in this module."""
        names = {name.partition(".")[0] for name in module.imports}
        if "openai" in names or "openai" in module.facts.identifiers:
            return True
        if not vendors.OTHER_VENDORS.isdisjoint(names):
            return False
        return words >= 3 and self._project_speaks_openai

    @cached_property
    def _project_speaks_openai(self) -> bool:
        return bool(self.workspace.mentioning("openai", list(self.workspace.files)[:20000]))

    def classes(self) -> list[ClassRef]:
        """Every class of the loaded modules."""
        self.reindex()
        return self._classes

    def methods_named(self, name: str) -> list[ClassRef]:
        """The classes of loaded modules that define a method."""
        self.reindex()
        return self._methods.get(name, [])

    def scopes_reading(self, attr: str) -> list[ScopeInfo]:
        """The scopes of loaded modules that read an attribute of that name."""
        self.reindex()
        return self._attributes.get(attr, [])

    @property
    def waiting(self) -> bool:
        """Whether the fixpoint is still moving."""
        return self.solving

    def generic_frame(self, scope: ScopeInfo) -> Frame:
        """The frame of a scope run without particular arguments, in generic frames of the functions around it."""
        found = self._generic.get(scope)
        if found is None:
            found = self._generic[scope] = self._generic_frame(scope)
        return found

    def _generic_frame(self, scope: ScopeInfo) -> Frame:
        if scope.parent is None:
            return Frame(scope.module, None)
        parent = scope.parent
        if isinstance(scope.node, Function):
            while isinstance(parent.node, Class) and parent.parent is not None:
                parent = parent.parent
            return Frame(scope.module, scope.node, self.generic_frame(parent))
        return self.generic_frame(parent)

    def defining_frame(self, frame: Frame) -> Frame:
        """The frame in which the function of a frame is defined: a class body's for a method."""
        outer = frame.parent or Frame(frame.module, None)
        owner = frame.module.scope_of(frame.function).owner
        return Frame(frame.module, owner.node, outer) if owner is not None and isinstance(owner.node, Class) else outer

    def exits_of(self, function: Function) -> list[Return | Yield]:
        """The return and yield nodes of a function's own body."""
        if function not in self._exits:
            self._exits[function] = [node for node in below(function.body) if isinstance(node, (Return, Yield))]
        return self._exits[function]

    def has_return(self, function: Function) -> bool:
        """Whether a function returns anything explicitly."""
        return any(isinstance(node, Return) for node in self.exits_of(function))

    def want(self, frame: Frame) -> None:
        """Ask for a frame to be run although nobody calls it."""
        self._wanted.setdefault(frame)

    # --- solving

    def solve(self) -> None:
        """Link the project: everything that the sites need is known afterwards."""
        self.load([path for path in self.workspace.files if self.workspace.gate(path)])
        self._rounds()
        for _ in range(MOST_PASSES - 1):
            late = [cell for cell in self.guessed if (self.solver.known(cell) or NOTHING) - ANYTHING]
            if not late:
                break
            self.guessed.clear()
            self.solver.forget(late, lambda cell: isinstance(cell, ParamCell))
            self._rounds()
        self._final()

    def _rounds(self) -> None:
        seen: set[ScopeInfo] = set()
        looked_at: set[ScopeInfo] = set()
        mentioning: list[ScopeInfo] = []
        searched: dict[bool, set[Wanted]] = {False: set(), True: set()}
        for _ in range(MOST_ROUNDS):
            self.hierarchy.grow()
            self.pauses.clear()
            seeds = self._seeds(looked_at)
            around = [outer for scope in (*seeds, *mentioning) for outer in _functions_around(scope)]
            for scope in (*seeds, *around):
                self.relevance.start_with(scope)
            new = [scope for scope in dict.fromkeys((*seeds, *mentioning, *around)) if scope not in seen]
            if not new and not self._wanted and self.solver.idle:
                break
            seen.update(new)
            for scope in new:
                self.solver.read(RunCell(self.generic_frame(scope)))
            self.solver.solve()
            for frame in list(self._wanted):
                self.solver.read(RunCell(frame))
            self._wanted.clear()
            self.solver.solve()
            mentioning = []
            for tests, told in searched.items():
                carriers = Carriers(self, tests)
                names = self.callers.search(carriers.names() | self._asking_names(tests), told, tests)
                self.relevance.add(names, carriers.functions | self._asking.keys(), tests)
                mentioning += self._scopes_mentioning(names, tests)

    def _seeds(self, looked_at: set[ScopeInfo]) -> list[ScopeInfo]:
        """The scopes worth running: those that name a method of the SDK on what may be a client, and those that make
        a client (they may hand it on).
        """
        found: dict[ScopeInfo, None] = {}
        for scope in self._suspects():
            if scope in looked_at or not self.workspace.judges(scope.module.path):
                continue
            looked_at.add(scope)
            frame = self.generic_frame(scope)
            for word in scope.attributes.keys() & self._method_pairs.keys():
                for node in scope.attributes[word]:
                    known = self.evaluator.value(node, frame) - ANYTHING
                    if not known and isinstance(scope.node, Function) and self._spelt_as_method(node):
                        self._asking.setdefault(scope.node, scope)
            self.memo, self.call_memo = {}, {}
            if self._makes_client(scope):
                found.setdefault(self.runner(scope))
        for site in self.api.sites:
            found.setdefault(self.runner(site.module.scope_of(site.function)))
        return list(found)

    def _spelt_as_method(self, node: Attr) -> bool:
        """Whether an attribute ends in the two words of a method of the SDK (``x.images.generate``)."""
        return isinstance(node.value, Attr) and node.value.attr in self._method_pairs.get(node.attr, ())

    def _asking_names(self, tests: bool) -> set[Wanted]:
        """The functions whose callers decide whether something in them is a client: it comes as an argument."""
        found: set[Wanted] = set()
        for function, scope in self._asking.items():
            if scope.module.is_test is tests and function.params and function.name != "<lambda>":
                found.add((function.name, scope.module.path if scope.owner is None and not tests else None))
        return found

    @staticmethod
    def runner(scope: ScopeInfo) -> ScopeInfo:
        """The scope that runs the code of a scope: that around a class body or a lambda."""
        while scope.parent is not None and (
            isinstance(scope.node, Class) or (isinstance(scope.node, Function) and scope.node.name == "<lambda>")
        ):
            scope = scope.parent
        return scope

    def _suspects(self) -> list[ScopeInfo]:
        """The scopes that mention a method of the SDK: by its last word where the module speaks of openai, by its last
        two words elsewhere.
        """
        self.reindex()
        found: dict[ScopeInfo, None] = {}
        for word, before in self._method_pairs.items():
            for scope in self._attributes.get(word, ()):
                known = not vendors.SPOKEN_OF.isdisjoint(scope.module.facts.identifiers)
                if known or not before.isdisjoint(scope.mentions):
                    found.setdefault(scope)
        for name in self._client_names:
            for scope in self._mentions.get(name, ()):
                if self._makes_client(scope):
                    found.setdefault(scope)
        return list(found)

    def _makes_client(self, scope: ScopeInfo) -> bool:
        return not scope.mentions.isdisjoint(self._client_names) and any(
            "openai" in name for name in scope.module.imports
        )

    @cached_property
    def _client_names(self) -> frozenset[str]:
        return frozenset(name for name in sdk("newest").clients if "." not in name)

    @cached_property
    def _method_pairs(self) -> dict[str, set[str]]:
        """Last words of methods, with the words before them that other clients do not have."""
        found: dict[str, set[str]] = {}
        for release in (sdk("newest"), sdk("0.28.1")):
            for path in release.methods:
                *_, before, word = ("", *path.split("."))
                found.setdefault(word, set()).update({before} - vendors.COMMON_RESOURCES)
        return found

    def _scopes_mentioning(self, names: Iterable[str], tests: bool) -> list[ScopeInfo]:
        self.reindex()
        found: dict[ScopeInfo, None] = {}
        for name in names:
            for scope in self._mentions.get(name, ()):
                if scope.module.is_test is tests:
                    found.setdefault(scope)
        return list(found)

    def reindex(self) -> None:
        """Index the modules that were loaded since the last time."""
        new = self.modules.loaded[self._indexed :]
        if not new:
            return
        self._indexed += len(new)
        for module in new:
            for scope in (module.scope, *module.scopes.values()):
                self.callers.index(scope)
                node = scope.node
                target = scope
                while isinstance(target.node, Class) and target.parent is not None:
                    target = target.parent
                for word in scope.attributes:
                    self._attributes.setdefault(word, []).append(scope)
                for name in scope.mentions | scope.words:
                    self._mentions.setdefault(name, []).append(target)
                if isinstance(node, Class):
                    cls = ClassRef(node, self.generic_frame(target))
                    self._classes.append(cls)
                    for name, bindings in scope.bindings.items():
                        if any(binding.kind == "def" for binding in bindings):
                            self._methods.setdefault(name, []).append(cls)
                if isinstance(node, Function) and library.is_property(node):
                    self.property_names.add(node.name)
        self.solver.contribute(ClassesCell(), len(self._classes))

    def load(self, paths: Collection[str]) -> None:
        """Read files of the project."""
        self.workspace.prepare(paths)
        for path in paths:
            self.modules.load(path)

    def _final(self) -> None:
        """Walk everything once more, now that it is known, and note the evidence."""
        self.solving = False
        self.pauses.clear()
        self.api.forget()
        self.lookup = Lookup(self)
        self.hierarchy = Hierarchy(self)
        record = self.record
        record.enabled = True
        parked = self.relevance.parked
        frames = [cell.frame for cell, _ in self.solver.values() if isinstance(cell, RunCell) and cell not in parked]
        answers = Answers(self)
        for frame in frames:
            self.memo, self.call_memo = {}, {}
            walk = Walk(self, frame)
            try:
                walk.run()
                if isinstance(frame.function, Function):
                    self.calls.defined(frame.function, self.defining_frame(frame))
                    answers.of(frame.function, walk)
            except Exception as error:  # noqa: BLE001 - see ``_run``
                self._failed(frame, error)
        answers.loops()
        record.drop_tasks()
        self.memo, self.call_memo = {}, {}


def _functions_around(scope: ScopeInfo) -> Iterable[ScopeInfo]:
    """The functions in which a scope is defined: they may hold what it keeps."""
    outer = scope.parent
    while outer is not None:
        if isinstance(outer.node, Function):
            yield outer
        outer = outer.parent
