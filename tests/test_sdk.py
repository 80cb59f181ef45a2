"""The data about the SDK, held against real releases: by the scripts that make it, and by running code under them."""

import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sdk_env import ROOT, introspected, run_under

from openai_lint import sdk as package
from openai_lint.sdk import (
    ErrorClass,
    Missing,
    NotAnError,
    Sdk,
    attribute_replacements,
    call_option_replacements,
    call_replacement,
    error_replacements,
    known_releases,
    marker_names,
    module_attribute_replacements,
    nearest_release,
    sdk,
)
from openai_lint.sdk.data_files import read

PROBE = Path(__file__).with_name("sdk_probe.py")
QUICK = ("0.28.1", known_releases()[-1])
EVERY = [
    pytest.param(release, marks=[] if release in QUICK else pytest.mark.slow, id=release)
    for release in known_releases()
]


@pytest.fixture(autouse=True)
def _only_when_asked(request: pytest.FixtureRequest) -> None:
    """Releases beyond the quick ones are looked at with `-m slow` only, whatever the configuration says."""
    if request.node.get_closest_marker("slow") and "slow" not in str(request.config.option.markexpr):
        pytest.skip("many releases: pytest -m slow")


@cache
def probe(release: str, what: str, *arguments: str) -> Any:
    """One job of `sdk_probe.py` under a release."""
    return run_under(release, PROBE, {"do": what, "with": list(arguments)})


# --- the data is what the scripts see today ---------------------------------------------------


@pytest.mark.parametrize("release", EVERY)
def test_data_is_what_the_release_shows(release: str) -> None:
    seen, held = introspected(release), sdk(release)
    assert held.version == release
    methods = {**held.methods, **held.helpers}
    assert set(methods) == set(seen["methods"])
    for path, row in seen["methods"].items():
        method = methods[path]
        assert (method.kind, method.coroutine, method.stream) == (row["kind"], row["coroutine"], row["stream"]), path
        assert sorted(method.options) == row["options"], path
        assert (list(method.positional), method.open) == (row["positional"], row["open"]), path
        assert (method.raw, method.streaming) == (row["raw"], row["streaming"]), path
        assert method.plumbing == row.get("plumbing", False), path
    assert set(held.errors) == set(seen["errors"])
    for name, row in seen["errors"].items():
        error = held.errors[name]
        assert list(error.bases) == row["bases"], name
        assert (error.status, error.module) == (row["status"], row["module"]), name
        assert sorted(error.attributes) == row["attributes"], name
        assert list(error.spellings) == row["spellings"], name
        assert list(error.import_only) == row["unreachable"], name
    for name, row in seen["clients"].items():
        client = held.clients[name]
        assert (client.asynchronous, client.flavour) == (row["async"], row["flavour"]), name
        assert sorted(client.options) == row["options"], name
        assert (list(client.positional), sorted(client.copy_options)) == (row["positional"], row["copy_options"]), name
        assert list(client.spellings) == row["spellings"], name
    assert {client.name for client in held.clients.values()} == set(seen["clients"])
    assert held.names == {name: kind for name, kind in seen["names"].items() if not name.startswith("_")}
    assert held.client_methods == seen["client_methods"]
    assert sorted(held.module_resources) == seen["module_resources"]
    assert sorted(held.module_attributes) == seen["module_attributes"]
    assert {key: getattr(held.defaults, key) for key in seen["defaults"]} == seen["defaults"]
    assert [s for s in range(400, 600) if held.defaults.retries_status(s)] == seen["retried_statuses"]
    assert {number: held.error_of_status(int(number)) for number in seen["statuses"]} == seen["statuses"]
    assert (held.transport_library, held.stream_wraps()) == (
        seen["transport"]["library"],
        seen["transport"]["stream_wraps"],
    )
    # Only what leaves a stream: the libraries themselves go on and gain other errors.
    tree = seen["transport"]["errors"]
    for error in (*held.transport_errors(), *held.transport_errors(asynchronous=True)):
        name = error.dotted if error.dotted in tree else error.dotted.rpartition(".")[2]
        assert list(error.bases) == tree[name], error
        assert held.transport_tree[error.dotted] == error.bases


# --- the data is what happens when code runs --------------------------------------------------

# No call of these can be made with dummies, or at all: 0.28 crashes before the request.
UNTRIED = {
    "0": ("File.adownload", "Engine.amodify", ".wait", ".await_", ".arefresh", ".aretrieve"),
    "1": ("environments.files.prepare", "environments.files.prepare_directory", "files.upload", "upload_file_chunked"),
}


@pytest.mark.parametrize("release", EVERY)
def test_every_method_makes_a_request_and_no_helper_does(release: str) -> None:
    held = sdk(release)
    answers = probe(release, "calls", *held.methods, *held.helpers)
    silent = {path for path in held.methods if not answers[path][0]}
    # `connect` needs a library that is not installed here.
    silent -= {path for path in silent if held.methods[path].kind == "websocket_manager"}
    unexpected = {path: answers[path] for path in silent if not path.endswith(UNTRIED["0" if held.major == 0 else "1"])}
    assert not unexpected
    assert len(silent) < 0.16 * len(held.methods)
    assert not {path: answers[path] for path in held.helpers if answers[path][0]}


@pytest.mark.parametrize("release", [param for param in EVERY if not str(param.id).startswith("0.")])
def test_asynchronous_methods_are_awaited_as_the_data_says(release: str) -> None:
    held = sdk(release)
    answers = probe(release, "calls", *held.methods, *held.helpers)
    wrong = {path: answers[path] for path, method in held.methods.items() if answers[path][1] is not method.coroutine}
    assert not wrong
    lazy = {"paginator", "single_page", "stream_manager", "websocket_manager"}
    assert all(method.coroutine is (method.kind not in lazy) for method in held.methods.values())


@pytest.mark.parametrize("release", EVERY)
def test_a_raised_error_is_caught_by_exactly_what_the_tree_says(release: str) -> None:
    held = sdk(release)
    first = {name: error.spellings[0] for name, error in held.errors.items()}
    answers = probe(release, "catches", *sorted(first.values()))
    for name, dotted in first.items():
        catching = set(answers[dotted])
        expected = {first[other] for other in held.errors if held.errors[name].caught_by(other)}
        expected |= {
            b for b in ("ValueError", "RuntimeError", "OSError", "Exception") if held.errors[name].caught_by(b)
        }
        assert catching == expected, name


def _clauses(release: str) -> list[str]:
    """Every spelling of an error in any release, every public name, and what people write that never existed."""
    names = {"openai.exceptions.RateLimitError", "openai.error.Foo", "openai._exceptions.Foo", "openai.Timeout"}
    names |= {f"openai.{name}" for name in sdk(release).names}
    for other in ("0.28.1", "1.0.0", release, known_releases()[-1]):
        names |= {spelling for error in sdk(other).errors.values() for spelling in error.spellings}
    return sorted(names)


@pytest.mark.parametrize("release", EVERY)
def test_an_except_clause_does_what_the_data_says(release: str) -> None:
    held = sdk(release)
    unknown = []
    for name, (clause, imported) in probe(release, "clauses", *_clauses(release)).items():
        verdict = held.resolve_error(name)
        if verdict is None:
            unknown.append(name)
        elif isinstance(verdict, ErrorClass):
            assert clause == ("AttributeError" if name in verdict.import_only else "error class"), name
            assert imported == "imported", name
        elif isinstance(verdict, NotAnError):
            assert clause == "TypeError", name
        else:
            assert clause == "AttributeError", name
            assert verdict.import_error in (imported, None), name
    # Only what lies deep inside packages of other releases may be unknown.
    assert all(name.count(".") > 1 and not name.startswith(("openai.error", "openai._exc")) for name in unknown), (
        unknown
    )


@pytest.mark.parametrize("release", EVERY)
def test_statuses_raise_and_are_retried_as_the_data_says(release: str) -> None:
    held = sdk(release)
    numbers = ("400", "401", "403", "404", "408", "409", "415", "422", "425", "429", "500", "502", "503", "529")
    for status, (raised, requests) in probe(release, "statuses", *numbers).items():
        assert raised == held.error_of_status(int(status)), status
        tries = 1 + held.defaults.max_retries if held.defaults.retries_status(int(status)) else 1
        assert requests == tries, status


# --- facts that were observed once, and must stay found ----------------------------------------


@pytest.mark.parametrize(
    ("release", "methods", "helpers"),
    [
        ("0.27.8", 150, 25),
        ("0.28.1", 168, 28),
        ("1.0.0", 29, 0),
        ("1.6.1", 59, 0),
        ("1.40.0", 87, 0),
        ("1.109.1", 152, 2),
        ("2.0.0", 152, 2),
        ("2.54.0", 318, 2),
        ("3.0.0", 318, 2),
        ("3.54.0", 433, 3),
    ],
)
def test_number_of_methods(release: str, methods: int, helpers: int) -> None:
    held = sdk(release)
    assert len(held.methods) == methods
    assert not set(held.methods) & set(held.helpers)
    assert len(held.helpers) == helpers


def test_kinds_of_the_newest_release_that_was_studied() -> None:
    kinds: dict[str, int] = {}
    for method in sdk("3.54.0").methods.values():
        kinds[method.kind] = kinds.get(method.kind, 0) + 1
    assert kinds == {
        "json": 290, "json_or_stream": 15, "stream": 1, "paginator": 76, "single_page": 8, "stream_manager": 8,
        "websocket_manager": 8, "polling": 13, "upload": 5, "binary": 9,
    }  # fmt: skip


def test_change_points() -> None:
    assert sdk("1.6.1").wrappers == {"with_raw_response"}
    assert sdk("1.10.0").wrappers == {"with_raw_response", "with_streaming_response"}
    assert sdk("0.28").wrappers == frozenset()
    assert sdk("1.1.2").removed_names == frozenset()
    assert "ChatCompletion" in sdk("1.2.0").removed_names
    assert sdk("1.39.0").resolve_error("openai.LengthFinishReasonError") == Missing(
        "openai.LengthFinishReasonError", "openai.LengthFinishReasonError"
    )
    assert isinstance(sdk("1.40.0").resolve_error("openai.LengthFinishReasonError"), ErrorClass)
    assert not sdk("3.13.0").stream_wraps()
    assert sdk("3.14.0").stream_wraps()
    assert sdk("2.51.0").defaults.retry_after_limit == 60
    assert sdk("2.52.0").defaults.retry_after_limit == 120
    assert (sdk("2.54").transport_library, sdk("3.0").transport_library) == ("httpx", "httpx2")
    assert "BedrockOpenAI" not in sdk("2.34.0").clients
    assert sdk("2.41.0").clients["BedrockOpenAI"].flavour == "bedrock"
    assert "project" not in sdk("1.6.1").clients["OpenAI"].options
    assert "project" in sdk("1.40.0").clients["OpenAI"].options


def test_method_that_other_releases_have_is_still_known() -> None:
    newest = sdk()
    assert newest.method("edits.create") is None
    gone = newest.any_method("edits.create")
    assert gone is not None
    assert (gone.since, gone.until) == ("1.0.0", "1.10.0")
    coming = sdk("1.0.0").any_method("responses.create")
    assert coming is not None
    assert nearest_release("1.60") < coming.since < nearest_release("1.85")
    assert newest.any_method("webhooks.unwrap") is None
    assert newest.any_method("ChatCompletion.create") is None
    assert newest.helper("webhooks.unwrap") is not None
    assert newest.resource("chat.completions") and not newest.resource("chat.completions.create")
    assert newest.any_resource("edits") and not newest.resource("edits")


def test_options_of_calls() -> None:
    old, new = sdk("0.28"), sdk()
    create = old.methods["ChatCompletion.create"]
    assert {"request_timeout", "timeout", "api_key", "stream"} <= create.options
    assert create.open
    assert create.positional[0] == "api_key"
    for ignoring in ("Image.create", "File.list", "Model.list", "Audio.transcribe", "FineTuningJob.create"):
        assert "request_timeout" not in old.methods[ignoring].options
        assert old.methods[ignoring].open
    assert not old.methods["Moderation.create"].open
    modern = new.methods["chat.completions.create"]
    assert {"timeout", "extra_headers", "extra_query", "extra_body"} <= modern.options
    assert not {"request_timeout", "max_retries", "api_key"} & modern.options
    assert not modern.open
    assert modern.positional == ()
    for client in new.clients.values():
        assert client.positional == ()
        assert {"api_key", "max_retries", "timeout"} <= client.options
        assert {"api_key", "max_retries", "timeout"} <= client.copy_options


def test_where_errors_are_raised() -> None:
    new, middle, old = sdk("3.14"), sdk("3.13"), sdk("0.28")
    create = new.methods["chat.completions.create"]
    assert new.creation_errors(create) == new.documented
    assert new.iteration_errors(create) == ("APIConnectionError", "APITimeoutError", "APIError")
    assert middle.iteration_errors(create) == ("APIError",)
    assert new.transport_errors_when_streaming() == ()
    assert {e.dotted: e.instead_of for e in middle.transport_errors_when_streaming()} == {
        "httpx2.RemoteProtocolError": "APIConnectionError",
        "httpx2.ReadError": "APIConnectionError",
        "httpx2.ReadTimeout": "APITimeoutError",
    }
    assert all("HTTPError" in e.bases for e in middle.transport_errors_when_streaming())
    # The Assistants helpers never wrap.
    assistants = new.methods["beta.threads.runs.stream"]
    assert new.iteration_errors(assistants) == ("APIError",)
    assert new.transport_errors_when_streaming(method=assistants)[0].library == "httpx2"
    pages = new.methods["files.list"]
    assert new.iteration_errors(pages) == new.documented
    models = new.methods["models.list"]
    assert new.iteration_errors(models) == ()
    assert new.iteration_errors(models, asynchronous=True) == new.documented
    assert new.creation_errors(new.methods["realtime.connect"]) == ()
    assert new.iteration_errors(new.methods["embeddings.create"]) == ()
    assert old.creation_errors(old.methods["ChatCompletion.create"])[-1] == "PermissionError"
    assert old.iteration_errors(old.methods["ChatCompletion.create"]) == ("APIError",)
    assert {e.dotted for e in old.transport_errors_when_streaming(asynchronous=True)} == {
        "aiohttp.ClientPayloadError",
        "asyncio.TimeoutError",
    }
    assert "RequestException" in old.transport_errors_when_streaming()[0].bases


@pytest.mark.parametrize("release", known_releases())
def test_hand_written_names_exist_in_every_release(release: str) -> None:
    held = sdk(release)
    assert set(held.inventory_errors) <= set(held.errors)
    assert held.triggers_transient <= set(held.transient)
    assert held.triggers_permanent <= set(held.permanent)
    assert not set(held.transient) & set(held.permanent)
    assert set(held.roles.values()) <= set(held.errors)
    raised = {held.error_of_status(status) for status in (400, 401, 429, 500, 503)}
    assert raised <= set(held.documented)
    for asynchronous in (False, True):
        assert all(e.instead_of in held.documented for e in held.transport_errors(asynchronous))
        assert all(len(e.bases) > 2 or e.library == "aiohttp" for e in held.transport_errors(asynchronous))
    assert held.module_credentials <= sdk("newest" if held.major else "0").module_attributes


def test_replacements_name_what_exists() -> None:
    old, new = sdk("0.28"), sdk()
    assert set(error_replacements(1)) == set(old.errors)
    assert {name for into in error_replacements(1).values() for name in into} <= set(new.errors)
    assert "APIError" not in {name for into in error_replacements(1).values() for name in into}
    assert error_replacements(1)["InvalidRequestError"] == ("BadRequestError", "NotFoundError")
    assert {name for into in error_replacements(0).values() for name in into} <= set(old.errors)
    assert set(error_replacements(0)) <= set(new.errors)
    attributes = set().union(*(error.attributes for error in old.errors.values()))
    assert {name for name in attribute_replacements() if not name.startswith("_")} <= attributes
    modern = set().union(*(new.errors[name].attributes for name in new.documented))
    assert {into.partition(".")[0] for into in attribute_replacements().values() if into} <= modern
    for path, method in old.methods.items():
        into = call_replacement(path)
        assert into is None or new.method(into) is not None, path
        if (
            not method.plumbing
            and path.startswith(("Chat", "Completion", "Embedding", "Moderation"))
            and "create" in path
        ):
            assert into is not None, path
    assert call_replacement("ChatCompletion.acreate") == "chat.completions.create"
    assert call_replacement("Deployment.create") is None
    assert set(call_option_replacements()) <= set().union(*(m.options for m in old.methods.values()))
    assert set(module_attribute_replacements()) == old.module_attributes
    assert {into for into in module_attribute_replacements().values() if into} <= new.module_attributes


# --- the loader --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("newest", known_releases()[-1]),
        ("0", "0.28.1"),
        ("0.28", "0.28.1"),
        ("0.28.0", "0.27.8"),
        ("0.8.0", "0.27.8"),
        ("1", "1.109.1"),
        ("1.0.1", "1.0.0"),
        ("1.40", "1.40.0"),
        ("1.40.8", "1.40.0"),
        ("1.999", "1.109.1"),
        ("2", "2.54.0"),
        ("2.54.7", "2.54.0"),
        ("3.14", "3.14.0"),
        ("99", known_releases()[-1]),
    ],
)
def test_nearest_release(asked: str, given: str) -> None:
    assert nearest_release(asked) == given
    assert sdk(asked).version == given
    assert sdk(asked) is sdk(given)


@pytest.mark.parametrize("bad", ["", "1.x", "1.2.3.4", "v1", "latest", "-1", "1..2"])
def test_what_is_no_release_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a release of openai"):
        nearest_release(bad)


def test_known_releases_are_ordered_and_each_is_itself() -> None:
    numbers = [tuple(map(int, release.split("."))) for release in known_releases()]
    assert numbers == sorted(set(numbers))
    assert all(nearest_release(release) == release for release in known_releases())


def test_markers_cover_every_call() -> None:
    markers = marker_names()
    for release in ("0.28", "1", "2", "3"):
        for path in sdk(release).methods:
            assert path.rpartition(".")[2] in markers
        assert {name for name in sdk(release).clients if "." not in name} <= markers
    assert {"ChatCompletion", "AsyncAzureOpenAI", "Client", "create", "acreate"} <= markers


def test_releases_travel_to_other_processes() -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(sdk("1.40")))
    assert copy == sdk("1.40")
    assert hash(copy) == hash(sdk("1.40"))
    assert copy.methods.keys() == sdk("1.40").methods.keys()
    assert sdk("1.40") != sdk("1.39")


def test_loading_is_quick() -> None:
    def load() -> float:
        read.cache_clear()
        started = time.perf_counter()
        release = Sdk(known_releases()[-1])
        assert release.method("chat.completions.create") is not None
        assert release.resolve_error("openai.RateLimitError") is not None
        return time.perf_counter() - started

    # 2 ms on an idle machine; the best of several, because tests share theirs.
    assert min(load() for _ in range(7)) < 0.02


def test_the_package_imports_nothing_but_json() -> None:
    code = (
        "import sys, types; sys.modules['openai_lint'] = m = types.ModuleType('openai_lint');"
        f"m.__path__ = [{str(ROOT / 'openai_lint')!r}];"
        "import openai_lint.sdk; openai_lint.sdk.sdk('1').documented;"
        "print(sorted(n for n in sys.modules if n.split('.')[0] in ('libcst', 'click', 'tomli', 'openai', 'httpx')))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert package.__doc__ is not None
