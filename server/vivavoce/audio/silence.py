"""Cutting the silence that a model puts around a sentence.

It delays the first word, and between two pieces of one sentence it sounds like a hesitation; how long to pause is the
synthesizer's to decide. Knows samples only. Called by engines on what their model returned.
"""

from __future__ import annotations

import numpy as np

from vivavoce.audio.chunk import Samples

QUIET = 10 ** (-60 / 20)  # -60 dBFS: below the softest f or h of a voice, above the noise a vocoder leaves in silence
LEAD_S = 0.02  # kept before the first sound: an onset rises within this time
TAIL_S = 0.15  # kept after the last one: the voice dies away, and a comma's pause begins


def trim_silence(samples: Samples, sample_rate: int, *, lead_s: float = LEAD_S, tail_s: float = TAIL_S) -> Samples:
    """Cut the quiet at both ends of a whole piece of speech, down to what is kept.

    Args:
        samples: float32 [n].
        sample_rate: Hz.
        lead_s, tail_s: seconds of quiet that stay.

    Returns:
        A view of float32 [m], m <= n; all of it where nothing is louder than -60 dBFS.
    """
    return samples[sounding(samples, sample_rate, lead_s=lead_s, tail_s=tail_s)]


def sounding(samples: Samples, sample_rate: int, *, lead_s: float = LEAD_S, tail_s: float = TAIL_S) -> slice:
    """Where that which `trim_silence` keeps stands among the samples."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    if not len(loud):
        return slice(0, len(samples))
    start = max(0, int(loud[0]) - round(lead_s * sample_rate))
    return slice(start, min(len(samples), int(loud[-1]) + 1 + round(tail_s * sample_rate)))
