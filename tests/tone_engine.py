"""A fake engine whose voices hum, each at its own pitch, and how to hear which one it was."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fake_engine import FakeEngine, FakeStream
from vivavoce.audio.chunk import AudioChunk


class ToneEngine(FakeEngine):
    """The k-th voice (from 0) hums at 300 + 150 k Hz: Opus carries no constant level."""

    def advance(self, stream: FakeStream) -> AudioChunk:
        chunk = super().advance(stream)
        hz = 300 + 150 * (round(stream.voice.level * 16) - 1)  # whole periods in a step of 20 ms
        times = np.arange(len(chunk.samples)) / self.sample_rate
        return dataclasses.replace(chunk, samples=(0.3 * np.sin(2 * np.pi * hz * times)).astype(np.float32))


def pitch(samples: NDArray[np.float32], sample_rate: int = 48_000) -> float:
    """Hz of the strongest tone."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * sample_rate / len(samples)
