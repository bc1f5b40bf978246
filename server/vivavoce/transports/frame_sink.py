"""One utterance's sound as messages of the session, paced by the listener's clock. Opened by `websocket.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from vivavoce.errors import ClientTooSlow
from vivavoce.speaking.sink import SpokenChunk, Teller, pieces
from vivavoce.transports.carried import Patience
from vivavoce.transports.encoding import Encoding
from vivavoce.transports.pacing import Pacer

KEPT_S = 1.0  # a chunk longer than the listener may be ahead leaves before he runs dry


class FrameSink:
    """A `Sink` that encodes sound into messages and sends them at the listener's pace.

    Args:
        teller: sends the messages, and the audio among them.
        pacer: the listener's clock, through all utterances of the connection.
        paced: at the speed of listening; False: as fast as it is made.
        ran_dry: told the seconds for which the listener had nothing to play while a chunk was here.
        now, sleep: the clock, in seconds.
    """

    def __init__(
        self,
        teller: Teller,
        pacer: Pacer,
        encoding: Encoding,
        patience: Patience,
        *,
        paced: bool = True,
        ran_dry: Callable[[float], None] = lambda silent_s: None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._teller = teller
        self._pacer = pacer
        self._encoding = encoding
        self._patience = patience
        self._paced = paced
        self._ran_dry = ran_dry
        self._now = now
        self._sleep = sleep
        self._begin_s = pacer.sent_s
        self._sent_s = 0.0

    @property
    def sent_s(self) -> float:
        return self._sent_s

    @property
    def position_s(self) -> float:
        position_s = self._pacer.position_s(self._now()) - self._begin_s
        return min(max(0.0, position_s), self._sent_s)

    async def send(self, chunk: SpokenChunk) -> None:
        for piece in pieces(chunk):
            await self._send(piece)

    async def _send(self, chunk: SpokenChunk) -> None:
        duration_s = chunk.audio.duration_s
        await self._wait_for_room(duration_s)
        came_s = self._now()
        encoder = self._encoding.encoder
        payload = await self._encoding.encode(chunk.audio.samples)
        self._teller.tell_chunk(chunk, format=encoder.name, sample_rate=encoder.stream_rate)
        self._teller.send_audio(payload)
        if chunk.ends_sentence and encoder.name == "pcm":  # other formats may owe some of it
            self._teller.end_sentence()
        if self._sent_s > 0 and (waited_s := self._pacer.waited_s(self._now(), came_s)):
            self._ran_dry(waited_s)
        self._sent_s += duration_s
        self._pacer.send(duration_s, self._now())
        await self._teller.all_sent()

    async def finish(self) -> None:
        self._teller.send_audio(await self._encoding.flush())

    def played(self, position_s: float) -> None:
        self._pacer.report(self._begin_s + position_s, self._now())

    def stop(self) -> None:
        self._pacer.cancel(self._now())

    async def _wait_for_room(self, duration_s: float) -> None:
        """Until the listener is near enough to the end of what was sent."""
        room_s = max(KEPT_S, self._patience.ahead_s - duration_s)
        give_up_at = self._now() + self._patience.idle_s
        while self._paced and (excess := self._pacer.ahead_s(self._now()) - room_s) > 0:
            if self._now() > give_up_at:
                raise ClientTooSlow("the listener has not moved on for too long")
            await self._sleep(min(excess, 0.25))
