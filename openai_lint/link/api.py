"""Clients, resources and requests: which values are the SDK's, and what calling its methods sets going."""

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_lint.escapes import NO_LEAKS, RAW, Leak, Leaks
from openai_lint.facts import Attr, Call, Expr, Function
from openai_lint.link import library, retry_instructor, retry_libraries, vendors
from openai_lint.link.blocks import inside
from openai_lint.link.cells import Outcome
from openai_lint.link.index import ModuleInfo, ScopeInfo
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    Bound,
    ClassRef,
    Client,
    Deferred,
    External,
    Frame,
    Instance,
    Request,
    Resource,
    Site,
    Value,
    Values,
    constants,
    one,
    the_constant,
)
from openai_lint.sdk import Method, sdk

if TYPE_CHECKING:
    from openai_lint.link.arguments import Arguments
    from openai_lint.link.engine import Engine

CREATION = "creation"
STREAM = "stream"
BODY = "body"
"""Reading what ``with_streaming_response`` gives: the transport's own errors leave it in every release."""
PAGES = "pages"


class Api:
    """Everything that knows what an OpenAI client is."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._sites: dict[tuple[Expr, str], Site] = {}
        self._met: dict[Site, None] = {}

    @property
    def sites(self) -> list[Site]:
        """Every place found that names a method of the SDK."""
        return list(self._met)

    def forget(self) -> None:
        """What a guess took for a site may be none: only sites that are met from now on count."""
        self._met.clear()

    # --- clients

    def construct(self, path: str, args: "Arguments", module: ModuleInfo, node: Expr) -> Client | None:
        """The client that calling ``path`` makes, if that is a client class of the SDK or gives an object of one."""
        path = vendors.CLIENT_MAKERS.get(path, path)
        known = self._engine.catalogue(module, 1).any_client(path) if path.startswith("openai.") else None
        if known is None:
            return None
        return Client(
            known.name,
            known.asynchronous,
            "constructor",
            max_retries=self._retries(args, "default"),
            origin=node,
            options=args.named(),
        )

    @staticmethod
    def _retries(args: "Arguments", otherwise: int | str | None) -> int | str | None:
        given = args.keywords.get("max_retries")
        if given is None:
            return "unknown" if args.open_keywords and otherwise == "default" else otherwise
        number = the_constant(given)
        return number if isinstance(number, int) and not isinstance(number, bool) else "unknown"

    def declared(self, path: str, module: ModuleInfo) -> Values:
        """The object that an annotation with this external class declares."""
        known = self._engine.catalogue(module, 1).any_client(path) if path.startswith("openai.") else None
        if known is not None:
            return one(Client(known.name, known.asynchronous, "annotation", max_retries=None))
        if path.startswith("openai.") or path.rpartition(".")[2].lower() in ("any", "object"):
            return NOTHING
        if path.partition(".")[0] in library.TYPING or "." not in path:
            return NOTHING
        return one(External(f"{path}()"))

    def client_of_class(self, cls: ClassRef, known_by: str) -> Client | None:
        """The client that objects of a project class are, when a base of it is a client class."""
        for base in self._engine.hierarchy.mro(cls)[1:]:
            if isinstance(base, External):
                known = (
                    self._engine.catalogue(cls.parent.module, 1).any_client(base.path)
                    if base.path.startswith("openai.")
                    else None
                )
                if known is not None:
                    return Client(known.name, known.asynchronous, known_by, max_retries=self._passed_on(cls))
        return None

    def _passed_on(self, cls: ClassRef) -> int | str | None:
        """The number of retries that the constructor of a project class gives the client class that it is made of."""
        found = self._engine.hierarchy.method(cls, "__init__")
        if found is None:
            return "unknown"
        frame = Frame(found[0].parent.module, found[1], found[0].parent)
        for node in inside(found[1].body):
            if isinstance(node, Call) and library.dotted(node.func) == "super().__init__":
                return self._retries(self._engine.calls.arguments(node, frame), "default")
        return "unknown"

    def star_member(self, module: str, name: str) -> Values | None:
        """What ``from openai import *`` binds: the client classes, the errors and the resources of the SDK."""
        if retry_libraries.exports(module, name):
            return one(External(f"{module}.{name}"))
        if module != "openai" and not module.startswith("openai."):
            return None
        release = sdk("newest")
        known = name in release.names or name in release.errors or name in sdk("0.28.1").errors
        return one(External(f"{module}.{name}")) if known else None

    # --- attributes

    def external_attribute(self, path: str, attr: str, frame: Frame, node: Attr | None) -> Values:
        """``openai.x``: an error, a client class, a resource of the module-level client, or a 0.x class."""
        full = f"{path}.{attr}"
        if full in vendors.DROP_INS:
            return one(External(vendors.DROP_INS[full]))
        if not path.startswith("openai") or (path != "openai" and not path.startswith("openai.")):
            return library.extended(path, f".{attr}")
        words = tuple(word for word in full.split(".")[1:])
        for era in (1, 0):
            catalogue = self._engine.catalogue(frame.module, era)
            plain = tuple(word for word in words if word not in catalogue.wrappers)
            dotted = ".".join(plain)
            if catalogue.any_method(dotted) is not None:
                client = Client("openai", False, "module", era=era, max_retries="default" if era else None)
                wrapper = next((word for word in words if word in catalogue.wrappers), None)
                return self.resource(client, plain, wrapper, frame, node)
        return library.extended(path, f".{attr}")

    def attribute(self, value: Client | Resource, attr: str, frame: Frame, node: Attr | None) -> Values:
        """``client.chat``, ``client.chat.completions.create``, ``client.with_options`` ..."""
        client = value if isinstance(value, Client) else value.client
        words = () if isinstance(value, Client) else value.path
        wrapper = None if isinstance(value, Client) else value.wrapper
        catalogue = self._engine.catalogue(frame.module, client.era)
        if attr in catalogue.wrappers:
            return one(Resource(client, words, attr, None, frame.module))
        if not words and catalogue.client_methods.get(attr) == "client":
            return one(Bound(External("client.with_options"), client))
        path = (*words, attr)
        dotted = ".".join(path)
        if catalogue.any_method(dotted) is not None:
            return self.resource(client, path, wrapper, frame, node)
        if catalogue.any_resource(dotted):
            return one(Resource(client, path, wrapper, None, frame.module))
        if words and self.method_of(value) is not None:
            return ANYTHING
        if client.wrapped and not words:
            return one(client) if attr == "client" else ANYTHING
        return ANYTHING

    def resource(
        self, client: Client, path: tuple[str, ...], wrapper: str | None, frame: Frame, node: Attr | None
    ) -> Values:
        """A method of the SDK that is named at ``node``; the place becomes known."""
        if node is not None:
            self.site(node, frame.module, ".".join(path), client, frame)
        return one(Resource(client, path, wrapper, node, frame.module))

    def chain(self, node: Attr, frame: Frame) -> Values | None:
        """An unknown receiver followed by words that only OpenAI has, in code that knows of openai."""
        words: list[str] = []
        current: Expr = node
        first = 0
        while isinstance(current, Attr):
            words.append(current.attr)
            current = current.value
            base = self._engine.evaluator.value(current, frame)
            if not (base <= ANYTHING and base):
                if not base or not all(isinstance(value, (Instance, ClassRef)) for value in base):
                    return None
                first = 1  # an object of the project; what it holds under the first word is not known
                break
        words.reverse()
        era = 1
        catalogue = self._engine.catalogue(frame.module, era)
        for start in range(len(words)):
            path = tuple(word for word in words[start:] if word not in catalogue.wrappers)
            dotted = ".".join(path)
            if len(path) > 1 and catalogue.any_method(dotted) is not None:
                if start < first:
                    return None  # the object itself looks like a client
                if not self._engine.speaks_openai(frame.module, len(path)):
                    return None
                if dotted.partition(".")[0] in vendors.COMMON_RESOURCES:
                    return None
                wrapper = next((word for word in words[start:] if word in catalogue.wrappers), None)
                unsure = Client("OpenAI", None, "chain", max_retries=None)
                return self.resource(unsure, path, wrapper, frame, node)
        return None

    def method_of(self, value: Client | Resource) -> Method | None:
        """The catalogue's entry for a complete path."""
        if isinstance(value, Client):
            return None
        return self._engine.catalogue(value.module, value.client.era).any_method(".".join(value.path))

    # --- requests

    def site(self, node: Expr, module: ModuleInfo, path: str, client: Client, frame: Frame) -> Site:
        """The site of a naming expression; what is known of its client is noted."""
        key = (node, path)
        if key not in self._sites:
            shown = module.calls.get(node, node)
            release = self._engine.catalogue(module, client.era)
            self._sites[key] = Site(shown, module, path, client.era, _named_function(frame, module), release)
        site = self._sites[key]
        self._met[site] = None
        self._engine.record.client(site, client)
        return site

    def invoke(self, resource: Resource, args: "Arguments", frame: Frame, node: Expr) -> Outcome:
        """What calling a method of the SDK raises at once, and what it gives."""
        method = self.method_of(resource)
        if method is None:
            return Outcome(NO_LEAKS, ANYTHING)
        origin = resource.node or node
        module = resource.module if resource.node is not None else frame.module
        site = self.site(origin, module, ".".join(resource.path), resource.client, frame)
        self._engine.record.call(site, frame, node, args)
        asynchronous = self._is_async(resource, method, node, frame)
        streams = self._streams(method, args, resource)
        result: Values = ANYTHING
        if resource.wrapper == "with_streaming_response" or method.kind in ("stream_manager", "websocket_manager"):
            reading = BODY if resource.wrapper == "with_streaming_response" else STREAM
            if reading == BODY:
                self._engine.record.kind(site, "body")
            body = NOTHING if method.kind == "websocket_manager" else one(Deferred("iterate", Request(site, reading)))
            phase = "none" if method.kind == "websocket_manager" else CREATION
            return Outcome(NO_LEAKS, one(Deferred("enter", Request(site, phase, body or ANYTHING))))
        if streams:
            self._engine.record.kind(site, "stream")
            result = one(Deferred("iterate", Request(site, STREAM)))
        elif method.kind == "paginator":
            result = one(Deferred("iterate", Request(site, PAGES)))
        elif method.kind == "single_page":
            result = one(Deferred("iterate", Request(site, "none")))
        if asynchronous:
            outcome = Outcome(NO_LEAKS, one(Deferred("await", Request(site, CREATION, result))))
        else:
            outcome = Outcome(self.leaks(site, CREATION), result)
        policy = retry_instructor.read(self._engine, resource.client, args, node, frame)
        return outcome if policy is None else self._engine.policies.around(policy, outcome)

    def _is_async(self, resource: Resource, method: Method, node: Expr, frame: Frame) -> bool:
        if resource.client.era == 0:
            return method.coroutine
        if resource.client.asynchronous is not None:
            return resource.client.asynchronous
        return node in frame.module.awaited

    @staticmethod
    def _streams(method: Method, args: "Arguments", resource: Resource) -> bool:
        if not method.stream or resource.wrapper == "with_raw_response":
            return False
        given = args.keywords.get("stream")
        if given is None:
            return False
        known = constants(given)
        return not known or any(known) or len(known) < len(given)

    def leaks(self, site: Site, phase: str) -> Leaks:
        """The documented errors (and their undocumented neighbours) that one phase of a request raises."""
        release = site.release
        method = release.any_method(site.path)
        if method is None or phase == "none":
            return NO_LEAKS
        asynchronous = self._asynchronous(site)
        if phase in (STREAM, BODY):
            names = (
                (*release.iteration_errors(method, asynchronous), *release.parse_errors(method, iterating=True))
                if phase == STREAM
                else ()
            )
            raw = (
                release.transport_errors_when_streaming(asynchronous, method)
                if phase == STREAM
                else release.transport_errors(asynchronous)
            )
            broken = frozenset(Leak(site, error.dotted, error.dotted, RAW, True, 0) for error in raw)
            return broken | frozenset(Leak(site, name, _raised(name), RAW, True, 0) for name in names)
        names = (*release.creation_errors(method), *release.parse_errors(method))
        return frozenset(Leak(site, name, _raised(name), RAW, phase == PAGES, 0) for name in names)

    def _asynchronous(self, site: Site) -> bool:
        if site.era == 0:  # one module for both: the name of the method tells
            method = site.release.any_method(site.path)
            return method is not None and method.coroutine
        return any(client.asynchronous for client in self._engine.record.clients.get(site, ()))

    def request(self, request: Request) -> Outcome:
        """What running a deferred request raises and gives."""
        return Outcome(self.leaks(request.site, request.phase), request.result or ANYTHING)

    def settled(self, client: Client) -> Client:
        """The client with what is written to its ``max_retries`` afterwards (``openai.max_retries = 5``)."""
        if client.max_retries not in ("default", None) and client.origin is None:
            return client
        found = client.max_retries
        for module in self._engine.modules.loaded:
            for store in module.stores:
                if store.attr != "max_retries" or (module.is_test and client.known_by == "module"):
                    continue
                frame = self._engine.generic_frame(store.scope)
                if any(_same(client, target) for target in self._engine.evaluator.value(store.target, frame)):
                    number = the_constant(self._engine.evaluator.bound(store.binding, frame, store.scope))
                    found = number if isinstance(number, int) else "unknown"
        return replace(client, max_retries=found)

    # --- makers of clients

    def derive(self, client: Client, args: "Arguments", node: Expr) -> Values:
        """``client.with_options(...)``: the same client with other options."""
        retries = self._retries(args, client.max_retries)
        options = dict(client.options) | dict(args.named())
        return one(
            Client(
                client.name,
                client.asynchronous,
                client.known_by,
                client.era,
                retries,
                client.wrapped,
                client.origin or node,
                tuple(sorted(options.items(), key=lambda item: item[0])),
            )
        )

    def wrap(self, path: str, args: "Arguments") -> Values | None:
        """Functions that give back the client they are given (``instructor.from_openai``)."""
        if path not in vendors.CLIENT_WRAPPERS or not (args.positional or args.keywords):
            return None
        given = args.positional[0] if args.positional else next(iter(args.keywords.values()))
        found: Values = NOTHING
        for value in given:
            if isinstance(value, Client):
                found |= one(
                    Client(
                        value.name,
                        value.asynchronous,
                        "wrapper",
                        value.era,
                        value.max_retries,
                        path,
                        value.origin,
                        value.options,
                    )
                )
        return found or None


def _same(client: Client, target: Value) -> bool:
    """Whether an attribute that is set on ``target`` is the client's."""
    if isinstance(target, External):
        return target.path == "openai" and client.known_by == "module" and client.era > 0
    return isinstance(target, Client) and target.origin is not None and target.origin is client.origin


def _raised(name: str) -> str:
    return f"openai.{name}"


def _named_function(frame: Frame, module: ModuleInfo) -> Function | None:
    """The innermost ``def`` around: lambdas belong to the function that holds them."""
    scope: ScopeInfo | None = module.scope_of(frame.function) if frame.module is module else None
    while scope is not None:
        if isinstance(scope.node, Function) and scope.node.name != "<lambda>":
            return scope.node
        scope = scope.parent
    return None
