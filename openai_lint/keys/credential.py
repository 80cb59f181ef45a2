"""What the literal in the position of a credential is: a key, something like one, a broken one, or none."""

import enum
import re
import unicodedata
from dataclasses import dataclass

from openai_lint.keys.positions import Endpoint, Form, Kind
from openai_lint.keys.shapes import VENDOR_PREFIXES, KeyMatch, find_keys, has_vendor_prefix, is_key
from openai_lint.keys.words import made_up, named_placeholder, patterned

SHORTEST = 16
"""Characters that a credential has at least."""

_LONGEST = 8000
_LETTERS_AT_LEAST = 3  # fewer are in numbers (-1.5e-06) and times (20240501T120000Z)


class Judgement(enum.Enum):
    """What a value is."""

    KEY = "key"  # in the format of an OpenAI key
    CREDENTIAL = "credential"  # no known format, but nothing that a person would write
    MALFORMED = "malformed"  # a key or credential, and something that makes the API refuse it
    NONE = "none"  # a placeholder, a name, a reference, somebody else's


class Problem(enum.Enum):
    """What makes a key malformed."""

    SPACE = "stray white space"
    NEWLINE = "a stray line break"
    QUOTE = "a stray quote"
    BEARER = "the word Bearer, which the client adds by itself"
    NON_ASCII = "a character that is not ASCII"
    NAME = "a key where the name of an environment variable belongs"


@dataclass(frozen=True, slots=True)
class Context:
    """Where a value stands. `placeholders` are the project's own, as shell patterns."""

    kind: Kind = Kind.API_KEY
    form: Form = Form.BARE
    endpoint: Endpoint = Endpoint.OPENAI
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a value is, and as much of it as may be shown.

    `prefix` may be shown ("" where nothing may), `length` counts code points of the key. `keep` is the part of the
    value that stays when only stray white space around it is taken away, None where that is not the whole cure.
    """

    judgement: Judgement
    prefix: str = ""
    length: int = 0
    problem: Problem | None = None
    keep: tuple[int, int] | None = None


NOTHING = Verdict(Judgement.NONE)

_BEARER = re.compile(r"bearer(?:\s+|\Z)", re.IGNORECASE)
_ALPHABET = re.compile(r"[A-Za-z0-9_.+/=~:-]+")
_FAMILY = re.compile(r"(?:sk|rk|pk)-(?:(?:proj|svcacct|service|admin|None)-)?|whsec_")
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGEST_LENGTHS = frozenset({32, 40, 56, 64, 96, 128})
_AZURE = re.compile(r"[0-9a-fA-F]{32}|[A-Za-z0-9]{84}")
_AWS_SECRET = re.compile(r"[A-Za-z0-9/+]{40}")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.(eyJ[A-Za-z0-9_-]{10,})\.[A-Za-z0-9_-]{16,}")
_JWT_EXAMPLE = "eyJzdWIiOiIxMjM0NTY3ODkwI"  # subject 1234567890: the token on every page that explains them

_ORGANIZATION = re.compile(r"(?:org-|proj_)([A-Za-z0-9]{24})")
_QUOTES = frozenset("\"'`‘’“”«»")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_SIGNED_BY_AZURE = re.compile(r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}")  # what stands in each of the newer keys of Azure


def judge_credential(value: str, context: Context) -> Verdict:
    """What the value of a credential position is."""
    if len(value) > _LONGEST:
        return NOTHING
    start, end, problems = _strip(value, context.form)
    core = value[start:end]
    if any(named_placeholder(text, context.placeholders) for text in (value, core)):
        return NOTHING
    if context.form is Form.VARIABLE:
        return _judge_name(core, context)

    keys = find_keys(value)
    if keys and (len(keys) > 1 or keys[0].length != len(core)):
        return Verdict(Judgement.KEY, keys[0].prefix, keys[0].length)
    judgement, prefix = Judgement.KEY, ""
    if keys:
        prefix = keys[0].prefix
    elif (mended := _mended(core)) is not None:
        prefix = mended.prefix
        problems = [*problems, *_problems_inside(core)]
    elif is_credential(core, context):
        judgement, prefix = Judgement.CREDENTIAL, shown_prefix(core)
    else:
        return NOTHING
    if not problems:
        return Verdict(judgement, prefix, len(core))
    # stray characters inside the core are in the list too; then what is kept would be as broken as the value
    curable = set(problems) <= {Problem.SPACE, Problem.NEWLINE} and not _problems_inside(core)
    return Verdict(Judgement.MALFORMED, prefix, len(core), problems[0], (start, end) if curable else None)


def is_credential(value: str, context: Context) -> bool:
    """Whether the bare value looks issued, though it has not the format of an OpenAI key.

    What OpenAI itself never issues (digests, UUIDs, keys of other vendors) counts only where the client talks to
    somebody else; where it talks to this machine nothing counts.
    """
    if context.endpoint is Endpoint.LOCAL or not _may_be_issued(value):
        return False
    if (token := _JWT.fullmatch(value)) is not None:
        return not token[1].startswith(_JWT_EXAMPLE)
    if _SIGNED_BY_AZURE.fullmatch(value):
        return not patterned(value[:52])
    if context.kind is Kind.AWS_SECRET and _AWS_SECRET.fullmatch(value):
        return not made_up(value)
    own = context.endpoint is Endpoint.OPENAI and context.kind in (Kind.API_KEY, Kind.ADMIN_KEY)
    if own and (_is_digest(value) or _UUID.fullmatch(value)):
        return False
    if has_vendor_prefix(value) and context.endpoint is Endpoint.OPENAI and context.kind is not Kind.WEBHOOK_SECRET:
        return False
    return looks_issued(value)


def looks_issued(value: str) -> bool:
    """Whether the value is long enough, mixes letters and digits, and shows no trace of a person's hand."""
    if not _may_be_issued(value):
        return False
    body = value[len(shown_prefix(value)) :]
    letters = sum(letter.isalpha() for letter in body)
    has_digits = any(letter.isdigit() for letter in body)
    return has_digits and letters >= _LETTERS_AT_LEAST and not made_up(body)


def shown_prefix(value: str) -> str:
    """As much of a credential as may be shown: how the keys of its family begin."""
    family = _FAMILY.match(value)
    vendor = next((prefix for prefix in VENDOR_PREFIXES if value.startswith(prefix)), "")
    return max("" if family is None else family.group(), vendor, key=len)


def looks_like_org(value: str) -> bool:
    """Whether the value is the identifier of an organisation (`org-...`) or project (`proj_...`)."""
    match = _ORGANIZATION.fullmatch(value)
    return match is not None and not made_up(match[1])


def _may_be_issued(value: str) -> bool:
    return (
        SHORTEST <= len(value) <= _LONGEST
        and _ALPHABET.fullmatch(value) is not None
        and "://" not in value
        and _VARIABLE_NAME.fullmatch(value) is None
    )


def _is_digest(value: str) -> bool:
    return len(value) in _DIGEST_LENGTHS and _HEX.fullmatch(value) is not None


def _judge_name(value: str, context: Context) -> Verdict:
    """A variable's name has no format of its own, so only what is a key beyond doubt is none."""
    doubtless = (
        is_key(value)
        or (value.startswith("sk-") and not has_vendor_prefix(value) and looks_issued(value))
        or (context.endpoint is Endpoint.AZURE and _AZURE.fullmatch(value) is not None and looks_issued(value))
    )
    return Verdict(Judgement.MALFORMED, shown_prefix(value), len(value), Problem.NAME) if doubtless else NOTHING


def _strip(value: str, form: Form) -> tuple[int, int, list[Problem]]:
    """The part of the value without what stands around the key, and what that was."""
    start, end, problems = 0, len(value), []
    bearer_is_due = form is Form.BEARER
    while start < end:
        if (problem := _stray(value[start])) is not None:
            start += 1
        elif (problem := _stray(value[end - 1])) is not None:
            end -= 1
        elif (bearer := _BEARER.match(value, start, end)) is not None:
            start = bearer.end()
            problem = None if bearer_is_due else Problem.BEARER
            bearer_is_due = False
        else:
            break
        if problem is not None and problem not in problems:
            problems.append(problem)
    return start, end, problems


def _stray(letter: str) -> Problem | None:
    if letter in "\r\n":
        return Problem.NEWLINE
    if letter.isspace():
        return Problem.SPACE
    if letter in _QUOTES:
        return Problem.QUOTE
    return Problem.NON_ASCII if unicodedata.category(letter) == "Cf" else None


def _problems_inside(value: str) -> list[Problem]:
    found = [_stray(letter) or (None if letter.isascii() else Problem.NON_ASCII) for letter in value]
    return list(dict.fromkeys(problem for problem in found if problem is not None))


def _mended(value: str) -> KeyMatch | None:
    """The key that the value would be without the stray characters inside it; None where it is none even so."""
    if value.isascii() and not any(_stray(letter) for letter in value):
        return None
    clean = "".join(letter for letter in value.translate(_DASHES) if _stray(letter) is None)
    for foreign in ("x", ""):  # a letter of another alphabet stands in place of one, or beside one
        text = "".join(letter if letter.isascii() else foreign for letter in unicodedata.normalize("NFKC", clean))
        keys = find_keys(text)
        if len(keys) == 1 and keys[0].length == len(text):
            return keys[0]
    return None
