"""How one speaker's questions are put to the Ears: another one is asked where the first is full, or was lost.

An Ear that is lost before anybody was told of the words is replaced by another, once. Knows no Ray. Used by
`remote_listener.py`; when something is asked is decided by `recognition/distant_hearer.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

from vivavoce.adapters.ray_serve.asking import asked_of_another
from vivavoce.adapters.ray_serve.ear_place import EarPlace
from vivavoce.adapters.ray_serve.ears import RemoteEars, Stretch
from vivavoce.engines.recognizer import Heard
from vivavoce.errors import EngineCrashed, EngineTimeout
from vivavoce.machine.admission import Kind
from vivavoce.recognition.distant_hearer import DistantHearer, Question
from vivavoce.recognition.hearing import SEGMENTS_OF_A_FILE
from vivavoce.recognition.listener import HearingRequest, ResolvedModel

ENGINE: Final = "cluster"

logger = logging.getLogger(__name__)


def remote_hearer(
    ears: RemoteEars, model: ResolvedModel, request: HearingRequest, place: EarPlace, patience_s: float
) -> AbstractAsyncContextManager[DistantHearer]:
    """Hears the segments of one speaker for the length of the block.

    Args:
        request: of whoever is heard.
        place: theirs, at the Ears.
        patience_s: an Ear that gives no sign of life for this long is lost.
    """
    asked = AskedEars(ears, model, request, place, patience_s)
    return DistantHearer.opened(Kind(ENGINE, model.info.id), asked.hear, unforeseen=_unfetched, glances=True)


def _unfetched(error: Exception) -> EngineCrashed:
    logger.error("words could not be had from an Ear", exc_info=error)
    return EngineCrashed("the words could not be fetched from the machine that listens")


class AskedEars:
    """One speaker's questions to the Ears, `SEGMENTS_OF_A_FILE` at a time: the Ears take no more calls than these.

    Args:
        request, place, patience_s: as of `remote_hearer`.
    """

    def __init__(
        self, ears: RemoteEars, model: ResolvedModel, request: HearingRequest, place: EarPlace, patience_s: float
    ) -> None:
        self._ears, self._model, self._request, self._place = ears, model, request, place
        self._patience_s = patience_s
        self._room = asyncio.Semaphore(SEGMENTS_OF_A_FILE)

    async def hear(self, question: Question) -> Heard:
        """The words of a stretch.

        Raises:
            Overloaded: If the Ears that were asked have too many calls waiting.
            EngineError: If none could hear it.
        """
        promised = False

        def told(heard: Heard) -> None:
            nonlocal promised
            promised = promised or (question.options.as_it_comes and bool(heard.tokens))
            question.begins(heard)

        async def ask(anywhere: bool) -> Heard:
            stretch = Stretch(
                model=self._model,
                sound=question.sound,
                options=question.options,
                due_in_s=question.due_in_s,
                live=question.live,
                transport=self._request.transport,
                anywhere=anywhere,
            )
            return await self._final(stretch, told)

        self._place.touch()
        async with self._room:
            return await asked_of_another(ask, may_be_lost=lambda: not promised)

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
