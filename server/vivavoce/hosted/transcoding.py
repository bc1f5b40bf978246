"""A sound of whatever kind becomes one of our formats while it arrives: decoded in a process apart, written here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from vivavoce.audio.chunk import Samples
from vivavoce.audio.decoders import DecodingRules
from vivavoce.audio.encoders import AudioEncoder, open_encoder
from vivavoce.audio.resample import Resampler
from vivavoce.decoding.live_decoder import LiveDecoder
from vivavoce.errors import HostedModelFailed, InvalidAudio

MAX_RATE = 48_000  # Hz of any of our formats
# Its samples leave as they come, and its bytes and time are bounded elsewhere: hours of music may pass.
FROM_ELSEWHERE = DecodingRules(max_s=4 * 3600.0, max_pcm_bytes=1 << 40)


@contextmanager
def as_the_models_fault() -> Iterator[None]:
    """What the decoder refuses was the model's answer. Outside the decoder's block, which must see it: whoever ends a
    decoder pays for it.
    """
    try:
        yield
    except InvalidAudio as error:
        raise HostedModelFailed(f"the model's answer is no sound that is read here: {error.message}") from None


async def transcoded(
    sound: AsyncIterator[bytes], decoder: LiveDecoder, format: str, encoding: Executor
) -> AsyncGenerator[bytes, None]:
    """The parts of a stream in `format`, mono, at the sound's own rate; as slow as its reader.

    Raises:
        InvalidAudio: If it is no sound that is read here; `as_the_models_fault` goes around the decoder's block.
    """
    writer: _Writer | None = None
    loop = asyncio.get_running_loop()
    async for data in sound:
        samples = await decoder.decode(data)
        if len(samples):
            writer = writer or _Writer(format, decoder.sample_rate)
            yield await loop.run_in_executor(encoding, writer.write, samples)
    samples = await decoder.flush()
    writer = writer or _Writer(format, decoder.sample_rate)
    yield await loop.run_in_executor(encoding, writer.finish, samples)


class _Writer:
    """One stream in one of our formats, whatever its rate was."""

    def __init__(self, format: str, sample_rate: int) -> None:
        rate = min(sample_rate, MAX_RATE)
        self._resampler = Resampler(sample_rate, rate)
        self._encoder: AudioEncoder = open_encoder(format, rate)

    def write(self, samples: Samples) -> bytes:
        return self._encoder.encode(self._resampler.process(samples))

    def finish(self, samples: Samples) -> bytes:
        """The end of the stream, after the last samples."""
        return self.write(samples) + self._encoder.encode(self._resampler.flush()) + self._encoder.flush()
