"""The answers of one Realtime conversation: begun, spoken one after the other, silenced, taken up again.

Each is a `Response` that the client is told and a `Reply` that thinks and speaks. Whatever has to happen in one tick of
the loop (an interruption: silence, the words that were heard, the end of the response) waits for nothing. The
conversation (`realtime_session.py`) decides when; the rules of the protocol are the session machine's.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Protocol

from vivavoce.assistant.ahead import Ahead
from vivavoce.assistant.brain import Brain
from vivavoce.assistant.chat_model import ChatPiece, TextDelta
from vivavoce.assistant.conversation_place import ConversationPlace
from vivavoce.assistant.extras import Extras
from vivavoce.assistant.looking_ahead import LookingAhead
from vivavoce.assistant.mouth import Mouth, Speech
from vivavoce.assistant.realtime_speech import speech_for
from vivavoce.assistant.reply import Reply, Think
from vivavoce.assistant.running_response import RunningResponse
from vivavoce.assistant.spoken_items import SpokenItems
from vivavoce.assistant.thinking import Thinking, after
from vivavoce.errors import VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.protocols.realtime.response import Response, ResponseOptions
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.speaking.sink import Carrier
from vivavoce.synthesis.speaker import Speaker


class Asking(Protocol):
    """The conversation, as its answers know it."""

    @property
    def session(self) -> RealtimeSession: ...

    async def understood(self) -> None:
        """Returns when everything that was said is understood."""
        ...

    async def wait_until_sent(self) -> None:
        """Returns when the client was sent everything: the brake on a slow reader."""
        ...

    def goes_out(self) -> None:
        """The client is due something of an answer."""
        ...

    def answered(self, error: VivaVoceError | None) -> None:
        """An answer has ended; the error is to be told."""
        ...


class Answers:
    """The responses of one conversation: those that are being made, spoken or waited for.

    Args:
        speaker: speaks them.
        carrier: plays them.
        owner: whose conversation it is, for admission.
        place: of the conversation in the machine's books; None: each is admitted by itself.
    """

    def __init__(
        self,
        asking: Asking,
        brain: Brain,
        speaker: Speaker,
        carrier: Carrier,
        *,
        owner: str,
        place: ConversationPlace | None,
        metrics: Metrics,
    ) -> None:
        self._asking = asking
        self._session = asking.session
        self._brain = brain
        self._speaker = speaker
        self._carrier = carrier
        self._on_track = carrier.name == "webrtc"
        self._owner = owner
        self._place = place
        self._metrics = metrics
        self._asked: asyncio.Queue[RunningResponse] = asyncio.Queue()  # bounded by the session's limit of responses
        self._running: dict[str, RunningResponse] = {}
        self._sounding: RunningResponse | None = None  # whose sound is to be heard, even if it is done
        self._unheard: tuple[str, RunningResponse] | None = None  # what an interruption cut off: perhaps it was none
        self._items = SpokenItems()
        self._ahead = LookingAhead(self._session, brain, self._items, self._speech)
        self._extras = Extras(self._session, asking.goes_out)
        self._one_voice = asyncio.Lock()  # they are spoken one after the other
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        """Answer until cancelled; then whatever still runs is stopped."""
        try:
            async with asyncio.TaskGroup() as self._group:
                while True:
                    answer = await self._asked.get()
                    if not answer.response.is_done:
                        answer.thinking = Thinking(answer.think, self._group)
                        answer.task = self._group.create_task(self._make(answer), name=answer.response.id)
        finally:
            for answer in list(self._running.values()):
                answer.reply.stop()
                answer.response.finish("cancelled", reason="client_cancelled")
                self._count(answer, "client_gone")

    def run_beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something else of the conversation that must not outlive it."""
        self._group.create_task(work)

    # -- begun -----------------------------------------------------------------------------------------------------

    def begin(self, response: Response) -> None:
        """Make a response that was told to the client."""
        self._forget_unheard()
        ahead = self._ahead.take(response)
        self._start(response, functools.partial(self._think, response, ahead), ahead)

    @property
    def may_think_ahead(self) -> bool:
        """Whether nothing is being answered or was interrupted, and there is time for what may be for nothing."""
        busy = self._running or self._session.responses.active is not None or self._unheard is not None
        return self._session.config.type == "realtime" and not busy and (self._place is None or self._place.may_hurry)

    def think_ahead(self, said: str) -> None:
        """Begin to answer what the user has perhaps finished saying; nobody hears it before `begin`."""
        if self._ahead.said == said:
            return
        self.forget_ahead()
        if self.may_think_ahead:
            self._ahead.begin(said, self._group)

    def forget_ahead(self) -> None:
        """Drop the answer that was begun ahead: the user goes on speaking."""
        self._ahead.drop()

    def _start(self, response: Response, think: Think, ahead: Ahead | None = None) -> None:
        mouth = self._mouth(response, ahead) if "audio" in response.options.modalities else None
        apology = functools.partial(self._brain.apology, self._session, response.options)
        reply = Reply(lambda: answer.words(), response, mouth, self._goes_out, apology=apology)
        answer = RunningResponse(response, think, reply)
        self._running[response.id] = answer
        self._asked.put_nowait(answer)

    def _speech(self, options: ResponseOptions) -> Speech:
        return speech_for(options, self._speaker, self._carrier, self._owner, self._place)

    def _mouth(self, response: Response, ahead: Ahead | None) -> Mouth:
        speech = self._speech(response.options)
        if ahead is not None:
            speech = dataclasses.replace(speech, speaker=ahead)
        told = functools.partial(self._extras.words, response)
        return Mouth(speech, response, self._goes_out, self._asking.wait_until_sent, told)

    @asynccontextmanager
    async def _think(self, response: Response, ahead: Ahead | None) -> AsyncIterator[AsyncIterator[ChatPiece]]:
        """Find the words, once everything that was said is understood; those that are found already first."""
        if ahead is not None:
            try:
                async with ahead.thinking.told() as pieces:
                    yield self._extras.first_words(response, pieces)
            finally:
                ahead.thinking.stop()
            return
        if response.options.reads_conversation:
            await self._asking.understood()
        think = self._brain.think(self._session, response.options, self._items)
        async with think() as pieces:
            yield self._extras.first_words(response, pieces)

    # -- made ------------------------------------------------------------------------------------------------------

    async def _make(self, answer: RunningResponse) -> None:
        response, reply = answer.response, answer.reply
        if reply.mouth is None:
            outcome = await reply.run()
        else:
            async with self._one_voice:
                self._sounding = answer
                with self._place.working() if self._place is not None else nullcontext():
                    outcome = await reply.run()
        self._remember(answer)
        untold = answer.finish(outcome)
        self._count(answer, outcome.error.code if outcome.error is not None else "none")
        self._running.pop(response.id, None)
        if self._on_track and self._sounding is answer:
            self._session.responses.sound_stopped()
        self._asking.answered(untold)

    def _goes_out(self) -> None:
        answer = self._sounding
        mouth = answer.reply.mouth if answer is not None else None
        if self._on_track and answer is not None and mouth is not None and mouth.has_begun:
            self._session.responses.sounding(answer.response.id)
        self._asking.goes_out()

    # -- silenced --------------------------------------------------------------------------------------------------

    @property
    def are_running(self) -> bool:
        """Whether any is being made."""
        return bool(self._running)

    @property
    def is_coming(self) -> bool:
        """Whether an answer in the conversation is being made."""
        return self._session.responses.active is not None

    @property
    def saying(self) -> str | None:
        """What the assistant says about now; None: it is silent."""
        return self._sounding.saying if self._sounding is not None else None

    def interrupt(self) -> None:
        """The user has the floor: silence, and what was heard, in this tick. An answer aside goes on."""
        self._forget_unheard()
        sounding = self._sounding
        if sounding is not None and not sounding.response.options.in_conversation:
            sounding = None
        response = self._session.responses.active
        answer = self._running.get(response.id) if response is not None else sounding
        if answer is not None and (response is not None or self.saying is not None):
            mouth = answer.reply.mouth
            self._unheard = mouth.unheard() if mouth is not None else "", answer
        response = self._session.responses.interrupt()
        if response is not None:
            self.silence(response)
        if sounding is not None and sounding is self._sounding:
            self._stop(sounding)

    def resume(self) -> None:
        """It was no interruption: say what was not heard, and what is still being written."""
        if self._unheard is None:
            return
        (text, answer), self._unheard = self._unheard, None
        response = self._session.respond()
        if response is None:
            answer.stop_thinking()
            return
        said = [TextDelta(text)] if text.strip() else []
        rest = answer.think if answer.thinking is None else answer.rest
        self._start(response, after([*said, *answer.reply.outcome.calls], rest))

    def silence(self, response: Response) -> None:
        """The client was told that the response is over."""
        answer = self._running.pop(response.id, None)
        if answer is not None:
            self._stop(answer)
            self._count(answer, "cancelled")
            if answer.task is not None:
                answer.task.cancel()

    def clear_output(self) -> None:
        """The client wants silence; what is being answered is over."""
        if self._sounding is not None:
            sounding = self._sounding
            self._stop(sounding)
            if not sounding.response.is_done:
                sounding.response.finish("cancelled", reason="client_cancelled")
                self.silence(sounding.response)

    def _stop(self, answer: RunningResponse) -> None:
        """No more of its sound; the conversation goes on from what was heard."""
        mouth = answer.reply.mouth
        if mouth is not None:
            self._remember(answer)
            if answer.response.item_id is not None:
                self._set_heard(answer.response.item_id, mouth.heard())
        answer.reply.stop()
        if self._unheard is None or self._unheard[1] is not answer:
            answer.stop_thinking()
        if self._sounding is answer:
            self._sounding = None
            self._session.responses.sound_stopped(cleared=True)

    def _forget_unheard(self) -> None:
        if self._unheard is not None:
            self._unheard[1].stop_thinking()
            self._unheard = None

    # -- what was heard --------------------------------------------------------------------------------------------

    def heard_until(self, item_id: str, position_s: float) -> None:
        """The client's own word; it cannot have heard more than was sent."""
        heard = self._items.heard(item_id, position_s)
        if heard is not None:
            self._set_heard(item_id, heard)

    def _remember(self, answer: RunningResponse) -> None:
        mouth, item_id = answer.reply.mouth, answer.response.item_id
        if mouth is not None and item_id is not None:
            self._items.keep(item_id, mouth.text)

    def _set_heard(self, item_id: str, heard: str) -> None:
        if self._items.cut(item_id, heard):
            self._session.heard(item_id, heard)

    def _count(self, answer: RunningResponse, outcome: str) -> None:
        status = "completed" if outcome == "none" else "cancelled" if outcome == "cancelled" else "failed"
        self._metrics.requests.labels(self._carrier.name, status, outcome).inc()
