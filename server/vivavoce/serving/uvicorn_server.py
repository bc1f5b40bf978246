"""How uvicorn is run here: a connection that dawdles over its headers is closed, SIGTERM drains, the address is told.

Called by `vivavoce serve`; knows nothing of speech but the two hooks it is given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

logger = logging.getLogger(__name__)

HEADERS_TIMEOUT_S = 10.0
ABORT = "vivavoce.abort"  # scope extension: a function that drops the connection without flushing it


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with a limit on how long a request's headers may take."""

    _headers_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
        if self._headers_timer is None:  # a further request on a kept-alive connection
            self._start_timer()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_timer()
        super().handle_websocket_upgrade()

    def _start_timer(self) -> None:
        self._headers_timer = self.loop.call_later(HEADERS_TIMEOUT_S, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None


class DrainingServer(uvicorn.Server):
    """Finishes what is being spoken before it stops; a second signal stops it at once.

    Args:
        drain: refuses new work, waits for the running one, tells live connections; bounded in time by itself.
        started_with: called once with the port that was bound.
    """

    def __init__(
        self, config: uvicorn.Config, *, drain: Callable[[], Awaitable[None]], started_with: Callable[[int], None]
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._started_with = started_with
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._loop = asyncio.get_running_loop()
        if self.started and not self.should_exit:
            self._started_with(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain, then exit with status 0. Second: exit now."""
        if self._loop is None or self._draining is not None:
            self.force_exit = self._draining is not None
            self.should_exit = True
            return
        self._loop.call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
        if self._draining is None:
            logger.info("draining: running utterances finish, new ones are refused")
            self._draining = asyncio.create_task(self._drain_and_exit(), name="drain")

    async def _drain_and_exit(self) -> None:
        try:
            await self._drain()
        finally:
            self.should_exit = True
