"""The listener of a Door: speech is found here, by this machine's ears; what was said is found out by the Ears.

A `ModelKeeper`, so that a server is built around it as around the transcriber. Knows no Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from vivavoce.adapters.ray_serve.ear_place import EarPlace
from vivavoce.adapters.ray_serve.ears import RemoteEars
from vivavoce.adapters.ray_serve.remote_hearer import remote_hearer
from vivavoce.adapters.ray_serve.upkeep import Upkeep
from vivavoce.app.machine import Machine
from vivavoce.config import Config
from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import ModelUnavailable, Overloaded, VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.models.catalogue import resolve
from vivavoce.progress import Progress
from vivavoce.recognition.distant_hearer import DistantHearer
from vivavoce.recognition.ear import LiveEar
from vivavoce.recognition.ears import Ears
from vivavoce.recognition.hearing import LiveHearing
from vivavoce.recognition.listener import AnySamples, HeardSegment, HearingRequest, ResolvedModel
from vivavoce.recognition.model_choice import choose_model

SILENCE_S: Final = 5.0  # an Ear gives signs of life more often; for a busy network

logger = logging.getLogger(__name__)


class RemoteListener:
    """A `ModelKeeper` over the Ears.

    Args:
        remote: where words are made.
        ears: of this machine: they find speech.
        machine: theirs; ended with this.
    """

    def __init__(self, remote: RemoteEars, ears: Ears, machine: Machine, config: Config) -> None:
        self._remote = remote
        self.ears = ears
        self._machine = machine
        self._default = config.listening.recognizer
        self._patience_s = config.speed.step_timeout_s + config.speed.queue_wait_s + SILENCE_S
        self._models: tuple[RecognizerInfo, ...] | None = None
        self._upkeep = Upkeep()

    async def start(self) -> None:
        """Learn what the Ears can hear with, and keep learning."""
        if not self._upkeep.looks:
            with contextlib.suppress(VivaVoceError):  # none is there yet
                self._models = await self._remote.models()
            self._upkeep.look_again(self._refresh, name="models-of-the-ears")

    # -- names

    def models(self) -> list[RecognizerInfo]:
        return [*(self._models or ())]

    def choose(self, model: str | None = None) -> ResolvedModel:
        """See `Listener`. Raises Overloaded while no Ear has answered yet."""
        if self._models is None:
            raise Overloaded("no machine that listens has come up yet", retry_after_s=5.0)
        return choose_model(self._models, model, resolve, self._default)

    async def load_model(self, model_id: str, progress: Progress | None = None) -> None:
        await self._remote.load_model(model_id)
        if progress is not None:
            progress(model_id, 1.0)

    async def preload(self, progress: Progress | None = None) -> None:
        """The Ears load their models themselves."""
        await self.start()
        await self.ears.open()

    def forget(self, model_id: str) -> None:
        self._upkeep.begin(self._forget(model_id), name="forget-model")

    # -- listening

    @asynccontextmanager
    async def listen(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[LiveHearing]:
        """See `Listener.listen`."""
        async with (
            self._hearer(request, place) as hearer,
            self.ears.listen(hearer, request, place) as hearing,
        ):
            yield hearing

    @asynccontextmanager
    async def lend_ear(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[LiveEar]:
        """See `Listener.lend_ear`."""
        async with (
            self._hearer(request, place) as hearer,
            self.ears.lend(hearer, request, place) as ear,
        ):
            yield ear

    @asynccontextmanager
    async def transcribe(
        self, sound: Sequence[AnySamples], request: HearingRequest
    ) -> AsyncIterator[AsyncIterator[HeardSegment]]:
        """See `Listener.transcribe`."""
        async with (
            self._hearer(request, live=False) as hearer,
            self.ears.transcribe(hearer, sound, request) as segments,
        ):
            yield segments

    async def drain(self, timeout_s: float) -> bool:
        return await self.ears.drain(timeout_s)

    async def aclose(self) -> None:
        """Stop looking after the Ears, and end the workers that find speech."""
        await self._upkeep.aclose()
        await self.ears.aclose()
        await asyncio.to_thread(self._machine.pool.close)

    @asynccontextmanager
    async def _hearer(
        self, request: HearingRequest, here: Place | None = None, *, live: bool = True
    ) -> AsyncIterator[DistantHearer]:
        """Whoever gets a place at an Ear: that is decided once, for all that is heard in the block.

        Args:
            here: of the conversation it belongs to, which rests where nobody speaks.
        """
        model = request.model if isinstance(request.model, ResolvedModel) else self.choose(request.model)
        if (problem := model.info.problem) is not None:
            raise ModelUnavailable(f"model '{model.info.id}' is not available: {problem}", param="model")
        request = dataclasses.replace(request, model=model)
        place = EarPlace(self._remote, request, live=live, rests=here is not None, patience_s=self._patience_s)
        async with place.held(), remote_hearer(self._remote, model, request, place, self._patience_s) as hearer:
            self._machine.admission.measured(hearer.kind, 0.0, 1.0)  # words cost nothing here, the first ones included
            yield hearer

    # -- looking after the Ears

    async def _refresh(self) -> None:
        try:
            self._models = await self._remote.models()
        except VivaVoceError as error:
            logger.warning("no Ear answers: %s", error)

    async def _forget(self, model_id: str) -> None:
        try:
            await self._remote.forget(model_id)
        except VivaVoceError as error:
            logger.warning("model '%s' could not be dropped everywhere: %s", model_id, error)
