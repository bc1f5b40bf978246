"""One segment among the workers: what is to be heard of it, and what was.

A `machine.job.Job`. The event loop says up to where to listen and takes what was understood; a worker hands the sound
to the recognizer and steps it, together with other segments of the same model. All fields are guarded by the pool's
lock; the recognizer's stream belongs to the worker that steps the job.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions, HearingStage, HearingStream, Recognizer, RecognizerModel
from vivavoce.errors import VivaVoceError
from vivavoce.machine.job import Closeable
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM, Candidate
from vivavoce.machine.worker import step_cores
from vivavoce.recognition.hearer import Wish


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory and the recognizer it belongs to."""

    recognizer: Recognizer
    model: RecognizerModel


@dataclass(slots=True, eq=False)
class HearingJob:
    """One segment of speech among the workers, from its sound to its words.

    Attributes:
        loaded: what hears it.
        options: checked.
        changed: the pool's lock.
        wake: tells that something was understood; called from worker threads.
        live: False for a part of a recording.
    """

    loaded: LoadedModel
    options: HearingOptions
    changed: Condition
    wake: Callable[[], None]
    live: bool = True
    _sound: list[Samples] = field(default_factory=list)  # not handed over yet
    _wish: Wish | None = None
    _due_s: float = WHEN_THERE_IS_ROOM
    _stream: HearingStream | None = None
    _stage: HearingStage = "waiting"  # of the stream, as the last step left it
    _batch_key: object = None
    _heard: deque[Heard] = field(default_factory=deque)  # a beginning replaces the one before, drafts are few
    _core_s: float = 0.0
    _error: VivaVoceError | None = None
    _done: bool = False

    # -- for the event loop

    def hear(self, sound: Samples, wish: Wish, due_s: float) -> None:
        """More of the segment, and hear all of it: what was begun before and is not done is dropped.

        Args:
            sound: float32 [n], 16 kHz; may be empty.
            due_s: when the result should be there, on the monotonic clock.
        """
        with self.changed:
            if len(sound):
                self._sound.append(sound)
            if self._wish != "end":
                self._wish = wish
            self._due_s = due_s
            self.changed.notify_all()

    def is_idle(self) -> bool:
        """Nothing is being heard, and nothing is to be."""
        with self.changed:
            return self._wish is None and self._stage == "waiting"

    def take(self) -> list[Heard]:
        """What was understood since it was asked last.

        Raises:
            VivaVoceError: What ended it early.
        """
        with self.changed:
            heard = [*self._heard]
            self._heard.clear()
            if not heard and self._error is not None:
                raise self._error
            return heard

    def core_s(self) -> float:
        """Core seconds of compute so far."""
        with self.changed:
            return self._core_s

    # -- for the pool

    def candidate(self) -> Candidate | None:
        """See `Job`."""
        if self._done or self._error is not None:
            return None
        recognizer = self.loaded.recognizer
        stage, key, most = self._stage, self._batch_key, recognizer.max_batch
        if self._wish is not None:
            stage, key, most = "encode", id(self), 1
        elif stage not in ("encode", "decode"):
            return None
        return Candidate(
            id=id(self),
            group=(recognizer.name, stage, self.live, key),
            max_batch=most,
            deadline_s=self._due_s if self.live else WHEN_THERE_IS_ROOM,
            live=self.live,
            kind=(recognizer.name, stage),
        )

    def advance(self, group: Sequence[HearingJob], threads: int) -> None:
        """See `Job`."""
        if self._begin():
            group = [self]
        streams = [stream for job in group if (stream := job._stream) is not None]
        if streams and streams[0].stage not in ("encode", "decode"):
            self._note(group, [None] * len(group), 0.0)
            return
        started_s = time.perf_counter()
        heard = self.loaded.recognizer.step(streams, threads=threads)
        self._note(group, heard, (time.perf_counter() - started_s) * step_cores(threads) / len(group))

    def fail(self, error: VivaVoceError) -> None:
        """See `Job`."""
        if self._error is None:
            self._error = error
        self.wake()

    def detach(self) -> Closeable | None:
        """See `Job`."""
        stream, self._stream = self._stream, None
        self._sound.clear()
        self._done = True
        return stream

    # -- by a worker, without the lock

    def _begin(self) -> bool:
        """Hand over what was fed and say what is wanted. False where nothing is."""
        with self.changed:
            wish, self._wish = self._wish, None
            sound, self._sound = self._sound, []
        if wish is None:
            return False
        if self._stream is None:
            self._stream = self.loaded.recognizer.open(self.loaded.model, self.options)
        for samples in sound:
            self._stream.feed(samples)
        if wish == "end":
            self._stream.end()
        else:
            self._stream.draft()
        return True

    def _note(self, group: Sequence[HearingJob], heard: Sequence[Heard | None], core_s: float) -> None:
        with self.changed:
            for job, result in zip(group, heard, strict=True):
                stream = job._stream
                assert stream is not None
                job._core_s += core_s
                job._stage, job._batch_key = stream.stage, stream.batch_key
                if result is not None:
                    job._keep(result)
                if stream.error is not None and job._error is None:
                    job._error = stream.error
                job._done = job._done or (stream.stage == "done")
        for job in group:
            job.wake()

    def _keep(self, result: Heard) -> None:
        """Only the last of what is overtaken by the next is worth telling."""
        if self._heard and not self._heard[-1].is_final:
            self._heard.pop()
        self._heard.append(result)
