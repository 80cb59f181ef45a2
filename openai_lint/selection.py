"""Which rules run for a file: selectors (codes, names, prefixes, ALL) in layers, the more specific one winning."""

from dataclasses import dataclass
from functools import cache

from openai_lint import rules
from openai_lint.config import Config, ConfigError, Selection, nearest

COMMAND_LINE = "command line"


class SelectorError(Exception):
    """A selector on the command line that matches no rule."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The codes that run, and those of them that were selected by their full code or name."""

    codes: frozenset[str]
    exact: frozenset[str]


@cache
def resolve(selector: str) -> tuple[int, frozenset[str]]:
    """How specific a selector is, and what it matches: 0 for ALL, the length of a prefix, 100 for a code or a name.

    Raises KeyError if it matches no rule.
    """
    if selector.upper() == "ALL":
        return 0, frozenset(entry.code for entry in rules.catalogue())
    for entry in rules.catalogue():
        if selector.upper() == entry.code or selector.lower() == entry.name:
            return 100, frozenset({entry.code})
    found = frozenset(entry.code for entry in rules.catalogue() if entry.code.startswith(selector.upper()))
    if not found or not selector:
        raise KeyError(selector)
    return len(selector), found


def codes(selectors: tuple[str, ...], origin: str, key: str) -> frozenset[str]:
    """Every code that one of the selectors matches. Raises as ``check`` does."""
    found: frozenset[str] = frozenset()
    for selector in selectors:
        try:
            found |= resolve(selector)[1]
        except KeyError:
            raise _unknown(selector, origin, key) from None
    return found


def validate(config: Config) -> None:
    """Raises for the first selector in the configuration that matches no rule, as ``chosen`` does; imports no rule."""
    for layer in config.layers:
        codes(layer.select or (), layer.origin, "select")
        codes(layer.extend, layer.origin, "extend-select")
        codes(layer.ignore, layer.origin, "ignore")
    origin = config.origin
    codes(tuple(written for written, _ in config.severity), origin, "severity")
    for _, selectors in config.per_file_ignores:
        codes(selectors, origin, "per-file-ignores")
    for key in ("fixable", "unfixable", "extend_safe_fixes", "extend_unsafe_fixes"):
        codes(getattr(config, key) or (), origin, key.replace("_", "-"))


def chosen(config: Config) -> Chosen:
    """The rules that run for files with this configuration.

    Raises ConfigError for a selector in a file, and SelectorError for one on the command line, that matches no rule.
    """
    return _chosen(config.layers)


@cache
def _chosen(layers: tuple[Selection, ...]) -> Chosen:
    running: set[str] | None = None
    exact: set[str] = set()
    for layer in layers:
        steps: list[tuple[int, bool, frozenset[str]]] = []
        for key, selectors, ignored in (
            ("select", layer.select or (), False),
            ("extend-select", layer.extend, False),
            ("ignore", layer.ignore, True),
        ):
            for selector in selectors:
                try:
                    weight, matched = resolve(selector)
                except KeyError:
                    raise _unknown(selector, layer.origin, key) from None
                steps.append((weight, ignored, matched))
        if layer.select is not None:
            running, exact = set(), set()
        elif running is None:
            running = {entry.code for entry in rules.catalogue() if rules.load(entry.code).default}
        for weight, ignored, matched in sorted(steps, key=lambda step: step[:2]):
            if ignored:
                running -= matched
                exact -= matched
            else:
                running |= matched
                exact |= matched if weight == 100 else frozenset()
    return Chosen(frozenset(running or ()), frozenset(exact))


def _unknown(selector: str, origin: str, key: str) -> Exception:
    known = [entry.code for entry in rules.catalogue()] + [entry.name for entry in rules.catalogue()] + ["ALL"]
    hint = nearest(selector.upper(), known) or nearest(selector.lower(), known)
    message = f"no rule matches {selector!r}{hint}"
    if origin == COMMAND_LINE:
        return SelectorError(f"--{key}: {message} (openai-lint --list-rules shows them all)")
    return ConfigError(origin, key, message)
