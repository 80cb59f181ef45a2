"""Errors that are judged alike: what tells errors apart looks at what they are, never at which call raised them.

A big project has thousands of errors under way, and only a few dozen that differ to a handler or a policy.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from openai_lint.escapes import Leak

if TYPE_CHECKING:
    from openai_lint.sdk import Sdk

T = TypeVar("T")


class Verdicts(Generic[T]):
    """The verdicts of one clause, condition or policy: each is asked for once for errors that are alike."""

    __slots__ = ("_decide", "_known")

    def __init__(self, decide: "Callable[[Leak, Sdk], T]") -> None:
        self._decide = decide
        self._known: dict[tuple[str, str, str, str], T] = {}

    def of(self, leak: Leak) -> T:
        """The verdict on an error."""
        release = leak.site.release
        key = (leak.error, leak.raised, leak.form, release.version)
        known = self._known
        if key not in known:
            known[key] = self._decide(leak, release)
        return known[key]
