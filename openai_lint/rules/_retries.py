"""Each retry policy of the project once, with the calls that it retries: what the rules about backoff start from."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint.escapes import RAW, Leak
from openai_lint.facts import Call, For, Span, While
from openai_lint.link.index import ModuleInfo
from openai_lint.link.inventory import sdk_retries
from openai_lint.link.policy import Policy
from openai_lint.link.project import ApiCall
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import Rewrite
from openai_lint.rule import Hit, Place, Related, Severity
from openai_lint.rules._noise import dead_calls

if TYPE_CHECKING:
    from openai_lint.link import Project

SHORT = 1.0
"""Seconds below which a wait does not let a limit pass."""

_MOST_RELATED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Retry:
    """One policy where it is written, and what it retries: documented names by call.

    ``variants`` are the readings of the same code (a decorator factory with other arguments); ``policy`` is the first.
    """

    policy: Policy
    variants: tuple[Policy, ...]
    errors: dict[ApiCall, frozenset[str]]

    @property
    def calls(self) -> tuple[ApiCall, ...]:
        """The calls, in order of place."""
        return tuple(sorted(self.errors, key=lambda call: (call.module.path, call.site.node.span)))

    @property
    def names(self) -> tuple[str, ...]:
        """Every documented name that is retried, in the order of the guide."""
        found = frozenset().union(*self.errors.values())
        release = self.calls[0].release
        return tuple(name for name in release.documented if name in found)

    @property
    def transient(self) -> tuple[str, ...]:
        """Those of the names that may pass when tried again."""
        return tuple(name for name in self.names if name in self.calls[0].release.transient)

    @property
    def waited_for(self) -> tuple[str, ...]:
        """The transient names, if one of them is an error that everybody meets (a conflict alone is none)."""
        return self.met(self.transient)

    def met(self, names: Iterable[str]) -> tuple[str, ...]:
        """The transient ones of these names, if one of them is an error that everybody meets."""
        release = self.calls[0].release
        found = tuple(name for name in names if name in release.transient)
        return found if any(name in release.triggers_transient for name in found) else ()

    @property
    def subject(self) -> str:
        """The policy as a message names it."""
        by = self.policy.by
        if by != "loop":
            return f"this {by} policy"
        if self.policy.second:
            return "this second try"
        return "this retry loop" if isinstance(self.policy.node, (For, While)) else "this recursion"


@lru_cache(maxsize=1)
def retries(project: "Project") -> tuple[Retry, ...]:
    """Every policy that tries a second time, in order of place; what is taken for one by its name is left out."""
    dead = dead_calls(project)
    by_site = {call.site: call for call in project.calls}
    groups: dict[tuple[ModuleInfo, object], list[Policy]] = defaultdict(list)
    errors: dict[tuple[ModuleInfo, object], dict[ApiCall, set[str]]] = defaultdict(lambda: defaultdict(set))
    for policy, sites in project.policies().items():
        if policy.cover or policy.idle:
            continue
        key = (policy.module, _whole(project, policy))
        for site, names in sites.items():
            call = by_site.get(site)
            if call is None or site in dead:
                continue
            known = names & set(call.release.documented)
            if known:
                errors[key][call] |= known
                if policy not in groups[key]:
                    groups[key].append(policy)
    found = [
        Retry(
            min(policies, key=lambda one: one.node.span),
            tuple(policies),
            {call: frozenset(names) for call, names in errors[key].items()},
        )
        for key, policies in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.policy.module.path, one.policy.node.span)))


def _whole(project: "Project", policy: Policy) -> object:
    """What makes one policy: its node; for recursion the function, in which several handlers may call it again."""
    if policy.by == "loop" and isinstance(policy.node, Call):
        return tree_of(project, policy.module).runner(policy.node) or policy.node
    return policy.node


def sdk_requests(call: ApiCall) -> int | None:
    """How many requests the SDK makes for one call before it gives up; None where the code hides that."""
    found = {sdk_retries(client, call) for client in call.clients} or {sdk_retries(None, call)}
    known = [count for count in found if count is not None]
    return max(known) + 1 if known else None


def certain(project: "Project", retry: Retry, call: ApiCall, name: str) -> bool:
    """Whether the policy retries this error whatever else is true of it."""
    return any(project.engine.policies.accepts(policy, _raw(call, name)) is True for policy in retry.variants)


def _raw(call: ApiCall, name: str) -> Leak:
    return Leak(call.site, name, f"openai.{name}", RAW, False, 0)


# --- places and words


def header(module: ModuleInfo, span: Span) -> Span:
    """The first line of what spans several."""
    if span[0] == span[2]:
        return span
    line = module.facts.text.split("\n")[span[0] - 1]
    return (span[0], span[1], span[0], len(line.rstrip()) + 1)


def taken_up(project: "Project", retry: Retry, policies: Iterable[Policy]) -> tuple[str, ...]:
    """The names that some of a retry's variants surely retry, in the order of the guide."""
    chosen = [(policy, project.policies()[policy]) for policy in policies]
    found = {
        name
        for call, names in retry.errors.items()
        for name in names
        if any(
            name in sites.get(call.site, ()) and project.engine.policies.accepts(policy, _raw(call, name)) is True
            for policy, sites in chosen
        )
    }
    return tuple(name for name in retry.names if name in found)


def place(project: "Project", policy: Policy) -> Place:
    """Where a policy is shown: the decorator or call; the first line of a loop."""
    return project.place(policy.module, header(policy.module, policy.node.span))


def hit(
    project: "Project",
    retry: Retry,
    message: str,
    help_text: str,
    errors: Iterable[str] = (),
    severity: Severity | None = None,
    rewrite: Rewrite | None = None,
    policy: Policy | None = None,
) -> Hit:
    """What a rule says about a policy (or one of its variants), with the calls that it retries as related places."""
    first = retry.calls[0]
    related = tuple(
        Related(project.place(call.module, call.site.node.span), f"retries `{call.site.path}`, called here")
        for call in retry.calls[:_MOST_RELATED]
    )
    return Hit(
        place(project, policy or retry.policy),
        message,
        help_text,
        tuple(errors),
        first.release.version,
        first.site.path,
        related,
        severity=severity,
        rewrite=rewrite,
    )


def counted(number: int, word: str) -> str:
    """``1 attempt``, ``6 attempts``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def seconds(value: float) -> str:
    """A time in words."""
    return f"{value:g} s"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence."""
    found = list(names)
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1])))
