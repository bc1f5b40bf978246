"""What a client may say over Realtime, one frozen dataclass for each of its events, and how they are read.

What is inside `session`, `item` and `response` stays as it came: the session machine reads it, because what it means
hangs on what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from vivavoce.errors import ProtocolError
from vivavoce.protocols.bounded_json import load_object
from vivavoce.protocols.fields import INDEX, Number, Refused, Text, build

_ID: Final = Text(512)
_MAX_DEPTH: Final = 40  # JSON schemas of functions
_MAX_KEYS: Final = 10_000
_HALF_CHARACTER: Final = re.compile(r"\\u[dD]|[\ud800-\udfff]")  # perhaps: whole ones are written so too


@dataclass(frozen=True, slots=True)
class AnyObject:
    """A rule: an object, as it came."""

    def read(self, value: object) -> dict[str, object]:
        if isinstance(value, dict):
            return value
        raise Refused("an object")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdate:
    """Change what is given."""

    type: ClassVar[str] = "session.update"
    session: Annotated[dict[str, object], AnyObject()]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioAppend:
    """More sound of the user, in base64."""

    type: ClassVar[str] = "input_audio_buffer.append"
    audio: Annotated[str, Text(16_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioCommit:
    """The sound so far is a message."""

    type: ClassVar[str] = "input_audio_buffer.commit"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAudioClear:
    """The sound so far is nothing."""

    type: ClassVar[str] = "input_audio_buffer.clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCreate:
    """Put an item into the conversation; "root" as the item before puts it first."""

    type: ClassVar[str] = "conversation.item.create"
    item: Annotated[dict[str, object], AnyObject()]
    previous_item_id: Annotated[str | None, _ID] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTruncate:
    """The listener has heard so much of the assistant's message."""

    type: ClassVar[str] = "conversation.item.truncate"
    item_id: Annotated[str, _ID]
    audio_end_ms: Annotated[float, Number(0, 1e9)] = 0
    content_index: Annotated[int, INDEX] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRetrieve:
    """Tell an item as the server has it."""

    type: ClassVar[str] = "conversation.item.retrieve"
    item_id: Annotated[str, _ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDelete:
    """Take an item out of the conversation."""

    type: ClassVar[str] = "conversation.item.delete"
    item_id: Annotated[str, _ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCreate:
    """Answer now."""

    type: ClassVar[str] = "response.create"
    response: Annotated[dict[str, object] | None, AnyObject()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCancel:
    """Stop answering."""

    type: ClassVar[str] = "response.cancel"
    response_id: Annotated[str | None, _ID] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputAudioClear:
    """Be silent at once; WebRTC only, where the server holds what is not yet heard."""

    type: ClassVar[str] = "output_audio_buffer.clear"


ClientEvent = (
    SessionUpdate | InputAudioAppend | InputAudioCommit | InputAudioClear | ItemCreate | ItemTruncate | ItemRetrieve
    | ItemDelete | ResponseCreate | ResponseCancel | OutputAudioClear
)  # fmt: skip

CLIENT_EVENTS: Final[dict[str, type[ClientEvent]]] = {
    kind.type: kind
    for kind in (
        *(SessionUpdate, InputAudioAppend, InputAudioCommit, InputAudioClear, ItemCreate, ItemTruncate),
        *(ItemRetrieve, ItemDelete, ResponseCreate, ResponseCancel, OutputAudioClear),
    )
}


def load(data: str | bytes) -> tuple[dict[str, object], str | None]:
    """The fields of a message, and the id that the client gave it, to be named in an error.

    Raises:
        ProtocolError: `binary_message` (close 1003) or `invalid_json`.
    """
    if isinstance(data, bytes):
        raise ProtocolError("this connection takes text messages only", code="binary_message", close_code=1003)
    fields = load_object(data, max_depth=_MAX_DEPTH, max_keys=_MAX_KEYS)
    if _HALF_CHARACTER.search(data):
        fields = whole_characters(fields)
    event_id = fields.get("event_id")
    return fields, event_id[:512] if isinstance(event_id, str) else None


def whole_characters(fields: Mapping[str, object]) -> dict[str, object]:
    """The same with U+FFFD for halves of characters, which cannot be sent on; depth is bounded by the reader."""
    return {str(_whole_characters(name)): _whole_characters(value) for name, value in fields.items()}


def _whole_characters(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(each) for each in value]
    return whole_characters(value) if isinstance(value, dict) else value


def parse(fields: dict[str, object]) -> ClientEvent:
    """The event that the fields are.

    Raises:
        ProtocolError: `unknown_event`, `missing_field` or `invalid_value`; `param` names the field.
    """
    name = fields.get("type")
    if not isinstance(name, str) or name not in CLIENT_EVENTS:
        raise refusal("unknown_event", f"unknown event type; known: {', '.join(CLIENT_EVENTS)}", "type")
    try:
        return build(CLIENT_EVENTS[name], fields)
    except Refused as refused:
        raise refused_field(refused) from None


def refused_field(refused: Refused, where: str = "") -> ProtocolError:
    """The error that tells of a field's rule."""
    place = ".".join(part for part in (where, refused.where) if part).replace(".[", "[")
    if not refused.expected:
        return refusal("missing_field", f"'{place}' is missing", place)
    return refusal("invalid_value", f"'{place}' must be {refused.expected}", place)


def refusal(code: str, message: str, param: str | None = None) -> ProtocolError:
    """An error that a client's event has caused."""
    error = ProtocolError(message, code=code)
    error.param = param
    return error
