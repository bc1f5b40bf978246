"""How uvicorn is run here: with protocols that bound every connection, a drain on SIGTERM, and the address told.

Called by `vivavoce serve`; knows nothing of speech but the two hooks it is given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from vivavoce.serving.connection_book import ConnectionBook, descriptors_for_connections
from vivavoce.serving.http_protocol import HttpProtocol
from vivavoce.serving.websocket_protocol import MAX_FRAME_BYTES, POT_BURST_S, POT_SHARE, WebSocketProtocol
from vivavoce.serving.work_budget import WorkBudget

logger = logging.getLogger(__name__)


def uvicorn_options(max_connections: int | None = None) -> dict[str, Any]:
    """Arguments of `uvicorn.Config` that this server relies on.

    Deflate is off: audio does not shrink, and its memory is a gift to floods. Pings find clients that vanished.

    Args:
        max_connections: at once, HTTP and WebSocket; None: as many as the process may have files open.
    """
    book = ConnectionBook(max_connections or descriptors_for_connections())
    pot = WorkBudget(POT_SHARE, POT_BURST_S)
    return {
        "http": partial(HttpProtocol, book=book),
        "ws": partial(WebSocketProtocol, book=book, pot=pot),
        "ws_max_size": MAX_FRAME_BYTES,
        "ws_per_message_deflate": False,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "access_log": False,
    }


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
