"""What a Door knows of the Ears: a border, whoever carries the calls, and the value that crosses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions, RecognizerInfo
from vivavoce.recognition.listener import HearingRequest, ResolvedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sound to be heard by whichever Ear has room: a segment, or as much of it as there is.

    Attributes:
        sound: float32 [n], 16 kHz, at most half a minute.
        due_in_s: when its words are waited for; infinite for a mere glance.
        live: somebody speaks now; False: a part of a recording.
        owner, transport: as in `HearingRequest`.
        anywhere: those that have the model loaded are full: whoever has room loads it.
    """

    model: ResolvedModel
    sound: Samples
    options: HearingOptions
    due_in_s: float
    live: bool
    owner: str
    transport: str
    anywhere: bool = False


class RemoteEars(Protocol):
    """All Ears of a cluster. Every call goes to one of them, but `forget`."""

    async def models(self) -> tuple[RecognizerInfo, ...]:
        """What one of them can hear with; all have the same models."""
        ...

    async def welcome(self, request: HearingRequest, *, live: bool, anywhere: bool) -> None:
        """Whether somebody may be heard: once, before the first of their sound. The model is loaded then.

        Args:
            request: with a `ResolvedModel`.

        Raises:
            ModelUnavailable, UnsupportedLanguage: If the model cannot do it.
            Overloaded: If that Ear has no room.
        """
        ...

    def hear(self, stretch: Stretch) -> AsyncGenerator[Heard | None, None]:
        """The words of a stretch: beginnings of them, and last the whole, which is final. None: it is still at it.

        Closing the generator stops the work. Whoever was welcome is not refused for want of room.

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
