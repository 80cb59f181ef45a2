"""The byte gate: which files can matter at all, told from their bytes, without parsing anything.

A file matters by itself when it imports the SDK, names a method by a chain that only the SDK has, talks to one of its
hosts, names its environment variables, or holds something that may be a key. A file that only gets a client, or an
error, from another module of the project says none of that; the linker keeps such files round by round, by the names
that they mention. Every search begins with one literal, which runs at memory speed; an alternation of words would
be ten times slower.
"""

import re
from functools import cache

_SPACE = rb"[\s\\]*"  # a chain may be broken over lines, with or without a backslash

# The module by its own name (not a part of another path or address), the ways to import it, and its drop-ins; what only
# speaks of its types does nothing. Client classes and assignments count behind a quote or an escape as well: that is
# where annotations and the lines of notebooks begin.
_SDK = re.compile(
    rb"(?<![\w./\"'-])openai(?:\.(?!types\b)[A-Za-z_]|\s+import\s+(?!types\b)|\s+as\b|\s*[,;)]|\s*(?:\#.*)?$)"
    rb"|openai\.(?:\w*OpenAI\b|\w+\s*=(?!=))"
    rb"|(?:import_module|__import__|find_spec|version)\(\s*[\"']openai(?:\.\w+)?[\"']"
    rb"|(?<=[._])openai(?:_proxy)?\s+import\b"
    rb"|(?:\bapi\.openai|\bopenai\.azure|(?<=[{}.])openai\.azure)\.com\b"
    rb"|openai-lint\s*:",
    re.MULTILINE,
)
_MARKS = (
    (b"openai", _SDK),
    (b"OPENAI_", re.compile(rb"OPENAI_(?:\w{0,40}(?:KEY|TOKEN|SECRET)|ORG|PROJECT|WEBHOOK|BASE)")),
    (b"T3Blbk", re.compile(rb"T3Blbk")),
    (b"sk-", re.compile(rb"sk-[A-Za-z0-9_-]{12}")),
    (b"sess-", re.compile(rb"sess-[A-Za-z0-9]{24}")),
    (b"OAI", re.compile(rb"(?:noqa|openai-lint)[^\n]{0,200}OAI\d")),
    (b"AIProjectClient", re.compile(rb"\bAIProjectClient\b")),
    (b"openai_client", re.compile(rb"\.get_(?:azure_)?openai_client\b")),
)
"""What makes a file matter: a literal that is looked for first, and the expression that has the last word."""

_IN_TESTS = (b"OPENAI_", b"T3Blbk", b"sk-", b"sess-", b"OAI", b"openai-lint", b"api_key", b"api-key")


_METHODS = {
    "assistants": (
        "create",
        "list",
        "retrieve",
    ),
    "batches": (
        "create",
        "retrieve",
    ),
    "chat": ("completions",),
    "completions": (
        "create",
        "parse",
        "stream",
    ),
    "embeddings": ("create",),
    "files": (
        "content",
        "create",
        "delete",
        "list",
        "retrieve",
    ),
    "images": (
        "create_variation",
        "edit",
        "generate",
    ),
    "jobs": ("create",),
    "messages": (
        "create",
        "list",
    ),
    "models": (
        "list",
        "retrieve",
    ),
    "moderations": ("create",),
    "realtime": ("connect",),
    "responses": (
        "create",
        "parse",
        "retrieve",
        "stream",
    ),
    "runs": (
        "create",
        "retrieve",
        "stream",
        "submit_tool_outputs",
    ),
    "speech": ("create",),
    "threads": ("create",),
    "transcriptions": ("create",),
    "translations": ("create",),
    "vector_stores": ("create",),
    "Audio": (
        "transcribe",
        "translate",
    ),
    "ChatCompletion": ("create",),
    "Completion": ("create",),
    "Edit": ("create",),
    "Embedding": ("create",),
    "File": ("create",),
    "FineTune": ("create",),
    "FineTuningJob": ("create",),
    "Image": (
        "create",
        "create_edit",
        "create_variation",
    ),
    "Model": (
        "list",
        "retrieve",
    ),
    "Moderation": ("create",),
}
"""The last two words, as resource to methods, of what real code calls on objects that it did not make itself."""


@cache
def _chains() -> re.Pattern[bytes]:
    """``.resource.method`` as the methods of the SDK are written, with any wrapper between, and their async forms."""
    branches = []
    for resource, methods in _METHODS.items():
        names = b"|".join(name.encode() for name in methods)
        branches.append(resource.encode() + _SPACE + rb"\." + _SPACE + rb"a?(?:with_|" + names + rb")")
    return re.compile(rb"\.(?:" + b"|".join(branches) + rb")")


def matters(data: bytes) -> bool:
    """Whether a file with these bytes can hold an API call, a client, a key, or a comment addressed to this linter."""
    if any(literal in data and expression.search(data) is not None for literal, expression in _MARKS):
        return True
    return _chains().search(data) is not None


def matters_in_tests(data: bytes) -> bool:
    """Whether a test whose calls nobody judges can hold a key, or a comment addressed to this linter."""
    return any(mark in data for mark in _IN_TESTS) and matters(data)


def imports_sdk(data: bytes) -> bool:
    """Whether the file imports the SDK by name: such a file is worth a syntax check even if nothing in it matters."""
    return b"import openai" in data or b"from openai" in data
