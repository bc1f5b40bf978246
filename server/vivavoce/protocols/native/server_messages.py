"""What the server sends on the native stream: one frozen dataclass for each type of message.

Times are whole milliseconds. A field that is None is left out on the wire, but for `error.param`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from vivavoce.errors import VivaVoceError
from vivavoce.protocols.fields import INDEX, Flag, Many, OneOf, Shaped, Text, Whole

PROTOCOL_VERSION = 1

Status = Literal["completed", "cancelled", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every limit of a session, told to the client first."""

    max_message_bytes: Annotated[int, INDEX] = 256 * 1024
    max_buffered_chars: Annotated[int, INDEX] = 8000  # text not yet spoken, in code points
    max_pending_utterances: Annotated[int, INDEX] = 4  # waiting behind the one that speaks
    max_controls_per_s: Annotated[int, INDEX] = 20  # cancel, flush, config
    max_errors_per_10_s: Annotated[int, INDEX] = 10
    max_ahead_ms: Annotated[int, INDEX] = 4000  # audio sent before it is due
    stall_timeout_ms: Annotated[int, INDEX] = 30_000  # a client that reads nothing
    idle_timeout_ms: Annotated[int, INDEX] = 120_000  # a client that says nothing
    min_sample_rate: Annotated[int, INDEX] = 8000  # Hz
    max_sample_rate: Annotated[int, INDEX] = 48000  # Hz
    formats: Annotated[tuple[str, ...], Many(Text(16))] = ("pcm",)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSummary:
    """A voice that can speak."""

    id: Annotated[str, Text(64)]
    name: Annotated[str, Text(200)]
    languages: Annotated[tuple[str, ...], Many(Text(16))] = ()
    engine: Annotated[str | None, Text(64)] = None
    sample_rate: Annotated[int | None, Whole(1, 384_000)] = None  # Hz
    references: Annotated[tuple[str, ...], Many(Text(200))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated:
    """The first message of the server."""

    type: ClassVar[str] = "session.created"
    session_id: Annotated[str, Text(64)]
    limits: Annotated[Limits, Shaped(Limits)]
    voices: Annotated[tuple[VoiceSummary, ...], Many(Shaped(VoiceSummary))] = ()
    protocol: Annotated[int, INDEX] = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStart:
    """A sentence begins to sound."""

    type: ClassVar[str] = "audio.start"
    utterance_index: Annotated[int, INDEX]
    sentence_index: Annotated[int, INDEX]
    sentence_text: Annotated[str, Text()]
    format: Annotated[str, Text(16)]
    sample_rate: Annotated[int, Whole(1, 384_000)]  # Hz


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """A chunk of audio in base64 mode; in binary mode the bytes are a frame of their own."""

    type: ClassVar[str] = "audio.delta"
    audio: Annotated[str, Text(16_000_000)]


@dataclass(frozen=True, slots=True)
class Word:
    """When a word is heard, in milliseconds from the utterance's first sample."""

    text: Annotated[str, Text(1000)]
    start_ms: Annotated[int, INDEX]
    end_ms: Annotated[int, INDEX]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTimestamps:
    """The words that begin in the chunk that follows; `start_ms` is where that chunk stands in the utterance."""

    type: ClassVar[str] = "audio.timestamps"
    utterance_index: Annotated[int, INDEX]
    words: Annotated[tuple[Word, ...], Many(Shaped(Word))]
    estimated: Annotated[bool, Flag()]
    start_ms: Annotated[int | None, INDEX] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioUnspoken:
    """A part of the text that the voice has no letters for and leaves out; `start` counts from the utterance's text."""

    type: ClassVar[str] = "audio.unspoken"
    utterance_index: Annotated[int, INDEX]
    text: Annotated[str, Text()]
    start: Annotated[int, INDEX]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioDone:
    """A sentence's audio is complete (or broken off, with `error`)."""

    type: ClassVar[str] = "audio.done"
    utterance_index: Annotated[int, INDEX]
    sentence_index: Annotated[int, INDEX]
    total_bytes: Annotated[int, INDEX]
    error: Annotated[bool, Flag()] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDone:
    """The end of an utterance: exactly one for each, and nothing of it afterwards."""

    type: ClassVar[str] = "session.done"
    utterance_index: Annotated[int, INDEX]
    total_sentences: Annotated[int, INDEX]
    status: Annotated[Status, OneOf(("completed", "cancelled", "failed"))]
    duration_ms: Annotated[int, INDEX]
    heard: Annotated[str | None, Text()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackHeard:
    """The written text that the listener has heard, in answer to a cancel."""

    type: ClassVar[str] = "playback.heard"
    utterance_index: Annotated[int, INDEX]
    text: Annotated[str, Text()]
    played_ms: Annotated[int, INDEX]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """The error object of every route of this server."""

    message: Annotated[str, Text()]
    type: Annotated[str, Text(64)]
    param: Annotated[str | None, Text(200)] = None
    code: Annotated[str | None, Text(64)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """Something went wrong; the connection stays open unless a close follows."""

    type: ClassVar[str] = "error"
    error: Annotated[ErrorBody, Shaped(ErrorBody)]
    utterance_index: Annotated[int | None, INDEX] = None

    @classmethod
    def of(cls, error: VivaVoceError, utterance_index: int | None = None) -> ErrorMessage:
        """The message that tells of `error`."""
        return cls(error=ErrorBody(**error.to_wire()["error"]), utterance_index=utterance_index)


@dataclass(frozen=True, slots=True)
class SessionClosing:
    """The server is about to close the connection."""

    type: ClassVar[str] = "session.closing"
    reason: Annotated[str, Text(200)]


ServerMessage = (
    SessionCreated | AudioStart | AudioDelta | AudioTimestamps | AudioUnspoken | AudioDone | SessionDone
    | PlaybackHeard | ErrorMessage | SessionClosing
)  # fmt: skip
