"""Whether a literal was made up by a person or drawn by a machine.

People fill the place of a key with words (`your-api-key-here-2024`), with sequences (`abc123def456`) and with
repetition (`xxxxxxxx`). Issued credentials have none of these but by rare chance. No dictionary: the words that
people use for the purpose, and the pairs of letters that are common in English and rare in random text.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_SAID_ANYWHERE = """
account anything apikey asdfgh attack azure bearer bogus broken change chatgpt claude client config correct
credential cursor customer debug deepseek default delete development disabled docker dotenv dummy empty
environ example expired expose fallback faked foobar gateway gemini github global google hardcoded hello
hidden ignored insert internal invalid irrelevant llama local master missing mistral mocked model needed
nothing obfuscated ollama openai openrouter optional organi[sz]ation passw placeholder private product project
provide proxy public qwerty random redact replace require sample sandbox secret server service should simple
something staging string stubbed super system testing testkey token truncated undefined unused update useless
value virtual whatever wrong yourapi yourkey zxcvbn
"""
_SAID_ALONE = """
abc abcd abcde abcdef add admin all and any anon api app bad bar baz blank case code demo dev doc docs end env
fail fake first foo for from gpt has here key keys last live llm long mock more name new nil none not null old
one only other own pass paste pat path prod put real set some stub test tests that the this three tmp todo two
user valid very via was with xxx xyz your zero
"""
_EXAMPLES = """
1qaz 2wsx 550e8400 098f6bcd4621d373 5d41402abc4b2a76 5f4dcc3b5aa765d6 d41d8cd98f00b204 da39a3ee5e6b4b0d
e3b0c44298fc1c14
"""  # keyboard columns, the UUID of every manual, digests of nothing and of "test", "hello", "password"
_COMMON_PAIRS = """
th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro
ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so
rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl
ig tu ev ld ry mp
"""
_ANYWHERE = re.compile("|".join([*_SAID_ANYWHERE.split(), *_EXAMPLES.split()]))
_WHOLE = frozenset(_SAID_ALONE.split())
_PAIRS = frozenset(_COMMON_PAIRS.split())
_LEET = str.maketrans("013457", "oieast")
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_CASED_RUN = re.compile(r"[A-Z]?[a-z]{4,}|[A-Z]{5,}")
_HEX = re.compile(r"[0-9a-fA-F-]+")
_WORD = re.compile(r"[a-z]{3,12}|[A-Z][a-z]{2,12}|[A-Z]{3,12}")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_LEADING_WORD = re.compile(r"([A-Za-z]+?)[0-9]*\Z")

_LOOK_AT = 160  # characters that decide; a token of a thousand characters is not told apart any better by the rest


def made_up(value: str) -> bool:
    """Whether words, sequences or repetition show that a person wrote the value."""
    part = value[:_LOOK_AT]
    return patterned(part) or wordy(part)


def patterned(value: str) -> bool:
    """Whether the value repeats itself, counts (`1234`, `abcd`, `a1b2c3`), or uses very few characters."""
    part = "".join(_TOKEN.findall(value[:_LOOK_AT])).lower()
    size = len(part)
    if size < 4:
        return True
    if len(set(part)) < min(7, size // 2 + 1):
        return True
    codes = [ord(letter) for letter in part]
    for stride, share in ((1, 0.5), (2, 0.6), (3, 0.6), (4, 0.65)):
        steps = size - stride
        if steps >= 6 and sum(_step(codes[i], codes[i + stride]) for i in range(steps)) >= share * steps:
            return True
    counted = sum(_step(codes[i - 1], codes[i]) or _step(codes[i - 2], codes[i]) for i in range(2, size))
    if size >= 8 and counted >= 0.8 * (size - 2):
        return True
    return any(
        sum(part[i] == part[i + period] for i in range(size - period)) >= 0.8 * (size - period)
        for period in range(1, size * 2 // 3)
    )


def wordy(value: str) -> bool:
    """Whether words stand in the value: those that people put for a key, or anything that reads like English."""
    part = value[:_LOOK_AT]
    folded = part.lower()
    if _ANYWHERE.search(folded) or _ANYWHERE.search(folded.translate(_LEET)):
        return True
    tokens = _TOKEN.findall(part)
    words = 0
    for token in tokens:
        stem = _LEADING_WORD.match(token)
        if stem is not None and stem[1].lower() in _WHOLE and (len(tokens) > 1 or len(stem[1]) > 3):
            return True
        words += _WORD.fullmatch(token) is not None and _VOWEL.search(token) is not None
    return words >= 2 or _english(part)


def _english(value: str) -> bool:
    if _HEX.fullmatch(value):
        return False  # six letters only, and their pairs are common ones
    pairs = [run[i : i + 2].lower() for run in _CASED_RUN.findall(value) for i in range(len(run) - 1)]
    return len(pairs) >= 8 and sum(pair in _PAIRS for pair in pairs) >= 0.7 * len(pairs)


def _step(first: int, second: int) -> bool:
    # 0 follows 9 as well; what repeats counts too
    return -1 <= second - first <= 1 or (first, second) in ((57, 48), (48, 57))


def named_placeholder(value: str, patterns: Sequence[str]) -> bool:
    """Whether one of the project's own placeholders names the value: shell patterns (`sk-internal-*`), in any case."""
    folded = value.casefold()
    return any(fnmatchcase(folded, pattern.casefold()) for pattern in patterns)
