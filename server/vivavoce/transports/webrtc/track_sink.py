"""One utterance's sound where it is played by the clock; its messages go out in step with it. Opened by `call.py`."""

from __future__ import annotations

import functools

from vivavoce.speaking.sink import SpokenChunk, Teller, pieces
from vivavoce.transports.webrtc.paced_playout import PacedPlayout
from vivavoce.transports.webrtc.playout import SAMPLE_RATE


class TrackSink:
    """A `Sink` that writes to a paced playout. Positions are its own: what has left the server as sound."""

    def __init__(self, teller: Teller, sound: PacedPlayout) -> None:
        self._teller = teller
        self._sound = sound
        self._begin = sound.playout.played + sound.playout.queued
        self._generation = sound.playout.generation
        self._written = 0

    @property
    def sent_s(self) -> float:
        return self._written / SAMPLE_RATE

    @property
    def position_s(self) -> float:
        return min(max(0, self._sound.playout.played - self._begin), self._written) / SAMPLE_RATE

    async def send(self, chunk: SpokenChunk) -> None:
        for piece in pieces(chunk):
            await self._sound.room()
            self._written += len(piece.audio.samples)
            tell = functools.partial(self._teller.tell_chunk, piece, format="opus", sample_rate=SAMPLE_RATE)
            self._sound.write(piece.audio.samples, tell)  # told when its first sample goes out

    async def finish(self) -> None:
        await self._sound.drained(self._generation)

    def played(self, position_s: float) -> None:
        """The track knows better than the listener what has been sent, and the network adds a tenth of a second."""

    def stop(self) -> None:
        self._sound.clear()
