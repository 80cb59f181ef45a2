"""A stream is read under handlers for the SDK's errors only, where a broken stream raises the transport's own error.

## Why it matters

Until 3.13 a connection that breaks while a stream is read raises `httpx.ReadError`, `httpx.RemoteProtocolError` or
`httpx.ReadTimeout` (`httpx2` from 3.0 on, `requests` and `aiohttp` in 0.x). None of them is an error of the SDK, so
that `except openai.APIError` does not catch them, and nothing retries them. From 3.14 on the SDK wraps them, but for
the body of `with_streaming_response` and the `stream()` of Assistants runs.

## Bad

```py main.py
import openai

client = openai.OpenAI()
try:
    for event in client.chat.completions.create(model="gpt-4o", messages=[], stream=True):
        print(event)
except openai.OpenAIError as error:
    print(error)
```

```txt requirements.txt
openai==1.109.1
```

## Good

```py main.py
import httpx
import openai

client = openai.OpenAI()
try:
    for event in client.chat.completions.create(model="gpt-4o", messages=[], stream=True):
        print(event)
except (openai.OpenAIError, httpx.TransportError) as error:
    print(error)
```

```txt requirements.txt
openai==1.109.1
```

## What counts

The error event of the stream is caught, so that somebody thought of errors while it is read, and the transport's errors
reach an entry point. Every release that the project allows must let them through.

## Fix

Unsafe: the transport's errors join the clause. An upgrade to openai 3.14 cures most of it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.escapes import RAW, Leak
from openai_lint.facts import Handler
from openai_lint.link.queries_versions import versions
from openai_lint.link.releases import era_of
from openai_lint.rewrites import Need, Rewrite, SetTypes
from openai_lint.rule import Applicability, Hit, Related, Rule, Severity
from openai_lint.rules._handling import try_of
from openai_lint.rules._noise import dead_calls
from openai_lint.rules._suggest import shadowed
from openai_lint.rules._versions import at, listed, named
from openai_lint.rules._written import written_types
from openai_lint.sdk import sdk

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project
    from openai_lint.link.index import ModuleInfo
    from openai_lint.sdk import Sdk

COMMON_BASES = {
    "httpx": "httpx.TransportError",
    "httpx2": "httpx2.TransportError",
    "requests": "requests.exceptions.RequestException",
    "aiohttp": "aiohttp.ClientError",
}
"""The class of a transport that catches what it raises when a stream breaks."""


def check(project: "Project") -> Iterable[Hit]:
    """One hit for each call whose stream is read."""
    known, dead = versions(project), dead_calls(project)
    for call in project.calls:
        raw = sorted({leak.error for leak in call.reaching if _of_transport(leak)})
        passed = _passed(project, call, raw)
        if passed is None or call.site in dead or known.asks(call.module):
            continue
        releases = tuple(release for release in known.environment(call.module) if era_of(release) == call.site.era)
        if all(_lets_through(call, release) for release in releases):
            yield _hit(project, call, raw, releases, passed)


def _of_transport(leak: Leak) -> bool:
    return leak.iterating and leak.form == RAW and "." in leak.error


def _passed(project: "Project", call: "ApiCall", raw: list[str]) -> "tuple[Handler, ModuleInfo] | None":
    """The handler that catches what the SDK itself raises while the stream is read, and none of the transport's."""
    if not raw or any(leak.iterating and "." not in leak.error for leak in call.reaching):
        return None
    found = [
        (node, module)
        for node, module, errors in call.handled_by
        if isinstance(node, Handler) and errors.isdisjoint(raw)
    ]
    return min(found, key=lambda passed: not _of_reading(project, call, passed[0]), default=None)


def _of_reading(project: "Project", call: "ApiCall", handler: Handler) -> bool:
    """Whether a handler takes errors that leave the stream while it is read."""
    use = project.record.handlers.get(handler)
    return use is not None and any(leak.site is call.site and leak.iterating for leak in use.absorbed)


def _for_connections(project: "Project", call: "ApiCall", handler: Handler, module: "ModuleInfo") -> Handler:
    """The clause of the same try that takes the errors of connections, or the clause itself."""
    trial = try_of(handler, module)
    for other in trial.handlers if trial is not None else ():
        names = {item.rpartition(".")[2] for item in written_types(project, module, other)}
        if call.release.roles["connection"] in names:
            return other
    return handler


def _lets_through(call: "ApiCall", release: "Sdk") -> bool:
    method = release.any_method(call.site.path)
    return method is not None and (call.reads_body or not release.stream_wraps(method))


def _hit(
    project: "Project",
    call: "ApiCall",
    raw: list[str],
    releases: "tuple[Sdk, ...]",
    passed: "tuple[Handler, ModuleInfo]",
) -> Hit:
    handler, module = passed
    place = project.place(call.module, call.site.node.span)
    handler = _for_connections(project, call, handler, module)
    other = project.place(module, handler.header)
    bases = sorted({COMMON_BASES.get(name.partition(".")[0], name) for name in raw})
    where = named(releases) if releases else f"openai {call.release.version}"
    raises = f"a broken stream of {call.site.path} raises {listed(raw, 'or')} in {where}"
    message = f"{raises}, which the handler in {at(other, place)} does not catch"
    mended = call.site.era == 1 and not call.reads_body and not _lets_through(call, sdk())
    upgrade = "" if not mended else ", or require openai>=3.14, which raises its own errors there"
    help_text = f"Catch {listed(bases)} there as well{upgrade}."
    return Hit(
        place,
        message,
        help_text,
        tuple(raw),
        call.release.version,
        call.site.path,
        (Related(other, "it passes by here"),),
        rewrite=_rewrite(project, handler, module, bases),
    )


def _rewrite(project: "Project", handler: Handler, module: "ModuleInfo", bases: list[str]) -> Rewrite | None:
    """The transport's errors in the clause, beside those that it names."""
    if handler.type is None or shadowed(project, module, handler.body[0], bases):
        return None
    needs = tuple(Need(base.partition(".")[0]) for base in bases)
    kept = written_types(project, module, handler)
    if not kept:
        return None
    types = (*kept, *bases)
    step = SetTypes(handler.header, handler.type.span, types)
    return Rewrite(module.path, f"let the clause take {listed(bases)} too", (step,), needs)


RULE = Rule("OAI109", "raw-stream-error", Severity.WARNING, check, fix=Applicability.UNSAFE)
