"""Files that a call uploads: the first attempt reads them to their end, and the next one would send nothing."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Attr, Call, Const, Expr, Function, Name, Sequence
from openai_lint.link.project import ApiCall
from openai_lint.link.values import External
from openai_lint.rules._suggest import text_of

if TYPE_CHECKING:
    from openai_lint.link import Project

_PARAMETERS = frozenset({"file", "image", "mask"})
"""Parameters that take what is uploaded."""

_OPENING = frozenset({"open", "fdopen", "BytesIO", "NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile"})
"""Functions and methods that give an open file."""

_NAMED = "Audio."
"""Methods of 0.x that ask what is uploaded for its name: it is a file, and not its content."""


def rewound(project: "Project", call: ApiCall) -> tuple[str, ...] | None:
    """Lines that bring a call's files back to their beginning; None where it cannot be told whether it has any."""
    method, node = call.method, call.site.node
    if call.site.era != 0 or method is None or not isinstance(node, Call):
        return ()  # from 1.0 on the transport does it
    frame = project.engine.generic_frame(call.module.scope_of(call.site.function))
    lines: list[str] = []
    for index, arg in enumerate(node.args):
        position = method.positional[index] if arg.keyword is None and index < len(method.positional) else None
        if arg.star or (arg.keyword or position) not in _PARAMETERS or _made_here(arg.value):
            continue
        values = project.engine.evaluator.value(arg.value, frame)
        opened = any(isinstance(one, External) and _opens(one.path) for one in values)
        if not isinstance(arg.value, (Name, Attr)) or not (opened or method.path.startswith(_NAMED)):
            return None
        lines.append(f"{text_of(call.module, arg.value.span)}.seek(0)")
    return tuple(lines)


def opens(call: ApiCall, function: Function, lines: Iterable[str]) -> bool:
    """Whether a function that is run again opens the files itself that the lines rewind."""
    bindings = call.module.scope_of(function).bindings
    roots = {line.partition(".")[0] for line in lines}
    return all(any(one.kind != "param" for one in bindings.get(root, ())) for root in roots)


def _made_here(value: Expr) -> bool:
    """Whether an expression makes its file anew each time, or is no file."""
    return isinstance(value, (Call, Const, Sequence))


def _opens(path: str) -> bool:
    return path.removesuffix("()").rpartition(".")[2] in _OPENING
