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
from openai_lint.link.values import ANYTHING, Bound, ClassRef, External, Frame, FunctionRef, Literal, Value, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo, ScopeInfo

WEB, COMMAND, APP_COMMAND, EVENT, UPDATE, LISTENER = "web", "command", "app command", "event", "update", "listener"
"""Kinds of entry points, by whose handlers cover them."""

BOTS = frozenset({"discord", "nextcord", "disnake", "interactions"})
CHATS = frozenset({"telegram", "telebot", "aiogram", "pyrogram"})
SITES = frozenset(
    {"flask", "quart", "fastapi", "starlette", "litestar", "django", "rest_framework", "ninja", "sanic", "aiohttp"}
)
ROUTE_CALLS = frozenset({"Route", "APIRoute", "add_route", "add_url_rule", "add_api_route", "path", "re_path", "url"})

BY_CLASS = frozenset({"errorhandler", "app_errorhandler", "exception_handler", "exception", "error_handler"})
"""Decorators of web frameworks that are given the class of the errors (or a status)."""

REGISTER_CALLS = frozenset({"add_exception_handler", "register_error_handler", "add_error_handler"})
REGISTER_UPDATES = frozenset({"register_errors_handler", "add_error_handler"})
OF_ONE_GROUP = "errorhandler"
"""The decorator that, on one of these, covers only its own routes."""

BLUEPRINTS = frozenset({"flask.Blueprint()", "quart.Blueprint()"})
MOST_IMPORTS = 6
TABLE_KEYWORD = "exception_handlers"

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
    ),
    COMMAND: ("on_command_error", "cog_command_error"),
    APP_COMMAND: ("on_application_command_error", "on_app_command_error", "cog_app_command_error", "tree"),
    EVENT: ("on_error",),
    UPDATE: ("add_error_handler", "register_errors_handler", "errors_handler", "errors"),
    LISTENER: ("slack_bolt",),
}
"""Words by which the files are found that hold handlers of a kind."""

TELLING = frozenset({word for found in WORDS.values() for word in found}) | BY_CLASS | {"error"}
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
    function, ``owner`` to the methods of one class, ``group`` to the routes of one object (the call that makes it).
    ``declines``: returning None hands the error on.
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


def group_of(function: Function, module: "ModuleInfo", engine: "Engine") -> Expr | None:
    """The call that makes the object whose decorator hands the function over, where it has but a part of the routes."""
    for decorator in function.decorators:
        made = _maker(decorator, module, engine)
        if made is not None:
            return made
    return None


def _maker(decorator: Expr, module: "ModuleInfo", engine: "Engine") -> Expr | None:
    """What makes ``group`` in ``@group.errorhandler(X)``, where it is a blueprint kept in a variable of a module."""
    method = decorator.func if isinstance(decorator, Call) else decorator
    if not isinstance(method, facts.Attr) or not isinstance(method.value, facts.Name):
        return None
    values = engine.evaluator.value(method.value, Frame(module, None))
    if not any(isinstance(value, External) and value.path in BLUEPRINTS for value in values):
        return None
    name, home = method.value.id, module
    for _ in range(MOST_IMPORTS):
        bindings = home.scope.bindings.get(name, [])
        if len(bindings) != 1:
            return None
        if bindings[0].kind != "import":
            return bindings[0].node if bindings[0].kind == "value" else None
        path = engine.modules.resolve(home.path, bindings[0].node)
        found = engine.modules.load(path) if path is not None and path.endswith(".py") else None
        if found is None or bindings[0].node.name is None:
            return None
        name, home = bindings[0].node.name, found
    return None


def kind_of(function: Function, module: "ModuleInfo", engine: "Engine") -> str:
    """Which handlers cover an entry point; empty when none can."""
    record = engine.record
    path = record.entry_paths.get(function, "")
    word = library.last(record.entries.get(function, ""))
    if function in record.callbacks:
        path = path or record.callbacks[function][0]
        if library.last(path) in ROUTE_CALLS:
            return WEB
    owner = module.scope_of(function).owner
    if not path and not word and owner is not None:
        cls = engine.evaluator.class_ref(owner, engine.generic_frame(module.scope_of(function)))
        bases = [base.path for base in engine.hierarchy.mro(cls) if isinstance(base, External)]
        path = next((base for base in bases if base.partition(".")[0] in SITES | BOTS), "")
    return _kind(path, word)


def _kind(path: str, word: str) -> str:
    framework = path.partition(".")[0]
    if framework in BOTS or (not path and word in ("hybrid_command", "slash_command")):
        if "app_commands" in path or ".tree." in path or word.startswith(("slash", "user", "message")):
            return APP_COMMAND
        return COMMAND if word in ("command", "hybrid_command", "group", "hybrid_group") else EVENT
    if framework in CHATS:
        return UPDATE
    if framework == "slack_bolt":
        return LISTENER
    return WEB if framework in SITES or word in library.ROUTE_METHODS else ""


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
            group = _maker(node, self._module, self._engine) if library.written(node) == OF_ONE_GROUP else None
            yield replace(self._made(WEB, clause, function, node, frame), group=group)

    def _error(
        self, decorator: Expr, args: tuple[Arg, ...], function: Function, frame: Frame
    ) -> Iterator[ErrorHandler]:
        """``@command.error``, ``@bot.tree.error``, ``@app.error`` and ``@app.error(500)``."""
        plain = decorator.func if isinstance(decorator, Call) else decorator
        for value in self._engine.evaluator.value(plain, frame):
            if isinstance(value, Bound) and isinstance(value.function, External):
                covered = _function_of(value.receiver)
                if covered is not None:
                    yield self._made(COMMAND, EVERY_ERROR, function, decorator, frame, only=covered)
                    yield self._made(APP_COMMAND, EVERY_ERROR, function, decorator, frame, only=covered)
            elif isinstance(value, External):
                kind = _kind(value.path, "error")
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
        elif function.name in OWN_METHODS and self._is_bot(owner):
            yield self._made(OWN_METHODS[function.name], EVERY_ERROR, function, function, frame, owner=owner.node)
        elif function.name in EVENTS and self._is_bot(owner):
            yield self._made(EVENTS[function.name], EVERY_ERROR, function, function, frame)

    def _is_bot(self, owner: "ScopeInfo") -> bool:
        if not isinstance(owner.node, Class):
            return False
        bases = self._engine.hierarchy.mro(ClassRef(owner.node, self._engine.generic_frame(owner)))
        return any(isinstance(base, External) and base.path.partition(".")[0] in BOTS for base in bases)

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

    def _registered(self, node: Call, frame: Frame) -> Iterator[ErrorHandler]:
        first = self._engine.evaluator.value(node.args[0].value, frame)
        functions = [value for value in first if isinstance(value, (FunctionRef, Bound))]
        if functions:
            for value in functions:
                yield from self._handed(UPDATE, EVERY_ERROR, value, node)
            return
        clause = self._clause(node.args[0].value, frame)
        if clause is not None and len(node.args) >= 2:
            yield from self._each(WEB, clause, self._engine.evaluator.value(node.args[1].value, frame), node)

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
        values = self._engine.evaluator.value(given, frame)
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


def _subjects(kind: str, name: str) -> Iterable[str]:
    """What a handler may call the error, whose last parameter has this name."""
    return (f"{name}.error", f"{name}.exception", name) if kind == UPDATE else (name,)


def _positional(function: Function) -> list[str]:
    return [param.name for param in function.params if param.kind == "positional"]


def _function_of(value: Value) -> Function | None:
    while hasattr(value, "function") and not isinstance(value, FunctionRef):
        value = value.function
    return value.function if isinstance(value, FunctionRef) else None
