"""Options that a call or a client does not take in the SDK of the project."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from openai_lint.facts import Call, Expr
from openai_lint.link.queries_versions import once, sure, versions, wrapped
from openai_lint.link.releases import era_of
from openai_lint.rules._clients import made_clients
from openai_lint.sdk import Sdk, call_option_replacements, client_only_options, known_releases, sdk

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project
    from openai_lint.link.index import ModuleInfo


@dataclass(frozen=True, slots=True)
class Refused:
    """An option that is not taken where it is given.

    ``node`` is the call that gives it, ``option`` its keyword (None: a positional argument), ``where`` what does not
    take it, ``instead`` the option or way that is meant (``takes`` says of what: call, client, name). Unless ``fatal``
    the call goes out all the same.
    """

    module: "ModuleInfo"
    node: Expr
    call: "ApiCall | None"
    option: str | None
    argument: Expr
    where: str
    releases: tuple[Sdk, ...]
    instead: str | None
    takes: str
    fatal: bool = True

    @property
    def safe(self) -> bool:
        """Whether another keyword in the same place is what is meant."""
        return self.fatal and self.instead is not None and self.takes == "name"


@cache
def asked() -> frozenset[str]:
    """The options of which the data says for every method whether it takes them."""
    return frozenset(
        option
        for release in ("0", "newest", "1.0.0")
        for method in sdk(release).methods.values()
        for option in method.options
    )


@once
def unsupported_options(project: "Project") -> tuple[Refused, ...]:
    """Every such option of the project."""
    return (*_of_calls(project), *_of_clients(project))


def _of_calls(project: "Project") -> Iterator[Refused]:
    known = versions(project)
    for call in project.calls:
        if call.method is None or not sure(call) or known.asks(call.module) or wrapped(call):
            continue
        releases = known.environment(call.module)
        if not all(
            era_of(release) == call.site.era and release.method(call.site.path) is not None for release in releases
        ):
            continue
        for place in call.invocations:
            if not isinstance(place.node, Call) or place.module is not call.module:
                continue
            for arg in place.node.args:
                if arg.keyword is None or arg.keyword not in place.args.keywords:
                    continue
                found = _option(call, releases, arg.keyword)
                if found is not None:
                    instead, takes, fatal = found
                    node = call.site.node if place.node is call.site.node else place.node
                    yield Refused(
                        call.module, node, call, arg.keyword, arg.value, call.site.path, releases, instead, takes, fatal
                    )


def _option(call: "ApiCall", releases: tuple[Sdk, ...], option: str) -> tuple[str | None, str, bool] | None:
    """What is meant by an option that no release takes there, and whether it crashes; None for one that is fine."""
    if option not in asked():
        return None
    methods = [method for release in releases if (method := release.method(call.site.path)) is not None]
    if call.site.era == 0 and option == "timeout":
        both = all({"timeout", "request_timeout"} <= method.options for method in methods)
        return ("request_timeout", "name", False) if both else None
    if any(option in method.options or method.open for method in methods):
        return None
    renamed = call_option_replacements().get(option)
    if renamed is not None and call.site.era == 1 and all(renamed in method.options for method in methods):
        return renamed, "name", True
    moved = client_only_options().get(option) if call.site.era == 1 else None
    return (moved, "client", True) if moved is not None else (None, "", True)


def _of_clients(project: "Project") -> Iterator[Refused]:
    known = versions(project)
    for made in made_clients(project):
        releases = known.environment(made.module)
        if known.asks(made.module) or any(era_of(release) == 0 for release in releases):
            continue
        entries = [release.clients.get(name) for release in releases for name in made.classes]
        if None in entries:
            continue
        options = [entry.options if made.constructor else entry.copy_options for entry in entries if entry is not None]
        yield from _given(made.module, made.node, made.written, releases, options, constructor=made.constructor)


def _given(
    module: "ModuleInfo",
    node: Call,
    name: str,
    releases: tuple[Sdk, ...],
    options: list[frozenset[str]],
    *,
    constructor: bool,
) -> Iterator[Refused]:
    for arg in node.args:
        if arg.star:
            continue
        if arg.keyword is None:
            yield Refused(
                module,
                node,
                None,
                None,
                arg.value,
                name,
                releases,
                "api_key" if constructor else None,
                "name" if constructor else "",
            )
            return
        if not any(arg.keyword in taken for taken in options):
            meant = {"api_base": "base_url", "request_timeout": "timeout"}.get(arg.keyword)
            meant = meant or client_only_options().get(arg.keyword)
            fits = meant is not None and meant != arg.keyword and all(meant in taken for taken in options)
            yield Refused(
                module,
                node,
                None,
                arg.keyword,
                arg.value,
                name,
                releases,
                meant if fits else None,
                "name" if fits else "",
            )


def since(name: str, option: str) -> str | None:
    """The first known release whose client class takes an option."""
    return sdk(known_releases()[-1]).client_option_since(name, option)
