"""What web, bot and command-line frameworks do with an error that leaves a function handed to them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import Leaks
from openai_lint.facts import Call, Expr, Function
from openai_lint.link import library
from openai_lint.link.clauses import CATCHES, Clause, clause_of
from openai_lint.link.index import ModuleInfo

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.record import Record

REGISTER_DECORATORS = frozenset({"errorhandler", "exception_handler", "app_errorhandler", "error_handler", "exception"})
"""Decorators that make a function the handler of the errors they are given."""

REGISTER_CALLS = frozenset({"add_exception_handler", "register_error_handler", "add_error_handler"})
"""Calls that register a handler: the first argument is the class (where it is one)."""

FRAMEWORK_PAGES = {
    "flask": "Flask answers 500",
    "fastapi": "FastAPI answers 500",
    "starlette": "Starlette answers 500",
    "streamlit": "Streamlit shows the traceback",
    "gradio": "Gradio shows an error box",
    "django": "Django answers 500",
    "aiogram": "aiogram logs it and the user gets no answer",
    "discord": "discord.py logs it and the user gets no answer",
    "telegram": "the bot logs it and the user gets no answer",
    "celery": "Celery marks the task as failed",
    "click": "the command ends with a traceback",
    "typer": "the command ends with a traceback",
}


@dataclass(frozen=True, slots=True)
class Registered:
    """Handlers that the project registers with its web framework: they cover every route."""

    clauses: tuple[tuple[Clause, Function | None, ModuleInfo, Expr], ...]
    engine: "Engine"

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.clauses)

    def filter(self, leaks: Leaks, function: Function, record: "Record") -> Leaks:
        """What is left of the leaks of a route."""
        written = record.entries.get(function, "")
        if library.last(written) not in library.ROUTE_METHODS:
            return leaks
        rest = set(leaks)
        for leak in leaks:
            release = self.engine.catalogue(leak.site.module, leak.site.era)
            for clause, handler, module, node in self.clauses:
                if handler is not function and clause.verdict(leak, release) == CATCHES:
                    record.handled(leak, node, module)
                    rest.discard(leak)
                    break
        return frozenset(rest)


def registered_handlers(engine: "Engine", modules: list[ModuleInfo]) -> Registered:
    """Find what the loaded modules (and files that register handlers) hand to their frameworks."""
    loaded = {module.path for module in modules}
    found: list[tuple[Clause, Function | None, ModuleInfo, Expr]] = []
    candidates = list(modules)
    for word in (*REGISTER_DECORATORS, *REGISTER_CALLS):
        for path in engine.workspace.mentioning(word, [path for path in engine.workspace.files if path not in loaded]):
            module = engine.modules.load(path)
            loaded.add(path)
            if module is not None:
                candidates.append(module)
    for module in candidates:
        if module.is_test:
            continue
        words = module.facts.identifiers
        if words.isdisjoint(REGISTER_DECORATORS) and words.isdisjoint(REGISTER_CALLS):
            continue
        for scope in (module.scope, *module.scopes.values()):
            node = scope.node
            if isinstance(node, Function):
                frame = engine.generic_frame(scope.parent or module.scope)
                for decorator in node.decorators:
                    if (
                        isinstance(decorator, Call)
                        and library.written(decorator) in REGISTER_DECORATORS
                        and decorator.args
                    ):
                        clause = clause_of(engine.evaluator.value(decorator.args[0].value, frame), engine)
                        if clause.alternatives and None not in clause.alternatives:
                            found.append((clause, node, module, decorator))
        found += _calls(engine, module)
    return Registered(tuple(found), engine)


def _calls(engine: "Engine", module: ModuleInfo) -> list[tuple[Clause, Function | None, ModuleInfo, Expr]]:
    from openai_lint.link.loops import below

    found: list[tuple[Clause, Function | None, ModuleInfo, Expr]] = []
    for scope in (module.scope, *module.scopes.values()):
        if isinstance(scope.node, facts.Class):
            continue
        body = scope.node.body
        frame = engine.generic_frame(scope)
        for node in below(body):
            if isinstance(node, Call) and library.written(node.func) in REGISTER_CALLS and len(node.args) >= 2:
                clause = clause_of(engine.evaluator.value(node.args[0].value, frame), engine)
                if clause.alternatives and None not in clause.alternatives:
                    found.append((clause, None, module, node))
    return found


def describe(function: Function, record: "Record") -> str:
    """What an entry point is, in words."""
    written = record.entries.get(function)
    if written is not None:
        return f"handed to @{written.replace('()', '')}"
    if function in record.callbacks:
        return "handed over as a callback"
    return "no caller in the project"
