"""What fixes change, as a unified diff in which keys are shown by their prefix only."""

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from openai_lint.extract.decode import decode
from openai_lint.extract.notebook import cell_texts
from openai_lint.formats.neutral import redacted, visible, without
from openai_lint.report import Sources
from openai_lint.rule import Edit, Fix

REDACTED = (
    "# Keys and control characters are not shown: this diff does not apply as a patch (--fix writes the change).\n"
)

_CONTEXT = 3
_line = re.compile(r"[^\n]*\n|[^\n]+\Z")


def of_files(name: str, path: str, before: bytes, after: bytes, secrets: Collection[str] = ()) -> str:
    """The diff of one file, called ``name``; of a notebook cell by cell. Ends with a line end; empty for no change.

    ``secrets`` are texts that are not shown, besides what has the format of a key.
    """
    if path.endswith(".ipynb"):
        pairs = zip(cell_texts(before), cell_texts(after), strict=True)
        parts = [_unified(f"{name}:cell {number}", old, new, secrets) for (number, old, _), (_, new, _) in pairs]
        return "".join(parts)
    old, new = decode(path, before), decode(path, after)
    return _unified(name, old, new, secrets) if isinstance(old, str) and isinstance(new, str) else ""


def of_fix(fix: Fix, sources: Sources, secrets: Collection[str] = ()) -> list[str]:
    """The changed lines of one fix with a little around them, without line ends."""
    out: list[str] = []
    for path, cell in dict.fromkeys((edit.place.path, edit.place.cell) for edit in fix.edits):
        before = sources.whole(path, cell)
        edits = [edit for edit in fix.edits if (edit.place.path, edit.place.cell) == (path, cell)]
        if before is not None:
            shown = _unified("", before, _applied(before, edits), secrets)
            out += [line for line in shown.split("\n")[:-1] if not line.startswith(("--- ", "+++ "))]
    return out


def _applied(text: str, edits: Sequence[Edit]) -> str:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)

    def offset(line: int, column: int) -> int:
        return min(starts[min(line, len(starts)) - 1] + column - 1, len(text))

    out: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda one: one.place.span):
        first, column, last, end = edit.place.span
        out += [text[at : offset(first, column)], edit.content]
        at = offset(last, end)
    return "".join([*out, text[at:]])


def _unified(name: str, before: str, after: str, secrets: Collection[str]) -> str:
    old, new = _line.findall(before), _line.findall(after)
    # Compared as they are and shown as they may be: a diff of what is shown could leave a changed line out.
    shown_old, shown_new = _shown(before, secrets), _shown(after, secrets)
    hunks: list[str] = []
    hidden = False
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        hunks.append(f"@@ -{_range(i1, i2)} +{_range(j1, j2)} @@\n")
        hidden = hidden or shown_old[i1:i2] != old[i1:i2] or shown_new[j1:j2] != new[j1:j2]
        for kind, first, last, start, stop in group:
            if kind == "equal":
                hunks += [_ended(" " + line) for line in shown_old[first:last]]
            else:
                hunks += [_ended("-" + line) for line in shown_old[first:last]]
                hunks += [_ended("+" + line) for line in shown_new[start:stop]]
    if not hunks:
        return ""
    return "".join([REDACTED if hidden else "", f"--- a/{name}\n", f"+++ b/{name}\n", *hunks])


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _shown(text: str, secrets: Collection[str]) -> list[str]:
    """The lines of a text, without secrets; what hides them leaves the count of lines."""
    lines = _line.findall(text)
    whole = _line.findall(redacted(without(text, [secret for secret in secrets if "\n" not in secret])))
    if len(whole) != len(lines):
        whole = [redacted(without(line, secrets)) for line in lines]
    return [visible(line.rstrip("\n")) + line[len(line.rstrip("\n")) :] for line in whole]


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
