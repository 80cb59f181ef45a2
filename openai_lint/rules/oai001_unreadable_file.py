"""A file, or a cell of a notebook, cannot be decoded or parsed; the run goes on without it.

## Why it matters

Nothing that stands in the file has been judged: not its calls, and not the callers that might handle the errors of
others. A clean report that left a file out would not be true.

## Bad

```py
client = OpenAI(
```

## Good

```py
from openai import OpenAI

client = OpenAI()
```

## What counts

Files that matter to the linter (they import the SDK, name its methods, or may hold a key), and every file that the
command line names. Python newer than the running interpreter is read as well. In a notebook, magics and shell lines are
fine; a cell that cannot be read is reported, and the other cells are read without it.

## Fix

None. Mend the file, or leave it out with `exclude`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openai_lint.facts import Unreadable
from openai_lint.rule import Hit, Place, Rule, Severity

if TYPE_CHECKING:
    from openai_lint.link import Project


def check(project: "Project") -> Iterable[Hit]:  # noqa: ARG001 - such a file is in no project
    """Nothing: the pipeline calls ``hit`` for each file or cell that could not be read."""
    return ()


def hit(unreadable: Unreadable) -> Hit:
    """What is said about one of them."""
    line, column = unreadable.line, unreadable.column
    what = "this cell" if unreadable.cell is not None else "this file"
    name = unreadable.path.rpartition("/")[2]
    return Hit(
        Place(unreadable.path, unreadable.cell, (line, column, line, column + 1)),
        f"{what} was not checked: {unreadable.reason}",
        f'Mend it, or leave it out: extend-exclude = ["{name}"]',
    )


RULE = Rule("OAI001", "unreadable-file", Severity.ERROR, check)
