"""The places of a module that take a credential, and the expression that is given there.

Constructors, ``with_options``, calls of 0.x, attributes of clients and of the module, headers, environment variables,
and whatever is named like a key of OpenAI.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr
from openai_lint.keys import (
    HEADER_KEYWORDS,
    HEADERS,
    KEYWORDS,
    MODULE_ATTRIBUTES,
    POSITIONAL_API_KEY,
    Endpoint,
    Form,
    Kind,
    environment_of,
    kind_of_name,
)
from openai_lint.link import library
from openai_lint.link.http import ANY_VERB, VERBS, requests
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Bound, ClassRef, Client, External, Resource, Value
from openai_lint.rules._endpoints import Endpoints

if TYPE_CHECKING:
    from openai_lint.link import Project

LOOKUPS = frozenset({"getenv", "get", "setdefault", "pop", "env", "config", "str", "secret", "get_secret", "getattr"})
"""Calls that take a name and what to give where there is nothing under it."""

ENVIRONMENT = frozenset({"environ", "environb"})
"""How the environment is called, whatever stands before it."""

_SPEAKS = re.compile(r"open_?ai", re.IGNORECASE)
_COPIES = frozenset({"with_options", "copy", "Client", "AsyncClient"})
_TAKE_KEY_FIRST = tuple(sorted(POSITIONAL_API_KEY))
_AZURE_ONLY = frozenset({"azure_ad_token"})
_OF_OTHERS = re.compile(r"(?:^|\.)(?:groq|anthropic|cohere|mistral|deepseek|google|together|fireworks)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """An expression where a credential belongs.

    ``label`` says how the place is called ("`api_key` of AzureOpenAI"), ``variable`` which environment variable the
    client reads by itself ("" where none), ``how`` the kind of place: keyword, attribute, environment, header, name,
    variable (the name of one). ``default``: it counts only where nothing else is given.
    """

    node: Expr
    kind: Kind
    form: Form
    endpoint: Endpoint
    label: str
    variable: str
    how: str
    default: bool = False


class Positions:
    """Finds the positions of one module after the other."""

    def __init__(self, project: "Project") -> None:
        self._project = project
        self._endpoints = Endpoints(project)

    def of(self, module: ModuleInfo) -> Iterator[Position]:
        """Every position in a module."""
        tree = tree_of(self._project, module)
        for call in tree.of(Call):
            yield from self._call(call, module)
        for statement in tree.of(facts.Assign):
            if statement.value is not None:
                for target in statement.targets:
                    yield from self._target(target, statement.value, module)
        for param in tree.of(facts.Param):
            if param.default is not None:
                yield from self._named(param.name, param.default, module, default=True)
        for display in tree.of(facts.Dict):
            yield from self._dict(display, module)
        for look in tree.of(facts.Subscript):
            if library.written(look.value) in ENVIRONMENT:
                yield self._variable(look.index, module)

    def of_requests(self) -> Iterator[tuple[ModuleInfo, Position]]:
        """Headers of raw requests to OpenAI hosts, with the module in which each stands."""
        for request in requests(self._project):
            given = request.option("headers")
            if given is not None:
                for module, position in self._headers(given[0], given[1], request.endpoint, request.call):
                    yield module, position
            for module, position in self._session_headers({origin.node for origin in request.session}, request.module):
                yield module, replace(position, endpoint=request.endpoint)

    # --- calls

    def _call(self, call: Call, module: ModuleInfo) -> Iterator[Position]:
        keywords = {arg.keyword: arg.value for arg in call.args if arg.keyword is not None}
        name = library.written(call.func)
        yield from self._pairs(call, name, module)
        if not self._may_take_one(call, keywords, name):
            return
        callees = self._project.engine.evaluator.value(call.func, tree_of(self._project, module).frame(call))
        client = next((found for callee in callees if (found := self._client(callee, module)) is not None), None)
        written = library.dotted(call.func)
        other = client is None and _SPEAKS.search(name) is not None and _OF_OTHERS.search(written) is None
        shown = client or name
        endpoint = self._endpoints.of_call(call, module, callees, shown)
        for keyword, value in self._given(call, module):
            if keyword in KEYWORDS and (
                client is not None or (other and keyword == "api_key") or keyword in _AZURE_ONLY
            ):
                kind, variable = KEYWORDS[keyword], environment_of(keyword, client) if client is not None else ""
            elif (named := kind_of_name(keyword)) is not None:
                kind, variable = named, ""
            else:
                if keyword in HEADER_KEYWORDS and client is not None:
                    yield from (found for _, found in self._headers(value, module, endpoint, shown))
                continue
            yield Position(value, kind, Form.BARE, endpoint, f"`{keyword}` of {shown}", variable, "keyword")
        first = call.args[0] if call.args else None
        if first is not None and first.keyword is None and not first.star and _takes_key_first(callees):
            label = f"the first argument of {library.dotted(call.func) or name}"
            yield Position(first.value, Kind.API_KEY, Form.BARE, endpoint, label, "OPENAI_API_KEY", "keyword")

    @staticmethod
    def _may_take_one(call: Call, keywords: Mapping[str, Expr], name: str) -> bool:
        """Whether the words of a call are worth finding out what is called."""
        if not keywords.keys().isdisjoint(KEYWORDS) or any(kind_of_name(keyword) for keyword in keywords):
            return True
        if not keywords.keys().isdisjoint(HEADER_KEYWORDS) and name not in VERBS | ANY_VERB:
            return True
        if any(arg.star == "**" for arg in call.args) and (_SPEAKS.search(name) or name in _COPIES):
            return True
        return bool(call.args) and library.dotted(call.func).endswith(_TAKE_KEY_FIRST)

    def _given(self, call: Call, module: ModuleInfo) -> Iterator[tuple[str, Expr]]:
        """Keywords with their values, also those that come in a dict (`**settings`)."""
        for arg in call.args:
            if arg.keyword is not None:
                yield arg.keyword, arg.value
            elif arg.star == "**":
                for origin in origins_of(self._project).of(arg.value, module):
                    if origin.module is module:
                        yield from _entries(origin.node)

    def _client(self, callee: Value, module: ModuleInfo) -> str | None:
        """The client class that the callee makes, copies, or (0.x) takes a key for."""
        engine = self._project.engine
        match callee:
            case External(path=path) if path.startswith("openai."):
                known = engine.catalogue(module, 1).any_client(path)
                return known.name if known is not None else None
            case Bound(function=External(path="client.with_options"), receiver=Client() as client):
                return client.name
            case Resource():
                return callee.client.name if callee.client.era else "openai"
            case ClassRef():
                subclass = engine.api.client_of_class(callee, "subclass")
                return subclass.name if subclass is not None else None
            case _:
                return None

    def _pairs(self, call: Call, name: str, module: ModuleInfo) -> Iterator[Position]:
        """`getenv(name, default)`, `setdefault(name, value)`, `setenv(name, value)` and the like."""
        written = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        default = name in LOOKUPS
        if written and (name in ("getenv", "getenvb") or (name in ("get", "pop") and _is_environment(call.func))):
            yield self._variable(written[0], module)
        for first, second in pairwise(written):
            if isinstance(first, facts.Const) and isinstance(first.value, str) and first.value.isidentifier():
                yield from self._named(first.value, second, module, default=default)
        for arg in call.args:
            if arg.keyword == "default" and written and isinstance(written[0], facts.Const):
                named = str(written[0].value).lstrip("-").replace("-", "_")
                yield from self._named(named, arg.value, module, default=True)

    def _variable(self, node: Expr, module: ModuleInfo) -> Position:
        endpoint = self._endpoints.of_module(module)
        return Position(
            node, Kind.API_KEY, Form.VARIABLE, endpoint, "the name of an environment variable", "", "variable"
        )

    # --- names

    def _target(self, target: Expr, value: Expr, module: ModuleInfo) -> Iterator[Position]:
        match target:
            case facts.Name():
                yield from self._named(target.id, value, module)
            case facts.Attr():
                yield from self._attribute(target, value, module)
            case facts.Subscript(index=facts.Const(value=str() as key)):
                yield from self._named(key, value, module, of=library.written(target.value))
            case facts.Sequence() if isinstance(value, facts.Sequence) and len(target.items) == len(value.items):
                for one, given in zip(target.items, value.items, strict=True):
                    yield from self._target(one, given, module)
            case _:
                pass

    def _attribute(self, target: "facts.Attr", value: Expr, module: ModuleInfo) -> Iterator[Position]:
        if target.attr in KEYWORDS:
            frame = tree_of(self._project, module).frame(target)
            for owner in self._project.engine.evaluator.value(target.value, frame):
                if isinstance(owner, External) and owner.path == "openai" and target.attr in MODULE_ATTRIBUTES:
                    endpoint = self._endpoints.of_module(module)
                    label, variable = f"`openai.{target.attr}`", environment_of(target.attr, "OpenAI")
                    if target.attr == "azure_ad_token":
                        variable = environment_of(target.attr, "AzureOpenAI")
                    yield Position(value, KEYWORDS[target.attr], Form.BARE, endpoint, label, variable, "attribute")
                    return
                if isinstance(owner, Client):
                    endpoint = self._endpoints.of_client(owner, module)
                    label, variable = f"`{target.attr}` of {owner.name}", environment_of(target.attr, owner.name)
                    yield Position(value, KEYWORDS[target.attr], Form.BARE, endpoint, label, variable, "attribute")
                    return
        yield from self._named(target.attr, value, module)

    def _named(
        self, name: str, value: Expr, module: ModuleInfo, *, default: bool = False, of: str = ""
    ) -> Iterator[Position]:
        kind = kind_of_name(name)
        if kind is None:
            return
        endpoint = self._endpoints.of_name(name, module)
        how = "environment" if of in ENVIRONMENT or (name.isupper() and default) else "name"
        variable = name if name.isupper() else ""
        yield Position(value, kind, Form.BARE, endpoint, f"`{name}`", variable, how, default)

    # --- dicts and headers

    def _dict(self, display: "facts.Dict", module: ModuleInfo) -> Iterator[Position]:
        entries = {key.value: value for key, value in display.items if isinstance(key, facts.Const)}
        endpoint = None
        if "api_key" in entries:
            endpoint = self._endpoints.of_settings({str(key): value for key, value in entries.items()}, module)
        for key, value in entries.items():
            if key == "api_key" and endpoint is not None:
                yield Position(value, Kind.API_KEY, Form.BARE, endpoint, '`"api_key"`', "", "name")
            elif isinstance(key, str):
                yield from self._named(key, value, module)

    def _headers(
        self, node: Expr, module: ModuleInfo, endpoint: Endpoint, of: str
    ) -> Iterator[tuple[ModuleInfo, Position]]:
        for origin in origins_of(self._project).of(node, module):
            for name, value in _entries(origin.node):
                if name.lower() in HEADERS:
                    yield origin.module, _header(name, value, endpoint, of)

    def _session_headers(self, sessions: set[Expr], module: ModuleInfo) -> Iterator[tuple[ModuleInfo, Position]]:
        """`session.headers.update({...})` and `session.headers[...] = ...`, in the module of the request."""
        if not sessions:
            return
        tree, origins = tree_of(self._project, module), origins_of(self._project)

        def is_one(node: Expr) -> bool:
            if not isinstance(node, facts.Attr) or node.attr != "headers":
                return False
            return any(origin.node in sessions for origin in origins.of(node.value, module))

        for call in tree.of(Call):
            if (
                isinstance(call.func, facts.Attr)
                and call.func.attr == "update"
                and call.args
                and is_one(call.func.value)
            ):
                yield from self._headers(call.args[0].value, module, Endpoint.OPENAI, "the session")
        for statement in tree.of(facts.Assign):
            for target in statement.targets:
                match target:
                    case facts.Subscript(index=facts.Const(value=str() as key)) if statement.value is not None:
                        if key.lower() in HEADERS and is_one(target.value):
                            yield module, _header(key, statement.value, Endpoint.OPENAI, "the session")
                    case _:
                        pass


def _is_environment(node: Expr) -> bool:
    """Whether it is a method of the environment (`os.environ.get`)."""
    return isinstance(node, facts.Attr) and library.written(node.value) in ENVIRONMENT


def _header(name: str, value: Expr, endpoint: Endpoint, of: str) -> Position:
    return Position(value, Kind.API_KEY, HEADERS[name.lower()], endpoint, f"the header `{name}` of {of}", "", "header")


def _entries(node: Expr) -> Iterator[tuple[str, Expr]]:
    """What a dict display, `dict(a=...)` or `Headers({...})` holds under constant keys."""
    if isinstance(node, facts.Dict):
        for key, value in node.items:
            if isinstance(key, facts.Const) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, Call):
        for arg in node.args:
            if arg.keyword is not None:
                yield arg.keyword, arg.value
            elif isinstance(arg.value, facts.Dict):
                yield from _entries(arg.value)


def _takes_key_first(callees: Iterable[Value]) -> bool:
    return any(
        isinstance(callee, Resource) and not callee.client.era and ".".join(callee.path) in POSITIONAL_API_KEY
        for callee in callees
    )
