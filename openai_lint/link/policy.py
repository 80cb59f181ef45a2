"""What a retry policy is, whoever writes it down: a library, a framework, a loop."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_lint.facts import Expr, Stmt
from openai_lint.link.predicates import EVERYTHING, Predicate
from openai_lint.link.values import Values

if TYPE_CHECKING:
    from openai_lint.link.index import ModuleInfo


@dataclass(frozen=True, slots=True)
class Policy:
    """Who retries, how often, with which waits, which errors, and what comes out at the end.

    ``attempts`` counts the first call (None: unbounded or unknown). ``wait`` is none, fixed or growing; ``seconds`` a
    fixed wait where it is known (the longest one, where it is random). ``after`` is ``original``, ``nothing`` (a
    callback's value or None) or the dotted class that wraps the last error. ``asynchronous`` / ``generators`` tell
    where the policy works. ``node`` is the decorator, call or loop it is written in. ``follows``: the wait is computed
    from the error or the answer (``Retry-After``). ``repairs``: each attempt asks for something else (a shorter
    prompt). ``sleeper`` is what a library was told to sleep with. ``cover``: taken for a policy by its name.
    ``pending``: an option is still to be found out. ``wraps``: what is not retried leaves as ``after`` too.
    ``second``: a handler makes the call once more. ``family``: the try whose handlers' policies are one together.
    """

    by: str
    node: Expr | Stmt
    module: "ModuleInfo"
    attempts: int | None
    bounded: bool
    wait: str
    jitter: bool
    retries: Predicate = EVERYTHING
    after: str = "original"
    seconds: float | None = None
    asynchronous: bool = True
    generators: bool = False
    enabled: bool = True
    cover: bool = False
    follows: bool = False
    repairs: bool = False
    sleeper: Values | None = None
    pending: bool = False
    wraps: bool = False
    second: bool = False
    family: Stmt | None = None

    @property
    def idle(self) -> bool:
        """Whether it never tries a second time."""
        return not self.enabled or (self.attempts is not None and self.attempts <= 1)
