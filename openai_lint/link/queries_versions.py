"""Which SDK a module meets when it runs, and whether its code asks for the version itself."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from openai_lint import facts
from openai_lint.facts import Expr, Function
from openai_lint.link import library, vendors
from openai_lint.link.index import ModuleInfo, ScopeInfo
from openai_lint.link.project import ApiCall, Project
from openai_lint.link.releases import Releases
from openai_lint.link.values import External, Frame
from openai_lint.sdk import Missing, Sdk, sdk

T = TypeVar("T")

ABSENCE = frozenset({"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"})
"""What a handler names that means to survive another release."""

VERSION_ATTRIBUTES = frozenset({"__version__", "VERSION", "version"})
VERSION_CALLS = frozenset({"version", "get_distribution", "distribution", "require"})

FLAG = re.compile(
    r"(?<!azure)(?<!azure_)(?:^|_|is)openai_?(?:is_?)?"
    r"(?:v\d|version(?!\w*api)|(?:legacy|old|new)(?![a-z])|(?:pre|post|ge|gt|le|lt)_?v?\d)"
    r"|v1_?openai|(?:new|old|legacy)_openai",
    re.IGNORECASE,
)
"""Names of flags and functions that hold the result of such a test."""

VERSION_WORD = re.compile(r"version|release", re.IGNORECASE)
RELEASE = re.compile(r"v?[0-3]\.(?:\d+(?:\.\d+)?)?")
"""What is compared where somebody chooses by hand which release the code shall speak to."""

PATCHERS = frozenset({"instructor"})
"""Packages that give the SDK's own methods other options, also in place."""

PATCHED = frozenset({"response_model"})
"""Options that only such a method takes: the client was patched out of sight."""

OLDEST_NEW = "1.0.0"


def once(function: Callable[[Project], T]) -> Callable[[Project], T]:
    """Answer once for each project."""
    answers: WeakKeyDictionary[Project, T] = WeakKeyDictionary()

    def asked(project: Project) -> T:
        if project not in answers:
            answers[project] = function(project)
        return answers[project]

    asked.__doc__ = function.__doc__
    return asked


Kinds = dict[type, list[tuple[Any, Frame]]]
_kinds: "WeakKeyDictionary[Project, dict[ModuleInfo, Kinds]]" = WeakKeyDictionary()


def nodes(project: Project, module: ModuleInfo, *kinds: type) -> Iterator[tuple[Any, Frame]]:
    """The statements, expressions and handlers of these classes in a module, one class after the other.

    Each comes with the frame in which names are looked up there. Annotations are left out: many are never evaluated.
    """
    known = _kinds.setdefault(project, {})
    table = known.get(module)
    if table is None:
        table = known[module] = {}
        for scope in (module.scope, *module.scopes.values()):
            frame = project.engine.generic_frame(scope)
            for node in below(scope.node.body):
                table.setdefault(type(node), []).append((node, frame))
    for kind in kinds:
        yield from table.get(kind, ())


def below(body: facts.Block) -> Iterator[Any]:
    """Every node of a block in source order; of nested functions and classes what is run where they are defined."""
    stack: list[Any] = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Function):
            below = [*node.decorators, *(param.default for param in node.params if param.default is not None)]
        elif isinstance(node, facts.Class):
            below = [*node.decorators, *node.bases, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, facts.Lambda):
            below = [param.default for param in node.function.params if param.default is not None]
        elif isinstance(node, facts.Assign):
            below = [*node.targets, *([node.value] if node.value is not None else [])]
        else:
            below = list(facts.children(node))
        stack.extend(reversed(below))


def paths(project: Project, node: Expr, frame: Frame) -> frozenset[str]:
    """The dotted names of libraries that an expression may be."""
    return frozenset(value.path for value in project.engine.evaluator.value(node, frame) if isinstance(value, External))


@once
def versions(project: Project) -> "Versions":
    """The versions of a project."""
    return Versions(project)


class Versions:
    """Which releases may be installed where a module runs."""

    def __init__(self, project: Project) -> None:
        self._project = project
        found = project.engine._releases
        self._releases = found if isinstance(found, Releases) else Releases(project.workspace)
        self._testing = self._find_tests()
        self._spoken = self._find_spoken()
        self._spoken_aside = frozenset(
            call.site.era
            for call in project.calls
            if self._releases.aside(call.module.path) and self._written_for(call)
        )

    def environment(self, module: ModuleInfo) -> tuple[Sdk, ...]:
        """The releases that may be installed where a module runs, oldest first; what is reported must hold for all."""
        spoken = self._spoken_aside if self._releases.aside(module.path) else self._spoken
        return self._releases.environment(module.path, spoken)

    def pinned(self, module: ModuleInfo) -> bool:
        """Whether the project says which release it uses."""
        return bool(self._releases.pinned(module.path))

    def asks(self, module: ModuleInfo) -> bool:
        """Whether the module's code tests for the version of the SDK: it is meant to run with several."""
        return module in self._testing

    # --- which eras are spoken

    def _find_spoken(self) -> frozenset[int]:
        """The eras that the code of files without a pin is written for."""
        found = {call.site.era for call in self._project.calls if self._tells(call)}
        if not found:
            found = {
                era
                for module in self._project.modules
                if not self._releases.pinned(module.path)
                for era in self._named(module)
            }
        return frozenset(found)

    def _tells(self, call: ApiCall) -> bool:
        return self._written_for(call) and not self._releases.pinned(call.module.path)

    def _written_for(self, call: ApiCall) -> bool:
        """Whether a call says for certain which era its module is written for."""
        return sure(call) and not wrapped(call) and not self.asks(call.module)

    def _named(self, module: ModuleInfo) -> Iterator[int]:
        """The eras of the errors and clients that a module imports or names."""
        if module in self._testing or "openai" not in module.facts.identifiers:
            return
        old, new = sdk("0"), sdk()
        named = {
            f"{node.module}.{node.name}"
            for node, _ in nodes(self._project, module, facts.Import)
            if node.name and not node.level
        }
        for found in (named, *(paths(self._project, *read) for read in nodes(self._project, module, facts.Attr))):
            for path in found:
                if path.startswith("openai."):
                    there = [
                        era
                        for era, release in ((0, old), (1, new))
                        if not isinstance(release.resolve_error(path), Missing)
                    ]
                    if len(there) == 1:
                        yield there[0]

    # --- code that asks

    def _find_tests(self) -> frozenset[ModuleInfo]:
        flags: dict[str, set[str]] = {}
        found = set()
        for module in self._project.modules:
            if any(FLAG.search(name) for name in module.facts.identifiers):
                found.add(module)
            if "openai" in module.facts.text and (names := self._tests_in(module)) is not None:
                found.add(module)
                flags[module.path] = names
        for module in self._project.modules:
            if module not in found and flags and self._imports_flag(module, flags):
                found.add(module)
        return frozenset(found)

    def _imports_flag(self, module: ModuleInfo, flags: dict[str, set[str]]) -> bool:
        for scope in (module.scope, *module.scopes.values()):
            for bindings in scope.bindings.values():
                for binding in bindings:
                    node = binding.node
                    if binding.kind == "import" and node.name is not None:
                        names = flags.get(self._project.engine.modules.resolve(module.path, node) or "", ())
                        if node.name in names:
                            return True
        return False

    def _tests_in(self, module: ModuleInfo) -> set[str] | None:
        """The names of the module's scope that hold the result of a test; None where nothing tests."""
        tests: list[Any] = []
        for node, frame in nodes(self._project, module, facts.Try):
            if self._guards(node, frame):
                tests.append(node)
        for node, frame in nodes(self._project, module, facts.Attr, facts.Call):
            if self._is_test(node, frame):
                tests.append(node)
        for node, frame in nodes(self._project, module, facts.If):
            if _names_a_release(node.test) and self._speaks(node, frame):
                tests.append(node.test)
        if not tests:
            return None
        return {
            name
            for name, bindings in module.scope.bindings.items()
            for binding in bindings
            if self._holds(binding.node, tests)
        }

    def _is_test(self, node: facts.Attr | facts.Call, frame: Frame) -> bool:
        if isinstance(node, facts.Attr):
            return node.attr in VERSION_ATTRIBUTES and "openai" in paths(self._project, node.value, frame)
        name = library.written(node.func)
        first = node.args[0].value if node.args else None
        if (
            name in ("hasattr", "getattr")
            and isinstance(node.func, facts.Name)
            and first is not None
            and len(node.args) >= 2
        ):
            return any(path == "openai" or path.startswith("openai.") for path in paths(self._project, first, frame))
        text = first.value if isinstance(first, facts.Const) else None
        if name in VERSION_CALLS:
            return text == "openai" or (isinstance(text, str) and re.match(r"openai\s*[<>=!~]", text) is not None)
        return name in ("find_spec", "import_module") and isinstance(text, str) and text.startswith("openai.")

    def _guards(self, node: facts.Try, frame: Frame) -> bool:
        """Whether a try statement survives the absence of what only some releases have."""
        names = {name for handler in node.handlers for name in _class_names(handler)}
        if names.isdisjoint(ABSENCE):
            return False
        for inner in below(node.body):
            if isinstance(inner, facts.Import) and not inner.level and inner.module.partition(".")[0] == "openai":
                if _comes_and_goes(f"{inner.module}.{inner.name}" if inner.name else inner.module):
                    return True
            elif isinstance(inner, facts.Attr) and "AttributeError" in names:
                if any(
                    path.startswith("openai.") and _comes_and_goes(path) for path in paths(self._project, inner, frame)
                ):
                    return True
                chain = library.dotted(inner)
                if chain.startswith("openai.") and _comes_and_goes(".".join(chain.split(".")[:2])):
                    return True
        return False

    def _speaks(self, node: facts.If, frame: Frame) -> bool:
        """Whether a branch reads what only some releases have."""
        for inner in below((*node.body, *node.orelse)):
            if isinstance(inner, facts.Attr) and library.dotted(inner).count(".") == 1:
                found = paths(self._project, inner, frame)
                if any(path.startswith("openai.") and _comes_and_goes(path) for path in found):
                    return True
        return False

    @staticmethod
    def _holds(node: Any, tests: list[Any]) -> bool:
        """Whether a test stands inside what a name is bound to, or the binding stands inside the test."""
        span = getattr(node, "span", None)
        if span is None:
            return False
        return any(
            _inside(test.span, span) or (isinstance(test, facts.Try) and _inside(span, test.span)) for test in tests
        )


def _inside(inner: facts.Span, outer: facts.Span) -> bool:
    return (outer[0], outer[1]) <= (inner[0], inner[1]) and (inner[2], inner[3]) <= (outer[2], outer[3])


def _names_a_release(test: Expr) -> bool:
    """Whether a test holds something that is called a version against a release as it is written (``"0.28"``)."""
    for node in (test, *facts.children(test)):
        if isinstance(node, facts.Compare):
            sides = (node.left, node.right)
        elif isinstance(node, facts.Call) and library.written(node.func) == "startswith" and len(node.args) == 1:
            sides = (node.func.value if isinstance(node.func, facts.Attr) else node.func, node.args[0].value)
        else:
            continue
        written = [str(side.value) for side in sides if isinstance(side, facts.Const)]
        if any(VERSION_WORD.search(library.written(side)) for side in sides) and any(map(RELEASE.fullmatch, written)):
            return True
    return False


def _class_names(handler: facts.Handler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    items = handler.type.items if isinstance(handler.type, facts.Sequence) else (handler.type,)
    return {library.written(item) for item in items}


def _comes_and_goes(path: str) -> bool:
    """Whether some known major has a name and another lacks it."""
    if path == "openai":
        return False
    there = {isinstance(sdk(version).resolve_error(path), Missing) for version in ("0", OLDEST_NEW, "newest")}
    return len(there) > 1


def sure(call: ApiCall) -> bool:
    """Whether the receiver is known to be the SDK's (and not only spelt as its methods are)."""
    return bool(call.clients) and all(client.known_by != "chain" for client in call.clients)


def wrapped(call: ApiCall) -> bool:
    """Whether the call goes through a drop-in or wrapper of another package, which has its own idea of the SDK."""
    if any(client.wrapped for client in call.clients):
        return True
    if not PATCHERS.isdisjoint(name.partition(".")[0] for name in call.module.imports):
        return True
    if any(not PATCHED.isdisjoint(place.args.keywords) for place in call.invocations):
        return True
    root: Any = call.site.node
    while isinstance(root, (facts.Attr, facts.Call, facts.Await, facts.Subscript)):
        root = root.func if isinstance(root, facts.Call) else root.value
    if not isinstance(root, facts.Name):
        return False
    scope: ScopeInfo | None = call.module.scope_of(call.site.function)
    while scope is not None and root.id not in scope.bindings:
        scope = scope.parent
    bindings = scope.bindings.get(root.id, []) if scope is not None else []
    imports = [binding.node for binding in bindings if binding.kind == "import"]
    return any(node.module in vendors.DROP_INS or f"{node.module}.{node.name}" in vendors.DROP_INS for node in imports)
