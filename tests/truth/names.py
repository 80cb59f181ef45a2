"""The errors that each major of the SDK documents, and which fault raises which."""

#: by major: 0, or 1 for everything later
DOCUMENTED = {
    0: (
        "APIError",
        "Timeout",
        "RateLimitError",
        "APIConnectionError",
        "ServiceUnavailableError",
        "InvalidRequestError",
        "AuthenticationError",
        "PermissionError",
    ),
    1: (
        "APIConnectionError",
        "APITimeoutError",
        "RateLimitError",
        "InternalServerError",
        "ConflictError",
        "BadRequestError",
        "AuthenticationError",
        "PermissionDeniedError",
        "NotFoundError",
        "UnprocessableEntityError",
    ),
}

#: fault -> documented name, by major
FAULT_NAMES = {
    0: {
        "bad_request": "InvalidRequestError",
        "auth": "AuthenticationError",
        "permission": "PermissionError",
        "not_found": "InvalidRequestError",
        "unprocessable": "APIError",
        "rate": "RateLimitError",
        "quota": "RateLimitError",
        "server": "APIError",
        "overloaded": "ServiceUnavailableError",
        "timeout": "Timeout",
        "refused": "APIConnectionError",
        "dropped": "APIConnectionError",
    },
    1: {
        "bad_request": "BadRequestError",
        "auth": "AuthenticationError",
        "permission": "PermissionDeniedError",
        "not_found": "NotFoundError",
        "conflict": "ConflictError",
        "unprocessable": "UnprocessableEntityError",
        "rate": "RateLimitError",
        "quota": "RateLimitError",
        "server": "InternalServerError",
        "overloaded": "InternalServerError",
        "timeout": "APITimeoutError",
        "refused": "APIConnectionError",
        "dropped": "APIConnectionError",
    },
}
