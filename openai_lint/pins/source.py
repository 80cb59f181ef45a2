"""Pins inside a source: PEP 723 metadata, `%pip install` in notebooks, images of Modal."""

import re
from collections.abc import Iterator
from itertools import takewhile

import tomli

from openai_lint.pins.pin import Pin, either, read_pin
from openai_lint.pins.requirement import read_requirement

_SCRIPT = re.compile(r"^# /// script\s*$\n?", re.MULTILINE)
_INSTALL = re.compile(r"install[ \t]+(?P<arguments>[^\r\n]*(?:(?<=\\)\r?\n[^\r\n]*)*)")
# What may stand before it in its line: a comment sign, the mark of a magic, the interpreter, the installer.
_BEFORE = re.compile(
    r"(?P<comment>#)?\s*(?P<mark>[!%]{0,2})\s*(?:(?:\{?sys\.executable\}?|python3?)\s+-m\s+|uv\s+)?(?:pip3?|conda|mamba)"
)
_IMAGE = re.compile(r"pip_install\s*\((?P<arguments>[^()]{0,4000})")
_ARGUMENT = re.compile(r""""[^"\n]*"|'[^'\n]*'|[^\s"']+""")
_LITERAL = re.compile(r""""([^"\n]*)"|'([^'\n]*)'""")
_UPGRADE = re.compile(r"(?:^|\s)(?:-U|--upgrade)\b")


def pin_in_source(text: str) -> Pin | None:
    """The release of `openai` that a Python source or the joined cells of a notebook name themselves.

    The metadata of a script goes before what it installs; of several installations the last one counts, and an
    upgrade to no named release undoes those before it. An installation that is commented out counts only where no
    other is left: it is mostly the one that was run once. None where nothing is named or no release is given.
    """
    if "install" not in text and "/// script" not in text:
        return None
    return _script(text) or _installed(text, commented=False) or _image(text) or _installed(text, commented=True)


def _script(text: str) -> Pin | None:
    found = _SCRIPT.search(text)
    if found is None:
        return None
    lines = list(takewhile(lambda line: line.startswith("#"), text[found.end() :].splitlines()))
    while lines and lines[-1].rstrip() != "# ///":
        lines.pop()
    try:
        document = tomli.loads("\n".join(line[2:] for line in lines[:-1]))
    except (ValueError, RecursionError):
        return None
    dependencies = document.get("dependencies")
    texts = [item for item in dependencies if isinstance(item, str)] if isinstance(dependencies, list) else []
    return either(pin for item in texts if (pin := _pin(item, text, text.find(item, found.start()))))


def _installed(text: str, *, commented: bool) -> Pin | None:
    pin: Pin | None = None
    for found in _INSTALL.finditer(text):
        line_start = text.rfind("\n", 0, found.start()) + 1
        before = _BEFORE.fullmatch(text[line_start : found.start()].strip()[-200:])
        # Prose such as "# pip install openai" says what to do, not what was done.
        if before is None or bool(before["comment"]) != commented or (commented and not before["mark"]):
            continue
        arguments = found["arguments"].replace("\\\n", " ").replace("\\\r\n", " ")
        for argument in _arguments(arguments):
            requirement = read_requirement(argument)
            if requirement is None:
                continue
            named = _pin(argument, text, found.start())
            if named is not None or _UPGRADE.search(arguments):
                pin = named
    return pin


def _image(text: str) -> Pin | None:
    pins = []
    for found in _IMAGE.finditer(text):
        for literal in _LITERAL.finditer(found["arguments"]):
            pin = _pin(literal[1] or literal[2] or "", text, found.start("arguments") + literal.start())
            pins += [pin] if pin else []
    return either(pins)


def _arguments(text: str) -> Iterator[str]:
    """The words of a command line; a comment ends it."""
    for found in _ARGUMENT.finditer(text):
        if found[0].startswith(("#", "&", ";")):
            return
        yield found[0].strip("\"'").rstrip(";")


def _pin(requirement: str, text: str, at: int) -> Pin | None:
    """The pin of one requirement, None where it is not `openai` or has no bound."""
    read = read_requirement(requirement)
    pin = read_pin(read.specifier, f"line {text.count(chr(10), 0, max(at, 0)) + 1}") if read else None
    return None if pin is None or pin.unbounded else pin
