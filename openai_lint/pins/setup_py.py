"""`setup.py`, read without being run: literals, and names that stand for literals."""

import ast
import warnings
from collections.abc import Iterator

from openai_lint.pins.pin import Mention, Weight, read_pin
from openai_lint.pins.requirement import read_requirement

_PLACES = {
    "install_requires": Weight.MAIN,
    "requires": Weight.MAIN,
    "extras_require": Weight.OPTIONAL,
    "tests_require": Weight.OPTIONAL,
}


def read_setup_py(text: str, name: str) -> Iterator[Mention]:
    """The mentions of `openai` among the dependencies; raises SyntaxError or ValueError if `text` is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    bound = _bindings(tree)
    for key, expression in _places(tree):
        for constant in _strings(expression, bound, set()):
            for line in str(constant.value).splitlines():
                requirement = read_requirement(line)
                pin = read_pin(requirement.specifier, f"{name}:{constant.lineno}") if requirement else None
                if requirement and pin:
                    yield Mention(pin, _PLACES[key], requirement.conditional)


def _places(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """The expressions given as dependencies: `setup(install_requires=...)`, also in a dict."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in _PLACES:
            yield node.arg, node.value
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _PLACES:
                    yield str(key.value), value


def _bindings(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """For each name what it may stand for: assigned values, what is added to it, and the functions of that name."""
    bound: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    base = target.value if isinstance(target, ast.Subscript) else target
                    if isinstance(base, ast.Name):
                        bound.setdefault(base.id, []).append(value)
            case (
                ast.AnnAssign(target=ast.Name(id=key), value=ast.expr() as value)
                | ast.AugAssign(target=ast.Name(id=key), value=value)
            ):
                bound.setdefault(key, []).append(value)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=key), attr="append" | "extend" | "update"), args=[added]
            ):
                bound.setdefault(key, []).append(added)
            case ast.FunctionDef(name=key):
                bound.setdefault(key, []).append(node)
            case _:
                pass
    return bound


def _strings(node: ast.AST, bound: dict[str, list[ast.AST]], seen: set[str]) -> Iterator[ast.Constant]:
    """The string literals in `node` and in what its names stand for."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner
        elif isinstance(inner, ast.Name) and inner.id not in seen:
            seen.add(inner.id)
            for value in bound.get(inner.id, []):
                yield from _strings(value, bound, seen)
