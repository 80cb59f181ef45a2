"""Values that exist once for each content."""

from typing import Any


class Unique(type):
    """The type of values that exist once for each content, so that they compare and hash by identity, at no cost.

    They key every table of the linker. Each stands in the table (``values``) of what it belongs to, which its class
    tells of its parts (``home``), and goes when that does.
    """

    def __call__(cls, *parts: Any) -> Any:
        """The value with these parts (by position), made the first time."""
        missing = len(parts) - len(cls.__match_args__)  # type: ignore[attr-defined]
        if missing:
            parts += cls.__init__.__defaults__[missing:]  # type: ignore[misc]
        table = cls.home(*parts).values  # type: ignore[attr-defined]
        key = (cls, *parts)
        found = table.get(key)
        if found is None:
            found = table[key] = super().__call__(*parts)
        return found
