"""The segments of one ear, heard by an Ear elsewhere: each question holds all of a segment that there is so far.

A question about speech that seems to have ended is asked at once, and its answer is the result if it has; what was
asked before is called off. An Ear that is lost before anybody was told of the words is replaced by another, once. Knows
no Ray. Made by `remote_listener.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

import numpy as np

from vivavoce.adapters.ray_serve.ears import RemoteEars, Stretch
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import EngineCrashed, EngineError, EngineTimeout, Overloaded, RateLimited, VivaVoceError
from vivavoce.machine.admission import Kind, Place
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM
from vivavoce.recognition.hearer import Wish
from vivavoce.recognition.listener import SAMPLE_RATE, HearingRequest, ResolvedModel

ENGINE: Final = "cluster"
TRIES: Final = 2  # Ears that may say they are full before the client is told

logger = logging.getLogger(__name__)


class RemoteHearer:
    """See `recognition.hearer.Hearer`. Made by `opened`.

    Args:
        request: of whoever was welcome.
        patience_s: an Ear that gives no sign of life for this long is lost.
    """

    def __init__(self, ears: RemoteEars, model: ResolvedModel, request: HearingRequest, patience_s: float) -> None:
        self.kind = Kind(ENGINE, model.info.id)
        self._ears, self._model, self._request, self._patience_s = ears, model, request, patience_s
        self._asking: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, ears: RemoteEars, model: ResolvedModel, request: HearingRequest, patience_s: float
    ) -> AsyncIterator[RemoteHearer]:
        """One for the length of the block; leaving it calls everything off and waits until that is done."""
        hearer = cls(ears, model, request, patience_s)
        try:
            yield hearer
        finally:
            for task in hearer._asking:
                task.cancel()
            await asyncio.gather(*hearer._asking, return_exceptions=True)

    def begin(self, options: HearingOptions, place: Place, wake: Callable[[], None], *, live: bool) -> RemoteWork:
        return RemoteWork(self, options, place, wake, live)

    def start(self, question: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A question on its way."""
        task = asyncio.create_task(question, name="asked-an-ear")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    async def heard(
        self, sound: Samples, options: HearingOptions, due_in_s: float, live: bool, begins: Callable[[Heard], None]
    ) -> Heard:
        """The words of a stretch.

        Args:
            begins: told the beginnings of the words.

        Raises:
            Overloaded: If the Ears that were asked have too many calls waiting.
            EngineError: If none could hear it.
        """
        stretch = Stretch(
            model=self._model,
            sound=sound,
            options=options,
            due_in_s=due_in_s,
            live=live,
            owner=self._request.owner,
            transport=self._request.transport,
        )
        lost = full = 0
        promised = False

        def told(heard: Heard) -> None:
            nonlocal promised
            promised = promised or (options.as_it_comes and bool(heard.tokens))
            begins(heard)

        while True:
            try:
                return await self._final(stretch, told)
            except Overloaded as error:
                full += 1
                if full == TRIES or isinstance(error, RateLimited):
                    raise
                stretch = dataclasses.replace(stretch, anywhere=True)
            except EngineError as error:
                lost += 1
                if lost == TRIES or promised or isinstance(error, EngineTimeout) or not error.retryable:
                    raise

    async def _final(self, stretch: Stretch, begins: Callable[[Heard], None]) -> Heard:
        async with aclosing(self._ears.hear(stretch)) as words:
            async for heard in self._watched(words):
                if heard is None:
                    continue
                if heard.is_final:
                    return heard
                begins(heard)
        raise EngineCrashed("the machine that was listening stopped before the end")

    async def _watched(self, words: AsyncGenerator[Heard | None, None]) -> AsyncGenerator[Heard | None, None]:
        """The same, but it does not hang where a machine has vanished without a word."""
        while True:
            try:
                async with asyncio.timeout(self._patience_s):
                    heard = await anext(words)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise EngineTimeout(f"the machine that listens was silent for {self._patience_s:.0f} s") from None
            yield heard


class RemoteWork:
    """See `recognition.hearer.SegmentWork`."""

    def __init__(
        self, hearer: RemoteHearer, options: HearingOptions, place: Place, wake: Callable[[], None], live: bool
    ) -> None:
        self._hearer, self._options, self._place, self._wake, self._live = hearer, options, place, wake, live
        self._sound: list[Samples] = []
        self._count = 0  # samples so far
        self._asked = 0  # samples that the last question holds
        self._glance = False  # the question under way may come late
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
        glance = due_s == WHEN_THERE_IS_ROOM
        if self._asked == self._count and self._answer is not None:
            self._tell()
            return
        if self._asked == self._count and self._task is not None and (glance or not self._glance):
            return
        self._call_off()
        self._answer, self._asked, self._glance = None, self._count, glance
        due_in_s = due_s if glance else max(0.0, due_s - time.monotonic())
        self._task = self._hearer.start(self._question(due_in_s))

    def is_idle(self) -> bool:
        return self._task is None

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
        try:
            self._answer = await self._hearer.heard(sound, self._options, due_in_s, self._live, self._begins)
        except VivaVoceError as error:
            self._fail(error)
        except Exception:  # whatever it is, its segment has an end
            logger.exception("words could not be had from an Ear")
            self._fail(EngineCrashed("the words could not be fetched from the machine that listens"))
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
            self._place.measured(self._hearer.kind, 0.0, self._count / SAMPLE_RATE)  # it took no core of this machine
        self._heard = [dataclasses.replace(self._answer, is_final=self._is_last)]
        self._wake()
