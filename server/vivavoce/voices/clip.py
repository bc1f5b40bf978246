"""A recording someone hands us as reference: decoded with limits, checked, and written again as plain WAV.

The container is chosen by its first bytes from a short list and never guessed by the decoder, because playlist formats
name further files and addresses to open. Frames are counted while decoding: a small file may claim hours of sound.
Nothing of the original file is kept. Called by `install.py`.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import InvalidAudio

MIN_REFERENCE_S, MAX_REFERENCE_S = 3.0, 10.0  # what GPT-SoVITS was made for; others are refused upstream too
MAX_DECODED_S = 600.0
MAX_PCM_BYTES = 256 << 20
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
SILENCE_PEAK = 1e-3  # -60 dBFS

# First bytes -> FFmpeg's name of the container.
_CONTAINERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"RIFF", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (4, b"ftyp", "mov"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xf2", "mp3"),
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
    """Decode WAV, FLAC, Ogg, MP3, M4A or WebM to mono.

    Raises:
        InvalidAudio: If it is none of these, damaged, or longer than `max_s`.
    """
    file: BinaryIO = (
        io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") if isinstance(source, Path) else source
    )
    try:
        return _decode(file, _container(file), max_s)
    except av.FFmpegError as error:
        raise InvalidAudio(f"the clip cannot be decoded: {error.strerror}", param="audio_sample") from error
    finally:
        if isinstance(source, Path):
            file.close()


def require_reference(clip: Clip) -> None:
    """Is this clip usable as a reference?

    Raises:
        InvalidAudio: If it is shorter than 3 s, longer than 10 s or silent; the sentence says which.
    """
    if not MIN_REFERENCE_S <= clip.duration_s <= MAX_REFERENCE_S:
        raise InvalidAudio(
            f"the clip lasts {clip.duration_s:.1f} s; a reference lasts {MIN_REFERENCE_S:g} to {MAX_REFERENCE_S:g} s",
            param="audio_sample",
        )
    if not np.all(np.isfinite(clip.samples)) or float(np.max(np.abs(clip.samples))) < SILENCE_PEAK:
        raise InvalidAudio("the clip is silent", param="audio_sample")


def write_wav(path: Path, clip: Clip) -> None:
    """Write 16-bit PCM."""
    pcm = np.clip(np.rint(clip.samples * 32767.0), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(clip.sample_rate)
        out.writeframes(pcm.tobytes())


def _container(file: BinaryIO) -> str:
    head = file.read(12)
    file.seek(0)
    for offset, magic, name in _CONTAINERS:
        if head[offset : offset + len(magic)] == magic:
            return name
    raise InvalidAudio("the clip is not WAV, FLAC, Ogg, MP3, M4A or WebM", param="audio_sample")


def _decode(file: BinaryIO, container: str, max_s: float) -> Clip:
    blocks: list[NDArray[np.float32]] = []
    with av.open(file, "r", format=container, metadata_errors="replace") as opened:
        if not opened.streams.audio:
            raise InvalidAudio("the clip holds no sound", param="audio_sample")
        stream = opened.streams.audio[0]
        rate = int(stream.codec_context.sample_rate or 0)
        if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
            raise InvalidAudio(f"the clip has a sample rate of {rate} Hz", param="audio_sample")
        to_planar = av.AudioResampler(format="fltp")  # channels are averaged here: FFmpeg's own mix adds 3 dB
        limit = min(int(max_s * rate), MAX_PCM_BYTES // 4)
        count = 0
        for frame in opened.decode(stream):
            for planar in to_planar.resample(frame):
                blocks.append(planar.to_ndarray().mean(axis=0, dtype=np.float32))  # from float32 [channels, n]
                count += len(blocks[-1])
            if count > limit:
                raise InvalidAudio(f"the clip is longer than {limit / rate:g} s", param="audio_sample")
    if not count:
        raise InvalidAudio("the clip holds no sound", param="audio_sample")
    return Clip(np.concatenate(blocks), rate)
