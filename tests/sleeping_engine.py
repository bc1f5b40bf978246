"""A fake engine whose steps take their time without taking a core: what a cluster's many machines look like on one."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from fake_engine import FakeEngine, FakeStream
from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.speech import SentenceStream, SpeechOptions, Voice
from vivavoce.text.normalize import SpokenText


class SleepingEngine(FakeEngine):
    """Each sentence is noise of its own, drawn from its seed and its text: equal texts and seeds sound equal.

    Args:
        step_s: a step sleeps that long.
        step_samples: of 24 kHz that it makes.
    """

    def __init__(
        self, step_s: float = 0.02, step_samples: int = 2400, voices: Sequence[str] = ("alpha", "beta")
    ) -> None:
        super().__init__(voices, step_samples=step_samples)
        self.step_s = step_s

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> FakeStream:
        stream = super().open(sentence, voice, options)
        stream.batch_key = _Drawn(options.seed or 0)
        return stream

    def step(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        time.sleep(self.step_s)
        return super().step(streams, threads=threads)

    def advance(self, stream: FakeStream) -> AudioChunk:
        chunk = super().advance(stream)
        seed = stream.batch_key.seed if isinstance(stream.batch_key, _Drawn) else 0
        text = stream.sentence.source
        drawn = np.random.default_rng([seed, stream.steps_done, *text.encode()])
        chunk.samples[:] = stream.voice.level * drawn.uniform(-1.0, 1.0, len(chunk.samples))
        chunk.samples[0] = stream.voice.level  # a test can tell the voice, too
        return chunk


class _Drawn:
    """A batch key that nobody shares, and the seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
