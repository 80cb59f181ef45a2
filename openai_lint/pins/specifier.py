"""Version specifiers, reduced to ranges of releases.

One reader takes what PEP 440, Poetry, Pipenv and conda write: they disagree on no spelling that all of them accept.
A bare version (`1.2.3`) is that version, `=1.2` is `==1.2.*` (conda), `^` and `~` are Poetry's, `||` or `|` is "or".
"""

import re
from math import inf
from typing import NamedTuple

from openai_lint.pins.release import Release, before, read_release


class Edge(NamedTuple):
    """A place between releases: just before (`side` 0) or just after (`side` 1) a release."""

    release: Release
    side: int


class Span(NamedTuple):
    """All releases between two edges."""

    start: Edge
    end: Edge


Ranges = tuple[Span, ...]
"""Spans in order that do not touch; empty means that no release will do."""

FIRST = Edge(Release(-1, ()), 0)
LAST = Edge(Release(2**62, ()), 1)
EVERYTHING: Ranges = (Span(FIRST, LAST),)

_CLAUSE = re.compile(r"[\s,]*(?P<operator>===|==|~=|!=|<=|>=|<|>|\^|~|=)?\s*(?P<version>(?:\d+!)?[^\s,|<>=!~^()\[\]]+)")
_THREE_PARTS = 3
# Nobody writes longer ones; each hole in a range costs time in every comparison.
_LONGEST = 1000


class Specifier(NamedTuple):
    """What a specifier allows, and whether it names one release outright."""

    ranges: Ranges
    exact: bool


def read_specifier(text: str) -> Specifier | None:
    """Reduce `text`; None where it is no specifier or allows nothing. Empty text and `*` allow everything."""
    if len(text) > _LONGEST:
        return None
    allowed: Ranges = ()
    exact = True
    alternatives = [part for part in re.split(r"\|\|?", text) if part.strip()] or ["*"]
    for alternative in alternatives:
        read = _read_clauses(alternative)
        if read is None:
            return None
        allowed = union(allowed, read.ranges)
        exact = exact and read.exact
    return Specifier(allowed, exact and len(alternatives) == 1) if allowed else None


def contains(ranges: Ranges, release: Release) -> bool:
    """Whether `release` lies in one of the spans."""
    return any(span.start <= (release, 0) and (release, 1) <= span.end for span in ranges)


def intersection(left: Ranges, right: Ranges) -> Ranges:
    """The releases in both."""
    both = (Span(max(a.start, b.start), min(a.end, b.end)) for a in left for b in right)
    return tuple(sorted(span for span in both if span.start < span.end))


def union(left: Ranges, right: Ranges) -> Ranges:
    """The releases in either."""
    merged: list[Span] = []
    for span in sorted((*left, *right)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _read_clauses(text: str) -> Specifier | None:
    """Clauses that must all hold: `>=1.2,<2`, or with spaces as Poetry and conda allow."""
    ranges, exact, position = EVERYTHING, False, 0
    text = text.strip(" \t,")
    while position < len(text):
        found = _CLAUSE.match(text, position)
        if found is None:
            return None
        operator, version = found["operator"] or "", found["version"]
        read = _read_clause(operator, version)
        if read is None:
            return None
        ranges = intersection(ranges, read)
        wildcard = version.endswith("*") or (operator == "=" and version.count(".") < _THREE_PARTS - 1)
        exact = exact or (operator in ("==", "===", "=", "") and not wildcard)
        position = found.end()
    return Specifier(ranges, exact)


def _read_clause(operator: str, version: str) -> Ranges | None:
    prefix = version.removesuffix("*").rstrip(".")
    wildcard = prefix != version
    if not prefix:
        return EVERYTHING if wildcard and operator in ("", "=", "==", ">=") else None
    release = read_release(prefix)
    if release is None:
        return None
    written = _numbers_as_written(prefix)
    # conda's `=1.2` is any 1.2.x, and its `=1.2.3` has only 1.2.3 to choose from.
    if wildcard and release.preview:
        return None
    if operator in ("", "=", "==", "!=") and (wildcard or operator == "="):
        family = _span(before(release.epoch, written), 0, _after(release, written), 0)
        return _all_but(family) if operator == "!=" else (family,)
    match operator:
        case "" | "==" | "===":
            return (_span(release, 0, release, 1),)
        case "!=":
            return _all_but(_span(release, 0, release, 1))
        case ">=":
            return (Span(Edge(release, 0), LAST),)
        case "<=":
            return (Span(FIRST, Edge(release, 1)),)
        case ">":
            # Post releases of the version itself do not count as later.
            final = release.post == -1 and release.dev == inf
            return (Span(Edge(release._replace(post=inf) if final else release, 1), LAST),)
        case "<":
            # Nor do previews of the version itself count as earlier.
            return (Span(FIRST, Edge(release if release.preview else _first_preview(release), 0)),)
        case "~=":
            return (_span(release, 0, _after(release, written[:-1] or written), 0),)
        case "~":
            return (_span(release, 0, _after(release, written[:2]), 0),)
        case _:  # "^": up to the next change of the first number that is not zero
            kept = next((index for index, number in enumerate(written) if number), len(written) - 1)
            return (_span(release, 0, _after(release, written[: kept + 1]), 0),)


def _numbers_as_written(version: str) -> tuple[int, ...]:
    """The release numbers with their zeros, which `~=1.0` and `==1.0.*` need: `1.0rc1` gives (1, 0)."""
    found = re.match(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)", version, re.IGNORECASE | re.ASCII)
    return tuple(map(int, found[1].split("."))) if found else ()


def _after(release: Release, numbers: tuple[int, ...]) -> Release:
    """The first release behind all that begin with `numbers`."""
    return before(release.epoch, (*numbers[:-1], numbers[-1] + 1))


def _first_preview(release: Release) -> Release:
    return release._replace(dev=0) if release.post > -1 else before(release.epoch, release.numbers)


def _span(start: Release, start_side: int, end: Release, end_side: int) -> Span:
    return Span(Edge(start, start_side), Edge(end, end_side))


def _all_but(span: Span) -> Ranges:
    return (Span(FIRST, span.start), Span(span.end, LAST))
