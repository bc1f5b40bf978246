"""The rules of one listening session, without I/O: what a message of the client means now, and what it is due.

Sound that comes while nothing is being listened to begins a stream; `input.done` ends it. Each stream ends in exactly
one `session.done`, and what is still said of it afterwards is dropped. `vivavoce.captions.live_captions` drives it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

from vivavoce.errors import ProtocolError, RateLimited, VivaVoceError
from vivavoce.protocols.captions.messages import (
    ClientMessage,
    Final,
    InputDone,
    InputFlush,
    Limits,
    ListenConfig,
    Partial,
    ServerMessage,
    SessionClose,
    SessionCreated,
    SessionDone,
    SpeechStarted,
    SpeechStopped,
    Status,
    parse,
    serialize,
)
from vivavoce.protocols.commands import Close
from vivavoce.protocols.native.server_messages import ErrorMessage, SessionClosing
from vivavoce.protocols.rate import RateWindow

_CLOSING_ERRORS = frozenset({1003, 1007, 1009})  # wrong kind of data, not UTF-8, too big: the peer cannot be read
Told = SpeechStarted | SpeechStopped | Partial | Final


@dataclass(frozen=True, slots=True)
class Begin:
    """Command: a new stream of sound begins."""

    stream: int
    config: ListenConfig


@dataclass(frozen=True, slots=True)
class Sound:
    """Command: hear more sound of the stream."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """Command: hear what was said so far as if it were the end."""


@dataclass(frozen=True, slots=True)
class End:
    """Command: no more sound of the stream will come."""


Command = Begin | Sound | Flush | End | Close


class _Input(Enum):
    """What becomes of the next piece of sound."""

    IDLE = auto()  # it begins a stream
    LISTENING = auto()  # it belongs to the last stream
    REFUSED = auto()  # it is dropped until `input.done`: its stream has failed


class CaptionSession:
    """One connection's side of the protocol.

    Args:
        session_id: told to the client.
        limits: enforced here as far as they concern messages, and published.
        models: published.
    """

    def __init__(self, session_id: str, limits: Limits, models: Iterable[str] = ()) -> None:
        self.session_id = session_id
        self.limits = limits
        self._config = ListenConfig()
        self._input = _Input.IDLE
        self._streams = 0  # that have begun
        self._open: list[int] = []  # streams whose words are still to come, in order
        self._controls = RateWindow(limits.max_controls_per_s, 1.0)
        self._errors = RateWindow(limits.max_errors_per_10_s, 10.0)
        self._waiting: list[ServerMessage] = []
        self._closed = False
        self._waiting.append(SessionCreated(session_id=session_id, limits=limits, models=tuple(models)))

    def receive_message(self, data: str | bytes, now: float) -> list[Command]:
        """Take one message of the client; never raises for what it holds."""
        if self._closed:
            return []
        try:
            self._check_size(data)
            return self._sound(data) if isinstance(data, bytes) else self._act(parse(data), now)
        except VivaVoceError as error:
            return self.report(error, now)

    def microphone(self) -> list[Command]:
        """Sound comes by a track of its own: what begins because of it."""
        return [] if self._closed else self._begin()

    def report(self, error: VivaVoceError, now: float) -> list[Command]:
        """Tell the client of an error; too many of them, or one that makes it unreadable, close the connection."""
        self._waiting.append(ErrorMessage.of(error))
        too_many = not self._errors.add(now)
        if isinstance(error, ProtocolError) and error.close_code in _CLOSING_ERRORS:
            return self._close(error.close_code, error.code)
        return self._close(1008, "too many errors") if too_many else []

    def tell(self, stream: int, message: Told) -> None:
        """Something was heard; a guess that nobody has taken yet gives way to the next word on its segment."""
        if stream not in self._open:
            return
        if isinstance(message, Partial | Final):
            self._waiting = [
                each for each in self._waiting if not (isinstance(each, Partial) and each.segment == message.segment)
            ]
        self._waiting.append(message)

    def finish(self, stream: int, status: Status, *, duration_ms: int, segments: int) -> None:
        """A stream is over; the second end of one is none."""
        if stream not in self._open:
            return
        self._open.remove(stream)
        if status == "failed" and stream + 1 == self._streams and self._input is _Input.LISTENING:
            self._input = _Input.REFUSED
        self._waiting.append(SessionDone(status=status, duration_ms=duration_ms, segments=segments))

    def announce_closing(self, reason: str) -> None:
        """Tell the client that the server will close the connection."""
        self._waiting.append(SessionClosing(reason))

    @property
    def is_listening(self) -> bool:
        """Whether words of a stream are still to come."""
        return bool(self._open)

    def messages_to_send(self) -> list[str | bytes]:
        """What the client is due, in order; each message is given once."""
        messages: list[str | bytes] = [serialize(message) for message in self._waiting]
        self._waiting.clear()
        return messages

    # -- the rules

    def _act(self, message: ClientMessage, now: float) -> list[Command]:
        if not isinstance(message, SessionClose) and not self._controls.add(now):
            limit = self.limits.max_controls_per_s
            flood = RateLimited(f"more than {limit} control messages in a second", retry_after_s=1.0)
            return self.report(flood, now) or self._close(1008, flood.code)
        match message:
            case ListenConfig():
                return self._configure(message)
            case InputFlush():
                return [Flush()] if self._input is _Input.LISTENING else []
            case InputDone():
                return self._done()
            case SessionClose():
                return self._close(1000, "bye")
            case _:
                assert_never(message)

    def _configure(self, config: ListenConfig) -> list[Command]:
        if self._input is _Input.LISTENING:
            raise ProtocolError("the stream has begun; a config holds from the next one on", code="config_too_late")
        given = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
        changes = {name: value for name, value in given.items() if value is not None}
        self._config = dataclasses.replace(self._config, **changes)
        return []

    def _sound(self, data: bytes) -> list[Command]:
        if not data:
            return []
        begin = self._begin()
        return [*begin, Sound(data)] if self._input is _Input.LISTENING else begin

    def _begin(self) -> list[Command]:
        if self._input is not _Input.IDLE:
            return []
        if len(self._open) > self.limits.max_pending_streams:
            raise ProtocolError("the words of earlier streams are still to come", code="too_many_streams")
        self._input = _Input.LISTENING
        return [Begin(self._next(), self._config)]

    def _done(self) -> list[Command]:
        before, self._input = self._input, _Input.IDLE
        if before is _Input.IDLE and not self._open:  # a stream without sound
            self.finish(self._next(), "completed", duration_ms=0, segments=0)
        return [End()] if before is _Input.LISTENING else []

    def _next(self) -> int:
        self._open.append(self._streams)
        self._streams += 1
        return self._open[-1]

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
