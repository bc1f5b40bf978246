"""The native stream over a WebSocket: `/v1/audio/speech/stream`, and the tokens that let browsers open it.

Bytes in, bytes out: one task reads (always, so that a cancel or a close is seen while audio is being sent), one sends
what the session is due, one speaks. The meaning of messages is `vivavoce.protocol`'s, speaking is `live_session.py`'s.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from concurrent.futures import Executor
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect

from vivavoce.audio.encoders import AudioEncoder, open_encoder
from vivavoce.config import Config
from vivavoce.errors import AccessDenied, ClientTooSlow, InvalidKey, Overloaded
from vivavoce.metrics import Metrics
from vivavoce.protocols.native.messages import SUBPROTOCOL, Limits, SessionConfig
from vivavoce.protocols.native.session import Session
from vivavoce.synthesis.synthesizer import SpokenChunk, Synthesizer
from vivavoce.serving import tokens
from vivavoce.serving.access import Access
from vivavoce.transports.connections import Connections, limits_of, voice_summaries
from vivavoce.serving.gate import error_response
from vivavoce.speaking.live_session import LiveSession
from vivavoce.transports.pacing import Pacer
from vivavoce.speaking.live_utterance import announce_chunk, pieces
from vivavoce.serving.websocket_protocol import GIVE_UP

logger = logging.getLogger(__name__)

STREAM_PATH = "/v1/audio/speech/stream"
TOKEN_PATH = "/v1/audio/speech/token"
TOKEN_SUBPROTOCOL = "vivavoce.token."
CLOSE_TIMEOUT_S = 5.0
KEPT_S = 1.0  # a chunk longer than the listener may be ahead leaves before he runs dry


def websocket_router(
    synthesizer: Synthesizer,
    access: Access,
    config: Config,
    *,
    metrics: Metrics,
    connections: Connections,
    encoding: Executor,
    limits: Limits | None = None,
) -> APIRouter:
    """The routes of the native stream over WebSockets.

    Args:
        encoding: threads for codecs.
        limits: of each session; None: those of the configuration.
    """
    router = APIRouter(tags=["live"])
    limits = limits or limits_of(config)

    @router.websocket(STREAM_PATH)
    async def stream(websocket: WebSocket) -> None:
        try:
            owner = _owner(websocket, access)
            connections.check()
        except (AccessDenied, Overloaded) as error:
            metrics.requests.labels("websocket", "refused", error.code).inc()
            await websocket.send_denial_response(error_response(error))
            return
        session = Session(f"sess_{secrets.token_hex(12)}", limits, voice_summaries(synthesizer.voices))
        connection = WebSocketConnection(websocket, session, synthesizer, config, metrics, encoding, owner)
        await connection.serve(connections)

    @router.post(TOKEN_PATH, summary="A token with which a browser may open one live connection")
    async def token(request: Request) -> dict[str, Any]:
        """Worth one connection within a minute; ask for it on your own server, never in a page with the key."""
        if tokens.PREFIX in request.headers.get("authorization", ""):  # or one would be worth a life of them
            raise InvalidKey("a token cannot ask for another one")
        owner: str = request.state.owner
        return {
            "token": access.tokens.issue(owner, time.monotonic()),
            "expires_in": round(access.tokens.lifetime_s),
            "subprotocol": SUBPROTOCOL,
        }

    return router


class WebSocketConnection:
    """One accepted WebSocket."""

    def __init__(
        self,
        websocket: WebSocket,
        session: Session,
        synthesizer: Synthesizer,
        config: Config,
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
            ahead_s=config.ahead_s,
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


class FrameSink:
    """One utterance's sound as messages of the session, paced by the listener's clock."""

    def __init__(
        self,
        live: LiveSession,
        pacer: Pacer,
        index: int,
        config: SessionConfig,
        encoder: AudioEncoder,
        encoding: Executor,
    ) -> None:
        self._live = live
        self._pacer = pacer
        self._index = index
        self._config = config
        self._encoder = encoder
        self._encoding = encoding
        self._begin_s = pacer.sent_s
        self._sent_s = 0.0

    @property
    def sent_s(self) -> float:
        return self._sent_s

    @property
    def position_s(self) -> float:
        position_s = self._pacer.position_s(time.monotonic()) - self._begin_s
        return min(max(0.0, position_s), self._sent_s)

    async def send(self, chunk: SpokenChunk) -> None:
        for piece in pieces(chunk):
            await self._send(piece)

    async def _send(self, chunk: SpokenChunk) -> None:
        await self._wait_for_room(chunk.audio.duration_s)
        payload = await self._encode(chunk)
        outbox = self._live.outbox
        rate = self._encoder.stream_rate
        announce_chunk(outbox, self._index, chunk, self._config, format=self._encoder.name, rate=rate)
        outbox.send_audio(self._index, payload)
        if chunk.ends_sentence and self._encoder.name == "pcm":  # other formats may owe some of it
            outbox.end_sentence(self._index)
        self._sent_s += chunk.audio.duration_s
        self._pacer.send(chunk.audio.duration_s, time.monotonic())
        self._live.announce()
        await self._live.all_sent()

    async def finish(self) -> None:
        self._live.outbox.send_audio(self._index, self._encoder.flush())

    def played(self, position_s: float) -> None:
        self._pacer.report(self._begin_s + position_s, time.monotonic())

    def stop(self) -> None:
        self._pacer.cancel(time.monotonic())

    async def _encode(self, chunk: SpokenChunk) -> bytes:
        """Codecs take too long for the event loop; bare samples do not."""
        if self._encoder.name == "pcm":
            return self._encoder.encode(chunk.audio.samples)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._encoding, self._encoder.encode, chunk.audio.samples)

    async def _wait_for_room(self, duration_s: float) -> None:
        """Until the listener is near enough to the end of what was sent."""
        limits = self._live.session.limits
        room_s = max(KEPT_S, limits.max_ahead_ms / 1000 - duration_s)
        give_up_at = time.monotonic() + limits.idle_timeout_ms / 1000
        while self._config.pace != "burst" and (excess := self._pacer.ahead_s(time.monotonic()) - room_s) > 0:
            if time.monotonic() > give_up_at:
                raise ClientTooSlow("the listener has not moved on for too long")
            await asyncio.sleep(min(excess, 0.25))


def _owner(websocket: WebSocket, access: Access) -> str:
    """Whose connection this is, by the header or by a token among the subprotocols; `Gate` has seen Origin and Host.

    Raises:
        InvalidKey: If it may not be opened.
    """
    headers = {name.lower(): value for name, value in websocket.headers.items()}
    for offered in websocket.scope["subprotocols"]:
        if offered.startswith(TOKEN_SUBPROTOCOL):
            headers["authorization"] = "Bearer " + offered.removeprefix(TOKEN_SUBPROTOCOL)
    return access.owner(headers)
