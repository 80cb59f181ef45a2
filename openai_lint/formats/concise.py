"""One line for each finding: ``path:line:column: CODE message``."""

from typing import TYPE_CHECKING

from openai_lint.files import display
from openai_lint.formats.neutral import safe
from openai_lint.report import Report

if TYPE_CHECKING:
    from openai_lint.rule import Place


def render(report: Report) -> str:
    """The findings, one line each."""
    return "".join(
        f"{safe(where(finding.place))}: {finding.code} {safe(finding.message)}\n" for finding in report.findings
    )


def where(place: "Place") -> str:
    """``path:line:column``, with the cell in a notebook: ``path:cell 3:line:column``."""
    cell = "" if place.cell is None else f"cell {place.cell}:"
    return f"{display(place.path)}:{cell}{place.span[0]}:{place.span[1]}"
