"""From 0.x to 1.0 and later, and back: what replaces what."""

from collections.abc import Mapping

from .data_files import read


def error_replacements(to_major: int) -> Mapping[str, tuple[str, ...]]:
    """Class name of the other era -> the classes that stand for it in `to_major`; empty where none does."""
    rows = read("migration")["errors" if to_major > 0 else "errors_back"]
    return {name: tuple(into) for name, into in rows.items()}


def attribute_replacements() -> Mapping[str, str | None]:
    """Attribute of a 0.x error -> what holds the same from 1.0 on (may be dotted); None where nothing does."""
    return dict(read("migration")["attributes"])


def call_replacement(path: str) -> str | None:
    """`ChatCompletion.acreate` -> `chat.completions.create`; None where the API is gone."""
    calls = read("migration")["calls"]
    owner, _, name = path.partition(".")
    found = calls.get(path) or (calls.get(f"{owner}.{name[1:]}") if name.startswith("a") else None)
    return None if found is None else str(found)


def call_option_replacements() -> Mapping[str, str]:
    """Option of a 0.x call -> the option of the call from 1.0 on."""
    return dict(read("migration")["call_options"])


def client_only_options() -> Mapping[str, str]:
    """Option that calls take no longer (or never did) -> the option of the client that does it from 1.0 on."""
    return dict(read("migration")["client_only_options"])


def module_attribute_replacements() -> Mapping[str, str | None]:
    """Setting of the 0.x module -> the setting from 1.0 on; None where nothing replaces it."""
    return dict(read("migration")["module_attributes"])
