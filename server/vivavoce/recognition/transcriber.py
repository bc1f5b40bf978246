"""THE transcriber: models of this machine as a listener. Every way in for sound that is to become words is an adapter.

    async with transcriber.listen(request) as hearing:
        hearing.write(samples)
        async for event in hearing:
            ...

It resolves the model, keeps it in memory for the length of the block, and has an ear lent (`ears.py`). Lives on the
event loop; computing is done by the jobs of the same pool that speaks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.progress import Progress
from vivavoce.recognition.ear import LiveEar
from vivavoce.recognition.ears import Ears
from vivavoce.recognition.hearing import LiveHearing
from vivavoce.recognition.listener import AnySamples, HeardSegment, HearingRequest, ResolvedModel
from vivavoce.recognition.model_library import ModelLibrary
from vivavoce.recognition.model_trials import ModelTrials
from vivavoce.recognition.pool_hearer import PoolHearer

logger = logging.getLogger(__name__)


class Transcriber:
    """See `listener.Listener`.

    Args:
        models: by name.
        ears: of this machine.
    """

    def __init__(self, models: ModelLibrary, ears: Ears) -> None:
        self.library = models
        self.ears = ears
        self._trials = ModelTrials(models, ears.pool)
        ears.looked = self._trials.look

    @property
    def active(self) -> int:
        """Listened to now, recordings included."""
        return self.ears.active

    def models(self) -> list[RecognizerInfo]:
        """Every model, unavailable ones included."""
        return self.library.list()

    def choose(self, model: str | None = None) -> ResolvedModel:
        """Which model a request's word means.

        Raises:
            UnknownModel: If there is none of that name.
        """
        return self.library.choose(model)

    async def load_model(self, model_id: str, progress: Progress | None = None) -> None:
        """Have it in memory, as long as there is room."""
        model = await asyncio.to_thread(self.choose, model_id)  # it may look at the disk
        async with self.library.acquire(model, progress):
            pass

    def forget(self, model_id: str) -> None:
        """Let it leave memory when nobody uses it any more."""
        self.library.forget(model_id)

    @asynccontextmanager
    async def listen(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[LiveHearing]:
        """See `Listener.listen`."""
        async with self._hearer(request) as hearer, self.ears.listen(hearer, request, place) as hearing:
            yield hearing

    @asynccontextmanager
    async def lend_ear(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[LiveEar]:
        """See `Listener.lend_ear`."""
        async with self._hearer(request) as hearer, self.ears.lend(hearer, request, place) as ear:
            yield ear

    @asynccontextmanager
    async def transcribe(
        self,
        sound: Sequence[AnySamples],
        request: HearingRequest,
        position: Callable[[float], None] | None = None,
    ) -> AsyncIterator[AsyncIterator[HeardSegment]]:
        """See `Listener.transcribe`; `position` is told up to which second all words are known, in silence too."""
        async with self._hearer(request) as hearer, self.ears.transcribe(hearer, sound, request, position) as segments:
            yield segments

    async def preload(self, progress: Progress | None = None) -> None:
        """Load the default model, where there is one; a failure is logged and told to whoever asks for it."""
        try:
            async with self.library.acquire(await asyncio.to_thread(self.choose), progress):
                await self.ears.open()
        except VivaVoceError as error:
            logger.warning("nothing listens: %s", error)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for everybody who is listened to. Returns False where some still were."""
        return await self.ears.drain(timeout_s)

    async def aclose(self) -> None:
        """Stop watching; the pool and the models are closed by whoever made them."""
        await self.ears.aclose()
        await self._trials.aclose()

    @asynccontextmanager
    async def _hearer(self, request: HearingRequest) -> AsyncIterator[PoolHearer]:
        model = request.model if isinstance(request.model, ResolvedModel) else self.choose(request.model)
        async with self.library.acquire(model) as loaded:
            loaded.recognizer.check(loaded.model, request.options)
            yield PoolHearer(loaded, self.ears.pool, self.library.health)
