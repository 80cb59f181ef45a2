"""A client is made while a module is imported: without a key the import itself fails.

## Why it matters

`OpenAI()` raises where it finds no key. In a module's body that makes the whole module impossible to import: for tests
that need no API, for tools that only read the code, for every other function in it.

## Bad

```py answers.py
from openai import OpenAI

client = OpenAI()


def answer(question: str) -> str:
    return client.responses.create(model="gpt-5", input=question).output_text
```

```py main.py
from answers import answer

print(answer("hi"))
```

## Good

```py answers.py
from functools import cache

from openai import OpenAI


@cache
def client() -> OpenAI:
    return OpenAI()


def answer(question: str) -> str:
    return client().responses.create(model="gpt-5", input=question).output_text
```

```py main.py
from answers import answer

print(answer("hi"))
```

## What counts

A client class of 1.x or later, called in the body of a module or class, or in a default, of a file that another file
of the project imports or that belongs to a package; without a key, or with one that is read from the environment. What
stands under `if __name__ == "__main__":` or in a `try` is fine, and so are notebooks.

## Fix

None. Make the client where it is first needed.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.link import library
from openai_lint.link.index import ModuleInfo
from openai_lint.link.origins import origins_of
from openai_lint.link.tree import Tree, tree_of
from openai_lint.link.values import External
from openai_lint.rule import Applicability, Hit, Rule, Severity

if TYPE_CHECKING:
    from openai_lint.link import Project

_CREDENTIALS = (
    "api_key",
    "azure_ad_token",
    "azure_ad_token_provider",
    "admin_api_key",
    "provider",
    "workload_identity",
)


def check(project: "Project") -> Iterable[Hit]:
    """Every client that an import makes."""
    for module in list(project.modules):
        if module.facts.cells:
            continue  # nothing imports a notebook
        made = list(_made(project, module))
        if not made or not (_in_package(project, module) or _is_imported(project, module)):
            continue
        for call, name in made:
            yield Hit(
                project.place(module, call.span),
                f"{name} is made while this module is imported: without a key the import fails",
                "Make it where it is first needed: in a function with `@functools.cache` that returns it.",
                sdk=project.engine.catalogue(module, 1).version,
            )


def _made(project: "Project", module: ModuleInfo) -> Iterator[tuple[facts.Call, str]]:
    """The calls in the module's body that make a client which needs a key, and the name of its class."""
    tree = tree_of(project, module)
    release = project.engine.catalogue(module, 1)
    for call in tree.of(facts.Call):
        if tree.runner(call) is not None or _guarded(tree, call) or not _needs_key(project, module, call):
            continue
        for value in project.engine.evaluator.value(call.func, tree.frame(call)):
            known = release.any_client(value.path) if isinstance(value, External) else None
            if known is not None:
                yield call, known.name
                break


def _is_imported(project: "Project", module: ModuleInfo) -> bool:
    """Whether another file imports this one, also a file that says nothing of OpenAI itself."""
    modules, workspace = project.engine.modules, project.workspace
    name = module.path.rpartition("/")[2].partition(".")[0]
    for path in workspace.mentioning(name, [path for path in workspace.files if path != module.path]):
        other = modules.load(path)
        for node in tree_of(project, other).of(facts.Import) if other is not None else ():
            found = modules.resolve(path, node)
            if found is not None and module.path in (found, modules.child(found, node.name or "")):
                return True
    return False


def _in_package(project: "Project", module: ModuleInfo) -> bool:
    folder, _, name = module.path.rpartition("/")
    return name != "__main__.py" and f"{folder}/__init__.py" in project.workspace.files


def _guarded(tree: Tree, node: facts.Expr) -> bool:
    for parent, child in tree.above(node):
        if isinstance(parent, facts.Try) and any(child is statement for statement in parent.body):
            return True
        if isinstance(parent, facts.If) and isinstance(child, facts.Stmt):
            return True  # `if __name__ == "__main__"`, or a test for the key itself
    return False


def _needs_key(project: "Project", module: ModuleInfo, call: facts.Call) -> bool:
    """Whether the client takes its key from the environment."""
    given = {arg.keyword: arg.value for arg in call.args}
    if any(arg.star for arg in call.args):
        return False
    keys = [given[name] for name in _CREDENTIALS if name in given]
    if not keys:
        return True
    origins = [origin.node for key in keys for origin in origins_of(project).of(key, module)]
    return bool(origins) and all(_is_lookup(node) for node in origins)


def _is_lookup(node: facts.Expr) -> bool:
    """Whether it reads the environment and gives nothing, or fails, where there is nothing."""
    if isinstance(node, facts.Call):
        return (
            library.dotted(node.func) in ("os.getenv", "getenv", "os.environ.get", "environ.get")
            and len(node.args) == 1
        )
    return isinstance(node, facts.Subscript) and library.dotted(node.value) in ("os.environ", "environ")


RULE = Rule("OAI408", "import-time-client", Severity.INFO, check, default=False, fix=Applicability.SUGGESTION)
