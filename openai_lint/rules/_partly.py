"""Calls of which some documented errors are handled and others escape: OAI102 and OAI103 are two halves of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint.rule import Hit
from openai_lint.rules._handling import Escape, ending, judged, listed, path, place, uses_of
from openai_lint.rules._suggest import completed, wrapped

if TYPE_CHECKING:
    from openai_lint.link import Project


def hits(project: "Project", half: str) -> Iterator[Hit]:
    """The hits of one half (``transient`` or ``permanent``), both with the suggestion that mends both."""
    for escape in judged(project):
        names = escape.transient if half == "transient" else escape.permanent
        if escape.complete or not names:
            continue
        call = escape.call
        what = f"{half} errors" if len(names) > 1 else f"a {half} error"
        yield Hit(
            place(project, call),
            f"`{call.site.path}` lets {what} out ({listed(names)}): {ending(project, escape)}",
            _help(project, escape),
            names,
            call.release.version,
            call.site.path,
            path(project, escape),
        )


def _help(project: "Project", escape: Escape) -> str:
    call = escape.call
    for use in uses_of(project, call.site):
        if use.handler.type is not None:
            return completed(project, escape, use.handler, use.module)
    return "Handle these too, for example here:\n" + wrapped(project, call)
