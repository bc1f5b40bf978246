"""The one value that travels from engines to transports: a piece of audio with the words it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # float32 [n], mono, nominally within -1..1


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When a word of the written text is heard.

    Attributes:
        text: the word as written.
        start_s, end_s: seconds. Relative to the sentence's first sample when an engine makes it, to the
            utterance's first sample once it has passed the synthesizer.
        source_start, source_end: code points in the text as written, with the same two origins.
        estimated: False where the engine measured the time (an alignment), True where it was derived from lengths.
    """

    text: str
    start_s: float
    end_s: float
    source_start: int
    source_end: int
    estimated: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Engine output of any length; the chunks of a sentence join without a seam.

    Attributes:
        samples: float32 [n], mono.
        sample_rate: Hz.
        words: words that begin inside this chunk (an engine may also deliver them late, never early).
    """

    samples: Samples
    sample_rate: int
    words: tuple[WordTiming, ...] = field(default=())

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate
