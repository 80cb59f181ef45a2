"""JUnit XML: one test case for each finding, in a suite for each file, for CI systems that show test reports."""

from html import escape

from openai_lint.files import display
from openai_lint.formats.concise import where
from openai_lint.formats.neutral import block, flat
from openai_lint.report import Report
from openai_lint.rule import Finding


def render(report: Report) -> str:
    """The XML document. A clean run is one test that passed."""
    by_file: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_file.setdefault(finding.place.path, []).append(finding)
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    count = len(report.findings)
    lines.append(f'<testsuites name="openai-lint" tests="{max(count, 1)}" failures="{count}">')
    for path, found in by_file.items():
        name = escape(flat(display(path)))
        lines.append(f'  <testsuite name="{name}" tests="{len(found)}" failures="{len(found)}" errors="0">')
        for finding in found:
            case = f"{finding.code} {finding.name} ({where(finding.place)})"
            lines.append(f'    <testcase classname="{name}" name="{escape(flat(case))}">')
            text = escape(f"{flat(finding.message)}\n{block(finding.help)}")
            lines.append(
                f'      <failure type="{finding.severity}" message="{escape(flat(finding.message))}">{text}</failure>'
            )
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    if not count:
        lines.append('  <testsuite name="openai-lint" tests="1" failures="0" errors="0">')
        lines.append('    <testcase classname="openai-lint" name="no findings"/>')
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"
