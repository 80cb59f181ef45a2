"""The byte gate: which files can matter at all, told from their bytes, without parsing anything.

A file matters by itself when it imports the SDK, names a method by a chain that only the SDK has, talks to one of its
hosts, names its environment variables, or holds something that may be a key. A file that only gets a client, or an error,
from another module of the project says none of that; the linker keeps such files round by round, by the names they mention.
Each expression begins with a literal, which lets the search run at memory speed.
"""

import re
from functools import cache

_SPACE = rb"[\s\\]*"  # a chain may be broken over lines, with or without a backslash

# `openai import` is `from openai import ...` and every drop-in (`from langfuse.openai import ...`); the types alone do
# nothing. `openai.` followed by a name is a use of the module under its own name, in code or in an annotation.
_SDK = re.compile(rb"openai(?:\s+import|\.(?!types\b)[A-Za-z_]|\s*(?:#.*)?$|\s+as\b|\s*[,;)])", re.MULTILINE)
_OURS = re.compile(rb"OAI\d|openai-lint\s*:")
_KEYS = re.compile(rb"T3Blbk|sess-[A-Za-z0-9]{24}")
_KEY = re.compile(rb"sk-[A-Za-z0-9_-]{12}")
_VARIABLES = re.compile(rb"OPENAI_[A-Z]")


@cache
def _chains() -> re.Pattern[bytes]:
    """``.resource.method`` for every method of the SDK's catalogue, and ``Class.method`` for the module-level classes."""
    from openai_lint.sdk import marker_names

    by_resource: dict[str, set[str]] = {}
    for path in marker_names():
        *front, method = path.split(".")
        if front:
            by_resource.setdefault(front[-1], set()).add(method)
    branches = []
    for resource, methods in sorted(by_resource.items()):
        names = b"|".join(sorted(re.escape(name.encode()) for name in methods))
        branches.append(re.escape(resource.encode()) + _SPACE + rb"\." + _SPACE + rb"(?:with_|" + names + rb")\b")
    return re.compile(rb"\.(?:" + b"|".join(branches) + rb"|chat" + _SPACE + rb"\." + _SPACE + rb"completions)")


def matters(data: bytes) -> bool:
    """Whether a file with these bytes can hold an API call, a client, a key, or a comment addressed to this linter."""
    return (
        ((b"openai" in data) and (_SDK.search(data) is not None))
        or ((b"OPENAI_" in data) and (_VARIABLES.search(data) is not None))
        or _KEYS.search(data) is not None
        or ((b"sk-" in data) and (_KEY.search(data) is not None))
        or _OURS.search(data) is not None
        or _chains().search(data) is not None
    )


def imports_sdk(data: bytes) -> bool:
    """Whether the file imports the SDK by name: such a file is worth a syntax check even if nothing in it matters."""
    return b"import openai" in data or b"from openai" in data
