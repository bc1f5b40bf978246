"""The sentence that is being made: what an engine says of it, placed in its utterance.

An engine's chunks know their sentence only. Here they get the rate that was asked for, the pause before them, and word
times and text places that count from the utterance's beginning. Called by `speech_job.py`, by one worker at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.audio.resample import EMPTY, Resampler
from vivavoce.audio.samples import guard
from vivavoce.engines.speech import SentenceStream
from vivavoce.errors import BadAudio
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.text.normalize import SpokenText
from vivavoce.text.sentences import Sentence
from vivavoce.words import WordTiming


@dataclass(slots=True, eq=False)
class PlacedSentence:
    """One sentence on its way.

    Attributes:
        sentence: as written.
        stream: the engine's state of it.
        resampler: from the engine's rate to the one asked for.
        arrived_s: when its text was there.
        start: samples of the utterance before it, the pause included.
        pieces: what is said of it from here on; the stream is the first one's, the others wait for their turn.
        goes_on: earlier pieces of it were said before.
        core_s: core seconds spent on it.
        samples: of it delivered.
        bad: samples that were no numbers or out of range, since somebody last looked.
    """

    sentence: Sentence
    stream: SentenceStream
    resampler: Resampler
    arrived_s: float
    start: int
    pieces: tuple[SpokenText, ...] = ()
    goes_on: bool = False
    core_s: float = 0.0
    samples: int = 0
    bad: int = 0
    _words: tuple[WordTiming, ...] = field(default=())  # of sound that is still inside the resampler

    @property
    def sound_s(self) -> float:
        """Seconds of it delivered."""
        return self.samples / self.resampler.rate_out

    def place(self, chunk: AudioChunk | None, produced: int, *, ended: bool) -> SpokenChunk | None:
        """The next piece of the utterance; None where the resampler keeps all of it.

        Args:
            chunk: what the engine made, if anything.
            produced: samples of the utterance so far.
            ended: it was the sentence's last.

        Raises:
            BadAudio: If more than a few of its samples are no numbers.
        """
        samples = self._converted(chunk, ended=ended)
        self._words += chunk.words if chunk else ()
        if not len(samples) and not ended:
            return None
        rate = self.resampler.rate_out
        begins = self.samples == 0
        words = tuple(_moved(word, self.start / rate, self.sentence.start) for word in self._words)
        first, last = begins and not self.goes_on, ended and len(self.pieces) < 2
        self._words = ()
        pause = self.start - produced if begins else 0
        if pause > 0:
            samples = np.concatenate([np.zeros(pause, np.float32), samples])
        self.samples += len(samples)
        return SpokenChunk(AudioChunk(samples, rate, words), self.sentence, produced / rate, first, last)

    def _converted(self, chunk: AudioChunk | None, *, ended: bool) -> Samples:
        parts: list[Samples] = []
        if chunk is not None:
            guarded = guard(chunk.samples)
            self.bad += guarded.bad + guarded.clipped
            if guarded.unusable:
                raise BadAudio("the engine made samples that are not numbers")
            parts.append(self.resampler.process(guarded.samples))
        if ended:
            parts.append(self.resampler.flush())
        return np.concatenate(parts) if parts else EMPTY


@dataclass(frozen=True, slots=True)
class LeftStreams:
    """Streams nobody will step again."""

    streams: Sequence[SentenceStream]

    def close(self) -> None:
        """Close them all."""
        for stream in self.streams:
            stream.close()


def _moved(word: WordTiming, offset_s: float, offset: int) -> WordTiming:
    """A word of a sentence, placed in its utterance."""
    return dataclasses.replace(
        word,
        start_s=word.start_s + offset_s,
        end_s=word.end_s + offset_s,
        source_start=word.source_start + offset,
        source_end=word.source_end + offset,
    )
