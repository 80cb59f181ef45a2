"""Raw requests and blocking clients: what the rules about them say is what really happens."""

from functools import cache

import pytest

from . import claims, harness, server
from .environment import NEWEST, OLD
from .programs import FOLDER, Program, read

UNCHECKED = list(read(FOLDER / "raw" / "unchecked_answers.md"))
BLOCKING = list(read(FOLDER / "raw" / "blocking_clients.md"))
#: the error of a program that reads an error's body as an answer
MISREAD = ("builtins.KeyError", "builtins.IndexError", "builtins.TypeError")


def fitting(programs: list[Program], release: str) -> list[Program]:
    return [program for program in programs if program.fits(release, (3, 10))]


@cache
def seen(release: str, fault: str, source: str) -> dict[str, dict]:
    """What each program of a file did under a fault."""
    programs = [program for program in (*UNCHECKED, *BLOCKING) if program.source == source]
    with harness.running(release) as run:
        return {p.name: run(p, fault=fault, target=p.sites()[0].id) for p in fitting(programs, release)}


def found(programs: list[Program], release: str, code: str) -> set[str]:
    """The programs in which the linter finds the rule at the marked call."""
    lines = claims.findings(programs, release, code)
    return {
        program.name
        for program in programs
        for site in program.sites()
        if any(path == site.path and site.first <= line <= site.last for path, line in lines[program.name])
    }


def test_every_raw_request_gets_an_answer_when_nothing_fails() -> None:
    results = seen(NEWEST, "", "unchecked_answers.md")
    assert {name for name, result in results.items() if "answer:" not in result["output"]} == set()


def test_an_unchecked_429_is_taken_for_an_answer() -> None:
    """Programs that the rule is about print the error as their answer, or fail because it has no choices."""
    results = seen(NEWEST, "rate", "unchecked_answers.md")
    misread = {
        name
        for name, result in results.items()
        if "answer:" in result["output"] or str(result["other"]).startswith(MISREAD)
    }
    assert misread == {p.name for p in UNCHECKED if "finds" in p.facts}


def test_the_linter_finds_the_unchecked_answers() -> None:
    """All but those marked as known limits, which must still be limits."""
    expected = {p.name for p in UNCHECKED if "finds" in p.facts and not p.known_limit}
    assert found(UNCHECKED, NEWEST, "OAI403") == expected


@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_a_blocking_client_stalls_the_loop(release: str) -> None:
    """While the answer is late, no other task gets its turn, but with an asynchronous client or a thread."""
    results = seen(release, "slow", "blocking_clients.md")
    assert {name for name, result in results.items() if result["status"] != "done" or result["other"]} == set()
    stalled = {name for name, result in results.items() if result["gap"] > 0.9 * server.SLOW}
    assert stalled == {p.name for p in fitting(BLOCKING, release) if "finds" in p.facts}


@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_the_linter_finds_the_blocking_clients(release: str) -> None:
    programs = fitting(BLOCKING, release)
    assert found(programs, release, "OAI406") == {p.name for p in programs if "finds" in p.facts}
