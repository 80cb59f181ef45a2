"""A comment that silences a rule of this linter silences nothing.

## Why it matters

The comment outlived what it was written for. It will hide the next finding on that line, which nobody has looked at.

## Bad

```py
total = 1 + 1  # openai-lint: ignore[OAI101] the caller handles it
```

## Good

```py
total = 1 + 1
```

## What counts

`# openai-lint: ignore[...]`, `# openai-lint: ignore-file[...]`, and the codes of this linter in `# noqa: ...`. Codes of
other tools are not judged, and neither are the codes of rules that did not run.

## Fix

Safe: the comment, or the code in it that silences nothing, is removed.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.rule import Applicability, Hit, Place, Rule, Severity

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:  # noqa: ARG001 - what is unused is known only when every other rule has run
    """Nothing: the pipeline calls ``hit`` when all other findings have been held against the comments."""
    return ()


def hit(place: Place, idle: tuple[str, ...]) -> Hit:
    """What is said about one comment; ``idle`` are its codes that silence nothing, none for a comment without codes."""
    what = "nothing" if not idle else "no finding of " + " or ".join(idle)
    return Hit(
        place,
        f"this comment silences {what}",
        "Remove the comment." if not idle else f"Remove {', '.join(idle)} from the comment, or the whole comment.",
    )


RULE = Rule("OAI002", "unused-suppression", Severity.WARNING, check, fix=Applicability.SAFE)
