"""Where encoding runs: what is cheap on the event loop, codecs in threads, the end of a stream like its middle.

The one policy of all who send encoded audio: `frame_sink.py` and the answer of the HTTP route.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from vivavoce.audio.chunk import Samples
from vivavoce.audio.encoders import AudioEncoder

INLINE_SAMPLES = 48_000  # of a light format on the event loop: well below a millisecond


class Encoding:
    """One stream's encoder and the threads it may use.

    Attributes:
        encoder: tells name, media type and rates; only this object encodes with it.
    """

    def __init__(self, encoder: AudioEncoder, executor: Executor) -> None:
        self.encoder = encoder
        self._executor = executor

    async def encode(self, samples: Samples) -> bytes:
        """Take float32 [n], return what is finished of the stream."""
        if self.encoder.is_light and len(samples) <= INLINE_SAMPLES:
            return self.encoder.encode(samples)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.encoder.encode, samples)

    async def flush(self) -> bytes:
        """Return the end of the stream."""
        if self.encoder.is_light:
            return self.encoder.flush()
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.encoder.flush)
