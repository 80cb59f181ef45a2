"""``--statistics``: how often each rule fired, the most frequent first."""

import json
from collections import Counter

from openai_lint.report import Report


def render(report: Report, *, as_json: bool = False) -> str:
    """A line for each rule: count, code, name."""
    counts = Counter((finding.code, finding.name) for finding in report.findings)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        rows = [{"code": code, "name": name, "count": count} for (code, name), count in ranked]
        return json.dumps({"version": 1, "statistics": rows}, indent=2) + "\n"
    width = len(str(ranked[0][1])) if ranked else 0
    return "".join(f"{count:>{width}}  {code}  {name}\n" for (code, name), count in ranked)
