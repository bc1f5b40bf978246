"""The decoder of a stream that comes at the pace of its client. Made by `service.py`.

A stream of which nothing has come for a while holds a process all the same: what a container has said so far is in
there. It keeps it as long as nobody else needs it, and then gives way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.decoding.process import DecoderProcess
from vivavoce.errors import Overloaded

REST_S = 10.0  # nothing came for this long: somebody who sends something goes before


class LiveDecoder:
    """A stream's decoder: the two calls of `AudioDecoder`, to be awaited.

    Args:
        owner: whose stream it is.
        leave: gives its place and its process back.
        now: a clock in seconds that does not go back.
    """

    def __init__(
        self, process: DecoderProcess, owner: str, leave: Callable[[], Awaitable[None]], now: Callable[[], float]
    ) -> None:
        self.owner = owner
        self._process: DecoderProcess | None = process
        self._leave = leave
        self._now = now
        self._asking = 0
        self._used_s = now()
        self._duration_s, self._sample_rate = 0.0, 0

    @property
    def duration_s(self) -> float:
        """Seconds of sound decoded so far."""
        return self._duration_s if self._process is None else self._process.duration_s

    @property
    def sample_rate(self) -> int:
        """Hz of what comes out; 0 until it is known."""
        return self._sample_rate if self._process is None else self._process.sample_rate

    @property
    def rests_s(self) -> float:
        """Seconds for which nothing has come; 0 while something is being decoded."""
        return 0.0 if self._asking else self._now() - self._used_s

    async def decode(self, data: bytes) -> Samples:
        """Take bytes, return float32 [n].

        Raises:
            InvalidAudio: If it is none of ours, damaged or over a limit.
            Overloaded: If it has given way to somebody else.
        """
        with self._asked() as process:
            return await process.decode(data)

    async def flush(self) -> Samples:
        """The stream is over: return what was kept back. Raises as `decode`."""
        with self._asked() as process:
            return np.concatenate(await process.flush() or [np.zeros(0, np.float32)])

    async def give_way(self) -> None:
        """Somebody else gets its place."""
        self._duration_s, self._sample_rate = self.duration_s, self.sample_rate
        self._process = None
        await self._leave()

    @contextmanager
    def _asked(self) -> Iterator[DecoderProcess]:
        """The process, for something to decode: meanwhile the stream does not rest."""
        if self._process is None:
            raise Overloaded("nothing came for a while, and somebody else needed the decoder; begin a new stream")
        self._asking += 1
        try:
            yield self._process
        finally:
            self._asking -= 1
            self._used_s = self._now()
