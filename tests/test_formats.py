"""Formats: each over one small report, and nothing hostile in any of them."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent

import pytest

from openai_lint import formats
from openai_lint.config import FORMATS
from openai_lint.facts import Cell
from openai_lint.formats import neutral
from openai_lint.report import Failure, Report
from openai_lint.rule import Place, Related, Severity
from tests.fakes import CALL, KEY, finding, report, run, tree


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return f"{tmp_path}/app/main.py"


def _text(given: Report, **options: bool) -> str:
    return formats.render(given, "text", **options)


def test_text_teaches(path: str) -> None:
    assert _text(report(finding(path))) == dedent("""\
        app/main.py:4:7: OAI101 unhandled-error: nobody handles the errors of responses.create
          4 | print(client.responses.create(model="m", input="hi"))
            |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          path  app/main.py:9:1: called here, in the module body
          help  Wrap it:
                try:
                    ...
          more  openai-lint --explain OAI101

        1 finding (1 error) in 1 file; 3 files checked.
        """)


def test_findings_of_one_call_are_one_block(path: str) -> None:
    transient = finding(path, code="OAI102", name="unhandled-transient-error", message="a", help="one suggestion")
    permanent = finding(
        path, code="OAI103", name="unhandled-permanent-error", message="b", help="another", severity=Severity.WARNING
    )
    elsewhere = finding(path, code="OAI103", anchor=Place(path, None, (1, 1, 1, 2)), message="c", help="third")
    text = _text(report(transient, permanent, elsewhere), summary=False)
    blocks = text.split("\n\n")
    assert len(blocks) == 2
    assert blocks[0].count("help") == 1
    assert blocks[0].splitlines()[0].endswith(": a")
    assert blocks[0].splitlines()[1].endswith(": b")
    assert "another" not in text
    assert "openai-lint --explain OAI102, openai-lint --explain OAI103" in blocks[0]
    assert "third" in blocks[1]


def test_error_and_missing_backoff_are_one_block(path: str) -> None:
    text = _text(report(finding(path), finding(path, code="OAI201", name="missing-backoff")), summary=False)
    assert text.count("help") == 1
    assert text.count(" | ") == 2


@pytest.mark.parametrize(
    ("given", "summary"),
    [
        (Report(files=1), "No findings; 1 file checked.\n"),
        (
            Report(files=2, hidden={"info": 3}),
            "No findings; 2 files checked.\nNot shown: 3 info (--min-severity info shows all).\n",
        ),
        (
            Report(files=2, known=1, suppressed=2),
            "No findings; 2 files checked.\nNot shown: 1 in the baseline.\nSilenced by comments: 2.\n",
        ),
        (
            Report(outside=1),
            "No findings; 0 files checked.\n1 call hands its errors to callers outside this project.\n",
        ),
        (
            Report(outside=2),
            "No findings; 0 files checked.\n2 calls hand their errors to callers outside this project.\n",
        ),
    ],
)
def test_the_summary(given: Report, summary: str) -> None:
    assert _text(given) == summary
    assert _text(given, summary=False) == ""


def test_the_summary_counts_by_severity(path: str) -> None:
    one, two = finding(path), finding(f"{path}x", severity=Severity.WARNING, code="OAI107")
    assert "2 findings (1 error, 1 warning) in 2 files" in _text(
        report(one, two, finding(path, severity=Severity.INFO))
    ).replace("3 findings (1 error, 1 warning, 1 info)", "2 findings (1 error, 1 warning)")


def test_colour_is_only_added(path: str) -> None:
    given = report(finding(path))
    coloured = _text(given, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == _text(given)


def test_carets_stand_under_the_expression_whatever_its_width(path: str) -> None:
    lines = ("", "", "", '\tx = "日本"; client.responses.create()')
    place = Place(path, None, (4, 12, 4, 37))
    shown = _text(report(finding(path, place=place), lines=lines), summary=False).splitlines()[1:3]
    assert shown == ['  4 |     x = "日本"; client.responses.create()', f"    | {' ' * 16}{'^' * 25}"]


def test_a_call_over_several_lines_is_marked_to_the_end_of_its_first(path: str) -> None:
    place = Place(path, None, (3, 10, 5, 2))
    shown = _text(report(finding(path, place=place)), summary=False).splitlines()[1:3]
    assert shown == ["  3 | client = OpenAI()", f"    | {' ' * 9}{'^' * 8}"]


def test_a_long_line_is_cut_around_the_expression(path: str) -> None:
    lines = ("", "", "", "x" * 3000 + "client.create()" + "y" * 3000)
    place = Place(path, None, (4, 3001, 4, 3016))
    shown = _text(report(finding(path, place=place), lines=lines), summary=False).splitlines()
    assert len(shown[1]) < 160
    assert shown[1][shown[2].index("^") : shown[2].rindex("^") + 1] == "client.create()"


def test_a_place_outside_the_file_has_no_excerpt(path: str) -> None:
    shown = _text(report(finding(path, place=Place(path, None, (99, 1, 99, 2)))), summary=False)
    assert " | " not in shown


def test_notebooks_name_the_cell(path: str) -> None:
    place = Place(path, 7, (1, 7, 1, 52))
    one = finding(path, place=place, related=(), code="OAI001", name="unreadable-file")
    given = report(one, cells=(Cell(7, 4, 1),))
    assert formats.render(given, "concise").startswith("app/main.py:cell 7:1:7: OAI001 ")
    assert "client.responses" in _text(given)
    assert json.loads(formats.render(given, "json"))["findings"][0]["cell"] == 7
    assert formats.render(given, "github").startswith(
        "::error file=app/main.py,title=OAI001 unreadable-file::cell 7, line 1: nobody"
    )
    region = json.loads(formats.render(given, "sarif"))["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert "region" not in region
    assert json.loads(formats.render(given, "gitlab"))[0]["location"]["lines"] == {"begin": 1, "end": 1}


def test_concise(path: str) -> None:
    assert (
        formats.render(report(finding(path)), "concise")
        == "app/main.py:4:7: OAI101 nobody handles the errors of responses.create\n"
    )


def test_json_is_the_documented_object(path: str) -> None:
    document = json.loads(formats.render(report(finding(path)), "json"))
    place = {"path": "app/main.py", "cell": None, "start": {"line": 4, "column": 7}, "end": {"line": 4, "column": 52}}
    assert document == {
        "version": 1,
        "findings": [
            {
                "code": "OAI101",
                "name": "unhandled-error",
                "severity": "error",
                "message": "nobody handles the errors of responses.create",
                "help": "Wrap it:\ntry:\n    ...",
                **place,
                "errors": ["RateLimitError"],
                "sdk": "3.54.0",
                "call": "responses.create",
                "related": [
                    {
                        "path": "app/main.py",
                        "cell": None,
                        "start": {"line": 9, "column": 1},
                        "end": {"line": 9, "column": 7},
                        "message": "called here, in the module body",
                    }
                ],
                "fix": {
                    "applicability": "unsafe",
                    "message": "wrap it",
                    "edits": [{**place, "content": "try: ..."}],
                },
                "fingerprint": "0123456789abcdef" * 2,
                "url": "https://openai-lint.readthedocs.io/rules/OAI101/",
            }
        ],
    }
    assert json.loads(formats.render(report(finding(path, fix=None)), "json"))["findings"][0]["fix"] is None


def test_json_of_nothing() -> None:
    assert json.loads(formats.render(Report(), "json")) == {"version": 1, "findings": []}


def test_github(path: str) -> None:
    assert formats.render(report(finding(path, severity=Severity.INFO)), "github") == (
        "::notice file=app/main.py,title=OAI101 unhandled-error,line=4,endLine=4,col=7,endColumn=52::"
        "nobody handles the errors of responses.create%0AWrap it:%0Atry:%0A    ...\n"
    )


def test_github_escapes_what_would_end_a_command(path: str) -> None:
    hostile = finding(f"{path}:1,x%", message="100%\n::error::x")
    text = formats.render(report(hostile), "github")
    assert text.count("\n") == 1
    assert "file=app/main.py%3A1%2Cx%25," in text
    assert "::100%25\\x0a::error::x%0A" in text


def test_gitlab(path: str) -> None:
    assert json.loads(formats.render(report(finding(path)), "gitlab")) == [
        {
            "description": "OAI101 nobody handles the errors of responses.create",
            "check_name": "unhandled-error",
            "fingerprint": "0123456789abcdef" * 2,
            "severity": "major",
            "location": {"path": "app/main.py", "lines": {"begin": 4, "end": 4}},
        }
    ]


def test_sarif(path: str) -> None:
    unreadable = finding(path, code="OAI001", name="unreadable-file")
    outside = finding("/else where/ü.py", code="OAI002", fix=None, related=(), severity=Severity.WARNING)
    given = report(unreadable, outside)
    (run,) = json.loads(formats.render(given, "sarif"))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["OAI001", "OAI002"]
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("OAI001", 0, "error")
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "app/main.py"},
        "region": {"startLine": 4, "startColumn": 7, "endLine": 4, "endColumn": 52},
    }
    assert first["relatedLocations"][0]["message"]["text"] == "called here, in the module body"
    assert first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": "try: ..."}
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///else%20where/%C3%BC.py"
    assert "fixes" not in second
    assert run["invocations"][0]["executionSuccessful"] is True


def test_sarif_tells_that_a_rule_failed() -> None:
    given = Report(failures=(Failure("OAI101", None, "ValueError: x", ""),))
    (run,) = json.loads(formats.render(given, "sarif"))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert (
        run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "rule OAI101 failed: ValueError: x"
    )


def test_junit(path: str) -> None:
    root = ET.fromstring(formats.render(report(finding(path), finding(f"{path}x", message='<"&>')), "junit"))
    assert root.attrib == {"name": "openai-lint", "tests": "2", "failures": "2"}
    assert [suite.attrib["name"] for suite in root] == ["app/main.py", "app/main.pyx"]
    failure = root[1][0][0]
    assert failure.attrib == {"type": "error", "message": '<"&>'}
    clean = ET.fromstring(formats.render(Report(), "junit"))
    assert clean.attrib["failures"] == "0"
    assert clean[0][0].attrib["name"] == "no findings"


def test_html(path: str) -> None:
    class Reader(HTMLParser):
        """Collects text, and checks that every element is closed."""

        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []
            self.text: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

        def handle_data(self, data: str) -> None:
            self.text.append(data)

    reader = Reader()
    rendered = formats.render(report(finding(path, message="<script>x</script>")), "html")
    reader.feed(rendered)
    assert not reader.open
    assert "<script" not in rendered
    text = "".join(reader.text)
    for part in (
        "<script>x</script>",
        "app/main.py",
        "OAI101 unhandled-error",
        "line 4",
        "called here",
        "Wrap it:",
        "print(",
    ):
        assert part in text


def test_statistics(path: str) -> None:
    given = report(*[finding(path)] * 11, finding(path, code="OAI001", name="unreadable-file"))
    assert (
        formats.render(given, "text", statistics=True) == "11  OAI101  unhandled-error\n 1  OAI001  unreadable-file\n"
    )
    rows = json.loads(formats.render(given, "json", statistics=True))["statistics"]
    assert rows[0] == {"code": "OAI101", "name": "unhandled-error", "count": 11}
    assert formats.render(Report(), "text", statistics=True) == ""


def _call(path: str, **changes: object) -> dict[str, object]:
    return {
        "path": path,
        "cell": None,
        "start": {"line": 4, "column": 7},
        "end": {"line": 4, "column": 52},
        "call": "responses.create",
        "sdk": "3.54.0",
        "escapes": ["RateLimitError", "APITimeoutError"],
        "leaves_as": "raw",
        "handled_by": [{"path": f"{path}x", "line": 3}],
        "retry": {"by": "sdk", "attempts": 3, "bounded": True},
        **changes,
    }


def test_inventory(path: str) -> None:
    calls = (
        _call(path),
        _call(path, cell=2, escapes=[], leaves_as=None, handled_by=[], retry=None),
        _call(path, leaves_as="RetryError", retry={"by": "tenacity", "attempts": None, "bounded": False}),
    )
    given = Report(calls=calls)
    errors = "RateLimitError, APITimeoutError"
    assert formats.render(given, "text").splitlines() == [
        "PLACE                 CALL              SDK     RETRY               REACHES AN ENTRY POINT  HANDLED AT",
        f"app/main.py:4         responses.create  3.54.0  sdk x3              {errors}  app/main.pyx:3",
        "app/main.py:cell 2:4  responses.create  3.54.0  -                   -  -",
        f"app/main.py:4         responses.create  3.54.0  tenacity unbounded  {errors} (as RetryError)  app/main.pyx:3",
        "3 calls; errors of 2 reach an entry point.",
    ]
    first = json.loads(formats.render(given, "json"))["calls"][0]
    assert first["path"] == "app/main.py"
    assert first["handled_by"] == [{"path": "app/main.pyx", "line": 3}]
    with pytest.raises(formats.FormatError, match="written as text or json, not as github"):
        formats.render(given, "github")


# --- nothing hostile in any of them

MACHINE = ("json", "sarif", "gitlab")

HOSTILE = [
    "\x1b[2Jcleared",
    "\x07bell",
    "\x9b31m",
    "a\rb",
    "\u202egnirts",
    "zero\u200bwidth",
    "line\u2028end",
    "\udcff",
    "\x00",
]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_control_characters_are_made_visible(path: str, name: str, text: str) -> None:
    # In documents for machines a path is what it is; a JSON string carries it unharmed.
    named = path if name in MACHINE else f"{path}{text}.py"
    hostile = finding(
        named, code="OAI001", message=text, help=text, related=(Related(Place(path, None, (1, 1, 1, 2)), text),)
    )
    rendered = formats.render(report(hostile, lines=(text, "", "", text * 9)), name)
    if name in MACHINE:
        rendered = json.dumps(json.loads(rendered), ensure_ascii=False)
    assert not set(rendered) & (set(text) - set("[2Jclearedbellabgnirtszerowidthlineend31m"))


@pytest.mark.parametrize(
    "command", ["::error::x", "  ::set-output name=a::b", "##[error]x", "a ##vso[task.complete]", "##teamcity[x]"]
)
def test_no_line_of_text_is_a_workflow_command(path: str, command: str) -> None:
    hostile = finding(path, message=command, help=f"{command}\n{command}")
    for name in ("text", "concise"):
        for line in formats.render(report(hostile, lines=(command,) * 9), name).splitlines():
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
            assert "##vso[" not in line
            assert "##teamcity[" not in line


@pytest.mark.parametrize("name", FORMATS)
def test_no_key_is_shown(path: str, name: str) -> None:
    source = CALL.replace('input="hi"', f'api_key="{KEY}"').split("\n")
    leaking = finding(
        path,
        code="OAI002",
        message=f"found {KEY}",
        help=f"revoke {KEY}",
        place=Place(path, None, (4, 1, 4, len(source[3]))),
        related=(Related(Place(path, None, (1, 1, 1, 2)), KEY),),
        fix=finding(path).fix,
    )
    rendered = formats.render(report(leaking, lines=tuple(source)), name)
    assert KEY[8:40] not in rendered
    assert KEY[-20:] not in rendered


def test_what_is_safe_stays_as_it_is() -> None:
    for text in ("a :: b", "x: int = 1", "# comment", "##", "日本語", "tab" + " " * 4 + "s"):
        assert neutral.safe(text) == text
    assert neutral.safe("a\tb") == "a    b"


@pytest.mark.parametrize("form", ["text", "html", "json", "sarif", "github", "gitlab", "junit", "concise"])
def test_no_format_shows_a_key_in_pieces_or_away_from_its_keyword(form: str, tmp_path: Path) -> None:
    whole = "sk-proj-" + "Zq8LmW2x_R" * 7 + "aB3-T3Bl" + "bkFJ" + "pT6v9-KcYd" * 7 + "aB3-"
    pieces = [whole[start : start + 12] for start in range(0, len(whole), 12)]
    azure = "339fc13a4fc7" + "2be538b8c466" + "70ce6e70"
    split = " + ".join(f'"{piece}"' for piece in pieces)
    program = f"""from openai import AzureOpenAI

key = {split}
client = AzureOpenAI(
    azure_endpoint="https://x.openai.azure.com",
    api_version="1",
    api_key=(

        "{azure}"
    ),
)
client.responses.create(model="m", input="hi")
"""
    tree(tmp_path, {"main.py": program})
    shown = run("--isolated", "--output-format", form, "--select", "OAI1,OAI3", str(tmp_path)).out
    assert "OAI301" in shown
    assert "OAI302" in shown
    for secret in (*pieces[1:], azure):
        assert not [secret[at : at + 6] for at in range(len(secret) - 5) if secret[at : at + 6] in shown]
