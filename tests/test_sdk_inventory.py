"""The command line against generated programs: every method of a release, every name after `except`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sdk_env import run_under

from openai_lint.sdk import Method, Sdk, known_releases, sdk

PROBE = Path(__file__).with_name("sdk_probe.py")
QUICK = ("0.28.1", "1.0.0", "1.109.1", known_releases()[-1])
EVERY = [
    pytest.param(release, marks=[] if release in QUICK else pytest.mark.slow, id=release)
    for release in known_releases()
]


def with_wrapper(path: str, wrapper: str, turn: int) -> str:
    """The path with a wrapper word before one of its words: at the client, at a resource, at the method."""
    words = path.split(".")
    words.insert(turn % len(words), wrapper)
    return ".".join(words)


def lines(release: Sdk) -> list[tuple[str, str | None]]:
    """(a line of Python, the method that it calls; None where it calls none)."""
    if release.major == 0:
        return [("import openai", None), ("async def main():", None)] + [
            (
                f"    {'await ' if method.coroutine else ''}openai.{method.path}()",
                method.path if method.network else None,
            )
            for method in (*release.methods.values(), *release.helpers.values())
        ]
    found: list[tuple[str, str | None]] = [
        ("import openai", None),
        ("client, asynchronous = openai.OpenAI(), openai.AsyncOpenAI()", None),
        ("async def main():", None),
    ]
    for turn, method in enumerate((*release.methods.values(), *release.helpers.values())):
        expected = method.path if method.network else None
        found += [(f"    {call}", expected) for call in calls(release, method, turn)]
    return found


def calls(release: Sdk, method: Method, turn: int) -> list[str]:
    """The ways to call one method from 1.0 on."""
    wait = "await " if method.coroutine else ""
    written = [f"client.{method.path}()", f"{wait}asynchronous.{method.path}()"]
    if method.path.partition(".")[0] in release.module_resources:
        written.append(f"openai.{method.path}()")
    if method.raw:
        written.append(f"client.{with_wrapper(method.path, 'with_raw_response', turn)}()")
        written.append(f"await asynchronous.{with_wrapper(method.path, 'with_raw_response', turn + 1)}()")
    if method.streaming:
        written.append(f"client.{with_wrapper(method.path, 'with_streaming_response', turn)}()")
    return written


@pytest.fixture(autouse=True)
def _only_when_asked(request: pytest.FixtureRequest) -> None:
    """Releases beyond the quick ones are looked at with `-m slow` only, whatever the configuration says."""
    if request.node.get_closest_marker("slow") and "slow" not in str(request.config.option.markexpr):
        pytest.skip("many releases: pytest -m slow")


def inventory(release: str, folder: Path, program: str) -> list[dict[str, Any]]:
    """What `openai-lint --inventory` says of one file."""
    (folder / "program.py").write_text(program)
    command = [sys.executable, "-m", "openai_lint", "--inventory", "--output-format", "json", "--isolated"]
    result = subprocess.run([*command, "--sdk", release, "program.py"], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(result.stdout)["calls"]
    return found


@pytest.mark.parametrize("release", EVERY)
def test_inventory_has_every_call_and_no_helper(release: str, tmp_path: Path) -> None:
    program = lines(sdk(release))
    found = inventory(release, tmp_path, "\n".join(line for line, _ in program) + "\n")
    listed = {(call["start"]["line"], call["call"]) for call in found}
    expected = {(number, path) for number, (_, path) in enumerate(program, 1) if path is not None}
    assert {path for _, path in expected} == set(sdk(release).methods)
    assert not {(*missed, program[missed[0] - 1][0].strip()) for missed in expected - listed}
    assert not {(*extra, program[extra[0] - 1][0].strip()) for extra in listed - expected}


def clause_names(release: Sdk) -> list[str]:
    """What people write after `except`, in this release and others, right and wrong."""
    names = {f"openai.{name}" for name in release.names if name.isidentifier()}
    for other in ("0.28.1", "1.0.0", "2.54.0", known_releases()[-1]):
        names |= {spelling for error in sdk(other).errors.values() for spelling in error.spellings}
    names |= {"openai.Timeout", "openai.exceptions.APIError", "openai.error.Foo", "Exception", "ValueError", "OSError"}
    public = {name for name in names if not name.rpartition(".")[2].startswith("_")}
    return sorted(name for name in public if name.count(".") < 2 or name.startswith(("openai.error.", "openai._exc")))


@pytest.mark.parametrize("release", EVERY)
def test_a_handler_does_what_the_inventory_says(release: str, tmp_path: Path) -> None:
    held = sdk(release)
    names = clause_names(held)
    client, call = ("client = openai.OpenAI()", "client.embeddings.create()")
    if held.major == 0:
        client, call = "import openai.error", "openai.Embedding.create()"
    text = f"import openai\n{client}\n"
    for number, name in enumerate(names):
        text += f"def f{number}():\n    try:\n        {call}\n    except {name}:\n        return None\n"
    spelled = {error: held.errors[error].spellings[0] for error in held.inventory_errors}
    truth = run_under(release, PROBE, {"do": "handlers", "with": [[n, e] for n in names for e in spelled.values()]})
    said = {found["function"]: found for found in inventory(release, tmp_path, text)}
    assert len(said) == len(names)
    for number, name in enumerate(names):
        found = said[f"f{number}"]
        outcome = {error: truth[f"{name} {dotted}"] for error, dotted in spelled.items()}
        assert set(found["escapes"]) == {error for error, what in outcome.items() if what != "caught"}, name
        if found["escapes"]:
            broken = any(what == "crash" for what in outcome.values())
            assert found["leaves_as"] == ("broken-handler" if broken else "raw"), name
