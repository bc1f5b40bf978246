"""The last half minute of a live stream, by the place of its samples. Pure."""

from __future__ import annotations

import numpy as np

from vivavoce.audio.chunk import Samples


class SoundBuffer:
    """Samples by their number from the first one on; old ones are forgotten.

    Args:
        keep: samples that are kept at least.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._samples: Samples = np.empty(2 * keep, np.float32)
        self._begin = 0  # number of the first sample that is there
        self._count = 0  # samples that are there

    @property
    def end(self) -> int:
        """Number of the next sample to come."""
        return self._begin + self._count

    def append(self, samples: Samples) -> None:
        """More of it: float32 [n]."""
        if len(samples) > len(self._samples):
            skipped = len(samples) - len(self._samples)
            self._begin, self._count = self.end + skipped, 0
            samples = samples[skipped:]
        if self._count + len(samples) > len(self._samples):
            kept = min(self._count, self._keep, len(self._samples) - len(samples))
            self._samples[:kept] = self._samples[self._count - kept : self._count].copy()
            self._begin, self._count = self.end - kept, kept
        self._samples[self._count : self._count + len(samples)] = samples
        self._count += len(samples)

    def cut(self, start: int, end: int) -> Samples:
        """A copy of the samples from `start` to `end`, as far as they are there."""
        first = max(0, start - self._begin)
        last = max(first, min(end, self.end) - self._begin)
        return self._samples[first:last].copy()
