"""Quoted annotations: ``"OpenAI"`` and ``Optional["OpenAI"]`` mean the expression in the quotes."""

from collections.abc import Callable

from openai_lint.facts import Attr, BinOp, Const, Expr, Name, Sequence, Span, Starred, Subscript

Read = Callable[[str, Span], Expr | None]


def unquoted(annotation: Expr, read: Read) -> Expr:
    """``annotation`` with its strings lowered as code by ``read``, which answers None for what is no expression.

    The strings of ``Literal[...]`` and the metadata of ``Annotated[...]`` are values and stay as they are.
    """
    match annotation:
        case Const(span=span, value=str(text)):
            return read(text, span) or annotation
        case Subscript(span=span, value=value, index=index):
            name = value.attr if isinstance(value, Attr) else value.id if isinstance(value, Name) else ""
            if name == "Literal":
                return annotation
            if name == "Annotated" and isinstance(index, Sequence) and index.items:
                first = unquoted(index.items[0], read)
                return Subscript(span, value, Sequence(index.span, index.kind, (first, *index.items[1:])))
            return Subscript(span, value, unquoted(index, read))
        case Sequence(span=span, kind=kind, items=items):
            return Sequence(span, kind, tuple(unquoted(item, read) for item in items))
        case BinOp(span=span, op="|", left=left, right=right):
            return BinOp(span, "|", unquoted(left, read), unquoted(right, read))
        case Starred(span=span, value=value):
            return Starred(span, unquoted(value, read))
        case _:
            return annotation
