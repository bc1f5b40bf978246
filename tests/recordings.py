"""Recordings in every container that is read, made here: a tone of 220 Hz, and headers that lie."""

from __future__ import annotations

import functools
import struct
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vivavoce.audio.chunk import Samples

TONE_HZ = 220

# Name -> FFmpeg's muxer, encoder, sample format, rate in Hz, options of the muxer.
_WRITERS: dict[str, tuple[str, str, str, int, dict[str, str]]] = {
    "mp3": ("mp3", "libmp3lame", "fltp", 48_000, {}),
    "ogg opus": ("ogg", "libopus", "flt", 48_000, {}),
    "ogg flac": ("ogg", "flac", "s16", 48_000, {}),
    "webm": ("webm", "libopus", "flt", 48_000, {}),
    "webm live": ("webm", "libopus", "flt", 48_000, {"live": "1"}),
    "m4a": ("ipod", "aac", "fltp", 44_100, {}),
    "m4a, table first": ("ipod", "aac", "fltp", 44_100, {"movflags": "faststart"}),
    "mp4, fragments": (
        "mp4",
        "aac",
        "fltp",
        48_000,
        {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "100000"},
    ),
    "aac": ("adts", "aac", "fltp", 24_000, {}),
    "flac": ("flac", "flac", "s16", 48_000, {}),
    "amr": ("amr", "libopencore_amrnb", "s16", 8_000, {}),
    "3gp, amr": ("3gp", "libopencore_amrnb", "s16", 8_000, {}),  # older telephones
    "m4a, lossless": ("ipod", "alac", "s16p", 44_100, {}),
    "mov, plain": ("mov", "pcm_s24le", "s32", 48_000, {}),
    "webm, plain": ("matroska", "pcm_f32le", "flt", 48_000, {}),  # browsers, where they are asked for it
}
CONTAINERS = ("wav", "wav, length unknown", *_WRITERS)


def tone(seconds: float, rate: int) -> Samples:
    """float32 [n]."""
    return (0.3 * np.sin(2 * np.pi * TONE_HZ * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@functools.cache
def recording(container: str, seconds: float = 2.0, channels: int = 1) -> bytes:
    """A tone in one of `CONTAINERS`."""
    if container.startswith("wav"):
        unknown = 0xFFFFFFFF if "unknown" in container else None
        return wav(np.repeat(tone(seconds, 16_000), channels), 16_000, channels, claimed_bytes=unknown)
    _, _, _, rate, _ = _WRITERS[container]
    return encoded(container, tone(seconds, rate), channels)


@functools.cache
def silence(container: str, seconds: int) -> bytes:
    """Nothing, at length, in one of the containers that are written at 48 kHz."""
    return encoded(container, np.zeros(48_000 * seconds, np.float32))


def encoded(container: str, samples: Samples, channels: int = 1) -> bytes:
    """Samples at the writer's rate in one of `CONTAINERS` but WAV, the same on all channels."""
    muxer, encoder, sample_format, rate, options = _WRITERS[container]
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"  # a real file: to put the table first, FFmpeg opens it again
        out = _Stream() if "live" in container else None
        _write(out or str(path), muxer, encoder, sample_format, rate, options, samples, channels, layout)
        return path.read_bytes() if out is None else out.getvalue()


def _write(
    out: _Stream | str,
    muxer: str,
    encoder: str,
    sample_format: str,
    rate: int,
    options: dict[str, str],
    samples: Samples,
    channels: int,
    layout: str,
) -> None:
    with av.open(out, "w", format=muxer, options={"fflags": "+bitexact", **options}) as file:  # no random numbers
        stream = file.add_stream(encoder, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.format = sample_format
        for start in range(0, len(samples), rate):
            frame = _frame(samples[start : start + rate], sample_format, channels, layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def wav(
    samples: Samples,
    rate: int,
    channels: int = 1,
    *,
    tag: int = 1,
    bits: int = 16,
    block: int | None = None,
    claimed_bytes: int | None = None,
    data: bytes | None = None,
) -> bytes:
    """A WAV file with any header: `samples` are interleaved, written as 16 bits unless `data` is given."""
    content = np.rint(samples * 32767).astype("<i2").tobytes() if data is None else data
    claimed = len(content) if claimed_bytes is None else claimed_bytes
    block = channels * bits // 8 if block is None else block
    head = struct.pack("<4sI4s", b"RIFF", min(36 + claimed, 0xFFFFFFFF), b"WAVE")
    head += struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, bits)
    return head + struct.pack("<4sI", b"data", claimed) + content


def _frame(samples: Samples, sample_format: str, channels: int, layout: str) -> av.AudioFrame:
    planes = np.stack([samples] * channels)
    if sample_format in ("s16", "s16p"):
        planes = np.rint(planes * 32767).astype(np.int16)
    if sample_format == "s32":
        planes = np.rint(planes * float(2**31 - 256)).astype(np.int32)
    if not sample_format.endswith("p"):
        planes = planes.T.reshape(1, -1)
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), sample_format, layout)


class _Stream:
    """A file that cannot go back, so that no length is written into its header."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def getvalue(self) -> bytes:
        return bytes(self._held)
