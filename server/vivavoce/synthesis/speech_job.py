"""One utterance among the workers: its sentences to come, the one being made, the audio nobody has read yet.

A `machine.job.Job`: a worker opens its next sentence, or steps the one that is open together with others of the same
voice, and delivers what came of it. All fields are guarded by the lock of the pool (`changed`). The event loop's side
is `utterance.Utterance`, which calls the methods of the first part.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Condition

from vivavoce.audio.chunk import AudioChunk
from vivavoce.audio.resample import Resampler
from vivavoce.engines.speech import SentenceStream
from vivavoce.errors import EngineError, EngineTimeout, UnspeakableText, VivaVoceError
from vivavoce.machine.job import Closeable
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM, Candidate, deadline
from vivavoce.machine.worker import step_cores
from vivavoce.metrics import Metrics
from vivavoce.synthesis.costs import Costs, Spent
from vivavoce.synthesis.job_settings import JobSettings
from vivavoce.synthesis.placing import LeftStreams, PlacedSentence
from vivavoce.synthesis.preparation import open_pieces, prepare_sentence
from vivavoce.synthesis.speaker import Unspoken
from vivavoce.synthesis.unread import Made, UnreadSound
from vivavoce.synthesis.voice_library import LoadedVoice
from vivavoce.text.normalize import SpokenText
from vivavoce.text.sentences import Sentence

# Silence between two sentences: what follows a clause needs none, engines end a sentence with a little of their own.
PAUSE_S = {"clause": 0.0, "sentence": 0.15, "paragraph": 0.4}

MAX_UNSPOKEN = 1000  # parts that are noted of one utterance; what is left out after them is left out untold


@dataclass(frozen=True, slots=True)
class _Text:
    """A sentence to come, and when it was ready to be spoken.

    Attributes:
        pieces: what is left to say of one that was begun; empty: nobody has looked at it yet.
    """

    sentence: Sentence
    arrived_s: float
    pieces: tuple[SpokenText, ...] = ()


@dataclass(slots=True, eq=False)
class SpeechJob:
    """One utterance among the workers.

    Attributes:
        settings: how it is to be made.
        arrival_s: when the request came.
        changed: the pool's lock; notified where there is more to do.
        wake: tells the reader to look again; called from worker threads.
    """

    settings: JobSettings
    arrival_s: float
    changed: Condition
    metrics: Metrics
    wake: Callable[[], None]
    _voice: LoadedVoice | None = None

    # -- text to come
    _texts: deque[_Text] = field(default_factory=deque)  # bounded by the characters an utterance may buffer
    _first_text_s: float | None = None
    _text_ended: bool = False

    # -- the sentence being made
    _open: PlacedSentence | None = None
    _opening: bool = False  # a worker is about to set it
    _retried: bool = False
    _given_up: list[SentenceStream] = field(default_factory=list)  # to be closed by a worker

    # -- audio
    _sound: UnreadSound = field(init=False)
    _last_ending: str | None = None  # how the sentence before ended; None before the first
    _costs: Costs = field(default_factory=Costs)
    _error: VivaVoceError | None = None
    _goes_on: bool = False  # the sentence that ended last was a piece, and more of it follows
    _unspoken: tuple[Unspoken, ...] = ()
    _refused: UnspeakableText | None = None

    def __post_init__(self) -> None:
        self._sound = UnreadSound(self.settings.sample_rate, self.settings.ahead_s)

    # -- for the reader ----------------------------------------------------------------------------------------------

    def use(self, voice: LoadedVoice | None) -> None:
        """Who speaks what comes; None while nobody does: then it is not stepped."""
        with self.changed:
            self._voice = voice
            self.changed.notify_all()

    def feed(self, sentences: Iterable[Sentence], *, ended: bool = False) -> None:
        """More text for it; `ended`: no more will come."""
        with self.changed:
            now_s = time.monotonic()
            self._texts.extend(_Text(sentence, now_s) for sentence in sentences)
            if self._texts and self._first_text_s is None:
                self._first_text_s = now_s
            self._text_ended = self._text_ended or ended
            self.changed.notify_all()
        self.wake()  # where all is spoken already, its reader waits for nothing but this

    def take(self) -> Made | None:
        """Its next chunk, if there is one.

        Raises:
            VivaVoceError: What ended it early, once everything made before it was taken.
        """
        with self.changed:
            was_full = self._sound.is_full
            made = self._sound.take()
            if made is not None:
                if was_full:
                    self.changed.notify_all()
                return made
            if self._error is not None:
                raise self._error
            return None

    def has_ended(self) -> bool:
        """Everything that will ever be made was made and taken."""
        with self.changed:
            return self._text_ended and not self._has_work and not self._sound

    def left_out(self) -> tuple[tuple[Unspoken, ...], UnspeakableText | None]:
        """What the voice has no letters for so far, and why a whole sentence was left out, if one was."""
        with self.changed:
            return self._unspoken, self._refused

    def is_idle(self) -> bool:
        """There is no text to make anything of."""
        with self.changed:
            return not self._has_work

    def waits_for_reader(self) -> bool:
        """Nothing more is made until somebody reads, or writes."""
        with self.changed:
            return self._sound.is_full or not self._has_work

    def break_off(self, error: VivaVoceError) -> None:
        """Nothing more is made, and nothing that was is read."""
        with self.changed:
            self._sound.clear()
            self._error = self._error or error

    def played(self, position_s: float) -> None:
        """The listener says how far it has heard; pacing and deadlines follow its clock from now on."""
        with self.changed:
            self._sound.clock.heard(position_s, time.monotonic())
            self.changed.notify_all()

    def listener_has(self, sound_s: float) -> None:
        """Before its first chunk: the listener has this much sound from elsewhere, and hears this job's after it."""
        with self.changed:
            self._sound.clock.since_s, self._sound.clock.sound_s = time.monotonic(), sound_s

    def spent(self) -> Spent:
        """What the whole utterance took up to now."""
        with self.changed:
            open_core_s = self._open.core_s if self._open is not None else 0.0
            return self._costs.total(open_core_s, self._sound.produced_s)

    def new_costs(self) -> list[Spent]:
        """Of each sentence that has ended since it was asked last."""
        with self.changed:
            return self._costs.take_new()

    @property
    def _has_work(self) -> bool:
        return bool(self._texts) or self._open is not None or self._opening

    # -- for the pool ------------------------------------------------------------------------------------------------

    def candidate(self) -> Candidate | None:
        """See `Job`."""
        if self._voice is None or self._error is not None or self._sound.is_full or not (self._open or self._texts):
            return None
        engine, dry_at_s, settings = self._voice.engine, self._sound.clock.dry_at_s, self.settings
        due_s = deadline(
            arrival_s=self.arrival_s if self._first_text_s is None else self._first_text_s,
            first_audio_target_s=settings.first_audio_target_s,
            dry_at_s=dry_at_s,
        )
        stream = None if self._open is None else self._open.stream
        stage = "open" if stream is None else stream.stage
        return Candidate(
            id=id(self),
            group=(engine.name, stage, id(self) if stream is None else stream.batch_key),
            max_batch=1 if stream is None else engine.max_batch,
            deadline_s=due_s if settings.live else WHEN_THERE_IS_ROOM,
            ready_at_s=dry_at_s - settings.ahead_s if settings.paced and dry_at_s is not None else 0.0,
            live=settings.live,
            kind=(engine.name, stage),
        )

    def advance(self, group: Sequence[SpeechJob], threads: int) -> None:
        """See `Job`."""
        if self._open is None:
            self._open_next()
        else:
            _step(group, threads)

    def fail(self, error: VivaVoceError) -> None:
        """Try a sentence nobody has heard of once more; end the utterance otherwise."""
        opened, self._opening = self._open, False
        may_retry = isinstance(error, EngineError) and not isinstance(error, EngineTimeout) and not self._retried
        if may_retry and opened is not None and opened.samples == 0:
            self._retried = True
            self._open = None
            self._given_up.append(opened.stream)
            self._texts.appendleft(_Text(opened.sentence, opened.arrived_s, opened.pieces))
        elif self._error is None:
            self._error = error
        self.wake()

    def detach(self) -> Closeable | None:
        """See `Job`."""
        left = LeftStreams([*self._given_up, *([self._open.stream] if self._open is not None else [])])
        if self._open is not None:
            self._costs.drop_sentence(self._open.core_s)
        self._open = None
        self._given_up = []
        self._texts.clear()
        self._sound.clear()
        return left if left.streams else None

    # -- the steps, by a worker, without the lock --------------------------------------------------------------------

    def _open_next(self) -> None:
        """Begin the next sentence; one that holds nothing to speak is passed over."""
        with self.changed:
            given_up, self._given_up = self._given_up, []
            text, self._opening, voice = self._texts.popleft(), True, self._voice
        assert voice is not None
        LeftStreams(given_up).close()
        started_s = time.perf_counter()
        pieces = text.pieces or self._pieces_of(text.sentence, voice)
        stream, pieces = open_pieces(pieces, text.sentence, voice, self.settings.options)
        with self.changed:
            self._opening = False
            if stream is not None:
                core_s = time.perf_counter() - started_s
                self._open = self._placed(text, stream, pieces, voice.engine.sample_rate, core_s)
                self._costs.add_stage("open", core_s)
        if stream is None:
            self.wake()

    def _pieces_of(self, sentence: Sentence, voice: LoadedVoice) -> tuple[SpokenText, ...]:
        """What an engine is given of a sentence; what is left out of it is noted."""
        prepared = prepare_sentence(sentence, voice, self.settings.options)
        if prepared.unspoken or prepared.refused:
            with self.changed:
                self._unspoken += prepared.unspoken[: MAX_UNSPOKEN - len(self._unspoken)]
                self._refused = self._refused or prepared.refused
        return prepared.pieces

    def _placed(
        self, text: _Text, stream: SentenceStream, pieces: tuple[SpokenText, ...], engine_rate: int, core_s: float
    ) -> PlacedSentence:
        rate = self.settings.sample_rate
        pause_s = PAUSE_S[self._last_ending] if self._last_ending is not None else 0.0
        return PlacedSentence(
            text.sentence,
            stream,
            Resampler(engine_rate, rate),
            text.arrived_s,
            start=self._sound.produced + round(pause_s * rate),
            pieces=pieces,
            goes_on=bool(text.pieces) and self._goes_on,
            core_s=core_s,
        )

    def _deliver(self, opened: PlacedSentence, chunk: AudioChunk | None) -> None:
        """Place what a step made, and hand it to the reader."""
        ended = opened.stream.stage == "done"
        try:
            spoken = opened.place(chunk, self._sound.produced, ended=ended)
        finally:
            self.metrics.bad_samples.inc(opened.bad)
            opened.bad = 0
        if spoken is None:
            return
        now_s = time.monotonic()
        with self.changed:
            if self._open is not opened:  # given up meanwhile
                return
            slack_s = self._sound.put(Made(spoken, opened.arrived_s), now_s)
            if ended:
                self._end_sentence(opened)
        if slack_s is not None:
            self.metrics.chunk_slack.observe(slack_s)
        self.metrics.audio_seconds.inc(spoken.audio.duration_s)
        if ended:
            opened.stream.close()
        self.wake()

    def _end_sentence(self, opened: PlacedSentence) -> None:
        self._costs.end_sentence(Spent(opened.core_s, opened.sound_s))
        rest = opened.pieces[1:]
        if rest:
            self._texts.appendleft(_Text(opened.sentence, opened.arrived_s, rest))
        self._goes_on = bool(rest)
        self._last_ending = "clause" if rest else opened.sentence.ending
        self._open, self._retried = None, False


def _step(group: Sequence[SpeechJob], threads: int) -> None:
    """One step of all of them by their engine. One that fails alone does not stop its neighbours."""
    with group[0].changed:
        voice = group[0]._voice
        opened = [job._open for job in group]
        dry_at_s = [job._sound.clock.dry_at_s for job in group]
    assert voice is not None
    placed = [each for each in opened if each is not None]
    assert len(placed) == len(group), "a job was chosen for a step and has none"
    now_s = time.monotonic()
    for each, dry_s in zip(placed, dry_at_s, strict=True):
        each.stream.buffered_s = 0.0 if dry_s is None else max(0.0, dry_s - now_s)
    stage, started_s = placed[0].stream.stage, time.perf_counter()
    chunks = voice.engine.step([each.stream for each in placed], threads=threads)
    core_s = (time.perf_counter() - started_s) * step_cores(threads) / len(group)
    with group[0].changed:
        for job, each in zip(group, placed, strict=True):
            each.core_s += core_s
            job._costs.add_stage(stage, core_s)
    for job, each, chunk in zip(group, placed, chunks, strict=True):
        try:
            if each.stream.error is not None:
                raise each.stream.error
            if chunk is not None or each.stream.stage == "done":
                job._deliver(each, chunk)
        except VivaVoceError as error:
            with job.changed:
                job.fail(error)
