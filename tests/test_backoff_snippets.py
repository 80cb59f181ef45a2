"""The backoff snippets of the best-known public guides: silent but for what is true of them, and each single defect put
into them gives exactly its own code.

A caller that prints the error is around each of them, so that nothing else is to be said. What is hidden by default
(info) is shown here; ``TRUE_OF`` says what a sound snippet of that kind still has to hear.
"""

from collections import Counter
from pathlib import Path

import pytest

from openai_lint.config import ConfigSource, parse
from openai_lint.files import absolute
from openai_lint.lint import run

TENACITY = """\
import openai
from openai import OpenAI
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_fixed,
    wait_random_exponential,
)

client = OpenAI(timeout=30)


@retry(
    retry=retry_if_exception_type((openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)),
    wait=wait_random_exponential(min=1, max=60),
    stop=stop_after_attempt(6),
    reraise=True,
)
def completion_with_backoff(**kwargs):
    return client.chat.completions.create(**kwargs)


def main():
    try:
        print(completion_with_backoff(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]))
    except (openai.RateLimitError, openai.APIConnectionError, openai.APIStatusError) as error:
        print(f"the API is not available: {error}")


main()
"""

BACKOFF = """\
import backoff
import openai
from openai import OpenAI

client = OpenAI(timeout=30)


@backoff.on_exception(backoff.expo, openai.RateLimitError, max_tries=6)
def completion_with_backoff(**kwargs):
    return client.chat.completions.create(**kwargs)


def main():
    try:
        print(completion_with_backoff(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]))
    except (openai.RateLimitError, openai.APIConnectionError, openai.APIStatusError) as error:
        print(f"the API is not available: {error}")


main()
"""

BY_HAND = '''\
import random
import time

import openai
from openai import OpenAI

client = OpenAI(timeout=30)


def retry_with_exponential_backoff(
    func,
    initial_delay: float = 1,
    exponential_base: float = 2,
    jitter: bool = True,
    max_retries: int = 10,
    errors: tuple = (openai.RateLimitError,),
):
    """Retry a function with exponential backoff."""

    def wrapper(*args, **kwargs):
        num_retries = 0
        delay = initial_delay
        while True:
            try:
                return func(*args, **kwargs)
            except errors as e:
                num_retries += 1
                if num_retries > max_retries:
                    raise Exception(f"Maximum number of retries ({max_retries}) exceeded.") from e
                delay *= exponential_base * (1 + jitter * random.random())
                time.sleep(delay)
            except Exception as e:
                raise e

    return wrapper


@retry_with_exponential_backoff
def completion_with_backoff(**kwargs):
    return client.chat.completions.create(**kwargs)


def main():
    try:
        print(completion_with_backoff(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]))
    except (openai.RateLimitError, openai.APIConnectionError, openai.APIStatusError) as error:
        print(f"the API is not available: {error}")


main()
'''

ASYNC = """\
import asyncio
import random

import openai
from openai import AsyncOpenAI

client = AsyncOpenAI(timeout=30)


async def ask(question):
    for attempt in range(5):
        try:
            return await client.chat.completions.create(model="gpt-4o-mini", messages=[question])
        except (openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError) as error:
            if attempt == 4:
                raise
            print(f"waiting, because of {error}")
            await asyncio.sleep(2**attempt + random.random())


async def main():
    try:
        print(await ask({"role": "user", "content": "Hi"}))
    except (openai.RateLimitError, openai.APIConnectionError, openai.APIStatusError) as error:
        print(f"the API is not available: {error}")


asyncio.run(main())
"""

SNIPPETS = {"tenacity": TENACITY, "backoff": BACKOFF, "by hand": BY_HAND, "async": ASYNC}

TRUE_OF = {"1.x": {"OAI206", "OAI207"}, "0.x": {"OAI206"}}
"""They retry a spent quota as if it were a rate limit and, from 1.0 on, multiply the SDK's own retries."""

TRANSIENT = "(openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)"

DEFECTS = [
    ("tenacity", "no stop", "    stop=stop_after_attempt(6),\n", "", "OAI205"),
    ("tenacity", "no wait", "    wait=wait_random_exponential(min=1, max=60),\n", "", "OAI203"),
    ("tenacity", "short wait", "wait_random_exponential(min=1, max=60)", "wait_fixed(0.2)", "OAI203"),
    ("tenacity", "fixed wait", "wait_random_exponential(min=1, max=60)", "wait_fixed(5)", "OAI212"),
    ("tenacity", "no jitter", "wait_random_exponential(min=1, max=60)", "wait_exponential(min=1, max=60)", "OAI211"),
    (
        "tenacity",
        "no predicate",
        f"    retry=retry_if_exception_type({TRANSIENT}),\n",
        "",
        "OAI204",
    ),
    (
        "tenacity",
        "base class",
        "(openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError)),\n",
        "openai.APIError),\n",
        "OAI204",
    ),
    ("tenacity", "no reraise", "    reraise=True,\n", "", "OAI208"),
    (
        "tenacity",
        "around a generator",
        "    return client.chat.completions.create(**kwargs)\n",
        "    for choice in client.chat.completions.create(**kwargs).choices:\n        yield choice.message.content\n",
        "OAI208",
    ),
    ("backoff", "no stop", ", max_tries=6", "", "OAI205"),
    (
        "backoff",
        "no wait",
        "backoff.expo, openai.RateLimitError",
        "backoff.constant, openai.RateLimitError, interval=0",
        "OAI203",
    ),
    (
        "backoff",
        "fixed wait",
        "backoff.expo, openai.RateLimitError",
        "backoff.constant, openai.RateLimitError, interval=5",
        "OAI212",
    ),
    ("backoff", "no jitter", "max_tries=6", "max_tries=6, jitter=None", "OAI211"),
    ("backoff", "everything", "openai.RateLimitError, max_tries", "Exception, max_tries", "OAI204"),
    (
        "backoff",
        "around a generator",
        "    return client.chat.completions.create(**kwargs)\n",
        "    for choice in client.chat.completions.create(**kwargs).choices:\n        yield choice.message.content\n",
        "OAI208",
    ),
    (
        "by hand",
        "no stop",
        (
            "                if num_retries > max_retries:\n"
            '                    raise Exception(f"Maximum number of retries ({max_retries}) exceeded.") from e\n'
        ),
        "",
        "OAI205",
    ),
    ("by hand", "no wait", "                time.sleep(delay)\n", "", "OAI203"),
    (
        "by hand",
        "fixed wait",
        "                delay *= exponential_base * (1 + jitter * random.random())\n",
        "",
        "OAI212",
    ),
    ("by hand", "no jitter", " * (1 + jitter * random.random())", "", "OAI211"),
    ("by hand", "everything", "(openai.RateLimitError,)", "(openai.OpenAIError,)", "OAI204"),
    ("async", "no stop", "    for attempt in range(5):", "    for attempt in itertools.count():", "OAI205"),
    ("async", "no wait", "            await asyncio.sleep(2**attempt + random.random())\n", "", "OAI203"),
    ("async", "fixed wait", "2**attempt + random.random()", "10", "OAI212"),
    ("async", "no jitter", " + random.random()", "", "OAI211"),
    ("async", "blocking", "await asyncio.sleep", "time.sleep", "OAI209"),
    (
        "async",
        "everything",
        "(openai.RateLimitError, openai.APIConnectionError, openai.InternalServerError) as",
        "openai.OpenAIError as",
        "OAI204",
    ),
]


def found(folder: Path, text: str, sdk: str) -> Counter[str]:
    """The codes of a program, everything shown, ``--select ALL --ignore OAI104``."""
    (folder / "main.py").write_text(text)
    keys = {"select": ["ALL"], "ignore": ["OAI104"], "min-severity": "info", "sdk": sdk}
    report = run([str(folder)], ConfigSource(isolated=True, overrides=parse(keys, "test", absolute("."))))
    assert not report.failures, report.failures[0].trace
    return Counter(finding.code for finding in report.findings)


def zero(text: str) -> str:
    """The same program in the words of 0.28."""
    for old, new in (
        ("from openai import OpenAI\n", ""),
        ("from openai import AsyncOpenAI\n", ""),
        ("client = OpenAI(timeout=30)\n", ""),
        ("client = AsyncOpenAI(timeout=30)\n", ""),
        ("await client.chat.completions.create(", "await openai.ChatCompletion.acreate(request_timeout=30, "),
        ("client.chat.completions.create(", "openai.ChatCompletion.create(request_timeout=30, "),
        (
            "except (openai.RateLimitError, openai.APIConnectionError, openai.APIStatusError)",
            "except openai.error.OpenAIError",
        ),
        ("openai.APIError)", "openai.error.OpenAIError)"),
        ("openai.InternalServerError", "openai.error.ServiceUnavailableError"),
        ("openai.RateLimitError", "openai.error.RateLimitError"),
        ("openai.APIConnectionError", "openai.error.APIConnectionError"),
        ("openai.OpenAIError", "openai.error.OpenAIError"),
    ):
        text = text.replace(old, new)
    return text


ERAS = [("1.x", "3.54"), ("0.x", "0.28")]


@pytest.mark.parametrize(("era", "sdk"), ERAS, ids=[era for era, _ in ERAS])
@pytest.mark.parametrize("name", SNIPPETS)
def test_a_sound_snippet_hears_only_what_is_true_of_it(name: str, era: str, sdk: str, tmp_path: Path) -> None:
    text = SNIPPETS[name] if era == "1.x" else zero(SNIPPETS[name])
    assert set(found(tmp_path, text, sdk)) == TRUE_OF[era]


@pytest.mark.parametrize("name", SNIPPETS)
def test_without_the_retries_of_the_sdk_and_with_a_look_at_the_quota_nothing_is_left(name: str, tmp_path: Path) -> None:
    text = SNIPPETS[name].replace("OpenAI(timeout=30)", "OpenAI(timeout=30, max_retries=0)")
    text = text.replace(
        "            except errors as e:\n",
        (
            "            except errors as e:\n"
            '                if e.code == "insufficient_quota":\n                    raise\n'
        ),
    )
    text = text.replace(
        " as error:\n            if attempt == 4:",
        ' as error:\n            if attempt == 4 or error.code == "insufficient_quota":',
    )
    text = text.replace("max_tries=6", 'max_tries=6, giveup=lambda e: e.code == "insufficient_quota"')
    text = text.replace(
        "openai.InternalServerError)),\n",
        'openai.InternalServerError)) & retry_if_exception(lambda e: e.code != "insufficient_quota"),\n',
    )
    text = text.replace("    retry_if_exception_type,\n", "    retry_if_exception,\n    retry_if_exception_type,\n")
    assert set(found(tmp_path, text, "3.54")) == set()


@pytest.mark.parametrize(("era", "sdk"), ERAS, ids=[era for era, _ in ERAS])
@pytest.mark.parametrize(
    ("name", "defect", "old", "new", "code"), DEFECTS, ids=[f"{one[0]}, {one[1]}" for one in DEFECTS]
)
def test_each_defect_gives_exactly_its_own_code(
    name: str, defect: str, old: str, new: str, code: str, era: str, sdk: str, tmp_path: Path
) -> None:
    whole = SNIPPETS[name]
    assert old in whole
    text = whole.replace(old, new)
    if "itertools" in new:
        text = text.replace("            if attempt == 4:\n                raise\n", "")
    for module in ("itertools", "time"):
        if f"{module}." in text and f"import {module}\n" not in text:
            text = f"import {module}\n" + text
    text = text if era == "1.x" else zero(text)
    codes = found(tmp_path, text, sdk)
    assert codes[code] == 1, f"{defect}: {dict(codes)}"
    # What never ends multiplies nothing, and what never retries retries no quota.
    assert set(codes) - {code} <= TRUE_OF[era], f"{defect}: {dict(codes)}"
