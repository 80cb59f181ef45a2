"""Rules, findings and projects for tests of the rooms around the linker."""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from openai_lint import cli, rules
from openai_lint.facts import Cell
from openai_lint.report import Report, Sources
from openai_lint.rule import Applicability, Edit, Finding, Fix, Hit, Place, Related, Rule, Severity

CALL = 'from openai import OpenAI\n\nclient = OpenAI()\nprint(client.responses.create(model="m", input="hi"))\n'
"""A program with one API call, in line 4, that nothing handles."""

KEY = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8s" * 3 + "aB3dE6gH9jK2mN5pQT3" + "BlbkFJ" + "zY7xW4vU1tS8rQ5pO2n" * 4


@dataclass(frozen=True)
class Run:
    """What one run of the command line did."""

    code: int
    out: str
    err: str


def run(*arguments: str, stdin: bytes = b"") -> Run:
    """The command line, in this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
            cli.main(list(arguments))
    finally:
        sys.stdin = before
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    assert isinstance(stop.value.code, int)
    return Run(stop.value.code, texts[0], texts[1])


def tree(root: Path, files: dict[str, str | bytes]) -> Path:
    """Writes files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def on_calls(code: str, name: str, severity: Severity = Severity.ERROR, *, default: bool = True) -> Rule:
    """A rule that reports every API call."""

    def check(project):  # type: ignore[no-untyped-def]
        for call in project.calls:
            place = project.place(call.module, call.site.node.span)
            yield Hit(
                place,
                f"{code} speaks of {call.site.path}",
                f"mend {code}",
                ("RateLimitError",),
                "3.54.0",
                call.site.path,
            )

    return Rule(code, name, severity, check, default)


def with_rules(monkeypatch: pytest.MonkeyPatch, *made: Rule) -> None:
    """Puts these rules in place of those in the package, beside OAI001 and OAI002."""
    from openai_lint import selection

    kept = [entry for entry in rules.catalogue() if entry.code in ("OAI001", "OAI002")]
    by_code = {rule.code: rule for rule in (*made, *(rules.load(entry.code) for entry in kept))}
    entries = tuple(
        sorted((*kept, *(rules.Entry(rule.code, rule.name, "") for rule in made)), key=lambda entry: entry.code)
    )
    monkeypatch.setattr(rules, "catalogue", lambda: entries)
    monkeypatch.setattr(rules, "load", by_code.__getitem__)
    monkeypatch.setattr(rules, "page", lambda code: f"The page of {code}.")
    selection.resolve.cache_clear()
    selection._chosen.cache_clear()


def finding(path: str, **changes: object) -> Finding:
    """A finding of OAI101 at line 4 of a file."""
    place = Place(path, None, (4, 7, 4, 52))
    values: dict[str, object] = {
        "code": "OAI101",
        "name": "unhandled-error",
        "severity": Severity.ERROR,
        "message": "nobody handles the errors of responses.create",
        "help": "Wrap it:\ntry:\n    ...",
        "place": place,
        "errors": ("RateLimitError",),
        "sdk": "3.54.0",
        "call": "responses.create",
        "related": (Related(Place(path, None, (9, 1, 9, 7)), "called here, in the module body"),),
        "fix": Fix(Applicability.UNSAFE, "wrap it", (Edit(place, "try: ..."),)),
        "fingerprint": "0123456789abcdef" * 2,
        "anchor": place,
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


def report(
    *findings: Finding, lines: tuple[str, ...] = tuple(CALL.split("\n")), cells: tuple[Cell, ...] = ()
) -> Report:
    """A report with these findings, all in files that hold the same lines."""
    paths = {found.place.path for found in findings}
    sources = Sources(dict.fromkeys(paths, lines), dict.fromkeys(paths, cells))
    return Report(findings=findings, files=3, parsed=2, sources=sources)
