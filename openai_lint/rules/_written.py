"""The types of an ``except`` clause as they are written, and whether what stands there is a type at all."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Attr, Expr, Handler, Name
from openai_lint.link.index import Binding, ModuleInfo, ScopeInfo
from openai_lint.link.tree import tree_of
from openai_lint.rules._suggest import text_of

if TYPE_CHECKING:
    from openai_lint.link import Project

_TYPES = frozenset({"import", "class"})
"""Kinds of bindings by which a name is that of one type, or of what holds types."""


def written_types(project: "Project", module: ModuleInfo, handler: Handler) -> tuple[str, ...]:
    """The types of a clause one by one, as they are written beside others; none where one cannot be told.

    The name of a tuple becomes ``*NAME``: a tuple in a tuple is no type.
    """
    found = []
    for item in _items(handler):
        text = text_of(module, item.span)
        bindings = _bindings(project, module, handler, item)
        if isinstance(item, Name) and any(isinstance(binding.node, facts.Sequence) for binding in bindings):
            text = f"*{text}"
        elif not _like_a_type(item, text, bindings):
            return ()
        found.append(text)
    return tuple(found)


def chosen_by_users(project: "Project", module: ModuleInfo, handler: Handler) -> bool:
    """Whether what a clause takes was handed to the code around it (``*errors``, ``self.errors``), for others too.

    More errors in it would be caught for all of them.
    """
    for item in _items(handler):
        bindings = _bindings(project, module, handler, item)
        given = any(binding.kind == "param" for binding in bindings)
        if given and not _like_a_type(item, text_of(module, item.span), bindings):
            return True
    return False


def _items(handler: Handler) -> tuple[Expr, ...]:
    kind = handler.type
    return () if kind is None else kind.items if isinstance(kind, facts.Sequence) else (kind,)


def _bindings(project: "Project", module: ModuleInfo, handler: Handler, item: Expr) -> Sequence[Binding]:
    """What the name that an expression begins with is bound to, where the clause sees it."""
    while isinstance(item, Attr):
        item = item.value
    for scope in _seen(module.scope_of(tree_of(project, module).function(handler))):
        if isinstance(item, Name) and item.id in scope.bindings:
            return scope.bindings[item.id]
    return ()


def _seen(scope: ScopeInfo) -> Iterator[ScopeInfo]:
    yield scope
    while scope is not scope.module.scope:
        scope = scope.enclosing()
        yield scope


def _like_a_type(item: Expr, text: str, bindings: Sequence[Binding]) -> bool:
    """Whether a dotted name may be that of one type: a constant (``RETRYABLE``) is rather a tuple of several.

    What is no import and no class may still lead to one, by an attribute that is spelt as classes are.
    """
    last = text.rpartition(".")[2]
    if not text.replace(".", "").isidentifier() or last.isupper():
        return False
    if all(binding.kind in _TYPES for binding in bindings):
        return True
    return isinstance(item, Attr) and last[:1].isupper()
