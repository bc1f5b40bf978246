"""A chat model's server that answers at once: facts, a long story, and a function call where weather is asked for."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GREETING = "Hello, how can I help?"
FACT = "The capital of France is Paris."
STORY = "Once upon a time a little boat sailed over the wide blue sea. " * 8
FORECAST = "It is sunny and warm in Paris today."
UNKNOWN = "I did not understand that."


class ChatServer:
    """Answers `POST /v1/chat/completions`.

    Attributes:
        url: for `VIVAVOCE_CHAT_URL`.
        asked: the messages of every question.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[list[dict[str, Any]]] = []

    def answer(self, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The deltas of an answer."""
        messages = question["messages"]
        self.asked.append(messages)
        last = messages[-1]
        said = str(last.get("content") or "").lower()
        if last["role"] not in ("user", "tool"):
            yield {"content": GREETING}
        elif last["role"] == "tool":
            yield {"content": FORECAST}
        elif "weather" in said and question.get("tools"):
            name, arguments = question["tools"][0]["function"]["name"], json.dumps({"city": "Paris"})
            yield {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": name}}]}
            yield {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}
        elif "story" in said:
            for word in STORY.split():
                yield {"content": word + " "}
        else:
            yield {"content": FACT if "france" in said else UNKNOWN}


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            calls = False
            for delta in chat.answer(question):
                calls = calls or "tool_calls" in delta
                self._send({"index": 0, "delta": delta, "finish_reason": None})
            self._send({"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"})
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, choice: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # an interrupted answer is hung up on
                super().handle()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    chat = ChatServer(f"http://127.0.0.1:{listener.server_port}/v1")
    thread = threading.Thread(target=listener.serve_forever, name="chat-server", daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(10)
