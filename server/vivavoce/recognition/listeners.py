"""Several listeners as one: the one that a server is built around, and whoever hears besides it, by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import UnknownModel
from vivavoce.machine.admission import Place
from vivavoce.progress import Progress
from vivavoce.recognition.listener import (
    AnySamples,
    Ear,
    HeardSegment,
    Hearing,
    HearingRequest,
    Listener,
    ModelKeeper,
    ResolvedModel,
)


class Listeners:
    """A `ModelKeeper` of all their models.

    Args:
        first: keeps models; answers for whatever is no model of the others.
        others: hear only when one of their models is named; a name the first has already is the first's.
        means_default: whether a word means no model in particular.
        default: a model of the others that hears then; None: the first decides, and where it has none, they do.
    """

    def __init__(
        self,
        first: ModelKeeper,
        *others: Listener,
        means_default: Callable[[str | None], bool],
        default: str | None = None,
    ) -> None:
        self._first = first
        self._others = others
        self._means_default = means_default
        self._default = default

    def models(self) -> list[RecognizerInfo]:
        """Every model, each name once."""
        found: dict[str, RecognizerInfo] = {}
        for listener in (self._first, *self._others):
            for info in listener.models():
                found.setdefault(info.id, info)
        return [*found.values()]

    def choose(self, model: str | None = None) -> ResolvedModel:
        """Who hears: the model that is named, or whom the first chooses.

        Raises:
            UnknownModel: If nobody knows the name.
        """
        wanted = (model or "").strip().lower()
        default = self._means_default(model)
        if default and self._default is not None:
            wanted = self._default
        if wanted not in {info.id for info in self._first.models()}:
            for info in self._elsewhere():
                if info.id == wanted:
                    return ResolvedModel(info)
        try:
            return self._first.choose(model)
        except UnknownModel:
            usable = [info for info in self._elsewhere() if info.problem is None]
            if not default or not usable:
                raise
            return ResolvedModel(usable[0])

    def listen(self, request: HearingRequest, place: Place | None = None) -> AbstractAsyncContextManager[Hearing]:
        """Hear somebody live with the listener whose model it is."""
        return self._whose(request).listen(request, place)

    def lend_ear(self, request: HearingRequest, place: Place | None = None) -> AbstractAsyncContextManager[Ear]:
        """The same for a caller who decides himself what to hear."""
        return self._whose(request).lend_ear(request, place)

    def transcribe(
        self, sound: Sequence[AnySamples], request: HearingRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[HeardSegment]]:
        """Hear a whole recording."""
        return self._whose(request).transcribe(sound, request)

    async def load_model(self, model_id: str, progress: Progress | None = None) -> None:
        """Have it in memory, where it is one of this machine."""
        model = await asyncio.to_thread(self.choose, model_id)  # it may look at the disk
        if not self._is_elsewhere(model):
            await self._first.load_model(model_id, progress)

    async def preload(self, progress: Progress | None = None) -> None:
        await self._first.preload(progress)

    def forget(self, model_id: str) -> None:
        self._first.forget(model_id)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for everybody who is listened to: all of them have an ear of this machine."""
        return await self._first.drain(timeout_s)

    async def aclose(self) -> None:
        """Free the first; the others are ended by whoever made them."""
        await self._first.aclose()

    def _whose(self, request: HearingRequest) -> Listener:
        chosen = request.model if isinstance(request.model, ResolvedModel) else self.choose(request.model)
        for listener in self._others:
            if any(_same(info, chosen.info) for info in listener.models()):
                return listener
        return self._first

    def _elsewhere(self) -> list[RecognizerInfo]:
        return [info for listener in self._others for info in listener.models()]

    def _is_elsewhere(self, model: ResolvedModel) -> bool:
        return any(_same(info, model.info) for info in self._elsewhere())


def _same(one: RecognizerInfo, other: RecognizerInfo) -> bool:
    return one.id == other.id and one.engine == other.engine
