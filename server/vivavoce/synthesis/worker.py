"""The only threads that compute speech: they step engines, one group of streams at a time, as the scheduler says.

Everything the threads share is a `Track` behind one lock; engines run outside it. Chunks wait in their track until
the event loop takes them, a full track is not stepped, a cancelled one stops with the step it is in. Made and fed by
`synthesizer.Synthesizer`.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from vivavoce.audio.chunk import AudioChunk, Samples, WordTiming
from vivavoce.audio.resample import EMPTY, Resampler
from vivavoce.audio.samples import guard
from vivavoce.errors import BadAudio, EmptyInput, EngineCrashed, EngineError, EngineTimeout, VivaVoceError
from vivavoce.machine.scheduler import choose
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import SpokenChunk
from vivavoce.synthesis.track import PAUSE_S, SentenceCost, Track
from vivavoce.text.normalize import normalize
from vivavoce.text.sentences import Sentence

logger = logging.getLogger(__name__)

# Of a core's work, what each further thread of a step adds: threads that wait for each other do less. Measured on two
# hardware threads of one core, Genie V2: 1.2 core seconds for a second of speech alone, 0.8 beside another listener.
FURTHER_THREAD = 0.3


@dataclasses.dataclass(frozen=True, slots=True)
class _Running:
    """A step that a worker is in."""

    group: Hashable
    tracks: list[Track]
    since_s: float
    alone: bool  # no other worker was in a step when it began


def step_cores(threads: int, *, alone: bool) -> float:
    """What a second of a step counts as, in core seconds of a step that runs beside others.

    Args:
        threads: of a step that is alone; beside others it has one.
        alone: no other step ran.
    """
    return 1 + (threads - 1) * FURTHER_THREAD if alone else 1.0


class WorkerPool:
    """Threads that turn the sentences of many tracks into audio.

    Args:
        workers: threads; one a core.
        first_audio_target_s: when the first chunk of an utterance is due.
        step_timeout_s: a step that takes longer is given up; its thread is replaced.
    """

    def __init__(self, *, workers: int, first_audio_target_s: float, step_timeout_s: float, metrics: Metrics) -> None:
        self._first_audio_target_s = first_audio_target_s
        self._step_timeout_s = step_timeout_s
        self._metrics = metrics
        self._changed = threading.Condition()
        self._tracks: dict[int, Track] = {}
        self._running: dict[threading.Thread, _Running] = {}
        self._closed = False
        self._spawned = 0
        self._threads: list[threading.Thread] = []
        for _ in range(workers):
            self._spawn()

    # -- for the event loop

    def add(self, track: Track) -> None:
        """Let it be scheduled."""
        with self._changed:
            self._tracks[track.id] = track

    def feed(self, track: Track, sentences: Iterable[Sentence], *, ended: bool = False) -> None:
        """More text for it; `ended`: no more will come."""
        with self._changed:
            now_s = time.monotonic()
            for sentence in sentences:
                track.first_text_s = track.first_text_s or now_s
                track.sentences.append(sentence)
                track.arrived_s.append(now_s)
            track.text_ended = track.text_ended or ended
            self._changed.notify_all()
        if ended:
            track.wake()  # where all is spoken already, its reader waits for nothing but this

    def take(self, track: Track) -> SpokenChunk | None:
        """Its next chunk, if there is one."""
        with self._changed:
            if not track.chunks:
                return None
            chunk = track.chunks.popleft()
            was_full = track.unread >= track.ahead_s * track.sample_rate
            track.unread -= len(chunk.audio.samples)
            if was_full:
                self._changed.notify_all()
            return chunk

    def played(self, track: Track, position_s: float) -> None:
        """The listener says how far it has heard; pacing and deadlines follow its clock from now on."""
        with self._changed:
            if track.playing_since_s is not None:
                heard_s = min(max(position_s, 0.0), track.produced / track.sample_rate)
                track.playing_since_s = time.monotonic() - heard_s
                self._changed.notify_all()

    def remove(self, track: Track) -> None:
        """Cancel it: at once where nothing runs, else with the step it is in. Any number of times."""
        with self._changed:
            if self._tracks.pop(track.id, None) is None:
                return
            track.cancelled = True
            track.cancelled_s = time.monotonic()
            if not track.busy:
                track.drop()

    def give_up_hung_steps(self) -> None:
        """Fail the streams of steps that take too long and put fresh threads in the place of the stuck ones."""
        now_s = time.monotonic()
        with self._changed:
            for thread, running in list(self._running.items()):
                if now_s - running.since_s <= self._step_timeout_s:
                    continue
                logger.error("a step took longer than %.0f s; its worker is replaced", self._step_timeout_s)
                del self._running[thread]
                self._threads.remove(thread)
                for track in running.tracks:
                    self._fail(track, EngineTimeout(f"the engine did not answer within {self._step_timeout_s:.0f} s"))
                self._spawn()

    def close(self) -> None:
        """Stop all threads after the step they are in."""
        with self._changed:
            self._closed = True
            for track in self._tracks.values():
                track.cancelled = True
            self._changed.notify_all()
        for thread in list(self._threads):
            thread.join()

    # -- the threads

    def _spawn(self) -> None:
        self._spawned += 1
        thread = threading.Thread(target=self._work, name=f"speech-worker-{self._spawned}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                running = self._next()
                if running is None:
                    return
                self._running[me] = running
                group = running.tracks
            try:
                self._advance(group, alone=running.alone)
            finally:
                with self._changed:
                    replaced = self._running.pop(me, None) is None
                    for track in group:
                        track.busy = False
                        if track.cancelled or replaced:
                            track.drop()
                            self._metrics.cancel_latency.observe(max(0.0, time.monotonic() - track.cancelled_s))
                        track.wake()
                    self._changed.notify_all()
            if replaced:
                return

    def _next(self) -> _Running | None:
        """Wait for work; None when the pool closes. Holds the lock, marks the tracks busy."""
        while not self._closed:
            now_s = time.monotonic()
            candidates = (t.candidate(self._first_audio_target_s) for t in self._tracks.values())
            running = {step.group for step in self._running.values()}
            choice = choose((c for c in candidates if c is not None), now_s, running)
            if choice.ids:
                tracks = [self._tracks[i] for i in choice.ids]
                for track in tracks:
                    track.busy = True
                return _Running(choice.group, tracks, now_s, alone=not self._running)
            self._changed.wait(choice.wait_s)
        return None

    def _advance(self, group: Sequence[Track], *, alone: bool) -> None:
        """One step of the group; whatever goes wrong belongs to its tracks, never to the thread."""
        try:
            if group[0].stream is None:
                self._open(group[0])
            else:
                self._step(group, alone=alone)
        except VivaVoceError as error:
            self._failed(group, error)
        except Exception:
            logger.exception("an engine failed in an unexpected way")
            self._failed(group, EngineCrashed("the speech engine failed"))

    def _open(self, track: Track) -> None:
        """Begin the track's next sentence; one that holds nothing to speak is passed over."""
        with self._changed:
            if not track.sentences:  # cancelled meanwhile
                return
            sentence = track.sentences.popleft()
            arrived_s = track.arrived_s.popleft()
        if not sentence.spoken:  # a block of code
            return
        started_s = time.perf_counter()
        spoken = normalize(sentence.text, track.options.language, preferred=track.home_language)
        if not spoken.text:
            return
        seed = None if track.options.seed is None else track.options.seed + sentence.index
        try:
            stream = track.engine.open(spoken, track.voice, dataclasses.replace(track.options, seed=seed))
        except EmptyInput:
            return
        with self._changed:
            pause = PAUSE_S[track.last_ending] if track.last_ending is not None else 0.0
            track.sentence, track.stream = sentence, stream
            track.sentence_arrived_s = arrived_s
            track.sentence_start = track.produced + round(pause * track.sample_rate)
            track.sentence_samples = 0
            track.held_words = ()
            track.resampler = Resampler(track.engine.sample_rate, track.sample_rate)
            track.sentence_core_s = time.perf_counter() - started_s

    def _step(self, group: Sequence[Track], *, alone: bool) -> None:
        streams = []
        for track in group:
            assert track.stream is not None
            dry_at_s = track.dry_at_s
            track.stream.buffered_s = 0.0 if dry_at_s is None else max(0.0, dry_at_s - time.monotonic())
            streams.append(track.stream)
        engine = group[0].engine
        stage = streams[0].stage
        started_s = time.perf_counter()
        chunks = engine.step(streams)
        core_s = (time.perf_counter() - started_s) * step_cores(engine.threads, alone=alone) / len(group)
        for track, stream, chunk in zip(group, streams, chunks, strict=True):
            track.sentence_core_s += core_s
            if stream.error is not None:
                self._failed([track], stream.error)
            elif chunk is not None or stream.stage == "done":
                self._deliver(track, chunk, stage, ended=stream.stage == "done")

    def _deliver(self, track: Track, chunk: AudioChunk | None, stage: str, *, ended: bool) -> None:
        """Guard, resample and place a chunk, and hand it to the reader."""
        assert track.sentence is not None
        assert track.resampler is not None
        samples = self._finished_samples(track.resampler, chunk, ended=ended)
        track.held_words += chunk.words if chunk else ()
        if not len(samples) and not ended:
            return  # the resampler keeps the first few milliseconds
        offset_s = track.sentence_start / track.sample_rate
        words = tuple(_moved(word, offset_s, track.sentence.start) for word in track.held_words)
        track.held_words = ()
        begins = track.sentence_samples == 0
        gap = track.sentence_start - track.produced if begins else 0
        if gap > 0:
            samples = np.concatenate([np.zeros(gap, np.float32), samples])
        now_s = time.monotonic()
        with self._changed:
            if track.cancelled:
                return
            self._note_slack(track, now_s, begins)
            spoken = SpokenChunk(
                AudioChunk(samples, track.sample_rate, words),
                track.sentence,
                track.produced / track.sample_rate,
                begins,
                ended,
            )
            track.chunks.append(spoken)
            track.unread += len(samples)
            track.produced += len(samples)
            track.sentence_samples += len(samples)
            if ended:
                self._end_sentence(track)
        self._metrics.audio_seconds.inc(len(samples) / track.sample_rate)
        track.wake()

    def _finished_samples(self, resampler: Resampler, chunk: AudioChunk | None, *, ended: bool) -> Samples:
        parts: list[Samples] = []
        if chunk is not None:
            guarded = guard(chunk.samples)
            if guarded.bad or guarded.clipped:
                self._metrics.bad_samples.inc(guarded.bad + guarded.clipped)
            if guarded.unusable:
                raise BadAudio("the engine made samples that are not numbers")
            parts.append(resampler.process(guarded.samples))
        if ended:
            parts.append(resampler.flush())
        return np.concatenate(parts) if parts else EMPTY

    def _note_slack(self, track: Track, now_s: float, begins_sentence: bool) -> None:
        """Follow the listener's clock: how much audio it still had when this chunk came."""
        dry_at_s = track.dry_at_s
        if dry_at_s is None:
            track.playing_since_s = now_s
            return
        slack_s = dry_at_s - now_s
        self._metrics.chunk_slack.observe(slack_s)
        if slack_s >= 0:
            return
        # Waiting for text or for a reader that stopped is not the engine's fault; either way the clock moves on.
        text_came_late = begins_sentence and track.sentence_arrived_s + self._first_audio_target_s > dry_at_s
        if not text_came_late and not track.chunks:
            self._metrics.underruns.inc()
            self._metrics.underrun_seconds.inc(-slack_s)
            track.underruns += 1
        assert track.playing_since_s is not None
        track.playing_since_s -= slack_s

    def _end_sentence(self, track: Track) -> None:
        assert track.sentence is not None
        assert track.stream is not None
        audio_s = track.sentence_samples / track.sample_rate
        track.costs.append(SentenceCost(track.sentence_core_s, audio_s))
        track.core_s += track.sentence_core_s
        track.sentence_core_s = 0.0
        track.last_ending = track.sentence.ending
        track.stream.close()
        track.stream = track.sentence = track.resampler = None
        track.retried = False

    def _failed(self, group: Sequence[Track], error: VivaVoceError) -> None:
        """Try a sentence nobody has heard of once more; end the utterance otherwise."""
        with self._changed:
            for track in group:
                unheard = track.stream is not None and track.sentence_samples == 0
                if isinstance(error, EngineError) and unheard and not track.retried and track.sentence is not None:
                    assert track.stream is not None
                    track.retried = True
                    track.stream.close()
                    track.stream = None
                    track.sentences.appendleft(track.sentence)
                    track.arrived_s.appendleft(track.sentence_arrived_s)
                else:
                    self._fail(track, error)

    def _fail(self, track: Track, error: VivaVoceError) -> None:
        if track.error is None:
            track.error = error
        track.wake()


def _moved(word: WordTiming, offset_s: float, offset: int) -> WordTiming:
    """A word of a sentence, placed in its utterance."""
    return dataclasses.replace(
        word,
        start_s=word.start_s + offset_s,
        end_s=word.end_s + offset_s,
        source_start=word.source_start + offset,
        source_end=word.source_end + offset,
    )
