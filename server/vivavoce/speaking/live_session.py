"""One live conversation with the synthesizer: a session's events become utterances, one after another.

Shared by the WebSocket and the WebRTC transport. Those hand it what the client sends, take what the client is due, and
open a `Sink` for each utterance; this module knows neither sockets nor encodings. The session's rules are in
`vivavoce.protocols.native.session`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import assert_never

from vivavoce.errors import EmptyInput, EngineError, TextTooLong, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import AskHeard, Begin, Cancel, Close, End, Event, Flush, Played, Write
from vivavoce.protocols.native.messages import SessionConfig, Status
from vivavoce.protocols.native.outbox import Outbox
from vivavoce.protocols.native.session import Session
from vivavoce.speaking.live_utterance import Sink, Turn, speech_request
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.synthesis.utterance import Utterance

logger = logging.getLogger(__name__)


OpenSink = Callable[[int, SessionConfig, int], Sink]  # (utterance index, configuration, sample rate in Hz)


class LiveSession:
    """A session, its utterances and their sound.

    Args:
        synthesizer: speaks.
        session: the rules, and what the client is due.
        open_sink: called when an utterance begins to speak.
        owner: whose connection it is, for admission.
        transport: "websocket" or "webrtc", for the metrics.
        metrics: counts utterances by their end.
        ahead_s: seconds of audio computed ahead of the listener.
        sample_rate: Hz that the transport needs, whatever the client's configuration says; None: the client decides.

    Attributes:
        closing: set when the connection is to be closed, after everything due was sent.
        active_s: when the client last said something or was sent audio, on `time.monotonic`.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        session: Session,
        open_sink: OpenSink,
        *,
        owner: str,
        transport: str,
        metrics: Metrics,
        ahead_s: float = 5.0,
        sample_rate: int | None = None,
    ) -> None:
        self.session = session
        self.closing: Close | None = None
        self.active_s = time.monotonic()
        self._synthesizer = synthesizer
        self._open_sink = open_sink
        self._owner = owner
        self._transport = transport
        self._metrics = metrics
        self._ahead_s = ahead_s
        self._sample_rate = sample_rate
        self._turns: dict[int, Turn] = {}  # those not done, and the last one that is
        self._queue: asyncio.Queue[Turn] = asyncio.Queue()  # bounded by the session's max_pending_utterances
        self._due = asyncio.Event()  # the outbox may hold something
        self._all_sent = asyncio.Event()
        self._draining = False
        self._due.set()

    @property
    def outbox(self) -> Outbox:
        """What is told to the client; call `announce` afterwards."""
        return self.session.outbox

    # -- what the transport calls ----------------------------------------------------------------------------------

    def receive(self, data: str | bytes) -> None:
        """Act on one message of the client."""
        self.active_s = time.monotonic()
        self._act(self.session.receive_message(data, self.active_s))
        self.announce()

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
                turn = await self._queue.get()
                if self.outbox.is_open(turn.index):
                    await self._speak_in_task(turn)
                self._close_if_drained()
        finally:
            for turn in self._turns.values():
                if self.outbox.is_open(turn.index):
                    self._settle(turn, "cancelled", outcome="client_gone")

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what is due was sent; the first reason stays. 1001 is announced to the client."""
        if self.closing is None:
            if code == 1001:
                self.outbox.announce_closing(reason)
            self.closing = Close(code, reason)
            self.announce()

    def drain(self) -> None:
        """The server stops: close as soon as nothing is being spoken."""
        self._draining = True
        self._close_if_drained()

    def announce(self) -> None:
        """The outbox may have grown."""
        self._all_sent.clear()
        self._due.set()

    async def all_sent(self) -> None:
        """Returns when the client was sent everything it is due: the brake on an utterance with a slow reader."""
        await self._all_sent.wait()

    # -- events ----------------------------------------------------------------------------------------------------

    def _act(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Begin(index, config):
                    self._begin(index, config)
                case Write(index, text):
                    self._write(self._turns[index], text)
                case Flush(index):
                    self._turns[index].tell(Utterance.flush)
                case End(index):
                    self._turns[index].tell(Utterance.end)
                case Cancel(index):
                    self._cancel(self._turns[index])
                case Played(index, position_s):
                    if (turn := self._turns.get(index)) is not None:
                        turn.played(position_s, is_open=self.outbox.is_open(index))
                case AskHeard(index):
                    self._tell_heard(index)
                case Close(code, reason):
                    self.close(code, reason)
                case _:
                    assert_never(event)

    def _begin(self, index: int, config: SessionConfig) -> None:
        self._turns = {i: turn for i, turn in self._turns.items() if self.outbox.is_open(i)}
        self._turns[index] = turn = Turn(index, config)
        self._queue.put_nowait(turn)

    def _write(self, turn: Turn, text: str) -> None:
        try:
            if turn.utterance is None:
                self._check_waiting(len(text))
            turn.write(text)
        except TextTooLong as error:  # nothing of it was taken; the utterance goes on without it
            self._act(self.session.report(error, time.monotonic(), turn.index))

    def _check_waiting(self, more: int) -> None:
        limit = self.session.limits.max_buffered_chars
        waiting = sum(turn.waiting_chars for turn in self._turns.values()) + more
        if waiting > limit:
            raise TextTooLong(waiting, limit, param="text")

    def _cancel(self, turn: Turn) -> None:
        """Silence in the same tick: told, taken out of the outbox, the engine's block left."""
        heard = turn.heard()
        self._tell_heard(turn.index)
        if turn.sink is not None:
            turn.sink.stop()
        self._settle(turn, "cancelled", heard=heard and heard[0])
        if turn.task is not None:
            turn.task.cancel()

    def _tell_heard(self, index: int) -> None:
        turn = self._turns.get(index)
        heard = turn.heard() if turn is not None else None
        if heard is not None:
            self.outbox.tell_heard(index, heard[0], played_ms=heard[1])

    # -- speaking --------------------------------------------------------------------------------------------------

    async def _speak_in_task(self, turn: Turn) -> None:
        """Speak in a task of its own, so that a cancel ends the utterance and not the connection."""
        turn.task = asyncio.create_task(self._speak(turn), name=f"utterance-{turn.index}")
        try:
            await asyncio.wait([turn.task])
        finally:
            turn.task.cancel()
            await asyncio.gather(turn.task, return_exceptions=True)

    async def _speak(self, turn: Turn) -> None:
        with self._settled(turn):  # whatever keeps it from being admitted
            request = speech_request(
                turn.config,
                self._synthesizer.library,
                owner=self._owner,
                transport=self._transport,
                ahead_s=self._ahead_s,
                sample_rate=self._sample_rate,
            )
            async with self._synthesizer.stream(request) as utterance:
                with self._settled(turn):  # before the block is left, so that nobody writes to what has ended
                    await self._relay(turn, utterance)

    async def _relay(self, turn: Turn, utterance: Utterance) -> None:
        sink = self._open_sink(turn.index, turn.config, utterance.sample_rate)
        turn.begin(utterance, sink)
        async for chunk in utterance:
            await sink.send(chunk)
            self.active_s = time.monotonic()
        await sink.finish()

    @contextmanager
    def _settled(self, turn: Turn) -> Iterator[None]:
        """Tell the client how the utterance ended, once; a cancelled one was told before."""
        try:
            yield
        except EmptyInput:
            pass  # nothing that can be spoken: done, without a sentence
        except VivaVoceError as error:
            self._fail(turn, error)
        except Exception:
            logger.exception("utterance failed unexpectedly")
            self._fail(turn, EngineError("the utterance failed; the server's log says why"))
        self._settle(turn, "completed")

    def _fail(self, turn: Turn, error: VivaVoceError) -> None:
        if self.outbox.is_open(turn.index):
            self._act(self.session.report(error, time.monotonic(), turn.index))
            self._settle(turn, "failed", outcome=error.code)

    def _settle(self, turn: Turn, status: Status, *, heard: str | None = None, outcome: str = "") -> None:
        if not self.outbox.is_open(turn.index):
            return
        self.outbox.finish(turn.index, status, duration_ms=turn.sent_ms, heard=heard)
        self._metrics.requests.labels(self._transport, status, outcome or "none").inc()
        self.announce()

    def _close_if_drained(self) -> None:
        if self._draining and not self.outbox.open_utterances:
            self.close(1001, "shutdown")
