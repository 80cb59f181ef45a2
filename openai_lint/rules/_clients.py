"""The places where clients of the SDK are made, or made from another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Arg, Call, Expr
from openai_lint.link import library
from openai_lint.link.blocks import below as inside
from openai_lint.link.queries_versions import nodes, once, sure
from openai_lint.link.values import Client, External, Frame

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.index import ModuleInfo

DERIVING = frozenset({"with_options", "copy"})
"""Methods that give a client like the one they are called on."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call that makes a client: of which classes, whether by their constructor, and how that is written."""

    module: "ModuleInfo"
    node: Call
    frame: Frame
    classes: tuple[str, ...]
    constructor: bool

    @property
    def written(self) -> str:
        """``OpenAI`` or ``OpenAI.with_options``."""
        name = self.classes[0]
        return (
            name if self.constructor or not isinstance(self.node.func, facts.Attr) else f"{name}.{self.node.func.attr}"
        )


@once
def made_clients(project: "Project") -> tuple[Made, ...]:
    """Every such call, in modules of the project; clients that other packages wrap are left out."""
    return tuple(_made(project))


def _made(project: "Project") -> Iterator[Made]:
    for module in project.modules:
        if "openai" not in module.facts.text.lower():
            continue
        makers = _makers(project, module)
        for node, frame in nodes(project, module, Call):
            if library.written(node.func) in makers:
                classes, constructor = _classes(project, module, node, frame)
                if classes:
                    yield Made(module, node, frame, classes, constructor)


def _makers(project: "Project", module: "ModuleInfo") -> set[str]:
    """The last words under which a module may name client classes, or methods that give clients."""
    classes = {name for name in project.engine.catalogue(module, 1).clients if "." not in name}
    found = {*classes, *DERIVING}
    for scope in (module.scope, *module.scopes.values()):
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                if binding.kind == "import":
                    renamed = binding.node.name is not None and binding.node.name != name
                    taken = renamed or (name[:1].isupper() and not binding.node.module.startswith("openai"))
                else:
                    taken = binding.kind != "param" and isinstance(binding.node, facts.Expr)
                    taken = taken and any(_word(node) in classes for node in (binding.node, *inside(binding.node)))
                if taken:
                    found.add(name)
    return found


def _word(node: object) -> str:
    return node.id if isinstance(node, facts.Name) else node.attr if isinstance(node, facts.Attr) else ""


def _classes(project: "Project", module: "ModuleInfo", node: Call, frame: Frame) -> tuple[tuple[str, ...], bool]:
    evaluator, release = project.engine.evaluator, project.engine.catalogue(module, 1)
    if isinstance(node.func, facts.Attr) and node.func.attr in DERIVING:
        owners = evaluator.value(node.func.value, frame)
        clients = [value for value in owners if isinstance(value, Client) and value.era == 1 and not value.wrapped]
        if clients and len(clients) == len(owners) and all(client.known_by != "chain" for client in clients):
            return tuple(sorted({client.name for client in clients})), False
        return (), False
    values = evaluator.value(node.func, frame)
    found = []
    for value in values:
        known = (
            release.any_client(value.path) if isinstance(value, External) and value.path.startswith("openai.") else None
        )
        if known is None:
            return (), True
        found.append(known.name)
    return tuple(sorted(set(found))), True


def options(project: "Project") -> "Iterator[tuple[ModuleInfo, Call, Arg, Frame, str, str | None]]":
    """Every keyword written for a client or call from 1.0 on: module, call, argument, frame, what takes it, method."""
    for made in made_clients(project):
        for arg in made.node.args:
            if arg.keyword is not None:
                yield made.module, made.node, arg, made.frame, made.written, None
    for call in project.calls:
        if call.site.era == 0 or not sure(call):
            continue
        for place in call.invocations:
            if isinstance(place.node, Call):
                for arg in place.node.args:
                    if arg.keyword is not None and arg.keyword in place.args.keywords:
                        yield place.module, place.node, arg, place.frame, call.site.path, call.site.path


def is_none(node: Expr) -> bool:
    """Whether an expression is the word None."""
    return isinstance(node, facts.Const) and node.value is None
