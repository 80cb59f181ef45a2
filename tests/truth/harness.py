"""Runs programs under faults and puts together what was seen: the truth that the linter's inventory is held against."""

import contextlib
import hashlib
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import environment
from .names import DOCUMENTED
from .programs import Program

HERE = Path(__file__).parent
#: the faults of a plain call, by major (0, or 1 for everything later)
ALL_FAULTS = ("bad_request", "auth", "permission", "not_found", "conflict", "unprocessable", "rate", "quota", "server",
              "overloaded", "timeout", "refused", "dropped")  # fmt: skip
#: 0.x asks again without end after 409, by itself
PLAIN_FAULTS = {0: tuple(fault for fault in ALL_FAULTS if fault != "conflict"), 1: ALL_FAULTS}
STREAM_FAULTS = ("stream_cut", "stream_stall", "stream_error")
#: what else may have to fail so that a call is reached
CONTEXTS = ("rate", "server", "bad_request", "timeout", "auth", "not_found", "dropped")


def names_of(release: str) -> tuple[str, ...]:
    """The documented error names of a release."""
    return DOCUMENTED[min(int(release.split(".", maxsplit=1)[0]), 1)]


@dataclass
class Retries:
    """What is seen of retrying: `calls` and `requests` by fault (lasting), `waits` between calls, in seconds."""

    calls: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    unbounded: list[str] = field(default_factory=list)
    waits: dict[str, list[float]] = field(default_factory=dict)
    sdk_waits: dict[str, list[float]] = field(default_factory=dict)
    low_waits: dict[str, list[float]] = field(default_factory=dict)
    survived: dict[str, bool] = field(default_factory=dict)


@dataclass
class SiteTruth:
    """What was observed of one API call. Lists hold documented names."""

    reached: bool = False
    stream: bool = False
    pages: bool = False
    escapes: list[str] = field(default_factory=list)
    iterating: list[str] = field(default_factory=list)
    function: list[str] | None = None
    forms: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    retries: Retries = field(default_factory=Retries)


@dataclass
class Truth:
    """What was observed of one program on one release; `problems` make the program unfit."""

    sites: dict[str, SiteTruth] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    runs: int = 0

    @property
    def gets_out(self) -> bool:
        return any(site.escapes for site in self.sites.values())


class Runner:
    """A fork server for one release (see `runner.py`)."""

    def __init__(self, release: str, port: int) -> None:
        config = {"paths": [str(path) for path in environment.paths(release)], "port": port}
        self.command = [sys.executable, "-W", "ignore", "-m", "truth.runner", json.dumps(config)]
        self.start()

    def start(self) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI", "AZURE", "PYTHON"))}
        clean["PYTHONPATH"] = str(HERE.parent)
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean
        )

    def __call__(self, job: dict) -> dict:
        """Run one job; a runner that was killed from outside is started once more."""
        line = self.answer(job)
        if not line:
            self.close()
            self.start()
            line = self.answer(job)
        if not line:
            raise RuntimeError(f"the runner ended with {self.process.wait(10)} at {job}")
        return json.loads(line)

    def answer(self, job: dict) -> str:
        """The runner's answer; "" when it is gone."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.process.stdout.readline()

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Server:
    """The fake OpenAI server in a process of its own."""

    def __enter__(self) -> int:
        command = [sys.executable, str(HERE / "server.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


#: what the fork server imports once, and the part of it that takes long
LIBRARIES = {
    "fastapi": "fastapi.testclient",
    "litestar": "litestar.testing",
    "discord": "discord.ext.commands",
    "telegram": "telegram.ext",
    "django": "django.test",
}
LIBRARIES |= dict.fromkeys(
    ("tenacity", "backoff", "stamina", "retrying", "retry", "flask", "quart", "starlette", "celery", "click", "typer")
)
LIBRARIES |= dict.fromkeys(("pytest", "pydantic", "aiolimiter", "streamlit", "gradio"))
IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)


def libraries_of(program: Program) -> list[str]:
    """The known libraries that the program's files import, to be imported once by the fork server."""
    imported = {name for text in program.files.values() for name in IMPORT.findall(text)}
    found = sorted(LIBRARIES.keys() & imported)
    return [name for library in found for name in (library, LIBRARIES[library]) if name]


class Observer:
    """Observes one program: all the runs that it takes, and what they add up to."""

    def __init__(self, program: Program, release: str, folder: Path, run: Runner) -> None:
        self.program, self.release, self.folder, self.run = program, release, folder, run
        self.major = min(int(release.split(".", maxsplit=1)[0]), 1)
        self.truth = Truth()
        self.base = {
            "dir": str(folder),
            "preload": libraries_of(program),
            "stdin": program.facts.get("stdin", "").replace("\\n", "\n"),
        }
        self.base |= {key: program.facts[key] for key in ("run", "call", "drive", "path") if key in program.facts}
        self.base["sites"] = [{**asdict(site), "id": site.id} for site in program.sites()]

    def once(self, **plan: object) -> dict:
        self.truth.runs += 1
        result = self.run({**self.base, **plan})
        if result["status"] in ("hang", "broken"):
            self.truth.problems.append(f"{result['status']} under {plan}: {result.get('output', '')[-800:]}")
        return result

    def observe(self) -> Truth:
        if not self.base["sites"]:
            self.truth.problems.append("no call is marked with # api")
        fine = self.once()
        if (
            fine.get("status") != "done"
            or fine.get("other")
            or fine.get("left")
            or fine.get("exit") not in (None, "0", "'0'")
        ):
            what = fine.get("other") or fine.get("left") or fine.get("exit")
            self.truth.problems.append(f"does not pass when nothing fails: {what}\n{fine.get('output', '')[-1200:]}")
        for site in self.program.sites():
            self.truth.sites[site.id] = self.observe_site(site.id, fine)
        return self.truth

    def observe_site(self, site: str, fine: dict) -> SiteTruth:
        truth = SiteTruth()
        context = ""
        seen = fine
        if site not in fine.get("requests", {}):
            for context in CONTEXTS:
                seen = self.once(target=site, context=context)
                if site in seen.get("requests", {}):
                    break
            else:
                self.truth.problems.append(f"{site} is never reached")
                return truth
        truth.reached = True
        truth.stream, truth.pages = seen["streams"].get(site, False), seen["pages"].get(site, False)
        within = seen["on_stack"].get(site, False) and site not in seen["pending"]
        truth.function = [] if within else None
        created: set[str] = set()
        iterated: set[str] = set()
        plans = [(fault, 0) for fault in PLAIN_FAULTS[self.major]]
        plans += [(fault, 0) for fault in STREAM_FAULTS if truth.stream] + [
            (fault, 1) for fault, _ in plans if truth.pages
        ]
        for fault, skip in plans:
            result = self.once(target=site, context=context, fault=fault, skip=skip)
            if result["status"] not in ("done", "unbounded"):
                continue
            names = {name for where, name, _ in result["left"] if where == site}
            iterates = fault in STREAM_FAULTS or skip > 0
            (iterated if iterates else created).update(names)
            truth.forms = sorted({*truth.forms, *(form for where, _, form in result["left"] if where == site)})
            truth.lost = sorted(
                {*truth.lost, *(name for where, name in result["lost"] if where == site and name not in names)}
            )
            if truth.function is not None:
                leaves = {name for where, name in result["left_function"] if where == site}
                truth.function = sorted({*truth.function, *leaves})
            if not iterates:
                self.note_retries(truth.retries, site, fault, result)
        truth.escapes, truth.iterating = sorted(created | iterated), sorted(iterated - created)
        if "retry" in self.program.facts:
            self.observe_retries(truth.retries, site, context)
        return truth

    def note_retries(self, retries: Retries, site: str, fault: str, result: dict) -> None:
        retries.calls[fault] = result["calls"].get(site, 0)
        retries.requests[fault] = result["requests"].get(site, 0)
        if result["status"] == "unbounded":
            retries.unbounded.append(fault)
        retries.waits[fault], retries.sdk_waits[fault] = waits_in(result["events"], site)

    def observe_retries(self, retries: Retries, site: str, context: str) -> None:
        """Once more with low random draws (jitter shows as a difference), and with faults that pass."""
        by_sdk = self.program.facts["retry"] == "sdk"
        what, first = ("requests", {"first_requests": 1}) if by_sdk else ("calls", {"first_calls": 1})
        tries = retries.requests if by_sdk else retries.calls
        for fault in (f for f, count in tries.items() if count > 1):
            if fault in ("rate", "server"):
                low = self.once(target=site, context=context, fault=fault, draw="low")
                retries.low_waits[fault] = waits_in(low["events"], site)[0]
            passing = self.once(target=site, context=context, fault=fault, **first)
            fine = passing["status"] == "done" and not passing["left"] and not passing["other"]
            retries.survived[fault] = fine and passing[what].get(site, 0) > 1


def waits_in(events: list[list[list]], site: str) -> tuple[list[float], list[float]]:
    """Seconds slept between the calls of a site, and between the requests of its first call (those are the SDK's)."""
    waits: list[float] = []
    sdk: list[float] = []
    for line in events:
        seen = http = 0
        pause = sdk_pause = 0.0
        for event in line:
            if event[0] == "sleep":
                if event[2] in ("openai", "anyio"):
                    sdk_pause += event[1]
                else:
                    pause += event[1]
            elif event[1] == site and event[0] == "call":
                if seen:
                    waits.append(round(pause, 3))
                seen, http, pause = seen + 1, 0, 0.0
            elif event[1] == site:
                if http and seen <= 1:
                    sdk.append(round(sdk_pause, 3))
                http, sdk_pause = http + 1, 0.0
    return waits, sdk


@contextlib.contextmanager
def running(release: str) -> Iterator[Callable[..., dict]]:
    """A function that runs a program once under a plan (see `runner.py`) and gives what was seen."""
    with Server() as port, tempfile.TemporaryDirectory() as base:
        runner = Runner(release, port)

        def once(program: Program, **plan: object) -> dict:
            folder = Path(base).resolve() / program.name
            program.write(folder)
            return Observer(program, release, folder, runner).once(**plan)

        try:
            yield once
        finally:
            runner.close()


def engine_hash() -> str:
    """What the observations depend on besides the program."""
    digest = hashlib.sha256()
    judges = {"claims.py", "conftest.py", "lexical.py", "__main__.py"}
    for file in sorted(HERE.glob("*.py")):
        if file.name not in judges and not file.name.startswith("test_"):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def cache_file(program: Program, release: str) -> Path:
    key = json.dumps([release, sys.version_info[:2], engine_hash(), program.facts, program.files], sort_keys=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    return environment.cache_folder() / release / f"{name}.json"


def load(file: Path) -> Truth | None:
    try:
        data = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    sites = {
        key: SiteTruth(**{**value, "retries": Retries(**value["retries"])}) for key, value in data["sites"].items()
    }
    return Truth(sites, data["problems"], data["runs"])


def observe(programs: Iterable[Program], release: str, *, fresh: bool = False) -> dict[str, Truth]:
    """What each program does on a release, by name; from the cache where neither program nor harness changed."""
    truths: dict[str, Truth] = {}
    todo: list[Program] = []
    for program in programs:
        known = None if fresh else load(cache_file(program, release))
        if known is None:
            todo.append(program)
        else:
            truths[program.name] = known
    if not todo:
        return truths
    count = min(len(todo), os.cpu_count() or 2, 4)
    with Server() as port, tempfile.TemporaryDirectory() as base:
        runners: queue.SimpleQueue[Runner] = queue.SimpleQueue()
        started = [Runner(release, port) for _ in range(count)]
        for runner in started:
            runners.put(runner)

        def one(program: Program) -> tuple[str, Truth]:
            folder = Path(base).resolve() / program.name
            program.write(folder)
            runner = runners.get()
            try:
                return program.name, Observer(program, release, folder, runner).observe()
            finally:
                runners.put(runner)

        try:
            with ThreadPoolExecutor(count) as pool:
                for program, (name, truth) in zip(todo, pool.map(one, todo), strict=True):
                    truths[name] = truth
                    if not truth.problems:
                        file = cache_file(program, release)
                        file.parent.mkdir(parents=True, exist_ok=True)
                        file.write_text(json.dumps(asdict(truth)))
        finally:
            for runner in started:
                runner.close()
    return truths
