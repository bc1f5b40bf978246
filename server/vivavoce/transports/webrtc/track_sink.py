"""One utterance's sound on the track of a call; its messages go out in step with the sound."""

from __future__ import annotations

import dataclasses
import functools
import time

from vivavoce.protocols.native.messages import SessionConfig
from vivavoce.speaking.live_session import LiveSession
from vivavoce.speaking.live_utterance import announce_chunk, pieces
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.speech_track import SpeechTrack


class TrackSink:
    """A `Sink` that writes to a track. Positions are those of the track: what has left the server as sound."""

    def __init__(self, live: LiveSession, track: SpeechTrack, index: int, config: SessionConfig) -> None:
        self._live = live
        self._track = track
        self._index = index
        self._config = dataclasses.replace(config, response_format="opus")
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
            self._track.playout.write(piece.audio.samples, functools.partial(self._announce, piece))

    async def finish(self) -> None:
        await self._track.drained(self._generation)

    def played(self, position_s: float) -> None:
        """The track knows better than the listener what has been sent, and the network adds a tenth of a second."""

    def stop(self) -> None:
        self._track.clear()

    def _announce(self, chunk: SpokenChunk) -> None:
        """The first sample of the chunk goes out now."""
        announce_chunk(self._live.outbox, self._index, chunk, self._config, format="opus", rate=SAMPLE_RATE)
        self._live.active_s = time.monotonic()
        self._live.announce()
