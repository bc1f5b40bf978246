"""The sound of an utterance that was made and not read yet, and the clock of whoever listens to it.

Called by `speech_job.py`, which guards it with the lock of the pool.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from vivavoce.synthesis.playout_clock import PlayoutClock
from vivavoce.synthesis.speaker import SpokenChunk


@dataclass(frozen=True, slots=True)
class Made:
    """A chunk for the reader.

    Attributes:
        text_came_s: when the text of its sentence was there.
    """

    chunk: SpokenChunk
    text_came_s: float


class UnreadSound:
    """Chunks between the workers and their reader.

    Args:
        sample_rate: Hz of the chunks.
        ahead_s: seconds it may hold; it is full from there on, and the utterance is not stepped.

    Attributes:
        clock: how far the listener has got in what was put here.
        produced: samples put here so far.
    """

    def __init__(self, sample_rate: int, ahead_s: float) -> None:
        self.clock = PlayoutClock()
        self.produced = 0
        self._sample_rate = sample_rate
        self._ahead_s = ahead_s
        self._chunks: deque[Made] = deque()  # bounded by `ahead_s`
        self._samples = 0  # in it

    def __len__(self) -> int:
        return len(self._chunks)

    @property
    def produced_s(self) -> float:
        """Seconds put here so far."""
        return self.produced / self._sample_rate

    @property
    def is_full(self) -> bool:
        """Its reader is so far behind that no more is to be made."""
        return self._samples >= self._ahead_s * self._sample_rate

    def put(self, made: Made, now_s: float) -> float | None:
        """Add a chunk that was made just now.

        Returns:
            Seconds it came before the listener's buffer ran dry; None for the first.
        """
        audio = made.chunk.audio
        slack_s = self.clock.add(audio.duration_s, now_s)
        self._chunks.append(made)
        self._samples += len(audio.samples)
        self.produced += len(audio.samples)
        return slack_s

    def take(self) -> Made | None:
        """The next chunk, if there is one."""
        if not self._chunks:
            return None
        made = self._chunks.popleft()
        self._samples -= len(made.chunk.audio.samples)
        return made

    def clear(self) -> None:
        """Drop what was made: nobody will read it."""
        self._chunks.clear()
        self._samples = 0
