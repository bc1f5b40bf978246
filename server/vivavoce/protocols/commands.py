"""What a client's message asks the server to do: what `Session.receive_message` returns."""

from __future__ import annotations

from dataclasses import dataclass

from vivavoce.protocols.native.client_messages import SessionConfig


@dataclass(frozen=True, slots=True)
class Begin:
    """A new utterance, to be spoken when those before it are done."""

    utterance_index: int
    config: SessionConfig


@dataclass(frozen=True, slots=True)
class Write:
    """More text of the utterance; never empty, never with a lone surrogate."""

    utterance_index: int
    text: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Speak what is buffered now."""

    utterance_index: int


@dataclass(frozen=True, slots=True)
class End:
    """No more text of the utterance will come."""

    utterance_index: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the utterance now, then `Session.finish` it as cancelled."""

    utterance_index: int


@dataclass(frozen=True, slots=True)
class Played:
    """The listener has heard the utterance up to here; it may be done already."""

    utterance_index: int
    position_s: float


@dataclass(frozen=True, slots=True)
class AskHeard:
    """A cancel came after the utterance was done: its listener may still hear it, and wants to know how far."""

    utterance_index: int


@dataclass(frozen=True, slots=True)
class Close:
    """Send what is left to send, then close the connection."""

    code: int  # WebSocket close code
    reason: str


Command = Begin | Write | Flush | End | Cancel | Played | AskHeard | Close
