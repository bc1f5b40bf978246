"""One wish to speak, and the audio it becomes: the event loop's side of a `SpeechJob`.

It holds a voice and a place on the machine only while there is text to speak, or sound of it that its listener has not
heard: one that waits for its client gives both back, and takes them again when there is more. One whose reader leaves
the sound lying gives its place back, too, and takes one again when the reader comes. Made by `synthesizer.py`; whoever
called that writes text into it, reads chunks from it and tells it what was heard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from vivavoce.errors import EmptyInput, VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.synthesis.costs import Spent
from vivavoce.synthesis.holding import Holding
from vivavoce.synthesis.playout_clock import PlayoutClock
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.reader import Reader
from vivavoce.synthesis.script import Script
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest, SpokenChunk, Unspoken
from vivavoce.synthesis.speech_job import SpeechJob
from vivavoce.synthesis.unread import Made
from vivavoce.synthesis.voice_library import LoadedVoice, VoiceLibrary
from vivavoce.text.sentences import Sentence

GRAIN_S = 0.005  # a shorter gap is nobody's: threads and tasks take turns


class Utterance:
    """The audio of one request, in order; text may still be written while it speaks.

    An async iterator of `SpokenChunk`. `__anext__` raises the error that ended the synthesis, if one did.

    Args:
        job: makes the audio; `woken` is set where it has something new.
        library, admissions: where voice and place come from.
        place: of the conversation it belongs to, which it does not give back; None: it gets one of its own.
        begun: it goes on with what is being heard already: its place is never refused.
        rest_s: a reader that stays away for this long has left.
        lag_s: seconds by which the event loop has been late so far.

    Attributes:
        request: what was asked for.
        voice: who speaks.
        sample_rate: Hz of the chunks.
        first_chunk_s: from the request, or from its first sentence where that came later, to the first chunk.
        underruns: chunks that a listener in real time had to wait for.
        outcome: completed, error (then `error` says which) or cancelled.
        clock: of the sound that has left: when its listener runs dry.
    """

    def __init__(
        self,
        request: SpeechRequest,
        voice: ResolvedVoice,
        job: SpeechJob,
        woken: asyncio.Event,
        *,
        pool: WorkerPool,
        library: VoiceLibrary,
        admissions: Admissions,
        place: Place | None,
        begun: bool = False,
        metrics: Metrics,
        max_buffered_text: int,
        rest_s: float = 2.0,
        lag_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.request = request
        self.voice = voice
        self.sample_rate = job.settings.sample_rate
        self.first_chunk_s: float | None = None
        self.underruns = 0
        self.outcome = "cancelled"
        self.error: VivaVoceError | None = None
        self._job = job
        self._woken = woken
        self._pool = pool
        self._holds = Holding(
            library, admissions, voice, request.owner, live=job.settings.live, lent=place, begun=begun
        )
        self._reader = Reader(rest_s, request.paced)
        self._returning: asyncio.Task[None] | None = None  # it gets a place again, while what was made is read
        self._metrics = metrics
        self._lag_s = lag_s
        self._one_at_a_time = asyncio.Lock()  # a reader may come while it is started ahead
        self._told_sounding = False
        self._script = Script(max_buffered_text)
        self._prepared: PreparedText | None = None
        self.clock = PlayoutClock()
        self._left_s: float | None = None  # when the last chunk did
        self._lag_then_s = 0.0

    # -- text in

    @property
    def written(self) -> int:
        """Code points taken in so far."""
        return self._script.written

    @property
    def backlog(self) -> int:
        """Code points written of which nothing has been heard of yet."""
        return self._script.backlog

    def write(self, delta: str) -> None:
        """More text, of any size.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        self._feed(self._script.write(delta))

    def flush(self) -> None:
        """Speak what is buffered now; more text may come."""
        self._feed(self._script.flush())

    def end(self) -> None:
        """No more text will come. Any number of times."""
        if not self._script.ended:
            self._feed(self._script.end(), ended=True)

    async def start(self) -> None:
        """See `speaker.Spoken`."""
        if not self._job.is_idle():
            await self.take_up()

    def say(self, sentence: Sentence, *, buffered_s: float = 0.0) -> None:
        """One sentence of a text that was cut elsewhere, and no more.

        Args:
            buffered_s: seconds of sound that the listener has from before it.
        """
        if buffered_s > 0:
            self._job.listener_has(buffered_s)
        self._script.take_whole(sentence.text)
        self._feed([sentence], ended=True)

    def write_whole(self, text: str, prepared: PreparedText) -> None:
        """All of its text, looked at already."""
        self._script.take_whole(text)
        self._prepared = prepared
        self._feed(prepared.sentences, ended=True)

    def _feed(self, sentences: list[Sentence], *, ended: bool = False) -> None:
        if sentences or ended:
            self._job.feed(sentences, ended=ended)

    # -- the listener

    def played(self, position_s: float) -> None:
        """What the listener has heard so far; moves its clock."""
        self._job.played(position_s)
        self.clock.heard(position_s, time.monotonic())

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        return self._script.heard(position_s)

    # -- audio out

    def __aiter__(self) -> Utterance:
        return self

    async def __anext__(self) -> SpokenChunk:
        asked_s = time.monotonic()
        if self._reader.comes(asked_s, self.clock.dry_at_s) and not self._job.is_idle():
            self._returning = asyncio.create_task(self.take_up(again=True), name="utterance-returns")
        try:
            while True:
                self._woken.clear()
                if (made := self._job.take()) is not None:
                    self._note(made, asked_s)
                    self._reader.goes(time.monotonic())
                    return made.chunk
                if self._job.has_ended():
                    break
                if self._job.is_idle():
                    await self._wait_for_text()
                elif self._returning is not None:
                    returning, self._returning = self._returning, None
                    await returning
                elif not self.works:
                    await self.take_up()
                else:
                    await self._woken.wait()
            if not self.clock.sound_s:
                self._refuse_silence()
        except VivaVoceError as error:
            self.outcome, self.error = "error", error
            raise
        self.outcome = "completed"
        await self._rest()  # its reader may take long over what it has
        raise StopAsyncIteration

    def _refuse_silence(self) -> None:
        """Nothing was said: of a text in another language, or of one that holds nothing to say."""
        _, refused = self._job.left_out()
        if refused is not None:
            raise refused
        if self.request.text is not None:
            raise EmptyInput

    @property
    def unspoken(self) -> tuple[Unspoken, ...]:
        """Parts of the text that the voice has no letters for; of a whole text known before its first sound."""
        return self._prepared.unspoken if self._prepared is not None else self._job.left_out()[0]

    @property
    def works(self) -> bool:
        """It holds a voice and a place."""
        return self._holds.place is not None

    async def hold_voice(self) -> LoadedVoice:
        """The voice, in memory until it rests or ends. Raises as `Holding.take_voice`."""
        return await self._holds.take_voice()

    async def take_up(self, *, again: bool = False) -> None:
        """There is text: get a voice and a place, and let the workers begin. Raises as `Spoken.start`.

        Args:
            again: it had a place before, and is being heard.
        """
        async with self._one_at_a_time:
            if self.works:
                return
            loaded = await self._holds.take_place(again=again)
            self._told_sounding = False
            self._job.use(loaded)
            self._pool.add(self._job)

    async def close(self) -> None:
        """It ended, however: stop the work and give everything back."""
        self._script.ended = True
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
        self._pool.remove(self._job)
        self._settle_costs()
        await self._holds.give_back()

    # -- a reader that does not come back: what it left lying is there for it while it gets a place again

    def is_left(self, now_s: float) -> bool:
        """It has a place of its own, and can do no more until somebody reads what it has made."""
        can_no_more = self.works and self._holds.lent is None and self._job.waits_for_reader()
        return can_no_more and self._reader.has_left(now_s, self.clock.dry_at_s)

    @property
    def lies(self) -> bool:
        """It gave its place back because nobody reads it."""
        return self._reader.is_missed

    async def let_lie(self) -> None:
        """Give the place back until the reader comes."""
        self._reader.is_missed = True
        self._pool.park(self._job)
        self._settle_costs()
        await self._holds.leave_place()

    def give_up(self, error: VivaVoceError) -> None:
        """Drop what was made; a reader that comes all the same is told why."""
        self._job.break_off(error)
        self._pool.remove(self._job)

    async def _wait_for_text(self) -> None:
        """Give back what it holds once its listener has heard everything and its client still has not written."""
        if self.works and self.clock.dry_at_s is not None:
            try:
                async with asyncio.timeout(max(0.0, self.clock.dry_at_s - time.monotonic())):
                    await self._woken.wait()
                return
            except TimeoutError:
                pass
        if self._job.is_idle():
            await self._rest()
            await self._woken.wait()

    async def _rest(self) -> None:
        if self.works:
            self._pool.park(self._job)
            self._settle_costs()
            self._job.use(None)
            await self._holds.give_back()

    # -- what became of it

    @property
    def begun_s(self) -> float:
        """When the request came, on `time.monotonic`."""
        return self._job.arrival_s

    @property
    def produced_s(self) -> float:
        """Seconds of audio made so far."""
        return self.spent.sound_s

    @property
    def spent(self) -> Spent:
        """Core seconds and seconds of audio."""
        return self._job.spent()

    def _note(self, made: Made, asked_s: float) -> None:
        """A chunk leaves: keep the books of what was said, when, what it cost and whether it came in time."""
        now_s, chunk = time.monotonic(), made.chunk
        if self.first_chunk_s is None:
            begun_s = self._job.arrival_s if self.request.text is not None else made.text_came_s
            self.first_chunk_s = now_s - begun_s
        self._note_gap(made, asked_s, now_s)
        self._tell_sounding()
        self._script.leaves(chunk)
        if chunk.ends_sentence:
            self._settle_costs()

    def _note_gap(self, made: Made, asked_s: float, now_s: float) -> None:
        """Its listener may have waited for this chunk: by the engine's fault, or the event loop's, or its own."""
        if self._left_s is not None:
            self._metrics.chunk_gap.observe(now_s - self._left_s)
        slack_s = self.clock.add(made.chunk.audio.duration_s, now_s)
        lag_s, self._lag_then_s = self._lag_s() - self._lag_then_s, self._lag_s()
        self._left_s = now_s
        if slack_s is None or slack_s >= 0:
            return
        dry_at_s = now_s + slack_s
        if made.chunk.begins_sentence and made.text_came_s + self._job.settings.first_audio_target_s > dry_at_s:
            return  # it waited for its text
        by_reader_s = max(0.0, asked_s - dry_at_s)  # its reader came later than that; unless we kept it
        ours_s = -slack_s - by_reader_s + min(by_reader_s, lag_s)
        if ours_s > GRAIN_S:
            self.underruns += 1
            self._metrics.ran_dry(ours_s)
            if self._holds.place is not None:
                self._holds.place.ran_dry(now_s)

    def _tell_sounding(self) -> None:
        if self.works and not self._told_sounding:
            self._told_sounding = True
            self._holds.sounding(self.spent.core_s, first=not self._script.has_begun)  # or it has spoken and rested

    def _settle_costs(self) -> None:
        costs = self._job.new_costs()
        self._holds.settle(costs)
        if costs and not self.underruns and self._holds.place is not None:
            self._holds.place.in_time(time.monotonic())
