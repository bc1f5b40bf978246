"""The rules of one Realtime session, without I/O: what an event of the client means now, and what the client is due.

`receive_message` turns an event into commands for the server; the server tells the session what it hears and says, and
`messages_to_send` gives what the client is due. Knows no clock (times are arguments), no socket, no model. The
WebSocket and the data channel `oai-events` are driven alike.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from vivavoce.errors import ProtocolError, RateLimited, VivaVoceError
from vivavoce.protocols.commands import Close
from vivavoce.protocols.fields import Refused
from vivavoce.protocols.rate import RateWindow
from vivavoce.protocols.realtime.audio_format import duration_ms
from vivavoce.protocols.realtime.client_events import (
    ClientEvent,
    InputAudioAppend,
    InputAudioClear,
    InputAudioCommit,
    ItemCreate,
    ItemDelete,
    ItemRetrieve,
    ItemTruncate,
    OutputAudioClear,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
    load,
    parse,
    refusal,
    refused_field,
)
from vivavoce.protocols.realtime.commands import (
    Cancel,
    ClearInput,
    ClearOutput,
    Command,
    Commit,
    Configure,
    Hear,
    HearItem,
    Respond,
    Truncate,
)
from vivavoce.protocols.realtime.conversation import Conversation
from vivavoce.protocols.realtime.items import Item, decode_audio, read_item
from vivavoce.protocols.realtime.outbox import Outbox
from vivavoce.protocols.realtime.response import Response, ResponseOptions
from vivavoce.protocols.realtime.response_options import read_options
from vivavoce.protocols.realtime.responses import Responses
from vivavoce.protocols.realtime.session_config import Extra, SessionConfig
from vivavoce.protocols.realtime.sound_budget import SoundBudget
from vivavoce.protocols.realtime.user_input import SHORTEST_MS, UserInput

_CLOSING_ERRORS = frozenset({1003, 1007, 1009})  # wrong kind of data, not UTF-8, too big: the peer cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a client of a conversation may send and keep."""

    max_message_bytes: int = 512 * 1024
    max_session_bytes: int = 500_000  # it is told whole, in one message: clients take none above 512 KiB
    max_events_per_s: int = 200  # besides sound: a client may bring a long history at once
    max_errors_per_10_s: int = 20
    max_responses: int = 4  # at once; one of them in the conversation
    max_waiting_s: float = 300.0  # sound that the client has to commit
    audio_burst_s: float = 120.0  # sound that may come faster than it plays
    audio_rate: float = 2.0  # seconds of it a second, over time


def random_id(kind: str) -> str:
    """An id that nobody guesses: "item_4f..."."""
    return f"{kind}_{secrets.token_hex(10)}"


class RealtimeSession:
    """One connection's side of the protocol.

    Args:
        session_id: told to the client.
        config: before its first update.
        limits: enforced here.
        check: raises for a configuration that this server cannot serve (an unknown voice).
        new_id: makes ids of items and responses.

    Attributes:
        config: as it is now.
        outbox: what waits to be sent.
        conversation: its items.
        input: where the server tells what it hears.
        responses: where it finds what it has to say.
    """

    def __init__(
        self,
        session_id: str,
        config: SessionConfig,
        limits: Limits | None = None,
        *,
        check: Callable[[SessionConfig], None] | None = None,
        new_id: Callable[[str], str] = random_id,
    ) -> None:
        self.session_id = session_id
        self.config = config
        self.limits = limits or Limits()
        self.outbox = Outbox()
        self.conversation = Conversation(self.outbox)
        self.input = UserInput(self.outbox, self.conversation, new_id)
        self.responses = Responses(self.outbox, self.conversation, new_id)
        self._check = check
        self._new_id = new_id
        self._budget = SoundBudget(self.limits.audio_burst_s, self.limits.audio_rate)
        self._events = RateWindow(self.limits.max_events_per_s, 1.0)
        self._errors = RateWindow(self.limits.max_errors_per_10_s, 10.0)
        self._closed = False
        self._tell_session("session.created")

    # -- the client ----------------------------------------------------------------------------------------------------

    def receive_message(self, data: str | bytes, now: float) -> list[Command]:
        """Take one event of the client; never raises for what it holds.

        Args:
            data: a text message, or the bytes of a binary one (which are refused).
            now: seconds on any clock that does not go back.
        """
        if self._closed:
            return []
        event_id: str | None = None
        try:
            self._check_size(data)
            fields, event_id = load(data)
            return self._act(parse(fields), now)
        except Refused as refused:
            return self.report(refused_field(refused), now, event_id)
        except VivaVoceError as error:
            return self.report(error, now, event_id)

    def report(self, error: VivaVoceError, now: float, event_id: str | None = None) -> list[Command]:
        """Tell the client of an error; too many of them, or one that makes it unreadable, close the connection.

        Args:
            event_id: the client's event that caused it.
        """
        body: dict[str, object] = {"type": error.type, "code": error.code, "message": error.message}
        pairs = (("param", error.param), ("event_id", event_id))
        self.outbox.send("error", error=body | {name: value for name, value in pairs if value is not None})
        too_many = not self._errors.add(now)
        if isinstance(error, ProtocolError) and error.close_code in _CLOSING_ERRORS:
            return self._close(error.close_code, error.code)
        return self._close(1008, "too many errors") if too_many else []

    def messages_to_send(self) -> list[str | bytes]:
        """What the client is due, in order; each message is given once."""
        return self.outbox.take()

    # -- the server ----------------------------------------------------------------------------------------------------

    def respond(self) -> Response | None:
        """Answer without being asked: the user has finished. None where an answer is under way, or none is wanted."""
        if self.responses.active is not None or self.config.type != "realtime":
            return None
        return self.responses.begin(self.next_options())

    def next_options(self) -> ResponseOptions:
        """How a response is made that the client does not ask for."""
        return read_options({}, self.config, self._new_id, self.conversation.get)

    def heard(self, item_id: str, text: str) -> None:
        """The listener has heard only these words of a message of the assistant."""
        item = self.conversation.get(item_id)
        if item is not None and item.content:
            self.conversation.replace(item.with_text(text))

    def tell(self, extra: Extra, **fields: object) -> None:
        """An event of our own (`vivavoce.words`, `vivavoce.metrics`), where the client has asked for such events."""
        if extra in self.config.extras:
            self.outbox.send(f"vivavoce.{extra}", **fields)

    # -- the rules -----------------------------------------------------------------------------------------------------

    def _act(self, event: ClientEvent, now: float) -> list[Command]:
        if isinstance(event, InputAudioAppend):
            return self._append(event, now)
        if not self._events.add(now):
            limit = self.limits.max_events_per_s
            flood = RateLimited(f"more than {limit} events in a second", retry_after_s=1.0)
            return self.report(flood, now) or self._close(1008, flood.code)
        match event:
            case SessionUpdate():
                return self._configure(event.session)
            case InputAudioCommit():
                return self._commit()
            case InputAudioClear():
                return self._clear()
            case ItemCreate():
                return self._create(event)
            case ItemTruncate():
                return self._truncate(event)
            case ItemRetrieve(item_id=item_id):
                self.outbox.send("conversation.item.retrieved", item=self._known(item_id, "retrieve").to_wire())
                return []
            case ItemDelete(item_id=item_id):
                self.conversation.remove(self._known(item_id, "delete").id)
                self.outbox.send("conversation.item.deleted", item_id=item_id)
                return []
            case ResponseCreate():
                return self._respond(event.response or {})
            case ResponseCancel():
                return self._cancel(event.response_id)
            case OutputAudioClear():
                self.responses.sound_stopped(cleared=True)
                return [ClearOutput()]
            case _:
                assert_never(event)

    def _configure(self, update: Mapping[str, object]) -> list[Command]:
        before = self.config
        try:
            config = before.updated(update)
        except Refused as refused:
            raise refused_field(refused, "session") from None
        if config.input_format != before.input_format and self.input.waiting_ms:
            raise refusal("invalid_value", "the format cannot change while sound waits", "session.audio.input.format")
        if self._check is not None:
            self._check(config)
        if len(json.dumps(config.to_wire(), ensure_ascii=False).encode()) > self.limits.max_session_bytes:
            raise refusal(
                "session_too_large", f"a session has at most {self.limits.max_session_bytes} bytes", "session"
            )
        self.config = config
        self._tell_session("session.updated")
        return [Configure(config, before)]

    def _append(self, event: InputAudioAppend, now: float) -> list[Command]:
        data = decode_audio(event.audio, "audio")
        sound_ms, limits = duration_ms(self.config.input_format, len(data)), self.limits
        if self.config.turn_detection is None and self.input.waiting_ms + sound_ms > 1000 * limits.max_waiting_s:
            full = f"the buffer holds {limits.max_waiting_s:g} s of audio, the most it can: commit or clear it"
            raise refusal("input_audio_buffer_full", full)
        if not self._budget.take(sound_ms, now):
            rate = f"more than {limits.audio_burst_s:g} s of sound ahead of {limits.audio_rate:g} times real time"
            raise RateLimited(rate, retry_after_s=1.0)
        self.input.hear(sound_ms)
        return [Hear(data, self.config.input_format)] if data else []

    def _commit(self) -> list[Command]:
        if self.input.waiting_ms < SHORTEST_MS:
            waiting = f"the buffer holds {self.input.waiting_ms:.2f} ms of audio; at least 100 ms are needed"
            raise refusal("input_audio_buffer_commit_empty", f"Error committing input audio buffer: {waiting}")
        return [Commit(self.input.commit())]

    def _clear(self) -> list[Command]:
        self.input.clear()
        return [ClearInput()]

    def _create(self, event: ItemCreate) -> list[Command]:
        item = self._read_item(event.item, "item")
        if item.id in self.conversation or item.id == self.input.item_id:
            raise refusal("item_create_duplicate_item_id", "an item of that id exists already", "item.id")
        after = event.previous_item_id or self.conversation.last
        if after == "root":
            after = None
        elif after is not None and after not in self.conversation:
            raise refusal("item_create_invalid_previous_item_id", "there is no such item", "previous_item_id")
        self.conversation.add(item, after)
        said = enumerate(item.content)
        return [HearItem(item.id, at, part.audio, self.config.input_format) for at, part in said if part.audio]

    def _truncate(self, event: ItemTruncate) -> list[Command]:
        """Never refused for its length or its lateness: clients send it for messages that were heard whole."""
        self._known(event.item_id, "truncate")
        end_ms = round(event.audio_end_ms)
        kind = "conversation.item.truncated"
        self.outbox.send(kind, item_id=event.item_id, content_index=event.content_index, audio_end_ms=end_ms)
        return [Truncate(event.item_id, event.audio_end_ms / 1000)]

    def _respond(self, wishes: Mapping[str, object]) -> list[Command]:
        if self.config.type != "realtime":
            raise refusal("invalid_event", "a transcription session has no responses", "type")
        try:
            options = read_options(wishes, self.config, self._new_id, self.conversation.get)
        except Refused as refused:
            raise refused_field(refused, "response") from None
        if self._check is not None:
            self._check(dataclasses.replace(self.config, voice=options.voice))
        active = self.responses.active
        if options.in_conversation and active is not None:
            busy = f"Conversation already has an active response in progress: {active.id}. Wait until it is finished."
            raise refusal("conversation_already_has_active_response", busy)
        if len(self.responses.open) >= self.limits.max_responses:
            raise refusal("too_many_responses", f"{self.limits.max_responses} responses are in progress already")
        return [Respond(self.responses.begin(options))]

    def _cancel(self, response_id: str | None) -> list[Command]:
        response = self.responses.find(response_id)
        if response is None:
            raise refusal("response_cancel_not_active", "Cancellation failed: no active response found")
        response.finish("cancelled", reason="client_cancelled")
        return [Cancel(response)]

    # -- items ---------------------------------------------------------------------------------------------------------

    def _read_item(self, value: object, where: str) -> Item:
        try:
            return read_item(value, self._new_id("item"))
        except Refused as refused:
            raise refused_field(refused, where) from None

    def _known(self, item_id: str, action: str) -> Item:
        item = self.conversation.get(item_id)
        if item is None:
            raise refusal(f"item_{action}_invalid_item_id", "there is no such item in the conversation", "item_id")
        return item

    # -- the connection ------------------------------------------------------------------------------------------------

    def _tell_session(self, kind: str) -> None:
        self.input.tells_words = self.config.transcription is not None or self.config.type == "transcription"
        name = "realtime.session" if self.config.type == "realtime" else "realtime.transcription_session"
        self.outbox.send(kind, session={"id": self.session_id, "object": name, **self.config.to_wire()})

    def _close(self, code: int, reason: str) -> list[Command]:
        if self._closed:
            return []
        self._closed = True
        return [Close(code, reason)]

    def _check_size(self, data: str | bytes) -> None:
        limit = self.limits.max_message_bytes
        size = len(data)
        if size <= limit and isinstance(data, str) and not data.isascii():
            size = len(data.encode("utf-8", "surrogatepass"))
        if size > limit:
            error = f"the message is larger than the limit of {limit} bytes"
            raise ProtocolError(error, code="payload_too_large", close_code=1009)
