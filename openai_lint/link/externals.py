"""Calls into Python's own and other libraries: who runs the callables and coroutines that they are given, and when."""

from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS
from openai_lint.facts import Expr, Function
from openai_lint.link import library, running
from openai_lint.link.arguments import Arguments
from openai_lint.link.background import Background
from openai_lint.link.cells import CaughtCell, Outcome
from openai_lint.link.displays import Displays
from openai_lint.link.frameworks import FRAMEWORK_PAGES
from openai_lint.link.raises import unwrapped
from openai_lint.link.values import (
    ANYTHING,
    CALLABLE,
    NOTHING,
    Bound,
    Caught,
    ClassRef,
    Client,
    ContextFrame,
    ContextFunction,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Instance,
    Later,
    Literal,
    Managed,
    Partial,
    Request,
    Retried,
    Symbolic,
    Value,
    Values,
    constants,
    one,
)
from openai_lint.sdk.model import STREAM_ENDS, STREAM_MANAGER

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


class Externals:
    """Models of library code, over the tables in ``library``."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._background = Background(engine)

    # --- functions

    def function(self, path: str, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """Calling something of a library; ``?.name`` stands for an unknown callee written that way."""
        engine = self._engine
        client = engine.api.construct(path, args, frame.module, node)
        if client is not None:
            return Outcome(NO_LEAKS, one(client))
        wrapped = engine.api.wrap(path, args)
        if wrapped is not None:
            return Outcome(NO_LEAKS, wrapped)
        if engine.policies.models(path):
            return engine.policies.made(path, args, frame, node)
        name = library.last(path)
        if path in library.SYMBOLS or name in library.SYMBOL_NAMES:
            return Outcome(NO_LEAKS, one(Symbolic(path, tuple(args.positional), args.named(), node, frame)))
        if path in library.IDENTITY or name in ("tqdm", "track", "stream_with_context"):
            return self._identity(path, args)
        if path == "functools.update_wrapper":
            return Outcome(NO_LEAKS, args.at(0, "wrapper") or ANYTHING)
        if path == "functools.partial" or path == "functools.partialmethod":
            return self._partial(args)
        if path == "functools.reduce" and (folded := self._folded(args)):
            return Outcome(NO_LEAKS, folded)
        if path in library.FIELD_MAKERS:
            return Outcome(NO_LEAKS, self._field(args, frame, node))
        if path in ("next", "anext"):
            outcome = self._consume(args)
            return Outcome(outcome.leaks, outcome.values)
        if path == "dict" and args.keywords and not args.open_keywords:
            return Outcome(NO_LEAKS, self._dict(args))
        if path in library.CONSUMERS:
            outcome = self._consume(args)
            return Outcome(
                outcome.leaks,
                one(Display("list", ((None, outcome.values),))) if outcome.values - ANYTHING else ANYTHING,
            )
        if path == "getattr":
            return self._getattr(args, frame)
        if path == "dir":
            return Outcome(NO_LEAKS, one(Display("list", ((None, one(Literal(library.OPEN_END, str))),))))
        if path in running.AWAITERS or name in running.AWAITING_METHODS:
            return self._background.await_now(args, frame, node)
        if name in running.GATHERERS:
            return self._background.gather(name, args)
        if name in running.TASK_MAKERS:
            return self._background.task(path, name, args, frame, node)
        if path in running.AWAITED_CALLS or name in running.AWAITED_CALLS:
            return self._background.awaited(
                running.AWAITED_CALLS.get(path, running.AWAITED_CALLS.get(name, 0)), args, frame, node
            )
        if path in running.THREADS:
            return self._background.thread(args, frame, node)
        if name == "submit" and path.partition(".")[0] not in FRAMEWORK_PAGES:
            return self._background.submit(args, frame, node)
        if name == "apply_async" and args.positional:
            return self._background.apply_async(args, frame, node)
        if path in running.LAZY_CALLS:
            return self._lazily(args, frame, node)
        if path in running.CALLS_NOW:
            return self._mapped(args, running.CALLS_NOW[path], frame, node)
        if name in running.CALLING_METHODS:
            return self._mapped(args, 0, frame, node)
        if name == "retry" and "exc" in args.keywords:
            return self._task_retry(args.keywords["exc"])
        if path in running.WAITERS:
            return self._background.wait(args)
        if path in ("importlib.import_module", "__import__"):
            named = [item for item in constants(args.at(0)) if isinstance(item, str)]
            return Outcome(NO_LEAKS, one(External(named[0])) if len(named) == 1 else ANYTHING)
        if name == "type":
            return Outcome(NO_LEAKS, self._types(args))
        if path == "object.__new__":
            made = frozenset(Instance(value, False) for value in args.at(0) or NOTHING if isinstance(value, ClassRef))
            return Outcome(NO_LEAKS, made or ANYTHING)
        return self._opaque(path, args, frame, node)

    def _task_retry(self, errors: Values) -> Outcome:
        """Celery's ``self.retry(exc=e)``: it raises the error itself once the retries are used up."""
        caught = frozenset(value for value in errors if isinstance(value, Caught))
        leaks = NO_LEAKS
        for value in caught:
            leaks |= self._engine.solver.read(CaughtCell(value.frame, value.handler))
        return Outcome(leaks, caught or ANYTHING)

    def _identity(self, path: str, args: Arguments) -> Outcome:
        found: Values = NOTHING
        for values in args.all():
            found |= frozenset(value for value in values if not isinstance(value, Literal))
        if not found - ANYTHING:
            return Outcome(NO_LEAKS, library.extended(path, "()"))
        if path == "enumerate":
            inner = self._engine.triggers.trigger("iterate", found)
            if any(isinstance(value, Deferred) for value in found):
                return Outcome(NO_LEAKS, found)
            return Outcome(
                NO_LEAKS, one(Display("list", ((None, one(Display("tuple", ((0, ANYTHING), (1, inner.values))))),)))
            )
        if path == "zip":
            rows = tuple((index, self._engine.evaluator.items(values)) for index, values in enumerate(args.positional))
            if any(isinstance(value, Deferred) for value in found):
                return Outcome(NO_LEAKS, found)
            return Outcome(NO_LEAKS, one(Display("list", ((None, one(Display("tuple", rows))),))))
        return Outcome(NO_LEAKS, found)

    def _partial(self, args: Arguments) -> Outcome:
        if not args.positional:
            return Outcome(NO_LEAKS, ANYTHING)
        rest = args.after(1)
        found = NOTHING
        for value in args.positional[0]:
            if isinstance(value, (*CALLABLE, ClassRef, External, Symbolic, Instance)):
                found |= one(Partial(value, tuple(rest.positional), rest.named()))
            else:
                found |= ANYTHING
        return Outcome(NO_LEAKS, found)

    def _dict(self, args: Arguments) -> Values:
        """``dict(options, timeout=30)``: what is given first, and the keywords."""
        items: list[tuple[object, Values]] = []
        for value in args.at(0) or NOTHING:
            known = isinstance(value, Display) and value.kind == "dict"
            items += value.items if known and isinstance(value, Display) else [(None, ANYTHING)]
        return one(Display("dict", (*items, *args.keywords.items())))

    def _folded(self, args: Arguments) -> Values:
        """Conditions of a retry library that ``reduce(operator.or_, ...)`` puts together: each of them counts."""
        given = self._engine.evaluator.items(args.at(1) or NOTHING) | (args.at(2) or NOTHING)
        return frozenset(value for value in given if isinstance(value, Symbolic))

    def _field(self, args: Arguments, frame: Frame, node: Expr) -> Values:
        """What a field holds before anything is stored in it."""
        made = args.keywords.get("default_factory") or args.keywords.get("factory")
        if made is not None:
            return self._engine.calls.invoke(made, Arguments(), frame, node).values or ANYTHING
        return args.keywords.get("default") or ANYTHING

    def _consume(self, args: Arguments) -> Outcome:
        result = Outcome()
        for values in args.all():
            result = result | self._engine.triggers.trigger("iterate", values - ANYTHING)
        return result if result.values else Outcome(result.leaks, ANYTHING)

    def _getattr(self, args: Arguments, frame: Frame) -> Outcome:
        names = [name for name in constants(args.at(1)) if isinstance(name, str)]
        result = args.at(2) or NOTHING
        for name in names:
            for value in args.at(0) or NOTHING:
                if name.endswith(library.OPEN_END):
                    result |= self._engine.lookup.methods_like(value, name.removesuffix(library.OPEN_END), frame)
                    continue
                result |= self._engine.evaluator.attribute(value, name, frame)
        return Outcome(NO_LEAKS, result or ANYTHING)

    def _lazily(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``map(f, items)``: the function is called while the result is iterated."""
        given = tuple(self._engine.evaluator.items(values) for values in args.positional[1:])
        found = frozenset(
            Deferred("iterate", Later(value, given, (), frame, node))
            for value in args.at(0) or NOTHING
            if isinstance(value, CALLABLE)
        )
        return Outcome(NO_LEAKS, found or ANYTHING)

    def _mapped(self, args: Arguments, position: int, frame: Frame, node: Expr) -> Outcome:
        callees = args.at(position, "func", "function") or NOTHING
        runs = [value for value in callees if isinstance(value, CALLABLE)]
        if not runs:
            return (
                self._opaque("?.", args, frame, node)
                if not any(isinstance(v, CALLABLE) for vs in args.all() for v in vs)
                else self._all_now(args, frame, node)
            )
        given = [self._engine.evaluator.items(values) for values in args.positional[position + 1 :]]
        result = Outcome()
        for callee in runs:
            result = result | self._engine.calls.apply(callee, Arguments(given), frame, node)
        items = result.values or ANYTHING
        return Outcome(result.leaks, one(Display("list", ((None, items),))))

    def _all_now(self, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        result = Outcome()
        for values in args.all():
            for value in values:
                if isinstance(value, CALLABLE):
                    called = self._engine.calls.apply(value, Arguments(open_positional=True), frame, node)
                    result = result | called
        return Outcome(result.leaks, ANYTHING)

    def _types(self, args: Arguments) -> Values:
        found = args.at(0) or NOTHING
        return frozenset(value.cls for value in found if isinstance(value, Instance)) or ANYTHING

    def _opaque(self, path: str, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """Code that cannot be seen: it iterates and awaits what it is given, and keeps callables for later."""
        name = library.last(path)
        result = Outcome()
        told = frozenset(value for value in self._engine.lookup.given(name) if isinstance(value, CALLABLE))
        if told and "." in path:
            return self._engine.calls.invoke(told, args, frame, node)
        for values in args.all():
            for value in values:
                if isinstance(value, CALLABLE):
                    if not library.only_looks(path):
                        self._engine.record.callback(value, path, frame, node)
                elif isinstance(value, Deferred) and name not in library.KEEPERS:
                    self._engine.record.triggered(value.source)
                    triggered = self._engine.triggers.trigger(value.on, one(value))
                    if name in library.LATE_RESPONSES:
                        self._engine.record.serves(triggered.leaks, frame, node)
                    elif node not in frame.module.awaited or value.on == "await":
                        result = result | triggered
        if name in library.LATE_RESPONSES:
            late = frozenset(value for values in args.all() for value in values if isinstance(value, Deferred))
            if late:
                return Outcome(NO_LEAKS, one(External(f"{path}()")))
        return Outcome(result.leaks, library.extended(path, "()") if not path.startswith("?.") else ANYTHING)

    # --- methods of values that are no objects of the project

    def method(self, path: str, receiver: Value, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """``receiver.name(...)`` where ``path`` is the receiver's kind and the method's name."""
        engine = self._engine
        kind, _, name = path.partition(".")
        if path == "client.with_options" and isinstance(receiver, Client):
            return Outcome(NO_LEAKS, engine.api.derive(receiver, args, node))
        if kind == "deferred" and isinstance(receiver, Deferred):
            if name in STREAM_ENDS and self._is_plain_stream(receiver):
                return Outcome(NO_LEAKS, ANYTHING)
            if name in STREAM_ENDS or name in running.ASKING_METHODS:
                return engine.triggers.trigger(receiver.on, one(receiver))
            if name in ("__enter__", "__aenter__"):
                return engine.triggers.trigger("enter", one(receiver))
            if name == "exception":
                return self._background.exception(receiver)
            if name == "add_done_callback":
                return self._background.tell(receiver, args, frame, node)
            if name in ("close", "cancel"):
                return Outcome(NO_LEAKS, ANYTHING)
            return self._stream_method(name, receiver)
        if kind == "literal" and name == "join":
            return self._consume(args)
        if kind == "display":
            return self._display_method(name, receiver, args)
        if kind == "function":
            return self._function_method(name, receiver, args, frame, node)
        if path in running.RUN_ELSEWHERE:
            return self._background.start(running.RUN_ELSEWHERE[path], receiver, frame, node)
        if kind in ("symbolic", "policy"):
            return engine.policies.method(name, receiver, args, frame, node)
        if kind == "error" and isinstance(receiver, Caught):
            if name in ("with_traceback", "add_note"):
                return Outcome(NO_LEAKS, one(receiver))
            if name == "reraise":
                caught = engine.solver.read(CaughtCell(receiver.frame, receiver.handler))
                return Outcome(unwrapped(caught), ANYTHING)
            return Outcome(NO_LEAKS, ANYTHING)
        return self.function(path, args, frame, node)

    def _is_plain_stream(self, receiver: Deferred) -> bool:
        """Whether something is what ``create(stream=True)`` gives."""
        source = receiver.source
        if receiver.on != "iterate" or not isinstance(source, Request):
            return False
        method = self._engine.catalogue(source.site.module, source.site.era).any_method(source.site.path)
        return method is not None and method.kind != STREAM_MANAGER

    def _stream_method(self, name: str, receiver: Deferred) -> Outcome:
        """Any other method of a stream reads it; of a coroutine or a manager, nothing happens."""
        if receiver.on == "iterate" and name in (
            "iter_lines",
            "iter_text",
            "iter_bytes",
            "iter_raw",
            "read",
            "aread",
            "parse",
            "json",
            "text",
            "stream_to_file",
        ):
            return self._engine.triggers.trigger("iterate", one(receiver))
        return Outcome(NO_LEAKS, ANYTHING)

    def _display_method(self, name: str, receiver: Value, args: Arguments) -> Outcome:
        held = receiver.items if isinstance(receiver, Display) else ()
        table = isinstance(receiver, Display) and receiver.kind == "table"
        if table:
            held = ((None, held[1][1]),)
        everything = NOTHING
        for _, found in held:
            everything |= found
        if name == "get":
            wanted = constants(args.at(0))
            exact = [found for key, found in held if key is not None and [key] == wanted]
            result = exact[0] if exact else everything
            return Outcome(NO_LEAKS, (result | (args.at(1) or NOTHING)) or ANYTHING)
        if table and name in ("copy", "keys"):
            return Outcome(NO_LEAKS, one(receiver))
        if name in ("values", "copy", "keys"):
            return Outcome(NO_LEAKS, one(Display("list", ((None, everything),))))
        if name == "items":
            known = isinstance(receiver, Display) and receiver.kind in ("dict", "table")
            keys = Displays.keys(receiver) if known and isinstance(receiver, Display) else ANYTHING
            rows = Display("tuple", ((0, keys or ANYTHING), (1, everything)))
            return Outcome(NO_LEAKS, one(Display("list", ((None, one(rows)),))))
        if name in ("pop", "popitem", "popleft", "setdefault", "get_nowait"):
            return Outcome(NO_LEAKS, everything or ANYTHING)
        return Outcome(NO_LEAKS, ANYTHING)

    def _function_method(self, name: str, receiver: Value, args: Arguments, frame: Frame, node: Expr) -> Outcome:
        """Attributes of a function object that frameworks and retry libraries add."""
        engine = self._engine
        if name in ("delay", "apply_async", "send", "spawn", "defer", "remote", "kiq", "si", "s"):
            engine.record.callback(receiver, name, frame, node)
            return Outcome(NO_LEAKS, ANYTHING)
        if name in ("retry_with", "with_options", "options"):
            return Outcome(NO_LEAKS, engine.policies.retry_with(receiver, args, frame, node))
        if name in (
            "__wrapped__",
            "__func__",
            "call",
            "__call__",
            "fn",
            "local",
            "run",
            "func",
            "invoke",
            "callback",
            "main",
            "standalone_mode",
            "map",
            "starmap",
        ):
            return engine.calls.apply(receiver, args, frame, node)
        return Outcome(NO_LEAKS, ANYTHING)

    # --- decorators

    def decorate(self, decorator: Value, node: Expr, current: Values, function: Function, frame: Frame) -> Values:
        """What a decorator makes of a function."""
        engine = self._engine
        if self._decorates_as_manager(decorator):
            return frozenset(Managed(decorator, value, node, frame) for value in current)
        if isinstance(decorator, (FunctionRef, Bound, Retried, Partial, ClassRef, Instance)) and not (
            isinstance(decorator, Bound) and isinstance(decorator.function, External)
        ):
            return self._project_decorator(decorator, node, current, frame)
        policy = engine.policies.decorator(decorator, node, function, frame)
        if policy is not None:
            return frozenset(Retried(policy, value) for value in current)
        path = decorator.path if isinstance(decorator, External) else ""
        if library.last(path) in ("contextmanager", "asynccontextmanager"):
            return frozenset(ContextFunction(value) for value in current)
        written = library.dotted(node)
        if library.ENTRY_DECORATORS.search("." + written) or library.ENTRY_DECORATORS.search("." + path):
            engine.record.registered(function, written, path)
        elif library.COVER.search(library.last(path) if path else library.written(node)):
            cover = engine.policies.cover(node, frame)
            return frozenset(Retried(cover, value) for value in current)
        return current

    def _decorates_as_manager(self, decorator: Value) -> bool:
        """Whether a value is a context manager that wraps the calls of the function it decorates."""
        if isinstance(decorator, ContextFrame):
            return True
        bases = self._engine.hierarchy.mro(decorator.cls) if isinstance(decorator, Instance) else ()
        return any(isinstance(base, External) and base.path in library.DECORATING_MANAGERS for base in bases)

    def decorate_class(self, decorator: Value, node: Expr, current: Values, frame: Frame) -> Values:
        """What a decorator makes of a class: what it gives, where it is written in the project."""
        known = isinstance(decorator, (FunctionRef, Bound, Partial)) and not (
            isinstance(decorator, Bound) and isinstance(decorator.function, External)
        )
        return self._project_decorator(decorator, node, current, frame) if known else current

    def _project_decorator(self, decorator: Value, node: Expr, current: Values, frame: Frame) -> Values:
        result = NOTHING
        for value in current:
            made = self._engine.calls.apply(decorator, Arguments([one(value)]), frame, node).values
            known = frozenset(
                item for item in made if isinstance(item, (*CALLABLE, ClassRef, Instance, ContextFunction))
            )
            if known:
                result |= known
            elif made:
                result |= one(value)
        return result
