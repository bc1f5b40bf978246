"""The ears of this machine: who is listened to now, whoever makes words of it.

    async with ears.listen(hearer, request, place) as hearing: ...

Speech is found here, by jobs of the pool that also speaks; the words are a `Hearer`'s. Leaving the block cancels. It
admits, counts and looks after hung steps. Shared by the transcriber and by the models on other machines. Lives on the
event loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Generic, TypeVar

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Place
from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.recognition.ear import LiveEar
from vivavoce.recognition.hearer import Hearer
from vivavoce.recognition.hearing import LiveHearing
from vivavoce.recognition.judge_job import Intonation
from vivavoce.recognition.listener import DETECTOR, SAMPLE_RATE, AnySamples, HeardSegment, HearingRequest
from vivavoce.recognition.quiet_recordings import gain_of
from vivavoce.recognition.speech_detector import DetectorOptions

# Recordings have time to wait for a longer pause, and windows of this length cost least for a second of sound.
OF_RECORDINGS = DetectorOptions(silence_s=0.5, longest_s=15.0)
PIECE = 5 * SAMPLE_RATE  # samples of a recording taken at once
_WATCH_EVERY_S = 0.5
T = TypeVar("T")

logger = logging.getLogger(__name__)


class Ears:
    """Lends ears to connections and recordings; owns the detector that all of them share.

    Args:
        pool: shared with the synthesizer.
        admissions: shared with the synthesizer.
        activity: opens the model that finds speech; called once, in a thread.
        intonation: opens the model that judges whether somebody has finished; likewise, when it is first asked.
        metrics: counts.

    Attributes:
        looked: called every half second with the time, on `time.monotonic`, once somebody was listened to.
    """

    def __init__(
        self,
        pool: WorkerPool,
        admissions: Admissions,
        activity: Callable[[], VoiceActivity],
        intonation: Callable[[], Intonation],
        metrics: Metrics,
    ) -> None:
        self.pool = pool
        self._admissions = admissions
        self._activity = _Once(activity)
        self._intonation = LazyIntonation(intonation)
        self._metrics = metrics
        self.looked: Callable[[float], None] | None = None
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def active(self) -> int:
        """Listened to now, recordings included."""
        return self._active

    @asynccontextmanager
    async def listen(
        self, hearer: Hearer, request: HearingRequest, place: Place | None = None
    ) -> AsyncIterator[LiveHearing]:
        """See `Listener.listen`; the request is checked, its model is the hearer's."""
        async with self.lend(hearer, request, place) as ear:
            yield LiveHearing(ear, request.detector or DetectorOptions(), drafts=request.drafts)

    @asynccontextmanager
    async def transcribe(
        self,
        hearer: Hearer,
        sound: Sequence[AnySamples],
        request: HearingRequest,
        position: Callable[[float], None] | None = None,
    ) -> AsyncIterator[AsyncIterator[HeardSegment]]:
        """See `Listener.transcribe`; `position` as in `LiveHearing`."""
        async with self.lend(hearer, request, live=False) as ear:
            detector, beginnings = request.detector or OF_RECORDINGS, request.options.as_it_comes
            pieces = _pieces(sound, await asyncio.to_thread(gain_of, sound))
            yield _segments(LiveHearing(ear, detector, beginnings=beginnings, recording=pieces, position=position))

    @asynccontextmanager
    async def lend(
        self, hearer: Hearer, request: HearingRequest, place: Place | None = None, *, live: bool = True
    ) -> AsyncIterator[LiveEar]:
        """See `Listener.lend_ear`."""
        activity = await asyncio.to_thread(self._activity.get)
        async with self._place(request, hearer, place, live=live) as held:
            ear = LiveEar(
                hearer,
                request.options,
                self.pool,
                activity,
                self._intonation,
                held,
                request.sample_rate,
                live=live,
            )
            began_s, outcome = time.monotonic(), "cancelled"
            try:
                with self._counted(request.transport):
                    yield ear
                outcome = "completed"
            except VivaVoceError:
                outcome = "error"
                raise
            finally:
                _log_end(ear, hearer, request.transport, time.monotonic() - began_s, outcome)
                ear.close()

    async def open(self) -> None:
        """Have the model that finds speech in memory."""
        await asyncio.to_thread(self._activity.get)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for everybody who is listened to. Returns False where some still were."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop watching; the pool is closed by whoever made it."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None

    def _place(
        self, request: HearingRequest, hearer: Hearer, place: Place | None, *, live: bool
    ) -> AbstractAsyncContextManager[Place]:
        if place is not None:
            return nullcontext(place)
        kinds = [hearer.kind, DETECTOR] if live else [hearer.kind]
        return self._admissions.enter(request.owner, kinds, live=live)

    @contextmanager
    def _counted(self, transport: str) -> Iterator[None]:
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="ears-watch")
        self._active += 1
        self._idle.clear()
        gauge = self._metrics.active_hearings.labels(transport)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._active -= 1
            if self._active == 0:
                self._idle.set()

    async def _watch(self) -> None:
        """Look after hung steps, for as long as the server lives."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            self.pool.give_up_hung_steps()
            if self.looked is not None:
                self.looked(time.monotonic())
            if self._admissions.waiting:
                self._admissions.wake()


def _log_end(ear: LiveEar, hearer: Hearer, transport: str, wall_s: float, outcome: str) -> None:
    """How much was listened to, and never a word of it."""
    logger.info(
        "hearing ended",
        extra={
            "transport": transport,
            "model": hearer.kind.model,
            "sound_s": round(ear.written / SAMPLE_RATE, 3),
            "wall_s": round(wall_s, 3),
            "outcome": outcome,
        },
    )


async def _segments(hearing: LiveHearing) -> AsyncIterator[HeardSegment]:
    async for event in hearing:
        if isinstance(event, HeardSegment):
            yield event


def _pieces(sound: Sequence[AnySamples], gain: float) -> Iterator[Samples]:
    """float32 [n], n at most `PIECE`, `gain` times as loud."""
    for part in sound:
        scale = np.float32(gain / 32768 if part.dtype == np.int16 else gain)
        for start in range(0, len(part), PIECE):
            yield part[start : start + PIECE].astype(np.float32) * scale


class _Once(Generic[T]):
    """Something that is opened when it is first needed, by one thread."""

    def __init__(self, open_it: Callable[[], T]) -> None:
        self._open = open_it
        self._lock = threading.Lock()
        self._opened: T | None = None

    def get(self) -> T:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened


class LazyIntonation:
    """An `Intonation` that is opened by the worker that first asks it."""

    def __init__(self, open_it: Callable[[], Intonation]) -> None:
        self._model = _Once(open_it)

    def finished(self, turns: Sequence[Samples]) -> list[float]:
        """See `Intonation`."""
        return self._model.get().finished(turns)
