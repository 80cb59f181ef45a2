"""Edits that take a key out of the code: what reads it from the environment in its place."""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Const, Expr
from openai_lint.keys import Problem
from openai_lint.link import library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import Tree, tree_of
from openai_lint.rewrites import Need, RemoveArguments, RemoveStatement, Replace, Rewrite, Step
from openai_lint.rules._keys import Found
from openai_lint.rules._suggest import bound, shadowed, text_of

if TYPE_CHECKING:
    from openai_lint.link import Project

_LOOKUPS = frozenset({"getenv", "get"})
_SPACE = ("\\n", "\\r", "\\t", " ", "\t", "\n")


def from_environment(project: "Project", found: Found) -> Rewrite | None:
    """The literal gives way to the environment variable; None where it stands in no expression of its own."""
    module, node = found.module, found.node
    if module is None or node is None or found.verdict.problem is Problem.NAME or _is_bytes(module, node):
        return None
    tree = tree_of(project, module)
    step = _without_default(tree, module, node) if "OAI303" in found.codes else _direct(tree, module, node, found)
    if step is None:
        return None
    needs: tuple[Need, ...] = ()
    if isinstance(step, Replace) and "os." in step.text and not bound(module, "os", node.span):
        needs = (Need("os"),)
    if needs and shadowed(project, module, node, ["os"]):
        return None
    return Rewrite(module.path, f"read {found.variable} from the environment (revoke the key first)", (step,), needs)


def _direct(tree: Tree, module: ModuleInfo, node: Expr, found: Found) -> Step | None:
    parent = tree.parent(node)
    position = found.position
    here = position is not None and position.node is node
    if isinstance(parent, facts.Arg) and isinstance(call := tree.parent(parent), Call):
        derived = library.written(call.func) in ("with_options", "copy")
        if here and position is not None and position.variable and position.how == "keyword" and not derived:
            return RemoveArguments(call.span, (node.span,))
        if library.written(call.func) == "setdefault" and isinstance(tree.parent(call), facts.ExprStmt):
            return RemoveStatement(call.span)
    if isinstance(parent, facts.ExprStmt):
        return None
    if isinstance(parent, facts.Assign) and len(parent.targets) == 1 and here and position is not None:
        target = parent.targets[0]
        if isinstance(target, facts.Subscript) and library.written(target.value) == "environ":
            return RemoveStatement(node.span)
        if isinstance(target, facts.Attr) and position.how == "attribute" and position.variable:
            explained = any(comment.line == parent.span[0] - 1 for comment in module.facts.comments)
            if not explained:  # a comment above would speak of nothing
                return RemoveStatement(node.span)
    if found.whole == "key":
        return Replace(node.span, f'os.environ["{found.variable}"]')
    if found.whole == "bearer":
        return Replace(node.span, f"f\"Bearer {{os.environ['{found.variable}']}}\"")
    return None


def _without_default(tree: Tree, module: ModuleInfo, node: Expr) -> Step | None:
    """A lookup without what it gives where it finds nothing."""
    parent = tree.parent(node)
    if isinstance(parent, facts.Arg) and isinstance(call := tree.parent(parent), Call):
        if library.written(call.func) == "setdefault" and isinstance(tree.parent(call), facts.ExprStmt):
            return RemoveStatement(call.span)
        text = _lookup(module, call)
        return Replace(call.span, text) if text is not None and len(call.args) == 2 else None
    if isinstance(parent, facts.BoolOp) and parent.op == "or" and len(parent.values) == 2 and parent.values[1] is node:
        first = parent.values[0]
        text = _lookup(module, first) if isinstance(first, Call) and len(first.args) == 1 else None
        return Replace(parent.span, text) if text is not None else None
    return None


def _lookup(module: ModuleInfo, call: Call) -> str | None:
    """The same lookup in the environment, which fails where nothing is found."""
    func = call.func
    if library.written(func) not in _LOOKUPS or not call.args or call.args[0].keyword is not None:
        return None
    name = text_of(module, call.args[0].value.span)
    if isinstance(func, facts.Attr) and func.attr == "get" and library.written(func.value) == "environ":
        return f"{text_of(module, func.value.span)}[{name}]"
    if library.written(func) == "getenv":
        owner = text_of(module, func.value.span) if isinstance(func, facts.Attr) else "os"
        return f"{owner}.environ[{name}]"
    return None


def stripped(found: Found) -> Rewrite | None:
    """The literal without the white space at its ends, where nothing else is wrong with it."""
    module, node = found.module, found.node
    if module is None or not isinstance(node, Const) or found.verdict.problem not in (Problem.SPACE, Problem.NEWLINE):
        return None
    written = text_of(module, node.span)
    opening = next((end for end, letter in enumerate(written) if letter in "\"'"), None)
    if opening is None or (opening and not written[:opening].isalpha()):
        return None
    quote = written[opening] * (3 if written[opening:].startswith(written[opening] * 3) else 1)
    inner = written[opening + len(quote) : -len(quote)]
    text, before = inner, ""
    while text != before:
        before = text
        for space in _SPACE:
            text = text.removeprefix(space).removesuffix(space)
    if not written.endswith(quote) or text == inner or any(letter in text for letter in " \t\n\\\"'"):
        return None
    new = f"{written[:opening]}{quote[0]}{text}{quote[0]}"
    return Rewrite(module.path, "take the white space out", (Replace(node.span, new),), safe=True)


def _is_bytes(module: ModuleInfo, node: Expr) -> bool:
    return "b" in text_of(module, node.span).partition('"')[0].partition("'")[0].lower()
