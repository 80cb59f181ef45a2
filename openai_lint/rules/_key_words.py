"""What is said about a key: what it is, and what to do, first outside of the code and then in it."""

from openai_lint.keys import Endpoint, Form, Judgement, Kind
from openai_lint.rewrites import Rewrite
from openai_lint.rule import Hit
from openai_lint.rules._keys import Found

_HISTORY = "the history of the repository keeps it, even when the line is gone"


def hit(found: Found, message: str, *instead: str, rewrite: Rewrite | None = None) -> Hit:
    """The hit of a rule; without ``instead`` the help says what belongs in place of the literal."""
    return Hit(found.place, message, "\n".join([revoke(found), *(instead or replacement(found))]), rewrite=rewrite)


def shown(found: Found) -> str:
    """As much of the key as may be shown: how it begins and how long it is."""
    start = f"{found.verdict.prefix}…, " if found.verdict.prefix else ""
    return f"({start}{found.verdict.length} characters)"


def what(found: Found) -> str:
    """What it is, with its article."""
    if found.verdict.judgement is Judgement.KEY or found.verdict.prefix.startswith("sk-"):
        return "an OpenAI API key"
    kind = found.position.kind if found.position is not None else Kind.API_KEY
    if kind is Kind.API_KEY:
        azure = found.position is not None and found.position.endpoint is Endpoint.AZURE
        return "an Azure OpenAI key" if azure else "a credential"
    return f"an {kind.value}" if kind.value[0] in "aA" else f"a {kind.value}"


def revoke(found: Found) -> str:
    """What has to be done before anything in the code."""
    endpoint = found.position.endpoint if found.position is not None else Endpoint.OPENAI
    if found.verdict.judgement is Judgement.KEY or found.verdict.prefix.startswith(("sk-", "sess-")):
        return f"Revoke this key at https://platform.openai.com/api-keys: {_HISTORY}."
    if endpoint is Endpoint.AZURE:
        return f"Regenerate this key in the Azure portal (Keys and Endpoint): {_HISTORY}."
    if endpoint is Endpoint.AWS:
        return f"Deactivate it in AWS IAM: {_HISTORY}."
    return f"Revoke it where it was issued: {_HISTORY}."


def replacement(found: Found) -> list[str]:
    """What to write in place of the literal, for the place where it stands."""
    variable, position = found.variable, found.position
    if found.where.startswith("the output"):
        return ["Then clear the output of the cell (nbstripout does so on each commit)."]
    if found.where in ("a comment", "this text cell"):
        return ["Then take it out of the text."]
    lookup = f'os.environ["{variable}"]'
    if position is not None and position.variable and position.how == "keyword":
        keyword = position.label.partition(" of ")[0]
        return [f"Then leave {keyword} out: the client reads {variable} from the environment by itself."]
    if position is not None and position.variable and position.how == "attribute":
        return [f"Then delete the assignment: the library reads {variable} from the environment by itself."]
    if position is not None and position.how == "environment":
        return [f"Then set {variable} outside of the program: in the shell, or in a .env file that is not committed."]
    if position is not None and position.form is Form.BEARER:
        return [f"Then read it from the environment: `f\"Bearer {{os.environ['{variable}']}}\"`."]
    return [f"Then read it from the environment: `{lookup}`."]
