"""What a new handler does about an error, by where it stands: as the framework, the script or the function would."""

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from openai_lint.facts import (
    BoolOp,
    Call,
    Class,
    Expr,
    For,
    Function,
    Handler,
    If,
    IfExp,
    Import,
    Lambda,
    Match,
    Name,
    Stmt,
    While,
)
from openai_lint.link import library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import Need
from openai_lint.rules._handling import framework_of

if TYPE_CHECKING:
    from openai_lint.link import Project

IN_FRAMEWORKS = {
    "fastapi": ('raise HTTPException(503, "{busy}") from {name}', 'raise HTTPException(502, "{refused}") from {name}'),
    "flask": ('abort(503, "{busy}")', 'abort(502, "{refused}")'),
    "streamlit": ('st.error("{busy}, try later")\nst.stop()', 'st.error(f"{refused}: {{{name}}}")\nst.stop()'),
    "notebook": (
        'raise RuntimeError("{busy}, try later") from {name}',
        'raise RuntimeError("{refused}") from {name}',
    ),
    "interactive": (
        'print(f"{busy}, try later: {{{name}}}")\ncontinue',
        'print(f"{refused}: {{{name}}}")\ncontinue',
    ),
    "click": (
        'raise click.ClickException(f"{busy}, try later: {{{name}}}") from {name}',
        'raise click.ClickException(f"{refused}: {{{name}}}") from {name}',
    ),
    "script": ('sys.exit(f"{busy}, try later: {{{name}}}")', 'sys.exit(f"{refused}: {{{name}}}")'),
    "function": (
        'raise RuntimeError("{what}: {busy}") from {name}',
        'raise RuntimeError("{what}: {refused}") from {name}',
    ),
}
"""What a handler may do about a transient and about a permanent error, by where it stands."""

IMPORTED = {"HTTPException": Need("fastapi", "HTTPException"), "abort": Need("flask", "abort")}
"""Where the words of frameworks come from."""


def answers(
    project: "Project", module: ModuleInfo, node: Expr | Stmt, name: str, service: str = "OpenAI API"
) -> tuple[str, str]:
    """What a handler around a node may do about a transient and about a permanent error of a service."""
    function = tree_of(project, module).function(node)
    setting = framework_of(project, function) if function is not None else None
    if module.facts.cells:
        setting = "notebook"
    elif setting not in IN_FRAMEWORKS or (setting == "click" and "click" not in module.scope.bindings):
        setting = "script" if function is None or function.name == "main" else "function"
        if (
            "st" in module.scope.bindings
            and _is_streamlit(module)
            and (setting == "script" or _shows(module, function))
        ):
            setting = "streamlit"
    if setting in ("script", "function", "notebook") and asking_loop(project, module, node) is not None:
        setting = "interactive"
    what = "this request" if function is None or not function.name.isidentifier() else function.name.strip("_")
    words = {
        "busy": f"The {service} is not available",
        "refused": f"The {service} refused the request",
        "name": name,
        "what": what.replace("_", " "),
    }
    if setting == "function":
        words |= {"busy": f"the {service} is not available", "refused": f"the {service} refused the request"}
    soon, never = IN_FRAMEWORKS[setting]
    return soon.format(**words), never.format(**words)


def asking_loop(project: "Project", module: ModuleInfo, node: Expr | Stmt) -> While | None:
    """The innermost loop around a node, if somebody is asked something in each of its rounds before the node is run.

    Who sits there reads what went wrong, and asks again: a round that is given up need not end the program.
    """
    tree = tree_of(project, module)
    loop, child = next((one for one in tree.above(node) if isinstance(one[0], _LOOPS)), (None, None))
    if not isinstance(loop, While) or child not in loop.body:
        return None
    for call in tree.of(Call):
        if library.written(call.func) == "input" and isinstance(call.func, Name) and call.span < node.span:
            around = list(takewhile(lambda one: not isinstance(one[0], _SOMETIMES), tree.above(call)))
            if any(above is loop and child not in loop.orelse for above, child in around):
                return loop
    return None


_LOOPS = (While, For, Function, Class)
_SOMETIMES = (If, IfExp, Match, BoolOp, Handler, For, Function, Class, Lambda)
"""What may not run all that stands in it, or not in this round."""


def _is_streamlit(module: ModuleInfo) -> bool:
    return any(
        isinstance(binding.node, Import) and binding.node.module == "streamlit" and binding.node.name is None
        for binding in module.scope.bindings["st"]
    )


def _shows(module: ModuleInfo, function: Function | None) -> bool:
    """Whether a function of a Streamlit page shows something itself, and is not one whose result is kept."""
    return (
        function is not None
        and _SHOWN.search(_lines(module, function.body[0].span[0], function.span[2])) is not None
        and not any("cache" in _lines(module, one.span[0], one.span[2]) for one in function.decorators)
    )


def _lines(module: ModuleInfo, first: int, last: int) -> str:
    return "\n".join(module.facts.text.split("\n")[first - 1 : last])


_SHOWN = re.compile(r"\bst\.(?!session_state|secrets)")
