"""A hearing over an ear that is done at once: what it waits for, without threads."""

from __future__ import annotations

from typing import cast

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard
from vivavoce.recognition.ear import KEEP_OF_A_FILE_S, LiveEar
from vivavoce.recognition.ears import OF_RECORDINGS, PIECE
from vivavoce.recognition.hearing import READ_AHEAD, SEGMENTS_OF_A_FILE, LiveHearing
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment
from vivavoce.recognition.speech_detector import FRAME, DetectorOptions


class QuickSegment:
    def __init__(self, start: int) -> None:
        self.start = start
        self.ended = False

    def finish(self, end: int) -> None:
        self.ended = True

    def take(self) -> list[Heard]:
        return [Heard("word", True, True, "en", duration_s=1.0)] if self.ended else []


class QuickEar:
    """Looks at everything in the moment it is asked; waiting for it would be for ever."""

    def __init__(self) -> None:
        self.written = 0
        self.farthest_s = 0.0  # written before it was looked at
        self._looked = 0
        self._frames: list[float] = []

    def write(self, samples: Samples) -> None:
        self.written += len(samples)
        self.farthest_s = max(self.farthest_s, (self.written - self._looked) / SAMPLE_RATE)
        self._frames += [0.9 if abs(frame).max() > 0.1 else 0.1 for frame in samples.reshape(-1, FRAME)]

    def flush(self) -> None: ...
    def wake(self) -> None: ...
    def settle(self, heard: Heard) -> None: ...

    def frames(self) -> list[float]:
        frames, self._frames = self._frames, []
        self._looked = self.written
        return frames

    def open(self, start: int) -> QuickSegment:
        return QuickSegment(start)

    async def changed(self) -> None:
        raise AssertionError("nothing will ever change")


async def test_a_recording_goes_on_when_all_of_it_that_was_read_is_heard_in_one_look() -> None:
    """Room that comes free while nothing else is under way is used at once."""
    second = SAMPLE_RATE // FRAME * FRAME
    piece = np.concatenate([np.full(second, 0.5, np.float32), np.zeros(second, np.float32)] * SEGMENTS_OF_A_FILE)
    ear = cast(LiveEar, QuickEar())
    hearing = LiveHearing(ear, DetectorOptions(silence_s=0.5), recording=iter([piece] * 5))
    heard = [event async for event in hearing if isinstance(event, HeardSegment)]
    assert len(heard) == 5 * SEGMENTS_OF_A_FILE


async def test_a_recording_is_not_read_farther_than_the_ear_remembers() -> None:
    """However quick the detector is: else the beginning of a segment would be forgotten before it is cut out."""
    second = np.zeros(SAMPLE_RATE // FRAME * FRAME, np.float32)
    ear = QuickEar()
    hearing = LiveHearing(cast(LiveEar, ear), DetectorOptions(), recording=iter([second] * 100))
    assert [event async for event in hearing] == []
    assert ear.farthest_s <= READ_AHEAD / SAMPLE_RATE + 1.0
    assert (READ_AHEAD + PIECE) / SAMPLE_RATE + OF_RECORDINGS.longest_s < KEEP_OF_A_FILE_S
