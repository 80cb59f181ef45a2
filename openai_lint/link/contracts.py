"""Which functions let errors out by contract: those that say so in their docstring, and what a library hands its users.

The inventory lists what such functions let out all the same; findings do not speak of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from openai_lint.escapes import Leak, ancestors
from openai_lint.facts import Class, Function
from openai_lint.link.index import ModuleInfo
from openai_lint.link.shipping import Shipping
from openai_lint.link.values import ClassRef, External, Site

if TYPE_CHECKING:
    from openai_lint.link.project import Project

Entry: TypeAlias = Function | ModuleInfo
"""A function or module body that nothing in the project calls."""

_SPHINX = re.compile(r"^[ \t]*[:@](?:raises?|except|exception)\b[ \t]*([^:\n]*):(.*(?:\n[ \t]{4,}.*)*)", re.MULTILINE)
_GOOGLE = re.compile(r"^([ \t]*)Raises?:[ \t]*\n", re.MULTILINE)
_NUMPY = re.compile(r"^([ \t]*)Raises[ \t]*\n[ \t]*-{3,}[ \t]*\n", re.MULTILINE)
_ENTRY = re.compile(r"`*~?([A-Za-z_][\w.]*(?:`*(?:\s*,\s*|\s+or\s+|\s*\|\s*)`*~?[A-Za-z_][\w.]*)*)`*\s*(?::|$|--? )")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_ANY_OF_SDK = re.compile(
    r"\bopenai\b.{0,20}\b(?:errors?|exceptions?)\b|\b(?:errors?|exceptions?)\b.{0,20}\bopenai\b", re.IGNORECASE
)

EVERYTHING = "*"


class Contracts:
    """What the entry points of a project let out, and which of it they may."""

    def __init__(self, project: "Project") -> None:
        self._project = project
        self._shipping = Shipping(project.workspace)

    def escaping(self) -> dict[Site, dict[Leak, list[Entry]]]:
        """The errors of each call that reach an entry point which has no right to let them out.

        Sets ``project.outside`` to the number of calls whose errors all leave by contract.
        """
        project = self._project
        found: dict[Site, dict[Leak, list[Entry]]] = defaultdict(dict)
        handed_on: set[Site] = set()
        for entry, leaks in project.entries.items():
            module = self._module(entry)
            for leak in leaks:
                if module.is_test and not leak.site.module.is_test:
                    continue
                if isinstance(entry, Function) and self._may(entry, module, leak):
                    handed_on.add(leak.site)
                else:
                    found[leak.site].setdefault(leak, []).append(entry)
        for leak, step in project.record.served():
            found[leak.site].setdefault(leak, []).append(step.function or step.module)
        project.outside = sum(not site.module.is_test for site in handed_on - found.keys())
        return dict(found)

    def _module(self, entry: Entry) -> ModuleInfo:
        return entry if isinstance(entry, ModuleInfo) else self._project.frames[entry][0].module

    def _may(self, function: Function, module: ModuleInfo, leak: Leak) -> bool:
        """Whether a function that nobody calls lets an error out by contract."""
        record = self._project.record
        if function in record.entries or function in record.callbacks or self._is_script(function, module):
            return False
        return self._declares(function, leak) or self._hands_on(function, module)

    def _is_script(self, function: Function, module: ModuleInfo) -> bool:
        return self._shipping.is_script(module.path, function.name)

    def _declares(self, function: Function, leak: Leak) -> bool:
        names = declared(function.docstring or "")
        if EVERYTHING in names:
            return True
        release = leak.site.release
        classes = {path.rpartition(".")[2] for path in ancestors(leak.raised, release)}
        return not names.isdisjoint(classes)

    def _hands_on(self, function: Function, module: ModuleInfo) -> bool:
        """Whether the function is offered to users of a library."""
        kind = self._project.workspace.config_for(module.path).project_kind
        if kind == "application" or (kind == "auto" and not self._shipping.ships(module.path)):
            return False
        return self._is_public(function, module)

    def _is_public(self, function: Function, module: ModuleInfo) -> bool:
        *holders, name = function.qualname.split(".")
        if any(_private(holder) for holder in holders):
            return False
        return not _private(name) or self._is_hook(function, module)

    def _is_hook(self, function: Function, module: ModuleInfo) -> bool:
        """Whether a base class of another library may call this method."""
        engine = self._project.engine
        owner = module.scope_of(function).owner
        if owner is None or not isinstance(owner.node, Class):
            return False
        cls = ClassRef(owner.node, engine.generic_frame(owner))
        bases = [base.path for base in engine.hierarchy.mro(cls) if isinstance(base, External)]
        return not {"object", "abc.ABC"}.issuperset(bases)


def _private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


@lru_cache(maxsize=4096)
def declared(docstring: str) -> frozenset[str]:
    """The plain names of the errors that a docstring says are raised; ``EVERYTHING`` where it says "OpenAI errors".

    Understands the forms of Google, NumPy and Sphinx.
    """
    if "aise" not in docstring and ":exc" not in docstring:
        return frozenset()
    found: set[str] = set()
    for names, text in _entries(docstring):
        found.update(name.rpartition(".")[2] for name in _NAME.findall(names) if name != "or")
        if not names and _ANY_OF_SDK.search(text):
            found.add(EVERYTHING)
    return frozenset(found)


def _entries(docstring: str) -> Iterator[tuple[str, str]]:
    """The names and the explanation of each error that is said to be raised."""
    for match in _SPHINX.finditer(docstring):
        yield match[1], match[2]
    for match in _GOOGLE.finditer(docstring):
        yield from _lines(docstring[match.end() :], match[1], deeper=True)
    for match in _NUMPY.finditer(docstring):
        yield from _lines(docstring[match.end() :], match[1], deeper=False)


def _lines(text: str, margin: str, *, deeper: bool) -> Iterator[tuple[str, str]]:
    """The entries of a section.

    It runs until a line that is indented no more than its heading or, in the form of NumPy, until the next heading.
    """
    lines = text.splitlines()
    entry: str | None = None
    for number, line in enumerate(lines):
        stripped = line.strip()
        if not stripped:
            continue
        indent = line[: len(line) - len(line.lstrip())]
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if (deeper and len(indent) <= len(margin)) or (not deeper and below and not below.strip("-")):
            return
        entry = indent if entry is None else entry
        if indent != entry:
            continue
        match = _ENTRY.match(stripped)
        yield (match[1], stripped[match.end() :]) if match else ("", stripped)
