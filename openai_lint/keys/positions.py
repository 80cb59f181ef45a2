"""Where credentials are handed to the SDK, as data: keywords, attributes, headers, variables, hosts."""

import enum
import re
from dataclasses import dataclass
from urllib.parse import urlsplit


class Kind(enum.Enum):
    """What a position takes."""

    API_KEY = "API key"
    ADMIN_KEY = "admin key"
    AD_TOKEN = "Azure AD token"  # noqa: S105 -- the name of a kind, not a token
    WEBHOOK_SECRET = "webhook secret"  # noqa: S105 -- the name of a kind, not a secret
    AWS_SECRET = "AWS secret access key"  # noqa: S105 -- the name of a kind, not a secret
    AWS_TOKEN = "AWS session token"  # noqa: S105 -- the name of a kind, not a token


class Form(enum.Enum):
    """How the credential stands in the position."""

    BARE = "bare"
    BEARER = "bearer"  # `Bearer <key>`, as in the Authorization header
    VARIABLE = "variable"  # the name of the environment variable that holds the key


class Endpoint(enum.Enum):
    """Whom the client talks to."""

    OPENAI = "openai"
    AZURE = "azure"
    AWS = "aws"
    OTHER = "other"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Position:
    """A keyword that takes a credential.

    `clients` are the classes whose constructor takes it, `environment` the variable that each such class reads
    by itself when the keyword is left out (the empty string where it reads none).
    """

    keyword: str
    kind: Kind
    clients: frozenset[str]
    environment: str


OPENAI_CLIENTS = frozenset({"OpenAI", "AsyncOpenAI", "Client", "AsyncClient"})
AZURE_CLIENTS = frozenset({"AzureOpenAI", "AsyncAzureOpenAI"})
BEDROCK_CLIENTS = frozenset({"BedrockOpenAI", "AsyncBedrockOpenAI"})

POSITIONS = (
    Position("api_key", Kind.API_KEY, OPENAI_CLIENTS, "OPENAI_API_KEY"),
    Position("api_key", Kind.API_KEY, AZURE_CLIENTS, "AZURE_OPENAI_API_KEY"),
    Position("api_key", Kind.API_KEY, BEDROCK_CLIENTS, "AWS_BEARER_TOKEN_BEDROCK"),
    Position("admin_api_key", Kind.ADMIN_KEY, OPENAI_CLIENTS | AZURE_CLIENTS, "OPENAI_ADMIN_KEY"),
    Position("azure_ad_token", Kind.AD_TOKEN, AZURE_CLIENTS, "AZURE_OPENAI_AD_TOKEN"),
    Position(
        "webhook_secret", Kind.WEBHOOK_SECRET, OPENAI_CLIENTS | AZURE_CLIENTS | BEDROCK_CLIENTS, "OPENAI_WEBHOOK_SECRET"
    ),
    Position("aws_secret_access_key", Kind.AWS_SECRET, BEDROCK_CLIENTS, "AWS_SECRET_ACCESS_KEY"),
    Position("aws_session_token", Kind.AWS_TOKEN, BEDROCK_CLIENTS, "AWS_SESSION_TOKEN"),
)

KEYWORDS = {position.keyword: position.kind for position in POSITIONS}
"""Keyword of a constructor, of `with_options` and `copy`, of a 0.x call, or attribute of a client: what it takes."""

MODULE_ATTRIBUTES = {
    "api_key": Kind.API_KEY,
    "admin_api_key": Kind.ADMIN_KEY,
    "azure_ad_token": Kind.AD_TOKEN,
    "webhook_secret": Kind.WEBHOOK_SECRET,
}
"""`openai.<name> = ...`"""

HEADER_KEYWORDS = frozenset({"default_headers", "extra_headers", "headers", "set_default_headers"})
"""Keywords whose dict may hold a header with a credential."""

HEADERS = {
    "authorization": Form.BEARER,
    "api-key": Form.BARE,
    "ocp-apim-subscription-key": Form.BARE,
}
"""Header names in lower case, and how the key stands in them."""

ENVIRONMENT = {position.environment: position.kind for position in POSITIONS}
"""Environment variables that the clients read credentials from by themselves."""

# 0.x: methods whose first positional parameter is the key
POSITIONAL_API_KEY = frozenset(
    {
        f"{resource}.{method}"
        for resource, methods in {
            "ChatCompletion": ("create", "acreate"),
            "Completion": ("create", "acreate"),
            "Embedding": ("create", "acreate"),
            "Edit": ("create", "acreate"),
            "Image": ("create", "acreate"),
            "Model": ("list", "alist"),
            "FineTuningJob": ("create", "acreate"),
        }.items()
        for method in methods
    }
)

_AZURE_HOSTS = (
    ".openai.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
    ".azure-api.net",
)
_LOCAL_HOSTS = (".local", ".localhost", ".docker.internal")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PRODUCTS = frozenset({"openai", "aoai", "chatgpt", "gpt"})
_ENDINGS = {"key": Kind.API_KEY, "apikey": Kind.API_KEY, "token": Kind.API_KEY, "secret": Kind.API_KEY}


def environment_of(keyword: str, client: str) -> str:
    """The environment variable that the class reads by itself in place of the keyword; "" where there is none."""
    for position in POSITIONS:
        if position.keyword == keyword and client in position.clients:
            return position.environment
    return ""


def kind_of_name(name: str) -> Kind | None:
    """What a variable, field or environment variable of this name holds: a credential of OpenAI, or None.

    Known are the variables that the clients read, and names that say OpenAI and end like a key: `openai_api_key`,
    `AZURE_OPENAI_KEY`, `OpenAIKey2`; not `openai_api_key_path`, not `OPENAI_MAX_TOKENS`.
    """
    if name.upper() in ENVIRONMENT:
        return ENVIRONMENT[name.upper()]
    text = name.replace("OpenAI", "Openai").replace("openAI", "openai")
    parts = [part.lower() for part in _PARTS.findall(text) if not part.isdigit()]
    if not parts or (ending := _ENDINGS.get(parts[-1])) is None:
        return None
    if not _PRODUCTS.intersection(parts) and not ("open" in parts and "ai" in parts):
        return None
    return Kind.ADMIN_KEY if "admin" in parts else Kind.AD_TOKEN if "ad" in parts else ending


def endpoint_of(base_url: str) -> Endpoint:
    """Whom a client with this base URL talks to. A URL that cannot be read is another's."""
    try:
        host = (urlsplit(base_url if "://" in base_url else "//" + base_url).hostname or "").rstrip(".")
    except ValueError:
        return Endpoint.OTHER
    if host == "openai.com" or host.endswith(".openai.com"):
        return Endpoint.OPENAI
    if host.endswith(_AZURE_HOSTS):
        return Endpoint.AZURE
    if host.endswith(".amazonaws.com"):
        return Endpoint.AWS
    if host.startswith(("127.", "0.0.0.")) or host in ("::1", "::") or host.endswith(_LOCAL_HOSTS):
        return Endpoint.LOCAL
    # one label and no dot: this machine, or a container beside this one
    return Endpoint.LOCAL if host and "." not in host and ":" not in host else Endpoint.OTHER
