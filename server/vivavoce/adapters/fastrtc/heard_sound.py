"""Sound as FastRTC hands it over becomes sound as recognizers take it.

Called by `hearing_model.py` and `conversation_handler.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.audio.samples import guard
from vivavoce.errors import InvalidAudio
from vivavoce.recognition.listener import SAMPLE_RATE

MAX_RATE = 384_000  # Hz


class HeardSound:
    """One microphone, of any rate, which may change."""

    def __init__(self) -> None:
        self._resampler: Resampler | None = None

    def process(self, rate: int, sound: NDArray[Any]) -> Samples:
        """Resample the next piece of sound.

        Args:
            rate: Hz.
            sound: int16 or float [n], or [channels, n].

        Returns:
            float32 [m] at 16 kHz; the last few milliseconds come with the next call.

        Raises:
            InvalidAudio: If it is no sound.
        """
        if not 0 < rate <= MAX_RATE:
            raise InvalidAudio(f"a rate of {rate} Hz is none that microphones have")
        if self._resampler is None or self._resampler.rate_in != rate:
            self._resampler = Resampler(rate, SAMPLE_RATE)
        return self._resampler.process(mono(sound))

    def flush(self) -> Samples:
        """The last of it: float32 [m] at 16 kHz."""
        return self._resampler.flush() if self._resampler is not None else np.zeros(0, np.float32)


def mono(sound: NDArray[Any]) -> Samples:
    """Float32 [n] within -1..1, of int16 or float [n] or [channels, n].

    Raises:
        InvalidAudio: If it is no sound.
    """
    if sound.dtype.kind not in "if" or sound.ndim not in (1, 2):
        raise InvalidAudio(f"samples are int16 or float [n] or [channels, n], not {sound.dtype} of shape {sound.shape}")
    full_scale = np.float32(np.iinfo(sound.dtype).max + 1) if sound.dtype.kind == "i" else np.float32(1)
    mixed = sound.astype(np.float32) if sound.ndim == 1 else sound.mean(axis=0, dtype=np.float32)
    return guard(mixed / full_scale).samples
