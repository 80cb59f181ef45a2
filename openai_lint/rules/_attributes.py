"""Attributes of caught errors, and which of the errors that arrive have them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Attr, Call, Handler, Name
from openai_lint.link import library
from openai_lint.link.queries_versions import nodes, once, versions
from openai_lint.rules._clauses import error_classes
from openai_lint.sdk import Sdk, attribute_replacements

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.index import ModuleInfo

ASKING = frozenset({"isinstance", "issubclass", "hasattr", "getattr", "type", "vars", "dir"})
EVERY_ERROR_HAS = frozenset(name for name in dir(ValueError())) | {"__notes__"}


@dataclass(frozen=True, slots=True)
class Absent:
    """An attribute (``node``, read of the error bound to ``name``) that the errors ``lacking`` do not have.

    ``some``: others that arrive have it. ``instead`` holds the same in all that arrive, if anything does.
    """

    module: "ModuleInfo"
    node: Attr
    name: str
    handler: Handler
    lacking: tuple[str, ...]
    some: bool
    instead: str | None
    releases: tuple[Sdk, ...]

    @property
    def safe(self) -> bool:
        """Whether another attribute can simply take its place."""
        return self.instead is not None and not self.some


@once
def absent_attributes(project: "Project") -> tuple[Absent, ...]:
    """Every such attribute."""
    return tuple(_absent(project))


def _absent(project: "Project") -> Iterator[Absent]:
    known = versions(project)
    arriving = {use.handler: use.caught for use in project.handlers()}
    for module in project.modules:
        if known.asks(module):
            continue
        releases = known.environment(module)
        for node, frame in nodes(project, module, Handler):
            if node.name is None or node.type is None:
                continue
            reads = [
                read for read in _reads(node) if read.attr not in EVERY_ERROR_HAS and not read.attr.startswith("_")
            ]
            if not reads:
                continue
            classes = error_classes(project, node.type, frame, releases)
            if classes is None:
                continue
            seen = {leak.error for leak in arriving.get(node, ()) if leak.raised == f"openai.{leak.error}"}
            yield from _in_handler(module, node, reads, classes, seen, releases)


def _in_handler(
    module: "ModuleInfo",
    handler: Handler,
    reads: list[Attr],
    classes: tuple[str, ...],
    seen: set[str],
    releases: tuple[Sdk, ...],
) -> Iterator[Absent]:
    errors = seen or {
        name for name, error in releases[-1].errors.items() if any(error.caught_by(cls) for cls in classes)
    }
    told: set[str] = set()
    for read in reads:
        tables = [release.errors for release in releases]
        if not all(name in table for name in errors for table in tables):
            continue
        lacking = tuple(
            sorted(name for name in errors if all(read.attr not in table[name].attributes for table in tables))
        )
        some = len(lacking) < len(errors)
        # What only some errors lack is judged where the program tells us which of them arrive, and at the first read.
        if not lacking or (some and (not seen or read.attr in told or _conditional(read, handler))):
            continue
        told.add(read.attr)
        yield Absent(
            module,
            read,
            handler.name or "",
            handler,
            lacking,
            some,
            _instead(read.attr, errors, releases[-1]),
            releases,
        )


def _instead(attr: str, errors: set[str], release: Sdk) -> str | None:
    """The attribute that holds the same in every error, in this release."""
    pairs = attribute_replacements()
    found = pairs.get(attr) if release.major else next((old for old, new in pairs.items() if new == attr), None)
    if found is None or found == attr:
        return None
    word = found.partition(".")[0]
    return found if all(word in release.errors[name].attributes for name in errors) else None


def _reads(handler: Handler) -> list[Attr]:
    """Attributes read of the error itself, in source order; none where the handler asks what the error is or has."""
    name = handler.name
    found: list[Attr] = []
    stored: set[str] = set()
    for node in _below(list(handler.body), name):
        if (
            isinstance(node, Call)
            and library.written(node.func) in ASKING
            and node.args
            and _is(node.args[0].value, name)
        ):
            return []
        if isinstance(node, facts.Match) and _is(node.subject, name):
            return []
        if isinstance(node, (facts.Assign, facts.AugAssign, facts.For, facts.WithItem)):
            targets = node.targets if isinstance(node, facts.Assign) else (node.target,)
            for target in targets:
                if target is not None and _is(target, name):
                    return []
                if isinstance(target, Attr) and _is(target.value, name):
                    stored.add(target.attr)
        if isinstance(node, facts.Try) and any("AttributeError" in _names(inner) for inner in node.handlers):
            return []
        if isinstance(node, Attr):
            if node.attr == "__class__" and _is(node.value, name):
                return []
            if _is(node.value, name):
                found.append(node)
    return sorted((node for node in found if node.attr not in stored), key=lambda node: node.span)


def _names(handler: Handler) -> set[str]:
    if handler.type is None:
        return {"AttributeError"}
    items = handler.type.items if isinstance(handler.type, facts.Sequence) else (handler.type,)
    written = {library.written(item) for item in items}
    return {"AttributeError"} if written & {"Exception", "BaseException"} else written


def _is(node: Any, name: str | None) -> bool:
    return isinstance(node, Name) and node.id == name


def _below(body: list[Any], name: str | None) -> Iterator[Any]:
    """Nodes of a handler's body in which ``name`` still is the error."""
    stack = list(body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (facts.Function, facts.Class, facts.Lambda)):
            continue
        seen = (child for child in facts.children(node) if not (isinstance(child, Handler) and child.name == name))
        stack.extend(seen)


def _conditional(read: Attr, handler: Handler) -> bool:
    """Whether the read depends on a condition that speaks of the error: it may have told the errors apart."""
    return any(_speaks(test, handler.name) and not _holds(test, read) for test in _tests(list(handler.body), read))


def _tests(body: list[Any], read: Attr) -> Iterator[Any]:
    """The conditions under which a read is evaluated, and those of branches that leave the handler before it."""
    for node in _below(body, None):
        if isinstance(node, (facts.If, facts.While, facts.IfExp)) and (_before(node.test, read)):
            yield node.test
        elif isinstance(node, facts.BoolOp) and _holds(node, read):
            for value in node.values:
                if not _holds(value, read) and _before(value, read):
                    yield value
        elif isinstance(node, facts.Assert) and _before(node.test, read):
            yield node.test


def _before(test: Any, read: Attr) -> bool:
    return bool(test.span[:2] <= read.span[:2])


def _holds(node: Any, read: Attr) -> bool:
    return node is read or any(child is read for child in _below([node], None))


def _speaks(test: Any, name: str | None) -> bool:
    return any(_is(node, name) for node in _below([test], None))
