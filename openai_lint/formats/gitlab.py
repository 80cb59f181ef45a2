"""GitLab's Code Quality report: a JSON list, in the part of the Code Climate format that GitLab reads."""

import json
from typing import Any

from openai_lint.files import display
from openai_lint.formats.neutral import flat
from openai_lint.report import Report
from openai_lint.rule import Finding, Severity

_LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: Report) -> str:
    """The list, with a line end."""
    return json.dumps([_issue(finding) for finding in report.findings], indent=2) + "\n"


def _issue(finding: Finding) -> dict[str, Any]:
    place = finding.place
    # A notebook's lines are those of a cell, which the file on disk does not have.
    where = "" if place.cell is None else f"cell {place.cell}, line {place.span[0]}: "
    return {
        "description": f"{finding.code} {where}{flat(finding.message)}",
        "check_name": finding.name,
        "fingerprint": finding.fingerprint,
        "severity": _LEVELS[finding.severity],
        "location": {
            "path": display(place.path),
            "lines": {"begin": 1, "end": 1}
            if place.cell is not None
            else {"begin": place.span[0], "end": place.span[2]},
        },
    }
