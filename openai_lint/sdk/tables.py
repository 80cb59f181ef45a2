"""Tables of facts that hold over spans of releases, and how a row becomes an object."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from .data_files import read

T = TypeVar("T")
Span = tuple[int, int, int]


class Table(Generic[T], Mapping[str, T]):
    """One table of an era, seen from one release; its objects are made when they are asked for.

    `make(name, shape, since, until)` gives the object; `shape` is the row of the data file.
    """

    def __init__(self, era: str, key: str, position: int, make: Callable[[str, list[Any], str, str | None], T]) -> None:
        document = read(f"v{era}")
        self._releases: list[str] = document["releases"]
        self._shapes: list[list[Any]] = document[key]["shapes"]
        self._spans: dict[str, list[Span]] = document[key]["spans"]
        self._position = position
        self._make = make
        self._rows = {
            name: shape
            for name, spans in self._spans.items()
            for first, last, shape in spans
            if first <= position <= last
        }
        self._made: dict[str, T] = {}
        self._elsewhere: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        made = self._made.get(name)
        if made is None:
            made = self._build(name, self._rows[name], self._position)
            self._made[name] = made
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> Iterator[list[Any]]:
        """The rows of this release, without making objects of them; one row may serve many names."""
        return (self._shapes[shape] for shape in set(self._rows.values()))

    def ever(self, name: str) -> T | None:
        """The entry in this release, else in the known release nearest to it that has it."""
        if name in self._rows:
            return self[name]
        if name not in self._spans:
            return None
        if name not in self._elsewhere:
            first, last, shape = min(self._spans[name], key=self._distance)
            self._elsewhere[name] = self._build(name, shape, last if last < self._position else first)
        return self._elsewhere[name]

    def _distance(self, span: Span) -> int:
        return min(abs(span[0] - self._position), abs(span[1] - self._position))

    def names_ever(self) -> Iterator[str]:
        """Every name of the era."""
        return iter(self._spans)

    def history(self, name: str) -> list[tuple[str, str | None, T]]:
        """(first release, first release after, entry) for each span of unchanged entries."""
        return [
            (self._releases[first], self._after(last), self._build(name, shape, first))
            for first, last, shape in self._spans.get(name, [])
        ]

    def _after(self, last: int) -> str | None:
        return self._releases[last + 1] if last + 1 < len(self._releases) else None

    def _build(self, name: str, shape: int, position: int) -> T:
        first, last = position, position
        for span in self._spans[name]:
            if span[0] <= position <= span[1]:
                first, last = span[0], span[1]
        # Spans that touch differ in shape only: the name was there all the time.
        for span in reversed(self._spans[name]):
            first = span[0] if span[1] == first - 1 else first
        for span in self._spans[name]:
            last = span[1] if span[0] == last + 1 else last
        return self._make(name, self._shapes[shape], self._releases[first], self._after(last))
