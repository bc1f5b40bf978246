"""Samples waiting to be played on a call, in order, and how many of them have been. Pure: no clock, no codec."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from vivavoce.audio.chunk import Samples

SAMPLE_RATE = 48_000  # Hz, Opus' own clock
FADE_SAMPLES = SAMPLE_RATE * 5 // 1000  # 5 ms: too short to be heard as a fade, long enough not to click


class Playout:
    """A queue of samples with a position.

    Attributes:
        played: real samples taken so far, silence and the tail of a fade not counted.
        queued: samples waiting.
        generation: number of `clear()`s so far: whoever wrote before it has nothing left here.
    """

    def __init__(self) -> None:
        self.played = 0
        self.queued = 0
        self.generation = 0
        self._pieces: deque[tuple[Samples, Callable[[], None] | None]] = deque()
        self._offset = 0  # samples taken of the first piece
        self._fade: Samples = np.zeros(0, np.float32)

    @property
    def is_silent(self) -> bool:
        """Nothing is left to be heard."""
        return not self.queued and not len(self._fade)

    def write(self, samples: Samples, on_start: Callable[[], None] | None = None) -> None:
        """Queue float32 [n] at 48 kHz; `on_start` is called when the first of them is taken."""
        self._pieces.append((samples, on_start))
        self.queued += len(samples)

    def take(self, count: int) -> Samples:
        """The next float32 [count], silence where there is nothing."""
        frame: Samples = np.zeros(count, np.float32)
        filled = min(count, len(self._fade))
        frame[:filled], self._fade = self._fade[:filled], self._fade[filled:]
        while filled < count and self._pieces:
            samples, on_start = self._pieces[0]
            if self._offset == 0 and on_start is not None:
                on_start()
            part = samples[self._offset : self._offset + count - filled]
            frame[filled : filled + len(part)] = part
            filled += len(part)
            self._advance(len(part), len(samples))
        return frame

    def clear(self) -> None:
        """Throw away what waits, but for a fade of its first 5 ms."""
        waiting = self._peek(FADE_SAMPLES)
        self._fade = waiting * np.linspace(1, 0, len(waiting), dtype=np.float32)
        self._pieces.clear()
        self._offset = self.queued = 0
        self.generation += 1

    def _advance(self, count: int, length: int) -> None:
        self.played += count
        self.queued -= count
        self._offset += count
        if self._offset >= length:
            self._pieces.popleft()
            self._offset = 0

    def _peek(self, count: int) -> Samples:
        """The next samples, `count` or as many as there are, left where they are."""
        rest = [self._fade, *(samples for samples, _ in self._pieces)]
        rest[1:2] = [samples[self._offset :] for samples in rest[1:2]]
        joined: Samples = np.concatenate(rest)[:count]
        return joined
