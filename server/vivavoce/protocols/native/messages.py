"""Messages of the native stream: `parse` and `serialize`.

The same messages travel over the WebSocket and over a WebRTC data channel. Names follow the text-in speech stream
of vLLM-Omni, so that its clients work; cancel, flush, timestamps, playback positions and limits are additions.
Unknown fields are ignored (clients may send more than is read here), unknown types are refused. This module knows no
session and no order of messages: `session.py` does.
"""

from __future__ import annotations

import json
from typing import TypeVar

from vivavoce.errors import ProtocolError
from vivavoce.protocols.fields import Refused, build, plain
from vivavoce.protocols.native.client_messages import (
    ClientMessage,
    InputCancel,
    InputDone,
    InputFlush,
    InputText,
    PlaybackPosition,
    SessionClose,
    SessionConfig,
)
from vivavoce.protocols.native.server_messages import (
    PROTOCOL_VERSION,
    AudioDelta,
    AudioDone,
    AudioStart,
    AudioTimestamps,
    ErrorBody,
    ErrorMessage,
    Limits,
    PlaybackHeard,
    ServerMessage,
    SessionClosing,
    SessionCreated,
    SessionDone,
    Status,
    VoiceSummary,
    Word,
)

__all__ = [
    "PROTOCOL_VERSION",
    "SUBPROTOCOL",
    "AudioDelta",
    "AudioDone",
    "AudioStart",
    "AudioTimestamps",
    "ClientMessage",
    "ErrorBody",
    "ErrorMessage",
    "InputCancel",
    "InputDone",
    "InputFlush",
    "InputText",
    "Limits",
    "PlaybackHeard",
    "PlaybackPosition",
    "ServerMessage",
    "SessionClose",
    "SessionClosing",
    "SessionConfig",
    "SessionCreated",
    "SessionDone",
    "Status",
    "VoiceSummary",
    "Word",
    "parse",
    "parse_server",
    "serialize",
]

SUBPROTOCOL = f"vivavoce.v{PROTOCOL_VERSION}"

_MAX_DEPTH = 20  # objects and arrays inside one another
_MAX_KEYS = 200  # in the whole of one client message

_CLIENT: dict[str, type[ClientMessage]] = {
    kind.type: kind
    for kind in (SessionConfig, InputText, InputFlush, InputDone, InputCancel, PlaybackPosition, SessionClose)
}
_SERVER: dict[str, type[ServerMessage]] = {
    kind.type: kind
    for kind in (
        *(SessionCreated, AudioStart, AudioDelta, AudioTimestamps, AudioDone),
        *(SessionDone, PlaybackHeard, ErrorMessage, SessionClosing),
    )
}


def parse(data: str | bytes) -> ClientMessage:
    """Read what a client sent; its words are never repeated in an error.

    Raises:
        ProtocolError: `binary_message` (close 1003) for bytes, `invalid_json`, `unknown_type`, `missing_field` or
            `invalid_field` for the rest; `param` names the field.
    """
    if isinstance(data, bytes):
        raise ProtocolError("this stream takes text messages only", code="binary_message", close_code=1003)
    fields = _load(data)
    _check_size(fields)
    return _read(fields, _CLIENT)


def parse_server(data: str) -> ServerMessage:
    """Read what a server sent, for clients and tests.

    Raises:
        ProtocolError: As `parse` does, for text.
    """
    return _read(_load(data), _SERVER)


def serialize(message: ClientMessage | ServerMessage) -> str:
    """One line of JSON; absent fields are left out."""
    fields = {"type": message.type, **plain(message, keep_null=(ErrorBody,))}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


_Message = TypeVar("_Message")


def _read(fields: dict[str, object], kinds: dict[str, type[_Message]]) -> _Message:
    name = fields.get("type")
    if name is None:
        raise _refusal("missing_field", "the message has no 'type'", "type")
    if not isinstance(name, str) or name not in kinds:
        raise _refusal("unknown_type", f"unknown message type; known: {', '.join(kinds)}", "type")
    try:
        return build(kinds[name], fields)
    except Refused as refused:
        code = "invalid_field" if refused.expected else "missing_field"
        wanted = f"must be {refused.expected}" if refused.expected else "is missing"
        raise _refusal(code, f"'{refused.where}' of {name} {wanted}", refused.where) from None


def _load(data: str) -> dict[str, object]:
    """JSON text to an object."""
    try:
        value: object = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _refusal("invalid_json", "the message is not valid JSON") from None
    if not isinstance(value, dict):
        raise _refusal("invalid_json", "the message must be a JSON object")
    return value


def _no_constant(name: str) -> float:
    raise ValueError("NaN and Infinity are not JSON")


def _check_size(value: dict[str, object]) -> None:
    """Refuse values nested deeper or holding more keys than any message of a client could."""
    level: list[object] = [value]
    keys = 0
    for _ in range(_MAX_DEPTH):
        keys += sum(len(each) for each in level if isinstance(each, dict))
        if keys > _MAX_KEYS:
            raise _refusal("invalid_json", f"the message has more than {_MAX_KEYS} keys")
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise _refusal("invalid_json", f"the message is nested deeper than {_MAX_DEPTH} levels")


def _inside(value: object) -> list[object]:
    """The objects and arrays directly inside a value."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]


def _refusal(code: str, message: str, param: str | None = None) -> ProtocolError:
    error = ProtocolError(message, code=code)
    error.param = param
    return error
