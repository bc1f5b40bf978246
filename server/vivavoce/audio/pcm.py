"""Samples as plain numbers: every way of writing them that needs no codec, as float32 and mixed to one channel.

Pure arithmetic on bytes, for WAV files and for live streams that send bare samples. A stream may be cut anywhere, in
the middle of a sample too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.audio.downmix import Downmix

SampleFormat = Literal["u8", "s16", "s24", "s32", "f32", "f64", "alaw", "mulaw"]  # little-endian

BYTES_PER_SAMPLE: Mapping[SampleFormat, int] = MappingProxyType(
    {"u8": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8, "alaw": 1, "mulaw": 1}
)


MIXED_FRAMES = 2048  # are mixed together, wherever the bytes were cut


class PcmReader:
    """Bytes in pieces of any length to mono samples.

    Args:
        sample_format: how a sample is written.
        channels: interleaved channels; of several, up to `MIXED_FRAMES` wait for the next piece or `flush`.
    """

    def __init__(self, sample_format: SampleFormat, channels: int = 1) -> None:
        self._convert = _CONVERTERS[sample_format]
        self._channels = channels
        self._frame_bytes = BYTES_PER_SAMPLE[sample_format] * channels
        self._downmix = Downmix()
        self._rest = b""

    def read(self, data: bytes) -> Samples:
        """Return float32 [n] of the samples that are complete."""
        data = self._rest + data if self._rest else data
        block = self._frame_bytes if self._channels == 1 else self._frame_bytes * MIXED_FRAMES
        whole = len(data) - len(data) % block
        self._rest = data[whole:]
        return self._mono(data[:whole])

    def flush(self) -> Samples:
        """No more bytes will come: what waited."""
        whole = len(self._rest) - len(self._rest) % self._frame_bytes
        data, self._rest = self._rest[:whole], b""
        return self._mono(data)

    def _mono(self, data: bytes) -> Samples:
        values = self._convert(data)  # float32 [n * channels]
        if self._channels == 1:
            return values
        planes = values.reshape(-1, self._channels).T
        blocks = [planes[:, at : at + MIXED_FRAMES] for at in range(0, planes.shape[1], MIXED_FRAMES)]
        return np.concatenate([np.zeros(0, np.float32), *map(self._downmix.mix, blocks)])


def _integers(dtype: str, scale: float) -> Callable[[bytes], Samples]:
    return lambda data: np.frombuffer(data, dtype).astype(np.float32) / np.float32(scale)


def _from_u8(data: bytes) -> Samples:
    return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)


def _from_s24(data: bytes) -> Samples:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2.0**31)


def _from_float(dtype: str) -> Callable[[bytes], Samples]:
    def convert(data: bytes) -> Samples:
        with np.errstate(over="ignore", invalid="ignore"):  # a double beyond float32 becomes infinite, as it should
            return np.frombuffer(data, dtype).astype(np.float32)

    return convert


def _from_table(table: NDArray[np.float32]) -> Callable[[bytes], Samples]:
    return lambda data: table[np.frombuffer(data, np.uint8)]


def _mulaw_table() -> NDArray[np.float32]:
    """ITU-T G.711, table 2: float32 [256]."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = ((mantissa << 3) + 132 << exponent) - 132
    return (np.where(code & 128, -magnitude, magnitude) / 32768.0).astype(np.float32)


def _alaw_table() -> NDArray[np.float32]:
    """ITU-T G.711, table 1: float32 [256]."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 264 << np.maximum(exponent - 1, 0))
    return (np.where(code & 128, magnitude, -magnitude) / 32768.0).astype(np.float32)


_CONVERTERS: Mapping[SampleFormat, Callable[[bytes], Samples]] = MappingProxyType({
    "u8": _from_u8,
    "s16": _integers("<i2", 2.0**15),
    "s24": _from_s24,
    "s32": _integers("<i4", 2.0**31),
    "f32": _from_float("<f4"),
    "f64": _from_float("<f8"),
    "alaw": _from_table(_alaw_table()),
    "mulaw": _from_table(_mulaw_table()),
})  # fmt: skip
