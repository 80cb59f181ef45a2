"""Laws of the linker: what it says of random programs is what running them shows, in whatever order it looks."""

# ruff: noqa: E501 - a program on one line is a value that can be read

import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_lint.config import ConfigSource
from openai_lint.extract import extract
from openai_lint.files import Workspace
from openai_lint.link import Project, link
from openai_lint.sdk import sdk

ERRORS = sdk("newest").documented
CLAUSES = (
    "openai.RateLimitError",
    "openai.APIConnectionError",
    "openai.APIStatusError",
    "openai.APIError",
    "(openai.AuthenticationError, ValueError)",
    "ValueError",
    "Exception",
)
GOES_ON = ("pass", "print(error)")
LETS_OUT = ("raise", "raise error")
ENDS = ("return None", "raise RuntimeError('given up') from error")


def linked(files: dict[str, str], order: tuple[str, ...] | None = None) -> Project:
    """Link modules given as text."""
    contents = {f"/project/{name}": text.encode() for name, text in files.items()}
    paths = [f"/project/{name}" for name in order or tuple(files)]
    workspace = Workspace("/project", paths, paths, ConfigSource(isolated=True), extract, overlay=contents, sdk="3")
    workspace.files = tuple(paths)
    return link(workspace)


def escapes(files: dict[str, str], order: tuple[str, ...] | None = None) -> dict[str, tuple[str, ...]]:
    """The documented errors of each call that reach an entry point, by place."""
    return {
        f"{Path(call.module.path).name}:{call.site.node.span[0]}": call.escapes for call in linked(files, order).calls
    }


@st.composite
def handlers(draw: st.DrawFn, last: bool) -> list[str]:
    """Clauses of one try statement: only the last statement of a function may end it."""
    actions = GOES_ON + LETS_OUT + (ENDS if last else ())
    chosen = draw(st.lists(st.sampled_from(CLAUSES), min_size=1, max_size=3, unique=True))
    return [
        line
        for name in chosen
        for line in (f"    except {name} as error:", f"        {draw(st.sampled_from(actions))}")
    ]


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Functions that call later ones, the last of which makes the one request; ``main`` calls the first."""
    count = draw(st.integers(2, 5))
    functions: list[list[str]] = []
    for index in range(count):
        lines = [f"def f{index}():"]
        functions.append(lines)
        statements = draw(st.integers(1, 2))
        for number in range(statements):
            call = f"f{draw(st.integers(index + 1, count - 1))}()" if index < count - 1 else "client.models.list()"
            if index == count - 1 and number:
                break
            shape = draw(st.sampled_from(("plain", "try", "try", "else", "finally", "with")))
            last = number == statements - 1
            if shape == "plain":
                lines.append(f"    {call}")
            elif shape == "with":
                lines += [f"    with contextlib.suppress({draw(st.sampled_from(CLAUSES[:4]))}):", f"        {call}"]
            elif shape == "else":
                lines += ["    try:", "        pass", *draw(handlers(last)), "    else:", f"        {call}"]
            elif shape == "finally":
                lines += ["    try:", f"        {call}", *draw(handlers(last)), "    finally:", "        print('done')"]
            else:
                lines += ["    try:", f"        {call}", *draw(handlers(last))]
    called = {0}
    for index in range(count):  # a function that nobody calls would be an entry point of its own
        if index in called:
            called |= {other for other in range(count) if any(f"f{other}()" in line for line in functions[index][1:])}
    kept = [line for index in sorted(called) for line in functions[index]]
    return "\n".join(
        [
            "import contextlib",
            "import openai",
            "client = openai.OpenAI()",
            *kept,
            "def main():",
            "    f0()",
            "main()",
            "",
        ]
    )


@pytest.fixture(scope="module")
def stand_in() -> Iterator[types.ModuleType]:
    """A module in the SDK's place with the SDK's class tree, whose client raises what it is told to."""
    module = types.ModuleType("openai")
    release = sdk("newest")
    made: dict[str, type] = {}

    def make(name: str) -> type:
        if name not in made:
            bases = [base for base in release.errors[name].bases if base in release.errors]
            made[name] = type(name, (make(bases[0]) if bases else Exception,), {})
        return made[name]

    for name in release.errors:
        if release.errors[name].public:
            setattr(module, name, make(name))
    before = sys.modules.get("openai")
    sys.modules["openai"] = module
    yield module
    if before is None:
        del sys.modules["openai"]
    else:
        sys.modules["openai"] = before


def leaves(program: str, error: str, module: types.ModuleType) -> bool:
    """Whether the error leaves the program when the requests fail with it, from some request on."""
    sent = fine = 0

    class Models:
        def list(self) -> None:
            nonlocal sent
            sent += 1
            if sent > fine:
                raise getattr(module, error)(error)

    module.OpenAI = lambda: types.SimpleNamespace(models=Models())  # type: ignore[attr-defined]
    code = compile(program, "program", "exec")
    while sent >= fine:  # one request more than the last time goes well
        sent = 0
        try:
            exec(code, {"print": lambda *_: None})
        except Exception as left:
            if type(left).__name__ == error:
                return True
        fine += 1
    return False


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=programs())
def test_a_verdict_is_true_when_the_program_is_run(program: str, stand_in: types.ModuleType) -> None:
    said = escapes({"main.py": program})
    assert len(said) == 1
    (claimed,) = said.values()
    assert set(claimed) == {error for error in ERRORS if leaves(program, error, stand_in)}


MODULES = {
    "llm.py": "import openai\nfrom helpers import guarded\nclient = openai.OpenAI()\n\ndef ask(q):\n    return client.responses.create(model='m', input=q)\n\n@guarded\ndef safe(q):\n    return ask(q)\n",
    "helpers.py": "import functools, openai\n\ndef guarded(func):\n    @functools.wraps(func)\n    def inner(*args):\n        try:\n            return func(*args)\n        except openai.APIStatusError:\n            return None\n    return inner\n",
    "app.py": "from llm import safe, ask\n\ndef run():\n    try:\n        return ask('x')\n    except Exception as error:\n        raise SystemExit(str(error))\n\nrun()\nsafe('y')\n",
}


def test_the_order_of_the_files_does_not_matter() -> None:
    answers = {tuple(sorted(escapes(MODULES, order).items())) for order in itertools.permutations(MODULES)}
    assert answers == {(("llm.py:6", ("APIConnectionError", "APITimeoutError")),)}


@settings(max_examples=40, deadline=None)
@given(program=programs(), clause=st.sampled_from(CLAUSES))
def test_one_more_handler_never_lets_more_out(program: str, clause: str) -> None:
    wrapped = program.replace(
        "def main():\n    f0()", f"def main():\n    try:\n        f0()\n    except {clause}:\n        pass"
    )
    (before,) = escapes({"main.py": program}).values()
    (after,) = escapes({"main.py": wrapped}).values()
    assert set(after) <= set(before)


def test_everything_caught_is_silence() -> None:
    files = {
        "main.py": "import openai\ntry:\n    openai.OpenAI().models.list()\nexcept openai.OpenAIError as error:\n    print(error)\n"
    }
    assert list(escapes(files).values()) == [()]
