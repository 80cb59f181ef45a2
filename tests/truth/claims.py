"""What the linter says (its inventory), and how it stands against what was observed, verdict by verdict."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .harness import Retries, SiteTruth, Truth, names_of
from .names import DOCUMENTED, FAULT_NAMES
from .programs import Program, Site

ROOT = Path(__file__).resolve().parents[2]
#: base classes that a policy may name, and what of the documented errors they hold
BROAD = {"Exception", "BaseException", "OpenAIError"}
STATUS = {"RateLimitError", "InternalServerError", "ConflictError", "BadRequestError", "AuthenticationError",
          "PermissionDeniedError", "NotFoundError", "UnprocessableEntityError"}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """One judged question about one call: what was seen and what the linter says."""

    program: str
    site: str
    about: str
    question: str
    observed: object
    claimed: object
    limit: str | None

    @property
    def right(self) -> bool:
        return self.observed == self.claimed


def inventory(programs: Iterable[Program], release: str) -> dict[str, list[dict]]:
    """The linter's inventory of each program, by the program's name: one run over all of them.

    Each program is a project of its own (`root = true`, and named by its folder, because what lies below a named
    folder is linked together), and the paths in the result are relative to it.
    """
    chosen = list(programs)
    found: dict[str, list[dict]] = {program.name: [] for program in chosen}
    for call in said_of(chosen, release, "--inventory")["calls"]:
        name, _, path = call["path"].removeprefix("./").partition("/")
        found[name].append({**call, "path": path})
    return found


def findings(programs: Iterable[Program], release: str, code: str) -> dict[str, list[tuple[str, int]]]:
    """(path in the program, line) of each finding of one rule, by the program's name."""
    chosen = list(programs)
    found: dict[str, list[tuple[str, int]]] = {program.name: [] for program in chosen}
    for finding in said_of(chosen, release, "--select", code)["findings"]:
        name, _, path = finding["path"].removeprefix("./").partition("/")
        found[name].append((path, finding["start"]["line"]))
    return found


def said_of(programs: list[Program], release: str, *options: str) -> dict:
    """The linter's JSON about programs, each in a folder of its name."""
    with tempfile.TemporaryDirectory() as base:
        for program in programs:
            program.write(Path(base, program.name))
            Path(base, program.name, "openai-lint.toml").write_text("root = true\n")
        command = [sys.executable, "-m", "openai_lint", "--output-format", "json", "--no-cache", "--exit-zero"]
        folders = [program.name for program in programs]
        done = subprocess.run(
            [*command, "--sdk", release, *options, *folders],
            cwd=base,
            env=with_checkout(),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"openai-lint ended with {done.returncode}: {done.stderr[-3000:]}")
    return json.loads(done.stdout)


def with_checkout() -> dict[str, str]:
    """The environment of the linter: the checkout is importable, whatever the working directory."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def entry_for(site: Site, calls: list[dict]) -> dict | None:
    """The inventory's entry at a marked call: it overlaps the statement; the shortest, when several do."""
    near = [
        call
        for call in calls
        if call["path"] == site.path and call["start"]["line"] <= site.last and call["end"]["line"] >= site.first
    ]
    return min(
        near, key=lambda call: (call["end"]["line"] - call["start"]["line"], call["start"]["line"]), default=None
    )


def judge(program: Program, release: str, truth: Truth, calls: list[dict]) -> list[Verdict]:
    """Every verdict about one program. A call that the inventory lacks is wrong in every family."""
    verdicts: list[Verdict] = []
    for site in program.sites():
        seen = truth.sites[site.id]
        entry = entry_for(site, calls)

        def say(
            about: str, question: str, observed: object, claimed: object, where: Site = site, found: dict | None = entry
        ) -> None:
            claimed = claimed if found is not None else "not in the inventory"
            verdicts.append(Verdict(program.name, where.id, about, question, observed, claimed, program.known_limit))

        claim = entry or {}
        for name in names_of(release):
            say("escapes", name, name in seen.escapes, name in (claim.get("escapes") or ()))
            if seen.function is not None:
                say("function", name, name in seen.function, name in (claim.get("escapes_function") or ()))
            if seen.stream or seen.pages:
                say("iterating", name, name in seen.iterating, name in (claim.get("escapes_iterating") or ()))
            if seen.lost or claim.get("lost"):
                say("lost", name, name in seen.lost, name in (claim.get("lost") or ()))
        if len(seen.forms) <= 1:
            say("leaves_as", "form", seen.forms[0] if seen.forms else None, claim.get("leaves_as"))
        for question, observed, claimed in retry_questions(program, release, seen, claim.get("retry")):
            say("retry", question, observed, claimed)
    return verdicts


def retry_questions(
    program: Program, release: str, seen: SiteTruth, claim: dict | None
) -> Iterable[tuple[str, object, object]]:
    """(question, observed, claimed) about who retries and how."""
    own = program.facts.get("retry")
    retries = seen.retries
    claim = claim or {}
    most_calls, most_requests = max(retries.calls.values(), default=0), max(retries.requests.values(), default=0)
    by_sdk = "sdk" if any(count > retries.calls.get(fault, 0) for fault, count in retries.requests.items()) else None
    if own is None:
        yield "by", by_sdk, claim.get("by")
        return
    effective = own if own == "sdk" or most_calls > 1 else by_sdk
    yield "by", effective, claim.get("by")
    if (effective in (None, "sdk") and own != "sdk") or claim.get("by") != effective:
        return
    inner = int(program.facts.get("inner", "1"))
    yield "bounded", not retries.unbounded, claim.get("bounded")
    if retries.unbounded:
        yield "attempts", None, claim.get("attempts")
    elif program.facts.get("bound") != "time":
        yield "attempts", most_requests if own == "sdk" else most_calls // inner, claim.get("attempts")
    kind = None if program.facts.get("waits") == "unseen" else wait_kind(retries, own, inner)
    if kind is not None:
        claimed = claim.get("wait")
        yield "wait", kind, "some" if kind == "some" and claimed in ("fixed", "growing") else claimed
        if kind != "none":
            yield "jitter", own == "sdk" or has_jitter(retries), bool(claim.get("jitter"))
    retried = retried_names(retries.requests if own == "sdk" else retries.calls, release)
    claimed_names = expand(claim.get("errors") or (), release)
    for name in names_of(release):
        yield f"retries {name}", name in retried, name in claimed_names


def wait_kind(retries: Retries, own: str, inner: int) -> str | None:
    """none, fixed or growing, from the longest series of waits; "some" where one wait tells no more; None: no series.

    Of nested policies, the wait before each further attempt of the outermost is every `inner`-th.
    """
    high = max((retries.sdk_waits if own == "sdk" else retries.waits).values(), key=len, default=[])[inner - 1 :: inner]
    low = max(retries.low_waits.values(), key=len, default=[])[inner - 1 :: inner]
    if not high:
        return None
    if max(high) == 0:
        return "none"
    if len(high) == 1:
        return "some"
    return "growing" if any(series and max(series) > series[0] * 1.2 for series in (high, low)) else "fixed"


def has_jitter(retries: Retries) -> bool:
    """True if low random draws give other waits than high ones."""
    return any(low != retries.waits[fault] for fault, low in retries.low_waits.items())


def retried_names(tries: dict[str, int], release: str) -> set[str]:
    """The documented names under whose faults there was more than one try."""
    names = FAULT_NAMES[min(int(release.partition(".")[0]), 1)]
    return {names[fault] for fault, count in tries.items() if count > 1}


def expand(errors: Iterable[str], release: str) -> set[str]:
    """Documented names in a policy's errors, base classes put out into what they hold."""
    major = min(int(release.partition(".")[0]), 1)
    found: set[str] = set()
    for error in errors:
        name = error.rpartition(".")[2]
        if name in BROAD or (major == 1 and name == "APIError"):
            found.update(DOCUMENTED[major])
        elif major == 1 and name == "APIStatusError":
            found.update(STATUS)
        elif major == 1 and name == "APIConnectionError":
            found.update({"APIConnectionError", "APITimeoutError"})
        else:
            found.add(name)
    return found & set(DOCUMENTED[major])


def table(verdicts: list[Verdict]) -> str:
    """Right, wrong and marked verdicts by what they are about."""
    lines = [f"{'about':12}{'right':>8}{'wrong':>8}{'marked':>8}{'share':>9}"]
    for about in ("escapes", "function", "iterating", "leaves_as", "lost", "retry"):
        mine = [v for v in verdicts if v.about == about]
        open_ones = [v for v in mine if v.limit is None]
        right = sum(v.right for v in open_ones)
        share = f"{right / len(open_ones):9.2%}" if open_ones else ""
        lines.append(f"{about:12}{right:8}{len(open_ones) - right:8}{len(mine) - len(open_ones):8}{share}")
    return "\n".join(lines)


def share(verdicts: list[Verdict], *about: str) -> float:
    """The share of right verdicts among those without a mark."""
    mine = [v for v in verdicts if v.about in about and v.limit is None]
    return sum(v.right for v in mine) / len(mine) if mine else 1.0


def wrong_lines(verdicts: list[Verdict]) -> list[str]:
    """One line for each call and subject that has a wrong verdict."""
    groups: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if not verdict.right and verdict.limit is None:
            groups.setdefault((verdict.program, verdict.site, verdict.about), []).append(verdict)
    lines = []
    for (program, site, about), mine in groups.items():
        if any(v.claimed == "not in the inventory" for v in mine):
            lines.append(f"{program} {site} {about}: not in the inventory")
        else:
            told = "; ".join(f"{v.question}: seen {v.observed}, said {v.claimed}" for v in mine[:12])
            lines.append(f"{program} {site} {about}: {told}")
    return lines
