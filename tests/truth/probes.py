"""How the program's modules are compiled: the functions around a marked call tell which errors leave them."""

import ast
import contextlib
import functools
import importlib.machinery
import inspect
import os
import sys
from pathlib import Path

from . import watch


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles the program's modules; functions around a marked call also tell which errors leave them."""

    def source_to_code(self, data, path, *, _optimize=-1):
        return compile(watched(data, str(path)), path, "exec", dont_inherit=True, optimize=_optimize)


def watched(source: bytes | str, path: str) -> ast.Module:
    """The program's tree in which each function that encloses a site reports what leaves it."""
    tree = ast.parse(source, path)
    by_lines: dict[tuple[int, int], list[str]] = {}
    for site in watch.now.job.get("sites", []):
        if site["function"] and str(Path(watch.now.folder, site["path"])) == path:
            by_lines.setdefault(tuple(site["function"]), []).append(site["id"])
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if sites := by_lines.get((first, node.end_lineno)):
                wrap(node, ",".join(sites))
    return ast.fix_missing_locations(tree)


class Returns(ast.NodeTransformer):
    """What the function returns is looked at: a stream or coroutine takes its errors elsewhere."""

    def __init__(self, sites: str) -> None:
        self.sites = sites

    def visit_FunctionDef(self, node):
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_Return(self, node):
        if node.value is not None:
            call = ast.parse(f"__truth_returned__({self.sites!r}, 0)", mode="eval").body
            for part in ast.walk(call):
                if hasattr(part, "lineno"):
                    ast.copy_location(part, node.value)
            call.args[1] = node.value
            node.value = call
        return node


def wrap(node, sites: str) -> None:
    probe = ast.parse(f"try:\n pass\nexcept BaseException:\n __truth__({sites!r})\n raise").body[0]
    last = node.body[-1]
    for part in ast.walk(probe):
        if hasattr(part, "lineno"):
            ast.copy_location(part, last)
    Returns(sites).generic_visit(node)
    docstring = node.body[:1] if ast.get_docstring(node) is not None else []
    probe.body = node.body[len(docstring) :] or [ast.copy_location(ast.Pass(), last)]
    node.body = [*docstring, probe]
    decorators: list = []
    for level, decorator in enumerate(reversed(node.decorator_list), 1):
        probing = ast.parse(f"__truth_level__({sites!r}, {level})", mode="eval").body
        for part in ast.walk(probing):
            if hasattr(part, "lineno"):
                ast.copy_location(part, decorator)
        decorators = [probing, decorator, *decorators]
    node.decorator_list = decorators


def level_probe(sites: str, level: int):
    """A decorator that tells what leaves a function after so many of its own decorators; it keeps the function's kind.

    What is no function any more (a property, a task, a command) is left alone, but for instances of its own classes.
    """

    def noted(error_out: type, *_: object) -> None:
        if error_out is not None:
            watch.now.note_function(sites, level)

    stacked = contextlib.ExitStack  # each call pushes `noted` on a stack of its own

    def decorate(made):
        own = getattr(sys.modules.get(type(made).__module__), "__file__", None) or ""
        if not inspect.isfunction(made) and not (callable(made) and own.startswith(watch.now.folder)):
            return made
        if inspect.isasyncgenfunction(made):

            async def probed(*args, **kw):
                watch.now.note_entered(sites, level)
                with stacked() as stack:
                    stack.push(noted)
                    async for item in made(*args, **kw):
                        yield item

        elif inspect.iscoroutinefunction(made):

            async def probed(*args, **kw):
                watch.now.note_entered(sites, level)
                with stacked() as stack:
                    stack.push(noted)
                    return await made(*args, **kw)

        elif inspect.isgeneratorfunction(made):

            def probed(*args, **kw):
                watch.now.note_entered(sites, level)
                with stacked() as stack:
                    stack.push(noted)
                    return (yield from made(*args, **kw))

        else:

            def probed(*args, **kw):
                watch.now.note_entered(sites, level)
                with stacked() as stack:
                    stack.push(noted)
                    return later(made(*args, **kw))

        async def awaited(value):
            with stacked() as stack:
                stack.push(noted)
                return await value

        def iterated(value):
            with stacked() as stack:
                stack.push(noted)
                return (yield from value)

        async def iterated_async(value):
            with stacked() as stack:
                stack.push(noted)
                async for item in value:
                    yield item

        def later(value):
            if inspect.iscoroutine(value):
                return awaited(value)
            if inspect.isasyncgen(value):
                return iterated_async(value)
            return iterated(value) if inspect.isgenerator(value) else value

        return functools.wraps(made)(probed) if inspect.isfunction(made) else probed

    return decorate


def loader_hook(folder: str):
    def hook(path: str):
        if path != folder and not path.startswith(folder + os.sep):
            raise ImportError
        return importlib.machinery.FileFinder(path, (Loader, [".py"]))

    return hook
