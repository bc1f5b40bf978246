"""One utterance's sound on the track of a call; its messages go out in step with the sound. Opened by `call.py`."""

from __future__ import annotations

import functools

from vivavoce.speaking.sink import SpokenChunk, Teller, pieces
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.speech_track import SpeechTrack


class TrackSink:
    """A `Sink` that writes to a track. Positions are those of the track: what has left the server as sound."""

    def __init__(self, teller: Teller, track: SpeechTrack) -> None:
        self._teller = teller
        self._track = track
        self._begin = track.playout.played + track.playout.queued
        self._generation = track.playout.generation
        self._written = 0

    @property
    def sent_s(self) -> float:
        return self._written / SAMPLE_RATE

    @property
    def position_s(self) -> float:
        return min(max(0, self._track.playout.played - self._begin), self._written) / SAMPLE_RATE

    async def send(self, chunk: SpokenChunk) -> None:
        for piece in pieces(chunk):
            await self._track.room()
            self._written += len(piece.audio.samples)
            tell = functools.partial(self._teller.tell_chunk, piece, format="opus", sample_rate=SAMPLE_RATE)
            self._track.playout.write(piece.audio.samples, tell)  # told when its first sample goes out

    async def finish(self) -> None:
        await self._track.drained(self._generation)

    def played(self, position_s: float) -> None:
        """The track knows better than the listener what has been sent, and the network adds a tenth of a second."""

    def stop(self) -> None:
        self._track.clear()
