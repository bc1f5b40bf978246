"""What a Realtime client's event asks the server to do: the commands that `RealtimeSession.receive_message` returns."""

from __future__ import annotations

from dataclasses import dataclass

from vivavoce.protocols.commands import Close
from vivavoce.protocols.realtime.audio_format import AudioFormat
from vivavoce.protocols.realtime.response import Response
from vivavoce.protocols.realtime.session_config import SessionConfig


@dataclass(frozen=True, slots=True)
class Configure:
    """The session's settings have changed; the client was told."""

    config: SessionConfig
    before: SessionConfig


@dataclass(frozen=True, slots=True)
class Hear:
    """Sound of the user; a sample may be cut in two."""

    data: bytes
    format: AudioFormat


@dataclass(frozen=True, slots=True)
class ClearInput:
    """Forget the sound that was not made a message yet."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The sound so far became this item: understand it, and tell its words."""

    item_id: str


@dataclass(frozen=True, slots=True)
class HearItem:
    """A message came with its sound: understand it, and tell its words."""

    item_id: str
    content_index: int
    data: bytes
    format: AudioFormat


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer, and tell the answer through this response; its options say how."""

    response: Response


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop answering: the client was told that the response is over."""

    response: Response


@dataclass(frozen=True, slots=True)
class Truncate:
    """The listener has heard so much of an item; `RealtimeSession.heard` takes the words of it."""

    item_id: str
    audio_end_s: float


@dataclass(frozen=True, slots=True)
class ClearOutput:
    """Be silent at once, whatever is still to be heard."""


Command = Configure | Hear | ClearInput | Commit | HearItem | Respond | Cancel | Truncate | ClearOutput | Close
