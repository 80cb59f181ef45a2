"""What a walk carries from statement to statement: ordinary control, and each error that a handler has at hand."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from openai_lint.escapes import Leak, Leaks

NORMAL: Final = "normal"
OTHER: Final = "other"

Token: TypeAlias = Leak | str
Live: TypeAlias = frozenset[Token]
START: Final[Live] = frozenset({NORMAL})
DEAD: Final[Live] = frozenset()


def after_retries(leaks: Iterable[Leak], retried: Leaks) -> Leaks:
    """Leaks that leave a hand-written retry: those of the calls that it repeats have passed one more."""
    sites = {leak.site for leak in retried}
    return frozenset(leak.after_retries() if leak.site in sites else leak for leak in leaks)


def leaks_of(live: Live) -> Leaks:
    """The leaks among the tokens."""
    return frozenset(token for token in live if isinstance(token, Leak))
