"""Keys of each shape in each place where one can stand: found, every one, and exactly there; what is no key is not.

All keys are drawn at run time. None opens anything. The programs are few and large: a run costs more than a line.
"""

import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from openai_lint.config import ConfigSource, parse
from openai_lint.lint import run
from openai_lint.rule import Finding
from tests.test_keys import FAMILIES, HEX, NARROW, draw

SELECTED = {"select": ["OAI301", "OAI302", "OAI303", "OAI304"], "min-severity": "info"}
EACH = 500
LOOK_ALIKES = 300

Found = Counter[tuple[int, int, str]]
"""Line, column and code of what is found."""


@dataclass(frozen=True)
class Place:
    """A place for a key: source lines with ``¤`` where it stands, the rule that speaks of it, and the spot it names.

    Where the key is written in two pieces, those are ``«`` and ``»``; ``№`` makes a name that no other place has.
    """

    name: str
    text: str
    code: str = "OAI301"
    spot: str = "¤"


HEAD = """\
import os
from dataclasses import dataclass, field

import httpx
import openai
import requests
from openai import AsyncOpenAI, OpenAI
from pydantic import Field
from pydantic_settings import BaseSettings

client = OpenAI()
session = requests.Session()
"""

CODE = [
    Place("literal", 'value = "¤"\n'),
    Place("bytes", 'value = b"¤"\n'),
    Place("raw", "value = r'¤'\n"),
    Place("f-string", 'value = f"{session} with ¤; {client}"\n'),
    Place("implicit", 'value = "«" "»"\n', spot='"«" "»"'),
    Place("implicit over lines", 'value = (\n    "«"\n    "»"\n)\n', spot='"«"\n    "»"'),
    Place("sum", 'value = "«" + "»"\n', spot='"«" + "»"'),
    Place("sum over a name", 'half№ = "«"\nvalue = half№ + "»"\n', spot='half№ + "»"'),
    Place("dict", 'value = {"a": 1, "key": "¤"}\n'),
    Place("list", 'value = ["a", "¤"]\n'),
    Place("tuple and set", 'value = ("a", {"¤"})\n'),
    Place("bearer header", 'requests.get("https://example.org", headers={"Authorization": "Bearer ¤"}, timeout=9)\n'),
    Place("api-key header", 'session.headers["api-key"] = "¤"\n'),
    Place("keyword", 'value = OpenAI(api_key="¤")\n'),
    Place("keyword of a copy", 'value = client.with_options(api_key="¤")\n'),
    Place("default headers", 'value = AsyncOpenAI(default_headers={"Authorization": f"Bearer ¤"})\n'),
    Place("positional", 'openai.ChatCompletion.create("¤", model="m")\n'),
    Place("attribute", 'openai.api_key = "¤"\n'),
    Place("attribute of a client", 'client.api_key = "¤"\n'),
    Place("parameter", 'def ask(question, key="¤"):\n    return question, key\n', "OAI303"),
    Place("keyword-only parameter", 'def ask(*, key="¤"):\n    return key\n', "OAI303"),
    Place("lambda parameter", 'ask = lambda key="¤": key\n', "OAI303"),
    Place("dataclass field", '@dataclass\nclass Settings:\n    key: str = "¤"\n', "OAI303"),
    Place("dataclass field()", '@dataclass\nclass Settings:\n    key: str = field(default="¤")\n', "OAI303"),
    Place("pydantic settings", 'class Settings(BaseSettings):\n    key: str = Field("¤", alias="k")\n', "OAI303"),
    Place("environ =", 'os.environ["OPENAI_API_KEY"] = "¤"\n'),
    Place("getenv default", 'value = os.getenv("OPENAI_API_KEY", "¤")\n', "OAI303"),
    Place("environ.get default", 'value = os.environ.get("OPENAI_API_KEY", "¤")\n', "OAI303"),
    Place("or", 'value = os.getenv("OPENAI_API_KEY") or "¤"\n', "OAI303"),
    Place("where a name belongs", 'value = os.getenv("¤")\n', "OAI304"),
    Place("stray space", 'openai.api_key = "¤ "\n', "OAI304"),
    Place("stray line end", 'value = OpenAI(api_key="¤\\n")\n', "OAI304"),
    Place("URL", 'value = "https://user:¤@proxy.example.org/v1"\n'),
    Place("URL query", 'value = f"https://proxy.example.org/v1?key=¤&model={client}"\n'),
]

TEXT = [
    Place("comment", "# the key is ¤ (old)\n"),
    Place("comment behind code", "pass  # ¤\n"),
    Place("docstring", '"""What it does.\n\nIt needs ¤ to do so.\n"""\n'),
    Place("environment file", 'value = """\nOPENAI_API_KEY=¤\nOPENAI_ORG_ID=\n"""\n'),
    Place("environment file on one line", 'value = "export OPENAI_API_KEY=¤\\nA=1"\n'),
    Place("shell in a string", "value = '''curl -H \"Authorization: Bearer ¤\" https://example.org'''\n"),
]

SHAPES: dict[str, list[Callable[[random.Random], str]]] = {}
for _name, (_, _prefix, _make) in FAMILIES.items():
    SHAPES.setdefault(_prefix if _name[-1].isdigit() else _name, []).append(_make)


class Program:
    """A source file that grows by places, and what has to be found in it."""

    def __init__(self, head: str) -> None:
        self._parts = [head]
        self._line = head.count("\n") + 1
        self.expected: Found = Counter()

    def put(self, place: Place, key: str, *, silent: bool = False) -> None:
        def filled(text: str) -> str:
            half = len(key) // 2
            text = text.replace("№", str(self._line))
            return text.replace("«", key[:half]).replace("»", key[half:]).replace("¤", key)

        before, spot, _ = place.text.partition(place.spot)
        assert spot, place.name
        before = filled(before)
        line = self._line + before.count("\n")
        column = len(before) - before.rfind("\n")
        if not silent:
            self.expected[line, column, place.code] += 1
        text = filled(place.text)
        self._parts.append(text)
        self._line += text.count("\n")

    def check(self, folder: Path) -> None:
        path = folder / "program.py"
        path.write_text("".join(self._parts), encoding="utf-8")
        found = Counter((item.place.span[0], item.place.span[1], item.code) for item in lint(path))
        lines = "".join(self._parts).split("\n")
        wrong = [(spot, lines[spot[0] - 1][:30]) for spot in ((found - self.expected) + (self.expected - found))]
        assert not wrong, f"{len(wrong)} of {sum(self.expected.values())}: {wrong[:5]}"


def lint(path: Path) -> list[Finding]:
    report = run([str(path)], ConfigSource(isolated=True, overrides=parse(SELECTED, "test", "/")))
    assert not report.failures, report.failures[0].trace
    return list(report.findings)


def drawn(shape: str, count: int) -> list[str]:
    """Keys of one shape, of every length that it has."""
    rng = random.Random(f"positions {shape}")
    return [make(rng) for make, _ in zip(cycle(SHAPES[shape]), range(count), strict=False)]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_key_is_found_in_each_kind_of_text(shape: str, tmp_path: Path) -> None:
    program = Program(HEAD)
    for key in drawn(shape, EACH):
        for place in TEXT:
            program.put(place, key)
    program.check(tmp_path)


def _rounds(every: int) -> Iterator[tuple[str, Place]]:
    """Keys and places: all of them, or each key in every nth place, so that each place has many of each shape."""
    for shape in SHAPES:
        for index, key in enumerate(drawn(shape, EACH)):
            for number, place in enumerate(CODE):
                if (index + number) % every == 0:
                    yield key, place


def _in_code(every: int, folder: Path) -> int:
    program, count, total = Program(HEAD), 0, 0
    for key, place in _rounds(every):
        program.put(place, key)
        count, total = count + 1, total + 1
        if count == 4000:
            program.check(folder)
            program, count = Program(HEAD), 0
    program.check(folder)
    return total


def test_keys_are_found_in_each_place_of_code(tmp_path: Path) -> None:
    """Every place with about thirty keys of each shape."""
    assert _in_code(16, tmp_path) > 30 * len(SHAPES) * len(CODE)


@pytest.mark.slow
def test_each_key_is_found_in_each_place_of_code(tmp_path: Path) -> None:
    assert _in_code(1, tmp_path) == EACH * len(SHAPES) * len(CODE)


# --- what is a credential only because of where it stands


def _jwt(rng: random.Random) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    claims = json.dumps({"aud": "https://cognitiveservices.azure.com", "oid": draw(rng, HEX, 32)})
    return f"{part(json.dumps({'typ': 'JWT', 'alg': 'RS256'}))}.{part(claims)}.{draw(rng, NARROW, 86)}"


AZURE_HEAD = """\
import os
from dataclasses import dataclass

import openai
import requests
from openai import AsyncAzureOpenAI, AzureOpenAI, BedrockOpenAI

BASE = "https://example.openai.azure.com"
openai.api_type = "azure"
client = AzureOpenAI(azure_endpoint=BASE, api_version="1")
"""

AZURE = [
    Place("keyword", 'value = AzureOpenAI(api_key="¤", azure_endpoint=BASE)\n', "OAI302", spot='"¤"'),
    Place("asynchronous", 'value = AsyncAzureOpenAI(api_key="¤", azure_endpoint=BASE)\n', "OAI302", spot='"¤"'),
    Place("copy", 'value = client.copy(api_key="¤")\n', "OAI302", spot='"¤"'),
    Place("bytes", 'value = AzureOpenAI(api_key=b"¤".decode(), azure_endpoint=BASE)\n', "OAI302", spot='b"¤"'),
    Place("sum", 'value = AzureOpenAI(api_key="«" + "»")\n', "OAI302", spot='"«" + "»"'),
    Place("dict", 'options№ = {"api_key": "¤"}\nvalue = AzureOpenAI(**options№)\n', "OAI302", spot='"¤"'),
    Place("attribute", 'openai.api_key = "¤"\n', "OAI302", spot='"¤"'),
    Place("attribute of a client", 'client.api_key = "¤"\n', "OAI302", spot='"¤"'),
    Place("positional", 'openai.Completion.create("¤", engine="e")\n', "OAI302", spot='"¤"'),
    Place("keyword of a call", 'openai.Embedding.create(api_key="¤", engine="e", input="i")\n', "OAI302", spot='"¤"'),
    Place(
        "header", 'value = AzureOpenAI(default_headers={"api-key": "¤"}, azure_endpoint=BASE)\n', "OAI302", spot='"¤"'
    ),
    Place(
        "raw header",
        'requests.get(BASE + "/openai/deployments/d", headers={"api-key": "¤"}, timeout=9)\n',
        "OAI302",
        spot='"¤"',
    ),
    Place(
        "parameter",
        'def make(key="¤"):\n    return AzureOpenAI(api_key=key, azure_endpoint=BASE)\n',
        "OAI303",
        spot='"¤"',
    ),
    Place(
        "dataclass field", '@dataclass\nclass Settings:\n    azure_openai_api_key: str = "¤"\n', "OAI303", spot='"¤"'
    ),
    Place("environ =", 'os.environ["AZURE_OPENAI_API_KEY"] = "¤"\n', "OAI302", spot='"¤"'),
    Place("getenv default", 'value = os.getenv("AZURE_OPENAI_API_KEY", "¤")\n', "OAI303", spot='"¤"'),
    Place("name", 'AZURE_OPENAI_API_KEY = "¤"\n', "OAI302", spot='"¤"'),
    Place("environment file", 'value = """\nAZURE_OPENAI_API_KEY=¤\n"""\n', "OAI302"),
    Place("stray space", 'value = AzureOpenAI(api_key=" ¤", azure_endpoint=BASE)\n', "OAI304", spot='" ¤"'),
]

TOKENS = [
    Place("keyword", 'value = AzureOpenAI(azure_ad_token="¤", azure_endpoint=BASE)\n', "OAI302", spot='"¤"'),
    Place("attribute", 'openai.azure_ad_token = "¤"\n', "OAI302", spot='"¤"'),
    Place("environ =", 'os.environ["AZURE_OPENAI_AD_TOKEN"] = "¤"\n', "OAI302", spot='"¤"'),
    Place("getenv default", 'value = os.getenv("AZURE_OPENAI_AD_TOKEN", "¤")\n', "OAI303", spot='"¤"'),
]

SECRETS = [
    Place("keyword", 'value = BedrockOpenAI(aws_secret_access_key="¤")\n', "OAI302", spot='"¤"'),
    Place("copy", 'value = BedrockOpenAI().with_options(aws_secret_access_key="¤")\n', "OAI302", spot='"¤"'),
]

CREDENTIALS: dict[str, tuple[list[Place], Callable[[random.Random], str]]] = {
    "azure 32": (AZURE, lambda rng: draw(rng, HEX, 32)),
    "azure 84": (AZURE, lambda rng: draw(rng, NARROW, 52) + "JQQJ9" + draw(rng, NARROW, 27)),
    "azure ad token": (TOKENS, _jwt),
    "aws secret": (SECRETS, lambda rng: draw(rng, NARROW + "/+", 40)),
}


def _credentials(shape: str, every: int, folder: Path) -> None:
    places, make = CREDENTIALS[shape]
    rng = random.Random(f"positions {shape}")
    program = Program(AZURE_HEAD)
    for index in range(EACH):
        key = make(rng)
        for number, place in enumerate(places):
            if len(places) < every or (index + number) % every == 0:
                program.put(place, key)
    program.check(folder)


@pytest.mark.parametrize("shape", CREDENTIALS)
def test_credentials_are_found_in_each_place_that_takes_one(shape: str, tmp_path: Path) -> None:
    """Each place with at least eighty of each shape."""
    _credentials(shape, 6, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("shape", CREDENTIALS)
def test_each_credential_is_found_in_each_place_that_takes_one(shape: str, tmp_path: Path) -> None:
    _credentials(shape, 1, tmp_path)


# --- what is none


def _look_alikes(rng: random.Random) -> Iterator[str]:
    """What people write where a key belongs, and what only looks like one. OpenAI issues none of these."""
    yield from (
        "EMPTY", "none", "null", "xxx", "sk-...", "sk-xxx", "sk-your-key", "your-api-key", "<your key>",
        "your_openai_api_key_here_2024", "<OPENAI_API_KEY>", "${OPENAI_API_KEY}", "$OPENAI_API_KEY",
        "{{ openai_api_key }}", "%(key)s", "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "MY_SERVICE_API_KEY_1",
        "ollama", "lm-studio", "not-needed", "dummy", "fake-key-123456789", "sk-no-key-required",
        "sk-fake-0123456789abcdef", "sk-test-key-1234567890", "changeme",
        "sk-1234567890abcdef1234567890abcdef", "sk-abcdefghijklmnopqrstuvwxyz123456", "placeholder-api-key-1",
        "insert-your-openai-key-here-42", "sk-proj-your-project-key-goes-here", "local-development-key-2024",
        "test", "https://example.org/v1/keys/2024", "gpt-4o-mini-2024-07-18", "text-embedding-3-large",
        "secret-from-vault-1",
    )  # fmt: skip
    for letter in "xX0*a1":
        for count in (20, 48, 160):
            yield "sk-" + letter * count
            yield "sk-proj-" + letter * count
        yield f"sk-{letter * 20}T3Blbk{'FJ'}{letter * 20}".replace("*", "x")
    for _ in range(40):
        words = rng.sample(("risk", "task", "desk", "disk", "model", "prompt", "token", "answer", "stream", "batch"), 4)
        yield "-".join(words)
        yield "sk-" + "-".join(words)
        yield f"task-{'-'.join(words)}-{rng.randrange(100, 999)}"
        yield f"sk-{draw(rng, NARROW, 4)}...{draw(rng, NARROW, 4)}"
        yield f"sk-{'*' * 20}{draw(rng, NARROW, 4)}"


def _of_others(rng: random.Random) -> Iterator[str]:
    """Digests, identifiers and the keys of other vendors: no keys where the client talks to OpenAI."""
    for prefix in ("sk-ant-api03-", "sk-or-v1-", "sk-lf-", "gsk_", "hf_", "AIzaSy", "xai-", "pplx-", "r8_", "ghp_"):
        for _ in range(4):
            yield prefix + draw(rng, NARROW, 36)
    for count in (32, 40, 64):
        for _ in range(10):
            yield draw(rng, HEX, count)
    for _ in range(10):
        yield "-".join(draw(rng, HEX, count) for count in (8, 4, 4, 4, 12))


def test_nothing_is_found_where_no_key_is(tmp_path: Path) -> None:
    rng = random.Random("look-alikes")
    values = [*_look_alikes(rng), *_of_others(rng)]
    assert len(values) >= LOOK_ALIKES
    program = Program(HEAD)
    for index, value in enumerate(values):
        for number, place in enumerate([*CODE, *TEXT]):
            if (index + number) % 4 == 0:
                program.put(place, value, silent=True)
    program.check(tmp_path)


def test_nothing_is_found_in_an_azure_client_either(tmp_path: Path) -> None:
    program = Program(AZURE_HEAD)
    for value in _look_alikes(random.Random("look-alikes")):
        for place in (AZURE[0], AZURE[7], AZURE[10], AZURE[14], AZURE[15], AZURE[17], TOKENS[0], SECRETS[0]):
            program.put(place, value, silent=True)
    program.check(tmp_path)


# --- notebooks


@pytest.mark.parametrize("shape", SHAPES)
def test_keys_are_found_in_the_cells_and_outputs_of_notebooks(shape: str, tmp_path: Path) -> None:
    cells, expected = [], set()
    for key in drawn(shape, EACH):
        number = len(cells) + 1
        code = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": []}
        stream = {"output_type": "stream", "name": "stdout", "text": ["key:\n", f"{key}\n"]}
        data = {"output_type": "display_data", "metadata": {}, "data": {"text/html": f"<b>{key}</b>"}}
        cells += [
            code | {"source": ["import openai\n", f"openai.api_key = '{key}'"]},
            code | {"source": [f"%env OPENAI_API_KEY={key}"]},
            code | {"source": "print(1)", "outputs": [stream]},
            code | {"source": "print(2)", "outputs": [data]},
            {"cell_type": "markdown", "metadata": {}, "source": [f"Use `{key}`."]},
        ]
        expected |= {(number, 2), (number + 1, 1), (number + 2, 1), (number + 3, 1), (number + 4, 1)}
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found = lint(path)
    assert {item.code for item in found} == {"OAI301"}
    assert Counter((item.place.cell, item.place.span[0]) for item in found) == Counter(expected)


# --- nothing is shown


def test_no_key_is_said_in_full(tmp_path: Path) -> None:
    program, known = Program(HEAD), []
    for shape in SHAPES:
        for index, key in enumerate(drawn(shape, 20)):
            known.append(key)
            program.put(CODE[index % len(CODE)], key)
            program.put(TEXT[index % len(TEXT)], key)
    path = tmp_path / "program.py"
    path.write_text("".join(program._parts))
    said = "\n".join(f"{item.message}\n{item.help}" for item in lint(path))
    for key in known:
        assert not any(key[start : start + 6] in said for start in range(len(key) - 40, len(key) - 5))
