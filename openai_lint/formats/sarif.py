"""SARIF 2.1.0, for code scanning."""

import json
from typing import Any
from urllib.parse import quote

from openai_lint import __version__, rules
from openai_lint.explain import page, summary, url
from openai_lint.files import display
from openai_lint.formats.neutral import block, flat, redacted, without
from openai_lint.report import Report
from openai_lint.rule import Finding, Fix, Place, Severity

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report) -> str:
    """The log with one run, and a line end."""
    codes = sorted({finding.code for finding in report.findings})
    run = {
        "tool": {
            "driver": {
                "name": "openai-lint",
                "version": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.failures,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"{failure.subject} failed: {flat(failure.error)}"}}
                    for failure in report.failures
                ],
            }
        ],
        "results": [_result(finding, codes.index(finding.code), report.secrets) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    rule = rules.load(code)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": summary(code)},
        "help": {"text": page(code), "markdown": page(code)},
        "helpUri": url(code),
        "defaultConfiguration": {"level": _LEVELS[rule.severity], "enabled": rule.default},
    }


def _result(finding: Finding, index: int, secrets: frozenset[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{_cell(finding.place)}{flat(finding.message)}\n{block(finding.help)}"},
        "locations": [_location(finding.place)],
        "partialFingerprints": {"openaiLint/v1": finding.fingerprint},
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(step.place), "id": number, "message": {"text": _cell(step.place) + flat(step.message)}}
            for number, step in enumerate(finding.related)
        ]
    # A replacement in a notebook would be one in a cell, which the file on disk does not have.
    if finding.fix is not None and all(edit.place.cell is None for edit in finding.fix.edits):
        result["fixes"] = [_fix(finding.fix, secrets)]
    return result


def _fix(fix: Fix, secrets: frozenset[str]) -> dict[str, Any]:
    by_file: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        by_file.setdefault(edit.place.path, []).append(
            {
                "deletedRegion": _region(edit.place),
                "insertedContent": {"text": redacted(without(edit.content, secrets))},
            }
        )
    changes = [{"artifactLocation": _artifact(path), "replacements": edits} for path, edits in by_file.items()]
    return {"description": {"text": flat(fix.message)}, "artifactChanges": changes}


def _cell(place: Place) -> str:
    return "" if place.cell is None else f"cell {place.cell}, line {place.span[0]}: "


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(place.path)}
    if place.cell is None:
        physical["region"] = _region(place)
    return {"physicalLocation": physical}


def _artifact(path: str) -> dict[str, str]:
    shown = display(path)
    return {"uri": ("file://" if shown.startswith("/") else "") + quote(shown, errors="surrogateescape")}


def _region(place: Place) -> dict[str, int]:
    line, column, end_line, end_column = place.span
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
