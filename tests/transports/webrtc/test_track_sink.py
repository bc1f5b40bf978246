"""Sound on the track of a call, told in step with it; the track is taken from by hand."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.speaking.sink import SpokenChunk
from vivavoce.text.sentences import Sentence
from vivavoce.transports.webrtc.paced_playout import PacedPlayout
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.track_sink import TrackSink


class Told:
    """A `Teller` that remembers when it was told of a chunk."""

    def __init__(self) -> None:
        self.chunks: list[float] = []

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        assert (format, sample_rate) == ("opus", SAMPLE_RATE)
        self.chunks.append(round(chunk.start_s, 3))

    def send_audio(self, payload: bytes) -> None:
        raise AssertionError("the sound travels on the track")

    def end_sentence(self) -> None:
        raise AssertionError("the session knows when the next one begins")

    async def all_sent(self) -> None: ...


def spoken(seconds: float) -> SpokenChunk:
    samples: Samples = np.full(round(seconds * SAMPLE_RATE), 0.5, np.float32)
    return SpokenChunk(AudioChunk(samples, SAMPLE_RATE), Sentence("Hi.", 0, 0, "sentence"), 0.0, True, True)


def play(track: PacedPlayout, seconds: float) -> Samples:
    """What the clock of the call would do."""
    return track.take(round(seconds * SAMPLE_RATE))


async def test_a_piece_is_told_when_its_first_sample_goes_out() -> None:
    track, told = PacedPlayout(max_ahead_s=4.0), Told()
    sink = TrackSink(told, track)
    await sink.send(spoken(1.0))
    assert (told.chunks, sink.sent_s, sink.position_s) == ([], 1.0, 0.0)
    play(track, 0.02)
    assert told.chunks == [0.0]
    play(track, 0.5)
    assert told.chunks == [0.0, 0.4]
    assert sink.position_s == pytest.approx(0.52)


async def test_it_waits_for_room_and_for_the_end() -> None:
    track = PacedPlayout(max_ahead_s=0.5)
    sink = TrackSink(Told(), track)
    sending = asyncio.create_task(sink.send(spoken(2.0)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert sink.sent_s <= 0.5 + 0.4
    while not sending.done():
        play(track, 0.1)
        await asyncio.sleep(0)
    finishing = asyncio.create_task(sink.finish())
    await asyncio.sleep(0)
    assert not finishing.done()
    while not finishing.done():
        play(track, 0.1)
        await asyncio.sleep(0)
    assert sink.position_s == pytest.approx(2.0)


async def test_a_stop_is_silence_after_a_fade_and_the_end_is_not_waited_for() -> None:
    track = PacedPlayout(max_ahead_s=4.0)
    sink = TrackSink(Told(), track)
    await sink.send(spoken(1.0))
    play(track, 0.1)
    sink.stop()
    await sink.finish()
    rest = play(track, 0.5)
    assert np.all(rest[SAMPLE_RATE // 100 :] == 0)
    assert sink.position_s == pytest.approx(0.1)


async def test_a_second_utterance_counts_from_its_own_beginning() -> None:
    track = PacedPlayout(max_ahead_s=4.0)
    first = TrackSink(Told(), track)
    await first.send(spoken(1.0))
    second = TrackSink(Told(), track)
    await second.send(spoken(1.0))
    play(track, 1.25)
    assert first.position_s == 1.0
    assert second.position_s == pytest.approx(0.25)
