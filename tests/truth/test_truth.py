"""The linter's inventory against what programs really do under injected faults (see `programs.py` and `runner.py`).

A whole run sends tens of thousands of real requests for each release, which takes minutes: it is marked slow (`pytest
-m slow tests/truth`). The default run takes every tenth program of each file, with 0.28.1 and the newest release. What
was observed is remembered, so that only new programs (or a changed harness) cost time.
"""

import sys
from collections.abc import Iterable
from functools import cache

import pytest

from . import claims, harness, lexical
from .environment import NEWEST, NEWEST_2, OLD, ONE
from .programs import Program, all_programs

RELEASES = (OLD, ONE, NEWEST_2, NEWEST)
#: the default run takes one in so many programs of each file
SHARE = 10
#: the least share of right verdicts without a mark; measured last: 100% on 0.28.1, 2.54.0 and 3.54.0
ESCAPES, RETRIES, REST = 0.99, 0.99, 0.99
#: how many programs are marked as known limits; a new mark must be argued for here
MARKED = 27

#: everything whose way of carrying an error the linter claims to know: each has a program in which the error gets out,
#: and one in which it does not
CONSTRUCTS = (
    "src-layout", "package", "namespace-package", "sibling-scripts", "absolute-import", "relative-import",
    "reexport", "star-import", "import-as", "conditional-import", "circular-import", "inheritance-across-files",
    "mixin", "instance-attribute", "singleton", "annotated-attribute", "constructor-argument", "property",
    "classmethod", "super", "dataclass", "pydantic-model", "protocol", "override", "function-argument",
    "method-reference", "callback", "partial", "lambda", "dict-dispatch", "to_thread", "executor", "gather",
    "TaskGroup", "create_task", "wait_for", "asyncio.run", "thread", "generator", "async-generator", "await",
    "stream", "project-decorator", "project-contextmanager", "exit-method", "ExitStack", "suppress", "tenacity",
    "backoff", "stamina", "retrying", "retry", "flask", "quart", "fastapi", "starlette", "litestar", "django",
    "celery", "click", "typer", "discord", "telegram", "pytest.raises", "streamlit", "gradio",
    "isinstance-narrowing", "type-is-narrowing", "match-narrowing", "code-narrowing", "status-narrowing",
    "message-narrowing", "conditional-reraise", "stored-error", "raise-from", "return-in-finally", "except-star",
    "break-out", "while-continue", "loop", "recursion",
)  # fmt: skip


def programs_for(release: str) -> list[Program]:
    return [program for program in all_programs() if program.fits(release, sys.version_info[:2])]


def few_programs_for(release: str) -> list[Program]:
    """Every tenth program of each file."""
    by_file: dict[str, list[Program]] = {}
    for program in programs_for(release):
        by_file.setdefault(program.source, []).append(program)
    return [program for found in by_file.values() for program in found[::SHARE]]


@cache
def observed(release: str) -> dict[str, harness.Truth]:
    return harness.observe(programs_for(release), release)


def judged(programs: list[Program], release: str, truths: dict[str, harness.Truth]) -> tuple[claims.Verdict, ...]:
    said = claims.inventory(programs, release)
    return tuple(v for p in programs for v in claims.judge(p, release, truths[p.name], said[p.name]))


@cache
def verdicts(release: str) -> tuple[claims.Verdict, ...]:
    return judged(programs_for(release), release, observed(release))


def assert_right(mine: Iterable[claims.Verdict], least: float, *about: str) -> None:
    asked = [v for v in mine if v.about in about]
    told = "\n".join(claims.wrong_lines(asked))
    assert claims.share(asked, *about) >= least, f"{claims.table(asked)}\n{told}"


@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_a_share_of_the_suite_is_right(release: str) -> None:
    """The default run: a few programs of every file, judged in every way."""
    programs = few_programs_for(release)
    truths = harness.observe(programs, release)
    assert {name: truth.problems for name, truth in truths.items() if truth.problems} == {}
    mine = judged(programs, release, truths)
    assert_right(mine, ESCAPES, "escapes")
    assert_right(mine, RETRIES, "retry", "leaves_as")
    assert_right(mine, REST, "function", "iterating", "lost")


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_programs_are_fit(release: str) -> None:
    """Every program passes when nothing fails, every marked call is reached, and none hangs."""
    problems = {name: truth.problems for name, truth in observed(release).items() if truth.problems}
    assert problems == {}


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_a_policy_survives_a_fault_that_passes(release: str) -> None:
    """Where a program retries, one failed attempt must not be felt: else the program does not show what it says."""
    failed = [
        (program.name, place, fault)
        for program in programs_for(release)
        if "retry" in program.facts
        for place, site in observed(release)[program.name].sites.items()
        for fault, survived in site.retries.survived.items()
        if not survived
    ]
    assert failed == []


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_escapes_are_right(release: str) -> None:
    """What reaches an entry point, family by family; the mark that was asked for is 98%."""
    print(claims.table(list(verdicts(release))))
    assert_right(verdicts(release), ESCAPES, "escapes")


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_retries_are_right(release: str) -> None:
    """Who retries, how often, with which waits, and as what the error leaves; the mark that was asked for is 97%."""
    assert_right(verdicts(release), RETRIES, "retry", "leaves_as")


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_the_rest_is_right(release: str) -> None:
    """What leaves the function, what leaves from iteration only, and what is lost."""
    assert_right(verdicts(release), REST, "function", "iterating", "lost")


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES)
def test_marked_limits_are_still_limits(release: str) -> None:
    """A program that is marked as a known limit is wrong somewhere; else the mark must go."""
    marked = {p.name for p in programs_for(release) if p.known_limit}
    wrong = {v.program for v in verdicts(release) if not v.right}
    assert marked - wrong == set()


def test_marks_are_counted() -> None:
    assert sum(program.known_limit is not None for program in all_programs()) == MARKED


def test_every_construct_is_a_tag_of_several_programs() -> None:
    """Whether the error gets out of one and not of another is seen in the slow run."""
    tags = [tag for program in all_programs() for tag in program.tags]
    assert {tag for tag in CONSTRUCTS if tags.count(tag) < 2} == set()


@pytest.mark.slow
@pytest.mark.parametrize("release", [OLD, NEWEST])
def test_every_construct_gets_out_and_does_not(release: str) -> None:
    """A suite in which a construct only ever handles, or never does, proves nothing; in each line of the SDK."""
    ways: dict[str, set[bool]] = {}
    for program in programs_for(release):
        for tag in program.tags:
            ways.setdefault(tag, set()).add(observed(release)[program.name].gets_out)
    missing = {tag: sorted(ways.get(tag, ())) for tag in CONSTRUCTS if ways.get(tag) != {True, False}}
    assert missing == {}


def test_the_suite_is_large_enough() -> None:
    programs = [p for p in all_programs() if "@" not in p.name]  # a program for both lines counts once
    assert sum("retry" not in p.facts for p in programs) >= 120
    assert sum(p.modules > 1 for p in programs) >= 40
    assert sum("retry" in p.facts for p in programs) >= 60


@pytest.mark.slow
def test_a_lexical_checker_fails_the_suite() -> None:
    """Looking at the enclosing ``try`` alone is not enough: an easy suite proves nothing."""
    right = asked = 0
    for release in (OLD, NEWEST):
        names = harness.names_of(release)
        for program in programs_for(release):
            for site in program.sites():
                guess = lexical.escapes(program, site, names, min(int(release.split(".")[0]), 1))
                seen = observed(release)[program.name].sites[site.id].escapes
                right += sum((name in guess) == (name in seen) for name in names)
                asked += len(names)
    assert right / asked < 0.85, f"{right / asked:.3f}"
