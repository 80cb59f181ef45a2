"""Where a call is made many times: loops over collections, comprehensions, pools; in its function or a caller."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr, Function, Stmt
from openai_lint.link import library
from openai_lint.link.callers import callers_of
from openai_lint.link.index import ModuleInfo
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Display, Literal

if TYPE_CHECKING:
    from openai_lint.link import Project

FEW = 10
"""A collection of at most so many is no bulk."""

DEEPEST = 3
"""How many callers up are looked at."""

MAPPERS = frozenset({
    "map", "imap", "imap_unordered", "starmap", "thread_map", "process_map", "map_async", "apply_async", "applymap",
    "parallel_apply", "progress_apply", "progress_map",
})  # fmt: skip
"""Functions that call what they are given once for each item."""


def bulk(project: "Project", call: ApiCall) -> tuple[ModuleInfo, Expr | Stmt] | None:
    """The loop, comprehension or pool that makes the call many times; None where there is none."""
    places = [(made.module, made.node) for made in call.invocations] or [(call.module, call.site.node)]
    seen: set[Function] = set()
    for _ in range(DEEPEST):
        outer: list[tuple[ModuleInfo, Expr]] = []
        for module, node in places:
            found = _repeated(project, module, node)
            if found is not None:
                return module, found
            function = tree_of(project, module).function(node)
            if function is not None and function not in seen:
                seen.add(function)
                outer += [(use.module, use.call or use.node) for use in callers_of(project).of(function, module)]
        places = outer
    return None


def _repeated(project: "Project", module: ModuleInfo, node: Expr) -> Expr | Stmt | None:
    mapper = _mapper(project, module, node)
    if mapper is not None:
        return mapper if not fixed(project, module, mapper.args[-1].value) else None
    for parent, child in tree_of(project, module).above(node):
        match parent:
            case facts.Function() | facts.Class():
                return None
            case facts.For() if child is not parent.iterable and not fixed(project, module, parent.iterable):
                return parent
            case facts.Comprehension():
                if any(not fixed(project, module, clause.iterable) for clause in _loops(parent, child)):
                    return parent
            case _:
                continue
    return None


def _mapper(project: "Project", module: ModuleInfo, node: Expr) -> Call | None:
    """The ``map`` that calls what is named at a node, or that is the node."""
    for one in (node, tree_of(project, module).parent(tree_of(project, module).parent(node))):
        if isinstance(one, Call) and library.written(one.func) in MAPPERS and len(one.args) > 1:
            return one
    return None


def _loops(node: facts.Comprehension, child: object) -> Iterator[facts.Clause]:
    """The clauses that run the child more than once: its first iterable is evaluated once."""
    yield from (clause for clause in node.clauses if clause is not child)


def fixed(project: "Project", module: ModuleInfo, iterable: Expr, most: int = FEW) -> bool:
    """Whether the code itself fixes what is gone through at a few."""
    size = size_of(project, module, iterable)
    return size is not None and size <= most


def size_of(project: "Project", module: ModuleInfo, iterable: Expr) -> int | None:
    """How many items the code itself fixes a collection at; None where it does not."""
    if isinstance(iterable, (facts.Sequence, facts.Dict)):
        return (
            None
            if any(isinstance(item, facts.Starred) for item in getattr(iterable, "items", ()))
            else len(iterable.items)
        )
    if isinstance(iterable, Call):
        name = library.written(iterable.func)
        if name in ("enumerate", "reversed", "sorted", "list", "tuple", "tqdm", "set") and iterable.args:
            return size_of(project, module, iterable.args[0].value)
        if name in ("map", "filter") and len(iterable.args) > 1:
            return size_of(project, module, iterable.args[1].value)
        if name in ("split", "splitlines") and isinstance(iterable.func, facts.Attr):
            return _pieces(iterable, iterable.func.value)
        if name == "zip" and iterable.args:
            sizes = [size_of(project, module, arg.value) for arg in iterable.args]
            known = [size for size in sizes if size is not None]
            return min(known) if known else None
        if name == "range":
            return _range(project, module, iterable)
        if isinstance(iterable.func, facts.Attr) and name in ("items", "keys", "values"):
            return size_of(project, module, iterable.func.value)
    if isinstance(iterable, facts.Comprehension):
        sizes = [size_of(project, module, clause.iterable) for clause in iterable.clauses]
        product = 1
        for size in sizes:
            if size is None:
                return None
            product *= size
        return product
    written = _written(project, module, iterable) if isinstance(iterable, facts.Name) else None
    return size_of(project, module, written) if written is not None else _display(project, module, iterable)


def _written(project: "Project", module: ModuleInfo, node: facts.Name) -> Expr | None:
    """The one expression that a name of this module stands for, where it is a call or comprehension of known size."""
    scope = module.scope_of(tree_of(project, module).runner(node))
    for found in (scope.bindings.get(node.id), module.scope.bindings.get(node.id)):
        if found:
            single = found[0].node if len(found) == 1 and found[0].kind == "value" and not found[0].path else None
            return single if isinstance(single, (Call, facts.Comprehension)) else None
    return None


def _pieces(node: Call, text: Expr) -> int | None:
    """Into how many pieces a text that stands in the code is split."""
    if not isinstance(text, facts.Const) or not isinstance(text.value, str):
        return None
    if library.written(node.func) == "splitlines":
        return len(text.value.splitlines())
    if not node.args:
        return len(text.value.split())
    mark = node.args[0].value
    known = isinstance(mark, facts.Const) and isinstance(mark.value, str) and mark.value
    return len(text.value.split(str(mark.value))) if known and isinstance(mark, facts.Const) else None


def _range(project: "Project", module: ModuleInfo, node: Call) -> int | None:
    frame = tree_of(project, module).frame(node)
    numbers = []
    for arg in node.args:
        most = _longest(project, module, arg.value)
        if most is not None:
            numbers.append(most)
            continue
        values = project.engine.evaluator.value(arg.value, frame)
        found = [value.value for value in values if isinstance(value, Literal)]
        if len(values) != 1 or len(found) != 1 or not isinstance(found[0], int):
            return None
        numbers.append(found[0])
    return len(range(*numbers)) if 1 <= len(numbers) <= 3 and (len(numbers) < 3 or numbers[2]) else None


def _longest(project: "Project", module: ModuleInfo, node: Expr) -> int | None:
    """What ``len(text)`` is at most, where the code cuts that off (``text = text[:9000]``)."""
    if not isinstance(node, Call) or library.written(node.func) != "len" or len(node.args) != 1:
        return None
    text = node.args[0].value
    if not isinstance(text, facts.Name):
        return None
    tree = tree_of(project, module)
    for binding in module.scope_of(tree.runner(node)).bindings.get(text.id, ()):
        cut = binding.node
        if (
            binding.kind == "value"
            and isinstance(cut, facts.Subscript)
            and isinstance(cut.value, facts.Name)
            and cut.value.id == text.id
            and cut.span[:2] < node.span[:2]
            and isinstance(cut.index, facts.Sequence)
            and cut.index.kind == "slice"
        ):
            return _end_of(project, module, cut.index)
    return None


def _end_of(project: "Project", module: ModuleInfo, cut: facts.Sequence) -> int | None:
    if len(cut.items) != 1 or cut.items[0].span[:2] == cut.span[:2]:
        return None  # what begins where the slice does is its beginning
    values = project.engine.evaluator.value(cut.items[0], tree_of(project, module).frame(cut))
    found = [value.value for value in values if isinstance(value, Literal)]
    return found[0] if len(values) == 1 and len(found) == 1 and isinstance(found[0], int) else None


def _display(project: "Project", module: ModuleInfo, node: Expr) -> int | None:
    values = project.engine.evaluator.value(node, tree_of(project, module).frame(node))
    sizes = {len(value.items) for value in values if isinstance(value, Display) and None not in dict(value.items)}
    return sizes.pop() if len(sizes) == 1 and len(values) == 1 else None
