"""The rules of one native stream session, without I/O: what a message of the client means now.

`receive_message` turns a message into events for the server to act on; the server tells `session.outbox` what it
speaks, and `messages_to_send` gives what the client is due. Knows no clock (times are arguments), no socket and no
synthesizer. `vivavoce.speaking.live_session` drives it, for WebSockets and data channels alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import Enum, auto
from typing import assert_never

from vivavoce.errors import ProtocolError, RateLimited, UnsupportedFormat, VivaVoceError
from vivavoce.format_names import format_named
from vivavoce.languages import language_code
from vivavoce.protocols.commands import AskHeard, Begin, Cancel, Close, Command, End, Flush, Played, Write
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
from vivavoce.protocols.native.messages import parse
from vivavoce.protocols.native.outbox import Outbox
from vivavoce.protocols.native.server_messages import ErrorMessage, Limits, SessionCreated, VoiceSummary
from vivavoce.protocols.rate import RateWindow

_CLOSING_ERRORS = frozenset({1003, 1007, 1009})  # wrong kind of data, not UTF-8, too big: the peer cannot be read


class _Input(Enum):
    """What becomes of the next piece of text."""

    IDLE = auto()  # it begins an utterance
    WRITING = auto()  # it belongs to the last utterance; where that one has failed it is dropped
    CANCELLED = auto()  # it begins an utterance, but an `input.done` still belongs to the cancelled one
    REFUSED = auto()  # it is dropped until `input.done`: its utterance was not accepted


class Session:
    """One connection's side of the protocol.

    Args:
        session_id: told to the client, and written to the log.
        limits: enforced here as far as they concern messages, and published.
        voices: published.

    Attributes:
        outbox: where the server tells what it speaks.
    """

    def __init__(self, session_id: str, limits: Limits, voices: Sequence[VoiceSummary] = ()) -> None:
        self.session_id = session_id
        self.limits = limits
        self.outbox = Outbox()
        self._config = SessionConfig()
        self._input = _Input.IDLE
        self._half_character = ""  # a high surrogate whose other half is in the next delta
        self._begun = 0  # utterances so far; the last one's index is one less
        self._controls = RateWindow(limits.max_controls_per_s, 1.0)
        self._errors = RateWindow(limits.max_errors_per_10_s, 10.0)
        self._closed = False
        self.outbox.send(SessionCreated(session_id=session_id, limits=limits, voices=tuple(voices)))

    def receive_message(self, data: str | bytes, now: float) -> list[Command]:
        """Take one message of the client; never raises for what it holds.

        Args:
            data: a text message, or the bytes of a binary one (which are refused).
            now: seconds on any clock that does not go back.
        """
        if self._closed:
            return []
        try:
            self._check_size(data)
            return self._act(parse(data), now)
        except VivaVoceError as error:
            return self.report(error, now)

    def report(self, error: VivaVoceError, now: float, utterance_index: int | None = None) -> list[Command]:
        """Tell the client of an error; too many of them, or one that makes it unreadable, close the connection."""
        self.outbox.send(ErrorMessage.of(error, utterance_index))
        too_many = not self._errors.add(now)
        if isinstance(error, ProtocolError) and error.close_code in _CLOSING_ERRORS:
            return self._close(error.close_code, error.code)
        return self._close(1008, "too many errors") if too_many else []

    def messages_to_send(self) -> list[str | bytes]:
        """What the client is due, in order; each message is given once."""
        return self.outbox.take()

    # -- the rules -------------------------------------------------------------------------------------------------

    def _act(self, message: ClientMessage, now: float) -> list[Command]:
        if isinstance(message, SessionConfig | InputFlush | InputCancel) and not self._controls.add(now):
            limit = self.limits.max_controls_per_s
            flood = RateLimited(f"more than {limit} control messages in a second", retry_after_s=1.0)
            return self.report(flood, now) or self._close(1008, flood.code)
        match message:
            case SessionConfig():
                return self._configure(message)
            case InputText():
                return self._text(message.text)
            case InputFlush():
                return [Flush(self._last)] if self._is_writing() else []
            case InputDone():
                return self._done()
            case InputCancel():
                return self._cancel()
            case PlaybackPosition():
                return self._played(message)
            case SessionClose():
                return [*self._cancel_all(), *self._close(1000, "bye")]
            case _:
                assert_never(message)

    @property
    def _last(self) -> int:
        """Index of the utterance that began last."""
        return self._begun - 1

    def _is_writing(self) -> bool:
        return self._input is _Input.WRITING and self.outbox.is_open(self._last)

    def _configure(self, config: SessionConfig) -> list[Command]:
        if config.response_format == "":  # not set, as over HTTP
            config = dataclasses.replace(config, response_format=None)
        if config.response_format is not None:
            named = format_named(config.response_format)
            if named.name not in self.limits.formats:
                raise UnsupportedFormat(config.response_format, self.limits.formats)
            rate = config.sample_rate or named.sample_rate
            config = dataclasses.replace(config, response_format=named.name, sample_rate=rate)
        if config.language is not None:
            config = dataclasses.replace(config, language=language_code(config.language))
        given = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
        changes = {name: value for name, value in given.items() if value is not None}
        self._config = dataclasses.replace(self._config, **changes)
        return []

    def _text(self, delta: str) -> list[Command]:
        begin: list[Command] = []
        if delta and self._input in (_Input.IDLE, _Input.CANCELLED):
            self._input = _Input.REFUSED  # unless it can begin
            begin = self._begin()
            self._input = _Input.WRITING
        if not delta or not self._is_writing():
            return begin
        text = self._whole_characters(delta)
        return [*begin, Write(self._last, text)] if text else begin

    def _begin(self) -> list[Command]:
        waiting = self.limits.max_pending_utterances
        if len(self.outbox.open_utterances) > waiting:
            raise ProtocolError(f"{waiting} utterances are waiting already", code="too_many_utterances")
        self._begun += 1
        self._half_character = ""
        self.outbox.begin(self._last, base64=self._config.audio == "base64")
        return [Begin(self._last, self._config)]

    def _whole_characters(self, delta: str) -> str:
        """The text up to the last whole character; halves that never meet become U+FFFD.

        A client that cuts its deltas by UTF-16 units, as JavaScript does, may cut a character in two.
        """
        text = self._half_character + delta
        self._half_character = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        whole = text[: len(text) - len(self._half_character)]
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _done(self) -> list[Command]:
        before, self._input = self._input, _Input.IDLE
        if before is _Input.IDLE:
            return [*self._begin(), End(self._last)]
        ends = before is _Input.WRITING and self.outbox.is_open(self._last)
        return [End(self._last)] if ends else []

    def _cancel(self) -> list[Command]:
        cancels = self._cancel_all()
        return cancels if cancels or not self._begun else [AskHeard(self._last)]

    def _cancel_all(self) -> list[Command]:
        if self._input is not _Input.IDLE:
            self._input = _Input.CANCELLED
        return [Cancel(index) for index in self.outbox.open_utterances]

    def _played(self, message: PlaybackPosition) -> list[Command]:
        if message.utterance_index >= self._begun:
            raise ProtocolError("no such utterance has begun", code="unknown_utterance")
        return [Played(message.utterance_index, message.played_ms / 1000)]

    def _close(self, code: int, reason: str) -> list[Command]:
        if self._closed:
            return []
        self._closed = True
        return [Close(code, reason)]

    def _check_size(self, data: str | bytes) -> None:
        limit = self.limits.max_message_bytes
        size = len(data.encode("utf-8", "surrogatepass")) if isinstance(data, str) else len(data)
        if size > limit:
            error = f"the message is larger than the limit of {limit} bytes"
            raise ProtocolError(error, code="payload_too_large", close_code=1009)
