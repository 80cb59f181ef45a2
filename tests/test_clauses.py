"""What a clause does to an error, held against running that very clause under the real releases."""

from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sdk_env import run_under

from openai_lint.escapes import RAW, Leak
from openai_lint.facts import Call, Expr, ModuleFacts
from openai_lint.link.clauses import CATCHES, PASSES, Clause
from openai_lint.link.index import ModuleInfo
from openai_lint.link.values import Site
from openai_lint.sdk import ErrorClass, Missing, NotAnError, Sdk, known_releases, sdk

PROBE = Path(__file__).with_name("clause_probe.py")
QUICK = ("0.28.1", known_releases()[-1])
EVERY = [
    pytest.param(release, marks=[] if release in QUICK else pytest.mark.slow, id=release)
    for release in known_releases()
]
TWINS = {"MissingStreamClassError"}
"""Two private classes of one name, which the data holds for one; only the first is looked at."""

PYTHON = ("Exception", "BaseException", "ValueError", "RuntimeError", "OSError", "KeyError")


@pytest.fixture(autouse=True)
def _only_when_asked(request: pytest.FixtureRequest) -> None:
    """Releases beyond the quick ones are looked at with `-m slow` only, whatever the configuration says."""
    if request.node.get_closest_marker("slow") and "slow" not in str(request.config.option.markexpr):
        pytest.skip("many releases: pytest -m slow")


def errors(release: Sdk) -> dict[str, str]:
    """A spelling that can be imported -> plain name, for every class of the tree."""
    return {error.spellings[0]: name for name, error in release.errors.items()}


def spellings(release: Sdk) -> list[str]:
    """What people write after `except`: in this release, in the others, and what never was one."""
    names = {f"openai.{name}" for name in release.names if name.isidentifier()}
    for other in (sdk("0.28.1"), sdk("1.0.0"), release, sdk()):
        names |= {name for error in other.errors.values() for name in error.spellings if name not in error.import_only}
    hidden = {name for error in release.errors.values() for name in error.import_only}
    hidden |= {name for twin in TWINS & set(release.errors) for name in release.errors[twin].spellings[1:]}
    names |= {"openai.Timeout", "openai.exceptions.APIError", "openai.errors.APIError", "openai.error.Foo"}
    return sorted((name for name in names - hidden if release.resolve_error(name) is not None), key=str) + list(PYTHON)


def tuples(release: Sdk) -> list[tuple[str, ...]]:
    """Pairs of a name that is right, one that is wrong, and one that is no exception, in every order."""
    roles = release.roles
    right = [spelled(release, roles[role]) for role in ("rate_limit", "connection", "base")]
    wrong = ["openai.error.Timeout", "openai.APITimeoutError", "openai.Timeout", "openai.InvalidRequestError"]
    return [pair for pair in product([*right, *wrong], repeat=2) if pair[0] != pair[1]]


def spelled(release: Sdk, name: str) -> str:
    return release.errors[name].spellings[0]


@cache
def truth(release: str, what: str, clauses: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What running each clause does to each error of the release."""
    found: dict[str, dict[str, Any]] = run_under(
        release, PROBE, {"do": what, "clauses": list(clauses), "errors": list(errors(sdk(release)))}
    )
    return found


@cache
def nowhere() -> Site:
    """The place of a call that needs none."""
    module = ModuleInfo(ModuleFacts("m.py", "", (), None, (), (), frozenset()), "m.py", False)
    return Site(Call((1, 1, 1, 2), Expr((1, 1, 1, 2)), ()), module, "responses.create", 1, None, sdk())


def leak(name: str) -> Leak:
    return Leak(nowhere(), name, f"openai.{name}", RAW, False, 0)


@pytest.mark.parametrize("release", EVERY)
def test_a_clause_does_what_running_it_does(release: str) -> None:
    held, names = sdk(release), tuple(spellings(sdk(release)))
    ran = truth(release, "clause", names)
    said = {CATCHES: 0, PASSES: 0, "AttributeError": 0, "TypeError": 0}
    for name in names:
        for dotted, error in errors(held).items():
            verdict = Clause(((name,),)).verdict(leak(error), held)
            assert verdict == ran[name][dotted], f"except {name}, raised {error}"
            said[verdict] += 1
    assert all(said.values()), "a suite in which some verdict never occurs proves little"


@pytest.mark.parametrize("release", EVERY)
def test_a_tuple_does_what_running_it_does(release: str) -> None:
    held, pairs = sdk(release), tuples(sdk(release))
    ran = truth(release, "clause", tuple(f"({one}, {two})" for one, two in pairs))
    for one, two in pairs:
        for dotted, error in errors(held).items():
            verdict = Clause(((one, two),)).verdict(leak(error), held)
            assert verdict == ran[f"({one}, {two})"][dotted], f"except ({one}, {two}), raised {error}"


@pytest.mark.parametrize("release", EVERY)
def test_isinstance_tells_what_running_it_tells(release: str) -> None:
    held, names = sdk(release), tuple(spellings(sdk(release)))
    ran = truth(release, "isinstance", names)
    for name in names:
        for dotted, error in errors(held).items():
            accepts = Clause(((name,),)).accepts(leak(error), held)
            result = ran[name][dotted]
            # A name that is missing, or no class, tells nothing: the rule about it speaks, the way of errors does not.
            assert accepts == (result if isinstance(result, bool) else None) or (result is False and accepts is None), (
                f"isinstance({error}, {name})"
            )


@pytest.mark.parametrize("release", EVERY)
def test_a_name_is_what_evaluating_it_gives(release: str) -> None:
    """Each renamed, removed or non-exception name: the class of crash that the data foretells, whatever is raised."""
    held, names = sdk(release), tuple(spellings(sdk(release)))
    ran = truth(release, "clause", names)
    for name in set(names) - set(PYTHON):
        outcomes = set(ran[name].values())
        meaning = held.resolve_error(name)
        if isinstance(meaning, ErrorClass):
            assert outcomes <= {CATCHES, PASSES}, name
            assert ran[name][spelled(held, meaning.name)] == CATCHES, name
        else:
            assert isinstance(meaning, (Missing, NotAnError))
            assert outcomes == {"AttributeError" if isinstance(meaning, Missing) else "TypeError"}, name


def test_a_clause_of_several_meanings_catches_where_all_that_exist_do() -> None:
    """A conditional import: what does not exist in the release was never bound."""
    old, new = ("openai.error.RateLimitError",), ("openai.RateLimitError",)
    for release in ("0.28.1", "3.54.0"):
        assert Clause((old, new)).verdict(leak("RateLimitError"), sdk(release)) == CATCHES
    assert Clause((new, ("KeyError",))).verdict(leak("RateLimitError"), sdk("3.54.0")) == PASSES
    assert Clause((old,)).verdict(leak("RateLimitError"), sdk("3.54.0")) == "AttributeError"


def test_a_clause_that_nobody_knows_is_taken_to_catch() -> None:
    assert Clause((None,)).verdict(leak("RateLimitError"), sdk()) == CATCHES
    assert Clause(()).verdict(leak("RateLimitError"), sdk()) == CATCHES
    assert Clause((None,)).accepts(leak("RateLimitError"), sdk()) is None
