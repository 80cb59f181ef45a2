"""A handler, or another test for an error, names a class that the SDK of the project does not have.

## Why it matters

The clause is looked at only when an error reaches it. Then `except openai.error.RateLimitError` raises `AttributeError`
from 1.0 on, `except openai.Timeout` raises `TypeError` because that is a setting and no exception, and the handler that
was written for the worst moment makes it worse. An import of such a name stops the program at its first line.

## Bad

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.error.RateLimitError:
    print("later")
```

## Good

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.RateLimitError:
    print("later")
```

## What counts

`except` clauses and the tuples they use, `isinstance`, `raise`, `contextlib.suppress`, the predicates of retry
libraries, tuples of errors that are handed on, imports, and any other place where such a name is evaluated. Where the
project allows several releases, the name must be wrong in all of them. Names that 0.x never had count in a 0.x
project. Code that tests for the version is silent.

## Fix

Safe: the name that the same failure has in the project's SDK. `APIError` of 0.x becomes `InternalServerError`, never
the new `APIError`, which is the base of all; `InvalidRequestError` becomes `BadRequestError` and `NotFoundError`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import Need, Replace, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._clauses import EXCEPT, IMPORT, ISINSTANCE, PREDICATE, RAISE, Broken, broken_names
from openai_lint.rules._suggest import bound, shadowed
from openai_lint.rules._versions import listed, named, source
from openai_lint.sdk import Missing

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each name, and one for each import statement."""
    imports: dict[tuple[str, facts.Span], list[Broken]] = {}
    for broken in broken_names(project):
        if broken.context == IMPORT:
            imports.setdefault((broken.module.path, broken.node.span), []).append(broken)
        else:
            yield _hit(project, [broken], _message(broken))
    for found in imports.values():
        yield _hit(project, found, _import_message(found))


def _hit(project: "Project", found: list[Broken], message: str) -> Hit:
    first = found[0]
    errors = tuple(dict.fromkeys(name.rpartition(".")[2] for broken in found for name in broken.rename.new))
    return Hit(
        project.place(first.module, first.node.span),
        message,
        _help(found),
        errors,
        first.releases[-1].version,
        rewrite=_rewrite(project, found),
    )


def _rewrite(project: "Project", found: list[Broken]) -> Rewrite | None:
    """The new name in place of the old one; for an import also wherever the file uses what it bound."""
    first = found[0]
    if isinstance(first.node, facts.Import):
        return _import_rewrite(project, found)
    module, node = first.module, first.node
    if not first.rename.new:
        return None
    text = _spelled(first)
    needs: tuple[Need, ...] = ()
    if isinstance(node, facts.Name):
        if shadowed(project, module, node, ["openai"]):
            return None
        needs = () if bound(module, "openai", node.span) else (Need("openai"),)
    return Rewrite(module.path, f"name it {text}", (Replace(node.span, text),), needs, safe=True)


def _import_rewrite(project: "Project", found: list[Broken]) -> Rewrite | None:
    module, span = found[0].module, found[0].node.span
    tree = tree_of(project, module)
    items = [node for node in tree.of(facts.Import) if node.span == span]
    new = {broken.node: broken.rename.new for broken in found}
    if any(item.name in (None, "*") for item in items) or any(len(names) != 1 for names in new.values()):
        return None
    names, steps = [], []
    for item in items:
        word = new[item][0].rpartition(".")[2] if item in new else str(item.name)
        if item.bound != item.name:
            names.append(f"{word} as {item.bound}")
            continue
        names.append(word)
        if word != item.bound:
            if len(module.scope.bindings.get(item.bound, ())) != 1 or word in module.facts.identifiers:
                return None
            steps += [Replace(use.span, word) for use in tree.of(facts.Name) if use.id == item.bound]
    if any(item not in new and item.module != "openai" for item in items):
        return None
    text = f"from openai import {', '.join(dict.fromkeys(names))}"
    return Rewrite(module.path, "import the names of this release", (Replace(span, text), *steps), safe=True)


def _message(broken: Broken) -> str:
    where, missing = named(broken.releases), isinstance(broken.meaning, Missing)
    written = source(broken.module, broken.node.span)
    shown = written if written == broken.path else f"{written} ({broken.path})"
    if missing:
        lacks = f"{where} has no {broken.meaning.at}" if isinstance(broken.meaning, Missing) else ""
        if broken.context == EXCEPT:
            return f"this clause raises AttributeError instead of catching anything: {lacks}"
        return f"{shown} raises AttributeError: {lacks}"
    is_what = f"{shown} is no exception in {where}"
    if broken.context == EXCEPT:
        return f"this clause raises TypeError instead of catching anything: {is_what}"
    if broken.context == ISINSTANCE:
        return f"this is never true: {is_what}"
    if broken.context == RAISE:
        return f"this raises TypeError instead: {is_what}"
    return f"this never matches an error: {is_what}" if broken.context == PREDICATE else is_what


def _import_message(found: list[Broken]) -> str:
    meaning = found[0].meaning
    error = meaning.import_error if isinstance(meaning, Missing) else "ImportError"
    return (
        f"this import fails with {error}: {named(found[0].releases)} has no {listed(broken.path for broken in found)}"
    )


def _help(found: list[Broken]) -> str:
    lines = []
    for broken in found:
        if broken.rename.new:
            lines.append(f"{broken.path} -> {_spelled(broken)}")
        elif isinstance(broken.node, facts.Import) and broken.path == "openai.error":
            lines.append("The errors are names of openai itself: from openai import RateLimitError")
        else:
            lines.append(f"Nothing stands for {broken.path} there; take it out.")
    return "\n".join(lines)


def _spelled(broken: Broken) -> str:
    """The new names as this code would write them."""
    new = broken.rename.new
    if isinstance(broken.node, facts.Import):
        return listed(new)
    root = broken.node
    while isinstance(root, facts.Attr):
        root = root.value
    plain = isinstance(broken.node, facts.Name)
    module = root.id if isinstance(root, facts.Name) and not plain else "openai"
    words = [name if module == "openai" else name.replace("openai", module, 1) for name in new]
    return words[0] if len(words) == 1 else ", ".join(words) if broken.grouped else f"({', '.join(words)})"


RULE = Rule("OAI111", "broken-handler", Severity.ERROR, check, fix=Applicability.SAFE)
