"""Calls of which some documented errors are handled and others escape: OAI102 and OAI103 are two halves of it."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from openai_lint.facts import Sequence
from openai_lint.link.project import ApiCall
from openai_lint.link.record import HandlerUse
from openai_lint.rule import Hit
from openai_lint.rules._completion import Completion, completed, translated
from openai_lint.rules._handling import Escape, ending, judged, listed, path, place, uses_of
from openai_lint.rules._suggest import text_of, wrapped
from openai_lint.rules._written import chosen_by_users

if TYPE_CHECKING:
    from openai_lint.link import Project


def hits(project: "Project", half: str) -> Iterator[Hit]:
    """The hits of one half (``transient`` or ``permanent``), both with the suggestion that mends both."""
    for escape in judged(project):
        names = escape.transient if half == "transient" else escape.permanent
        if escape.complete or not names:
            continue
        call = escape.call
        found = _help(project, escape)
        what = f"{half} errors" if len(names) > 1 else f"a {half} error"
        yield Hit(
            place(project, call),
            f"`{call.site.path}` lets {what} out ({listed(names)}): {ending(project, escape)}",
            found.text,
            names,
            call.release.version,
            call.site.path,
            path(project, escape),
            rewrite=found.rewrite,
        )


def _help(project: "Project", escape: Escape) -> Completion:
    call = escape.call
    uses = [use for use in uses_of(project, call.site) if use.handler.type is not None]
    # A clause that only raises the error again handles nothing, however wide it is.
    for use in sorted(uses, key=lambda use: (not _takes(use, call, call.release.documented), not _meant(use, call))):
        if use.function is not call.site.function and chosen_by_users(project, use.module, use.handler):
            return translated(project, escape)
        return completed(project, escape, use, meant=_meant(use, call))
    found = wrapped(project, call)
    return Completion("Handle these too, for example here:\n" + found.text(), found.rewrite(project))


_OF_ONE = re.compile(r"rate.?limit|too many|quota|429|time.?out|timed out|connect|unavailable|overload", re.IGNORECASE)


def _meant(use: HandlerUse, call: ApiCall) -> bool:
    """Whether a clause answers errors that may pass, in words that fit all of them."""
    if not _takes(use, call, call.release.transient):
        return False
    words = " ".join(text_of(use.module, node.span) for node in use.handler.body)
    return isinstance(use.handler.type, Sequence) or _OF_ONE.search(words) is None


def _takes(use: HandlerUse, call: ApiCall, names: Iterable[str]) -> bool:
    """Whether one of these errors ends at a handler."""
    wanted = set(names)
    return any(leak.site is call.site and leak.error in wanted for leak in use.absorbed)
