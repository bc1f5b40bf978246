"""A WebSocket as a carrier: one task reads (always, so that a cancel or a close is seen while audio is being sent), one
sends what the session is due, one speaks.

What messages mean is the session's matter, speaking is `live_session.py`'s.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Executor
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from vivavoce.audio.encoders import open_encoder
from vivavoce.errors import ClientTooSlow
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.messages import SUBPROTOCOL, SessionConfig
from vivavoce.protocols.native.session import Session
from vivavoce.serving.websocket_protocol import GIVE_UP
from vivavoce.speaking.live_session import LiveSession
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.transports.connections import Connections
from vivavoce.transports.frame_sink import FrameSink
from vivavoce.transports.pacing import Pacer

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0


class WebSocketConnection:
    """One accepted WebSocket."""

    def __init__(
        self,
        websocket: WebSocket,
        session: Session,
        synthesizer: Synthesizer,
        ahead_s: float,
        metrics: Metrics,
        encoding: Executor,
        owner: str,
    ) -> None:
        self._websocket = websocket
        self._encoding = encoding
        self._limits = session.limits
        self._pacer = Pacer()
        self._live = LiveSession(
            synthesizer,
            session,
            self._open_sink,
            owner=owner,
            transport="websocket",
            metrics=metrics,
            ahead_s=ahead_s,
        )

    async def serve(self, connections: Connections) -> None:
        """Accept, and serve until either side has had enough."""
        with connections.hold(self._live, "websocket"):
            offered: list[str] = self._websocket.scope["subprotocols"]
            await self._websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
            logger.debug("> %s opened", self._live.session.session_id)
            tasks = [asyncio.create_task(part) for part in (self._read(), self._send(), self._live.run())]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            logger.debug("< %s closed", self._live.session.session_id)
            for task in done:
                task.result()

    async def _read(self) -> None:
        """Hand over every message until the client is gone."""
        while (message := await self._receive())["type"] == "websocket.receive":
            text: str | None = message.get("text")
            self._live.receive(message["bytes"] if text is None else text)

    async def _receive(self) -> Any:
        """The next ASGI message; a connection on which nothing happens is closed meanwhile."""
        idle_s = self._limits.idle_timeout_ms / 1000
        while True:
            try:
                async with asyncio.timeout(self._live.active_s + idle_s - time.monotonic()):
                    return await self._websocket.receive()
            except TimeoutError:
                if time.monotonic() - self._live.active_s >= idle_s:
                    self._live.close(1001, "idle_timeout")
                    return await self._websocket.receive()

    async def _send(self) -> None:
        """Send what is due until the session closes or the client no longer reads."""
        try:
            while messages := await self._live.next_messages():
                for message in messages:
                    async with asyncio.timeout(self._limits.stall_timeout_ms / 1000):
                        await self._send_one(message)
            assert self._live.closing is not None
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._websocket.close(self._live.closing.code, self._live.closing.reason)
        except TimeoutError:
            logger.info("%s: the client does not read", self._live.session.session_id)
            self._give_up()
        except (WebSocketDisconnect, RuntimeError):
            pass  # gone, or closed by the server below us for bad frames or unanswered pings

    async def _send_one(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self._websocket.send_text(message)
        else:
            await self._websocket.send_bytes(message)

    def _give_up(self) -> None:
        extension = self._websocket.scope.get("extensions", {}).get(GIVE_UP)
        if extension is not None:
            extension["give_up"](ClientTooSlow.close_code, ClientTooSlow.code)

    def _open_sink(self, index: int, config: SessionConfig, sample_rate: int) -> FrameSink:
        encoder = open_encoder(config.response_format or "pcm", sample_rate)
        return FrameSink(self._live, self._pacer, index, config, encoder, self._encoding)
