"""Findings to text, one file for each format. A format is a function of the report; it prints nothing."""

from collections.abc import Mapping
from importlib import import_module

from openai_lint.report import Report

ALIASES = {"full": "text"}
LISTS_CALLS = ("text", "concise", "json")
"""Formats that can write an inventory."""


class FormatError(Exception):
    """What was asked for cannot be written in that format."""


def render(
    report: Report,
    name: str,
    *,
    statistics: bool = False,
    colour: bool = False,
    summary: bool = True,
    fixes: tuple[bool, bool] = (False, False),
    fixed: Mapping[str, int] | None = None,
) -> str:
    """The report in a format. ``statistics`` counts by rule instead; ``summary`` is for the closing lines of text.

    ``fixes`` tells whether text shows the safe and the unsafe fixes; ``fixed`` counts those that were applied, by code.
    Raises FormatError where the format cannot show what the report holds.
    """
    name = ALIASES.get(name, name)
    if statistics and report.calls is None:
        from openai_lint.formats import statistics as counting

        return counting.render(report, as_json=name == "json")
    if name in ("text", "concise"):
        from openai_lint.formats import concise, text

        if report.calls is not None:
            return text.inventory(report)
        if name == "concise":
            return concise.render(report)
        return text.render(report, colour=colour, summary=summary, fixes=fixes, fixed=fixed or {})
    if report.calls is not None and name not in LISTS_CALLS:
        raise FormatError(f"an inventory is written as {' or '.join(LISTS_CALLS[::2])}, not as {name}")
    rendered: str = import_module(f"{__name__}.{name}").render(report)
    return rendered
