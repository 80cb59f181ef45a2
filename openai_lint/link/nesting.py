"""Values that hold values: how deeply they nest, and that they are hashed only once."""

from collections.abc import Iterable
from dataclasses import dataclass, field


def depth_of(value: object) -> int:
    """How many values are nested in one another in a value; 0 for a plain one."""
    return getattr(value, "depth", 0)


def deepest(values: Iterable[object]) -> int:
    """The greatest depth among values."""
    return max((getattr(value, "depth", 0) for value in values), default=0)


@dataclass(frozen=True, slots=True)
class Nested:
    """A value that holds others: hashed and measured once, because these values key every table of the linker."""

    _hash: int = field(init=False, repr=False, compare=False)
    depth: int = field(init=False, repr=False, compare=False)

    def _seal(self, key: object, depth: int) -> None:
        object.__setattr__(self, "_hash", hash(key))
        object.__setattr__(self, "depth", depth)

    def __hash__(self) -> int:
        """The hash of the content."""
        return self._hash
