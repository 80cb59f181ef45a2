"""A fake OpenAI server on the loopback interface that fails on demand.

A request says by header how it is to be answered, so that the server holds no plan of its own:
``x-truth-fault`` names one of `FAULTS` (absent: a good answer) and ``x-truth-run`` the run it belongs to.
``x-truth-first: N`` lets the fault pass after the first N requests of that run.
"slow" is no fault: a good answer, but late.

``GET /__log__/RUN`` answers what was counted for a run: ``{"count": n, "times": [seconds, ...]}``.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

# The status, error code and message with which each fault is answered; None: no answer with a status.
STATUS_FAULTS = {
    "bad_request": (400, "invalid_request_error", "you must provide a model parameter"),
    "auth": (401, "invalid_api_key", "Incorrect API key provided"),
    "permission": (403, "unsupported_country", "Country, region, or territory not supported"),
    "not_found": (404, "model_not_found", "The model does not exist"),
    "conflict": (409, "conflict", "The resource was updated by another request"),
    "unprocessable": (422, "unprocessable", "Unable to process the request"),
    "rate": (429, "rate_limit_exceeded", "Rate limit reached for requests"),
    "quota": (429, "insufficient_quota", "You exceeded your current quota, please check your plan and billing details"),
    "server": (500, "server_error", "The server had an error while processing your request"),
    "overloaded": (503, "overloaded", "The engine is currently overloaded, please try again later"),
}
#: no answer in time; the connection is closed without an answer ("refused" is up to the client: a closed port)
WIRE_FAULTS = ("timeout", "dropped")
#: faults in the middle of a stream
STREAM_FAULTS = ("stream_cut", "stream_stall", "stream_error")
FAULTS = (*STATUS_FAULTS, *WIRE_FAULTS, *STREAM_FAULTS)

#: longer than any timeout a run uses: seconds
SILENCE = 3.0
#: how long the answer takes that is asked for as "slow": seconds
SLOW = 0.4


@dataclass
class Log:
    """What was asked in one run."""

    times: list[float] = field(default_factory=list)


LOGS: dict[str, Log] = defaultdict(Log)


def error_body(fault: str) -> tuple[int, bytes]:
    """The status and JSON body of a status fault."""
    status, code, message = STATUS_FAULTS[fault]
    kind = code if code in ("insufficient_quota", "server_error") else "invalid_request_error"
    return status, json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


def completion(model: str, text: str) -> dict:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }


def response_object(text: str) -> dict:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    return {
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o",
        "output": [item],
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None,
        "instructions": None, "metadata": {}, "temperature": 1, "top_p": 1,
    }  # fmt: skip


def answer(method: str, path: str, query: str, body: dict) -> dict:
    """A good answer, by the end of the path: valid enough for every SDK line."""
    text = body.get("truth_text") or "a fine answer"
    model = body.get("model") or "gpt-4o"
    path = path.rstrip("/")
    if path.endswith("/chat/completions"):
        return completion(model, '{"answer": "fine"}' if body.get("response_format") else text)
    if path.endswith("/completions"):
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": "stop"}
        return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": model, "choices": [choice],
                "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}}  # fmt: skip
    if path.endswith("/embeddings"):
        inputs = body.get("input") if isinstance(body.get("input"), list) else [body.get("input")]
        data = [{"object": "embedding", "index": i, "embedding": [0.1, 0.2, 0.3]} for i in range(len(inputs))]
        return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    if path.endswith("/edits"):
        return {"object": "edit", "created": 1, "choices": [{"text": text, "index": 0}], "usage": {"total_tokens": 3}}
    if path.endswith("/responses"):
        return response_object(text)
    if "/images/" in path:
        return {"created": 1, "data": [{"url": "http://127.0.0.1/cat.png"}]}
    if "/audio/" in path:
        return {"text": text}
    if path.endswith("/moderations"):
        result = {"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.01}}
        return {"id": "modr-1", "model": "omni-moderation-latest", "results": [result]}
    if path.endswith("/models"):
        return {"object": "list", "data": [model_object("gpt-4o"), model_object("gpt-4o-mini")]}
    if "/models/" in path:
        return model_object(path.rsplit("/", 1)[1])
    if path.endswith(("/fine_tuning/jobs", "/files", "/batches")):
        if method == "POST":
            return {"id": "file-1", "object": "file", "status": "processed", "created_at": 1, "filename": "a.jsonl",
                    "bytes": 3, "purpose": "fine-tune", "model": model}  # fmt: skip
        last = "after=" in query
        names = ["c"] if last else ["a", "b"]
        rows = [{"id": name, "object": "file", "status": "processed", "created_at": 1, "filename": name, "bytes": 1,
                 "purpose": "fine-tune", "model": model} for name in names]  # fmt: skip
        return {"object": "list", "data": rows, "has_more": not last, "first_id": names[0], "last_id": names[-1]}
    return {"id": "obj-1", "object": "thing", "status": "completed", "created_at": 1}


def model_object(name: str) -> dict:
    return {"id": name, "object": "model", "created": 1, "owned_by": "openai"}


def stream_events(path: str, model: str, text: str) -> list[dict]:
    """The server-sent events of a good stream."""
    if path.endswith("/responses"):
        whole = response_object(text)
        begun = whole | {"status": "in_progress", "output": []}
        return [
            {"type": "response.created", "sequence_number": 0, "response": begun},
            {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0,
             "item": whole["output"][0] | {"status": "in_progress", "content": []}},
            {"type": "response.content_part.added", "sequence_number": 2, "output_index": 0, "content_index": 0,
             "item_id": "msg_1", "part": {"type": "output_text", "text": "", "annotations": []}},
            {"type": "response.output_text.delta", "sequence_number": 3, "output_index": 0, "content_index": 0,
             "item_id": "msg_1", "delta": text, "logprobs": []},
            {"type": "response.completed", "sequence_number": 4, "response": whole},
        ]  # fmt: skip
    if path.endswith("/chat/completions"):
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
        deltas = [{"role": "assistant", "content": ""}, {"content": text}, {}]
        return [base | {"choices": [{"index": 0, "delta": d, "finish_reason": None if d else "stop"}]} for d in deltas]
    base = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": model}
    return [base | {"choices": [{"text": t, "index": 0, "logprobs": None, "finish_reason": None}]} for t in (text, ".")]


async def send_stream(writer: asyncio.StreamWriter, fault: str, events: list[dict], named: bool) -> None:
    """Answer with server-sent events; `fault` breaks them off after the first."""
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode())

    def chunk(event: dict | str) -> None:
        data = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}\n" if named and isinstance(event, dict) and "type" in event else ""
        raw = f"{name}data: {data}\n\n".encode()
        writer.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")

    chunk(events[0])
    await writer.drain()
    if fault == "stream_cut":
        return
    if fault == "stream_stall":
        await asyncio.sleep(SILENCE)
        return
    if fault == "stream_error":
        chunk({"error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}})
    for event in events[1:]:
        chunk(event)
    chunk("[DONE]")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def read_json(content_type: str, body: bytes) -> dict:
    """The body as JSON; of a form only what matters here."""
    if "json" not in content_type:
        return {"stream": b'name="stream"' in body}
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """One request and its answer; False when the connection is over."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    if path.startswith("/__log__/"):
        log = LOGS[path.rsplit("/", 1)[1]]
        await send(writer, 200, json.dumps({"count": len(log.times), "times": log.times}).encode())
        return True
    log = LOGS[headers.get("x-truth-run", "")]
    log.times.append(time.monotonic())
    fault = headers.get("x-truth-fault", "")
    if "x-truth-first" in headers and len(log.times) > int(headers["x-truth-first"]):
        fault = ""
    if fault == "dropped":
        return False
    if fault == "timeout":
        await asyncio.sleep(SILENCE)
        return False
    if fault == "slow":
        await asyncio.sleep(SLOW)
    if fault in STATUS_FAULTS:
        status, content = error_body(fault)
        # Grows with each request, as a client that follows it must show growing waits.
        after = f"Retry-After: {min(len(log.times), 20)}\r\n" if fault == "rate" else ""
        await send(writer, status, content, after)
        return True
    request = read_json(headers.get("content-type", ""), body)
    if request.get("stream"):
        text = "a fine answer"
        events = stream_events(path, request.get("model") or "gpt-4o", text)
        await send_stream(writer, fault, events, named=path.endswith("/responses"))
        return False
    await send(writer, 200, json.dumps(answer(method, path, query, request)).encode())
    return True


async def send(writer: asyncio.StreamWriter, status: int, body: bytes, extra: str = "") -> None:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nx-request-id: req_1\r\n{extra}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await serve_one(reader, writer):
            pass
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ValueError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until standard input ends, so that no server outlives the tests; the port goes to standard output."""
    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
