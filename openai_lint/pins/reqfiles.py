"""Requirements files: what pip reads, with `-r`, `-c`, continuation lines, hashes and comments."""

import posixpath
import re
from collections.abc import Callable, Iterator

from openai_lint.pins.pin import Mention, Weight, mention
from openai_lint.pins.requirement import read_requirement

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_INCLUDE = re.compile(r"\s*(?:(?P<constraint>-c|--constraint)|-r|--requirement)(?:[\s=]+|(?<=-[rc]))(?P<path>\S.*)")
_EDITABLE = re.compile(r"\s*(?:-e|--editable)[\s=]+")

Load = Callable[[str], str | None]
"""The text of a file by its path relative to the root; None where it cannot be had."""


def read_requirements(text: str, name: str, weight: Weight, load: Load) -> Iterator[Mention]:
    """The mentions of `openai` in the file `name` and the files that it includes, each file once."""
    yield from _read(text, name, weight, load, {name})


def _read(text: str, name: str, weight: Weight, load: Load, seen: set[str]) -> Iterator[Mention]:
    for number, line in _logical_lines(text):
        include = _INCLUDE.fullmatch(line)
        if include is not None:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), include["path"].strip().strip("\"'")))
            if path in seen or "://" in include["path"]:
                continue
            seen.add(path)
            included = load(path)
            if included is not None:
                yield from _read(included, path, Weight.CONSTRAINT if include["constraint"] else weight, load, seen)
            continue
        requirement = read_requirement(_EDITABLE.sub("", line))
        if requirement is not None:
            yield mention(requirement.specifier, f"{name}:{number}", weight, conditional=requirement.conditional)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, continued ones joined, each with the number of its first line (from 1)."""
    joined, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first or number
        # pip: a comment line ends a continuation, its own backslash continues nothing.
        if line.endswith("\\") and not _COMMENT.match(line):
            joined += line[:-1] + " "
            continue
        joined += line
        stripped = _COMMENT.sub("", joined).strip()
        if stripped:
            yield first, stripped
        joined, first = "", 0
    if joined.strip():
        yield first, _COMMENT.sub("", joined).strip()
