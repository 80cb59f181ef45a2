"""Whom a client talks to: OpenAI, Azure, AWS, this machine, or somebody who only speaks like OpenAI."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Call, Expr
from openai_lint.keys import Endpoint, endpoint_of
from openai_lint.link.index import ModuleInfo
from openai_lint.link.texts import UNKNOWN, texts
from openai_lint.link.tree import tree_of
from openai_lint.link.values import Bound, Client, External, Resource, Value, constants

if TYPE_CHECKING:
    from openai_lint.link import Project

BASES = frozenset(
    {
        "base_url", "api_base", "openai_api_base", "openai_base_url", "azure_endpoint", "endpoint", "openai_endpoint",
        "azure_openai_endpoint", "openai_api_endpoint",
    }
)  # fmt: skip
"""Keywords, attributes and (in lower case) environment variables that hold the URL."""

TYPES = frozenset({"api_type", "openai_api_type"})

# What decides where several are known: a dummy key for this machine is no finding; the rest is as strict as it can be.
_ORDER = (Endpoint.LOCAL, Endpoint.AZURE, Endpoint.AWS, Endpoint.OTHER, Endpoint.OPENAI)


class Endpoints:
    """Answers for one project."""

    def __init__(self, project: "Project") -> None:
        self._project = project
        self._modules: dict[ModuleInfo, Endpoint | None] = {}
        self._whole: Endpoint | None = None
        self._asked = False

    def of_call(self, call: Call, module: ModuleInfo, callees: Iterable[Value], name: str) -> Endpoint:
        """The endpoint of what a call makes or asks."""
        settings = {arg.keyword: arg.value for arg in call.args if arg.keyword is not None}
        found = self.of_settings(settings, module)
        if found is not None:
            return found
        for callee in callees:
            if isinstance(callee, Bound) and isinstance(callee.receiver, Client):
                return self.of_client(callee.receiver, module)
            if isinstance(callee, Resource):
                return self.of_client(callee.client, module)
        if any(isinstance(callee, External) and "azure" in callee.path.lower() for callee in callees):
            return Endpoint.AZURE
        return self._of_class(name, module)

    def of_client(self, client: Client, module: ModuleInfo) -> Endpoint:
        """The endpoint of a client that was made elsewhere."""
        for keyword, values in client.options:
            if keyword in BASES:
                found = [_of_text(text) for text in constants(values) if isinstance(text, str)]
                if known := [endpoint for endpoint in found if endpoint is not None]:
                    return min(known, key=_ORDER.index)
        return self._of_class(client.name, module)

    def _of_class(self, name: str, module: ModuleInfo) -> Endpoint:
        if "Azure" in name:
            return Endpoint.AZURE
        return Endpoint.AWS if "Bedrock" in name else self.of_module(module)

    def of_name(self, name: str, module: ModuleInfo) -> Endpoint:
        """The endpoint that a variable of this name is for."""
        return Endpoint.AZURE if "azure" in name.lower() or "aoai" in name.lower() else self.of_module(module)

    def of_settings(self, settings: Mapping[str, Expr], module: ModuleInfo) -> Endpoint | None:
        """The endpoint that keywords (or the entries of a dict) name; None where they name none."""
        found: list[Endpoint] = []
        for name, value in settings.items():
            if name.lower() in BASES:
                found += [endpoint for text in texts(self._project, value, module) if (endpoint := _of_text(text))]
                if name.lower() == "azure_endpoint" and not found:
                    found.append(Endpoint.AZURE)
            elif name.lower() in TYPES:
                found += [Endpoint.AZURE for text in texts(self._project, value, module) if "azure" in text.lower()]
        return min(found, key=_ORDER.index, default=None)

    def of_module(self, module: ModuleInfo) -> Endpoint:
        """What the module's own settings say (`openai.api_base = ...`), else what all modules agree on, else OpenAI."""
        if module not in self._modules:
            self._modules[module] = self._set_in(module)
        own = self._modules[module]
        if own is not None:
            return own
        if not self._asked:
            self._asked = True
            found = [endpoint for other in self._project.modules if (endpoint := self._set_in(other)) is not None]
            self._whole = found[0] if len(set(found)) == 1 else None
        return self._whole or Endpoint.OPENAI

    def _set_in(self, module: ModuleInfo) -> Endpoint | None:
        settings: dict[str, Expr] = {}
        for statement in tree_of(self._project, module).of(facts.Assign):
            for target in statement.targets:
                name = _set_by(target)
                if name in BASES | TYPES and statement.value is not None:
                    settings[name] = statement.value
        return self.of_settings(settings, module) if settings else None


def _set_by(target: Expr) -> str:
    """The name under which a target keeps a setting: `openai.api_base`, `os.environ["OPENAI_API_BASE"]`."""
    match target:
        case facts.Attr(value=facts.Name(id=owner), attr=attr) if "openai" in owner.lower():
            return attr
        case facts.Subscript(index=facts.Const(value=str() as key)):
            return key.lower()
        case facts.Name(id=name):
            return name.lower() if "openai" in name.lower() else ""
        case _:
            return ""


def _of_text(text: str) -> Endpoint | None:
    """The endpoint of a URL, as far as it is known."""
    if not text or text.startswith(UNKNOWN):
        return None
    return endpoint_of(text)
