"""What no rule needs to say more about: calls that another rule proves dead."""

from functools import lru_cache
from typing import TYPE_CHECKING

from openai_lint import rules
from openai_lint.link.values import Site
from openai_lint.rule import Place

if TYPE_CHECKING:
    from openai_lint.link import Project

PROVERS = ("OAI405", "OAI407", "OAI410")
"""Rules whose finding means that the request never goes out."""


@lru_cache(maxsize=1)
def dead_calls(project: "Project") -> frozenset[Site]:
    """The calls that make no request: the method is gone, nobody awaits it, or an option makes it a TypeError.

    It holds whether or not those rules were selected. From 1.0 on a wrong option stops the call; 0.x ignores it.
    """
    known = {entry.code for entry in rules.catalogue()}
    places: dict[Place, str] = {}
    for code in PROVERS:
        if code in known:
            for hit in rules.load(code).check(project):
                places[hit.anchor or hit.place] = code
    dead: set[Site] = set()
    for call in project.calls:
        prover = places.get(project.place(call.module, call.site.node.span))
        if prover is not None and not (prover == "OAI410" and call.site.era == 0):
            dead.add(call.site)
    return frozenset(dead)
