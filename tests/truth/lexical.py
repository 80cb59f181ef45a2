"""The obvious checker, kept for what it misses: a call in a ``try`` that names its errors is handled.

It knows nothing of callers, decorators, re-raised errors, streams or threads. The suite must be harder than that.
"""

import ast

from .programs import Program, Site

TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))
#: what a handler of this name catches; a name that is missing here catches itself
BASES = {
    0: {"OpenAIError": "all", "Exception": "all", "BaseException": "all"},
    1: {
        "OpenAIError": "all",
        "APIError": "all",
        "Exception": "all",
        "BaseException": "all",
        "APIConnectionError": {"APIConnectionError", "APITimeoutError"},
        "APIStatusError": {
            "RateLimitError",
            "InternalServerError",
            "ConflictError",
            "BadRequestError",
            "AuthenticationError",
            "PermissionDeniedError",
            "NotFoundError",
            "UnprocessableEntityError",
        },
    },
}


def handled(handlers: list[ast.ExceptHandler], name: str, major: int) -> bool:
    """True if one of the clauses names the error or a base of it."""
    for handler in handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for node in types:
            word = (
                node.attr
                if isinstance(node, ast.Attribute)
                else getattr(node, "id", "BaseException" if node is None else "")
            )
            catches = BASES[major].get(word, {word})
            if catches == "all" or name in catches:
                return True
    return False


def escapes(program: Program, site: Site, names: tuple[str, ...], major: int) -> set[str]:
    """The names that no ``try`` around the call handles."""
    tree = ast.parse(program.files[site.path])
    left = set(names)
    for node in ast.walk(tree):
        inside = isinstance(node, TRIES) and node.body[0].lineno <= site.mark <= (node.body[-1].end_lineno or 0)
        if inside:
            left -= {name for name in left if handled(node.handlers, name, major)}
    return left
