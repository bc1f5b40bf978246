"""One live conversation with a speaker: a session's commands become utterances, one after another.

Carried by a WebSocket or a WebRTC call alike. Those hand it what the client sends, take what the client is due, and
open a `Sink` for each utterance; this module knows neither sockets nor encodings. The session's rules are in
`protocols/native/session.py`. Made by `native_stream.py`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import assert_never

from vivavoce.audio.chunk import Samples
from vivavoce.errors import EmptyInput, EngineError, TextTooLong, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import AskHeard, Begin, Cancel, Close, Command, End, Flush, Played, Write
from vivavoce.protocols.native.client_messages import SessionConfig
from vivavoce.protocols.native.outbox import Outbox
from vivavoce.protocols.native.server_messages import Status
from vivavoce.protocols.native.session import Session
from vivavoce.speaking.live_utterance import LiveUtterance, UtteranceTeller
from vivavoce.speaking.sink import Carrier, SoundFormat
from vivavoce.speaking.wishes import speech_request
from vivavoce.synthesis.speaker import Speaker, Spoken

logger = logging.getLogger(__name__)


class LiveSession:
    """A session, its utterances and their sound.

    Args:
        speaker: speaks.
        session: the rules, and what the client is due.
        carrier: opens a sink when an utterance begins to speak.
        owner: whose connection it is, for admission.
        metrics: counts utterances by their end.
        ahead_s: seconds of audio computed ahead of the listener.
        now: a clock in seconds that does not go back.

    Attributes:
        hears: False: what comes from a microphone is not used.
        closing: set when the connection is to be closed, after everything due was sent.
        active_s: when the client last said something or was sent audio, on the clock.
    """

    def __init__(
        self,
        speaker: Speaker,
        session: Session,
        carrier: Carrier,
        *,
        owner: str,
        metrics: Metrics,
        ahead_s: float = 5.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = session
        self.hears = False
        self.closing: Close | None = None
        self.active_s = now()
        self._now = now
        self._speaker = speaker
        self._carrier = carrier
        self._owner = owner
        self._metrics = metrics
        self._ahead_s = ahead_s
        self._utterances: dict[int, LiveUtterance] = {}  # those not done, and the last one that is
        self._queue: asyncio.Queue[LiveUtterance] = asyncio.Queue()  # bounded by the session's max_pending_utterances
        self._due = asyncio.Event()  # the outbox may hold something
        self._all_sent = asyncio.Event()
        self._draining = False
        self._due.set()

    # -- what the carrier calls ------------------------------------------------------------------------------------

    def receive(self, data: str | bytes) -> None:
        """Act on one message of the client."""
        self.active_s = self._now()
        try:
            self._act(self.session.receive_message(data, self.active_s))
        except Exception:
            logger.exception("a message could not be acted on")
            self._break_off(EngineError("the server failed; its log says why"))
        self._wake_sender()

    def hear(self, samples: Samples) -> None:
        """Sound of the client's microphone; the native stream only speaks."""

    async def next_messages(self) -> list[str | bytes]:
        """What to send next, when there is something; empty: nothing more will come, close the connection.

        Calling it says that everything it gave before was sent.
        """
        while not (messages := self.session.messages_to_send()):
            if self.closing is not None:
                return []
            self._all_sent.set()
            self._due.clear()
            await self._due.wait()
        return messages

    async def run(self) -> None:
        """Speak one utterance after another, until cancelled; then whatever still speaks is stopped."""
        try:
            while True:
                live = await self._queue.get()
                if self._outbox.is_open(live.index):
                    await self._speak_in_task(live)
                self._close_if_drained()
        finally:
            for live in self._utterances.values():
                if self._outbox.is_open(live.index):
                    self._settle(live, "cancelled", outcome="client_gone")

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what is due was sent; the first reason stays. 1001 is announced to the client."""
        if self.closing is None:
            if code == 1001:
                self._outbox.announce_closing(reason)
            self.closing = Close(code, reason)
            self._wake_sender()

    def _break_off(self, error: VivaVoceError) -> None:
        """Nothing more can be said: every open utterance has its end, and the connection has its own."""
        for live in list(self._utterances.values()):
            self._fail(live, error)
            if live.sink is not None:
                live.sink.stop()
            if live.task is not None:
                live.task.cancel()
        self.close(error.close_code, error.code)

    def drain(self) -> None:
        """The server stops: close as soon as nothing is being spoken."""
        self._draining = True
        self._close_if_drained()

    # -- commands --------------------------------------------------------------------------------------------------

    def _act(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Begin(index, config):
                    self._begin(index, config)
                case Write(index, text):
                    self._write(self._utterances[index], text)
                case Flush(index):
                    self._utterances[index].tell(lambda spoken: spoken.flush())
                case End(index):
                    self._utterances[index].tell(lambda spoken: spoken.end())
                case Cancel(index):
                    self._cancel(self._utterances[index])
                case Played(index, position_s):
                    if (live := self._utterances.get(index)) is not None:
                        live.played(position_s, is_open=self._outbox.is_open(index))
                case AskHeard(index):
                    self._tell_heard(index)
                case Close(code, reason):
                    self.close(code, reason)
                case _:
                    assert_never(command)

    def _begin(self, index: int, config: SessionConfig) -> None:
        self._utterances = {i: live for i, live in self._utterances.items() if self._outbox.is_open(i)}
        self._utterances[index] = live = LiveUtterance(index, config)
        self._queue.put_nowait(live)

    def _write(self, live: LiveUtterance, text: str) -> None:
        try:
            if live.utterance is None:
                self._check_waiting(len(text))
            live.write(text)
        except TextTooLong as error:  # nothing of it was taken; the utterance goes on without it
            self._act(self.session.report(error, self._now(), live.index))

    def _check_waiting(self, more: int) -> None:
        limit = self.session.limits.max_buffered_chars
        waiting = sum(live.waiting_chars for live in self._utterances.values()) + more
        if waiting > limit:
            raise TextTooLong(waiting, limit, param="text")

    def _cancel(self, live: LiveUtterance) -> None:
        """Silence in the same tick: told, taken out of the outbox, the engine's block left."""
        heard = live.heard()
        self._tell_heard(live.index)
        if live.sink is not None:
            live.sink.stop()
        self._settle(live, "cancelled", heard=heard and heard[0])
        if live.task is not None:
            live.task.cancel()

    def _tell_heard(self, index: int) -> None:
        live = self._utterances.get(index)
        heard = live.heard() if live is not None else None
        if heard is not None:
            self._outbox.tell_heard(index, heard[0], played_ms=heard[1])

    # -- speaking --------------------------------------------------------------------------------------------------

    async def _speak_in_task(self, live: LiveUtterance) -> None:
        """Speak in a task of its own, so that a cancel ends the utterance and not the connection."""
        live.task = asyncio.create_task(self._speak(live), name=f"utterance-{live.index}")
        try:
            await asyncio.wait([live.task])
        finally:
            live.task.cancel()
            await asyncio.gather(live.task, return_exceptions=True)

    async def _speak(self, live: LiveUtterance) -> None:
        with self._settled(live):  # whatever keeps it from being admitted
            request = await speech_request(
                live.config, self._speaker, self._carrier, owner=self._owner, ahead_s=self._ahead_s
            )
            async with self._speaker.stream(request) as utterance:
                with self._settled(live):  # before the block is left, so that nobody writes to what has ended
                    await self._relay(live, utterance)

    async def _relay(self, live: LiveUtterance, utterance: Spoken) -> None:
        config = live.config
        teller = UtteranceTeller(self._outbox, live.index, config, self._sound_goes_out, self._all_sent)
        format = SoundFormat(config.response_format or "pcm", utterance.sample_rate, paced=config.pace != "burst")
        sink = self._carrier.open_sink(teller, format)
        live.begin(utterance, sink)
        async for chunk in utterance:
            live.tell_unspoken(self._outbox)
            await sink.send(chunk)
        live.tell_unspoken(self._outbox)
        await sink.finish()

    @contextmanager
    def _settled(self, live: LiveUtterance) -> Iterator[None]:
        """Tell the client how the utterance ended, once; a cancelled one was told before."""
        try:
            yield
        except EmptyInput:
            pass  # nothing that can be spoken: done, without a sentence
        except VivaVoceError as error:
            self._fail(live, error)
        except Exception:
            logger.exception("utterance failed unexpectedly")
            self._fail(live, EngineError("the utterance failed; the server's log says why"))
        self._settle(live, "completed")

    def _fail(self, live: LiveUtterance, error: VivaVoceError) -> None:
        if self._outbox.is_open(live.index):
            self._act(self.session.report(error, self._now(), live.index))
            self._settle(live, "failed", outcome=error.code)

    def _settle(self, live: LiveUtterance, status: Status, *, heard: str | None = None, outcome: str = "") -> None:
        if not self._outbox.is_open(live.index):
            return
        self._outbox.finish(live.index, status, duration_ms=live.sent_ms, heard=heard)
        self._metrics.requests.labels(self._carrier.name, status, outcome or "none").inc()
        self._wake_sender()

    def _close_if_drained(self) -> None:
        if self._draining and not self._outbox.open_utterances:
            self.close(1001, "shutdown")

    # -- the sender ------------------------------------------------------------------------------------------------

    @property
    def _outbox(self) -> Outbox:
        """What is told to the client; the sender is woken afterwards."""
        return self.session.outbox

    def _sound_goes_out(self) -> None:
        """A connection that is listened to is not idle."""
        self.active_s = self._now()
        self._wake_sender()

    def _wake_sender(self) -> None:
        """The outbox may have grown."""
        self._all_sent.clear()
        self._due.set()
