"""One HTML page that needs nothing else: findings by file, for people who read a report in a browser."""

from collections.abc import Mapping, Sequence
from html import escape

from openai_lint import __version__
from openai_lint.explain import url
from openai_lint.files import display
from openai_lint.formats.concise import where
from openai_lint.formats.neutral import block, flat, masked
from openai_lint.report import Report
from openai_lint.rule import Finding

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.4 }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
article { border-left: .3rem solid #888; margin: 1rem 0; padding: .1rem 1rem }
.error { border-color: #c33 } .warning { border-color: #c90 } .info { border-color: #39c }
pre { overflow-x: auto; background: #8882; padding: .6rem }
h3 { font-size: 1rem; margin: .5rem 0 } h3 span { font-weight: normal }
"""


def render(report: Report) -> str:
    """The page."""
    by_file: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_file.setdefault(finding.place.path, []).append(finding)
    count = len(report.findings)
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>openai-lint</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>openai-lint: {count} finding{'' if count == 1 else 's'}</h1>",
        f"<p>{report.files} file{'' if report.files == 1 else 's'} checked by openai-lint {__version__}.</p>",
    ]
    hidden = report.key_spans()
    for path, found in by_file.items():
        lines.append(f"<h2>{escape(flat(display(path)))}</h2>")
        lines += [_article(finding, report, hidden) for finding in found]
    return "\n".join([*lines, "</body></html>"]) + "\n"


def _article(
    finding: Finding, report: Report, hidden: Mapping[tuple[str, int | None, int], Sequence[tuple[int, int]]]
) -> str:
    place = finding.place
    spot = (f"cell {place.cell}, " if place.cell is not None else "") + f"line {place.span[0]}"
    source = report.sources.line(place.path, place.cell, place.span[0])
    parts = [
        f'<article class="{finding.severity}">',
        f'<h3><a href="{escape(url(finding.code))}">{finding.code} {escape(finding.name)}</a> <span>{spot}</span></h3>',
        f"<p>{escape(flat(finding.message))}</p>",
    ]
    if source is not None:
        parts.append(
            f"<pre>{escape(flat(masked(source, hidden.get((place.path, place.cell, place.span[0]), ()))))}</pre>"
        )
    if finding.related:
        steps = "".join(
            f"<li>{escape(flat(where(step.place)))}: {escape(flat(step.message))}</li>" for step in finding.related
        )
        parts.append(f"<ol>{steps}</ol>")
    parts.append(f"<pre>{escape(block(finding.help))}</pre></article>")
    return "\n".join(parts)
