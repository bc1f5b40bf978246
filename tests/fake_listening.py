"""Ears for tests: sound is speech where it is loud, and how loud it is says what was said.

The words of a stretch are those of its middle level, so a test can tell from the words what was heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np

from vivavoce.assistant.ear import Understood, Wishes
from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Kind, Place
from vivavoce.recognition.listener import DETECTOR

FRAME = 512
EAR = Kind("fake", "ear")
LOUD = 0.05


@dataclass(frozen=True, slots=True)
class FakeHeard:
    """What a fake segment understood."""

    text: str
    is_whole: bool = True
    is_final: bool = False
    language: str = "en"
    closed: float | None = None
    marked: float | None = None


class FakeListening:
    """Lends ears.

    Args:
        words: by level, in tenths: {2: "hello"} for samples of 0.2.
        finished: what every verdict says.

    Attributes:
        error: raised instead of lending, or of understanding where `breaks` is set.
        lends: cleared: whoever wants an ear waits, and all that is to be heard with it.
        lent, drafts, wishes, places: counted.
    """

    def __init__(self, words: Mapping[int, str], finished: float = 0.9) -> None:
        self.words = words
        self.finished = finished
        self.error: VivaVoceError | None = None
        self.breaks = False
        self.lends = asyncio.Event()
        self.lends.set()
        self.lent = 0
        self.drafts = 0
        self.wishes: list[Wishes] = []
        self.places: list[Place | None] = []

    @asynccontextmanager
    async def lend(self, wishes: Wishes, place: Place | None = None) -> AsyncIterator[FakeEar]:
        await self.lends.wait()
        if self.error is not None and not self.breaks:
            raise self.error
        self.wishes.append(wishes)
        self.places.append(place)
        self.lent += 1
        try:
            yield FakeEar(self)
        finally:
            self.lent -= 1

    async def kinds(self, wishes: Wishes) -> Sequence[Kind]:
        return (EAR, DETECTOR)

    async def transcribe(self, sound: Samples, wishes: Wishes) -> Understood:
        return Understood(self.understand(sound), "en")

    def understand(self, sound: Samples) -> str:
        if self.error is not None and self.breaks:
            raise self.error
        loud = np.abs(sound)[np.abs(sound) > LOUD]
        return self.words.get(round(10 * float(np.median(loud))), "") if len(loud) else ""


class FakeEar:
    """One ear."""

    def __init__(self, listening: FakeListening) -> None:
        self.listening = listening
        self.sound: Samples = np.zeros(0, np.float32)
        self._framed = 0
        self._changed = asyncio.Event()

    def write(self, samples: Samples) -> None:
        self.sound = np.concatenate([self.sound, samples])
        self._changed.set()

    async def changed(self) -> None:
        await self._changed.wait()
        self._changed.clear()

    def frames(self) -> list[float]:
        count = len(self.sound) // FRAME
        found = self.sound[self._framed * FRAME : count * FRAME].reshape(-1, FRAME)
        self._framed = count
        return [0.95 if np.abs(frame).mean() > LOUD else 0.01 for frame in found]

    def open(self, start: int) -> FakeSegment:
        return FakeSegment(self, start)

    async def judge(self, start: int, end: int) -> float:
        await asyncio.sleep(0)
        return self.listening.finished

    def tell(self) -> None:
        self._changed.set()


class FakeSegment:
    """One stretch of its sound."""

    def __init__(self, ear: FakeEar, start: int) -> None:
        self._ear, self._start = ear, start
        self._heard: list[FakeHeard] = []
        self._dropped = False

    def draft(self, end: int) -> None:
        assert end <= len(self._ear.sound)
        self._ear.listening.drafts += 1
        self._hear(end, is_final=False)

    def finish(self, end: int) -> None:
        assert end <= len(self._ear.sound)
        self._hear(end, is_final=True)

    def drop(self) -> None:
        self._dropped = True

    def take(self) -> list[FakeHeard]:
        listening = self._ear.listening
        if listening.error is not None and listening.breaks:
            raise listening.error
        heard, self._heard = self._heard, []
        return heard

    def _hear(self, end: int, *, is_final: bool) -> None:
        assert not self._dropped
        listening = self._ear.listening
        text = "" if listening.breaks else listening.understand(self._ear.sound[self._start : end])
        self._heard.append(FakeHeard(text, is_final=is_final))
        self._ear.tell()
