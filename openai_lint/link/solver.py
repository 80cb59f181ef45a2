"""A demand-driven fixpoint solver: computes only the cells that are asked for, and again when what they read has grown.

A cell is any hashable key whose class tells how it is computed. Values are joined (they only grow): the answer is the
least fixpoint of what was asked for, in whatever order the cells were first wanted.
"""

from collections.abc import Callable, Hashable, Iterable
from heapq import heappop, heappush
from typing import Any


class Solver:
    """``compute(cell)`` may call ``read`` and ``contribute``; both take part in the fixpoint."""

    def __init__(
        self, compute: Callable[[Hashable], Any], bottom: Callable[[Hashable], Any], join: Callable[[Any, Any], Any]
    ) -> None:
        self._compute = compute
        self._bottom = bottom
        self._join = join
        self._values: dict[Hashable, Any] = {}
        self._readers: dict[Hashable, dict[Hashable, None]] = {}
        self._active: list[Hashable] = []
        self._running: set[Hashable] = set()
        self._queue: list[tuple[int, int, Hashable]] = []
        self._finished: dict[Hashable, int] = {}
        self._count = 0
        self._queued: set[Hashable] = set()

    def read(self, cell: Hashable) -> Any:
        """The cell's value as far as it is known; the cell being computed will be told when it grows."""
        if self._active:
            self._readers.setdefault(cell, {})[self._active[-1]] = None
        if cell not in self._values:
            self._values[cell] = self._bottom(cell)
            self._evaluate(cell)
        return self._values[cell]

    def contribute(self, cell: Hashable, value: Any) -> None:
        """Join ``value`` into a cell from outside of its own computation (an argument that a caller passes)."""
        old = self._values.get(cell)
        new = value if old is None else self._join(old, value)
        if old is None or new != old:
            self._values[cell] = new
            self._wake(cell)

    def again(self, cell: Hashable) -> None:
        """Recompute a cell at the next ``solve``: something outside of the cells has changed for it."""
        if cell in self._values:
            self._enqueue(cell)

    def known(self, cell: Hashable) -> Any | None:
        """The value of a cell if anything asked for it or contributed to it."""
        return self._values.get(cell)

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be recomputed."""
        return not self._queue

    def solve(self) -> None:
        """Recompute what is stale until nothing is; what was finished first goes first, callees before callers."""
        while self._queue:
            _, _, cell = heappop(self._queue)
            self._queued.discard(cell)
            if cell in self._values:
                self._evaluate(cell)

    def _evaluate(self, cell: Hashable) -> None:
        if cell in self._running:
            self._enqueue(cell)
            return
        self._running.add(cell)
        self._active.append(cell)
        try:
            result = self._compute(cell)
        finally:
            self._active.pop()
            self._running.discard(cell)
        self._count += 1
        self._finished.setdefault(cell, self._count)
        old = self._values[cell]
        new = self._join(old, result)
        if new != old:
            self._values[cell] = new
            self._wake(cell)

    def _wake(self, cell: Hashable) -> None:
        for reader in self._readers.get(cell, ()):
            self._enqueue(reader)

    def _enqueue(self, cell: Hashable) -> None:
        if cell not in self._queued:
            self._queued.add(cell)
            self._count += 1
            heappush(self._queue, (self._finished.get(cell, self._count), self._count, cell))

    def forget(self, cells: Iterable[Hashable], keep: Callable[[Hashable], bool]) -> None:
        """Drop everything that was computed from these cells, because one of them was read before it was known.

        Cells that ``keep`` holds stay (they were contributed, not computed); the rest is computed again when asked for.
        """
        stale: set[Hashable] = set()
        stack = list(cells)
        while stack:
            for reader in self._readers.pop(stack.pop(), ()):
                if reader not in stale:
                    stale.add(reader)
                    stack.append(reader)
        for cell in stale:
            if not keep(cell):
                self._values.pop(cell, None)

    def values(self) -> list[tuple[Hashable, Any]]:
        """Every cell with its value."""
        return list(self._values.items())
