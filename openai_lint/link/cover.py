"""What is left of an entry point's errors when the handlers that the project has registered have had them."""

from typing import TYPE_CHECKING

from openai_lint.escapes import RAW, Leak, Leaks
from openai_lint.facts import Class, Function
from openai_lint.link.clauses import CATCHES
from openai_lint.link.dependencies import dependencies
from openai_lint.link.error_handlers import WORDS, WRAPPED, ErrorHandler, Finder
from openai_lint.link.kinds import group_of, kind_of
from openai_lint.link.tokens import NORMAL
from openai_lint.link.values import ClassRef, Literal
from openai_lint.link.walk import Walk

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo


class Cover:
    """The handlers of one project, looked for when an entry point of their kind lets something out."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._known: dict[str, list[ErrorHandler]] = {}
        self._found: dict[ModuleInfo, list[ErrorHandler]] = {}

    def filter(self, leaks: Leaks, function: Function, module: "ModuleInfo") -> Leaks:
        """What is left of the leaks of an entry point."""
        if not leaks:
            return leaks
        for handler in dependencies(self._engine, function, module):
            leaks = self._after(handler, leaks)
        kind = kind_of(function, module, self._engine)
        if not kind:
            return leaks
        for handler in sorted(self._of(kind), key=lambda item: bool(item.through)):
            elsewhere = handler.only not in (None, function) or not self._is_below(handler.owner, function, module)
            if handler.group is not None and handler.group is not group_of(function, module, self._engine):
                continue
            if not elsewhere and (handler.run is None or handler.run.function is not function):
                leaks = self._after(handler, leaks)
        return leaks

    def _is_below(self, owner: Class | None, function: Function, module: "ModuleInfo") -> bool:
        """Whether a function is a method of a class, or of one below it."""
        scope = module.scope_of(function)
        if owner is None or (scope.owner is not None and scope.owner.node is owner):
            return True
        if scope.owner is None:
            return False
        cls = self._engine.evaluator.class_ref(scope.owner, self._engine.generic_frame(scope))
        return any(isinstance(base, ClassRef) and base.node is owner for base in self._engine.hierarchy.mro(cls))

    def _of(self, kind: str) -> list[ErrorHandler]:
        if kind not in self._known:
            engine = self._engine
            loaded = {module.path for module in engine.modules.loaded}
            rest = [path for path in engine.workspace.files if path not in loaded]
            for word in WORDS[kind]:
                for path in engine.workspace.mentioning(word, rest):
                    engine.modules.load(path)
            for module in engine.modules.loaded:
                if module not in self._found:
                    self._found[module] = list(Finder(engine, module).handlers())
            self._known[kind] = [one for found in self._found.values() for one in found if one.kind == kind]
        return self._known[kind]

    def _after(self, handler: ErrorHandler, leaks: Leaks) -> Leaks:
        """What one handler leaves."""
        engine = self._engine
        caught = {leak for leak in leaks if handler.clause.verdict(leak, leak.site.release) == CATCHES}
        let_on = self._run(handler, frozenset(caught))
        for leak in caught - let_on:
            engine.record.handled(leak, handler.node, handler.module)
        return frozenset((leaks - caught) | (caught & let_on))

    def _run(self, handler: ErrorHandler, leaks: Leaks) -> set[Leak]:
        """Run a handler with errors; those that it lets on."""
        if handler.run is None or not leaks:
            return set()
        seen = {self._seen(handler, leak): leak for leak in leaks}
        given = frozenset(seen)
        if handler.yields:
            return {seen[leak] for leak in Walk(self._engine, handler.run, injected=given).run() if leak in seen}
        if handler.through:
            out = Walk(self._engine, handler.run, injected=given, through=handler.through).run()
            return {seen[leak] for leak in out if leak in seen}
        walk = Walk(self._engine, handler.run, subjects=handler.subjects)
        kept = set(walk.run(given | {NORMAL}))
        if handler.declines:
            kept |= {leak for leak in walk.fell if isinstance(leak, Leak)}
            for live, values, told in walk.returned:
                if told is None or any(isinstance(value, Literal) and value.value is None for value in values):
                    kept |= {leak for leak in live if isinstance(leak, Leak)}
        return {seen[leak] for leak in kept if leak in seen}

    @staticmethod
    def _seen(handler: ErrorHandler, leak: Leak) -> Leak:
        """The error as the handler gets it: some frameworks wrap it, unless the handler takes it out again."""
        wrapper = WRAPPED.get(handler.kind)
        if wrapper is None or handler.run is None or leak.form != RAW:
            return leak
        scope = handler.run.module.scope_of(handler.run.function)
        again = any(len(scope.bindings.get(name, ())) > 1 for name in handler.subjects)
        return leak if again else leak.seen_as(wrapper, leak.form)
