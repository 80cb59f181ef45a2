"""Workflow commands of GitHub Actions: an annotation at the line of each finding."""

from openai_lint.files import display
from openai_lint.formats.neutral import block, flat
from openai_lint.report import Report
from openai_lint.rule import Finding, Severity

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report) -> str:
    """One command for each finding."""
    return "".join(_command(finding) for finding in report.findings)


def _command(finding: Finding) -> str:
    line, column, end_line, end_column = finding.place.span
    properties = {"file": flat(display(finding.place.path)), "title": f"{finding.code} {finding.name}"}
    message = finding.message
    if finding.place.cell is None:
        properties |= {"line": str(line), "endLine": str(end_line)}
        if line == end_line:  # columns belong to one line
            properties |= {"col": str(column), "endColumn": str(end_column)}
    else:
        message = f"cell {finding.place.cell}, line {line}: {message}"
    settings = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = _data(f"{flat(message)}\n{block(finding.help)}")
    return f"::{_LEVELS[finding.severity]} {settings}::{text}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
