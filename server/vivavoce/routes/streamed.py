"""A body that is made while it is sent, for routes that stream: the rules every such answer keeps.

Headers are held back until the first bytes exist, so a failure before them is a plain JSON error; after them the
connection is aborted, never ended as if the answer were whole. A client that goes away ends the work at once, one that
takes nothing for too long is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from vivavoce.errors import VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.serving.http_protocol import ABORT
from vivavoce.serving.taking import Taking

T = TypeVar("T")


class ClientGone(VivaVoceError):
    """Nobody waits for the answer any more; it is written to nobody."""

    status = 499
    code = "client_gone"


class StreamedResponse(Response):
    """An HTTP answer whose parts a generator makes while they are sent.

    Args:
        parts: closed in any case, so its blocks are left when the client goes.
        route: for the count of requests.
        stall_timeout_s: a client that takes nothing for this long is dropped.
    """

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: Mapping[str, str],
        route: str,
        metrics: Metrics,
        stall_timeout_s: float,
    ) -> None:
        self.background = None
        self._parts = parts
        sent = {
            "content-type": media_type,
            "cache-control": "no-store",
            "x-accel-buffering": "no",  # nginx would hold the stream back until it ends
            **headers,
        }
        self._raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]
        self._route = route
        self._metrics = metrics
        self._stall_timeout_s = stall_timeout_s
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the end, an error, or the client's leaving."""
        self._taking = Taking(scope, self._stall_timeout_s)
        try:
            await unless_gone(receive, self._stream(send))
        except ClientGone:
            self._count("client_gone", "")
        except VivaVoceError as error:
            self._count("error", error.code)
            if not self._started:
                raise
            extension = scope.get("extensions", {}).get(ABORT)
            if extension is not None:  # elsewhere the unfinished body says the same
                extension["abort"]()
        else:
            self._count("completed", "")

    async def _stream(self, send: Send) -> None:
        async with aclosing(self._parts):
            async for part in self._parts:
                if part:
                    await self._send(send, part)
        await self._send(send, b"", more=False)

    async def _send(self, send: Send, part: bytes, *, more: bool = True) -> None:
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": 200, "headers": self._raw_headers})
        await self._taking.send(send({"type": "http.response.body", "body": part, "more_body": more}), len(part))

    def _count(self, outcome: str, reason: str) -> None:
        self._metrics.requests.labels(self._route, outcome, reason).inc()


async def unless_gone(receive: Receive, work: Awaitable[T]) -> T:
    """Wait for `work`, which ends with the connection.

    Raises:
        ClientGone: If the client left first.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.create_task(_until_disconnect(receive), name="watch-disconnect")
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("the client has left")
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _until_disconnect(receive: Receive) -> None:
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return
