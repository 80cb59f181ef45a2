"""Raw requests and blocking clients, run: an unchecked 429 goes on as an answer, a blocking client stalls the loop.

Each program is linted as it stands, and run against a server on this machine in place of OpenAI.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from openai_lint.config import ConfigSource, parse
from openai_lint.lint import run
from tests.sdk_env import sdk_path

RELEASE = "1.109.1"
ERROR = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
SLOW = 1.5
"""Seconds that the server takes for an answer to what says "slow"."""

LONG = 1.0
"""A pause of the event loop above this is a stall; a busy machine causes shorter ones."""


class Handler(BaseHTTPRequestHandler):
    """429 to whoever says so in the path; else an answer, after a while."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        refused = "refused" in self.path
        if b"slow" in asked:
            time.sleep(SLOW)
        body = json.dumps(ERROR if refused else {"id": "r", "object": "response", "output": []}).encode()
        self.send_response(429 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def codes(path: Path, code: str) -> list[str]:
    report = run([str(path)], ConfigSource(isolated=True, overrides=parse({"select": [code]}, "test", "/")))
    assert not report.failures, report.failures[0].trace
    return [found.code for found in report.findings]


def execute(path: Path, text: str, server: str) -> subprocess.CompletedProcess[str]:
    """Runs the program, with the server in place of OpenAI."""
    path.write_text(text.replace("https://api.openai.com", server))
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(sdk_path(RELEASE)),
        "OPENAI_BASE_URL": f"{server}/v1",
        "OPENAI_API_KEY": "none",
    }
    return subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, text=True, timeout=60)


RAW = {
    "not looked at": """
        answer = httpx.post(URL, json={}).json()
        print("stored", answer)
    """,
    "not looked at, through a session": """
        with httpx.Client(base_url="https://api.openai.com/v1") as client:
            response = client.post("/refused", json={})
        print("stored", response.text)
    """,
    "not looked at by the caller": """
        def ask():
            return httpx.post(URL, json={})

        print("stored", ask().text)
    """,
    "raise_for_status": """
        response = httpx.post(URL, json={})
        response.raise_for_status()
        print("stored", response.json())
    """,
    "status compared": """
        response = httpx.post(URL, json={})
        if response.status_code != 200:
            raise SystemExit("refused")
        print("stored", response.json())
    """,
    "error looked for": """
        answer = httpx.post(URL, json={}).json()
        if "error" in answer:
            raise SystemExit(answer["error"]["message"])
        print("stored", answer)
    """,
    "hook": """
        with httpx.Client(event_hooks={"response": [lambda response: response.raise_for_status()]}) as client:
            print("stored", client.post(URL, json={}).text)
    """,
    "looked at by the caller": """
        def ask():
            return httpx.post(URL, json={})

        response = ask()
        if response.is_error:
            raise SystemExit("refused")
        print("stored", response.text)
    """,
}


@pytest.mark.parametrize("name", RAW)
def test_an_unchecked_429_goes_on_as_an_answer(name: str, server: str, tmp_path: Path) -> None:
    body = "\n".join(line[8:] for line in RAW[name].splitlines())
    text = f'import httpx\n\nURL = "https://api.openai.com/v1/refused"\n{body}'
    path = tmp_path / "program.py"
    path.write_text(text)
    reported = codes(path, "OAI403")
    done = execute(path, text, server)
    went_on = done.returncode == 0 and "stored" in done.stdout and "rate_limit_exceeded" in done.stdout
    assert (reported == ["OAI403"]) == went_on, done.stderr[-500:]


TICKER = """
import asyncio
import time

from openai import AsyncOpenAI, OpenAI

client, asynchronous = OpenAI(max_retries=0), AsyncOpenAI(max_retries=0)


def ask():
    return client.responses.create(model="m", input="slow")


def middle():
    return ask()


def stream():
    yield ask()


async def work():
    {work}


async def main():
    await asynchronous.responses.create(model="m", input="warm")
    await asyncio.to_thread(client.responses.create, model="m", input="warm")
    longest, before, task = 0.0, time.monotonic(), asyncio.create_task(work())
    while not task.done():
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    task.result()
    print(longest)


asyncio.run(main())
"""

WORK = {
    "direct": 'client.responses.create(model="m", input="slow")',
    "helper": "ask()",
    "helper of a helper": "middle()",
    "iterated": "for item in stream(): print(type(item).__name__)",
    "made and not iterated": "stream()",
    "thread": "await asyncio.to_thread(ask)",
    "method in a thread": 'await asyncio.to_thread(client.responses.create, model="m", input="slow")',
    "lambda in a pool": "await asyncio.get_running_loop().run_in_executor(None, lambda: middle())",
    "asynchronous": 'await asynchronous.responses.create(model="m", input="slow")',
}


@pytest.mark.parametrize("name", WORK)
def test_a_blocking_client_stalls_the_loop(name: str, server: str, tmp_path: Path) -> None:
    text = TICKER.replace("{work}", WORK[name])
    path = tmp_path / "program.py"
    path.write_text(text)
    reported = codes(path, "OAI406")
    done = execute(path, text, server)
    assert done.returncode == 0, done.stderr[-1000:]
    stalled = float(done.stdout.split()[-1]) > LONG
    assert (reported == ["OAI406"]) == stalled, f"{reported}, {done.stdout}"
