"""A stream of the Responses API is read, and the events that tell of its failure are never looked at.

## Why it matters

Of a Responses stream `response.failed`, `response.incomplete` and `error` are events like any other: they raise
nothing. Code that only picks the text deltas ends with half an answer, or none, and takes it for a whole one.

## Bad

```py
from openai import OpenAI

client = OpenAI()
for event in client.responses.create(model="gpt-5", input="hi", stream=True):
    if event.type == "response.output_text.delta":
        print(event.delta)
```

## Good

```py
from openai import OpenAI

client = OpenAI()
for event in client.responses.create(model="gpt-5", input="hi", stream=True):
    if event.type == "response.output_text.delta":
        print(event.delta)
    elif event.type in ("response.failed", "error"):
        raise RuntimeError(event)
```

## What counts

No code of the project names a failure: `response.failed`, `response.incomplete` or `error` as an event's type, or the
classes of these events. The final answer of `.stream()` (`get_final_response`) raises by itself.

## Fix

None: what to do with half an answer is for the program to say.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.link.queries_versions import below, sure
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.index import ModuleInfo

RESOURCES = ("responses.", "beta.responses.")
FAILURES = frozenset({"response.failed", "response.error", "response.incomplete", "error", "failed", "incomplete"})
CLASSES = frozenset({"ResponseFailedEvent", "ResponseErrorEvent", "ResponseIncompleteEvent", "get_final_response"})


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each stream."""
    dead = dead_calls(project)
    streams = [
        call for call in project.calls if call.site.path.startswith(RESOURCES) and call.kind in ("stream", "context")
    ]
    streams = [
        call for call in streams if call.method is not None and call.method.kind != "websocket_manager" and sure(call)
    ]
    if not streams or any(_looks(module) for module in project.modules) or _named_anywhere(project):
        return
    for call in streams:
        if call.site not in dead:
            place = project.place(call.module, call.site.node.span)
            message = (
                f"the failure of a {call.site.path} stream is an event that raises nothing, and no code looks at it"
            )
            help_text = (
                'if event.type in ("response.failed", "response.incomplete", "error"): raise RuntimeError(event)'
            )
            yield Hit(place, message, help_text, sdk=call.release.version, call=call.site.path)


def _named_anywhere(project: "Project") -> bool:
    """Whether any file of the project, also one that was not read as a module, names the event."""
    for path in project.workspace.files:
        try:
            if b"response.failed" in project.workspace.read(path):
                return True
        except OSError:
            continue
    return False


def _looks(module: "ModuleInfo") -> bool:
    """Whether a module tells the events of a failure apart."""
    if not CLASSES.isdisjoint(module.facts.identifiers):
        return True
    bodies = [module.facts.body, *(scope.node.body for scope in module.scopes.values())]
    for body in bodies:
        for node in below(body):
            sides: tuple[object, ...] = ()
            if isinstance(node, facts.Compare):
                sides = (node.left, *(node.right.items if isinstance(node.right, facts.Sequence) else (node.right,)))
            elif isinstance(node, facts.Pattern):
                sides = (node.value,)
            elif isinstance(node, facts.Dict):
                sides = tuple(key for key, _ in node.items)
            if any(isinstance(side, facts.Const) and side.value in FAILURES for side in sides):
                return True
            if (
                isinstance(node, facts.Const)
                and isinstance(node.value, str)
                and node.value.startswith(("response.failed", "response.error", "response.incomplete"))
            ):
                return True
    return False


RULE = Rule("OAI110", "silent-stream-failure", Severity.INFO, check, default=False, fix=Applicability.SUGGESTION)
