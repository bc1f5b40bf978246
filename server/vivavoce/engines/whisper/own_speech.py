"""A few short sentences of the embedded voice: the speech behind which a silent tail is heard.

Made here, so that nothing recorded has to be shipped; measured as good as recordings.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.mel import SAMPLE_RATE
from vivavoce.audio.resample import Resampler
from vivavoce.audio.silence import trim_silence
from vivavoce.errors import ModelUnavailable

_VOICE_RATE = 24_000  # Hz

SENTENCES = (
    "Yes.",
    "Hello there.",
    "Good evening, everybody.",
    "We will meet again at the station.",
    "It rained all night long.",
    "Tell me more about that, please.",
)


def own_speech() -> list[Samples]:
    """Each sentence, float32 [n] of 16 kHz, from its first sound to its last; 0.5 s of work, the same every time.

    Raises:
        ModelUnavailable: If the embedded voice cannot speak.
    """
    try:
        from hibari import Hibari
        from hibari.voices import DEFAULT

        voice = Hibari(voice=DEFAULT, threads=1)
        return [_spoken(voice, sentence, seed) for seed, sentence in enumerate(SENTENCES)]
    except (ImportError, OSError) as error:
        raise ModelUnavailable(f"the embedded voice, which a model is prepared with, cannot speak: {error}") from error


def _spoken(voice: Any, sentence: str, seed: int) -> Samples:
    parts = [voice.from_phonemes(phonemes, 1.0, seed) for phonemes in voice.phonemize(sentence)]
    resampler = Resampler(_VOICE_RATE, SAMPLE_RATE)
    sound = resampler.process(np.asarray(np.concatenate(parts), np.float32))
    return trim_silence(np.concatenate([sound, resampler.flush()]), SAMPLE_RATE)
