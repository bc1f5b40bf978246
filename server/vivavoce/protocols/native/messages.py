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
from vivavoce.protocols.bounded_json import load_object
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
    AudioUnspoken,
    ErrorBody,
    ErrorMessage,
    PlaybackHeard,
    ServerMessage,
    SessionClosing,
    SessionCreated,
    SessionDone,
)

SUBPROTOCOL = f"vivavoce.v{PROTOCOL_VERSION}"

_MAX_SERVER_KEYS = 100_000  # a list of voices, the words of a long sentence

_CLIENT: dict[str, type[ClientMessage]] = {
    kind.type: kind
    for kind in (SessionConfig, InputText, InputFlush, InputDone, InputCancel, PlaybackPosition, SessionClose)
}
_SERVER: dict[str, type[ServerMessage]] = {
    kind.type: kind
    for kind in (
        *(SessionCreated, AudioStart, AudioDelta, AudioTimestamps, AudioUnspoken, AudioDone),
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
    return _read(load_object(data), _CLIENT)


def parse_server(data: str) -> ServerMessage:
    """Read what a server sent, for clients and tests.

    Raises:
        ProtocolError: As `parse` does, for text.
    """
    return _read(load_object(data, max_keys=_MAX_SERVER_KEYS), _SERVER)


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


def _refusal(code: str, message: str, param: str | None = None) -> ProtocolError:
    error = ProtocolError(message, code=code)
    error.param = param
    return error
