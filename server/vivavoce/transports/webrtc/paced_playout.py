"""Sound that waits to be played, and the clock that plays it: a frame is given out when it is due.

Whoever writes waits for room, whoever plays waits for time. Knows no codec and no library of calls; `speech_track.py`
makes packets of the frames, an adapter hands them to another framework. Written to by `track_sink.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from vivavoce.audio.chunk import Samples
from vivavoce.transports.webrtc.playout import SAMPLE_RATE, Playout

MAX_LATE_S = 0.1  # later than this the clock starts afresh instead of sending the backlog in a burst


class PacedPlayout:
    """A playout with a clock.

    Args:
        max_ahead_s: seconds that may wait to be played.
        now, sleep: the clock, in seconds.

    Attributes:
        playout: the samples, and how many of them were played.
        ran_dry: told the seconds for which nothing was played though there was sound.
    """

    def __init__(
        self,
        max_ahead_s: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.playout = Playout()
        self.ran_dry: Callable[[float], None] = lambda silent_s: None
        self._now = now
        self._sleep = sleep
        self._sounds = False  # the last frame held sound
        self._max_queued = int(max_ahead_s * SAMPLE_RATE)
        self._moved = asyncio.Event()  # something was played or thrown away
        self._due_s: float | None = None  # when the next frame is due

    async def room(self) -> None:
        """Returns when there is room for more."""
        while self.playout.queued > self._max_queued:
            await self._wait()

    async def drained(self, generation: int) -> None:
        """Returns when everything was played, or thrown away since that generation."""
        while self.playout.queued and self.playout.generation == generation:
            await self._wait()

    def write(self, samples: Samples, on_start: Callable[[], None] | None = None) -> None:
        """Queue float32 [n] at 48 kHz; `on_start` is called when the first of them is taken."""
        self.playout.write(samples, on_start)

    def clear(self) -> None:
        """Be silent in 5 ms."""
        self.playout.clear()
        self._moved.set()

    def take(self, count: int) -> Samples:
        """The next float32 [count], silence where there is nothing."""
        played = self.playout.played
        samples = self.playout.take(count)
        self._sounds = self.playout.played > played
        self._moved.set()
        return samples

    async def due(self, count: int) -> None:
        """Returns when the next frame, of `count` samples, is to be taken."""
        now = self._now()
        late_s = 0.0 if self._due_s is None else now - self._due_s
        if late_s > MAX_LATE_S and self._sounds and self.playout.queued:
            self.ran_dry(late_s)
        if self._due_s is None or late_s > MAX_LATE_S:
            self._due_s = now
        await self._sleep(self._due_s - now)
        self._due_s += count / SAMPLE_RATE

    async def _wait(self) -> None:
        self._moved.clear()
        await self._moved.wait()
