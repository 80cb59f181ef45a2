"""How much a set of values may say before it is given up: unions must not grow without end, nor nest without end."""

from openai_lint.link.values import ANYTHING, Display, External, Literal, Values, depth_of

MOST_VALUES = 32
"""A union of more alternatives than this says nothing."""

DEEPEST = 12
"""A value that holds values that hold values ... is given up at this depth."""

MOST_PLAIN = 8
"""Constants and external values are dropped from a union that holds more of them than this."""


def widened(values: Values) -> Values:
    """The union itself, or a shorter one that says less: unions must not grow without end, nor nest without end."""
    if any(depth_of(value) > DEEPEST for value in values):
        values = frozenset(value for value in values if depth_of(value) <= DEEPEST) | ANYTHING
    if len(values) <= MOST_PLAIN:
        return values
    plain = frozenset(value for value in values if isinstance(value, (Literal, External, Display)))
    if len(plain) > MOST_PLAIN:
        values = (values - plain) | ANYTHING
    return ANYTHING if len(values) > MOST_VALUES else values


MOST_ITEMS = 40
"""A display of more items is taken as a bag of what is in it, constants left out."""


def shallow(value: Display) -> bool:
    """Whether a display nests at most two deep."""
    return not any(
        isinstance(inner, Display) and any(isinstance(deep, Display) for _, more in inner.items for deep in more)
        for _, found in value.items
        for inner in found
    )
