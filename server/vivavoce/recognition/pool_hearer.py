"""A model in memory as a hearer: each segment is a job of the worker pool. Made by `transcriber.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.errors import EngineError
from vivavoce.machine.admission import Kind
from vivavoce.machine.health import Health
from vivavoce.machine.worker import WorkerPool
from vivavoce.recognition.hearer import Books, Wish
from vivavoce.recognition.hearing_job import HearingJob, LoadedModel
from vivavoce.recognition.listener import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class PoolHearer:
    """See `hearer.Hearer`.

    Attributes:
        loaded: what hears.
        pool: where the work is done.
        health: is told how each segment ended; None: nobody is.
    """

    loaded: LoadedModel
    pool: WorkerPool
    health: Health | None = None

    @property
    def kind(self) -> Kind:
        return Kind(self.loaded.recognizer.name, self.loaded.model.id)

    def begin(self, options: HearingOptions, books: Books, wake: Callable[[], None], *, live: bool) -> PoolWork:
        return PoolWork(self, HearingJob(self.loaded, options, self.pool.changed, wake, live), books)


class PoolWork:
    """See `hearer.SegmentWork`."""

    def __init__(self, hearer: PoolHearer, job: HearingJob, books: Books) -> None:
        self._hearer, self._job, self._books = hearer, job, books
        self._samples = 0  # of the segment so far
        self._failed = False
        hearer.pool.add(job)

    def hear(self, sound: Samples, wish: Wish, due_s: float) -> None:
        self._samples += len(sound)
        self._job.hear(sound, wish, due_s)

    def is_idle(self) -> bool:
        return self._job.is_idle()

    def take(self) -> list[Heard]:
        health, key = self._hearer.health, (self._hearer.kind.engine, self._hearer.kind.model)
        try:
            heard = self._job.take()
        except EngineError:
            if health is not None and not self._failed:
                health.failed(key, time.monotonic())
            self._failed = True
            raise
        if heard and health is not None:
            health.worked(key)
        if self._samples and any(result.is_final for result in heard):
            self._books.measured(self._hearer.kind, self._job.core_s(), self._samples / SAMPLE_RATE)
        return heard

    def close(self) -> None:
        self._hearer.pool.remove(self._job)
