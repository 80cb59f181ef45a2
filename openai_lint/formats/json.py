"""The versioned JSON document, for tools: findings, or with ``--inventory`` the API calls."""

import json
from collections.abc import Mapping
from typing import Any

from openai_lint.explain import url
from openai_lint.files import display
from openai_lint.formats.neutral import block, redacted, without
from openai_lint.report import Report
from openai_lint.rule import Edit, Finding, Place

VERSION = 1


def render(report: Report) -> str:
    """The document, with a line end. Paths are relative to the working directory, places count from 1."""
    document: dict[str, Any] = {"version": VERSION}
    if report.calls is not None:
        document["calls"] = [_shown(call) for call in report.calls]
    else:
        document["findings"] = [finding_object(finding, report.secrets) for finding in report.findings]
    return json.dumps(document, indent=2) + "\n"


def finding_object(finding: Finding, secrets: frozenset[str] = frozenset()) -> dict[str, Any]:
    """One finding as the document has it. ``secrets`` are texts that edits may not show."""
    fix = finding.fix
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "message": block(finding.message),
        "help": block(finding.help),
        **_place(finding.place),
        "errors": list(finding.errors),
        "sdk": finding.sdk,
        "call": finding.call,
        "related": [{**_place(step.place), "message": block(step.message)} for step in finding.related],
        "fix": None
        if fix is None
        else {
            "applicability": fix.applicability.value,
            "message": block(fix.message),
            "edits": [_edit(edit, secrets) for edit in fix.edits],
        },
        "fingerprint": finding.fingerprint,
        "url": url(finding.code),
    }


def _edit(edit: Edit, secrets: frozenset[str]) -> dict[str, Any]:
    return {**_place(edit.place), "content": redacted(without(edit.content, secrets))}


def _place(place: Place) -> dict[str, Any]:
    line, column, end_line, end_column = place.span
    return {
        "path": display(place.path),
        "cell": place.cell,
        "start": {"line": line, "column": column},
        "end": {"line": end_line, "column": end_column},
    }


def _shown(value: Any) -> Any:
    """An entry of the inventory with its paths as they are displayed, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: display(item) if key == "path" and isinstance(item, str) else _shown(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return redacted(value) if isinstance(value, str) else value
