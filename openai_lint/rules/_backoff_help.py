"""What a retry should look like, in the words of the library that the policy is written with."""

from openai_lint.facts import For, Function, While
from openai_lint.link.index import ModuleInfo
from openai_lint.link.project import ApiCall
from openai_lint.rules._retries import Retry
from openai_lint.rules._suggest import transient


def classes(module: ModuleInfo, call: ApiCall) -> str:
    """The errors that are worth a retry, as this file writes them."""
    names = transient(module, call.release)
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def growing(retry: Retry) -> str:
    """How to let the wait grow, at random."""
    match retry.policy.by:
        case "tenacity":
            return "Let it grow, at random: wait=wait_random_exponential(min=1, max=60)"
        case "backoff":
            return "Let it grow: backoff.expo in place of the generator given (its jitter is on by default)"
        case "stamina":
            return "Leave wait_initial, wait_max, wait_jitter and wait_exp_base as they are by default."
        case "retrying":
            return (
                "Let it grow, at random (milliseconds):"
                " wait_exponential_multiplier=1000, wait_exponential_max=60000, wait_jitter_max=1000"
            )
        case "retry":
            return "Let it grow, at random: delay=1, backoff=2, max_delay=60, jitter=(0, 1)"
        case "celery":
            return "Let it grow: retry_backoff=True, retry_backoff_max=600 (retry_jitter is on by default)"
        case "prefect":
            return "Let it grow: retry_delay_seconds=exponential_backoff(backoff_factor=2), retry_jitter_factor=1"
        case "modal":
            return "Let it grow: retries=modal.Retries(max_retries=5, backoff_coefficient=2.0, initial_delay=1.0)"
        case _:
            return _loop_wait(retry)


def random(retry: Retry) -> str:
    """How to put something random into waits that grow already."""
    match retry.policy.by:
        case "tenacity":
            return "Put something random in it: wait=wait_random_exponential(min=1, max=60)"
        case "backoff":
            return "Leave out jitter=None: full jitter is on by default."
        case "stamina":
            return "Leave out wait_jitter=0: a second of jitter is on by default."
        case "celery":
            return "Leave out retry_jitter=False: jitter is on by default."
        case _:
            return growing(retry)


def _loop_wait(retry: Retry) -> str:
    node = retry.policy.node
    named = isinstance(node, For) and getattr(node.target, "id", "_") != "_"
    counter = str(getattr(node.target, "id", "attempt")) if isinstance(node, For) and named else "attempt"
    sleep = "await asyncio.sleep" if _asynchronous(retry) else "time.sleep"
    wait = f"{sleep}(min(60, 2**{counter}) + random.random())"
    if named:
        return f"Wait longer each time, with something random in it:\n{wait}"
    return f"Count the attempts, and wait longer each time, with something random in it:\n{wait}"


def _asynchronous(retry: Retry) -> bool:
    node, module = retry.policy.node, retry.policy.module
    inside = [function for function in module.functions if _holds(function, node.span)]
    return bool(inside) and max(inside, key=lambda function: function.span[0]).is_async


def _holds(function: Function, span: tuple[int, int, int, int]) -> bool:
    return function.span[:2] <= span[:2] and span[2:] <= function.span[2:]


def stop(retry: Retry) -> str:
    """How to give the policy an end."""
    match retry.policy.by:
        case "tenacity":
            return "Give it an end: stop=stop_after_attempt(6)"
        case "backoff":
            return "Give it an end: max_tries=6"
        case "stamina":
            return "Leave one of attempts (10) and timeout (45 s) as it is by default."
        case "retrying":
            return "Give it an end: stop_max_attempt_number=6"
        case "retry":
            return "Give it an end: tries=6"
        case "celery":
            return "Give it an end: max_retries=5"
        case _:
            if isinstance(retry.policy.node, While):
                return "Count the attempts, and let the error out after the last:\nfor attempt in range(6):"
            return "Count the attempts, and let the error out after the last."


def narrow(retry: Retry) -> str:
    """How to retry only what may pass."""
    call = retry.calls[0]
    module = retry.policy.module
    wanted = classes(module, call)
    match retry.policy.by:
        case "tenacity":
            return f"Retry only what may pass:\nretry=retry_if_exception_type({wanted})"
        case "backoff":
            return f"Retry only what may pass:\n@backoff.on_exception(backoff.expo, {wanted}, ...)"
        case "stamina":
            return f"Retry only what may pass:\non={wanted}"
        case "retrying":
            return f"Retry only what may pass:\nretry_on_exception=lambda error: isinstance(error, {wanted})"
        case "retry":
            return f"Retry only what may pass:\n@retry({wanted}, ...)"
        case "celery":
            return f"Retry only what may pass:\nautoretry_for={wanted if wanted.startswith('(') else f'({wanted},)'}"
        case "loop":
            return f"Catch only what may pass, and let the rest out at once:\nexcept {wanted}:"
        case _:
            return f"Catch what never passes inside, or retry inside, only on {wanted}."
