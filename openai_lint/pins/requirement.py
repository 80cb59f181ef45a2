"""Requirements as PEP 508 and pip write them, as far as they speak of `openai`."""

import re
from typing import NamedTuple

_NAMED = re.compile(
    r"""\s*(?:[\w.-]+::)?                       # a conda channel
    (?P<name>[A-Za-z0-9][A-Za-z0-9._-]*?)\s*
    (?:\[[^\]]*\]\s*)?                          # extras
    (?P<rest>\s*(?:$|[;@(<>=!~^*|].*)|\s+(?:v?\d|--?\w).*)""",
    re.VERBOSE | re.DOTALL,
)
_OPTIONS = re.compile(r"\s--?[a-zA-Z].*", re.DOTALL)
_OUR_URL = re.compile(
    r"[#&]egg=openai(?![\w.-])|/openai-python(?:\.git)?(?=[@/#\s]|$)|/openai-\d[^/]*\.(?:whl|tar\.gz|zip)",
    re.IGNORECASE,
)
_VERSION_IN_URL = re.compile(
    r"/openai-(?P<file>\d[^-/]*?)(?:-py|\.tar\.gz|\.zip)"
    r"|(?:@|/tags?/|/archive/|/releases/download/)v?(?P<tag>\d+(?:\.\d+)+[a-z0-9.]*?)(?:\.zip|\.tar\.gz)?(?=[#&?/;\s]|$)",
    re.IGNORECASE,
)


class Requirement(NamedTuple):
    """A requirement of `openai`: its specifier as written, and whether a marker makes it conditional."""

    specifier: str
    conditional: bool


def normalized(name: str) -> str:
    """A package name as PEP 503 compares it: `Open_AI` and `open-ai` are one, and not `openai`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirement(text: str) -> Requirement | None:
    """The requirement in `text` if it asks for `openai`, else None. Markers are seen, not evaluated."""
    found = _NAMED.fullmatch(text)
    if found is None or normalized(found["name"]) != "openai":
        return Requirement(version_in_url(text), False) if _OUR_URL.search(text) else None
    rest = found["rest"].strip()
    if rest.startswith("@"):
        return Requirement(version_in_url(rest), ";" in rest)
    specifier, semicolon, _ = rest.partition(";")
    specifier = _OPTIONS.sub("", f" {specifier}").strip()
    return Requirement(specifier.removeprefix("(").removesuffix(")").strip(), bool(semicolon))


def version_in_url(url: str) -> str:
    """`==1.2.3` for the address of a tagged or built release, else nothing: a branch may be any release."""
    found = _VERSION_IN_URL.search(url)
    return f"=={found['file'] or found['tag']}" if found else ""
