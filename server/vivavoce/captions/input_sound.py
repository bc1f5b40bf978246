"""What a client sends as sound, told apart by its config: bare samples, or a container that a process decodes."""

from __future__ import annotations

from typing import Final, Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.audio.pcm import PcmReader, SampleFormat
from vivavoce.audio.resample import Resampler
from vivavoce.decoding.live_decoder import LiveDecoder

HEARD_RATE = 16_000  # Hz of a carrier's microphone, and of what containers become
_FORMATS: Final[dict[str, tuple[SampleFormat, int]]] = {  # and the rate where none is named
    "pcm": ("s16", 16_000),
    "mulaw": ("mulaw", 8_000),
    "alaw": ("alaw", 8_000),
}


class InputSound(Protocol):
    """Bytes in, samples out: float32 [n], mono."""

    @property
    def sample_rate(self) -> int:
        """Hz of the samples."""
        ...

    async def take(self, data: bytes) -> Samples:
        """Decode the next bytes of the client's stream."""
        ...

    def of_microphone(self, samples: Samples) -> Samples:
        """Sound that came by a track, at `HEARD_RATE`."""
        ...

    async def end(self) -> Samples:
        """The stream is over: what was kept back."""
        ...


class PcmSound:
    """A client's stream of bare samples, without a container."""

    def __init__(self, encoding: str, sample_rate: int | None) -> None:
        sample_format, usual = _FORMATS[encoding]
        self.sample_rate = sample_rate or usual
        self._reader = PcmReader(sample_format)
        self._resampler: Resampler | None = None

    async def take(self, data: bytes) -> Samples:
        return self._reader.read(data)

    def of_microphone(self, samples: Samples) -> Samples:
        if self.sample_rate == HEARD_RATE:
            return samples
        self._resampler = self._resampler or Resampler(HEARD_RATE, self.sample_rate)
        return self._resampler.process(samples)

    async def end(self) -> Samples:
        return self._reader.read(b"")


class ContainerSound:
    """Ogg, WebM and whatever else is read as it comes."""

    sample_rate = HEARD_RATE

    def __init__(self, decoder: LiveDecoder) -> None:
        self._decoder = decoder

    async def take(self, data: bytes) -> Samples:
        return await self._decoder.decode(data)

    def of_microphone(self, samples: Samples) -> Samples:
        return samples

    async def end(self) -> Samples:
        return await self._decoder.flush()
