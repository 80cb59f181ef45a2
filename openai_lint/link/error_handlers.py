"""Handlers of errors that a project registers with its framework: which ones there are, and what they cover.

The tables say by what name each framework knows a handler; what a handler does with an error is found by running it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Arg, Call, Class, Expr, Function
from openai_lint.link import library
from openai_lint.link.blocks import inside
from openai_lint.link.clauses import EVERY_ERROR, Clause, clause_of
from openai_lint.link.index import Binding
from openai_lint.link.kinds import (
    APP_COMMAND,
    BOTS,
    COMMAND,
    COMMAND_LINE,
    COMMAND_LINES,
    EVENT,
    LISTENER,
    UPDATE,
    WEB,
    function_of,
    kind_by,
    maker,
)
from openai_lint.link.values import (
    ANYTHING,
    Bound,
    ClassRef,
    Display,
    External,
    Frame,
    FunctionRef,
    Literal,
    Value,
    Values,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo, ScopeInfo

BY_CLASS = frozenset({"errorhandler", "app_errorhandler", "exception_handler", "exception", "error_handler"})
"""Decorators of web frameworks that are given the class of the errors (or a status)."""

REGISTER_CALLS = frozenset({"add_exception_handler", "register_error_handler", "add_error_handler"})
REGISTER_UPDATES = frozenset({"register_errors_handler", "add_error_handler"})
OF_ONE_GROUP = "errorhandler"
"""The decorator that, on one of these, covers only its own routes."""

TABLE_KEYWORD = "exception_handlers"
CLASS_KEYWORD, CLASS_METHOD = "route_class", "get_route_handler"
"""What FastAPI's routers are given, and the method that makes the function around each of their routes."""

AROUND = {
    "dispatch": (WEB, frozenset({"django", "rest_framework"})),
    "dispatch_request": (WEB, frozenset({"flask", "quart"})),
    "invoke": (COMMAND_LINE, COMMAND_LINES),
    "main": (COMMAND_LINE, COMMAND_LINES),
}
"""Methods of library classes that run the entry points of an object, and may be overridden: what they cover."""

EVENTS = {
    "on_command_error": COMMAND,
    "on_slash_command_error": APP_COMMAND,
    "on_application_command_error": APP_COMMAND,
    "on_app_command_error": APP_COMMAND,
    "on_error": EVENT,
}
"""Events of a bot that mean an error, and where it comes from."""

OWN_METHODS = {"cog_command_error": COMMAND, "cog_app_command_error": APP_COMMAND, "on_error": EVENT}
"""Methods that take the errors of the other methods of their class."""

WORDS: dict[str, tuple[str, ...]] = {
    WEB: (
        *(BY_CLASS - {"exception"}),
        *REGISTER_CALLS,
        TABLE_KEYWORD,
        "process_exception",
        "middleware",
        "BaseHTTPMiddleware",
        CLASS_KEYWORD,
    ),
    COMMAND: ("on_command_error", "cog_command_error"),
    APP_COMMAND: ("on_application_command_error", "on_app_command_error", "cog_app_command_error", "tree"),
    EVENT: ("on_error",),
    UPDATE: ("add_error_handler", "register_errors_handler", "errors_handler", "errors"),
    LISTENER: ("slack_bolt",),
    COMMAND_LINE: (),
}
"""Words by which the files are found that hold handlers of a kind; those of base classes are read without."""

TELLING = frozenset({word for found in WORDS.values() for word in found}) | BY_CLASS | AROUND.keys() | {"error"}
"""A module without any of these words registers nothing."""

WRAPPED = {
    COMMAND: "discord.ext.commands.CommandInvokeError",
    APP_COMMAND: "discord.app_commands.CommandInvokeError",
}
"""The error in which the handlers of a kind get the original one."""


@dataclass(frozen=True, slots=True, eq=False)
class ErrorHandler:
    """One registered handler.

    ``run`` is the project's function with the names under which it knows the error (``subjects``); None when it cannot
    be seen. ``through``: a middleware, in which calling this name raises the error. ``only`` restricts it to one
    function, ``owner`` to the methods of one class and of those below it, ``group`` to the routes of one object (the
    call that makes it). ``declines``: returning None hands the error on. ``yields``: the error is raised where it
    yields.
    """

    kind: str
    clause: Clause
    node: Expr | Function
    module: "ModuleInfo"
    run: Frame | None = None
    subjects: frozenset[str] = frozenset()
    through: str = ""
    only: Function | None = None
    owner: Class | None = None
    declines: bool = False
    group: Expr | None = None
    yields: bool = False


class Finder:
    """Finds the handlers in one module."""

    def __init__(self, engine: "Engine", module: "ModuleInfo") -> None:
        self._engine = engine
        self._module = module

    def handlers(self) -> Iterator[ErrorHandler]:
        """Every handler that the module registers."""
        words = self._module.facts.identifiers
        if self._module.is_test or words.isdisjoint(TELLING):
            return
        for scope in (self._module.scope, *self._module.scopes.values()):
            if isinstance(scope.node, Function):
                yield from self._decorated(scope.node, scope)
                yield from self._method(scope.node, scope)
            if not isinstance(scope.node, Class):
                yield from self._calls(scope)

    # --- decorators

    def _decorated(self, function: Function, scope: "ScopeInfo") -> Iterator[ErrorHandler]:
        frame = self._engine.defining_frame(self._engine.generic_frame(scope))
        for decorator in function.decorators:
            word = library.written(decorator)
            args = decorator.args if isinstance(decorator, Call) else ()
            if word in BY_CLASS and args:
                yield from self._by_class(args[0].value, function, frame, decorator)
            elif word == "error":
                yield from self._error(decorator, args, function, frame)
            elif word in ("errors", "errors_handler"):
                yield self._made(UPDATE, EVERY_ERROR, function, decorator, frame)
            elif word in ("event", "listen", "listener"):
                told = [item for arg in args for item in self._engine.evaluator.value(arg.value, frame)]
                names = [str(item.value) for item in told if isinstance(item, Literal)] or [function.name]
                for name in names:
                    if name in EVENTS:
                        yield self._made(EVENTS[name], EVERY_ERROR, function, decorator, frame)
            elif word == "middleware" and len(_positional(function)) >= 2:
                yield self._made(WEB, EVERY_ERROR, function, decorator, frame, through=_positional(function)[-1])

    def _by_class(self, given: Expr, function: Function, frame: Frame, node: Expr) -> Iterator[ErrorHandler]:
        clause = self._clause(given, frame)
        if clause is not None:
            group = maker(node, self._module, self._engine) if library.written(node) == OF_ONE_GROUP else None
            yield replace(self._made(WEB, clause, function, node, frame), group=group)

    def _error(
        self, decorator: Expr, args: tuple[Arg, ...], function: Function, frame: Frame
    ) -> Iterator[ErrorHandler]:
        """``@command.error``, ``@bot.tree.error``, ``@app.error`` and ``@app.error(500)``."""
        plain = decorator.func if isinstance(decorator, Call) else decorator
        for value in self._engine.evaluator.value(plain, frame):
            if isinstance(value, Bound) and isinstance(value.function, External):
                covered = function_of(value.receiver)
                if covered is not None:
                    yield self._made(COMMAND, EVERY_ERROR, function, decorator, frame, only=covered)
                    yield self._made(APP_COMMAND, EVERY_ERROR, function, decorator, frame, only=covered)
            elif isinstance(value, External):
                kind = kind_by(value.path, "error")
                if kind not in ("", WEB):
                    yield self._made(kind, EVERY_ERROR, function, decorator, frame)
                elif args:
                    yield from self._by_class(args[0].value, function, frame, decorator)

    # --- methods

    def _method(self, function: Function, scope: "ScopeInfo") -> Iterator[ErrorHandler]:
        owner = scope.owner
        if owner is None or not isinstance(owner.node, Class):
            return
        names, frame = _positional(function), self._engine.defining_frame(self._engine.generic_frame(scope))
        if function.name == "process_exception" and len(names) == 3:
            yield self._made(WEB, EVERY_ERROR, function, function, frame, declines=True)
        elif function.name == "dispatch" and len(names) == 3 and names[2].startswith(("call_next", "next")):
            yield self._made(WEB, EVERY_ERROR, function, function, frame, through=names[2])
        elif function.name == "__call__" and names[1:] == ["scope", "receive", "send"]:
            yield self._made(WEB, EVERY_ERROR, function, function, frame, through=f"{names[0]}.app")
        elif function.name in AROUND and not AROUND[function.name][1].isdisjoint(self._libraries(owner)):
            kind, through = AROUND[function.name][0], f"super().{function.name}"
            covered = owner.node if kind == WEB else None
            yield self._made(kind, EVERY_ERROR, function, function, frame, through=through, owner=covered)
        elif function.name in OWN_METHODS and self._is_bot(owner):
            yield self._made(OWN_METHODS[function.name], EVERY_ERROR, function, function, frame, owner=owner.node)
        elif function.name in EVENTS and self._is_bot(owner):
            yield self._made(EVENTS[function.name], EVERY_ERROR, function, function, frame)

    def _is_bot(self, owner: "ScopeInfo") -> bool:
        return not BOTS.isdisjoint(self._libraries(owner))

    def _libraries(self, owner: "ScopeInfo") -> set[str]:
        """The libraries from which a class has its bases."""
        if not isinstance(owner.node, Class):
            return set()
        bases = self._engine.hierarchy.mro(ClassRef(owner.node, self._engine.generic_frame(owner)))
        return {base.path.partition(".")[0] for base in bases if isinstance(base, External)}

    # --- calls

    def _calls(self, scope: "ScopeInfo") -> Iterator[ErrorHandler]:
        frame = self._engine.generic_frame(scope)
        decorated = {node: one for one in self._module.functions for node in one.decorators}
        for node in (*inside(scope.node.body), *decorated):
            if not isinstance(node, Call) or (node in decorated and scope is not self._module.scope):
                continue
            word = library.written(node.func)
            if word in REGISTER_CALLS | REGISTER_UPDATES and node.args:
                yield from self._registered(node, frame)
            for arg in node.args:
                if arg.keyword == TABLE_KEYWORD:
                    yield from self._table(arg.value, node, frame, decorated.get(node))
                elif arg.keyword == CLASS_KEYWORD:
                    yield from self._route_class(arg.value, node, frame)

    def _registered(self, node: Call, frame: Frame) -> Iterator[ErrorHandler]:
        first = self._engine.evaluator.value(node.args[0].value, frame)
        functions = [value for value in first if isinstance(value, (FunctionRef, Bound))]
        if functions:
            for value in functions:
                yield from self._handed(UPDATE, EVERY_ERROR, value, node)
            return
        if len(node.args) < 2:
            return
        for given, handlers in self._rows(node.args[0].value, node.args[1].value, frame):
            clause = self._clause_of(given)
            if clause is not None:
                yield from self._each(WEB, clause, handlers, node)

    def _rows(self, errors: Expr, handler: Expr, frame: Frame) -> Iterator[tuple[Values, Values]]:
        """Which errors are registered with which handlers: in a loop over a table or a tuple, each with its own."""
        evaluator = self._engine.evaluator
        given, handlers = evaluator.value(errors, frame), evaluator.value(handler, frame)
        loop = self._iterable(errors, frame)
        if loop is None:
            yield given, handlers
            return
        table = loop.func.value if isinstance(loop, Call) and isinstance(loop.func, facts.Attr) else loop
        paired = self._iterable(handler, frame) is loop
        for value in given:
            found = handlers
            for display in evaluator.value(table, frame) if paired else ():
                if isinstance(display, Display) and display.kind == "dict":
                    found = next((held for key, held in display.items if key == value), handlers)
            yield one(value), found

    def _iterable(self, node: Expr, frame: Frame) -> Expr | None:
        """What a loop goes through that binds the name that an expression is."""
        if not isinstance(node, facts.Name):
            return None
        owner = self._engine.evaluator.owner(node.id, frame)
        bindings = owner.module.scope_of(owner.function).bindings.get(node.id, [])
        return bindings[0].node if len(bindings) == 1 and bindings[0].kind == "item" else None

    def _table(self, given: Expr, node: Call, frame: Frame, only: Function | None) -> Iterator[ErrorHandler]:
        """``exception_handlers={SomeError: handler}``, there or kept in a name."""
        if isinstance(given, facts.Name):
            owner = self._engine.evaluator.owner(given.id, frame)
            bindings = owner.module.scope_of(owner.function).bindings.get(given.id, [])
            given = bindings[0].node if len(bindings) == 1 and bindings[0].kind == "value" else given
        for key, value in given.items if isinstance(given, facts.Dict) else ():
            clause = self._clause(key, frame) if key is not None else None
            if clause is not None:
                yield from self._each(WEB, clause, self._engine.evaluator.value(value, frame), node, only)

    def _route_class(self, given: Expr, node: Call, frame: Frame) -> Iterator[ErrorHandler]:
        """``APIRouter(route_class=X)``: the function that the class puts around each route of the router."""
        for value in self._engine.evaluator.value(given, frame):
            found = self._engine.hierarchy.method(value, CLASS_METHOD) if isinstance(value, ClassRef) else None
            if found is None:
                continue
            module = found[0].parent.module
            scope = module.scope_of(found[1])
            inner = [name for name, held in scope.bindings.items() if any(map(_is_given_by_base, held))]
            for made in scope.children:
                for name in inner if isinstance(made.node, Function) else ():
                    run = self._engine.generic_frame(made)
                    yield ErrorHandler(WEB, EVERY_ERROR, node, module, run, through=name, group=node)

    def _each(
        self, kind: str, clause: Clause, handlers: Values, node: Expr, only: Function | None = None
    ) -> Iterator[ErrorHandler]:
        known = [value for value in handlers if isinstance(value, (FunctionRef, Bound))]
        for value in known:
            yield from self._handed(kind, clause, value, node, only)
        if not known:
            yield ErrorHandler(kind, clause, node, self._module, only=only)

    def _handed(
        self, kind: str, clause: Clause, value: Value, node: Expr, only: Function | None = None
    ) -> Iterator[ErrorHandler]:
        while isinstance(value, Bound):
            value = value.function
        if isinstance(value, FunctionRef):
            yield self._made(kind, clause, value.function, node, value.parent, only=only)

    # --- making one

    def _clause(self, given: Expr, frame: Frame) -> Clause | None:
        """The errors that a class, a tuple of classes or a status stands for; None when that cannot be known."""
        return self._clause_of(self._engine.evaluator.value(given, frame))

    def _clause_of(self, values: Values) -> Clause | None:
        if any(isinstance(value, Literal) and value.value == 500 for value in values):
            return EVERY_ERROR
        clause = clause_of(values - ANYTHING, self._engine)
        return clause if clause.alternatives and None not in clause.alternatives else None

    def _made(
        self,
        kind: str,
        clause: Clause,
        function: Function,
        node: Expr | Function,
        parent: Frame,
        *,
        through: str = "",
        only: Function | None = None,
        owner: Class | None = None,
        declines: bool = False,
    ) -> ErrorHandler:
        while isinstance(parent.function, Class):
            parent = parent.parent or Frame(parent.module, None)
        names = _positional(function)
        subjects = frozenset() if through or not names else frozenset(_subjects(kind, names[-1]))
        run = Frame(parent.module, function, parent)
        return ErrorHandler(kind, clause, node, self._module, run, subjects, through, only, owner, declines)


def _is_given_by_base(binding: Binding) -> bool:
    """Whether a name is bound to the function that the base class has made around a route."""
    return isinstance(binding.node, Call) and library.dotted(binding.node.func) == f"super().{CLASS_METHOD}"


def _subjects(kind: str, name: str) -> Iterable[str]:
    """What a handler may call the error, whose last parameter has this name."""
    return (f"{name}.error", f"{name}.exception", name) if kind == UPDATE else (name,)


def _positional(function: Function) -> list[str]:
    return [param.name for param in function.params if param.kind == "positional"]
