"""A WebSocket as a carrier: one task reads (always, so that a cancel or a close is seen while audio is being sent), one
sends what the session is due, one speaks.

What messages mean is the session's matter. Called by the live routes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from vivavoce.audio.encoders import open_encoder
from vivavoce.errors import ClientTooSlow
from vivavoce.serving.parts import until_first_ends
from vivavoce.serving.taking import Taking
from vivavoce.serving.websocket_protocol import GIVE_UP
from vivavoce.speaking.sink import Carrier, SoundFormat, Teller
from vivavoce.transports.carried import Carry, Patience, hand_over
from vivavoce.transports.connections import Connections
from vivavoce.transports.encoding import Encoding
from vivavoce.transports.frame_sink import FrameSink
from vivavoce.transports.pacing import Pacer

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0


class WebSocketConnection:
    """One WebSocket that was not yet accepted.

    Args:
        carry: makes the session.
        encoding: threads for codecs.
        owner: whose connection it is.
        subprotocol: what is chosen where the client offers it.
    """

    def __init__(
        self,
        websocket: WebSocket,
        carry: Carry,
        encoding: Executor,
        patience: Patience,
        *,
        owner: str,
        subprotocol: str | None = None,
    ) -> None:
        self._websocket = websocket
        self._encoding = encoding
        self._patience = patience
        self._owner = owner
        self._subprotocol = subprotocol
        self._pacer = Pacer()
        self._ran_dry: Callable[[float], None] = lambda silent_s: None
        self._carried = carry(Carrier("websocket", self._open_sink))

    async def serve(self, connections: Connections) -> None:
        """Accept, and serve until either side has had enough."""
        self._ran_dry = connections.ran_dry
        with connections.hold(self._carried, "websocket", self._owner):
            offered: list[str] = self._websocket.scope["subprotocols"]
            await self._websocket.accept(subprotocol=self._subprotocol if self._subprotocol in offered else None)
            await until_first_ends(self._read(), self._send(), self._carried.run())

    async def _read(self) -> None:
        """Hand over every message until the client is gone."""
        while (message := await self._receive())["type"] == "websocket.receive":
            text: str | None = message.get("text")
            hand_over(self._carried, message["bytes"] if text is None else text)

    async def _receive(self) -> Any:
        """The next ASGI message; a connection on which nothing happens is closed meanwhile."""
        idle_s = self._patience.idle_s
        while True:
            try:
                async with asyncio.timeout(self._carried.active_s + idle_s - time.monotonic()):
                    return await self._websocket.receive()
            except TimeoutError:
                if time.monotonic() - self._carried.active_s >= idle_s:
                    self._carried.close(1001, "idle_timeout")
                    return await self._websocket.receive()

    async def _send(self) -> None:
        """Send what is due until the session closes or the client no longer reads."""
        taking = Taking(self._websocket.scope, self._patience.stall_s)
        sound_s = 0.0  # handed over so far: how fast the client has to take what is sent follows from it
        try:
            while messages := await self._carried.next_messages():
                for message in messages:
                    new_s, sound_s = self._pacer.sent_s - sound_s, self._pacer.sent_s
                    await taking.send(self._send_one(message), len(message), new_s)
            assert self._carried.closing is not None
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._websocket.close(self._carried.closing.code, self._carried.closing.reason)
        except (TimeoutError, ClientTooSlow):
            logger.info("a client does not read and is given up")
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

    def _open_sink(self, teller: Teller, format: SoundFormat) -> FrameSink:
        encoder = open_encoder(format.name, format.sample_rate)
        encoding = Encoding(encoder, self._encoding)
        return FrameSink(teller, self._pacer, encoding, self._patience, paced=format.paced, ran_dry=self._ran_dry)
