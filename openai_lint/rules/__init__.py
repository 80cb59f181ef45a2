"""The rules, one file each, found by walking this package: the file's name is the rule's code and name."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_lint.rule import Rule


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule by its file, before anything of it is imported."""

    code: str
    name: str
    module: str


@cache
def catalogue() -> tuple[Entry, ...]:
    """Every rule, in order of the codes."""
    entries = []
    for module in iter_modules(__path__):
        code, _, name = module.name.partition("_")
        if code.startswith("oai") and code[3:].isdigit():
            entries.append(Entry(code.upper(), name.replace("_", "-"), f"{__name__}.{module.name}"))
    return tuple(sorted(entries, key=lambda entry: entry.code))


@cache
def load(code: str) -> "Rule":
    """The rule with that code. Raises KeyError if there is none."""
    for entry in catalogue():
        if entry.code == code:
            rule: Rule = import_module(entry.module).RULE
            return rule
    raise KeyError(code)


@cache
def page(code: str) -> str:
    """The rule's documentation: the docstring of its file."""
    for entry in catalogue():
        if entry.code == code:
            return (import_module(entry.module).__doc__ or "").strip()
    raise KeyError(code)
