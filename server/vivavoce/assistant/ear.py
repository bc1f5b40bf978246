"""The borders of a conversation's listening: what an ear is told, whom it tells, and what it listens with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Kind, Place
from vivavoce.protocols.realtime.commands import ClearInput, Commit, Hear, HearItem
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.protocols.realtime.session_config import SessionConfig


class Listened(Protocol):
    """The conversation, as its ear knows it."""

    @property
    def session(self) -> RealtimeSession: ...
    @property
    def saying(self) -> str | None:
        """What the assistant says about now, the last few seconds of it; None: it is silent."""
        ...

    @property
    def is_answering(self) -> bool:
        """Whether an answer is being made, heard or not: whoever speaks has not finished, or wants another one."""
        ...

    async def enter(self) -> Place | None:
        """The conversation's room on the machine, from now on; None: it has none of its own.

        Raises:
            VivaVoceError: If there is no room for it.
        """
        ...

    def user_speaks(self) -> None:
        """Somebody began to speak."""
        ...

    def answer(self) -> None:
        """The user has finished, and wants an answer."""
        ...

    @property
    def may_think_ahead(self) -> bool:
        """Whether there is time for an answer that may be for nothing."""
        ...

    def think_ahead(self, said: str) -> None:
        """The user has perhaps finished, with these words: an answer may be begun that nobody hears yet."""
        ...

    def goes_on(self) -> None:
        """The user has not: whatever was begun is void."""
        ...

    def interrupt(self) -> None:
        """The user talks over the assistant."""
        ...

    def resume(self) -> None:
        """It was no interruption: go on from what was heard."""
        ...

    def report(self, error: VivaVoceError) -> None:
        """Something went wrong that the client did not cause."""
        ...

    def close(self, code: int, reason: str) -> None:
        """The connection cannot go on."""
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

    async def understood(self) -> None:
        """Returns when the words of every message that was said are known."""
        ...

    async def kinds(self) -> Sequence[Kind]:
        """The kinds of work it will give the machine, for admission; empty: none here.

        Raises:
            UnknownModel: If the client asked for a model that does not exist.
        """
        ...

    async def run(self) -> None:
        """Listen until cancelled."""
        ...


class Heard(Protocol):
    """What was understood of a segment; see `engines.recognizer.Heard`."""

    @property
    def text(self) -> str: ...
    @property
    def is_whole(self) -> bool: ...
    @property
    def is_final(self) -> bool: ...
    @property
    def language(self) -> str: ...
    @property
    def closed(self) -> float | None: ...
    @property
    def marked(self) -> float | None: ...


class Segment(Protocol):
    """A stretch of sound that is heard; see `recognition.listener.EarSegment`."""

    def draft(self, end: int) -> None: ...
    def finish(self, end: int) -> None: ...
    def drop(self) -> None: ...
    def take(self) -> Sequence[Heard]: ...


class LentEar(Protocol):
    """What a listener lends; see `recognition.listener.Ear`. Places are samples of 16 kHz, from the first one on."""

    def write(self, samples: Samples) -> None: ...
    async def changed(self) -> None: ...
    def frames(self) -> list[float]: ...
    def open(self, start: int) -> Segment: ...
    async def judge(self, start: int, end: int) -> float: ...


class Listening(Protocol):
    """Lends ears to conversations: the transcriber of this machine, or a fake in tests."""

    def lend(self, wishes: Wishes, place: Place | None = None) -> AbstractAsyncContextManager[LentEar]:
        """An ear for one connection; leaving the block gives it back.

        Args:
            place: of the conversation it belongs to; None: it is admitted by itself.

        Raises (on entering):
            VivaVoceError: If it cannot be lent: no such model, or no room for one more.
        """
        ...

    async def kinds(self, wishes: Wishes) -> Sequence[Kind]:
        """What listening costs, for a conversation's place.

        Raises:
            UnknownModel: If there is no such model.
        """
        ...

    async def transcribe(self, sound: Samples, wishes: Wishes) -> Understood:
        """The words of a whole sound: float32 [n] at 16 kHz.

        Raises:
            VivaVoceError: If they cannot be understood.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a recognizer is told of a connection.

    Attributes:
        owner: whose it is, for admission.
        transport: websocket or webrtc, for the metrics.
    """

    model: str | None = None
    language: str | None = None
    languages: tuple[str, ...] = ()
    prompt: str = ""
    keywords: tuple[str, ...] = ()
    owner: str = ""
    transport: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """The words of a whole sound, and their language.

    Attributes:
        language: ISO 639-1 code.
    """

    text: str
    language: str | None = None
