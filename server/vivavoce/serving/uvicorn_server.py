"""How uvicorn is run here: with protocols that bound every connection, a drain on SIGTERM, and the address told.

Called by `vivavoce serve`; knows nothing of speech but the two hooks it is given.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from vivavoce.serving.connection_book import ConnectionBook, descriptors_for_connections
from vivavoce.serving.http_protocol import HttpProtocol
from vivavoce.serving.websocket_protocol import MAX_FRAME_BYTES, POT_BURST_S, POT_SHARE, WebSocketProtocol
from vivavoce.serving.work_budget import Pot

logger = logging.getLogger(__name__)


def uvicorn_options(max_connections: int | None = None) -> dict[str, Any]:
    """Arguments of `uvicorn.Config` that this server relies on.

    Deflate is off: audio does not shrink, and its memory is a gift to floods. Pings find clients that vanished.

    Args:
        max_connections: at once, HTTP and WebSocket; None: as many as the process may have files open.
    """
    book = ConnectionBook(max_connections or descriptors_for_connections())
    pot = Pot(POT_SHARE, POT_BURST_S)
    return {
        "http": partial(HttpProtocol, book=book),
        "ws": partial(WebSocketProtocol, book=book, pot=pot),
        "ws_max_size": MAX_FRAME_BYTES,
        "ws_per_message_deflate": False,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "access_log": False,
    }


# After this long a thread hands the interpreter to one that waits for it; Python's own 5 ms are what each of the ten
# steps of a request through the event loop may wait while texts are read in other threads.
SWITCH_S = 0.001
LEAVE_WITHIN_S = 10.0  # after the drain: goodbyes, closing, freeing
LEAVE_AT_ONCE_S = 2.0  # after a second signal


class DrainingServer(uvicorn.Server):
    """Finishes what is being spoken before it stops; a second signal stops it at once.

    The way out has a deadline of its own: whatever hangs in it, the process ends.

    Args:
        drain: refuses new work, waits for the running one, tells live connections; bounded in time by itself.
        started_with: called once with the port that was bound.
        drain_within_s: how long `drain` takes at most.
        leave: ends the process.

    Attributes:
        loop: the server's, once it has started.
        draining: the drain, once it has begun.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        drain: Callable[[], Awaitable[None]],
        started_with: Callable[[int], None],
        drain_within_s: float = 30.0,
        leave: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._started_with = started_with
        self._drain_within_s = drain_within_s
        self._leave = leave
        self._signals = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[Any] | None = None) -> None:
        sys.setswitchinterval(SWITCH_S)
        await super().startup(sockets=sockets)
        self.loop = asyncio.get_running_loop()
        if self.started and not self.should_exit:
            self._started_with(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain, then exit with status 0. Second: exit now. Neither waits for what hangs."""
        self._signals += 1
        is_second = self._signals > 1
        self._leave_after(LEAVE_AT_ONCE_S if is_second else self._drain_within_s + LEAVE_WITHIN_S)
        if self.loop is None or is_second:
            self.force_exit = is_second
            self.should_exit = True
            return
        self.loop.call_soon_threadsafe(self.begin_drain)

    def _leave_after(self, seconds: float) -> None:
        """End the process then, if it has not ended: a thread that no event loop and no other thread can hold up."""
        timer = threading.Timer(seconds, self._leave_behind)
        timer.daemon = True
        timer.start()

    def _leave_behind(self) -> None:
        logger.error("the server did not end in time; what hangs in it is left behind")
        self._leave(1)

    def begin_drain(self) -> None:
        """Drain, then stop; on the event loop, any number of times."""
        if self.draining is None:
            logger.info("draining: running utterances finish, new ones are refused")
            self.draining = asyncio.create_task(self._drain_and_exit(), name="drain")

    async def _drain_and_exit(self) -> None:
        try:
            await self._drain()
        finally:
            self.should_exit = True
