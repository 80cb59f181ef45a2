"""Run under a release of the SDK by `sdk_env.run_under`: does what a program would do, and says what happened.

Knows nothing of the data files and shares nothing with the scripts that make them.
"""

import asyncio
import inspect
import io
import json
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Answers every request with one status, and counts."""

    def __init__(self, status=200):
        owner, self.count, self.status = self, 0, status

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("content-length") or 0))
                owner.count += 1
                body = json.dumps({"id": "x", "status": "completed", "data": [], "error": {"message": "m"}}).encode()
                self.send_response(owner.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *args):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass

        server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


class TooLongError(BaseException):
    pass


def limited(seconds, function):
    """Call, give up after a time, and never let anything out."""

    def stop(*_):
        raise TooLongError

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        return function()
    except BaseException as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def clauses(names):
    """What an `except` clause with each name does when an error reaches it, and what importing the name does."""
    import openai  # noqa: F401

    # All clauses before all imports, deep names before shallow ones: importing, and evaluating names that
    # are made on demand, loads modules that `import openai` alone does not.
    evaluated = {name: clause(name) for name in sorted(names, key=lambda name: -name.count("."))}
    return {name: [evaluated[name], imported(name)] for name in names}


def clause(name):
    scope = {"openai": sys.modules["openai"]}
    try:
        exec(f"try:\n    raise KeyError\nexcept {name}:\n    pass\nexcept KeyError:\n    pass", scope)
    except (AttributeError, TypeError) as error:
        return type(error).__name__
    return "error class"


def imported(name):
    module, _, last = name.rpartition(".")
    try:
        exec(f"from {module} import {last}", {})
    except ImportError as error:
        return type(error).__name__
    return "imported"


def catches(spellings):
    """For each raised class, the spellings whose clause catches it."""
    import importlib

    classes = {}
    for dotted in spellings:
        module, _, name = dotted.rpartition(".")
        classes[dotted] = getattr(importlib.import_module(module), name)
    found = {}
    for dotted, cls in classes.items():
        # Not through the constructor: the clause looks at the class alone.
        raised = cls.__new__(cls)
        found[dotted] = [other for other, handler in classes.items() if caught(raised, handler)]
        found[dotted] += [
            b
            for b in ("ValueError", "RuntimeError", "OSError", "Exception")
            if caught(raised, __builtins__.__dict__[b])
        ]
    return found


def caught(raised, handler):
    try:
        raise raised
    except handler:
        return True
    except BaseException:
        return False


def handlers(pairs):
    """For each (name after `except`, error that is raised): caught, passes, or crash."""
    import importlib

    import openai

    found = {}
    for name, dotted in pairs:
        module, _, last = dotted.rpartition(".")
        cls = getattr(importlib.import_module(module), last)
        raised = cls.__new__(cls)
        try:
            exec(f"try:\n    raise raised\nexcept {name}:\n    pass", {"openai": openai, "raised": raised})
            found[f"{name} {dotted}"] = "caught"
        except cls as error:
            found[f"{name} {dotted}"] = "passes" if error is raised else "crash"
        except (AttributeError, TypeError):
            found[f"{name} {dotted}"] = "crash"
    return found


def statuses(numbers):
    """For each status: the class that a call raises, and the number of requests."""
    import openai

    found = {}
    time_sleep, time.sleep = time.sleep, lambda seconds: None
    for status in numbers:
        server = Server(int(status))
        if hasattr(openai, "OpenAI"):
            call = openai.OpenAI(api_key="no-key", base_url=server.url).models.list
        else:
            openai.api_base, openai.api_key, call = server.url, "no-key", openai.Model.list
        error = limited(20, call)
        found[status] = [type(error).__name__, server.count]
    time.sleep = time_sleep
    return found


def calls(paths):
    """For each path: requests seen when it is called (entered, iterated, awaited), and whether it gave a coroutine."""
    import openai

    server = Server()
    sync = asynchronous = openai
    if hasattr(openai, "OpenAI"):
        keys = {"api_key": "no-key", "admin_api_key": "no-key"}
        keys = {k: v for k, v in keys.items() if k in inspect.signature(openai.OpenAI).parameters}
        sync = openai.OpenAI(base_url=server.url, max_retries=0, timeout=10, **keys)
        asynchronous = openai.AsyncOpenAI(base_url=server.url, max_retries=0, timeout=10, **keys)
    else:
        openai.api_base, openai.api_key = server.url, "no-key"
    found = {}
    for path in paths:
        server.count = 0
        result = limited(8, lambda path=path: use(follow(sync, path)))
        requests, coroutine = server.count, None
        if asynchronous is not openai:
            coroutine = limited(8, lambda path=path: with_arguments(follow(asynchronous, path), gives_coroutine))
        found[path] = [requests, coroutine is True, repr(result)[:200] if not requests else ""]
    return found


def follow(owner, path):
    for word in path.split("."):
        owner = getattr(owner, word)
    if inspect.isfunction(owner):
        owner = getattr(openai_instance(path), path.split(".")[-1])
    return owner


def openai_instance(path):
    import openai

    return getattr(openai, path.split(".")[0])(id="x", api_key="no-key")


def dummies(method):
    positional, keywords = [], {}
    parameters = inspect.signature(method).parameters.values()
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = dummy(parameter.name)
        elif parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            positional.append(dummy(parameter.name))
    names = {p.name for p in parameters}
    if "stream" in method.__name__ and {"input", "model"} <= names:
        keywords.update(model="m", input="x")
    if any(p.kind is p.VAR_KEYWORD for p in parameters) and "model" not in names:
        keywords["model"] = "m"
    if getattr(method.__self__, "__name__", "") == "Deployment":
        keywords.update(api_type="azure", api_version="1", api_key="no-key")
        if method.__name__ in ("delete", "adelete", "retrieve", "aretrieve"):
            positional = ["x"]
        elif method.__name__ in ("create", "acreate"):
            keywords["scale_settings"] = {"scale_type": "standard"}
    return positional, keywords


def dummy(name):
    if name in ("file", "image", "mask", "data", "video", "recording", "audio_sample"):
        body = io.BytesIO(b"x")
        body.name = "x.bin"
        return body
    if name in ("files", "file_ids", "messages", "tool_outputs", "requests", "owners"):
        return []
    if name == "params":
        return {}
    return {"method": "get", "method_": "get", "url": "/models", "bytes": 1, "mime_type": "text/plain"}.get(name, "x")


def with_arguments(method, function):
    """Call `function(result of the method)`; where the SDK says which arguments it misses, with those too."""
    positional, keywords = dummies(method)
    try:
        return function(method(*positional, **keywords))
    except TypeError as error:
        if "Missing required arguments" not in str(error):
            raise
        wanted = re.findall(r"'(\w+)'", str(error).split(" or (")[0])
        return function(method(*positional, **{**{name: dummy(name) for name in wanted}, **keywords}))


def use(method):
    """Call a method and do with its result what makes it work."""

    async def awaited(value):
        value = await value
        return [item async for item in value] if hasattr(value, "__aiter__") else value

    def consume(result):
        if inspect.isawaitable(result):
            return asyncio.run(awaited(result))
        if hasattr(result, "__enter__"):
            with result as inner:
                return inner
        if inspect.isgenerator(result):
            return next(result, None)
        return result

    return with_arguments(method, consume)


def gives_coroutine(result):
    if inspect.iscoroutine(result):
        result.close()
        return True
    return False


if __name__ == "__main__":
    job = json.loads(sys.stdin.read())
    answer, sys.stdout = sys.stdout, sys.stderr
    answer.write(json.dumps(globals()[job["do"]](job["with"])))
    answer.flush()
