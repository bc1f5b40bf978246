"""A chat model that answers at once, so that a conversation is timed without one; it notes when it was asked."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = "Of course, that is easy to say."
STORY = "Once upon a time a little boat sailed over the wide blue sea, and nobody knew where it went. " * 6


class ChatStub:
    """Answers every question with `answer`, word by word.

    Attributes:
        url: for `VIVAVOCE_CHAT_URL`.
        asked_s: when it was asked last, by the monotonic clock.
        count: questions so far.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.answer = ANSWER
        self.asked_s = 0.0
        self.count = 0


@contextlib.contextmanager
def chat_stub() -> Iterator[ChatStub]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            stub.asked_s, stub.count = time.monotonic(), stub.count + 1
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                for word in stub.answer.split():
                    self._send({"content": word + " "}, None)
                self._send({}, "stop")
                self.wfile.write(b"data: [DONE]\n\n")
            self.close_connection = True

        def _send(self, delta: dict[str, Any], finish: str | None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            about = {"id": "stub", "object": "chat.completion.chunk", "created": 0, "model": "stub"}
            self.wfile.write(b"data: " + json.dumps({**about, "choices": [choice]}).encode() + b"\n\n")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = ChatStub(f"http://127.0.0.1:{listener.server_port}/v1")
    threading.Thread(target=listener.serve_forever, name="chat-stub", daemon=True).start()
    try:
        yield stub
    finally:
        listener.shutdown()
        listener.server_close()
