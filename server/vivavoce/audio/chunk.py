"""The one value that travels from engines to transports: a piece of audio with the words it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vivavoce.words import WordTiming

Samples = NDArray[np.float32]  # float32 [n], mono, nominally within -1..1


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
