"""What every array of samples goes through: the guard against broken values, 16-bit conversion, and fades.

Pure functions on float32 [n]; none changes its argument. The synthesizer guards what an engine made and counts what
was wrong; the encoders guard again, because a NaN can crash a C codec and with it the whole server.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vivavoce.audio.chunk import Samples

Pcm16 = NDArray[np.int16]  # int16 [n], mono, native byte order

MAX_BAD_FRACTION = 0.01  # a chunk with more NaN and Inf than this is noise, not speech with a blemish
FADE_S = 0.005  # short enough not to soften a consonant, long enough not to click


@dataclass(frozen=True, slots=True, eq=False)
class GuardResult:
    """Samples that are safe to encode, and what had to be changed in them.

    Attributes:
        samples: float32 [n], finite and within -1..1.
        bad: NaN and infinite values that were replaced.
        clipped: finite values that lay outside -1..1.
    """

    samples: Samples
    bad: int
    clipped: int

    @property
    def unusable(self) -> bool:
        """True where more than 1 % of the chunk was NaN or infinite: the caller fails the sentence with `BadAudio`."""
        return self.bad > MAX_BAD_FRACTION * len(self.samples)


def guard(samples: ArrayLike) -> GuardResult:
    """Replace NaN and infinite values by a line between their neighbours and clip the rest to -1..1.

    Args:
        samples: [n], any real dtype.

    Raises:
        ValueError: If `samples` has more than one dimension.
    """
    audio: Samples = np.asarray(samples, np.float32)
    if audio.ndim != 1:
        raise ValueError(f"expected mono samples of shape [n], got shape {audio.shape}")
    peak = float(np.abs(audio).max()) if len(audio) else 0.0
    if peak <= 1.0:  # False for NaN as well: one pass over the usual chunk
        return GuardResult(audio, bad=0, clipped=0)
    finite = np.isfinite(audio)
    bad = len(audio) - int(np.count_nonzero(finite))
    if bad:
        audio = _bridge(audio, finite)
    clipped = int(np.count_nonzero(np.abs(audio[finite]) > 1.0))
    return GuardResult(np.clip(audio, -1.0, 1.0), bad, clipped)


def _bridge(audio: Samples, finite: NDArray[np.bool_]) -> Samples:
    """Interpolate over the broken places; silence where nothing is whole."""
    if not finite.any():
        return np.zeros_like(audio)
    places = np.arange(len(audio))
    return np.interp(places, places[finite], audio[finite]).astype(np.float32)


def to_pcm16(samples: Samples) -> Pcm16:
    """Round float32 [n] to int16 [n]. Full scale is 32768, as decoders have it; +1 becomes 32767, nothing wraps."""
    scaled: Samples = np.rint(samples * np.float32(32768.0))
    return np.clip(scaled, -32768, 32767).astype(np.int16)


def fade_out(samples: Samples, sample_rate: int, duration_s: float = FADE_S) -> Samples:
    """Lower the last `duration_s` seconds to silence along half a cosine."""
    ramp = _ramp(len(samples), sample_rate, duration_s)[::-1]
    start = len(samples) - len(ramp)
    return np.concatenate([samples[:start], samples[start:] * ramp])


def _ramp(length: int, sample_rate: int, duration_s: float) -> Samples:
    """float32 [min(length, fade)], rising from just above 0 to just below 1."""
    size = min(length, round(duration_s * sample_rate))
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / max(size, 1))).astype(np.float32)
