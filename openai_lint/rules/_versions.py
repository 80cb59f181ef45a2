"""What the rules about SDK versions share: how releases are named, what replaces what, and which calls are gone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Expr, Span
from openai_lint.link.queries_versions import once, sure, versions, wrapped
from openai_lint.link.releases import era_of
from openai_lint.rule import Place
from openai_lint.sdk import Sdk, call_replacement, error_replacements, known_releases, sdk

if TYPE_CHECKING:
    from openai_lint.link import ApiCall, Project
    from openai_lint.link.index import ModuleInfo


@dataclass(frozen=True, slots=True)
class Rename:
    """Names of errors that stand for another one in the release that is installed.

    ``node`` is the expression, or the import statement, that holds the old name; ``old`` is dotted, ``new`` are dotted
    names of the same SDK (several: all of them together), empty where nothing stands for it. ``grouped``: the node is
    already an item of a tuple, so that several names join it without parentheses.
    """

    module: "ModuleInfo"
    node: Expr | facts.Import
    old: str
    new: tuple[str, ...]
    grouped: bool = False

    @property
    def safe(self) -> bool:
        """Whether there is something to put in its place."""
        return bool(self.new)


@dataclass(frozen=True, slots=True)
class Removed:
    """A call that the project's SDK does not have. ``instead`` is the method to use, if there is one; ``where`` says
    which releases are meant, and why.
    """

    call: "ApiCall"
    releases: tuple[Sdk, ...]
    instead: str | None
    where: str


def named(releases: tuple[Sdk, ...]) -> str:
    """Releases as a message names them: ``openai 1.109.1``, ``openai 1.0.0 to 1.109.1``."""
    first, last = releases[0].version, releases[-1].version
    return f"openai {last}" if first == last else f"openai {first} to {last}"


def used(project: "Project", module: "ModuleInfo") -> str:
    """Which SDK a module meets, as the middle of a sentence."""
    known = versions(project)
    releases = known.environment(module)
    if known.pinned(module):
        return f"the project uses {named(releases)}"
    other = "only 0.x is spoken here" if releases[-1].major == 0 else "nothing pins it"
    return f"the project uses {named(releases)} ({other})"


def source(module: "ModuleInfo", span: Span) -> str:
    """The text of a span, on one line."""
    lines = module.facts.text.split("\n")[span[0] - 1 : span[2]]
    if not lines:
        return ""
    lines[-1] = lines[-1][: span[3] - 1]
    lines[0] = lines[0][span[1] - 1 :]
    return " ".join(line.strip() for line in lines)


def replacements(path: str, release: Sdk) -> tuple[str, ...]:
    """The dotted names that stand in ``release`` for an error that it does not have under this name."""
    name = path.rpartition(".")[2]
    known = release.errors
    other_era = {**error_replacements(release.major)}
    same_name = (name,) if name in known and known[name].public != (release.major == 0) else ()
    words = other_era.get(name) or same_name or ((name,) if name in known else ())
    return tuple(
        known[word].spellings[0] if release.major == 0 else f"openai.{word}" for word in words if word in known
    )


@once
def removed_calls(project: "Project") -> tuple[Removed, ...]:
    """Calls of methods that the SDK of the project does not have."""
    return tuple(_removed(project))


def _removed(project: "Project") -> Iterator[Removed]:
    known = versions(project)
    for call in project.calls:
        if call.method is None or not sure(call) or known.asks(call.module) or wrapped(call):
            continue
        releases = known.environment(call.module)
        path = call.site.path
        if all(era_of(release) != call.site.era for release in releases):
            yield Removed(call, releases, _instead(path, call.site.era, releases[-1]), used(project, call.module))
        elif all(era_of(release) == call.site.era and release.method(path) is None for release in releases):
            yield Removed(call, releases, None, used(project, call.module))


def _instead(path: str, era: int, release: Sdk) -> str | None:
    if era == 0:
        found = call_replacement(path)
        return found if found is not None and release.method(found) is not None else None
    back = [
        old for old in sorted(release.methods) if call_replacement(old) == path and not release.methods[old].coroutine
    ]
    return back[0] if back else None


def lifetime(path: str, era: int) -> tuple[str, str]:
    """The first and the last known release that has a method. Raises ValueError for one that none has."""
    history = sdk("0" if era == 0 else "newest").method_history(path)
    if not history:
        raise ValueError(path)
    known, until = known_releases(), history[-1][1]
    return history[0][0], known[-1] if until is None else known[known.index(until) - 1]


def at(place: Place, seen_from: Place) -> str:
    """Where something stands, seen from another place: ``line 12``, ``base.py, line 12``."""
    where = f"line {place.span[0]}" if place.cell is None else f"cell {place.cell}, line {place.span[0]}"
    return where if place.path == seen_from.path else f"{place.path.rpartition('/')[2]}, {where}"


def listed(names: Iterable[str], word: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    items = list(names)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}" if items else ""
