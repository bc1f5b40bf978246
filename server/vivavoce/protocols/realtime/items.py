"""Items of a conversation: messages, function calls and their results, as Realtime writes them."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from dataclasses import dataclass
from typing import Final, Literal

from vivavoce.protocols.fields import Refused, Text

ContentType = Literal["input_text", "input_audio", "output_text", "output_audio"]
ItemStatus = Literal["completed", "incomplete", "in_progress"]
Role = Literal["system", "user", "assistant"]

MOST_TEXT: Final = 100_000  # characters of an item
_MOST_PARTS: Final = 32
_ID: Final = Text(128)
_CONTENT: Final[dict[str, tuple[str, ...]]] = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio"),
    "assistant": ("output_text", "output_audio"),
}
_FORMER: Final = {"text": "output_text", "audio": "output_audio"}  # an assistant's parts before GA


@dataclass(frozen=True, slots=True)
class Content:
    """A part of a message.

    Attributes:
        text: what was written, or the words that were said; None: said, but not understood yet.
        audio: of an `input_audio` part that a client sent whole; decoded, not kept once it is understood.
    """

    type: ContentType
    text: str | None = None
    audio: bytes | None = dataclasses.field(default=None, repr=False)

    @property
    def is_audio(self) -> bool:
        """True where it was spoken; False where it was written."""
        return self.type in ("input_audio", "output_audio")

    def to_wire(self) -> dict[str, object]:
        """Without the sound: nobody asks for it back, and it would not fit a message."""
        if self.is_audio:  # stock clients insist on the key, and take null for "not yet"
            return {"type": self.type, "transcript": self.text}
        return {"type": self.type, "text": self.text or ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One entry of a conversation. Changed by replacing it."""

    id: str
    type: Literal["message", "function_call", "function_call_output"] = "message"
    status: ItemStatus = "completed"
    role: Role = "user"  # of a message
    content: tuple[Content, ...] = ()  # of a message
    name: str = ""  # of a call
    call_id: str = ""  # of a call and its output
    arguments: str = ""  # of a call: JSON, as the model wrote it
    output: str = ""

    @property
    def text(self) -> str:
        """The words of all its parts."""
        return "".join(part.text or "" for part in self.content)

    def with_text(self, text: str | None, index: int = 0) -> Item:
        """The same with other words in one part, and without its sound."""
        parts = (
            dataclasses.replace(part, text=text, audio=None) if at == index else part
            for at, part in enumerate(self.content)
        )
        return dataclasses.replace(self, content=tuple(parts))

    def to_wire(self) -> dict[str, object]:
        """As it stands in events."""
        wire: dict[str, object] = {
            "id": self.id,
            "object": "realtime.item",
            "type": self.type,
            "status": self.status,
        }
        match self.type:
            case "message":
                return wire | {"role": self.role, "content": [part.to_wire() for part in self.content]}
            case "function_call":
                return wire | {"name": self.name, "call_id": self.call_id, "arguments": self.arguments}
            case "function_call_output":
                return wire | {"call_id": self.call_id, "output": self.output}


def read_item(value: object, new_id: str) -> Item:
    """An item that a client sent.

    Args:
        new_id: its id where the client gives none.

    Raises:
        Refused: If it is of a kind that this server does not know, too long, or misses a field.
    """
    if not isinstance(value, dict):
        raise Refused("an object")
    item_id = _optional("id", _ID, value.get("id")) or new_id  # an empty one is none
    match value.get("type"):
        case "message":
            return _read_message(value, item_id)
        case "function_call":
            return Item(
                id=item_id,
                type="function_call",
                name=_read("name", Text(128), value.get("name")),
                call_id=_optional("call_id", _ID, value.get("call_id")) or new_id,
                arguments=_optional("arguments", Text(MOST_TEXT), value.get("arguments")),
            )
        case "function_call_output":
            return Item(
                id=item_id,
                type="function_call_output",
                call_id=_read("call_id", _ID, value.get("call_id")),
                output=_read("output", Text(MOST_TEXT), value.get("output")),
            )
        case _:
            raise Refused("one of message, function_call, function_call_output", "type")


def _read_message(value: dict[str, object], item_id: str) -> Item:
    role = value.get("role")
    if role == "developer":
        role = "system"
    if role not in ("system", "user", "assistant"):
        raise Refused("one of system, user, assistant", "role")
    parts = value.get("content")
    if not isinstance(parts, list) or len(parts) > _MOST_PARTS:
        raise Refused(f"an array of at most {_MOST_PARTS} parts", "content")
    content = tuple(_read_part(part, role, f"content[{index}]") for index, part in enumerate(parts))
    if sum(len(part.text or "") for part in content) > MOST_TEXT:
        raise Refused(f"at most {MOST_TEXT} characters", "content")
    return Item(id=item_id, role=role, content=content)


def _read_part(value: object, role: str, where: str) -> Content:
    if not isinstance(value, dict):
        raise Refused("an object", where)
    kind = value.get("type")
    kind = _FORMER.get(str(kind), kind) if role == "assistant" else kind
    if kind not in _CONTENT[role]:
        raise Refused("one of " + ", ".join(_CONTENT[role]), f"{where}.type")
    if kind in ("input_text", "output_text"):
        return Content(kind, _read(f"{where}.text", Text(MOST_TEXT), value.get("text")))  # type: ignore[arg-type]
    words = value.get("transcript")
    text = None if words is None else _read(f"{where}.transcript", Text(MOST_TEXT), words)
    audio = value.get("audio") if kind == "input_audio" else None
    if audio is None:
        return Content(kind, text)  # type: ignore[arg-type]
    return Content("input_audio", text, decode_audio(audio, f"{where}.audio"))


def decode_audio(value: object, where: str) -> bytes:
    """The bytes of a base64 field.

    Raises:
        Refused: If it is none.
    """
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise Refused("audio in base64", where)


def _optional(where: str, rule: Text, value: object) -> str:
    """A text; empty where it is absent or null."""
    return "" if value is None else _read(where, rule, value)


def _read(where: str, rule: Text, value: object) -> str:
    if value is None:
        raise Refused("", where)
    try:
        return rule.read(value)
    except Refused as refused:
        raise Refused(refused.expected, where) from None
