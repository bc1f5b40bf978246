"""The segments of one ear, heard by a model on another machine: each is a question, hung up when nobody wants to know.

A question about speech that seems to have ended is asked at once, and its answer is the result if it has; what was
asked before is hung up. A glance at somebody who still speaks would cost a question each second: it is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import HostedModelFailed, VivaVoceError
from vivavoce.hosted.declared import ENGINE
from vivavoce.machine.admission import Kind, Place
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM
from vivavoce.recognition.hearer import Wish
from vivavoce.recognition.listener import SAMPLE_RATE

Ask = Callable[[Samples, HearingOptions], Awaitable[Heard]]


class HostedHearer:
    """See `recognition.hearer.Hearer`. Made by `opened`.

    Args:
        model_id: for the books.
        ask: hears a stretch of sound; cancelled where nobody wants to know.
    """

    def __init__(self, model_id: str, ask: Ask) -> None:
        self.kind = Kind(ENGINE, model_id)
        self._ask = ask
        self._asking: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def opened(cls, model_id: str, ask: Ask) -> AsyncIterator[HostedHearer]:
        """One for the length of the block; leaving it hangs up and waits until that is done."""
        hearer = cls(model_id, ask)
        try:
            yield hearer
        finally:
            for task in hearer._asking:
                task.cancel()
            await asyncio.gather(*hearer._asking, return_exceptions=True)

    def begin(self, options: HearingOptions, place: Place, wake: Callable[[], None], *, live: bool) -> HostedWork:
        return HostedWork(self, options, place, wake)

    def start(self, question: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A question on its way."""
        task = asyncio.create_task(question, name="asked-elsewhere")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    async def ask(self, sound: Samples, options: HearingOptions) -> Heard:
        """What is understood of it."""
        return await self._ask(sound, options)


class HostedWork:
    """See `recognition.hearer.SegmentWork`."""

    def __init__(self, hearer: HostedHearer, options: HearingOptions, place: Place, wake: Callable[[], None]) -> None:
        self._hearer, self._options, self._place, self._wake = hearer, options, place, wake
        self._sound: list[Samples] = []
        self._count = 0  # samples so far
        self._asked = 0  # samples that the last question holds
        self._task: asyncio.Task[None] | None = None
        self._answer: Heard | None = None  # of the last question
        self._is_last = False  # nothing more comes: the next answer is final
        self._heard: list[Heard] = []
        self._error: VivaVoceError | None = None

    def hear(self, sound: Samples, wish: Wish, due_s: float) -> None:
        if len(sound):
            self._sound.append(sound)
            self._count += len(sound)
        self._is_last = self._is_last or wish == "end"
        if due_s == WHEN_THERE_IS_ROOM and not self._is_last:
            return
        if self._asked == self._count and (self._task is not None or self._answer is not None):
            if self._answer is not None:
                self._tell()
            return
        self._hang_up()
        self._answer, self._asked = None, self._count
        self._task = self._hearer.start(self._question())

    def is_idle(self) -> bool:
        return False

    def take(self) -> list[Heard]:
        heard, self._heard = self._heard, []
        if not heard and self._error is not None:
            raise self._error
        return heard

    def close(self) -> None:
        self._hang_up()
        self._sound.clear()

    def _hang_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _question(self) -> None:
        sound = np.concatenate(self._sound) if self._sound else np.zeros(0, np.float32)
        self._sound = [sound]
        try:
            self._answer = await self._hearer.ask(sound, self._options)
        except VivaVoceError as error:
            self._fail(error)
        except Exception as error:  # whatever it is, its segment has an end
            self._fail(HostedModelFailed(f"the model's answer cannot be read ({type(error).__name__})"))
        else:
            self._tell()
        self._task = None

    def _fail(self, error: VivaVoceError) -> None:
        """Where the speaker may go on, the same is asked again when it matters."""
        if self._is_last:
            self._error = error
            self._wake()

    def _tell(self) -> None:
        assert self._answer is not None
        answer = replace(self._answer, is_final=self._is_last)
        if self._is_last:
            self._place.measured(self._hearer.kind, 0.0, max(self._count / SAMPLE_RATE, 0.001))  # it took no core
        self._heard = [answer]
        self._wake()
