"""Kinds of entry points, by whose handlers cover them: routes, commands of bots and of the command line, events."""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function
from openai_lint.link import library
from openai_lint.link.values import Bound, External, Frame, FunctionRef, Value

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.index import ModuleInfo

WEB, COMMAND, APP_COMMAND, EVENT, UPDATE, LISTENER = "web", "command", "app command", "event", "update", "listener"
COMMAND_LINE = "command line"
"""Kinds of entry points, by whose handlers cover them."""

BOTS = frozenset({"discord", "nextcord", "disnake", "interactions"})
COMMAND_LINES = frozenset({"click", "typer", "asyncclick", "rich_click"})
CHATS = frozenset({"telegram", "telebot", "aiogram", "pyrogram"})
SITES = frozenset(
    {"flask", "quart", "fastapi", "starlette", "litestar", "django", "rest_framework", "ninja", "sanic", "aiohttp"}
)
ROUTE_CALLS = frozenset({"Route", "APIRoute", "add_route", "add_url_rule", "add_api_route", "path", "re_path", "url"})

BLUEPRINTS = frozenset({"flask.Blueprint()", "quart.Blueprint()", "fastapi.APIRouter()", "fastapi.routing.APIRouter()"})
MOST_IMPORTS = 6


def group_of(function: Function, module: "ModuleInfo", engine: "Engine") -> Expr | None:
    """The call that makes the object whose decorator hands the function over, where it has but a part of the routes."""
    for decorator in function.decorators:
        made = maker(decorator, module, engine)
        if made is not None:
            return made
    return None


def maker(decorator: Expr, module: "ModuleInfo", engine: "Engine") -> Expr | None:
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
    if not path and word in ("command", "group", "callback") and _is_command(function, module, engine):
        return COMMAND_LINE
    owner = module.scope_of(function).owner
    if not path and not word and owner is not None:
        cls = engine.evaluator.class_ref(owner, engine.generic_frame(module.scope_of(function)))
        bases = [base.path for base in engine.hierarchy.mro(cls) if isinstance(base, External)]
        path = next((base for base in bases if base.partition(".")[0] in SITES | BOTS), "")
    return kind_by(path, word)


def _is_command(function: Function, module: "ModuleInfo", engine: "Engine") -> bool:
    """Whether a function is a command of a group that is a function itself (``@cli.command()``)."""
    frame = engine.defining_frame(engine.generic_frame(module.scope_of(function)))
    plain = (item.func if isinstance(item, Call) else item for item in function.decorators)
    return any(
        isinstance(value, Bound) and isinstance(value.function, External) and function_of(value.receiver) is not None
        for item in plain
        for value in engine.evaluator.value(item, frame)
    )


def kind_by(path: str, word: str) -> str:
    framework = path.partition(".")[0]
    if framework in COMMAND_LINES:
        return COMMAND_LINE
    if framework in BOTS or (not path and word in ("hybrid_command", "slash_command")):
        if "app_commands" in path or ".tree." in path or word.startswith(("slash", "user", "message")):
            return APP_COMMAND
        return COMMAND if word in ("command", "hybrid_command", "group", "hybrid_group") else EVENT
    if framework in CHATS:
        return UPDATE
    if framework == "slack_bolt":
        return LISTENER
    return WEB if framework in SITES or word in library.ROUTE_METHODS else ""


def function_of(value: Value) -> Function | None:
    while hasattr(value, "function") and not isinstance(value, FunctionRef):
        value = value.function
    return value.function if isinstance(value, FunctionRef) else None
