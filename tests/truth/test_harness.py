"""The tools of the truth suite themselves: the fake server fails as asked, and a run sees what it should."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import harness, lexical, programs, server
from .environment import NEWEST, OLD
from .names import DOCUMENTED


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with harness.Server() as number:
        yield number


def ask(
    port: int, fault: str = "", run: str = "r", path: str = "/v1/chat/completions", **body: object
) -> tuple[int, bytes]:
    """One request to the fake server; the status and the whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    headers = {"content-type": "application/json", "x-truth-fault": fault, "x-truth-run": run}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("fault", server.STATUS_FAULTS)
def test_status_faults_answer_with_their_status_and_code(port: int, fault: str) -> None:
    status, answer = ask(port, fault)
    expected, code, _ = server.STATUS_FAULTS[fault]
    assert (status, json.loads(answer)["error"]["code"]) == (expected, code)


def test_a_dropped_connection_has_no_answer(port: int) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(port, "dropped")


def test_a_timeout_has_no_answer_in_time(port: int) -> None:
    with pytest.raises(TimeoutError):
        ask(port, "timeout")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/completions"])
def test_a_cut_stream_breaks_off_and_a_good_one_ends(port: int, path: str) -> None:
    assert b"[DONE]" in ask(port, path=path, stream=True)[1]
    with pytest.raises(http.client.IncompleteRead):
        ask(port, "stream_cut", path=path, stream=True)


def test_a_stream_with_an_error_event_goes_on_as_http(port: int) -> None:
    status, answer = ask(port, "stream_error", stream=True)
    assert status == 200
    assert b'"error"' in answer


def test_requests_are_counted_by_run(port: int) -> None:
    for _ in range(3):
        ask(port, "rate", run="counted")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    connection.request("GET", "/__log__/counted")
    log = json.loads(connection.getresponse().read())
    connection.close()
    assert log["count"] == len(log["times"]) == 3
    assert log["times"] == sorted(log["times"])


PROGRAM = programs.Program(
    "two_calls",
    "here",
    {"sdk": "both", "call": "app.both()"},
    {
        "app.py": """import openai

client = openai.OpenAI()


def first():
    try:
        return client.chat.completions.create(model="m", messages=[])  # api
    except openai.RateLimitError:
        return second()


def second():
    return client.chat.completions.create(model="m", messages=[])  # api


def both():
    first()
"""
    },
)


def test_sites_name_statement_and_function() -> None:
    first, second = PROGRAM.sites()
    assert (first.mark, first.first, first.last, first.function) == (8, 8, 8, (6, 10))
    assert (second.mark, second.function) == (14, (13, 14))


@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_each_call_fails_by_itself(release: str) -> None:
    """The second call is only reached when the first is refused; what leaves is put down to the right call."""
    program = list(programs.in_both(PROGRAM))[release == OLD]
    truth = harness.observe([program], release, fresh=True)[program.name]
    first, second = truth.sites.values()
    names = set(DOCUMENTED[0 if release == OLD else 1])
    assert truth.problems == []
    assert set(first.escapes) == names - {"RateLimitError"}
    assert set(second.escapes) == names
    assert first.function == first.escapes
    tries = 1 if release == OLD else 3
    assert (second.retries.requests["server"], second.retries.requests["auth"]) == (tries, 1)


def test_a_program_that_crashes_by_itself_is_unfit() -> None:
    program = programs.Program(
        "crash", "here", {"run": "main.py"}, {"main.py": "import openai\n1 / 0\nopenai.x()  # api\n"}
    )
    problems = harness.observe([program], NEWEST, fresh=True)["crash"].problems
    assert any("ZeroDivisionError" in problem for problem in problems)


def test_a_program_for_both_lines_is_put_into_the_words_of_each() -> None:
    old = list(programs.in_both(PROGRAM))[1].files["app.py"]
    assert "openai.ChatCompletion.create(" in old
    assert "except openai.error.RateLimitError:" in old
    assert "OpenAI(" not in old


def test_unknown_facts_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.md"
    file.write_text("# X\n\n## one\n\n- tag: a\n- run: main.py\n\n```python main.py\n```\n")
    with pytest.raises(ValueError, match="unknown facts"):
        list(programs.read(file))


def test_the_lexical_checker_sees_the_try_around_a_call_and_nothing_else() -> None:
    first, second = PROGRAM.sites()
    names = DOCUMENTED[1]
    assert lexical.escapes(PROGRAM, first, names, 1) == set(names) - {"RateLimitError"}
    assert lexical.escapes(PROGRAM, second, names, 1) == set(names)
