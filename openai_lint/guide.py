"""What the API's guide to error codes says, in our own words, as data: causes, remedies, and the rules that guard.

An entry is found by the HTTP status, by the name of the error in either line of the SDK, or by the code that the answer
carries. The names that differ between the lines are both listed, with what changed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the guide.

    ``old`` and ``new`` are the SDK's classes up to 0.28 and from 1.0; None where that line has no class of its own.
    ``codes`` are further words it is found by. ``transient``: whether waiting can help.
    """

    title: str
    status: int | None
    old: str | None
    new: str | None
    cause: str
    remedy: tuple[str, ...]
    rules: tuple[str, ...]
    transient: bool
    codes: tuple[str, ...] = ()
    note: str = ""


ENTRIES = (
    Entry(
        "401: invalid authentication",
        401,
        "AuthenticationError",
        "AuthenticationError",
        "The request was sent with a key that is not valid, or for an organisation that the key is not of.",
        (
            "Check that the right key and the right organisation (or project) are used for this request.",
            "Check that the key has the permission that this endpoint needs.",
        ),
        ("OAI103", "OAI301", "OAI302", "OAI303", "OAI304", "OAI305", "OAI306"),
        False,
    ),
    Entry(
        "401: incorrect API key provided",
        401,
        "AuthenticationError",
        "AuthenticationError",
        "The key in the request is mistyped, carries a stray space, quote or line end, belongs to another "
        "organisation, or was revoked.",
        (
            "Compare the key with the one in the dashboard, and clear caches that may hold an old one.",
            "Make a new key if in doubt, and read it from the environment instead of writing it into the code.",
            "Revoke a key that was ever committed: the history keeps it.",
        ),
        ("OAI103", "OAI301", "OAI302", "OAI303", "OAI304"),
        False,
        ("invalid_api_key",),
    ),
    Entry(
        "401: you must be a member of an organisation",
        401,
        "AuthenticationError",
        "AuthenticationError",
        "The account is no longer part of the organisation that the request names, or of any.",
        ("Ask the organisation's owner for an invitation, or contact support to join a new one.",),
        ("OAI103", "OAI306"),
        False,
    ),
    Entry(
        "403: permission denied",
        403,
        "PermissionError",
        "PermissionDeniedError",
        "The key is valid and may not do this: the country is not supported, or the project lacks the model.",
        ("Check the permissions of the key and the project, and the list of supported countries.",),
        ("OAI103", "OAI204"),
        False,
    ),
    Entry(
        "404: not found",
        404,
        "InvalidRequestError",
        "NotFoundError",
        "The model, file, deployment or other object that the request names does not exist or is not for this key.",
        ("Check the name of the model or the id of the object; on Azure the name of the deployment.",),
        ("OAI103", "OAI204"),
        False,
        ("model_not_found",),
        "Up to 0.28 it is the same class as a malformed request.",
    ),
    Entry(
        "409: conflict",
        409,
        "TryAgain",
        "ConflictError",
        "Another request changed the object at the same time.",
        ("Wait a moment and try again, and let only one request at a time change an object.",),
        ("OAI102", "OAI201"),
        True,
        note="Up to 0.28 the SDK repeats most calls without a pause, and without an end, while the answer is 409.",
    ),
    Entry(
        "422: unprocessable entity",
        422,
        "APIError",
        "UnprocessableEntityError",
        "The request is well formed, and its values cannot be processed.",
        ("Read the message, and correct the request; sending it again does not help.",),
        ("OAI103", "OAI204"),
        False,
    ),
    Entry(
        "429: rate limit reached for requests",
        429,
        "RateLimitError",
        "RateLimitError",
        "Too many requests or tokens in a time window: a tight loop, several scripts at once, a key that others use "
        "too, or a plan with low limits.",
        (
            "Pace the requests, batch them, and bound how many run at a time.",
            "Retry with random exponential backoff, a limit on the tries, and the waits that the headers name.",
            "Do not share keys; raise the limits of the plan if the load is real.",
        ),
        ("OAI102", "OAI201", "OAI202", "OAI203", "OAI205", "OAI207", "OAI210", "OAI211", "OAI212"),
        True,
        ("rate_limit_exceeded",),
    ),
    Entry(
        "429: you exceeded your current quota",
        429,
        "RateLimitError",
        "RateLimitError",
        "The credits are used up, or the monthly limit of the organisation is spent.",
        (
            "Buy credits or raise the limit. Waiting and retrying never help.",
            'Tell it from a rate limit by its code: error.code == "insufficient_quota" from 1.0 on.',
        ),
        ("OAI206",),
        False,
        ("insufficient_quota",),
    ),
    Entry(
        "429 or 503: the engine is currently overloaded",
        429,
        "RateLimitError",
        "RateLimitError",
        "Traffic is high, or grew faster than the servers follow.",
        (
            "Retry with exponential backoff, and honour the waits that the response headers name.",
            "After a sudden rise, slow down and raise the rate over some minutes.",
        ),
        ("OAI102", "OAI201"),
        True,
    ),
    Entry(
        "500: the server had an error while processing the request",
        500,
        "APIError",
        "InternalServerError",
        "Something failed on the side of the API.",
        (
            "Wait a little and send the request again, with backoff.",
            "If it stays, look at the status page, and report the request id.",
        ),
        ("OAI102", "OAI201"),
        True,
        ("502", "504", "529", "server_error"),
    ),
    Entry(
        "503: the engine is currently overloaded",
        503,
        "ServiceUnavailableError",
        "InternalServerError",
        "The servers are down or loaded.",
        (
            "Wait before the next try, and retry with exponential backoff; a few minutes are not unusual.",
            "Look at the status page before reporting it.",
        ),
        ("OAI102", "OAI201"),
        True,
        note="ServiceUnavailableError has no counterpart from 1.0 on: every status from 500 is InternalServerError.",
    ),
    Entry(
        "APIError",
        None,
        "APIError",
        "APIError",
        "A temporary failure on the server's side, or an error event inside a stream.",
        ("Wait some seconds and retry with backoff; if it stays, report model, message, time and request id.",),
        ("OAI101", "OAI102", "OAI107", "OAI115"),
        True,
        note="Up to 0.28 it is one error among its siblings (a status of 500, mostly). From 1.0 on it is the base "
        "class of all of them: `except openai.APIError` then catches every failure of the API.",
    ),
    Entry(
        "The request timed out",
        None,
        "Timeout",
        "APITimeoutError",
        "The network is slow, or the request takes longer than the timeout that was chosen.",
        (
            "Retry with backoff, check the network, and choose a timeout that fits the request.",
            "Ask for fewer tokens at a time, or stream the answer.",
        ),
        ("OAI102", "OAI401", "OAI402"),
        True,
        note="From 1.0 on it is a kind of APIConnectionError, and `openai.Timeout` is a setting, not an error. Nobody "
        "who sets no timeout sees it before ten minutes have passed.",
    ),
    Entry(
        "RateLimitError",
        None,
        "RateLimitError",
        "RateLimitError",
        "The limit of a time window is reached, or the quota is spent (the two share the class).",
        (
            "Send fewer requests, or fewer tokens, in a window; batch them; back off and wait until the limit resets.",
            'Give up at once when error.code is "insufficient_quota".',
        ),
        ("OAI102", "OAI201", "OAI202", "OAI203", "OAI206", "OAI210"),
        True,
    ),
    Entry(
        "APIConnectionError",
        None,
        "APIConnectionError",
        "APIConnectionError",
        "The request did not reach the API or the answer did not come back: network, proxy, certificates, firewall.",
        (
            "Check the connection, the proxy and the certificates, and whether a firewall lets the host through.",
            "Retry with backoff: most such failures pass.",
        ),
        ("OAI102", "OAI404"),
        True,
    ),
    Entry(
        "400: malformed request",
        400,
        "InvalidRequestError",
        "BadRequestError",
        "A parameter is missing or not valid: a wrong name, a value out of range, more tokens than the model takes.",
        (
            "Read the message: it names the parameter. Correct the call.",
            "Never retry: the same request fails the same way.",
        ),
        ("OAI103", "OAI204"),
        False,
        ("context_length_exceeded", "invalid_request_error"),
    ),
    Entry(
        "AuthenticationError",
        None,
        "AuthenticationError",
        "AuthenticationError",
        "The key is not valid, expired, or was revoked.",
        (
            "Check that the key is complete and carries no stray characters; make a new one if need be.",
            "Never retry: the same key fails the same way.",
        ),
        ("OAI103", "OAI204", "OAI304"),
        False,
    ),
    Entry(
        "Errors that stay",
        None,
        None,
        None,
        "An error that no remedy removes.",
        ("Log the model, the message and code of the error, the request, the time and the request id; report them.",),
        ("OAI107", "OAI115"),
        False,
        ("persistent", "request_id", "support"),
    ),
)
"""In the order of the guide: statuses first, then the SDK's classes."""
