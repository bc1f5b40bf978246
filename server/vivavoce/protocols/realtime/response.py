"""One response of the assistant, told in the order that clients rely on; whatever follows its end is dropped.

response.created
  response.output_item.added, conversation.item.added, response.content_part.added     a message begins
    transcript and audio deltas, or text deltas
  their done, response.content_part.done, response.output_item.done, conversation.item.done
  response.output_item.added, conversation.item.added, arguments deltas, ...           a function call
response.done                                                                          exactly once
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vivavoce.errors import VivaVoceError
from vivavoce.protocols.realtime.audio_format import SAMPLE_BYTES, AudioFormat, write_format
from vivavoce.protocols.realtime.conversation import Conversation
from vivavoce.protocols.realtime.items import Content, Item, ItemStatus
from vivavoce.protocols.realtime.outbox import LONGEST_AUDIO, LONGEST_TEXT, Outbox
from vivavoce.protocols.realtime.session_config import Modality
from vivavoce.protocols.realtime.tools import FunctionTool, ToolChoice

ResponseStatus = Literal["completed", "cancelled", "failed", "incomplete"]
Reason = Literal["turn_detected", "client_cancelled", "max_output_tokens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOptions:
    """How to answer, after the session's settings and the client's wishes for this response.

    Attributes:
        id: the response's.
        in_conversation: False: it answers aside, and neither reads nor changes the conversation unless `input` says so.
        input: what to answer to; None: the conversation.
        referred: ids of those that are items of the conversation: as they are when they are answered.
        metadata: the client's, given back.
    """

    id: str
    in_conversation: bool = True
    input: tuple[Item, ...] | None = None
    referred: frozenset[str] = frozenset()
    instructions: str = ""
    modalities: tuple[Modality, ...] = ("audio",)
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    max_output_tokens: int | None = None
    output_format: AudioFormat = "audio/pcm"
    voice: str = "default"
    speed: float = 1.0
    metadata: Mapping[str, str] | None = None

    @property
    def reads_conversation(self) -> bool:
        """Whether it answers to something that may still be on its way to be understood."""
        return self.in_conversation or self.input is None or bool(self.referred)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of the chat model, as far as it counts them."""

    input_tokens: int = 0
    output_tokens: int = 0

    def to_wire(self) -> dict[str, object]:
        """With the sums that typed clients ask for."""
        details = {"text_tokens": self.input_tokens, "audio_tokens": 0, "cached_tokens": 0}
        return {
            "total_tokens": self.input_tokens + self.output_tokens,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "input_token_details": details,
            "output_token_details": {"text_tokens": self.output_tokens, "audio_tokens": 0},
        }


@dataclass(slots=True)
class _Open:
    """The output item that is being told."""

    item: Item
    index: int
    pieces: list[str] = field(default_factory=list)  # of its words, or of its arguments
    audio: bytes = b""  # less than a sample


class Response:
    """Tells one response. Made by the session machine when the response was created.

    Args:
        options: how it is to be answered.
        outbox: where its events go.
        conversation: where its items go, if it is part of it.
        new_id: makes ids.

    Attributes:
        is_done: its `response.done` was told.
        item_id: the message that is being told, or the last one.
    """

    def __init__(
        self, options: ResponseOptions, outbox: Outbox, conversation: Conversation, new_id: Callable[[str], str]
    ) -> None:
        self.options = options
        self.is_done = False
        self.item_id: str | None = None
        self._outbox = outbox
        self._conversation = conversation
        self._new_id = new_id
        self._items: list[Item] = []
        self._open: _Open | None = None
        outbox.send("response.created", response=self._wire("in_progress"))

    @property
    def id(self) -> str:
        """The response's id."""
        return self.options.id

    # -- a message -----------------------------------------------------------------------------------------------------

    def say(self, delta: str) -> None:
        """More words of the message: of its transcript, or of its text where no sound is wanted."""
        if self.is_done or not delta:
            return
        message = self._message()
        message.pieces.append(delta)
        kind = "output_audio_transcript" if self._speaks else "output_text"
        for at in range(0, len(delta), LONGEST_TEXT):
            piece = delta[at : at + LONGEST_TEXT]
            self._outbox.send(f"response.{kind}.delta", **self._place(message), content_index=0, delta=piece)

    def sound(self, data: bytes) -> None:
        """More sound of the message, in the session's format."""
        if self.is_done or not self._speaks or not data:
            return
        message = self._message()
        data = message.audio + data
        whole = len(data) - len(data) % SAMPLE_BYTES[self.options.output_format]
        message.audio = data[whole:]
        for at in range(0, whole, LONGEST_AUDIO):
            piece = base64.b64encode(data[at : min(at + LONGEST_AUDIO, whole)]).decode("ascii")
            place = self._place(message)
            self._outbox.send_sound(self.id, "response.output_audio.delta", **place, content_index=0, delta=piece)

    def end_message(self, status: ItemStatus = "completed") -> None:
        """The message is whole; nothing where none is open."""
        if self._open is not None and self._open.item.type == "message":
            self._close_message(self._open, status)

    def _message(self) -> _Open:
        if self._open is not None and self._open.item.type == "message":
            return self._open
        self._close_open("completed")
        kind: Literal["output_audio", "output_text"] = "output_audio" if self._speaks else "output_text"
        item = Item(id=self._new_id("item"), role="assistant", status="in_progress")
        message = self._begin(item)
        self.item_id = item.id
        message.item = dataclasses.replace(item, content=(Content(kind, ""),))
        self._outbox.send(
            "response.content_part.added", **self._place(message), content_index=0, part=self._part(message)
        )
        return message

    def _close_message(self, message: _Open, status: ItemStatus) -> None:
        words, place = "".join(message.pieces), self._place(message)
        message.item = dataclasses.replace(message.item.with_text(words), status=status)
        if self._speaks:
            self._outbox.send("response.output_audio.done", **place, content_index=0)
            self._outbox.send("response.output_audio_transcript.done", **place, content_index=0, transcript=words)
        else:
            self._outbox.send("response.output_text.done", **place, content_index=0, text=words)
        self._outbox.send("response.content_part.done", **place, content_index=0, part=self._part(message))
        self._end(message)

    def _part(self, message: _Open) -> dict[str, object]:
        words = "".join(message.pieces)
        return {"type": "audio", "transcript": words} if self._speaks else {"type": "text", "text": words}

    # -- a function call -----------------------------------------------------------------------------------------------

    def call(self, call_id: str, name: str, arguments: str = "") -> None:
        """A function is to be called; its arguments may follow in pieces."""
        if self.is_done:
            return
        self._close_open("completed")
        item = Item(id=self._new_id("item"), type="function_call", status="in_progress", call_id=call_id, name=name)
        self._begin(item)
        self.add_arguments(arguments)

    def add_arguments(self, delta: str) -> None:
        """More of the open call's arguments, in JSON."""
        call = self._open
        if self.is_done or call is None or call.item.type != "function_call" or not delta:
            return
        call.pieces.append(delta)
        for at in range(0, len(delta), LONGEST_TEXT):
            place = self._place(call)
            piece = delta[at : at + LONGEST_TEXT]
            self._outbox.send("response.function_call_arguments.delta", **place, call_id=call.item.call_id, delta=piece)

    def end_call(self, status: ItemStatus = "completed") -> None:
        """The open call is whole; nothing where none is open."""
        if self._open is not None and self._open.item.type == "function_call":
            self._close_call(self._open, status)

    def _close_call(self, call: _Open, status: ItemStatus) -> None:
        arguments = "".join(call.pieces)
        call.item = dataclasses.replace(call.item, arguments=arguments, status=status)
        names = {"call_id": call.item.call_id, "name": call.item.name}
        kind = "response.function_call_arguments.done"
        self._outbox.send(kind, **self._place(call), **names, arguments=arguments)
        self._end(call)

    # -- the end -------------------------------------------------------------------------------------------------------

    def finish(
        self,
        status: ResponseStatus = "completed",
        *,
        reason: Reason | None = None,
        error: VivaVoceError | None = None,
        usage: Usage | None = None,
    ) -> None:
        """The response's one end; later calls do nothing. Sound that was not sent yet is taken back unless it is whole.

        Args:
            reason: why it was cancelled, or is incomplete.
            error: why it failed.
            usage: of the chat model.
        """
        if self.is_done:
            return
        if status == "cancelled":
            self._outbox.withdraw_sound(self.id)
        self._close_open("completed" if status == "completed" else "incomplete")
        self.is_done = True
        details: dict[str, object] = {"type": status}
        if reason is not None:
            details["reason"] = reason
        if error is not None:
            details["error"] = {"type": error.type, "code": error.code, "message": error.message}
        wire = self._wire(status) | {"usage": (usage or Usage()).to_wire()}
        self._outbox.send(
            "response.done", response=wire if status == "completed" else wire | {"status_details": details}
        )

    def _wire(self, status: str) -> dict[str, object]:
        options = self.options
        wire: dict[str, object] = {
            "id": options.id,
            "object": "realtime.response",
            "status": status,
            "output": [item.to_wire() for item in self._items],
            "output_modalities": list(options.modalities),
            "max_output_tokens": "inf" if options.max_output_tokens is None else options.max_output_tokens,
            "audio": {"output": {"format": write_format(options.output_format), "voice": options.voice}},
        }
        return wire if options.metadata is None else wire | {"metadata": dict(options.metadata)}

    # -- items ---------------------------------------------------------------------------------------------------------

    @property
    def _speaks(self) -> bool:
        return "audio" in self.options.modalities

    def _place(self, opened: _Open) -> dict[str, object]:
        return {"response_id": self.id, "item_id": opened.item.id, "output_index": opened.index}

    def _begin(self, item: Item) -> _Open:
        self._open = _Open(item, len(self._items))
        place = {"response_id": self.id, "output_index": self._open.index}
        self._outbox.send("response.output_item.added", **place, item=item.to_wire())
        if self.options.in_conversation:
            self._conversation.begin(item)
        return self._open

    def _end(self, opened: _Open) -> None:
        item, self._open = opened.item, None
        self._items.append(item)
        place = {"response_id": self.id, "output_index": opened.index}
        self._outbox.send("response.output_item.done", **place, item=item.to_wire())
        if self.options.in_conversation:
            self._conversation.finish(item)

    def _close_open(self, status: ItemStatus) -> None:
        self.end_message(status)
        self.end_call(status)
