"""Where a literal is only what is taken when nothing else is given."""

from openai_lint import facts
from openai_lint.link import library
from openai_lint.rules._credentials import LOOKUPS
from openai_lint.rules._literals import Literal, Literals

_MAKERS = frozenset({"Field", "field", "ib", "attrib", "SecretStr", "Secret", "StrictStr", "str", "Option", "Argument"})
"""Calls between a field and its default."""

_KEYWORDS = frozenset({"default", "default_value", "fallback", "default_factory"})


def is_default(literals: Literals, literal: Literal) -> bool:
    """Whether the literal stands where a default does: of a lookup, a parameter, a field, or after `or`."""
    for parent, below in literals.tree.above(literal.node):
        match parent:
            case facts.Param():
                return parent.default is below
            case facts.BoolOp(op="or"):
                return parent.values[0] is not below
            case facts.Arg(keyword=keyword):
                if keyword in _KEYWORDS:
                    return True
            case facts.Call():
                if _is_otherwise(parent, below):
                    return True
                if library.written(parent.func) not in _MAKERS:
                    return False
            case facts.Assign():
                return parent.annotation is not None and isinstance(literals.tree.parent(parent), facts.Class)
            case facts.Lambda() | facts.Return() | facts.Function(name="<lambda>"):
                pass
            case _:
                return False
    return False


def _is_otherwise(call: facts.Call, argument: object) -> bool:
    """Whether an argument of a lookup is what it gives where it finds nothing."""
    written = [arg for arg in call.args if arg.keyword is None]
    return library.written(call.func) in LOOKUPS and argument in written[1:]
