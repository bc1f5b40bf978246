"""A chat model's server for tests: answers `POST /v1/chat/completions` in every way that such servers do, and worse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx


def chunk(content: str | None = None, *, finish: str | None = None, **delta: Any) -> bytes:
    """One line of an event stream."""
    words = {} if content is None else {"content": content}
    return line({"choices": [{"index": 0, "delta": {**words, **delta}, "finish_reason": finish}]})


def line(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
USAGE = line({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})


class ChatStandIn(httpx.AsyncBaseTransport):
    """Gives the same answer to every question, piece by piece.

    Args:
        parts: of the body; a number waits so many seconds, an exception is raised.
        status: of the answer.

    Attributes:
        asked: the JSON of every question.
        headers: of the last one.
        closed: answers that were read to their end or hung up on.
    """

    def __init__(self, parts: Sequence[bytes | float | Exception] = (), status: int = 200) -> None:
        self.parts = list(parts)
        self.status = status
        self.answers_with = {"content-type": "text/event-stream"}  # headers
        self.asked: list[dict[str, Any]] = []
        self.urls: list[str] = []
        self.headers = httpx.Headers()
        self.closed = 0
        self.was_asked = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(await request.aread()))
        self.urls.append(str(request.url))
        self.headers = request.headers
        self.was_asked.set()
        if self.parts and isinstance(self.parts[0], httpx.ConnectError):
            raise self.parts[0]
        return httpx.Response(self.status, headers=self.answers_with, stream=_Body(self))


class _Body(httpx.AsyncByteStream):
    def __init__(self, owner: ChatStandIn) -> None:
        self._owner = owner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._owner.parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, bytes):
                yield part
            else:
                await asyncio.sleep(part)

    async def aclose(self) -> None:
        self._owner.closed += 1
