"""The identifier of an organisation or project is written in the code.

## Why it matters

It is no secret, but it ties the program to one account: with another key every request fails with a 401 or 403 that
speaks of an organisation nobody remembers to have named.

## Bad

```py
from openai import OpenAI

client = OpenAI(organization="org-aB3dE6gH9jK2mN5pQ8sT1vW4")
```

## Good

```py
from openai import OpenAI

client = OpenAI()  # reads OPENAI_ORG_ID and OPENAI_PROJECT_ID from the environment
```

## What counts

A literal that is `org-` or `proj_` and 24 letters and digits, and no placeholder.

## Fix

Unsafe: the environment is read instead.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Arg, Assign, Attr, Const
from openai_lint.keys import looks_like_org
from openai_lint.link.index import ModuleInfo
from openai_lint.link.tree import tree_of
from openai_lint.rewrites import RemoveArguments, RemoveStatement, Rewrite
from openai_lint.rule import Applicability, Hit, Rule, Severity

if TYPE_CHECKING:
    from openai_lint.link import Project

_VARIABLES = {"org-": "OPENAI_ORG_ID", "proj_": "OPENAI_PROJECT_ID"}


def check(project: "Project") -> Iterable[Hit]:
    """Every literal that is such an identifier."""
    for module in project.modules:
        for node in tree_of(project, module).of(Const):
            if isinstance(node.value, str) and looks_like_org(node.value):
                prefix = next(prefix for prefix in _VARIABLES if node.value.startswith(prefix))
                variable = _VARIABLES[prefix]
                if prefix == "org-" and project.engine.catalogue(module, 1).major == 0:
                    variable = "OPENAI_ORGANIZATION"
                what = "organisation" if prefix == "org-" else "project"
                yield Hit(
                    project.place(module, node.span),
                    f"the identifier of an OpenAI {what} ({prefix}…) is written in the code",
                    f"Leave it out: the client reads {variable} from the environment by itself.",
                    rewrite=_rewrite(project, module, node),
                )


def _rewrite(project: "Project", module: ModuleInfo, node: Const) -> Rewrite | None:
    """The argument of a client, or the assignment to an attribute, taken out."""
    tree = tree_of(project, module)
    parent = tree.parent(node)
    message = "leave it to the environment"
    if isinstance(parent, Arg) and parent.keyword in ("organization", "project"):
        call = tree.parent(parent)
        return Rewrite(module.path, message, (RemoveArguments(call.span, (node.span,)),))
    if isinstance(parent, Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], Attr):
        return Rewrite(module.path, message, (RemoveStatement(node.span),))
    return None


RULE = Rule("OAI306", "hardcoded-organization", Severity.INFO, check, default=False, fix=Applicability.UNSAFE)
