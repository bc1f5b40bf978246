"""The segments of one ear, heard by somebody who is asked over a network: each question holds all there is so far.

A question about speech that seems to have ended is asked at once, and its answer is the result if it has; what was
asked before is called off. Knows no network: whoever makes one says how a question is asked. The other hearer is
`pool_hearer.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Kind
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM
from vivavoce.recognition.hearer import Books, Wish
from vivavoce.recognition.listener import SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What was said here?

    Attributes:
        sound: float32 [n], 16 kHz.
        due_in_s: when the answer is waited for; `WHEN_THERE_IS_ROOM` for a mere glance.
        live: somebody speaks now; False: a part of a recording.
        begins: may be told beginnings of the words.
    """

    sound: Samples
    options: HearingOptions
    due_in_s: float
    live: bool
    begins: Callable[[Heard], None]


Ask = Callable[[Question], Awaitable[Heard]]  # cancelled where nobody wants to know any more


class DistantHearer:
    """See `hearer.Hearer`. Made by `opened`.

    Args:
        kind: for the books; words cost nothing here.
        ask: hears a stretch of sound.
        unforeseen: what the client is told of an exception that is none of ours.
        glances: ask also about speech that goes on; False where each question has its price.
    """

    def __init__(
        self, kind: Kind, ask: Ask, *, unforeseen: Callable[[Exception], VivaVoceError], glances: bool
    ) -> None:
        self.kind = kind
        self.ask = ask
        self.unforeseen = unforeseen
        self.glances = glances
        self._asking: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, kind: Kind, ask: Ask, *, unforeseen: Callable[[Exception], VivaVoceError], glances: bool
    ) -> AsyncIterator[DistantHearer]:
        """One for the length of the block; leaving it calls everything off and waits until that is done."""
        hearer = cls(kind, ask, unforeseen=unforeseen, glances=glances)
        try:
            yield hearer
        finally:
            for task in hearer._asking:
                task.cancel()
            await asyncio.gather(*hearer._asking, return_exceptions=True)

    def begin(self, options: HearingOptions, books: Books, wake: Callable[[], None], *, live: bool) -> DistantWork:
        return DistantWork(self, options, books, wake, live)

    def start(self, question: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A question on its way."""
        task = asyncio.create_task(question, name="asked-elsewhere")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task


class DistantWork:
    """See `hearer.SegmentWork`."""

    def __init__(
        self, hearer: DistantHearer, options: HearingOptions, books: Books, wake: Callable[[], None], live: bool
    ) -> None:
        self._hearer, self._options, self._books, self._wake, self._live = hearer, options, books, wake, live
        self._sound: list[Samples] = []
        self._count = 0  # samples so far
        self._asked = 0  # samples that the last question holds
        self._glance = False  # the question under way may be answered late
        self._task: asyncio.Task[None] | None = None
        self._answer: Heard | None = None  # to the last question
        self._is_last = False  # nothing more comes: the next answer is final
        self._heard: list[Heard] = []
        self._error: VivaVoceError | None = None

    def hear(self, sound: Samples, wish: Wish, due_s: float) -> None:
        if len(sound):
            self._sound.append(sound)
            self._count += len(sound)
        self._is_last = self._is_last or wish == "end"
        glance = due_s == WHEN_THERE_IS_ROOM
        if glance and not self._is_last and not self._hearer.glances:
            return
        if self._asked == self._count and self._answer is not None:
            self._tell()
            return
        if self._asked == self._count and self._task is not None and (glance or not self._glance):
            return
        self._call_off()
        self._answer, self._asked, self._glance = None, self._count, glance
        self._task = self._hearer.start(self._question(due_s if glance else max(0.0, due_s - time.monotonic())))

    def is_idle(self) -> bool:
        return self._hearer.glances and self._task is None

    def take(self) -> list[Heard]:
        heard, self._heard = self._heard, []
        if not heard and self._error is not None:
            raise self._error
        return heard

    def close(self) -> None:
        self._call_off()
        self._sound.clear()

    def _call_off(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _question(self, due_in_s: float) -> None:
        sound = np.concatenate([np.zeros(0, np.float32), *self._sound])
        self._sound = [sound]
        question = Question(sound=sound, options=self._options, due_in_s=due_in_s, live=self._live, begins=self._begins)
        try:
            self._answer = await self._hearer.ask(question)
        except VivaVoceError as error:
            self._fail(error)
        except Exception as error:  # whatever it is, its segment has an end
            self._fail(self._hearer.unforeseen(error))
        else:
            self._tell()
        self._task = None

    def _begins(self, heard: Heard) -> None:
        self._heard = [dataclasses.replace(heard, is_final=False)]
        self._wake()

    def _fail(self, error: VivaVoceError) -> None:
        """Where the speaker may go on, the same is asked again when it matters."""
        if self._is_last:
            self._error = error
            self._wake()

    def _tell(self) -> None:
        assert self._answer is not None
        if self._is_last and self._count:
            self._books.measured(self._hearer.kind, 0.0, self._count / SAMPLE_RATE)  # it took no core of this machine
        self._heard = [dataclasses.replace(self._answer, is_final=self._is_last)]
        self._wake()
