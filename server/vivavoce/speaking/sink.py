"""The border between a session that speaks and the carrier that plays: what a carrier offers, and what a sink may say.

A carrier opens a `Sink` for each utterance and knows no protocol: what the client is told about the sound goes through
a `Teller`, in step with it. Implemented by `transports`; called by `live_session.py` and its like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from vivavoce.audio.chunk import AudioChunk
from vivavoce.synthesis.speaker import SpokenChunk as SpokenChunk  # all that carriers know of the synthesis

PIECE_S = 0.4  # longest piece of sound that leaves at once


class Sink(Protocol):
    """Where one utterance's sound goes."""

    @property
    def sent_s(self) -> float:
        """Seconds of audio taken so far."""
        ...

    @property
    def position_s(self) -> float:
        """What the listener has heard of it, in seconds, as far as is known."""
        ...

    async def send(self, chunk: SpokenChunk) -> None:
        """Take a chunk; returns when the next one may come.

        Raises:
            ClientTooSlow: If the listener has stood still for too long.
        """
        ...

    async def finish(self) -> None:
        """The utterance is complete; returns when its end may be told."""
        ...

    def played(self, position_s: float) -> None:
        """The listener's own word on what it has heard."""
        ...

    def stop(self) -> None:
        """Cancelled: be silent now."""
        ...


class Teller(Protocol):
    """What a sink may say to the client of the utterance whose sound it plays."""

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        """This chunk's sound goes out now: the sentence it begins, the words in it."""
        ...

    def send_audio(self, payload: bytes) -> None:
        """Encoded audio, where it travels among the messages."""
        ...

    def end_sentence(self) -> None:
        """All audio of the sentence that sounds was sent."""
        ...

    async def all_sent(self) -> None:
        """Returns when the client was sent everything it is due: the brake on an utterance with a slow reader."""
        ...


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How an utterance's sound is to leave.

    Attributes:
        name: encoder, one of `audio.encoders.FORMATS`, where the carrier lets the client choose.
        sample_rate: Hz of the samples it is given.
        paced: at the speed of listening, a little ahead; False: as fast as it is made.
    """

    name: str
    sample_rate: int
    paced: bool = True


OpenSink = Callable[[Teller, SoundFormat], Sink]


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a carrier offers the session that it carries.

    Attributes:
        name: for the metrics: "websocket", "webrtc".
        open_sink: called when an utterance begins to speak.
        sample_rate: Hz that it needs, whatever the client wants; None: the client decides.
    """

    name: str
    open_sink: OpenSink
    sample_rate: int | None = None


def pieces(chunk: SpokenChunk, longest_s: float = PIECE_S) -> Iterator[SpokenChunk]:
    """A chunk in pieces that are short beside what a listener holds, each with the words that begin in it.

    An engine may make a whole sentence at once: sent as one message, it would have to wait until all of the listener's
    audio is played, and come too late.
    """
    audio, rate = chunk.audio, chunk.audio.sample_rate
    length = max(1, round(longest_s * rate))
    words = deque(audio.words)
    for begin in range(0, max(1, len(audio.samples)), length):
        end = begin + length
        is_last = end >= len(audio.samples)
        end_s = chunk.start_s + end / rate
        mine = []
        while words and (is_last or words[0].start_s < end_s):
            mine.append(words.popleft())
        yield SpokenChunk(
            AudioChunk(audio.samples[begin:end], rate, tuple(mine)),
            chunk.sentence,
            chunk.start_s + begin / rate,
            chunk.begins_sentence and begin == 0,
            chunk.ends_sentence and is_last,
        )
