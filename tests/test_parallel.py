"""Files read by several processes: the same facts and findings as by one, also where a process dies."""

import os
import threading
from pathlib import Path

import pytest

from openai_lint import parallel
from openai_lint.extract import extract
from openai_lint.facts import ModuleFacts, Unreadable
from tests.fakes import CALL, run, tree

SOURCES = [(f"/p/m{number}.py", f"x = {number}\n".encode() * (number + 1) + CALL.encode()) for number in range(20)]
SOURCES.append(("/p/broken.py", b"def f(:\n"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def test_children_hand_back_what_the_parent_would_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "workers", lambda jobs, size: 3)
    found = parallel.extracted(SOURCES, extract, 0)
    assert {path: _told(facts) for path, facts in found.items()} == {
        path: _told(extract(path, data)) for path, data in SOURCES
    }


def _told(facts: ModuleFacts | Unreadable) -> object:
    return facts if isinstance(facts, Unreadable) else (facts.text, repr(facts.body), facts.identifiers, facts.cells)


def test_what_a_dead_child_did_not_read_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = os.getpid()

    def fragile(path: str, data: bytes) -> ModuleFacts | Unreadable:
        if os.getpid() != parent:
            os._exit(9)
        return extract(path, data)

    monkeypatch.setattr(parallel, "workers", lambda jobs, size: 2)
    assert parallel.extracted(SOURCES, fragile, 0).keys() == {path for path, _ in SOURCES}


def test_what_no_child_could_be_started_for_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "no more processes")

    monkeypatch.setattr(parallel, "workers", lambda jobs, size: 3)
    monkeypatch.setattr(os, "fork", refuse)
    assert parallel.extracted(SOURCES, extract, 0).keys() == {path for path, _ in SOURCES}


def test_a_program_with_threads_is_not_forked() -> None:
    done = threading.Event()
    others = [threading.Thread(target=done.wait) for _ in range(parallel.OWN_THREADS)]
    for thread in others:
        thread.start()
    try:
        assert parallel.workers(2, 100 * parallel.WORTH_A_CHILD) == 1
    finally:
        done.set()
        for thread in others:
            thread.join()


def test_little_is_read_by_one_process() -> None:
    assert parallel.workers(8, parallel.WORTH_A_CHILD // 2) == 1
    assert parallel.workers(1, 100 * parallel.WORTH_A_CHILD) == 1
    assert parallel.workers(2, 100 * parallel.WORTH_A_CHILD) <= 2


def test_findings_are_the_same_with_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "WORTH_A_CHILD", 100)
    tree(tmp_path, {f"pkg/m{number}.py": CALL * 3 for number in range(12)})
    outputs = {
        run("--isolated", "--output-format", "json", "--jobs", str(jobs), str(tmp_path)).out for jobs in (1, 2, 4)
    }
    assert len(outputs) == 1
    assert '"findings": []' not in outputs.pop()
