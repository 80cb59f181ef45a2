"""Names of errors where the code tells errors apart, and what they are in the SDK of the project."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from openai_lint import facts
from openai_lint.facts import Call, Expr, Handler
from openai_lint.link import library
from openai_lint.link.clauses import clause_of
from openai_lint.link.queries_versions import below, nodes, once, versions
from openai_lint.link.values import Display, External, Frame, Values
from openai_lint.rules._versions import Rename, replacements
from openai_lint.sdk import ErrorClass, Missing, NotAnError, Sdk, known_releases, sdk

if TYPE_CHECKING:
    from openai_lint.link import Project
    from openai_lint.link.index import ModuleInfo

EXCEPT, ISINSTANCE, RAISE, PREDICATE, IMPORT, NAME = "except", "isinstance", "raise", "predicate", "import", "name"
GROUP = "group"
"""Handed to something, together with classes that are errors of the SDK."""

PREDICATES = frozenset(
    {
        "retry_if_exception_type", "retry_if_not_exception_type", "retry_unless_exception_type",
        "retry_if_exception_cause_type", "on_exception", "suppress", "raises", "assertRaises",
    }
)  # fmt: skip
"""Functions whose arguments are classes of errors."""

PREDICATE_OPTIONS = frozenset(
    {
        "autoretry_for",
        "dont_autoretry_for",
        "on",
        "exceptions",
        "exception",
        "retry_on_exception",
        "retry_on",
        "throws",
        "exception_types",
    }
)
"""Keywords whose value is a class of errors, or several."""

MODULES = frozenset({"error", "errors", "exceptions"})
"""Modules in which people look for the errors."""

SUBJECT = re.compile(r"(?:^|_)(?:e|ex|exc|err)\d*$|error|exception", re.IGNORECASE)
"""Names of what is an error when it is tested."""

NEVER_EXISTED = ("openai.exceptions.", "openai.errors.")
"""Modules that people write and no release has had."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A name of an error that is none in the project's SDK.

    ``node`` is the expression or the import statement, ``path`` the dotted name, ``meaning`` what it is instead,
    ``context`` where it stands (``grouped``: beside others, in a tuple), ``releases`` those it was held against.
    """

    module: "ModuleInfo"
    node: Expr | facts.Import
    path: str
    meaning: Missing | NotAnError
    context: str
    releases: tuple[Sdk, ...]
    grouped: bool = False

    @property
    def rename(self) -> Rename:
        """What to write in its place; where one error is raised, one."""
        new = replacements(self.path, self.releases[-1])
        return Rename(self.module, self.node, self.path, new[:1] if self.context == RAISE else new, self.grouped)


@once
def broken_names(project: "Project") -> tuple[Broken, ...]:
    """Every such name, each expression once."""
    return tuple(_broken(project))


def judged(path: str, releases: tuple[Sdk, ...]) -> Missing | NotAnError | None:
    """What a dotted name is instead of an error, if that holds in all the releases."""
    found = [release.resolve_error(path) for release in releases]
    bad = [meaning for meaning in found if isinstance(meaning, (Missing, NotAnError))]
    return bad[-1] if len(bad) == len(found) and bad else None


_NAMES = frozenset(
    name for release in ("0.27.8", "0.28.1", "1.0.0", known_releases()[-1]) for name in sdk(release).errors
)

_HOMONYMS = frozenset(name for name in _NAMES if isinstance(sdk().resolve_error(f"openai.{name}"), NotAnError))
"""Names that are errors in some release, and something else in others."""


def _broken(project: "Project") -> Iterator[Broken]:
    known = versions(project)
    for module in project.modules:
        if known.asks(module):
            continue
        speaks = "openai" in module.facts.identifiers
        if not speaks and not _tells_errors_apart(module):
            continue
        releases = known.environment(module)
        unused = _only_for_types(module)
        imported: set[str] = set()
        seen: set[Any] = set()
        if speaks:
            for node, _ in nodes(project, module, facts.Import):
                if node not in unused and (found := _import(module, node, releases)) is not None:
                    imported.add(node.bound)
                    yield found
        candidates = nodes(project, module, Handler, facts.Raise, Call)
        for node, context, frame in _positions((node, frame) for node, frame in candidates if node not in unused):
            for item in _items(node):
                seen.add(item)
                if not _rooted(item, imported):
                    for broken in _item(project, module, item, context, frame, releases):
                        yield replace(broken, grouped=item is not node)
        if speaks:
            read = [(node, frame) for node, frame in nodes(project, module, facts.Attr) if node not in unused]
            inner = {node.value for node, _ in read}
            for node, frame in read:
                if node not in inner and node not in seen and _like_an_error(node) and not _rooted(node, imported):
                    yield from _item(project, module, node, NAME, frame, releases)


def _tells_errors_apart(module: "ModuleInfo") -> bool:
    return not module.facts.identifiers.isdisjoint(_NAMES)


def _only_for_types(module: "ModuleInfo") -> set[Any]:
    """Everything under ``if TYPE_CHECKING:``, which never runs."""
    found: set[Any] = set()
    if "TYPE_CHECKING" not in module.facts.identifiers:
        return found
    for node in below(module.facts.body):
        if isinstance(node, facts.If) and library.written(node.test) == "TYPE_CHECKING":
            found.update(below(node.body))
    return found


def _import(module: "ModuleInfo", node: facts.Import, releases: tuple[Sdk, ...]) -> Broken | None:
    if node.level or node.module.partition(".")[0] != "openai" or node.name == "*":
        return None
    path = f"{node.module}.{node.name}" if node.name is not None else node.module
    if path == "openai" or not (
        path.startswith(("openai.error", *NEVER_EXISTED)) or path.rpartition(".")[2] in (*_NAMES, "error")
    ):
        return None
    meaning = judged(path, releases)
    return Broken(module, node, path, meaning, IMPORT, releases) if isinstance(meaning, Missing) else None


def _positions(everything: Iterable[tuple[Any, Frame]]) -> Iterator[tuple[Expr, str, Frame]]:
    """Expressions that must be classes of errors."""
    for node, frame in everything:
        if isinstance(node, Handler) and node.type is not None:
            yield node.type, EXCEPT, frame
        elif isinstance(node, facts.Raise) and node.error is not None:
            yield node.error.func if isinstance(node.error, Call) else node.error, RAISE, frame
        elif isinstance(node, Call):
            name = library.written(node.func)
            if name in ("isinstance", "issubclass") and len(node.args) == 2 and _is_error(node.args[0].value):
                yield node.args[1].value, ISINSTANCE, frame
            for arg in node.args:
                if (name in PREDICATES and arg.keyword is None and not arg.star) or arg.keyword in PREDICATE_OPTIONS:
                    yield arg.value, PREDICATE, frame
                elif (
                    isinstance(arg.value, facts.Sequence)
                    and name not in ("isinstance", "issubclass")
                    and any(library.written(item) in _NAMES - _HOMONYMS for item in arg.value.items)
                ):
                    yield arg.value, GROUP, frame


def _is_error(node: Expr) -> bool:
    """Whether what is tested is an error, by its name: a setting may rightly be held against `openai.Timeout`."""
    return SUBJECT.search(library.written(node)) is not None


def _items(node: Expr) -> Iterator[Expr]:
    """The single classes of what is written after ``except``."""
    if isinstance(node, facts.Sequence):
        for item in node.items:
            yield from _items(item)
    elif isinstance(node, facts.BinOp):
        yield from _items(node.left)
        yield from _items(node.right)
    elif isinstance(node, facts.Starred):
        yield from _items(node.value)
    else:
        yield node


def _item(
    project: "Project",
    module: "ModuleInfo",
    item: Expr,
    context: str,
    frame: Frame,
    releases: tuple[Sdk, ...],
) -> Iterator[Broken]:
    if not isinstance(item, (facts.Name, facts.Attr)):
        return
    values = project.engine.evaluator.value(item, frame)
    names = _names(values)
    if names is None:
        return
    exact = all(isinstance(value, External) for value in values)
    if exact and len(names) > 1:
        # A conditional import or definition: whichever branch ran was meant.
        meanings = [judged(path, releases) if path.startswith("openai.") else None for path in names]
        names = names if None not in meanings else ()
    for path in names[:1] if exact else names:
        if not path.startswith("openai.") or not (context in (EXCEPT, RAISE) or _like_error(path)):
            continue
        meaning = judged(path, releases)
        # Members of a tuple that is kept in a name crash where the tuple is made, and are reported there.
        if (isinstance(meaning, Missing) and exact) or (isinstance(meaning, NotAnError) and context != NAME):
            yield Broken(module, item, path, meaning, context, releases)


def _like_error(path: str) -> bool:
    """Whether a dotted name is spelt as an error of the SDK, of any release or of none."""
    words = path.split(".")
    return words[-1] in _NAMES or words[1] in MODULES


def _names(values: Values, *, strict: bool = False) -> tuple[str, ...] | None:
    """The dotted names among values, in tuples too; None where some value (``strict``: or item) is something else."""
    found: list[str] = []
    for value in values:
        if isinstance(value, External) and "()" not in value.path and "[]" not in value.path:
            found.append(value.path)
        elif isinstance(value, Display):
            for _, inner in value.items:
                names = _names(inner, strict=strict)
                if names is None and strict:
                    return None
                found += names or ()
        else:
            return None
    return tuple(sorted(set(found)))


def _like_an_error(node: facts.Attr) -> bool:
    """Whether an attribute may name one of the SDK's errors, or the module of 0.x that holds them."""
    inner = node.value.attr if isinstance(node.value, facts.Attr) else ""
    return node.attr in _NAMES or node.attr == "error" or inner in MODULES


def _rooted(node: Expr, imported: set[str]) -> bool:
    """Whether a name comes from an import that already fails."""
    current: Expr = node
    while isinstance(current, facts.Attr):
        current = current.value
    return isinstance(current, facts.Name) and current.id in imported


def error_classes(project: "Project", node: Expr, frame: Frame, releases: tuple[Sdk, ...]) -> tuple[str, ...] | None:
    """The SDK's errors that a clause names, by class name; None where it names anything else, or may."""
    names = _names(project.engine.evaluator.value(node, frame), strict=True)
    if not names:
        return None
    found: list[str] = []
    for path in names:
        classes = [release.resolve_error(path) for release in releases]
        if not all(isinstance(cls, ErrorClass) for cls in classes):
            return None
        found += [cls.name for cls in classes[-1:] if isinstance(cls, ErrorClass)]
    return tuple(found)


def class_names(project: "Project", handler: Handler, frame: Frame) -> tuple[str, ...] | None:
    """The dotted classes of a clause, classes of the project as ``project.<name>``; None where one cannot be known."""
    if handler.type is None:
        return ("BaseException",)
    meant = clause_of(project.engine.evaluator.value(handler.type, frame), project.engine)
    return meant.alternatives[0] if len(meant.alternatives) == 1 else None
