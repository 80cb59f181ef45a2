"""Text to ``ModuleFacts``."""

from openai_lint.extract.depth import Depth, measure
from openai_lint.extract.parse import parse, with_stack_for
from openai_lint.extract.visitor import Visitor, docstring
from openai_lint.facts import Cell, ModuleFacts, Unreadable


def read_module(
    path: str,
    text: str,
    code: str,
    cells: tuple[Cell, ...] = (),
    problems: tuple[Unreadable, ...] = (),
) -> ModuleFacts | Unreadable:
    """Parses and lowers ``code``, which stands for ``text`` line by line and column by column."""
    depth = measure(code)
    if depth.refusal is not None:
        return _too_deep(path, depth)

    def read() -> ModuleFacts | Unreadable:
        tree = parse(path, code)
        if isinstance(tree, Unreadable):
            return tree
        visitor = Visitor(code)
        body = visitor.module(tree)
        return ModuleFacts(
            path,
            text,
            body,
            docstring(body),
            tuple(visitor.comments),
            cells,
            frozenset(visitor.identifiers),
            problems,
        )

    try:
        return with_stack_for(depth, read)
    except Exception as error:  # noqa: BLE001  # one file must never end the run, whatever a new libcst hands out
        return Unreadable(path, f"cannot be read ({type(error).__name__}: {error}); please report it", 1, 1)


def problem_in(path: str, code: str) -> Unreadable | None:
    """What keeps ``code`` from being parsed, if anything does."""
    depth = measure(code)
    if depth.refusal is not None:
        return _too_deep(path, depth)
    tree = with_stack_for(depth, lambda: parse(path, code))
    return tree if isinstance(tree, Unreadable) else None


def _too_deep(path: str, depth: Depth) -> Unreadable:
    return Unreadable(path, f"{depth.refusal}: too deep to read; split it, or exclude the file", depth.line, 1)
