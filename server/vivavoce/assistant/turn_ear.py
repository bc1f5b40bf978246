"""An ear that takes turns: probabilities of speech become turns, turns become messages with words.

Sound is taken in the order it came, so that a commit finds all of it. At every soft end the words are asked for, so
that they are known about when the turn is certain to be over; if the user goes on, that work is dropped. Where the
client itself says what a message is, the same turns are heard, silently, and what they gave is ready when it commits.
An ear is lent when the first sound comes, not before: a conversation in writing needs none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, assert_never

import numpy as np

from vivavoce.assistant.assistant_saying import AssistantSaying
from vivavoce.assistant.ear import LentEar, Listened, Listening, Wishes
from vivavoce.assistant.ear_feed import EarFeed
from vivavoce.assistant.ear_settings import turn_options, wishes_of
from vivavoce.assistant.foresight import Foresight
from vivavoce.assistant.incoming import Incoming, NewWishes, joined
from vivavoce.assistant.input_decoder import RATE, InputDecoder
from vivavoce.assistant.open_speech import OpenSpeech
from vivavoce.assistant.spoken_messages import SpokenMessages
from vivavoce.assistant.verdict import verdict_on
from vivavoce.audio.chunk import Samples
from vivavoce.errors import EngineError, VivaVoceError
from vivavoce.machine.admission import Kind
from vivavoce.protocols.realtime.commands import ClearInput, Commit, Hear, HearItem
from vivavoce.protocols.realtime.session_config import SessionConfig, TurnDetection
from vivavoce.recognition import turn_events as turns
from vivavoce.recognition.turns import TurnDetector

logger = logging.getLogger(__name__)

_TICK_S: Final = 0.05
_SETTLE_S: Final = 1.0  # a browser's echo canceller hears the voice of a call for the first time


class TurnEar:
    """The ear of one connection; see `Ear`.

    Args:
        listening: lends what hears.
        owner: whose connection it is.
        transport: websocket or webrtc.
        now: a clock in seconds that does not go back.
    """

    def __init__(
        self, listening: Listening, owner: str, transport: str = "", *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._listening = listening
        self._owner = owner
        self._transport = transport
        self._settle_s = _SETTLE_S if transport == "webrtc" else 0.0
        self._now = now
        self._conversation: Listened
        self._detection: TurnDetection | None = None
        self._tells_drafts = False  # words are told while they are spoken
        self._foresight = Foresight()
        self._wishes = Wishes()
        self._came: list[Incoming] = []  # bounded by the session's sound budget
        self._told = 0  # commits and clears that came, and were answered, but are not reached yet
        self._something = asyncio.Event()
        self._decoder = InputDecoder("audio/pcm")
        self._messages: SpokenMessages
        self._work: asyncio.TaskGroup
        # Of the ear that is lent now:
        self._ear: LentEar | None = None
        self._lent_for = Wishes()
        self._stale = False  # what it was told has changed: it is given back
        self._turns = TurnDetector(turns.TurnOptions())
        self._feed: EarFeed
        self._before_ms = 0.0  # sound of the connection before this ear
        self._saying = AssistantSaying()
        self._speech: OpenSpeech

    # -- what the conversation tells -------------------------------------------------------------------------------

    def attach(self, conversation: Listened) -> None:
        """See `ear.Ear`: whom to tell what is heard."""
        self._conversation = conversation
        self._messages = SpokenMessages(conversation, self._listening)
        self.configure(conversation.session.config, conversation.session.config)

    def configure(self, config: SessionConfig, before: SessionConfig) -> None:
        """The settings have changed."""
        self._detection = config.turn_detection
        wants_drafts = config.type == "transcription" or "drafts" in config.extras
        self._tells_drafts = wants_drafts and config.turn_detection is not None
        self._turns.configure(turn_options(config.turn_detection, self._settle_s))
        wishes = wishes_of(config, self._owner, self._transport)
        if wishes != self._wishes:
            self._wishes = wishes
            self._came.append(NewWishes())

    def hear(self, samples: Samples) -> None:
        """See `ear.Ear`: float32 [n] at 16 kHz of an audio track."""
        self._came.append(samples)
        self._something.set()

    def act(self, command: Hear | ClearInput | Commit | HearItem) -> None:
        """What the client does with its sound, in order."""
        if isinstance(command, Commit | HearItem):
            self._messages.expect(command.item_id)
        self._told += isinstance(command, Commit | ClearInput)
        self._came.append(command)
        self._something.set()

    async def understood(self) -> None:
        """Returns when the words of every message that was said are known."""
        await self._messages.all_known()

    async def kinds(self) -> Sequence[Kind]:
        """See `ear.Ear`: what it will compute, for admission.

        Raises:
            UnknownModel: If the client asked for a model that does not exist.
        """
        return await self._listening.kinds(self._wishes)

    # -- listening -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as self._work:
            while True:
                await self._something.wait()  # nothing is lent before there is something to hear
                self._stale, self._lent_for = False, self._wishes
                try:
                    place = await self._conversation.enter()
                    async with self._listening.lend(self._lent_for, place) as ear:
                        await self._listen_with(ear)
                except VivaVoceError as error:
                    self._give_up(error)
                    return
                except Exception:
                    logger.exception("an ear failed unexpectedly")
                    self._give_up(EngineError("listening failed; the server's log says why"))
                    return

    async def _listen_with(self, ear: LentEar) -> None:
        """Until it is to be given back; a turn that is open ends then."""
        self._ear, self._turns = ear, TurnDetector(turn_options(self._detection, self._settle_s))
        self._feed, self._saying, self._speech = EarFeed(ear), AssistantSaying(), OpenSpeech(ear)
        changes = self._work.create_task(self._watch(ear), name="ear-changes")
        try:
            while not self._stale or self._messages.are_settling:
                await self._next(ear)
        finally:
            changes.cancel()
            self._take_turns(self._turns.end(self._now()))
            self._speech.drop()
            self._before_ms += 1000 * self._feed.written / RATE
            self._ear = None
            self._something.set()  # what came since is for the next one

    async def _next(self, ear: LentEar) -> None:
        """What came, what was heard of it, and the time that passed."""
        try:
            async with asyncio.timeout(_TICK_S):
                await self._something.wait()
        except TimeoutError:
            self._follow_assistant()
            self._take_turns(self._turns.tick(self._now()))
            return
        self._something.clear()
        waiting, self._came = ([], self._came) if self._stale else (joined(self._came), [])
        for each in waiting:
            if isinstance(each, NewWishes) and self._wishes != self._lent_for:
                self._stale, self._came = True, [*waiting, *self._came]
                break
            await self._take(each, ear)
        self._hear_turns(ear)
        if self._stale:
            self._take_turns(self._turns.end(self._now()))
        self._read_words()

    async def _watch(self, ear: LentEar) -> None:
        while True:
            await ear.changed()
            self._something.set()

    async def _take(self, each: Incoming, ear: LentEar) -> None:
        match each:
            case Hear(data, format):
                if format != self._decoder.format:
                    self._decoder = InputDecoder(format)
                await self._write(await self._decoder.decode_aside(data), ear)
            case np.ndarray():
                await self._write(each, ear)
            case ClearInput() | Commit():
                await self._write(self._decoder.flush(), ear)
                await self._feed.all_heard(self._turns, lambda: self._hear_turns(ear))
                self._take_silently(self._turns.end(self._now()))  # the client was told that the speech has ended
                self._told -= 1
                if isinstance(each, Commit):
                    self._make_message(each.item_id, answers=False)
                else:
                    self._forget_speech()
            case HearItem():
                self._work.create_task(self._messages.hear_item(each, self._wishes), name="hear-item")
            case NewWishes():
                pass
            case _:
                assert_never(each)

    async def _write(self, samples: Samples, ear: LentEar) -> None:
        def hear() -> None:
            self._hear_turns(ear)
            self._read_words()

        await self._feed.write(samples, self._turns, hear)

    def _hear_turns(self, ear: LentEar) -> None:
        frames = ear.frames()
        if frames:
            self._follow_assistant()
            self._take_turns(self._turns.feed(turns.Frames(tuple(frames)), self._now()))
            if self._turns.turn is not None:
                self._speech.cut_if_long(self._feed.written)
            if self._saying.is_speaking or self._tells_drafts:
                self._speech.glance(self._feed.written)

    def _follow_assistant(self) -> None:
        """Tell the turn detector when the assistant speaks."""
        for event in self._saying.changes(self._conversation.saying):
            self._take_turns(self._turns.feed(event, self._now()))

    # -- turns -----------------------------------------------------------------------------------------------------

    def _take_turns(self, events: list[turns.TurnEvent]) -> None:
        for event in events:
            if isinstance(event, turns.UserBegins):
                self._conversation.user_speaks()
            if self._detection is None or self._told:  # it belongs to a message that is told, or to none
                self._take_silently([event])
            else:
                self._take_turn(event, self._detection)
        if events:
            self._conversation.wake_sender()

    def _take_silently(self, events: list[turns.TurnEvent]) -> None:
        """The client decides what a message is: only the words are heard."""
        for event in events:
            if isinstance(event, turns.SoftEnd):
                self._soften(event)
            else:
                self._speech.follow(event, self._feed.written)

    def _take_turn(self, event: turns.TurnEvent, detection: TurnDetection) -> None:
        user = self._conversation.session.input
        match event:
            case turns.UserBegins(_, start_s, interrupts):
                self._speech.begin(start_s)
                user.speech_started(self._ms(start_s))
                if detection.interrupt_response and (interrupts or self._conversation.is_answering):
                    self._conversation.interrupt()
            case turns.SoftEnd():
                self._soften(event)
            case turns.UserResumes():
                self._speech.resume()
                self._foresight.resume()
                self._conversation.goes_on()
            case turns.TurnEnds(_, end_s):
                if detection.interrupt_response and detection.create_response and self._conversation.is_answering:
                    self._conversation.interrupt()  # what the client had made while the user spoke
                self._speech.finish(end_s, self._feed.written)
                user.speech_stopped(self._ms(end_s))
                item_id = user.commit()
                self._messages.expect(item_id)
                self._make_message(item_id, answers=detection.create_response)
            case turns.FalseAlarm(_, end_s) | turns.BackChannel(_, end_s):
                self._forget_speech()
                user.speech_stopped(self._ms(end_s))
                self._conversation.resume()
            case turns.UserIsIdle(start_s, end_s):
                item_id = user.idle(self._ms(start_s), self._ms(end_s))
                user.transcribed(item_id, "", seconds=end_s - start_s)
                if detection.create_response:
                    self._conversation.answer()
            case _:
                assert_never(event)

    def _forget_speech(self) -> None:
        """It was none that counts."""
        self._speech.drop()
        self._foresight.resume()
        self._conversation.goes_on()

    def _soften(self, soft: turns.SoftEnd) -> None:
        """Perhaps the end: ask for the words, and for a verdict."""
        stretch = self._speech.soften(soft, self._feed.written)
        judged = self._detection is not None and self._detection.type == "semantic_vad"
        wants_verdict = judged or (self._detection is not None and self._conversation.may_think_ahead)
        self._foresight.soften(soft.soft_end)
        if stretch is not None and self._ear is not None and wants_verdict:
            self._work.create_task(self._judge(self._ear, soft, stretch), name="verdict")

    async def _judge(self, ear: LentEar, soft: turns.SoftEnd, stretch: range) -> None:
        finished = await verdict_on(ear, stretch)
        if finished is not None and self._speech.soft is soft and self._detection is not None:
            self._think_ahead(self._foresight.judged(soft.soft_end, finished))
            if self._detection.type == "semantic_vad":
                self._take_turns(self._turns.feed(turns.Verdict(soft.soft_end, finished), self._now()))

    def _think_ahead(self, said: str | None) -> None:
        """Begin an answer, where there is something to answer and the client wants answers."""
        if said is not None and self._detection is not None and self._detection.create_response:
            self._conversation.think_ahead(said)

    # -- words -----------------------------------------------------------------------------------------------------

    def _read_words(self) -> None:
        """Whatever was understood by now."""
        turn = self._turns.turn
        said = self._speech.take(-1 if turn is None else turn)
        if said is not None and turn is not None:
            self._tell_draft(said.text)
            self._think_ahead(self._foresight.understood(said))
            self._take_turns(self._turns.feed(said, self._now()))
        self._messages.read()

    def _tell_draft(self, text: str) -> None:
        """turns.Words of a message that is still being spoken, where they are wanted and the client knows its id."""
        user = self._conversation.session.input
        delta = self._speech.drafts.feed(text) if self._tells_drafts and user.item_id is not None else ""
        if delta and user.item_id is not None:
            user.transcribing(user.item_id, delta)
            self._conversation.wake_sender()

    def _make_message(self, item_id: str, *, answers: bool) -> None:
        """What was heard belongs to this message; a new one begins."""
        words = self._speech.hand_over()
        seconds = (self._feed.written - words.parts[0].start) / RATE if words.parts else 0.0
        self._messages.settle(item_id, words)
        self._work.create_task(self._messages.tell(item_id, words, seconds, answers=answers), name="turn")

    def _give_up(self, error: VivaVoceError) -> None:
        """No ear, or none any more: the client is told, and the connection ends."""
        self._messages.fail_all(error)
        self._conversation.report(error)
        self._conversation.close(error.close_code, error.code)

    def _ms(self, seconds: float) -> float:
        return self._before_ms + 1000 * seconds
