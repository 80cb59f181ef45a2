"""What the API's error messages usually say, for code that tells errors apart by their text."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai_lint.sdk import Sdk

PHRASES: dict[str, tuple[str, ...]] = {
    "RateLimitError": (
        "rate limit",
        "rate_limit",
        "ratelimit",
        "429",
        "too many requests",
        "quota",
        "insufficient_quota",
        "overloaded",
        "tpm",
        "rpm",
        "tokens per min",
        "requests per min",
        "please try again in",
    ),
    "APITimeoutError": ("timeout", "timed out", "time out"),
    "Timeout": ("timeout", "timed out", "time out", "request timed out"),
    "APIConnectionError": ("connection", "connect", "network"),
    "AuthenticationError": (
        "api key",
        "api_key",
        "apikey",
        "401",
        "authentication",
        "unauthorized",
        "incorrect api key",
        "invalid_api_key",
    ),
    "PermissionDeniedError": ("permission", "403", "forbidden", "not allowed"),
    "PermissionError": ("permission", "403", "forbidden"),
    "NotFoundError": ("404", "not found", "does not exist", "model_not_found"),
    "BadRequestError": (
        "400",
        "invalid",
        "bad request",
        "maximum context length",
        "context length",
        "context_length",
        "context_length_exceeded",
        "reduce the length",
        "please reduce",
        "different prompt",
        "content management policy",
        "content_filter",
        "string too long",
        "unsupported",
        "unrecognized",
    ),
    "InvalidRequestError": (
        "400",
        "invalid",
        "maximum context length",
        "context length",
        "context_length",
        "context_length_exceeded",
        "does not exist",
        "reduce the length",
        "please reduce",
        "different prompt",
        "content management policy",
        "content_filter",
        "too long",
        "404",
    ),
    "UnprocessableEntityError": ("422", "unprocessable"),
    "ConflictError": ("409", "conflict"),
    "InternalServerError": (
        "500",
        "502",
        "503",
        "504",
        "server error",
        "internal",
        "overloaded",
        "service unavailable",
        "bad gateway",
        "gateway",
        "server had an error",
    ),
    "APIError": ("500", "502", "server error", "internal", "bad gateway", "server had an error"),
    "ServiceUnavailableError": ("503", "service unavailable", "overloaded", "server is overloaded"),
}
"""Lower-case phrases that messages of an error hold. The same phrase may belong to several errors."""


REFUSALS = (
    "context",
    "reduce",
    "different prompt",
    "content",
    "too long",
    "unsupported",
    "unrecognized",
    "does not exist",
)
SOMETIMES: dict[str, tuple[str, ...]] = {
    "RateLimitError": (
        "quota",
        "billing",
        "rate limit",
        "rate_limit",
        "ratelimit",
        "too many requests",
        "tpm",
        "rpm",
        "per min",
        "try again",
        "overloaded",
    ),
    "BadRequestError": REFUSALS,
    "InvalidRequestError": REFUSALS,
}
"""Phrases that only some messages of an error hold: a rate limit that has been reached is no spent quota (and a spent
quota names no rate limit), and a request is refused for many reasons."""


STATUS = re.compile(r"[45]\d\d")


def mentions(error: str, text: str, release: "Sdk") -> bool | None:
    """Whether the message of an error holds ``text``: True or False where phrases decide, None where they do not."""
    wanted = text.strip().lower()
    if len(wanted) < 3:
        return None

    def holds(name: str) -> bool:
        return any(phrase in wanted or (wanted in phrase and len(wanted) >= 4) for phrase in PHRASES[name])

    if error not in PHRASES or any(phrase in wanted for phrase in SOMETIMES.get(error, ())):
        return None
    if holds(error):
        return True
    if STATUS.fullmatch(wanted):  # no phrase has it; that of a server in trouble is documented whatever its number
        return None if int(wanted) >= 500 and error == release.error_of_status(int(wanted)) else False
    return False if any(holds(name) for name in PHRASES if name != error) else None
