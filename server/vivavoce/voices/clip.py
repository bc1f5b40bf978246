"""A recording someone hands us as reference: checked, and written again as plain WAV.

Nothing of the original file is kept. What a stranger sent is decoded in a process of its own (`decoding/`) under
`REFERENCE_RULES`; `decode_clip` is for files of this machine. Called by `install.py` and the command line.
"""

from __future__ import annotations

import dataclasses
import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.decoders import DecodingRules, decode_file
from vivavoce.errors import InvalidAudio

MIN_REFERENCE_S, MAX_REFERENCE_S = 3.0, 10.0  # what GPT-SoVITS was made for; others are refused upstream too
MAX_DECODED_S = 60.0  # whoever sends more is told so before all of it is decoded
SILENCE_PEAK = 1e-3  # -60 dBFS
REFERENCE_RULES = DecodingRules(
    max_s=MAX_DECODED_S,
    containers=("wav", "flac", "ogg", "mp3", "aac", "mov", "matroska"),
    param="audio_sample",
)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Decoded sound: float32 [n], mono, at its own rate in Hz."""

    samples: NDArray[np.float32]
    sample_rate: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def decode_clip(source: Path | bytes | BinaryIO, *, max_s: float = MAX_DECODED_S) -> Clip:
    """Decode WAV, FLAC, Ogg, MP3, AAC, M4A or WebM to mono at its own rate.

    Raises:
        InvalidAudio: If it is none of these, damaged, longer than `max_s`, or has more than two channels.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return decode_clip(file, max_s=max_s)
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    decoded = decode_file(opened, None, dataclasses.replace(REFERENCE_RULES, max_s=max_s))
    return Clip(decoded.samples, decoded.sample_rate)


def require_reference(clip: Clip, *, param: str = "audio_sample") -> None:
    """Is this clip usable as a reference?

    Args:
        param: the field it came in.

    Raises:
        InvalidAudio: If it is shorter than 3 s, longer than 10 s or silent; the sentence says which.
    """
    if not MIN_REFERENCE_S <= clip.duration_s <= MAX_REFERENCE_S:
        raise InvalidAudio(
            f"the clip lasts {clip.duration_s:.1f} s; a reference lasts {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s",
            param=param,
        )
    if not np.all(np.isfinite(clip.samples)) or float(np.max(np.abs(clip.samples))) < SILENCE_PEAK:
        raise InvalidAudio("the clip is silent", param=param)


def write_wav(path: Path, clip: Clip) -> None:
    """Write 16-bit PCM."""
    pcm = np.clip(np.rint(clip.samples * 32767.0), -32768, 32767).astype("<i2")
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(clip.sample_rate)
        out.writeframes(pcm.tobytes())
    path.write_bytes(sound.getvalue())
