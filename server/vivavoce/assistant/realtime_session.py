"""A Realtime connection that is carried: the session machine's commands become listening, thinking and speaking.

The rules of the protocol are the machine's (`protocols/realtime/session.py`), the sound is the carrier's. Whatever has
to happen in one tick of the loop (an interruption: silence, the words that were heard, the end of the response) is
done without waiting for anything. Made by `realtime.py`.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import assert_never

from vivavoce.assistant import thoughts
from vivavoce.assistant.brain import Brain
from vivavoce.assistant.chat_model import ChatPiece
from vivavoce.assistant.ear import Ear
from vivavoce.assistant.extras import Extras
from vivavoce.assistant.mouth import Mouth
from vivavoce.assistant.realtime_speech import speech_for
from vivavoce.assistant.reply import Outcome, Reply, Think
from vivavoce.assistant.running_response import RunningResponse
from vivavoce.assistant.spoken_items import SpokenItems
from vivavoce.audio.chunk import Samples
from vivavoce.errors import EngineError, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import Close
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
from vivavoce.protocols.realtime.response import Response
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.speaking.sink import Carrier
from vivavoce.synthesis.speaker import Speaker

logger = logging.getLogger(__name__)


class RealtimeConversation:
    """One Realtime connection; see `Carried`.

    Args:
        session: the rules, and what the client is due.
        carrier: plays.
        speaker: speaks.
        brain: finds the words.
        ear: listens; None: this server does not.
        owner: whose connection it is, for admission.
        metrics: counts responses by their end.
        now: a clock in seconds that does not go back.

    Attributes:
        hears: whether the sound of a microphone is wanted.
        closing: set when the connection is to be closed, after everything due was sent.
        active_s: when the client last said something or was sent sound, on the clock.
    """

    def __init__(
        self,
        session: RealtimeSession,
        carrier: Carrier,
        speaker: Speaker,
        brain: Brain,
        ear: Ear | None,
        *,
        owner: str,
        metrics: Metrics,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = session
        self.hears = ear is not None
        self.closing: Close | None = None
        self.active_s = now()
        self._now = now
        self._carrier = carrier
        self._speaker = speaker
        self._brain = brain
        self._ear = ear
        self._owner = owner
        self._metrics = metrics
        self._asked: asyncio.Queue[RunningResponse] = (
            asyncio.Queue()
        )  # bounded by the machine's limit of open responses
        self._running: dict[str, RunningResponse] = {}
        self._sounding: RunningResponse | None = None  # whose sound is to be heard, even if it is done
        self._interrupted = ""  # what the user did not hear, should it have been no interruption
        self._items = SpokenItems()
        self._extras = Extras(session, self.wake_sender)
        self._one_voice = asyncio.Lock()  # replies are spoken one after the other
        self._due = asyncio.Event()  # the outbox may hold something
        self._all_sent = asyncio.Event()
        self._draining = False
        self._due.set()
        if ear is not None:
            ear.attach(self)

    # -- what the carrier calls ------------------------------------------------------------------------------------

    def receive(self, data: str | bytes) -> None:
        """Act on one event of the client."""
        self.active_s = self._now()
        self._act(self.session.receive_message(data, self.active_s))
        self.wake_sender()

    def hear(self, samples: Samples) -> None:
        """Sound of the client's microphone, on a track: float32 [n] at 16 kHz."""
        self.active_s = self._now()
        if self._ear is not None:
            self.session.input.hear(len(samples) / 16)
            self._ear.hear(samples)

    async def next_messages(self) -> list[str | bytes]:
        """What to send next, when there is something; empty: nothing more will come, close the connection."""
        while not (messages := self.session.messages_to_send()):
            if self.closing is not None:
                return []
            self._all_sent.set()
            self._due.clear()
            await self._due.wait()
        return messages

    async def run(self) -> None:
        """Speak, listen and think until cancelled; then whatever still runs is stopped."""
        try:
            async with asyncio.TaskGroup() as group:
                if self._ear is not None:
                    group.create_task(self._ear.run(), name="ear")
                while True:
                    running = await self._asked.get()
                    if not running.response.is_done:
                        running.task = group.create_task(self._reply(running), name=running.response.id)
        finally:
            for running in list(self._running.values()):
                running.reply.stop()
                running.response.finish("cancelled", reason="client_cancelled")
                self._count(running, "client_gone")

    def close(self, code: int, reason: str) -> None:
        """Close after what is due was sent; the first reason stays."""
        if self.closing is None:
            self.closing = Close(code, reason)
            self.wake_sender()

    def drain(self) -> None:
        """The server stops: close as soon as nothing is being said."""
        self._draining = True
        self._close_if_drained()

    # -- commands --------------------------------------------------------------------------------------------------

    def _act(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Configure(config, before):
                    if self._ear is not None:
                        self._ear.configure(config, before)
                case Respond(response):
                    self.begin(response)
                case Cancel(response):
                    self._silence(response)
                case Truncate(item_id, audio_end_s):
                    self._heard_until(item_id, audio_end_s)
                case ClearOutput():
                    self._clear_output()
                case Close(code, reason):
                    self.close(code, reason)
                case Hear() | ClearInput() | Commit() | HearItem():
                    self._listen(command)
                case _:
                    assert_never(command)

    def _listen(self, command: Hear | ClearInput | Commit | HearItem) -> None:
        if self._ear is not None:
            self._ear.act(command)
        elif isinstance(command, Commit | HearItem):
            error = EngineError("this server does not listen: no recognizer is set up")
            self.session.input.transcription_failed(command.item_id, error)

    # -- responses -------------------------------------------------------------------------------------------------

    def answer(self) -> None:
        """The user has finished: answer, unless that is done already."""
        response = self.session.respond()
        if response is not None:
            self.begin(response)

    def begin(self, response: Response) -> None:
        """Make a response that was told to the client."""
        self._interrupted = ""
        self._start(response, functools.partial(self._think, response))

    def interrupt(self) -> None:
        """The user talks over the assistant: silence, and what was heard, in this tick."""
        mouth = self._sounding.reply.mouth if self._sounding is not None else None
        self._interrupted = mouth.unheard() if mouth is not None and self.saying is not None else ""
        response = self.session.responses.interrupt()
        if response is not None:
            self._silence(response)
        elif self._sounding is not None:
            self._stop(self._sounding)
        self.wake_sender()

    def resume(self) -> None:
        """It was no interruption: say what was not heard."""
        interrupted, self._interrupted = self._interrupted, ""
        if not interrupted.strip():
            return
        response = self.session.respond()
        if response is not None:
            self._start(response, thoughts.verbatim(interrupted))

    @property
    def saying(self) -> str | None:
        """What the assistant says about now; None: it is silent."""
        return self._sounding.saying if self._sounding is not None else None

    def _start(self, response: Response, think: Think) -> None:
        speaks = "audio" in response.options.modalities
        told = functools.partial(self._extras.words, response)
        speech = speech_for(response.options, self._speaker, self._carrier, self._owner)
        mouth = Mouth(speech, response, self._goes_out, self._wait_until_sent, told) if speaks else None
        apology = functools.partial(self._brain.apology, self.session, response.options)
        reply = Reply(think, response, mouth, self._goes_out, apology=apology)
        self._running[response.id] = running = RunningResponse(response, reply)
        self._asked.put_nowait(running)

    @asynccontextmanager
    async def _think(self, response: Response) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """Find the words, once everything that was said is understood."""
        if self._ear is not None and response.options.in_conversation:
            await self._ear.understood()
        think = self._brain.think(self.session, response.options, self._items)
        async with think() as pieces:
            yield self._extras.first_words(response, pieces)

    async def _reply(self, running: RunningResponse) -> None:
        response, reply = running.response, running.reply
        if reply.mouth is None:
            outcome = await reply.run()
        else:
            async with self._one_voice:
                self._sounding = running
                outcome = await reply.run()
        self._remember(running)
        self._finish(running, outcome)
        self._count(running, outcome.error.code if outcome.error is not None else "none")
        self._running.pop(response.id, None)
        if self._carrier.name == "webrtc" and self._sounding is running:
            self.session.responses.sound_stopped()
        self.wake_sender()
        self._close_if_drained()

    def _finish(self, running: RunningResponse, outcome: Outcome) -> None:
        error = running.finish(outcome)
        if error is not None:
            self._act(self.session.report(error, self._now()))

    def _silence(self, response: Response) -> None:
        running = self._running.pop(response.id, None)
        if running is not None:
            self._stop(running)
            self._count(running, "cancelled")
            if running.task is not None:
                running.task.cancel()

    def _stop(self, running: RunningResponse) -> None:
        """No more of its sound; the conversation goes on from what was heard."""
        mouth = running.reply.mouth
        if mouth is not None:
            self._remember(running)
            if running.response.item_id is not None:
                self._set_heard(running.response.item_id, mouth.heard())
        running.reply.stop()
        if self._sounding is running:
            self._sounding = None
            self.session.responses.sound_stopped(cleared=True)

    def _clear_output(self) -> None:
        """The client wants silence; what is being answered is over."""
        if self._sounding is not None:
            sounding = self._sounding
            self._stop(sounding)
            if not sounding.response.is_done:
                sounding.response.finish("cancelled", reason="client_cancelled")
                self._silence(sounding.response)

    # -- what was heard --------------------------------------------------------------------------------------------

    def _remember(self, running: RunningResponse) -> None:
        mouth, item_id = running.reply.mouth, running.response.item_id
        if mouth is not None and item_id is not None:
            self._items.keep(item_id, mouth.text)

    def _heard_until(self, item_id: str, position_s: float) -> None:
        """The client's own word; it cannot have heard more than was sent."""
        heard = self._items.heard(item_id, position_s)
        if heard is not None:
            self._set_heard(item_id, heard)

    def _set_heard(self, item_id: str, heard: str) -> None:
        if self._items.cut(item_id, heard):
            self.session.heard(item_id, heard)

    # -- the sender ------------------------------------------------------------------------------------------------

    def wake_sender(self) -> None:
        """The outbox may have grown."""
        self._all_sent.clear()
        self._due.set()

    async def _wait_until_sent(self) -> None:
        await self._all_sent.wait()

    def report(self, error: VivaVoceError) -> None:
        """Tell the client of an error that it did not cause."""
        self._act(self.session.report(error, self._now()))
        self.wake_sender()

    def _goes_out(self) -> None:
        """A connection that is listened to is not idle."""
        self.active_s = self._now()
        running = self._sounding
        if self._carrier.name == "webrtc" and running is not None and running.reply.mouth is not None:
            self.session.responses.sounding(running.response.id)
        self.wake_sender()

    def _count(self, running: RunningResponse, outcome: str) -> None:
        status = "completed" if outcome == "none" else "cancelled" if outcome == "cancelled" else "failed"
        self._metrics.requests.labels(self._carrier.name, status, outcome).inc()

    def _close_if_drained(self) -> None:
        if self._draining and not self._running:
            self.close(1001, "shutdown")
