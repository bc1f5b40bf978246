"""The sound that a Realtime client sends, as the ear takes it."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.audio.pcm import PcmReader, SampleFormat
from vivavoce.audio.resample import Resampler
from vivavoce.audio.samples import guard
from vivavoce.protocols.realtime.audio_format import RATES_HZ, AudioFormat

RATE: Final = 16_000  # Hz of everything behind it
_LITTLE: Final = 16_000  # bytes that are decoded in well below a millisecond
_WRITTEN_AS: Final[dict[AudioFormat, SampleFormat]] = {"audio/pcm": "s16", "audio/pcmu": "mulaw", "audio/pcma": "alaw"}


class InputDecoder:
    """Bytes of a session's format to samples of 16 kHz; goes on where the last piece ended.

    Attributes:
        format: that it reads.
    """

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._reader = PcmReader(_WRITTEN_AS[format])
        self._resampler = Resampler(RATES_HZ[format], RATE)

    def decode(self, data: bytes) -> Samples:
        """More bytes, cut anywhere; 12 to 45 ms of their sound stay inside until `flush()`."""
        return guard(self._resampler.process(self._reader.read(data))).samples

    async def decode_aside(self, data: bytes) -> Samples:
        """The same, in a thread where it takes its time."""
        return self.decode(data) if len(data) < _LITTLE else await asyncio.to_thread(self.decode, data)

    def flush(self) -> Samples:
        """The rest; what comes next begins afresh, with a whole sample."""
        self._reader = PcmReader(_WRITTEN_AS[self.format])
        return guard(self._resampler.flush()).samples

    def decode_all(self, data: bytes) -> Samples:
        """Decode bytes that are a whole sound: float32 [n] at 16 kHz."""
        return np.concatenate([self.decode(data), self.flush()])
