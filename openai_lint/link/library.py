"""What Python and the libraries around an OpenAI call do with callables, coroutines and errors, as data.

Tables only, and the few questions asked of them. Retry libraries have a room of their own (``policies``).
"""

import builtins
import operator
import re
from collections.abc import Callable
from functools import lru_cache

from openai_lint.facts import Attr, Call, Expr, Function, Name
from openai_lint.link.values import (
    ANYTHING,
    Caught,
    ContextFrame,
    Deferred,
    Display,
    External,
    Literal,
    Policied,
    Value,
    Values,
    literal,
    one,
)

IDENTITY = frozenset(
    {
        "typing.cast",
        "pydantic.validate_arguments",
        "pydantic.validate_arguments()",
        "pydantic.validate_call",
        "pydantic.validate_call()",
        "functools.wraps()",
        "copy.copy",
        "copy.deepcopy",
        "asyncio.shield",
        "asyncio.wait_for",
        "async_timeout.timeout",
        "asyncio.coroutine",
        "tqdm.tqdm",
        "tqdm.auto.tqdm",
        "tqdm.notebook.tqdm",
        "tqdm",
        "enumerate",
        "reversed",
        "iter",
        "aiter",
        "zip",
        "rich.progress.track",
        "itertools.chain",
        "itertools.islice",
        "functools.lru_cache()",
        "functools.lru_cache",
        "functools.cache",
        "flask.stream_with_context",
        "streamlit.cache_resource",
        "streamlit.cache_data",
        "streamlit.cache_resource()",
        "asgiref.sync.sync_to_async",
        "asgiref.sync.sync_to_async()",
        "asgiref.sync.async_to_sync",
        "contextlib.closing",
        "contextlib.aclosing",
        "contextlib.nullcontext",
        "nest_asyncio.apply",
        "asyncio.wrap_future",
    }
)
"""Functions that hand on (one of) their arguments, its errors still to come."""

FIELD_MAKERS = frozenset(
    {
        "dataclasses.field",
        "pydantic.Field",
        "pydantic.fields.Field",
        "pydantic.PrivateAttr",
        "pydantic.fields.PrivateAttr",
        "sqlmodel.Field",
        "attr.ib",
        "attr.attrib",
        "attr.field",
        "attrs.field",
        "msgspec.field",
    }
)
"""Calls in a class body that say what a field holds: ``default=`` itself, or what ``default_factory=`` gives."""

CONSUMERS = frozenset(
    {
        "list",
        "tuple",
        "set",
        "sorted",
        "sum",
        "max",
        "min",
        "any",
        "all",
        "dict",
        "next",
        "anext",
        "frozenset",
        "collections.deque",
    }
)
"""Functions that iterate their argument at once. ``str.join`` does too."""

EXITS = frozenset(
    {
        "sys.exit",
        "exit",
        "quit",
        "os._exit",
        "os.abort",
        "pytest.fail",
        "pytest.skip",
        "pytest.exit",
        "unittest.skip",
        "builtins.exit",
        "streamlit.stop",
        "flask.abort",
        "werkzeug.exceptions.abort",
        "typer.Exit",
        "click.exceptions.Exit",
        "django.http.Http404",
    }
)
"""Calls that never come back: the error ends in a decision of the code."""

APPENDERS = frozenset({"append", "add", "appendleft", "put", "put_nowait", "insert", "extend"})
"""Methods that put their last argument into the container they are called on."""

SETTERS = frozenset({"set_defaults"})
"""Methods whose keyword arguments become attributes of an object that is made later."""

KEEPERS = APPENDERS | SETTERS | {"setdefault"}
"""Methods that only keep what they are given."""

LOOKERS = frozenset(
    {
        "ascii",
        "asyncio.iscoroutine",
        "asyncio.iscoroutinefunction",
        "asyncio.isfuture",
        "bool",
        "callable",
        "dir",
        "format",
        "functools.update_wrapper",
        "functools.wraps",
        "hasattr",
        "hash",
        "id",
        "isinstance",
        "issubclass",
        "len",
        "print",
        "repr",
        "str",
        "type",
        "typing.get_args",
        "typing.get_origin",
        "typing.get_type_hints",
        "vars",
    }
)
LOOKING_MODULES = frozenset({"inspect", "logging", "pprint", "warnings"})
"""Functions, and modules of functions, that only look at a callable: they neither call nor keep it."""

SLEEPS = frozenset(
    {"time.sleep", "asyncio.sleep", "trio.sleep", "anyio.sleep", "gevent.sleep", "eventlet.sleep", "sleep"}
)

SUPPRESSORS = frozenset({"contextlib.suppress", "pytest.raises", "unittest.TestCase.assertRaises", "trio.suppress"})
"""Context managers that swallow the classes they are given."""

DECORATING_MANAGERS = frozenset({"contextlib.ContextDecorator", "contextlib.AsyncContextDecorator"})
"""Base classes whose context managers can be used as decorators."""

COVER = re.compile(
    r"retr(?:y|ie)|backoff|back_off|handl(?:e|ing)_?(?:\w*_)?(?:err|exc|fail|api|openai)|(?:err|exc\w*)_?handl|catch|suppress|(?:^|_)safe|never_raise|ignore_?err",
    re.IGNORECASE,
)
"""Names that say of a decorator or context manager, whose code cannot be seen, that it deals with errors."""

ROUTE_METHODS = frozenset(
    {
        "route",
        "get",
        "post",
        "put",
        "delete",
        "patch",
        "head",
        "options",
        "websocket",
        "websocket_route",
        "api_route",
        "view",
        "endpoint",
        "http",
    }
)
"""Decorators' last names that make a function a route of a web framework."""

ENTRY_DECORATORS = re.compile(
    r"\.(?:"
    + "|".join(sorted(ROUTE_METHODS))
    + r"|task|command|callback|event|on_\w+|on|listen|message\w*|callback_query\w*|handler|"
    r"message_handler|error|tool|middleware|before_request|after_request|teardown_request|job|scheduled_job|subscribe|action|shortcut|"
    r"step|fixture|parametrize|function|local_entrypoint|asgi_app|wsgi_app|web_endpoint|cls|method|enter|flow|activity|defn|hybrid_command|slash_command|"
    r"group|resultcallback|listener|actor|register|app_template_filter|context_processor|shared_task|periodic_task)(?:\(\))?$"
)
"""Decorators that hand the function to a framework: it is an entry point."""

LATE_RESPONSES = frozenset(
    {"StreamingResponse", "EventSourceResponse", "StreamingHttpResponse", "Response", "AsyncStreamingResponse"}
)
"""Responses that a framework iterates after the function has returned."""

CONTAINERS = frozenset(
    {
        "list",
        "List",
        "Sequence",
        "Iterable",
        "Iterator",
        "tuple",
        "Tuple",
        "set",
        "Set",
        "deque",
        "Collection",
        "MutableSequence",
        "dict",
        "Dict",
        "Mapping",
    }
)
TYPE_WRAPPERS = frozenset(
    {
        "Optional",
        "Union",
        "Annotated",
        "Final",
        "ClassVar",
        "Required",
        "NotRequired",
        "ReadOnly",
        "Depends",
        "InitVar",
        "Awaitable",
        "Coroutine",
        "PrivateAttr",
        "SkipValidation",
        "InstanceOf",
        "Callable",
    }
)

CLASS_TYPES = frozenset({"type", "typing.Type"})
"""Annotations whose parameter is the class that is meant, not an object of it."""

TYPING = frozenset({"typing", "typing_extensions", "collections"})
"""Modules whose names say nothing of what an object is."""

_PROPERTY = frozenset(
    {
        "property",
        "cached_property",
        "abstractproperty",
        "async_property",
        "computed_field",
        "lazy_property",
        "classproperty",
    }
)


OPEN_END = "{}"
"""Stands in a text for what is not known of its end."""

MOST_WORDS = 5
"""A path of more words is no longer anything that a table knows."""


def last(path: str) -> str:
    """The last word of a dotted path, call marks removed."""
    return path.replace("()", "").rpartition(".")[2]


def only_looks(path: str) -> bool:
    """Whether a library function only looks at the callables that it is given."""
    return path in LOOKERS or path.partition(".")[0] in LOOKING_MODULES


def extended(path: str, word: str) -> Values:
    """The external value ``path`` followed by ``word`` (``.attr``, ``()`` or ``[]``), or anything when it gets long."""
    if path.count(".") + path.count("[]") > MOST_WORDS or len(path) > 120 or path.endswith("[]"):
        return ANYTHING
    return one(External(path + word))


def is_generic(path: str) -> bool:
    """Whether subscripting the name only gives it type parameters."""
    return last(path) in CONTAINERS or last(path) in TYPE_WRAPPERS


@lru_cache(maxsize=1024)
def builtin(name: str) -> Values:
    """A name of Python itself, or a value that could be anything."""
    if name in ("True", "False", "None"):
        return literal({"True": True, "False": False, "None": None}[name])
    if hasattr(builtins, name) or name in ("ExceptionGroup", "BaseExceptionGroup", "__name__", "reveal_type"):
        return one(External(name))
    return ANYTHING


def decorator_names(function: Function) -> frozenset[str]:
    """The last written words of a function's decorators."""
    return frozenset(name for item in function.decorators if (name := written(item)))


def written(node: Expr) -> str:
    """The last word of a name, attribute or call as it is written; empty for anything else."""
    if isinstance(node, Call):
        return written(node.func)
    if isinstance(node, Attr):
        return node.attr
    return node.id if isinstance(node, Name) else ""


def dotted(node: Expr) -> str:
    """A chain of names and attributes as written, calls marked; empty when it is something else."""
    if isinstance(node, Call):
        inner = dotted(node.func)
        return f"{inner}()" if inner else ""
    if isinstance(node, Attr):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, Name) else ""


def is_static(function: Function) -> bool:
    """Whether a method takes no receiver."""
    return "staticmethod" in decorator_names(function)


def is_class_method(function: Function) -> bool:
    """Whether a method receives the class."""
    names = decorator_names(function)
    return (
        "classmethod" in names
        or ("validator" in names or "root_validator" in names or "field_validator" in names)
        or function.name in ("__new__", "__init_subclass__")
    )


def is_property(function: Function) -> bool:
    """Whether reading the attribute calls the method."""
    return not _PROPERTY.isdisjoint(decorator_names(function))


def is_setter(function: Function) -> bool:
    """Whether it is the setter or deleter of a property."""
    names = decorator_names(function)
    return "setter" in names or "deleter" in names


def is_abstract(function: Function) -> bool:
    """Whether the method only declares what subclasses do."""
    from openai_lint.facts import Const, ExprStmt, Jump, Raise

    if any("abstract" in name for name in decorator_names(function)):
        return True
    body = [item for item in function.body if not (isinstance(item, ExprStmt) and isinstance(item.value, Const))]
    return all(
        isinstance(item, Jump)
        or (isinstance(item, Raise) and item.error is not None and written(item.error) == "NotImplementedError")
        for item in body
    )


def is_container(values: Values) -> bool:
    """Whether an annotation's head is a container whose members are declared."""
    return any(isinstance(value, External) and last(value.path) in CONTAINERS for value in values)


def is_type_wrapper(values: Values) -> bool:
    """Whether an annotation's head only wraps the type inside."""
    return any(isinstance(value, External) and last(value.path) in TYPE_WRAPPERS for value in values)


def first_only(values: Values) -> bool:
    """Whether only the first parameter of a type wrapper is a type (``Annotated``)."""
    return any(isinstance(value, External) and last(value.path) == "Annotated" for value in values)


def kind_of(value: Value) -> str:
    """The prefix under which methods of a value that is no object of the project are modelled."""
    match value:
        case Deferred():
            return "deferred"
        case ContextFrame():
            return "context"
        case Display():
            return "display"
        case Policied():
            return "policy"
        case Literal():
            return "literal"
        case Caught():
            return "error"
        case _:
            return "value"


_OPERATORS: dict[str, Callable[[object, object], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def arithmetic(op: str, left: object, right: object) -> Values:
    """The result of an operator on two constants, where it is cheap and defined."""
    compute = _OPERATORS.get(op)
    numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    texts = op == "+" and isinstance(left, str) and isinstance(right, str) and len(left) + len(right) < 4096
    if compute is None or not (numbers or texts):
        return ANYTHING
    try:
        return literal(compute(left, right))
    except (ArithmeticError, ValueError):
        return ANYTHING


EXIT_WORDS = frozenset(path.rpartition(".")[2] for path in EXITS)

COMMON_METHODS = frozenset(
    name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind) if not name.startswith("_")
) | {
    "run",
    "close",
    "read",
    "write",
    "open",
    "send",
    "put",
    "save",
    "load",
    "start",
    "stop",
    "main",
    "execute",
    "info",
    "debug",
    "error",
    "warning",
    "log",
    "print",
    "set",
    "submit",
    "result",
    "json",
    "create",
    "delete",
    "list",
    "search",
    "query",
    "fetch",
    "next",
    "connect",
    "commit",
    "flush",
    "exception",
    "critical",
    "filter",
    "apply",
    "group",
    "match",
    "split",
}
"""Method names so common that an unknown receiver says nothing about who is meant."""

GROUPS = frozenset({"ExceptionGroup", "BaseExceptionGroup", "exceptiongroup.ExceptionGroup"})
"""Errors that hold other errors."""

SYMBOLS = SUPPRESSORS | GROUPS | {"contextlib.redirect_stdout"}
SYMBOL_NAMES = frozenset({"raises", "suppress", "assertRaises"})
"""External calls whose arguments matter later."""
