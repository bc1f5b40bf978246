"""Several channels become one: their mean, and where they cancel each other the loudest of them.

A microphone wired the wrong way round gives a recording whose channels are each other's mirror; their mean is silence.
Pure; one for each recording, called by the readers of WAV and of FFmpeg's containers with whole blocks or frames, so
that it does not matter how the bytes were cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples

_CANCELS = 0.05  # of the channels' mean power: channels that have nothing to do with each other leave half or a sixth
_AGREES = 0.15
_QUIET = 1e-7  # power, -70 dBFS: of noise nothing is told


class Downmix:
    """The channels of one recording."""

    def __init__(self) -> None:
        self._chosen: int | None = None  # the channel that is listened to; None: all of them

    def mix(self, planes: NDArray[np.float32]) -> Samples:
        """Take float32 [channels, n], return float32 [n]."""
        mono: Samples = planes.mean(axis=0, dtype=np.float32)
        if len(planes) == 1 or not mono.size:
            return mono
        with np.errstate(over="ignore", invalid="ignore"):  # a file of floats may hold anything; others look at it
            powers = np.mean(np.square(planes), axis=1)  # float32 [channels]
            power, left = float(powers.mean()), float(np.mean(np.square(mono)))
        if power > _QUIET:
            if left < _CANCELS * power:
                self._chosen = int(powers.argmax()) if self._chosen is None else self._chosen
            elif left > _AGREES * power:
                self._chosen = None
        return mono if self._chosen is None else planes[self._chosen].astype(np.float32)
