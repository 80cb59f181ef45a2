"""A pin: which releases of the `openai` package one place in the project allows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from math import inf

from openai_lint.pins.release import Release, read_release
from openai_lint.pins.specifier import (
    EVERYTHING,
    FIRST,
    LAST,
    Ranges,
    contains,
    intersection,
    read_specifier,
    union,
)


@dataclass(frozen=True, slots=True)
class Pin:
    """The releases of `openai` that a project allows.

    `lowest` and `highest` are the bounds, with three parts (`1.3` is `1.3.0`), None where there is none. No release
    below `lowest` is allowed, and itself is but for `>`. `highest` itself is allowed if `closed` (`<=2.0`, `==2.0`) and
    is the first beyond the range otherwise (`<2`). There may be holes between (`!=1.5`): ask `allows` about a release.
    `aside`: only an extra, a group or a constraint says so; what ships may run with another release.
    `exact`: one release is named, by `==` or by a lock file. `source`: `path:line`, relative to the root; `line N` for
    a pin in a source text. `specifier`: as written there.
    """

    lowest: str | None
    highest: str | None
    closed: bool
    exact: bool
    source: str
    specifier: str
    ranges: Ranges = EVERYTHING
    aside: bool = field(default=False, compare=False)

    @property
    def unbounded(self) -> bool:
        """Whether it has no bound at all, as a bare `openai` or `openai!=1.5`: it does not tell the major."""
        return self.lowest is None and self.highest is None

    def allows(self, release: str) -> bool:
        """Whether `release` satisfies it; previews are judged by their order alone."""
        read = read_release(release)
        return read is not None and contains(self.ranges, read)


class Weight(IntEnum):
    """How much a mention says about the code that ships: the first kind that is there decides."""

    MAIN = 0
    OPTIONAL = 1
    """Extras, dependency groups, requirements for development."""
    CONSTRAINT = 2
    """Says which release, but not that it is installed."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One place that asks for `openai`. `conditional`: it holds for some environments only (a marker)."""

    pin: Pin
    weight: Weight = Weight.MAIN
    conditional: bool = False


def read_pin(specifier: str, source: str) -> Pin | None:
    """The pin that `specifier` makes; None where it is none (misspelt, or nothing satisfies it)."""
    read = read_specifier(specifier)
    return None if read is None else _pin(read.ranges, read.exact, source, specifier.strip())


def mention(specifier: str, source: str, weight: Weight = Weight.MAIN, *, conditional: bool = False) -> Mention:
    """The mention that `specifier` makes; raises ValueError where `read_pin` finds none."""
    pin = read_pin(specifier, source)
    if pin is None:
        raise ValueError(f"no release satisfies openai {specifier[:100]!r} ({source})")
    return Mention(pin, weight, conditional)


def either(pins: Iterable[Pin]) -> Pin | None:
    """What any of `pins` allows: they hold in different environments. None without pins."""
    distinct = list({pin.ranges: pin for pin in pins}.values())
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    ranges: Ranges = ()
    for pin in distinct:
        ranges = union(ranges, pin.ranges)
    return _pin(ranges, False, distinct[0].source, " or ".join(pin.specifier or "any" for pin in distinct))


def narrowed(pin: Pin, by: Pin) -> Pin | None:
    """What both allow, None if that is nothing; the source is that of the more telling one."""
    ranges = intersection(pin.ranges, by.ranges)
    if not ranges:
        return None
    if ranges == pin.ranges and pin.exact >= by.exact:
        return pin
    if ranges == by.ranges:
        return by
    return _pin(ranges, pin.exact or by.exact, by.source, f"{pin.specifier},{by.specifier}")


def combined(asked: list[Mention], limits: list[Mention]) -> Pin | None:
    """What the mentions of one file say together, within its constraints; None without mentions.

    Mentions behind markers are alternatives. Others hold at once, unless nothing satisfies them all: extras
    that exclude each other are alternatives too.
    """
    pin, limit = _together(asked), _together(limits)
    if pin is None or limit is None:
        return pin
    return narrowed(pin, limit) or pin


def resolve(pin: Pin, known: tuple[str, ...]) -> tuple[str, ...]:
    """The releases of `known` that `pin` allows, oldest first.

    Where it allows none of them, the nearest stand in: of an exact pin the nearest one, of a range those nearest to
    its two ends (what is true of both is likely true between them). Previews count only if nothing else is allowed.
    Empty only if `known` holds no release.
    """
    releases = sorted((release, text) for text in known if (release := read_release(text)) is not None)
    allowed = [(release, text) for release, text in releases if contains(pin.ranges, release)]
    final = [text for release, text in allowed if not release.preview]
    if allowed:
        return tuple(final or [text for _, text in allowed])
    ends = [end for end in (pin.lowest, pin.highest) if end is not None]
    found = {nearest(end, known) for end in ends}
    return tuple(text for _, text in releases if text in found)


def nearest(release: str, known: tuple[str, ...]) -> str | None:
    """The release of `known` nearest to `release`; None if that is no release or `known` is empty.

    A release of fewer than three parts names a line: `0.28` is the newest 0.28.x. The same major goes before a nearer
    number, then the same minor; of two equally near the older, because it lacks what the newer brought.
    """
    wanted = read_release(release)
    releases = sorted((read, text) for text in known if (read := read_release(text)) is not None)
    if wanted is None or not releases:
        return None
    written = release.strip().removeprefix("v").split(".")
    if len(written) < 3 and all(part.isdigit() for part in written):
        line = tuple(map(int, written))
        of_line = [text for read, text in releases if _parts(read)[: len(line)] == line and not read.preview]
        if of_line:
            return of_line[-1]
    below = [entry for entry in releases if entry[0] <= wanted][-1:]
    above = [entry for entry in releases if entry[0] > wanted][:1]

    def distance(entry: tuple[Release, str]) -> tuple[int, int]:
        pairs = list(zip(_parts(entry[0]), _parts(wanted), strict=True))
        shared = next((index for index, (a, b) in enumerate(pairs) if a != b), len(pairs) - 1)
        return (-shared, abs(pairs[shared][0] - pairs[shared][1]))

    return min(below + above, key=distance)[1]


def _together(mentions: list[Mention]) -> Pin | None:
    telling = [mention for mention in mentions if not mention.pin.unbounded] or mentions[:1]
    if any(mention.conditional for mention in telling):
        return either(mention.pin for mention in telling)
    pin: Pin | None = None
    for mention in telling:
        pin = mention.pin if pin is None else narrowed(pin, mention.pin)
        if pin is None:
            return either(mention.pin for mention in telling)
    return pin


def _parts(release: Release) -> tuple[int, int, int]:
    major, minor, patch = (*release.numbers, 0, 0, 0)[:3]
    return major, minor, patch


def _pin(ranges: Ranges, exact: bool, source: str, specifier: str) -> Pin:
    start, end = ranges[0].start, ranges[-1].end
    return Pin(
        lowest=None if start == FIRST else _bound(start.release),
        highest=None if end == LAST else _bound(end.release),
        closed=end.side == 1 and end != LAST,
        exact=exact,
        source=source,
        specifier=specifier,
        ranges=ranges,
    )


def _bound(release: Release) -> str:
    """A bound as people write it: the edges `1.0.dev0` and "all posts of 1.0" both read `1.0.0`."""
    if release.dev == 0:
        pre = Release(0, ()).pre if release.pre[0] < 0 else release.pre
        release = release._replace(pre=pre, dev=inf)
    return str(release)
