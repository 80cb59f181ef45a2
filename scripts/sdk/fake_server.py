"""A server on the loopback interface that answers every request and counts them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, *args: Any) -> None:
        """Nothing: clients that break off are part of the trial."""


class FakeServer:
    """Counts requests; answers JSON, or an event stream where the body asks for one."""

    def __init__(self) -> None:
        owner = self
        self.requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                sent = self.rfile.read(size)
                owner.requests.append(f"{self.command} {self.path}")
                streams = (
                    any(mark in sent for mark in (b'"stream": true', b'"stream":true')) or "stream=true" in self.path
                )
                body = b'data: {"id": "x"}\n\ndata: [DONE]\n\n' if streams else json.dumps(ANSWER).encode()
                self.send_response(200)
                self.send_header("content-type", "text/event-stream" if streams else "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815  names that the base class looks for

            def log_message(self, *args: Any) -> None:
                """Nothing: the caller asks for counts."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


ANSWER = {"id": "x", "object": "thing", "status": "completed", "data": [], "has_more": False}
