"""One utterance's sound as messages of the session, paced by the listener's clock."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor

from vivavoce.audio.encoders import AudioEncoder
from vivavoce.errors import ClientTooSlow
from vivavoce.protocols.native.messages import SessionConfig
from vivavoce.speaking.live_session import LiveSession
from vivavoce.speaking.live_utterance import announce_chunk, pieces
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.transports.pacing import Pacer

KEPT_S = 1.0  # a chunk longer than the listener may be ahead leaves before he runs dry


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
