"""Cuts a stream into frames of one length, for models that take no other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import EMPTY


class FrameCutter:
    """Samples in pieces of any length, frames out.

    Args:
        length: samples of a frame.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._rest = EMPTY

    def feed(self, samples: Samples) -> NDArray[np.float32]:
        """Return the frames that are complete: float32 [n, length]."""
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(joined) - len(joined) % self._length
        self._rest = joined[whole:].copy()
        return joined[:whole].reshape(-1, self._length)

    def flush(self) -> NDArray[np.float32]:
        """Return what is left, filled up with silence: float32 [0 or 1, length]."""
        if not len(self._rest):
            return np.zeros((0, self._length), np.float32)
        frame = np.pad(self._rest, (0, self._length - len(self._rest)))
        self._rest = EMPTY
        return frame[None]
