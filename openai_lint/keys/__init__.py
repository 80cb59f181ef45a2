"""Keys: what one looks like, where one belongs, what only looks like one, and how one is shown.

Pure: text in, plain data out. Nothing here keeps or shows a key beyond its prefix.
"""

from openai_lint.keys.credential import (
    NOTHING,
    Context,
    Judgement,
    Problem,
    Verdict,
    is_credential,
    judge_credential,
    looks_issued,
    looks_like_org,
)
from openai_lint.keys.positions import (
    ENVIRONMENT,
    HEADER_KEYWORDS,
    HEADERS,
    KEYWORDS,
    MODULE_ATTRIBUTES,
    POSITIONAL_API_KEY,
    POSITIONS,
    Endpoint,
    Form,
    Kind,
    Position,
    endpoint_of,
    environment_of,
    kind_of_name,
)
from openai_lint.keys.redaction import redact
from openai_lint.keys.shapes import MARKER, KeyMatch, find_keys, is_key
from openai_lint.keys.words import named_placeholder

__all__ = [
    "ENVIRONMENT",
    "HEADERS",
    "HEADER_KEYWORDS",
    "KEYWORDS",
    "MARKER",
    "MODULE_ATTRIBUTES",
    "NOTHING",
    "POSITIONAL_API_KEY",
    "POSITIONS",
    "Context",
    "Endpoint",
    "Form",
    "Judgement",
    "KeyMatch",
    "Kind",
    "Position",
    "Problem",
    "Verdict",
    "endpoint_of",
    "environment_of",
    "find_keys",
    "is_credential",
    "is_key",
    "judge_credential",
    "kind_of_name",
    "looks_issued",
    "looks_like_org",
    "named_placeholder",
    "redact",
]
