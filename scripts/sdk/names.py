"""Where names live in the running release."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

OPTIONS = frozenset(
    {
        "timeout",
        "request_timeout",
        "max_retries",
        "api_key",
        "api_base",
        "api_type",
        "api_version",
        "organization",
        "stream",
        "headers",
        "extra_headers",
        "extra_query",
        "extra_body",
        "idempotency_key",
        "poll_interval_ms",
        "max_wait_seconds",
        "engine",
        "deployment_id",
        "model",
        "user",
        "request_id",
    }
)
"""Options of calls that rules ask about; the hundreds of others are of no interest here."""


def import_all(package: str, skip: tuple[str, ...] = ()) -> None:
    """Import every module of a package, as far as its optional requirements are there."""
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda name: None):
        if found.name.startswith(skip) or found.name.endswith(".__main__"):
            continue
        try:
            importlib.import_module(found.name)
        except BaseException:  # an optional requirement, or a script that exits
            continue


def submodules(package: ModuleType) -> list[str]:
    """Names of the modules right beneath a package, loaded or not."""
    return sorted(found.name for found in pkgutil.iter_modules(package.__path__))


def reachable_modules(package: str) -> set[str]:
    """Modules that attribute access reaches after `import <package>` alone."""
    found, todo = {package}, [(package, sys.modules[package])]
    while todo:
        name, module = todo.pop()
        for key, value in list(vars(module).items()):
            dotted = f"{name}.{key}"
            if issubclass(type(value), ModuleType) and value.__name__ == dotted and dotted not in found:
                found.add(dotted)
                todo.append((dotted, value))
    return found


def namespaces(modules: "tuple[str, ...] | None") -> Iterator[tuple[str, str, Any]]:
    """(module, name, value) of the given modules, or of every imported module of the SDK."""
    wanted = modules or sorted(n for n in sys.modules if n == "openai" or n.startswith("openai."))
    for module in wanted:
        if module not in sys.modules:
            continue
        for name, value in sorted(vars(sys.modules[module]).items(), key=lambda item: item[0]):
            yield module, name, value


def is_class(value: Any) -> bool:
    """True for classes; does not wake the SDK's lazy proxies, as `isinstance` does."""
    return issubclass(type(value), type)


def exception_tree(module: ModuleType) -> dict[str, list[str]]:
    """Every exception that a module offers, with the names of all its bases, nearest first."""
    tree = {}
    for name, value in sorted(vars(module).items()):
        if is_class(value) and issubclass(value, Exception) and value.__module__ != "builtins":
            tree[name] = [base.__name__ for base in value.__mro__[1:] if base is not object]
    return tree
