"""What a Door knows of the Ears: a border, whoever carries the calls, and the value that crosses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final, Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions, RecognizerInfo
from vivavoce.recognition.listener import HearingRequest, ResolvedModel

LENT_S: Final = 30.0  # a place is held that long at the most: its Door may be gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sound to be heard by whichever Ear has room: a segment, or as much of it as there is.

    Attributes:
        sound: float32 [n], 16 kHz, at most half a minute.
        due_in_s: when its words are waited for; infinite for a mere glance.
        live: somebody speaks now; False: a part of a recording.
        transport: as in `HearingRequest`.
        anywhere: those that have the model loaded are full: whoever has room loads it.
    """

    model: ResolvedModel
    sound: Samples
    options: HearingOptions
    due_in_s: float
    live: bool
    transport: str
    anywhere: bool = False


class RemoteEars(Protocol):
    """All Ears of a cluster. Every call goes to one of them, but `forget`."""

    async def models(self) -> tuple[RecognizerInfo, ...]:
        """What one of them can hear with; all have the same models."""
        ...

    def attend(self, request: HearingRequest, *, live: bool, begun: bool, anywhere: bool) -> AsyncGenerator[bool, None]:
        """A place for somebody who is heard, until the generator is closed, or the Ear ends it after `LENT_S`.

        What is heard of them costs nothing more in the Ear's books, wherever it is heard. The model is loaded then.

        Args:
            request: with a `ResolvedModel`.
            live: somebody speaks now; False: a recording.
            begun: they have been heard already: they are never refused for want of room.

        Returns:
            True, once: they have it. False before: it is still at it.

        Raises:
            ModelUnavailable, UnsupportedLanguage: If the model cannot do it.
            Overloaded: If that Ear has no room.
        """
        ...

    def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | None, None]:
        """The words of a stretch: beginnings of them, and last the whole, which is final. None: it is still at it.

        Closing the generator stops the work. Whoever has a place is not refused for want of room.

        Raises:
            Overloaded: Before the first words, if too many calls wait.
            EngineError: If it failed, or was lost.
        """
        ...

    async def load_model(self, model_id: str) -> None:
        """Have it in memory somewhere.

        Raises:
            UnknownModel, ModelUnavailable: If that cannot be.
        """
        ...

    async def forget(self, model_id: str) -> None:
        """Let it leave memory everywhere."""
        ...
