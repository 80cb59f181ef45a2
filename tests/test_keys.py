"""Keys: every shape is found exactly, everywhere; what only looks like one is not; none is ever shown.

All keys are drawn at run time. None opens anything.
"""

import base64
import random
import re
import string
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_lint.keys import (
    MARKER,
    Context,
    Endpoint,
    Form,
    Judgement,
    Kind,
    Problem,
    endpoint_of,
    environment_of,
    find_keys,
    judge_credential,
    kind_of_name,
    looks_like_org,
    named_placeholder,
    redact,
)
from openai_lint.keys.shapes import SHAPES, VENDOR_PREFIXES

NARROW = string.ascii_letters + string.digits
WIDE = NARROW + "-_"
HEX = "0123456789abcdef"
SIDES = (20, 44, 51, 58, 74)
WIDE_PREFIXES = ("sk-proj-", "sk-svcacct-", "sk-service-", "sk-admin-", "sk-None-")


def draw(rng: random.Random, alphabet: str, count: int) -> str:
    return "".join(rng.choices(alphabet, k=count))


def marked(rng: random.Random, prefix: str, side: int, alphabet: str = WIDE) -> str:
    return prefix + draw(rng, alphabet, side) + MARKER + draw(rng, alphabet, side)


def wide(prefix: str, side: int) -> Callable[[random.Random], str]:
    return lambda rng: marked(rng, prefix, side)


def named(rng: random.Random) -> str:
    name = rng.choice(("bot", "my-service-1", "service-nightly", "a", "R2D2"))
    return marked(rng, f"sk-{name}-", 20, NARROW)


FAMILIES: dict[str, tuple[str, str, Callable[[random.Random], str]]] = {
    "legacy": ("legacy", "sk-", lambda rng: marked(rng, "sk-", 20, NARROW)),
    "named": ("named", "sk-", named),
    "session": ("session", "sess-", lambda rng: "sess-" + draw(rng, NARROW, 40)),
} | {
    f"{prefix}{side}": (next(shape.name for shape in SHAPES if shape.prefix == prefix), prefix, wide(prefix, side))
    for prefix in WIDE_PREFIXES
    for side in SIDES
}

SURROUNDINGS = (
    "{}",
    'client = OpenAI(api_key="{}")',
    "openai.api_key = '{}'",
    'key = b"{}"',
    'f"Bearer {}"',
    'f"{{greeting}}, the key is {}; {{rest}}"',
    'headers = {{"Authorization": "Bearer {}", "api-key": "{}"}}',
    "https://example.org/v1?key={}&model=x",
    "https://example.org/{}/chat",
    "https://example.org/?next=%2Fkey%3D{}%26x",
    '"""\nOPENAI_API_KEY={}\nOTHER=1\n"""',
    "# old key: {}",
    "#{}#",
    'os.environ["OPENAI_API_KEY"]="{}"',
    'os.getenv("OPENAI_API_KEY", "{}")',
    "keys = ['{}','{}' ,\"{}\"]",
    '{{"source": ["client = OpenAI(\\n","    api_key=\\"{}\\")\\n"]}}',
    '"outputs": "\\n{}\\n\\t{}\\u000a{}"',
    "\\u001b[32m{}\\u001b[0m",
    "\x1b[1;32m{}\x1b[0m",
    "密钥{}在这里",
    "(see {})",
    "`{}`, *{}*.",
    "curl -H 'Authorization: Bearer {}'",
    "a task-1 for the desk- of sk- or sk-proj-: {}",
    "old-{}",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_key_is_found_where_it_stands(family: str) -> None:
    shape, prefix, make = FAMILIES[family]
    rng = random.Random(family)
    for number in range(500):
        template = SURROUNDINGS[number % len(SURROUNDINGS)]
        keys = [make(rng) for _ in range(template.count("{}"))]
        text = template.format(*keys)
        found = find_keys(text)
        assert [text[match.start : match.end] for match in found] == keys, template
        assert {(match.shape, match.prefix, match.length) for match in found} <= {
            (shape, prefix, len(key)) for key in keys
        }


@pytest.mark.parametrize("family", FAMILIES)
def test_a_match_does_not_carry_the_key(family: str) -> None:
    _, prefix, make = FAMILIES[family]
    key = make(random.Random(family))
    assert key[len(prefix) :] not in repr(find_keys(key))
    assert key[len(prefix) :] not in repr(judge_credential(key + "\n", Context()))


def look_alikes() -> list[str]:
    """Texts that hold no key of OpenAI, though each has something of one."""
    rng = random.Random("look-alikes")
    side = lambda count=20: draw(rng, NARROW, count)  # noqa: E731
    out = [f"{word}sk-{side()}{MARKER}{side()}" for word in ("ta", "de", "ri", "di", "ma", "a", "x1", "_", "DE")]
    out += [f"sk-{side(left)}{MARKER}{side(right)}" for left, right in [(19, 20), (20, 19), (21, 20), (20, 21)] * 5]
    out += [
        f"{prefix}{side(left)}{MARKER}{side(right)}"
        for prefix in WIDE_PREFIXES
        for left, right in ((19, 20), (20, 22), (43, 44), (58, 57), (75, 74), (74, 75), (0, 74), (74, 0))
    ]
    out += [
        f"{prefix}{one}{MARKER}{other}"
        for prefix in ("sk-", *WIDE_PREFIXES)
        for one, other in (("x" * 20, side()), (side(), "0" * 20), ("X" * 20, "X" * 20))
    ]
    out += [vendor + side(rng.choice((20, 32, 48, 93))) for vendor in VENDOR_PREFIXES for _ in range(2)]
    out += [f"sk-{vendor}-{side()}{MARKER}{side()}" for vendor in ("ant", "or", "lf")]
    out += ["sk-or-v1-" + draw(rng, HEX, 64) for _ in range(5)]
    out += [f"{word}-{side()}" for word in ("task", "desk", "risk", "disk", "ask", "mask", "flask") for _ in range(3)]
    out += [draw(rng, HEX, size) for size in (32, 40, 56, 64, 128) for _ in range(5)]
    out += [
        "sess-" + draw(rng, HEX, 40),
        "sess-" + side(39),
        "sess-" + side(41),
        "posess-" + side(40),
        "sess-" + "a" * 40,
    ]
    out += [MARKER, f"sk-{MARKER}", f"sk-proj-{MARKER}", f"sk-proj-...{MARKER}...", MARKER * 12, "sk-" * 40]
    out += ["sk-...", "sk-…", "sk-", "sk-proj-", "sk-proj-...", "sk-your-key", "sk-" + "x" * 48, "sk-proj-" + "X" * 156]
    return out + MADE_UP


_MADE_UP = """
EMPTY NONE None null none fake dummy test ollama lm-studio not-needed no-key no-key-required sk-no-key-required
token-abc123 <your-key> <YOUR_API_KEY> ${OPENAI_API_KEY} $OPENAI_API_KEY {{OPENAI_API_KEY}} {api_key} %(key)s
******** sk-**** ... your-api-key YOUR_API_KEY your_openai_api_key_here sk-your-api-key-here-1234567890
sk-your-openai-key-goes-here-123 OPENAI_API_KEY OPENAI_API_KEY_2 AZURE_OPENAI_API_KEY_1 env:OPENAI_API_KEY_1
vault:secret/openai/key1 op://vault/item/key1 sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1
sk-00000000000000000000000000000000000000000000000a sk-1234567890abcdef1234567890abcdef
sk-abcdefghijklmnopqrstuvwxyz0123456789 0123456789abcdef0123456789abcdef
sk-abc123def456ghi789jkl012mno345pqr678stu901vwx234 sk-abcd1234efgh5678ijkl9012mnop3456qrst7890
a1b2c3d4e5f6g7h8i9j0 sk-1a2b3c4d5e6f7g8h9i0jklmnopqrstuvwxyz sk-9876543210fedcba9876543210fedcba
deadbeefdeadbeefdeadbeefdeadbeef sk-deadbeefcafebabe1234567890abcdef abc123abc123abc123abc123
aaaabbbbccccdddd1111222233334444 1qaz2wsx3edc4rfv5tgb 12345678-1234-5678-1234-567812345678
00000000-0000-0000-0000-000000000000 550e8400-e29b-41d4-a716-446655440000 d41d8cd98f00b204e9800998ecf8427e
s3cr3t-k3y-f0r-t3sts-0001 qwertyuiop1234567890 1234567890123456 test-key-1234567890 fake-api-key-00000001
dummy_key_for_tests_1 my-litellm-master-key-1234 random_string_1234567890 mysupersecretpassword1234
correcthorsebatterystaple99 thisisnotarealapikey123 InsertYourOpenAIKeyHere123 foo-bar-baz-123456
vllm-server-token-0001 openai-key-from-vault-2024 sk-ThisIsAFakeKeyForTesting123456 sk-invalidkey1234567890
changeme1234567890 https://example.com/key/abc123def projects/123456/secrets/openai-api-key/versions/1
gpt-4o-mini-2024-07-18 FAKE-KEY-0000-1111-2222 arn:aws:secretsmanager:us-east-1:123456789012:secret:openai
text-embedding-ada-002-v2 wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
MADE_UP = _MADE_UP.split()


def test_look_alikes_are_no_keys() -> None:
    texts = look_alikes()
    assert len(texts) >= 300
    for text in texts:
        for template in SURROUNDINGS:
            filled = template.replace("{{", "{").replace("}}", "}").replace("{}", text)
            assert find_keys(filled) == [], filled


@pytest.mark.parametrize("value", MADE_UP)
@pytest.mark.parametrize("endpoint", Endpoint)
@pytest.mark.parametrize("form", Form)
def test_placeholders_are_nothing_in_the_position_of_a_credential(value: str, endpoint: Endpoint, form: Form) -> None:
    for text in (value, f" {value}\n", f"Bearer {value}"):
        assert judge_credential(text, Context(form=form, endpoint=endpoint)).judgement is Judgement.NONE


def test_what_openai_never_issues_counts_only_where_the_client_talks_to_others() -> None:
    rng = random.Random("others")
    uuid = "-".join(draw(rng, HEX, size) for size in (8, 4, 4, 4, 12))
    values = [
        uuid,
        draw(rng, HEX, 32),
        draw(rng, HEX, 64),
        "sk-or-v1-" + draw(rng, HEX, 64),
        "gsk_" + draw(rng, NARROW, 52),
    ]
    for value in values:
        assert judge_credential(value, Context()).judgement is Judgement.NONE
        assert judge_credential(value, Context(endpoint=Endpoint.OTHER)).judgement is Judgement.CREDENTIAL
        assert judge_credential(value, Context(endpoint=Endpoint.LOCAL)).judgement is Judgement.NONE


CREDENTIALS: dict[str, tuple[Context, Callable[[random.Random], str]]] = {
    "proxy, sk- without the marker": (Context(), lambda rng: "sk-" + draw(rng, NARROW, 47) + "7"),
    "proxy, digest behind sk-": (Context(), lambda rng: "sk-" + draw(rng, HEX, 32)),
    "proxy, letters and digits": (Context(endpoint=Endpoint.OTHER), lambda rng: draw(rng, NARROW, 39) + "4"),
    "azure, hexadecimal": (Context(endpoint=Endpoint.AZURE), lambda rng: draw(rng, HEX, 32)),
    "azure, 84": (
        Context(endpoint=Endpoint.AZURE),
        lambda rng: draw(rng, NARROW, 52) + "JQQJ99" + draw(rng, NARROW, 26),
    ),
    "azure, ad token": (
        Context(Kind.AD_TOKEN, endpoint=Endpoint.AZURE),
        lambda rng: "eyJ" + draw(rng, WIDE, 60) + ".eyJ" + draw(rng, WIDE, 500) + "." + draw(rng, WIDE, 342),
    ),
    "aws, secret": (Context(Kind.AWS_SECRET, endpoint=Endpoint.AWS), lambda rng: draw(rng, NARROW + "+/", 40)),
    "aws, session": (
        Context(Kind.AWS_TOKEN, endpoint=Endpoint.AWS),
        lambda rng: base64.b64encode(rng.randbytes(300)).decode(),
    ),
    "webhook": (Context(Kind.WEBHOOK_SECRET), lambda rng: "whsec_" + base64.b64encode(rng.randbytes(32)).decode()),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_credentials_are_told_from_what_people_write(name: str) -> None:
    context, make = CREDENTIALS[name]
    rng = random.Random(name)
    values = [make(rng) for _ in range(500)]
    missed = sum(judge_credential(value, context).judgement is not Judgement.CREDENTIAL for value in values)
    # A random value can happen to hold a word. Where the format is fixed, no look at words is needed.
    allowed = 0 if name in ("azure, hexadecimal", "azure, 84", "azure, ad token") else 5
    assert missed <= allowed


@pytest.mark.parametrize("family", FAMILIES)
def test_a_key_in_the_position_of_a_credential(family: str) -> None:
    _, prefix, make = FAMILIES[family]
    rng = random.Random(family)
    for _ in range(50):
        key = make(rng)
        for endpoint in Endpoint:
            verdict = judge_credential(key, Context(endpoint=endpoint))
            assert (verdict.judgement, verdict.prefix, verdict.length) == (Judgement.KEY, prefix, len(key))
        in_header = judge_credential(f"Bearer {key}", Context(form=Form.BEARER))
        assert in_header.judgement is Judgement.KEY and in_header.length == len(key)


@pytest.mark.parametrize(
    ("before", "inside", "after", "problem", "curable"),
    [
        (" ", "", "", Problem.SPACE, True),
        ("", "", " ", Problem.SPACE, True),
        ("", "", "\n", Problem.NEWLINE, True),
        ("\t", "", "\r\n", Problem.SPACE, True),
        ("", " ", "", Problem.SPACE, False),
        ("", "\n", "", Problem.NEWLINE, False),
        (" ", "\n", "", Problem.SPACE, False),
        ("'", "", "'", Problem.QUOTE, False),
        ("", "", '"', Problem.QUOTE, False),
        ("“", "", "”", Problem.QUOTE, False),
        ("Bearer ", "", "", Problem.BEARER, False),
        ("bearer ", "", " ", Problem.SPACE, False),
        ("\ufeff", "", "", Problem.NON_ASCII, False),
        ("", "\u200b", "", Problem.NON_ASCII, False),
        ("", "\u00e9", "", Problem.NON_ASCII, False),
    ],
)
def test_malformed_keys(before: str, inside: str, after: str, problem: Problem, curable: bool) -> None:
    rng = random.Random("malformed")
    for _, _, make in FAMILIES.values():
        key = make(rng)
        value = before + key[:12] + inside + key[12:] + after
        verdict = judge_credential(value, Context())
        assert (verdict.judgement, verdict.problem) == (Judgement.MALFORMED, problem)
        assert verdict.keep == ((len(before), len(before) + len(key)) if curable else None)


def test_dashes_that_an_editor_made() -> None:
    key = marked(random.Random("dash"), "sk-proj-", 58, NARROW)
    verdict = judge_credential(key.replace("-", "–"), Context())
    assert (verdict.judgement, verdict.problem) == (Judgement.MALFORMED, Problem.NON_ASCII)


def test_bearer_is_due_in_the_authorization_header_only_once() -> None:
    key = marked(random.Random("bearer"), "sk-proj-", 74)
    header = Context(form=Form.BEARER)
    assert judge_credential(f"Bearer {key}", header).judgement is Judgement.KEY
    assert judge_credential(f"Bearer Bearer {key}", header).problem is Problem.BEARER
    assert judge_credential(f"Bearer {key} ", header).problem is Problem.SPACE


def test_a_key_where_a_variable_name_belongs() -> None:
    rng = random.Random("names")
    name = Context(form=Form.VARIABLE)
    for _, _, make in FAMILIES.values():
        assert judge_credential(make(rng), name).problem is Problem.NAME
    assert judge_credential("sk-" + draw(rng, HEX, 32), name).problem is Problem.NAME
    azure = Context(form=Form.VARIABLE, endpoint=Endpoint.AZURE)
    assert judge_credential(draw(rng, HEX, 32), azure).problem is Problem.NAME
    for value in (
        "OPENAI_API_KEY",
        "openai_key",
        "sk",
        "SK_KEY_1",
        "MY_OPENAI_KEY_20240101",
        "openaiApiKeyNumber20240101",
    ):
        assert judge_credential(value, name).judgement is Judgement.NONE
        assert judge_credential(value, azure).judgement is Judgement.NONE


def test_the_projects_own_placeholders() -> None:
    key = marked(random.Random("own"), "sk-proj-", 58)
    for pattern in (key, key.upper(), key[:20] + "*"):
        assert named_placeholder(key, [pattern])
        assert judge_credential(f" {key}", Context(placeholders=("nope", pattern))).judgement is Judgement.NONE
    assert not named_placeholder(key, ["sk-", "proj", ""])


def test_organizations() -> None:
    rng = random.Random("organizations")
    for prefix in ("org-", "proj_"):
        assert sum(looks_like_org(prefix + draw(rng, NARROW, 24)) for _ in range(200)) >= 198
        for body in ("x" * 24, "your-org-id", "123456789012345678901234", "abc123", draw(rng, NARROW, 40), ""):
            assert not looks_like_org(prefix + body)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("OPENAI_API_KEY", Kind.API_KEY),
        ("openai_api_key", Kind.API_KEY),
        ("OpenAIApiKey", Kind.API_KEY),
        ("openaiKey2", Kind.API_KEY),
        ("AZURE_OPENAI_KEY", Kind.API_KEY),
        ("CHATGPT_TOKEN", Kind.API_KEY),
        ("open_ai_key", Kind.API_KEY),
        ("OPENAI_ADMIN_KEY", Kind.ADMIN_KEY),
        ("AZURE_OPENAI_AD_TOKEN", Kind.AD_TOKEN),
        ("OPENAI_WEBHOOK_SECRET", Kind.WEBHOOK_SECRET),
        ("AWS_SECRET_ACCESS_KEY", Kind.AWS_SECRET),
        ("openai_api_key_path", None),
        ("OPENAI_MAX_TOKENS", None),
        ("ANTHROPIC_API_KEY", None),
        ("api_key", None),
        ("openai", None),
        ("key", None),
        ("", None),
        ("openai_monkey", None),
    ],
)
def test_names_of_variables(name: str, kind: Kind | None) -> None:
    assert kind_of_name(name) is kind


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://api.openai.com/v1", Endpoint.OPENAI),
        ("https://eu.api.openai.com/v1/", Endpoint.OPENAI),
        ("https://notopenai.com/v1", Endpoint.OTHER),
        ("https://x.openai.azure.com/", Endpoint.AZURE),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", Endpoint.AWS),
        ("http://localhost:1234/v1", Endpoint.LOCAL),
        ("localhost:8000", Endpoint.LOCAL),
        ("http://127.0.0.1:11434/v1", Endpoint.LOCAL),
        ("http://[::1]:8000", Endpoint.LOCAL),
        ("http://0.0.0.0:4000", Endpoint.LOCAL),
        ("http://host.docker.internal:1234/v1", Endpoint.LOCAL),
        ("http://vllm:8000/v1", Endpoint.LOCAL),
        ("https://openrouter.ai/api/v1", Endpoint.OTHER),
        ("https://10.1.2.3/v1", Endpoint.OTHER),
        ("http://[broken", Endpoint.OTHER),
        ("", Endpoint.OTHER),
    ],
)
def test_endpoints(url: str, endpoint: Endpoint) -> None:
    assert endpoint_of(url) is endpoint


def test_what_each_client_reads_by_itself() -> None:
    assert environment_of("api_key", "AsyncOpenAI") == "OPENAI_API_KEY"
    assert environment_of("api_key", "AzureOpenAI") == "AZURE_OPENAI_API_KEY"
    assert environment_of("api_key", "BedrockOpenAI") == "AWS_BEARER_TOKEN_BEDROCK"
    assert environment_of("azure_ad_token", "OpenAI") == ""


# -- time --------------------------------------------------------------------------------------------------------------

HOSTILE = {
    "prefix": "sk-",
    "project": "sk-proj-",
    "marker": MARKER,
    "marker, apart": MARKER + " ",
    "prefix and marker": f"sk-{MARKER}-",
    "nearly a key": "sk-proj-" + "a1" * 10 + MARKER + "b2" * 9 + "c ",
    "session": "sess-",
    "session, apart": "sess-" + "a1" * 20 + ".",
    "token": "eyJ" + "a" * 12 + ".",
    "one letter": "a",
}


def fastest(action: Callable[[], object]) -> float:
    def once() -> float:
        start = time.perf_counter()
        action()
        return time.perf_counter() - start

    return min(once() for _ in range(3))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_scanning_it_a_few_times(name: str) -> None:
    unit = HOSTILE[name]
    text = unit * (10_000_000 // len(unit))
    scan = re.compile(r"[0-9]+")
    assert fastest(lambda: find_keys(text)) <= 6 * fastest(lambda: scan.findall(text))


@pytest.mark.parametrize("name", HOSTILE)
def test_hiding_keys_is_linear_too(name: str) -> None:
    text = HOSTILE[name] * (400_000 // len(HOSTILE[name]))
    part = text[: len(text) // 8]
    # eight times the text; a square would be sixty-four times the time
    assert fastest(lambda: redact(text)) <= 24 * fastest(lambda: redact(part)) + 0.01


# -- redaction ---------------------------------------------------------------------------------------------------------

surroundings = st.lists(
    st.sampled_from([*"ab1-_ .:=/'\"\\\n{}[]()", "sk-", "key", "é", "密", MARKER]), max_size=30
).map("".join)
families = st.sampled_from(sorted(FAMILIES))
seeds = st.integers(0, 2**32)


def pieces(body: str, size: int) -> set[str]:
    return {body[i : i + size] for i in range(len(body) - size + 1)}


@given(families, seeds, surroundings, surroundings)
@settings(max_examples=400, deadline=None)
def test_no_more_than_the_prefix_is_left(family: str, seed: int, before: str, after: str) -> None:
    _, prefix, make = FAMILIES[family]
    key = make(random.Random(seed))
    # the name of a service account may be left of the hidden part only as far as the surroundings hold it too
    body = key[len(prefix) :] if family != "named" else key[-48:]
    shown = redact(before + key + after)
    around = pieces(before + "|" + after, 8) | pieces(MARKER, 8)
    if family == "session" and not find_keys(before + key + after):
        return  # glued to other letters and digits, it is one of any number of identifiers
    assert not (pieces(body, 8) - around) & pieces(shown, 8)


@given(families, seeds, surroundings, surroundings, st.booleans())
@settings(max_examples=400, deadline=None)
def test_redacting_twice_changes_nothing_more(family: str, seed: int, before: str, after: str, known: bool) -> None:
    key = FAMILIES[family][2](random.Random(seed))
    secrets = [key] if known else []
    once = redact(before + key + after, secrets)
    assert redact(once, secrets) == once
    assert find_keys(once) == []


@given(st.text(max_size=200), st.text(alphabet=NARROW, min_size=16, max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_known_secret_never_stays(text: str, secret: str) -> None:
    shown = redact(text + secret + text, [secret])
    assert secret not in shown
    assert redact(shown, [secret]) == shown


@pytest.mark.parametrize("family", FAMILIES)
def test_the_prefix_and_the_length_are_shown(family: str) -> None:
    _, prefix, make = FAMILIES[family]
    key = make(random.Random(family))
    line = f'client = OpenAI(api_key="{key}")  # bought in 2024'
    assert redact(line) == f'client = OpenAI(api_key="{prefix}…[{len(key)} chars]")  # bought in 2024'


def test_keys_of_no_known_format_are_hidden_beside_the_name_of_a_credential() -> None:
    rng = random.Random("beside")
    for value in (draw(rng, HEX, 32), draw(rng, NARROW, 39) + "7", "gsk_" + draw(rng, NARROW, 52)):
        for template in (
            'api_key="{}"',
            '    "Authorization": "Bearer {}",',
            'os.environ["AZURE_OPENAI_KEY"] = "{}"',
            "api_key=(\n    '{}'\n)",
            "AZURE_OPENAI_KEY={}",
            "'{}'  # the key",
            "key\nkey\n{}",
        ):
            shown = redact(template.format(value))
            assert value[-8:] not in shown and f"…[{len(value)} chars]" in shown


@pytest.mark.parametrize("name", ["azure, 84", "azure, ad token", "webhook", "proxy, sk- without the marker"])
def test_what_shows_its_origin_is_hidden_wherever_it_stands(name: str) -> None:
    value = CREDENTIALS[name][1](random.Random(name))
    shown = redact(f"print({value!r})")
    assert not pieces(value[8:], 8) & pieces(shown, 8)
    assert f"…[{len(value)} chars]" in shown


def test_a_key_put_together_from_parts_is_hidden_in_all_of_them() -> None:
    key = marked(random.Random("parts"), "sk-proj-", 58, NARROW)
    line = f'join("{key[:18]}" + "{key[18:60]}" "{key[60:70]}{{x}}{key[70:76]}", "{key[76:]}")'
    shown = redact(line, [key])
    assert not pieces(key[8:], 6) & pieces(shown, 6)


@pytest.mark.parametrize(
    "line",
    [
        "client = OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
        "response = self.client1.chat.completions.create(model='gpt-4o-mini-2024-07-18', max_tokens=1024)",
        "except openai.RateLimitError as error:  # retry-after 20 seconds",
        "task_id = 'task-2024-08-01-nightly-run-of-everything'",
        "logits = dict(token='the', logprob=-1.1920928955078125e-06, bytes=[116, 104, 101])",
        "# see https://help.example.org/en/api-reference/token-usage2?from=search",
        "checksum = 'd41d8cd98f00b204e9800998ecf8427e'",
        "openai.api_key = 'sk-your-api-key-here'",
        "",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert redact(line) == line
