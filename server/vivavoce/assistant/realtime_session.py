"""A Realtime connection that is carried: the session machine's commands become listening, thinking and speaking.

The rules of the protocol are the machine's (`protocols/realtime/session.py`), the sound is the carrier's, the answers
are those of `answers.py`. Made by `realtime.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import assert_never

from vivavoce.assistant.answers import Answers
from vivavoce.assistant.brain import Brain
from vivavoce.assistant.conversation_place import ConversationPlace
from vivavoce.assistant.ear import Ear
from vivavoce.audio.chunk import Samples
from vivavoce.errors import EngineError, VivaVoceError
from vivavoce.machine.admission import Place
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
from vivavoce.protocols.realtime.session import RealtimeSession
from vivavoce.speaking.sink import Carrier
from vivavoce.synthesis.speaker import Speaker


class RealtimeConversation:
    """One Realtime connection; see `Carried`.

    Args:
        session: the rules, and what the client is due.
        carrier: plays.
        speaker: speaks.
        brain: finds the words.
        ear: listens; None: this server does not.
        owner: whose connection it is, for admission.
        place: of the whole conversation in the machine's books; None: each piece of work is admitted by itself.
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
        place: ConversationPlace | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = session
        self.hears = ear is not None
        self.closing: Close | None = None
        self.active_s = now()
        self._now = now
        self._ear = ear
        self._place = place
        self._answers = Answers(self, brain, speaker, carrier, owner=owner, place=place, metrics=metrics)
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
        async with asyncio.TaskGroup() as group:
            if self._place is not None:
                group.create_task(self._place.run(), name="place")
            if self._ear is not None:
                group.create_task(self._ear.run(), name="ear")
            await self._answers.run()

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
                    self._answers.begin(response)
                case Cancel(response):
                    self._answers.silence(response)
                case Truncate(item_id, audio_end_s):
                    self._answers.heard_until(item_id, audio_end_s)
                case ClearOutput():
                    self._answers.clear_output()
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

    # -- what its ear tells: see `Listened` ------------------------------------------------------------------------

    @property
    def saying(self) -> str | None:
        """What the assistant says about now; None: it is silent."""
        return self._answers.saying

    @property
    def is_answering(self) -> bool:
        """Whether an answer is being made, heard or not."""
        return self._answers.is_coming

    async def enter(self) -> Place | None:
        """Room on the machine, from now on."""
        return await self._place.take() if self._place is not None else None

    def user_speaks(self) -> None:
        """The dialogue goes on; after a rest it needs room again."""
        if self._place is not None:
            self._place.touch()
            if not self._place.is_held:
                self._answers.run_beside(self._enter_again())

    def answer(self) -> None:
        """The user has finished: answer, unless that is done already."""
        response = self.session.respond()
        if response is not None:
            self._answers.begin(response)

    @property
    def may_think_ahead(self) -> bool:
        """Whether there is time for an answer that may be for nothing."""
        return self._answers.may_think_ahead

    def think_ahead(self, said: str) -> None:
        """The user has perhaps finished, with these words."""
        self._answers.think_ahead(said)

    def goes_on(self) -> None:
        """The user has not finished: an answer that was begun ahead is void."""
        self._answers.forget_ahead()

    def interrupt(self) -> None:
        """The user talks over the assistant: silence, and what was heard, in this tick."""
        self._answers.interrupt()
        self.wake_sender()

    def resume(self) -> None:
        """It was no interruption: say what was not heard."""
        self._answers.resume()

    def report(self, error: VivaVoceError) -> None:
        """Tell the client of an error that it did not cause."""
        self._act(self.session.report(error, self._now()))
        self.wake_sender()

    async def _enter_again(self) -> None:
        try:
            await self.enter()
        except VivaVoceError as error:
            self.report(error)
            self.close(error.close_code, error.code)

    # -- what its answers tell: see `Asking` -----------------------------------------------------------------------

    async def understood(self) -> None:
        """Returns when everything that was said is understood."""
        if self._ear is not None:
            await self._ear.understood()

    async def wait_until_sent(self) -> None:
        """Returns when the client was sent everything."""
        await self._all_sent.wait()

    def goes_out(self) -> None:
        """A connection that is listened to is not idle."""
        self.active_s = self._now()
        self.wake_sender()

    def answered(self, error: VivaVoceError | None) -> None:
        """Note that a response has ended, with the error to tell beside it, if there is one."""
        if error is not None:
            self._act(self.session.report(error, self._now()))
            if self._place is not None and error is self._place.refused:
                self.close(error.close_code, error.code)
        self.wake_sender()
        self._close_if_drained()

    # -- the sender ------------------------------------------------------------------------------------------------

    def wake_sender(self) -> None:
        """The outbox may have grown."""
        self._all_sent.clear()
        self._due.set()

    def _close_if_drained(self) -> None:
        if self._draining and not self._answers.are_running:
            self.close(1001, "shutdown")
