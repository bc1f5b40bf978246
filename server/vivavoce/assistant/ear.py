"""The border of a conversation's listening: sound and commands in, turns and words told to the conversation."""

from __future__ import annotations

from typing import Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.protocols.realtime.commands import ClearInput, Commit, Hear, HearItem
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.protocols.realtime.session_config import SessionConfig


class Listened(Protocol):
    """The conversation, as its ear knows it."""

    @property
    def session(self) -> RealtimeSession: ...
    @property
    def is_speaking(self) -> bool:
        """Whether sound of the assistant is still to be heard."""
        ...

    def answer(self) -> None:
        """The user has finished, and wants an answer."""
        ...

    def interrupt(self) -> None:
        """The user talks over the assistant."""
        ...

    def report(self, error: VivaVoceError) -> None:
        """Something went wrong that the client did not cause."""
        ...

    def wake_sender(self) -> None:
        """The client is due something."""
        ...


class Ear(Protocol):
    """Listens for one conversation."""

    def attach(self, conversation: Listened) -> None:
        """Whom to tell; called once, first."""
        ...

    def configure(self, config: SessionConfig, before: SessionConfig) -> None:
        """The settings have changed."""
        ...

    def hear(self, samples: Samples) -> None:
        """Sound of a track: float32 [n] at 16 kHz."""
        ...

    def act(self, command: Hear | ClearInput | Commit | HearItem) -> None:
        """What the client does with its sound."""
        ...

    async def run(self) -> None:
        """Listen until cancelled."""
        ...
