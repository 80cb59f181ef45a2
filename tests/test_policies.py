"""Who retries an API call, how often, with which waits, which errors, and what comes out: read from source."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest

from openai_lint.config import ConfigSource, parse
from openai_lint.files import absolute
from openai_lint.link import ApiCall, Project, link
from openai_lint.link.http import requests
from openai_lint.link.policy import Policy
from openai_lint.link.retry_transports import read
from openai_lint.link.tree import tree_of
from openai_lint.lint import workspaces_of

HEAD = """\
import asyncio, datetime, random, time
import backoff, openai, retrying, stamina, tenacity
from openai import OpenAI, AsyncOpenAI
from retry import retry
from tenacity import (
    retry_all, retry_any, retry_if_exception, retry_if_exception_type, retry_if_not_exception_type, retry_if_result,
    stop_after_attempt, stop_after_delay, stop_all, stop_any, stop_never, wait_chain, wait_combine, wait_exponential,
    wait_exponential_jitter, wait_fixed, wait_incrementing, wait_none, wait_random, wait_random_exponential,
)
client = OpenAI()
"""


def linked(folder: Path, *texts: str, sdk: str = "3.54", **files: str) -> Project:
    """A project of these modules (``a.py``, ``b.py`` ... or by name)."""
    for name, text in [*zip(("a", "b", "c"), texts, strict=False), *files.items()]:
        (folder / f"{name}.py").write_text(text)
    source = ConfigSource(isolated=True, overrides=parse({"sdk": sdk}, "test", absolute(".")))
    (workspace,) = workspaces_of([str(folder)], source)
    return link(workspace)


def policy_of(folder: Path, text: str, sdk: str = "3.54") -> Policy | None:
    """The policy around the only call."""
    (call,) = linked(folder, HEAD + text, sdk=sdk).calls
    return call.policy


def retried(project: Project, call: ApiCall) -> set[str]:
    """The documented names that any policy retries of a call."""
    return {name for sites in project.policies().values() for name in sites.get(call.site, ())}


def decorated(decorator: str) -> str:
    return f'{decorator}\ndef ask(text):\n    return client.responses.create(model="m", input=text)\n\nask("Hi")\n'


LIBRARIES = [
    # decorator, by, attempts, bounded, wait, jitter, seconds, after
    ("@tenacity.retry", "tenacity", None, False, "none", False, 0.0, "tenacity.RetryError"),
    ("@tenacity.retry()", "tenacity", None, False, "none", False, 0.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(3), reraise=True)", "tenacity", 3, True, "none", False, 0.0, "original"),
    ("@tenacity.retry(stop=stop_never, wait=wait_fixed(2))", "tenacity", None, False, "fixed", False, 2.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_delay(60), wait=wait_none())", "tenacity", None, True, "none", False, 0.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(4) | stop_after_delay(60), wait=wait_random(1, 2))", "tenacity", 4, True, "fixed", True, 2.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_all(stop_after_attempt(3), stop_after_attempt(5)), wait=wait_exponential())", "tenacity", 5, True, "growing", False, None, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_any(stop_after_attempt(3), stop_after_attempt(5)), wait=wait_exponential())", "tenacity", 3, True, "growing", False, None, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_random_exponential(min=1, max=60))", "tenacity", 2, True, "growing", True, None, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_exponential_jitter(jitter=0))", "tenacity", 2, True, "growing", False, None, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_exponential(min=4, max=4))", "tenacity", 2, True, "fixed", False, 4.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_incrementing(2, 0))", "tenacity", 2, True, "fixed", False, 2.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_fixed(3) + wait_random(0, 2))", "tenacity", 2, True, "fixed", True, 5.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_chain(wait_fixed(1), wait_fixed(9)))", "tenacity", 2, True, "growing", False, None, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), wait=wait_fixed(datetime.timedelta(minutes=1)))", "tenacity", 2, True, "fixed", False, 60.0, "tenacity.RetryError"),
    ("@tenacity.retry(stop=stop_after_attempt(2), retry_error_callback=lambda state: None)", "tenacity", 2, True, "none", False, 0.0, "nothing"),
    ("@backoff.on_exception(backoff.expo, openai.RateLimitError)", "backoff", None, False, "growing", True, None, "original"),
    ("@backoff.on_exception(backoff.expo, openai.RateLimitError, max_tries=3, jitter=None)", "backoff", 3, True, "growing", False, None, "original"),
    ("@backoff.on_exception(backoff.expo, openai.RateLimitError, max_time=60, max_value=1)", "backoff", None, True, "fixed", True, 1.0, "original"),
    ("@backoff.on_exception(backoff.constant, openai.RateLimitError, interval=0, max_tries=3)", "backoff", 3, True, "none", False, 0.0, "original"),
    ("@backoff.on_exception(backoff.constant, openai.RateLimitError, max_tries=3, raise_on_giveup=False)", "backoff", 3, True, "fixed", True, 1.0, "nothing"),
    ("@stamina.retry(on=openai.RateLimitError)", "stamina", 10, True, "growing", True, None, "original"),
    ("@stamina.retry(on=openai.RateLimitError, attempts=None, timeout=None)", "stamina", None, False, "growing", True, None, "original"),
    ("@stamina.retry(on=openai.RateLimitError, attempts=4, wait_exp_base=1, wait_initial=2, wait_jitter=0)", "stamina", 4, True, "fixed", False, 2.0, "original"),
    ("@retrying.retry", "retrying", None, False, "none", False, 0.0, "original"),
    ("@retrying.retry(wait_fixed=200, stop_max_attempt_number=3)", "retrying", 3, True, "fixed", False, 0.2, "original"),
    ("@retrying.retry(wait_random_max=2000, stop_max_delay=60000)", "retrying", None, True, "fixed", True, 2.0, "original"),
    ("@retrying.retry(wait_exponential_multiplier=1000, wrap_exception=True, stop_max_attempt_number=3)", "retrying", 3, True, "growing", False, None, "retrying.RetryError"),
    ("@retrying.retry(stop='stop_after_attempt')", "retrying", 5, True, "none", False, 0.0, "original"),
    ("@retry()", "retry", None, False, "none", False, 0.0, "original"),
    ("@retry(openai.RateLimitError, 3, 2)", "retry", 3, True, "fixed", False, 2.0, "original"),
    ("@retry(tries=3, delay=2, backoff=2)", "retry", 3, True, "growing", False, None, "original"),
    ("@retry(tries=3, delay=2, jitter=1)", "retry", 3, True, "growing", False, None, "original"),
    ("@retry(tries=3, delay=2, jitter=(1, 3))", "retry", 3, True, "growing", True, None, "original"),
    ("@retry(tries=3, delay=2, backoff=2, max_delay=2)", "retry", 3, True, "fixed", False, 2.0, "original"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("decorator", "by", "attempts", "bounded", "wait", "jitter", "seconds", "after"),
    LIBRARIES,
    ids=[row[0] for row in LIBRARIES],
)
def test_a_decorator_of_a_library(
    decorator: str,
    by: str,
    attempts: int | None,
    bounded: bool,
    wait: str,
    jitter: bool,
    seconds: float | None,
    after: str,
    tmp_path: Path,
) -> None:
    found = policy_of(tmp_path, decorated(decorator))
    assert found is not None
    assert (found.by, found.attempts, found.bounded, found.wait, found.jitter, found.seconds, found.after) == (
        by, attempts, bounded, wait, jitter, seconds, after,
    )  # fmt: skip


PREDICATES = [
    ("@tenacity.retry(stop=stop_after_attempt(3))", {"RateLimitError", "AuthenticationError", "APITimeoutError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_exception_type(openai.RateLimitError))", {"RateLimitError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_exception_type(openai.APIConnectionError))", {"APITimeoutError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_not_exception_type(openai.AuthenticationError))", {"RateLimitError", "APITimeoutError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_exception_type(openai.APIError) & retry_if_not_exception_type(openai.RateLimitError))", {"AuthenticationError", "APITimeoutError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_any(retry_if_result(lambda r: not r), retry_if_exception_type(openai.RateLimitError)))", {"RateLimitError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_result(lambda r: not r))", set()),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_exception(lambda e: isinstance(e, openai.RateLimitError)))", {"RateLimitError"}),
    ("@tenacity.retry(stop=stop_after_attempt(3), retry=retry_if_exception(lambda e: e.status_code in (429, 500)))", {"RateLimitError"}),
    ("@backoff.on_exception(backoff.expo, Exception, max_tries=3, giveup=lambda e: isinstance(e, openai.AuthenticationError))", {"RateLimitError", "APITimeoutError"}),
    ("@backoff.on_predicate(backoff.expo, max_tries=3)", set()),
    ("@stamina.retry(on=lambda e: isinstance(e, openai.APITimeoutError))", {"APITimeoutError"}),
    ("@retrying.retry(retry_on_exception=lambda e: isinstance(e, openai.RateLimitError), stop_max_attempt_number=3)", {"RateLimitError"}),
    ("@retrying.retry(retry_on_result=lambda r: not r, stop_max_attempt_number=3)", {"RateLimitError", "AuthenticationError", "APITimeoutError"}),
    ("@retry((openai.RateLimitError, openai.APITimeoutError), tries=3)", {"RateLimitError", "APITimeoutError"}),
    ("@tenacity.retry(stop=stop_after_attempt(1))", set()),
    ("@tenacity.retry(stop=stop_after_attempt(3), enabled=False)", set()),
]  # fmt: skip


@pytest.mark.parametrize(("decorator", "names"), PREDICATES, ids=[row[0] for row in PREDICATES])
def test_which_errors_a_library_retries(decorator: str, names: set[str], tmp_path: Path) -> None:
    project = linked(tmp_path, HEAD + decorated(decorator))
    (call,) = project.calls
    probes = {"RateLimitError", "AuthenticationError", "APITimeoutError"}
    certain = {
        name
        for policy, sites in project.policies().items()
        for site, found in sites.items()
        for name in found & probes
        if any(
            leak.error == name and project.engine.policies.accepts(policy, leak)
            for leak in project.engine.api.leaks(site, "creation")
        )
    }
    assert certain == names
    assert names <= retried(project, call)


FORMS = [
    'for attempt in tenacity.Retrying(stop=stop_after_attempt(4)):\n    with attempt:\n        client.responses.create(model="m")\n',
    'tenacity.Retrying(stop=stop_after_attempt(4))(client.responses.create, model="m")\n',
    'def ask(text):\n    return client.responses.create(model="m", input=text)\n\ntenacity.Retrying(stop=stop_after_attempt(4))(ask, "Hi")\n',
    'def ask():\n    return client.responses.create(model="m")\n\ntenacity.retry(stop=stop_after_attempt(4))(ask)()\n',
    'def ask():\n    return client.responses.create(model="m")\n\ntenacity.Retrying(stop=stop_after_attempt(4)).wraps(ask)()\n',
    'again = tenacity.retry(stop=stop_after_attempt(4))\n\n@again\ndef ask():\n    return client.responses.create(model="m")\n\nask()\n',
    'def policy(n):\n    return tenacity.retry(stop=stop_after_attempt(n))\n\n@policy(4)\ndef ask():\n    return client.responses.create(model="m")\n\nask()\n',
    'class Llm:\n    @tenacity.retry(stop=stop_after_attempt(4))\n    def ask(self):\n        return client.responses.create(model="m")\n\nLlm().ask()\n',
    'def ask():\n    return client.responses.create(model="m")\n\n@tenacity.retry(stop=stop_after_attempt(4))\ndef outer():\n    return ask()\n\nouter()\n',
    'for attempt in stamina.retry_context(on=openai.RateLimitError, attempts=4):\n    with attempt:\n        client.responses.create(model="m")\n',
    'stamina.RetryingCaller(attempts=4)(openai.RateLimitError, client.responses.create, model="m")\n',
    'stamina.RetryingCaller(attempts=4).on(openai.RateLimitError)(client.responses.create, model="m")\n',
    'retrying.Retrying(stop_max_attempt_number=4).call(client.responses.create, model="m")\n',
]


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_a_library(text: str, tmp_path: Path) -> None:
    found = policy_of(tmp_path, text)
    assert found is not None
    assert found.attempts == 4


def test_a_policy_from_another_module(tmp_path: Path) -> None:
    policies = "import tenacity\n\nagain = tenacity.retry(stop=tenacity.stop_after_attempt(4))\n"
    text = 'import openai\nfrom policies import again\n\n@again\ndef ask():\n    return openai.OpenAI().responses.create(model="m")\n'
    (call,) = linked(tmp_path, text, policies=policies).calls
    assert call.policy is not None
    assert (call.policy.attempts, call.policy.module.path.rpartition("/")[2]) == (4, "policies.py")


ASYNC = "aclient = AsyncOpenAI()\n{}\n{} ask():\n    {}\n\nasync def main():\n    {}\n\nasyncio.run(main())\n"
AWAITED = 'return await aclient.responses.create(model="m")'
GIVEN = 'return aclient.responses.create(model="m")'
YIELDED = 'yield await aclient.responses.create(model="m")'


@pytest.mark.parametrize(
    ("decorator", "head", "body", "use", "works"),
    [
        ("@tenacity.retry(stop=stop_after_attempt(4))", "async def", AWAITED, "await ask()", True),
        ("@backoff.on_exception(backoff.expo, openai.RateLimitError, max_tries=4)", "async def", AWAITED, "await ask()", True),
        ("@stamina.retry(on=openai.RateLimitError, attempts=4)", "async def", AWAITED, "await ask()", True),
        ("@retrying.retry(stop_max_attempt_number=4)", "async def", AWAITED, "await ask()", False),
        ("@retry(tries=4)", "async def", AWAITED, "await ask()", False),
        ("@tenacity.retry(stop=stop_after_attempt(4))", "def", GIVEN, "await ask()", False),
        ("@tenacity.retry(stop=stop_after_attempt(4))", "async def", YIELDED, "[x async for x in ask()]", False),
        ("@stamina.retry(on=openai.RateLimitError, attempts=4)", "async def", YIELDED, "[x async for x in ask()]", True),
    ],
)  # fmt: skip
def test_where_a_library_works(decorator: str, head: str, body: str, use: str, works: bool, tmp_path: Path) -> None:
    found = policy_of(tmp_path, ASYNC.format(decorator, head, body, use))
    assert (found is not None and found.by != "sdk") == works


LOOPS = [
    # text, attempts, bounded, wait, jitter, seconds
    ("for _ in range(3):\n    try:\n        CALL\n        break\n    except openai.RateLimitError:\n        time.sleep(2)\n", 3, True, "fixed", False, 2.0),
    ("for n in range(1, 6):\n    try:\n        CALL\n        break\n    except Exception:\n        time.sleep(2 ** n)\n", 5, True, "growing", False, None),
    ("for n in range(5):\n    try:\n        CALL\n        break\n    except Exception:\n        time.sleep(2 ** n + random.random())\n", 5, True, "growing", True, None),
    ("for delay in (1, 2, 4, None):\n    try:\n        CALL\n        break\n    except Exception:\n        if delay is None:\n            raise\n        time.sleep(delay)\n", 4, True, "growing", False, None),
    ("while True:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        time.sleep(random.uniform(1, 3))\n", None, False, "fixed", True, 3.0),
    ("while True:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        pass\n", None, False, "none", False, 0.0),
    ("tries = 0\nwhile tries < 4:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        tries += 1\n        time.sleep(tries)\n", 4, True, "growing", False, None),
    ("left = 4\nwhile left:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        left -= 1\n", 4, True, "none", False, 0.0),
    ("answer = None\nwhile answer is None:\n    try:\n        answer = CALL\n    except openai.OpenAIError:\n        time.sleep(1)\n", None, False, "fixed", False, 1.0),
    ("done = False\ntries = 0\nwhile not done and tries < 3:\n    tries += 1\n    try:\n        CALL\n        done = True\n    except openai.OpenAIError:\n        time.sleep(1)\n", 3, True, "fixed", False, 1.0),
    ("end = time.time() + 60\nwhile time.time() < end:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        time.sleep(5)\n", None, True, "fixed", False, 5.0),
    ("delay = 1\ntries = 0\nwhile True:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        tries += 1\n        if tries >= 6:\n            raise\n        time.sleep(delay)\n        delay = min(delay * 2, 60)\n", 6, True, "growing", False, None),
    ("for n in range(4):\n    try:\n        CALL\n        break\n    except openai.RateLimitError as e:\n        time.sleep(float(e.response.headers['retry-after']))\n", 4, True, "growing", False, None),
    ("def rest(seconds):\n    time.sleep(seconds)\n\nfor n in range(4):\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        rest(3)\n", 4, True, "fixed", False, 3.0),
    ("LIMIT = 3\nDELAYS = [1, 5, 25]\nfor n in range(LIMIT):\n    try:\n        CALL\n    except openai.OpenAIError:\n        time.sleep(DELAYS[n])\n    else:\n        break\n", 3, True, "growing", False, None),
    ("def ask(tries=3):\n    try:\n        return CALL\n    except openai.OpenAIError:\n        if tries == 0:\n            raise\n        time.sleep(2)\n        return ask(tries - 1)\n\nask()\n", 4, True, "fixed", False, 2.0),
    ("def ask():\n    try:\n        return CALL\n    except openai.OpenAIError:\n        time.sleep(2)\n        return ask()\n\nask()\n", None, False, "fixed", False, 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "attempts", "bounded", "wait", "jitter", "seconds"), LOOPS)
def test_a_retry_written_by_hand(
    text: str, attempts: int | None, bounded: bool, wait: str, jitter: bool, seconds: float | None, tmp_path: Path
) -> None:
    found = policy_of(tmp_path, text.replace("CALL", 'client.responses.create(model="m")'))
    assert found is not None
    assert (found.by, found.attempts, found.bounded, found.wait, found.jitter, found.seconds) == (
        "loop", attempts, bounded, wait, jitter, seconds,
    )  # fmt: skip


NO_RETRIES = [
    "for text in open('texts'):\n    try:\n        CALL\n    except openai.OpenAIError as e:\n        print(e)\n",
    "while True:\n    text = input()\n    try:\n        CALL\n    except openai.OpenAIError as e:\n        print(e)\n",
    "for n in range(9):\n    start = n * 5\n    try:\n        CALL(start)\n    except openai.OpenAIError as e:\n        print(e)\n",
    "for n in range(3):\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        raise\n",
    "import aiolimiter\nlimit = aiolimiter.AsyncLimiter(60)\nasync def ask():\n    async with limit:\n        CALL\n",
    "few = asyncio.Semaphore(4)\nasync def ask():\n    async with few:\n        CALL\n",
]


@pytest.mark.parametrize("text", NO_RETRIES)
def test_what_is_no_retry(text: str, tmp_path: Path) -> None:
    written = text.replace("CALL(start)", 'client.responses.create(model="m", input=str(start))')
    assert policy_of(tmp_path, written.replace("CALL", 'client.responses.create(model="m")')) is None


def test_a_mended_request_is_told_apart(tmp_path: Path) -> None:
    text = "messages = [1, 2]\nwhile messages:\n    try:\n        CALL\n        break\n    except openai.OpenAIError:\n        messages.pop()\n"
    found = policy_of(tmp_path, text.replace("CALL", 'client.chat.completions.create(model="m", messages=messages)'))
    assert found is not None
    assert found.repairs


FRAMEWORKS = [
    # imports and decorator, by, attempts, bounded, wait, jitter, seconds
    ("from celery import shared_task\n@shared_task(autoretry_for=(Exception,))", "celery", 4, True, "fixed", False, 180.0),
    ("from celery import shared_task\n@shared_task(autoretry_for=(openai.RateLimitError,), retry_backoff=True, max_retries=5)", "celery", 6, True, "growing", True, None),
    ("from celery import shared_task\n@shared_task(autoretry_for=(Exception,), retry_kwargs={'max_retries': 2, 'countdown': 7})", "celery", 3, True, "fixed", False, 7.0),
    ("from celery import shared_task\n@shared_task(autoretry_for=(Exception,), max_retries=None)", "celery", None, False, "fixed", False, 180.0),
    ("from prefect import task\n@task(retries=3)", "prefect", 4, True, "none", False, 0.0),
    ("from prefect import task\n@task(retries=3, retry_delay_seconds=10)", "prefect", 4, True, "fixed", False, 10.0),
    ("from prefect import task\n@task(retries=3, retry_delay_seconds=[1, 10, 100], retry_jitter_factor=1)", "prefect", 4, True, "growing", True, None),
    ("import modal\napp = modal.App()\n@app.function(retries=3)", "modal", 4, True, "fixed", False, 1.0),
    ("import modal\napp = modal.App()\n@app.function(retries=modal.Retries(max_retries=2, backoff_coefficient=2.0))", "modal", 3, True, "growing", False, None),
    ("from temporalio import activity\n@activity.defn", "temporal", None, True, "growing", True, None),
]  # fmt: skip


@pytest.mark.parametrize(("decorator", "by", "attempts", "bounded", "wait", "jitter", "seconds"), FRAMEWORKS)
def test_retry_options_of_a_framework(
    decorator: str,
    by: str,
    attempts: int | None,
    bounded: bool,
    wait: str,
    jitter: bool,
    seconds: float | None,
    tmp_path: Path,
) -> None:
    found = policy_of(
        tmp_path, f'{decorator}\ndef ask(text):\n    return client.responses.create(model="m", input=text)\n'
    )
    assert found is not None
    assert (found.by, found.attempts, found.bounded, found.wait, found.jitter, found.seconds) == (
        by, attempts, bounded, wait, jitter, seconds,
    )  # fmt: skip


def test_a_celery_task_that_hands_itself_back(tmp_path: Path) -> None:
    text = (
        "from celery import Celery\napp = Celery()\n@app.task(bind=True, max_retries=4)\ndef ask(self, text):\n    try:\n"
        '        return client.responses.create(model="m", input=text)\n    except openai.OpenAIError as e:\n'
        "        raise self.retry(exc=e, countdown=2 ** self.request.retries)\n"
    )
    found = policy_of(tmp_path, text)
    assert found is not None
    assert (found.by, found.attempts, found.wait) == ("celery", 5, "growing")


@pytest.mark.parametrize(
    ("options", "attempts", "bounded", "wait", "seconds"),
    [
        ("maximum_attempts=3", 3, True, "growing", None),
        ("initial_interval=timedelta(seconds=5), backoff_coefficient=1.0, maximum_attempts=3", 3, True, "fixed", 5.0),
        ("initial_interval=timedelta(seconds=5)", None, False, "growing", None),
    ],
)
def test_a_temporal_activity_under_the_policy_of_its_workflow(
    options: str, attempts: int | None, bounded: bool, wait: str, seconds: float | None, tmp_path: Path
) -> None:
    activity = (
        HEAD
        + 'from temporalio import activity\n@activity.defn\nasync def ask(text):\n    return client.responses.create(model="m", input=text)\n'
    )
    workflow = (
        "from datetime import timedelta\nfrom temporalio import workflow\nfrom temporalio.common import RetryPolicy\nfrom a import ask\n"
        "@workflow.defn\nclass Flow:\n    @workflow.run\n    async def run(self, text):\n        return await workflow.execute_activity(\n"
        f"            ask, text, start_to_close_timeout=timedelta(minutes=1), retry_policy=RetryPolicy({options})\n        )\n"
    )
    (call,) = linked(tmp_path, activity, workflow).calls
    assert call.policy is not None
    found = call.policy
    assert (found.by, found.attempts, found.bounded, found.wait, found.seconds) == (
        "temporal",
        attempts,
        bounded,
        wait,
        seconds,
    )


TRANSPORTS = [
    # adapter or transport, verb, by, attempts, wait, follows, errors
    ("HTTPAdapter(max_retries=Retry(total=5, backoff_factor=1, status_forcelist=[429, 503], allowed_methods=['POST']))", "POST", "urllib3", 6, "growing", True, {"openai.APIConnectionError", "openai.RateLimitError", "openai.InternalServerError"}),
    ("HTTPAdapter(max_retries=Retry(total=5, backoff_factor=1, status_forcelist=[429, 503]))", "POST", "urllib3", 6, "growing", False, {"openai.APIConnectionError"}),
    ("HTTPAdapter(max_retries=Retry(total=5, status_forcelist=[500], allowed_methods=None, respect_retry_after_header=False))", "POST", "urllib3", 6, "none", False, {"openai.APIConnectionError", "openai.InternalServerError"}),
    ("HTTPAdapter(max_retries=Retry())", "GET", "urllib3", 11, "growing", True, {"openai.APIConnectionError", "openai.RateLimitError"}),
    ("HTTPAdapter(max_retries=3)", "POST", "urllib3", 4, "none", False, {"openai.APIConnectionError"}),
    ("httpx.HTTPTransport(retries=3)", "POST", "httpx", 4, "growing", False, {"openai.APIConnectionError"}),
]  # fmt: skip


@pytest.mark.parametrize(("written", "verb", "by", "attempts", "wait", "follows", "errors"), TRANSPORTS)
def test_what_a_session_repeats_by_itself(
    written: str, verb: str, by: str, attempts: int, wait: str, follows: bool, errors: set[str], tmp_path: Path
) -> None:
    text = (
        "import httpx\nfrom requests import Session\nfrom requests.adapters import HTTPAdapter\nfrom urllib3.util.retry import Retry\n"
        f"adapter = {written}\nsession = Session()\nsession.mount('https://', adapter)\n"
        "session.request('POST', 'https://api.openai.com/v1/responses', json={})\n"
    )
    project = linked(tmp_path, text)
    (request,) = requests(project)
    tree = tree_of(project, request.module)
    (value,) = project.engine.evaluator.name("adapter", tree.frame(request.node))
    found = read(value, verb, request.node, request.module)
    assert found is not None
    assert (found.by, found.attempts, found.wait, found.follows) == (by, attempts, wait, follows)
    assert set(found.retries.paths) == errors


def test_no_adapter_repeats_nothing(tmp_path: Path) -> None:
    text = "import httpx\nfrom requests.adapters import HTTPAdapter\na = HTTPAdapter()\nb = httpx.HTTPTransport()\nhttpx.post('https://api.openai.com/v1/responses', json={})\n"
    project = linked(tmp_path, text)
    (request,) = requests(project)
    frame = tree_of(project, request.module).frame(request.node)
    for name in ("a", "b"):
        (value,) = project.engine.evaluator.name(name, frame)
        assert read(value, "POST", request.node, request.module) is None


def test_the_old_names_in_a_predicate_of_0_x(tmp_path: Path) -> None:
    text = (
        "import backoff, openai\n@backoff.on_exception(backoff.expo, openai.error.RateLimitError, max_tries=3)\n"
        'def ask():\n    return openai.ChatCompletion.create(model="m")\n'
    )
    project = linked(tmp_path, text, sdk="0.28")
    (call,) = project.calls
    assert retried(project, call) == {"RateLimitError"}


def test_classes_of_a_library_that_nobody_knows_may_be_any(tmp_path: Path) -> None:
    text = (
        "import backoff, openai\nfrom dsp import ERRORS\n@backoff.on_exception(backoff.expo, ERRORS, max_tries=3)\n"
        'def ask():\n    return openai.OpenAI().responses.create(model="m")\n'
    )
    (call,) = linked(tmp_path, text).calls
    assert call.policy is not None
    assert call.policy.by == "backoff"


def test_options_that_cannot_be_seen_are_not_taken_to_be_missing(tmp_path: Path) -> None:
    text = (
        "import openai, tenacity\nfrom settings import OPTIONS\n@tenacity.retry(**OPTIONS)\n"
        'def ask():\n    return openai.OpenAI().responses.create(model="m")\n'
    )
    (call,) = linked(tmp_path, text).calls
    assert call.policy is not None
    assert (call.policy.by, call.policy.bounded, call.policy.wait) == ("tenacity", True, "growing")


def test_a_name_that_says_so_is_taken_for_a_policy_and_told(tmp_path: Path) -> None:
    text = 'import openai\nfrom ours import with_retry\n@with_retry\ndef ask():\n    return openai.OpenAI().responses.create(model="m")\n'
    project = linked(tmp_path, text)
    (call,) = project.calls
    assert call.policy is not None
    assert call.policy.cover
    assert any("with_retry" in note for note in project.notes)
