"""A listener's ears for conversations: what a client wishes of its transcription, in the words of the recognizers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from vivavoce.assistant.ear import LentEar, Understood, Wishes
from vivavoce.assistant.heard_parts import joined
from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.machine.admission import Kind, Place
from vivavoce.recognition.listener import DETECTOR, HearingRequest, Listener


class ListenerEars:
    """See `ear.Listening`.

    Args:
        listener: of this server.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    @asynccontextmanager
    async def lend(self, wishes: Wishes, place: Place | None = None) -> AsyncIterator[LentEar]:
        """An ear for one connection.

        Raises:
            VivaVoceError: If there is no such model, or no room for one more.
        """
        async with self._listener.lend_ear(await asyncio.to_thread(self._request, wishes), place) as ear:
            yield ear

    async def kinds(self, wishes: Wishes) -> Sequence[Kind]:
        """A recognizer, and the detector of speech beside it.

        Raises:
            UnknownModel: If there is no such model.
        """
        model = await asyncio.to_thread(self._listener.choose, wishes.model)
        return (Kind(model.info.engine, model.info.id), DETECTOR)

    async def transcribe(self, sound: Samples, wishes: Wishes) -> Understood:
        """The words of a whole sound.

        Raises:
            VivaVoceError: If they cannot be understood.
        """
        request = await asyncio.to_thread(self._request, wishes)
        async with self._listener.transcribe([sound], request) as segments:
            heard = [segment.heard async for segment in segments]
        language = next((each.language for each in heard if each.text), None)
        return Understood(joined(each.text for each in heard), language)

    def _request(self, wishes: Wishes) -> HearingRequest:
        """Looks at the folders of models."""
        options = HearingOptions(
            language=wishes.language,
            languages=wishes.languages,
            prompt=wishes.prompt,
            hotwords=wishes.keywords,
        )
        model = self._listener.choose(wishes.model)
        return HearingRequest(model=model, options=options, owner=wishes.owner, transport=wishes.transport)
