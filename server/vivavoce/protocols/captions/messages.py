"""Messages of the stream that listens: what a client may send, what it is told.

In the style of the native stream, whose errors and farewell it shares. Sound travels as binary messages. Times are
whole milliseconds from the first sample of a stream. Each field carries the rule that its value must follow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from vivavoce.errors import ProtocolError
from vivavoce.protocols.bounded_json import load_object
from vivavoce.protocols.fields import INDEX, Flag, Many, Number, OneOf, Refused, Shaped, Text, Whole, build, plain
from vivavoce.protocols.native.server_messages import ErrorBody, ErrorMessage, SessionClosing, Word

PROTOCOL_VERSION = 1
ENCODINGS = ("pcm", "mulaw", "alaw", "container")
SAMPLE_RATE = (8000, 48_000)  # Hz
Status = Literal["completed", "failed"]


# -- from the client


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """How to listen to the next stream. Sticky: a field left out (or null) keeps its last value."""

    type: ClassVar[str] = "session.config"
    model: Annotated[str | None, Text(200)] = None
    language: Annotated[str | None, Text(64)] = None  # a code, a tag or a name; "auto"
    task: Annotated[str | None, OneOf(("transcribe", "translate"))] = None
    prompt: Annotated[str | None, Text(8192)] = None
    keywords: Annotated[tuple[str, ...] | None, Many(Text(100))] = None
    encoding: Annotated[str | None, OneOf(ENCODINGS)] = None  # "container": Ogg or WebM, told by its first bytes
    sample_rate: Annotated[int | None, Whole(*SAMPLE_RATE)] = None  # Hz of bare samples
    partials: Annotated[bool | None, Flag()] = None
    words: Annotated[bool | None, Flag()] = None
    threshold: Annotated[float | None, Number(0.1, 0.95)] = None  # of the detector of speech
    silence_ms: Annotated[int | None, Whole(100, 5000)] = None  # that ends a segment


@dataclass(frozen=True, slots=True)
class InputFlush:
    """What was said is complete: hear it now; more sound may come."""

    type: ClassVar[str] = "input.flush"


@dataclass(frozen=True, slots=True)
class InputDone:
    """End of the stream's sound; the next sound begins another one."""

    type: ClassVar[str] = "input.done"


@dataclass(frozen=True, slots=True)
class SessionClose:
    """The client leaves."""

    type: ClassVar[str] = "session.close"


ClientMessage = ListenConfig | InputFlush | InputDone | SessionClose


# -- from the server


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every limit of a session, told to the client first."""

    max_message_bytes: Annotated[int, INDEX] = 256 * 1024
    max_waiting_ms: Annotated[int, INDEX] = 60_000  # sound that nobody heard yet
    max_pending_streams: Annotated[int, INDEX] = 1  # that have begun while the words of one before are to come
    max_segment_ms: Annotated[int, INDEX] = 12_000  # longer ones are split in a gap
    max_controls_per_s: Annotated[int, INDEX] = 20  # config, flush, done
    max_errors_per_10_s: Annotated[int, INDEX] = 10
    idle_timeout_ms: Annotated[int, INDEX] = 120_000  # a client that sends nothing
    stall_timeout_ms: Annotated[int, INDEX] = 30_000  # a client that reads nothing
    min_sample_rate: Annotated[int, INDEX] = SAMPLE_RATE[0]  # Hz
    max_sample_rate: Annotated[int, INDEX] = SAMPLE_RATE[1]  # Hz
    encodings: Annotated[tuple[str, ...], Many(Text(16))] = ENCODINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated:
    """The first message of the server."""

    type: ClassVar[str] = "session.created"
    session_id: Annotated[str, Text(64)]
    limits: Annotated[Limits, Shaped(Limits)]
    models: Annotated[tuple[str, ...], Many(Text(200))] = ()
    protocol: Annotated[int, INDEX] = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """Somebody speaks."""

    type: ClassVar[str] = "speech.started"
    segment: Annotated[int, INDEX]
    start_ms: Annotated[int, INDEX]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped:
    """A segment is over; its words follow. `reason`: a pause, a flush, or a split in long speech."""

    type: ClassVar[str] = "speech.stopped"
    segment: Annotated[int, INDEX]
    end_ms: Annotated[int, INDEX]
    reason: Annotated[str, Text(16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """What a segment seems to say so far; the next one may differ anywhere."""

    type: ClassVar[str] = "transcript.partial"
    segment: Annotated[int, INDEX]
    text: Annotated[str, Text()]
    start_ms: Annotated[int, INDEX]
    end_ms: Annotated[int, INDEX]
    words: Annotated[tuple[Word, ...] | None, Many(Shaped(Word))] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """What a segment says; nothing more comes of it. The text is empty where it was no speech after all."""

    type: ClassVar[str] = "transcript.final"
    segment: Annotated[int, INDEX]
    text: Annotated[str, Text()]
    language: Annotated[str, Text(16)]
    start_ms: Annotated[int, INDEX]
    end_ms: Annotated[int, INDEX]
    words: Annotated[tuple[Word, ...] | None, Many(Shaped(Word))] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDone:
    """The end of a stream, exactly one for each."""

    type: ClassVar[str] = "session.done"
    status: Annotated[Status, OneOf(("completed", "failed"))]
    duration_ms: Annotated[int, INDEX]
    segments: Annotated[int, INDEX]


ServerMessage = (
    SessionCreated | SpeechStarted | SpeechStopped | Partial | Final | SessionDone | ErrorMessage | SessionClosing
)

_CLIENT: dict[str, type[ClientMessage]] = {
    kind.type: kind for kind in (ListenConfig, InputFlush, InputDone, SessionClose)
}


def parse(data: str) -> ClientMessage:
    """Read what a client sent; its words are never repeated in an error.

    Raises:
        ProtocolError: `invalid_json`, `unknown_type`, `missing_field` or `invalid_field`; `param` names the field.
    """
    fields = load_object(data)
    name = fields.get("type")
    if not isinstance(name, str) or name not in _CLIENT:
        raise _refusal("unknown_type", f"unknown message type; known: {', '.join(_CLIENT)}", "type")
    try:
        return build(_CLIENT[name], fields)
    except Refused as refused:
        code = "invalid_field" if refused.expected else "missing_field"
        wanted = f"must be {refused.expected}" if refused.expected else "is missing"
        raise _refusal(code, f"'{refused.where}' of {name} {wanted}", refused.where) from None


def serialize(message: ClientMessage | ServerMessage) -> str:
    """One line of JSON; absent fields are left out."""
    fields = {"type": message.type, **plain(message, keep_null=(ErrorBody,))}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _refusal(code: str, message: str, param: str) -> ProtocolError:
    error = ProtocolError(message, code=code)
    error.param = param
    return error
