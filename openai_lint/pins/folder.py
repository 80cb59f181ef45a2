"""What the files of one folder say together about `openai`."""

import configparser
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from openai_lint.pins.conda import read_environment
from openai_lint.pins.disk import Disk
from openai_lint.pins.locks import Lock, read_pipfile_lock, read_pixi_lock, read_toml_lock
from openai_lint.pins.manifests import named_requirements, read_setup_cfg, read_toml
from openai_lint.pins.pin import Mention, Pin, Weight, combined, narrowed
from openai_lint.pins.reqfiles import read_requirements
from openai_lint.pins.setup_py import read_setup_py

_Reader = Callable[[str, str], Iterable[Mention]]

# In the order of what they say about the code: metadata that ships, then what is installed beside it.
_MANIFESTS: dict[str, _Reader] = {
    "pyproject.toml": read_toml,
    "setup.py": read_setup_py,
    "setup.cfg": read_setup_cfg,
    "pipfile": read_toml,
    "pixi.toml": read_toml,
}
_LOCKS: dict[str, Callable[[str, str], Lock | None]] = {
    "uv.lock": read_toml_lock,
    "poetry.lock": read_toml_lock,
    "pdm.lock": read_toml_lock,
    "pylock.toml": read_toml_lock,
    "pipfile.lock": read_pipfile_lock,
    "pixi.lock": read_pixi_lock,
}
_REQUIREMENTS = re.compile(r"[\w.-]*requirements[\w.-]*\.(?:txt|in|lock)", re.IGNORECASE)
_IN_REQUIREMENTS = re.compile(r"[\w.-]+\.(?:txt|in)", re.IGNORECASE)
_FIRST = re.compile(r"requirements\.txt|requirements/(?:base|common|main|prod|production)\.txt", re.IGNORECASE)
_NAME = re.compile("openai", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"(?:conda|env|environment)[\w.-]*\.ya?ml", re.IGNORECASE)
_ASIDE = re.compile(
    r"(?<![a-z])(?:dev|develop|development|tests?|testing|docs?|lint|ci|examples?|optional|extras?|bench|benchmarks?)"
    r"(?![a-z])",
    re.IGNORECASE,
)
# What the readers raise on a file that is not of their format.
_BROKEN = (ValueError, SyntaxError, RecursionError, MemoryError, configparser.Error)


@dataclass(frozen=True, slots=True)
class Folder:
    """`named`: whether a file asks for `openai` at all; `pin`: the version it gives, if any."""

    named: bool
    pin: Pin | None
    locks: tuple[Lock, ...]


def read_folder(folder: str, disk: Disk) -> Folder:
    """Read the files of `folder` (relative to the disk's root, "" for the root itself) that pin dependencies."""
    names = disk.names(folder)
    said = [entry for mentions in _manifests(folder, names, disk) for entry in _by_weight(mentions)]
    return _settled(sorted(said, key=lambda entry: entry[0]), list(_locks(folder, names, disk)), disk)


def _manifests(folder: str, names: list[str], disk: Disk) -> Iterator[list[Mention]]:
    """The mentions in each file that names `openai`, in the order in which files are believed."""
    shipped: list[str] = []
    for key, reader in _MANIFESTS.items():
        for name in _named(key, names):
            path = posixpath.join(folder, name)
            yield _mentions(path, reader, disk)
            if key == "pyproject.toml":
                shipped = _dynamic(path, disk)
    for name in dict.fromkeys([*shipped, *_requirements(folder, names, disk)]):
        weight = Weight.OPTIONAL if name not in shipped and _ASIDE.search(name) else Weight.MAIN
        reader = partial(read_requirements, weight=weight, load=disk.text)
        yield _mentions(posixpath.join(folder, name), reader, disk, whatever_it_names=True)
    for name in filter(_ENVIRONMENT.fullmatch, names):
        weight = Weight.OPTIONAL if _ASIDE.search(name) else Weight.MAIN
        yield _mentions(posixpath.join(folder, name), partial(read_environment, weight=weight), disk)


def _locks(folder: str, names: list[str], disk: Disk) -> Iterator[Lock]:
    for key, reader in _LOCKS.items():
        for name in _named(key, names):
            path = posixpath.join(folder, name)
            text = disk.text_with(b"openai", path)
            try:
                lock = reader(text, path) if text else None
            except _BROKEN as error:
                disk.note(path, error)
                continue
            if lock is not None:
                yield lock


def _mentions(path: str, reader: _Reader, disk: Disk, *, whatever_it_names: bool = False) -> list[Mention]:
    """What `reader` finds in a file.

    `whatever_it_names`: the file may include others, so that its own text need not say `openai`.
    """
    text = disk.text(path)
    if not text or not (_NAME.search(text) or whatever_it_names):
        return []
    try:
        return list(reader(text, path))
    except _BROKEN as error:
        disk.note(path, error)
        return []


def _dynamic(path: str, disk: Disk) -> list[str]:
    """The requirements files that a `pyproject.toml` takes its dependencies from."""
    text = disk.text(path) or ""
    if "dynamic" not in text:
        return []
    try:
        return named_requirements(text)
    except _BROKEN:
        return []  # noted when its own dependencies were read, or of no interest


def _requirements(folder: str, names: list[str], disk: Disk) -> list[str]:
    """Requirements files of a folder and of its `requirements/`, the one that is installed first."""
    found = [name for name in names if _REQUIREMENTS.fullmatch(name)]
    if "requirements" in names:
        inner = disk.names(posixpath.join(folder, "requirements"))
        found += [f"requirements/{name}" for name in inner if _IN_REQUIREMENTS.fullmatch(name)]
    return sorted(found, key=lambda name: (_FIRST.fullmatch(name) is None, "/" in name))


def _named(key: str, names: list[str]) -> list[str]:
    return [name for name in names if name.lower() == key]


def _by_weight(mentions: list[Mention]) -> Iterator[tuple[Weight, Pin]]:
    """What one file says, for each weight that occurs in it; its constraints narrow each of them."""
    limits = [mention for mention in mentions if mention.weight is Weight.CONSTRAINT]
    weights = {mention.weight for mention in mentions if mention.weight is not Weight.CONSTRAINT}
    for weight in sorted(weights):
        asked = [mention for mention in mentions if mention.weight is weight]
        if (pin := combined(asked, limits)) is not None:
            yield weight, pin
    if not weights and (pin := combined(limits, [])) is not None:
        yield Weight.CONSTRAINT, pin


def _settled(said: list[tuple[Weight, Pin]], locks: list[Lock], disk: Disk) -> Folder:
    """One pin out of all: the first manifest with a version, made exact by a lock file or manifest that agrees."""
    bounded = [(weight, pin) for weight, pin in said if not pin.unbounded]
    pin = bounded[0][1] if bounded else locks[0].pin if locks else None
    if bounded and pin is not None and not pin.exact:
        for lock in locks:
            if narrowed(pin, lock.pin) is None:
                asked = f"{pin.source} asks for {pin.specifier}"
                disk.notes.append(f"{lock.pin.source}: {lock.pin.specifier} is out of date, {asked}")
        exact = [other for weight, other in bounded if other.exact and weight is Weight.MAIN]
        agreeing = (narrowed(pin, other) for other in (*(lock.pin for lock in locks), *exact))
        pin = next((found for found in agreeing if found is not None), pin)
    if pin is not None and said and said[0][0] is not Weight.MAIN:
        pin = replace(pin, aside=True)
    return Folder(bool(said or locks), pin, tuple(locks))
