"""``--explain``: the page of a rule, or what the guide says about an error, a status or an error code."""

import re
from textwrap import fill, indent
from typing import TYPE_CHECKING

from openai_lint import rules
from openai_lint.config import nearest
from openai_lint.guide import ENTRIES, Entry

if TYPE_CHECKING:
    from openai_lint.rule import Rule

PAGES = "https://openai-lint.readthedocs.io/rules/"

_WIDTH = 88
_KEY_IN_EXAMPLE = re.compile(r"@@\w+@@")


class UnknownTopicError(Exception):
    """Nothing is known by that word."""


def page(code: str) -> str:
    """A rule's documentation, with a placeholder where its examples hold a key."""
    return _KEY_IN_EXAMPLE.sub("sk-proj-...", rules.page(code))


def url(code: str) -> str:
    """Where the page of a rule stands."""
    return f"{PAGES}{code}/"


def explain(topic: str) -> str:
    """The text about a rule (code or name), an error's class, an HTTP status or a code. Raises UnknownTopicError."""
    word = topic.strip()
    for entry in rules.catalogue():
        if word.upper() == entry.code or word.lower() == entry.name:
            return rule_page(rules.load(entry.code))
    found = [entry for entry in ENTRIES if _speaks_of(entry, word.rpartition(".")[2])]
    if not found:
        raise UnknownTopicError(f"nothing is known about {topic!r}{nearest(word, _topics())}")
    return "\n".join(_entry(entry) for entry in found)


def rule_page(rule: "Rule") -> str:
    """The documentation of a rule, with what it does by default."""
    state = "on by default" if rule.default else f"off by default (--extend-select {rule.code})"
    fix = f", fix: {rule.fix.value}" if rule.fix is not None else ""
    return f"{rule.code} {rule.name}\n{rule.severity}, {state}{fix}, since {rule.since}\n\n{page(rule.code)}\n"


def rule_table(*, as_json: bool = False) -> str:
    """Every rule with its severity, default and fix."""
    loaded = [rules.load(entry.code) for entry in rules.catalogue()]
    if as_json:
        import json

        rows = [
            {
                "code": rule.code,
                "name": rule.name,
                "severity": str(rule.severity),
                "default": rule.default,
                "fix": rule.fix.value if rule.fix else None,
                "summary": summary(rule.code),
                "url": url(rule.code),
            }
            for rule in loaded
        ]
        return json.dumps({"version": 1, "rules": rows}, indent=2) + "\n"
    wide = max((len(rule.name) for rule in loaded), default=0)
    lines = [
        f"{rule.code}  {rule.name:<{wide}}  {rule.severity!s:<7}  {'on ' if rule.default else 'off'}  "
        f"{rule.fix.value if rule.fix else '-':<10}  {summary(rule.code)}"
        for rule in loaded
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def summary(code: str) -> str:
    """The first paragraph of a rule's page, on one line."""
    return " ".join(page(code).partition("\n\n")[0].split())


def _speaks_of(entry: Entry, word: str) -> bool:
    lowered = word.lower()
    if lowered == str(entry.status) or lowered in entry.codes:
        return True
    # A class of several entries (RateLimitError) is explained by all of them.
    return lowered in {name.lower() for name in (entry.old, entry.new) if name}


def _topics() -> list[str]:
    words = [entry.code for entry in rules.catalogue()] + [entry.name for entry in rules.catalogue()]
    for entry in ENTRIES:
        words += [str(word) for word in (entry.status, entry.old, entry.new, *entry.codes) if word]
    return words


def _entry(entry: Entry) -> str:
    lines = [entry.title, "-" * len(entry.title)]
    if entry.old or entry.new:
        lines.append(_classes(entry))
    lines.append("")
    lines.append(fill(f"Cause: {entry.cause}", _WIDTH))
    lines.append("Remedy:")
    lines += [indent(fill(f"- {step}", _WIDTH - 2, subsequent_indent="  "), "  ") for step in entry.remedy]
    if entry.note:
        lines.append(fill(f"Note: {entry.note}", _WIDTH))
    if entry.old or entry.new:
        lines.append(
            f"Retry: {'with backoff; it usually passes' if entry.transient else 'never; it fails the same way'}."
        )
    names = {known.code: known.name for known in rules.catalogue()}
    lines.append("Rules: " + ", ".join(f"{code} {names[code]}" for code in entry.rules if code in names))
    return "\n".join(lines) + "\n"


def _classes(entry: Entry) -> str:
    old = f"openai.error.{entry.old} (up to 0.28)" if entry.old else ""
    new = f"openai.{entry.new} (from 1.0)" if entry.new else ""
    return "Class: " + ", ".join(part for part in (new, old) if part)
