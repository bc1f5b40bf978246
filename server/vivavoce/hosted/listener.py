"""Recognition models on other machines behind the border of listening: chosen by name, for recordings and live sound.

Where speech begins and ends is found here, by this machine's ears; each segment is sent as a file, and hung up where
nobody wants to know any more. Nothing of it needs our cores but the detector. Made by `app/`; the requests themselves
are `inference.py`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from vivavoce.decoding.places import Places
from vivavoce.draining import Draining
from vivavoce.engines.recognizer import Heard, HearingOptions, RecognizerInfo
from vivavoce.errors import HostedModelFailed, ModelUnavailable, ShuttingDown, UnknownModel, UnsupportedLanguage
from vivavoce.hosted.declared import ENGINE
from vivavoce.hosted.ears import HostedEar
from vivavoce.hosted.hearing import heard_answer, hearing_question
from vivavoce.hosted.inference import HostedModels
from vivavoce.machine.admission import Kind, Place
from vivavoce.recognition.distant_hearer import DistantHearer, Question
from vivavoce.recognition.ears import Ears
from vivavoce.recognition.listener import (
    SAMPLE_RATE,
    AnySamples,
    Ear,
    HeardSegment,
    Hearing,
    HearingRequest,
    ResolvedModel,
)


class HostedListener:
    """A `Listener` of declared models.

    Args:
        models: makes the requests; its transport may reach private addresses, for the operator named them.
        ears: of this machine.
        places: who is heard elsewhere at once, with a share for each owner.
    """

    def __init__(
        self, declared: tuple[HostedEar, ...], models: HostedModels, ears: Ears, places: Places, draining: Draining
    ) -> None:
        self._declared = {ear.info.id: ear for ear in declared}
        self._models = models
        self._ears = ears
        self._places = places
        self._draining = draining

    def models(self) -> list[RecognizerInfo]:
        return [ear.info for ear in self._declared.values()]

    def choose(self, model: str | None = None) -> ResolvedModel:
        wanted = (model or "").strip().lower()
        if wanted not in self._declared:
            raise UnknownModel(model or "default", self._declared)
        return ResolvedModel(self._declared[wanted].info)

    @asynccontextmanager
    async def listen(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[Hearing]:
        """See `Listener.listen`."""
        async with self._hearer(request) as hearer, self._ears.listen(hearer, request, place) as hearing:
            yield hearing

    @asynccontextmanager
    async def lend_ear(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[Ear]:
        """See `Listener.lend_ear`."""
        async with self._hearer(request) as hearer, self._ears.lend(hearer, request, place) as ear:
            yield ear

    @asynccontextmanager
    async def transcribe(
        self, sound: Sequence[AnySamples], request: HearingRequest
    ) -> AsyncIterator[AsyncIterator[HeardSegment]]:
        """See `Listener.transcribe`."""
        async with self._hearer(request) as hearer, self._ears.transcribe(hearer, sound, request) as segments:
            yield segments

    async def aclose(self) -> None:
        """Hang up everywhere."""
        await self._models.aclose()

    @asynccontextmanager
    async def _hearer(self, request: HearingRequest) -> AsyncIterator[DistantHearer]:
        """Raises UnknownModel, ModelUnavailable, UnsupportedLanguage, RateLimited, Overloaded, ShuttingDown."""
        chosen = request.model if isinstance(request.model, ResolvedModel) else self.choose(request.model)
        ear = self._declared[chosen.info.id]
        _check(ear, request.options)
        if self._draining.has_begun:
            raise ShuttingDown("the server is shutting down")

        async def ask(question: Question) -> Heard:
            target = ear.translating if question.options.task == "translate" else ear.target
            asked = hearing_question(ear, question.sound, question.options)
            answer = await self._models.words(target, ear.token, asked)
            return heard_answer(ear, answer, question.options, len(question.sound) / SAMPLE_RATE)

        kind = Kind(ENGINE, ear.info.id)
        async with (
            self._places.enter(request.owner),
            # A glance at somebody who still speaks would cost a question each second: it is not asked.
            DistantHearer.opened(kind, ask, unforeseen=_unreadable, glances=False) as hearer,
        ):
            yield hearer


def _unreadable(error: Exception) -> HostedModelFailed:
    return HostedModelFailed(f"the model's answer cannot be read ({type(error).__name__})")


def _check(ear: HostedEar, options: HearingOptions) -> None:
    info = ear.info
    if info.problem is not None:
        raise ModelUnavailable(f"model '{info.id}' is not available: {info.problem}", param="model")
    unknown = {code for code in (options.language, *options.languages) if code and code not in info.languages}
    if unknown:
        raise UnsupportedLanguage(f"model '{info.id}' is not declared for {', '.join(sorted(unknown))}")
    if options.task == "translate" and not info.translates:
        raise UnsupportedLanguage(f"model '{info.id}' does not translate", param="model")
