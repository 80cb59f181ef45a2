"""Waiting for a state of a run, job or file without a deadline.

## Why it matters

The helpers that poll (`create_and_poll`, `poll`, ...) ask again until the state is a final one, and so does a loop on
`.status`. When the other side never gets there the program asks for ever, and nothing says so.

## Bad

```py
from openai import OpenAI

client = OpenAI()
client.beta.threads.runs.create_and_poll(thread_id="thread_1", assistant_id="asst_1")
```

```py
import time
from openai import OpenAI

client = OpenAI()
job = client.fine_tuning.jobs.retrieve("job")
while job.status not in ("succeeded", "failed"):
    time.sleep(5)
    job = client.fine_tuning.jobs.retrieve("job")
```

## Good

```py
import time
from openai import OpenAI

client = OpenAI()
deadline = time.monotonic() + 600
job = client.fine_tuning.jobs.retrieve("job")
while job.status not in ("succeeded", "failed"):
    if time.monotonic() > deadline:
        raise TimeoutError("the job did not finish")
    time.sleep(5)
    job = client.fine_tuning.jobs.retrieve("job")
```

## What counts

Polling helpers that take no limit, and `while` loops that retrieve an object and look at its status. A clock, a
counter, `asyncio.timeout` or `asyncio.wait_for` around it is a deadline. `files.wait_for_processing` has one of its
own.

## Fix

None: how long it may take is for the program to say.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Call
from openai_lint.link import library
from openai_lint.link.queries_versions import below, sure
from openai_lint.link.tree import tree_of
from openai_lint.rule import Applicability, Hit, Rule, Severity
from openai_lint.rules._noise import dead_calls
from openai_lint.sdk import POLLING

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project

LIMITS = (
    "time",
    "clock",
    "now",
    "monotonic",
    "perf_counter",
    "deadline",
    "timeout",
    "elapsed",
    "attempt",
    "tries",
    "retries",
    "limit",
    "max",
    "count",
)
"""Words in names that tell of a bound."""

OWN_LIMIT = "max_wait_seconds"
SCOPES = frozenset({"timeout", "timeout_at", "fail_after", "move_on_after", "wait_for"})


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each helper, and one for each loop."""
    dead = dead_calls(project)
    seen: set[Any] = set()
    for call in project.calls:
        if call.method is None or not sure(call) or call.site in dead or _limited(project, call):
            continue
        place = project.place(call.module, call.site.node.span)
        if call.method.kind == POLLING:
            if OWN_LIMIT not in call.method.options:
                message = f"{call.site.path} asks again until the state is a final one, however long that takes"
                yield Hit(place, message, _help(call), sdk=call.release.version, call=call.site.path)
            continue
        loop = _status_loop(project, call)
        if loop is not None and loop not in seen:
            seen.add(loop)
            message = f"this loop asks {call.site.path} again until the status changes, however long that takes"
            yield Hit(
                project.place(call.module, loop.test.span),
                message,
                "Give up after a deadline: if time.monotonic() > deadline: raise TimeoutError(...)",
                sdk=call.release.version,
                call=call.site.path,
            )


def _help(call: "ApiCall") -> str:
    if any(client.asynchronous for client in call.clients):
        return f"async with asyncio.timeout(600):\n    await ...{call.site.path}(...)"
    plain = call.site.path.replace("_and_poll", "").replace("_poll", "")
    return f"Create it with {plain}(...), then retrieve it in a loop that gives up after a deadline."


def _limited(project: "Project", call: "ApiCall") -> bool:
    """Whether something around the call ends it after a time."""
    for parent, _ in tree_of(project, call.module).above(call.site.node):
        if isinstance(parent, Call) and library.written(parent.func) in SCOPES:
            return True
        if isinstance(parent, facts.With) and any(library.written(item.context) in SCOPES for item in parent.items):
            return True
    return False


def _status_loop(project: "Project", call: "ApiCall") -> facts.While | None:
    """The loop without a bound that waits for the status of what the call retrieves."""
    tree = tree_of(project, call.module)
    statement = tree.statement(call.site.node)
    if (
        not call.site.path.endswith(".retrieve")
        or not isinstance(statement, facts.Assign)
        or len(statement.targets) != 1
    ):
        return None
    target = library.dotted(statement.targets[0])
    for parent, child in tree.above(statement):
        if isinstance(parent, (facts.Function, facts.For)):
            return None
        if isinstance(parent, facts.While) and child is not parent.test:
            inside = list(below((facts.ExprStmt(parent.test.span, parent.test), *parent.body)))
            waits = any(
                isinstance(node, facts.Attr) and node.attr == "status" and library.dotted(node.value) == target
                for node in inside
            )
            return parent if waits and target and not any(_bounds(node) for node in inside) else None
    return None


def _bounds(node: Any) -> bool:
    if isinstance(node, facts.Compare) and node.op in ("<", "<=", ">", ">="):
        return True
    words = node.id if isinstance(node, facts.Name) else node.attr if isinstance(node, facts.Attr) else ""
    return words != "time" and any(word in words.lower() for word in LIMITS[1:])


RULE = Rule("OAI411", "unbounded-poll", Severity.INFO, check, default=False, fix=Applicability.SUGGESTION)
