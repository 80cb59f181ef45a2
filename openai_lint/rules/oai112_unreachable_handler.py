"""A clause for an error of the SDK that an earlier clause of the same `try` already catches.

## Why it matters

Python takes the first clause that fits. What the later one was written for (waiting, another message) never happens.
From 1.0 on it is easy to get wrong: a timeout is also an `APIConnectionError`, and everything is an `APIError`, while
in 0.x all errors stood side by side.

## Bad

```py
import openai

client = openai.OpenAI()
try:
    client.responses.create(model="gpt-5", input="hi")
except openai.APIError as error:
    print("the API failed", error)
except openai.RateLimitError:
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
except openai.APIError as error:
    print("the API failed", error)
```

## What counts

Every class that the clause names is caught before, in every release that the project allows, and one of them is an
error of the SDK. Clauses whose classes cannot all be known are silent, and so is a `try` with a clause that crashes.

## Fix

Unsafe: the clause is moved in front of the one that hides it.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.escapes import ancestors, clause
from openai_lint.facts import Handler
from openai_lint.link.queries_versions import nodes, versions
from openai_lint.rewrites import MoveClause, Rewrite
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._clauses import class_names
from openai_lint.rules._versions import at, listed, source

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.index import ModuleInfo
    from openai_lint.link.values import Frame
    from openai_lint.sdk import Sdk


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each clause that is never reached."""
    known = versions(project)
    for module in project.modules:
        if known.asks(module):
            continue
        for node, frame in nodes(project, module, facts.Try):
            if len(node.handlers) > 1:
                for handler, earlier in _hidden(project, node, frame, known.environment(module)):
                    again = set(class_names(project, earlier, frame) or ()) & set(
                        class_names(project, handler, frame) or ()
                    )
                    yield _hit(project, module, handler, earlier, movable=not again and earlier.type is not None)


def _hidden(
    project: "Project", node: facts.Try, frame: "Frame", releases: "tuple[Sdk, ...]"
) -> Iterator[tuple[Handler, Handler]]:
    classes = {handler: class_names(project, handler, frame) for handler in node.handlers}
    meant = [path for names in classes.values() for path in names or ()]
    if any(not isinstance(clause(path, release), str) for path in meant for release in releases):
        return
    for index, handler in enumerate(node.handlers):
        names = classes[handler] or ()
        if not any(path.startswith("openai.") for path in names):
            continue
        hiding = [_hides(path, node.handlers[:index], classes, releases) for path in names]
        if None not in hiding and hiding:
            yield handler, next(found for found in hiding if found is not None)


def _hides(
    path: str, earlier: tuple[Handler, ...], classes: dict[Handler, Any], releases: "tuple[Sdk, ...]"
) -> Handler | None:
    """The first clause that catches a class in every release."""
    for handler in earlier:
        names = ("BaseException",) if handler.type is None else classes[handler] or ()
        if all(
            any(clause(name, release) in ancestors(str(clause(path, release)), release) for name in names)
            for release in releases
        ):
            return handler
    return None


def _hit(project: "Project", module: "ModuleInfo", handler: Handler, earlier: Handler, *, movable: bool) -> Hit:
    items = handler.type.items if isinstance(handler.type, facts.Sequence) else (handler.type,)
    errors = tuple(source(module, item.span).rpartition(".")[2] for item in items if item is not None)
    place, other = project.place(module, handler.header), project.place(module, earlier.header)
    message = f"this clause is never reached: {at(other, place)} already catches {listed(errors)}"
    help_text = f"Move `{_written(module, handler)}` in front of `{_written(module, earlier)}`, or take it out."
    rewrite = None
    if movable:  # what an earlier clause names itself is hidden wherever it stands
        move = MoveClause(handler.header, earlier.header)
        rewrite = Rewrite(module.path, "move the clause in front of the one that hides it", (move,))
    return Hit(place, message, help_text, errors, related=(Related(other, "caught here"),), rewrite=rewrite)


def _written(module: "ModuleInfo", handler: Handler) -> str:
    return source(module, handler.header).partition(" as ")[0].rstrip(": ")


RULE = Rule("OAI112", "unreachable-handler", Severity.WARNING, check, fix=Applicability.UNSAFE)
