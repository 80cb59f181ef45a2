"""A demand-driven fixpoint solver: computes only the cells that are asked for, and again when what they read has grown.

A cell is any hashable key whose class tells how it is computed. Values are joined (they only grow): the answer is the
least fixpoint of what was asked for, in whatever order the cells were first wanted.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any


@dataclass(slots=True, eq=False)
class _Entry:
    """A cell that somebody asked for or contributed to, and who reads it. ``place`` is when it was first finished."""

    cell: Hashable
    value: Any
    readers: "dict[_Entry, None]" = field(default_factory=dict)
    place: int = 0
    running: bool = False
    queued: bool = False
    known: bool = True


class Solver:
    """``compute(cell)`` may call ``read`` and ``contribute``; both take part in the fixpoint."""

    def __init__(
        self, compute: Callable[[Hashable], Any], bottom: Callable[[Hashable], Any], join: Callable[[Any, Any], Any]
    ) -> None:
        self._compute = compute
        self._bottom = bottom
        self._join = join
        self._entries: dict[Hashable, _Entry] = {}
        self._active: list[_Entry] = []
        self._queue: list[tuple[int, int, _Entry]] = []
        self._count = 0

    def read(self, cell: Hashable) -> Any:
        """The cell's value as far as it is known; the cell being computed will be told when it grows."""
        entry = self._entries.get(cell)
        if entry is None:
            entry = self._entries[cell] = _Entry(cell, self._bottom(cell), known=False)
        if self._active:
            entry.readers[self._active[-1]] = None
        if not entry.known:
            self._begin(entry)
            self._evaluate(entry)
        return entry.value

    def contribute(self, cell: Hashable, value: Any) -> None:
        """Join ``value`` into a cell from outside of its own computation (an argument that a caller passes)."""
        entry = self._entries.get(cell)
        if entry is None:
            self._entries[cell] = _Entry(cell, value)
            return
        new = self._join(entry.value, value) if entry.known else value
        if not entry.known or new != entry.value:
            entry.known = True
            entry.value = new
            self._wake(entry)

    def again(self, cell: Hashable) -> None:
        """Recompute a cell at the next ``solve``: something outside of the cells has changed for it."""
        entry = self._entries.get(cell)
        if entry is not None and entry.known:
            self._enqueue(entry)

    def known(self, cell: Hashable) -> Any | None:
        """The value of a cell if anything asked for it or contributed to it."""
        entry = self._entries.get(cell)
        return entry.value if entry is not None and entry.known else None

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be recomputed."""
        return not self._queue

    def solve(self) -> None:
        """Recompute what is stale until nothing is; what was finished first goes first, callees before callers."""
        while self._queue:
            _, _, entry = heappop(self._queue)
            entry.queued = False
            if entry.known:
                self._evaluate(entry)

    def _begin(self, entry: _Entry) -> None:
        entry.known = True
        entry.value = self._bottom(entry.cell)

    def _evaluate(self, entry: _Entry) -> None:
        if entry.running:
            self._enqueue(entry)
            return
        entry.running = True
        self._active.append(entry)
        try:
            result = self._compute(entry.cell)
        finally:
            self._active.pop()
            entry.running = False
        self._count += 1
        entry.place = entry.place or self._count
        new = self._join(entry.value, result)
        if new != entry.value:
            entry.value = new
            self._wake(entry)

    def _wake(self, entry: _Entry) -> None:
        for reader in entry.readers:
            self._enqueue(reader)

    def _enqueue(self, entry: _Entry) -> None:
        if not entry.queued:
            entry.queued = True
            self._count += 1
            heappush(self._queue, (entry.place or self._count, self._count, entry))

    def forget(self, cells: Iterable[Hashable], keep: Callable[[Hashable], bool]) -> None:
        """Drop everything that was computed from these cells, because one of them was read before it was known.

        Cells that ``keep`` holds stay (they were contributed, not computed); the rest is computed again when asked for.
        """
        stale: dict[_Entry, None] = {}
        stack = [self._entries[cell] for cell in cells if cell in self._entries]
        while stack:
            entry = stack.pop()
            readers, entry.readers = entry.readers, {}
            for reader in readers:
                if reader not in stale:
                    stale[reader] = None
                    stack.append(reader)
        for entry in stale:
            if not keep(entry.cell):
                entry.known = False

    def values(self) -> list[tuple[Hashable, Any]]:
        """Every cell with its value."""
        return [(entry.cell, entry.value) for entry in self._entries.values() if entry.known]
