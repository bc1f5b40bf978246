"""THE transcriber: every way in for sound that is to become words is a thin adapter over `listen` and `transcribe`.

    async with transcriber.listen(request) as hearing:
        hearing.write(samples)
        async for event in hearing:
            ...

It resolves the model, admits the request and lends an ear. Leaving the block cancels: a step that runs is the last one.
Lives on the event loop; computing is done by the jobs of the same pool that speaks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import Generic, TypeVar

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Kind, Place
from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.recognition.detector_job import VoiceActivity
from vivavoce.recognition.ear import LiveEar
from vivavoce.recognition.hearing import LiveHearing
from vivavoce.recognition.hearing_job import LoadedModel
from vivavoce.recognition.judge_job import Intonation
from vivavoce.recognition.listener import DETECTOR, SAMPLE_RATE, AnySamples, HeardSegment, HearingRequest, ResolvedModel
from vivavoce.recognition.model_library import ModelLibrary
from vivavoce.recognition.speech_detector import DetectorOptions

logger = logging.getLogger(__name__)

# Recordings have time to wait for a longer pause, and windows of this length cost least for a second of sound.
OF_RECORDINGS = DetectorOptions(silence_s=0.5, longest_s=15.0)
T = TypeVar("T")
PIECE = 5 * SAMPLE_RATE  # samples of a recording taken at once
_WATCH_EVERY_S = 0.5


class Transcriber:
    """See `listener.Listener`.

    Args:
        models: by name.
        pool: shared with the synthesizer.
        admissions: shared with the synthesizer.
        activity: opens the model that finds speech; called once, in a thread.
        intonation: opens the model that judges whether somebody has finished; likewise, when it is first asked.
        metrics: counts.
    """

    def __init__(
        self,
        models: ModelLibrary,
        pool: WorkerPool,
        admissions: Admissions,
        activity: Callable[[], VoiceActivity],
        intonation: Callable[[], Intonation],
        metrics: Metrics,
    ) -> None:
        self.library = models
        self._pool = pool
        self._admissions = admissions
        self._activity = _Once(activity)
        self._intonation = LazyIntonation(intonation)
        self._metrics = metrics
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def active(self) -> int:
        """Listened to now, recordings included."""
        return self._active

    def models(self) -> list[RecognizerInfo]:
        """Every model, unavailable ones included."""
        return self.library.list()

    def choose(self, model: str | None = None) -> ResolvedModel:
        """Which model a request's word means.

        Raises:
            UnknownModel: If there is none of that name.
        """
        return self.library.choose(model)

    async def load_model(self, model_id: str, progress: Progress | None = None) -> None:
        """Have it in memory, as long as there is room."""
        model = await asyncio.to_thread(self.choose, model_id)  # it may look at the disk
        async with self.library.acquire(model, progress):
            pass

    def forget(self, model_id: str) -> None:
        """Let it leave memory when nobody uses it any more."""
        self.library.forget(model_id)

    @asynccontextmanager
    async def listen(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[LiveHearing]:
        """See `Listener.listen`."""
        async with self.lend_ear(request, place) as ear:
            yield LiveHearing(ear, request.detector or DetectorOptions(), drafts=request.drafts)

    @asynccontextmanager
    async def lend_ear(self, request: HearingRequest, place: Place | None = None) -> AsyncIterator[LiveEar]:
        """See `Listener.lend_ear`."""
        async with self._ear(request, place, live=True) as ear:
            yield ear

    @asynccontextmanager
    async def transcribe(
        self, sound: Sequence[AnySamples], request: HearingRequest
    ) -> AsyncIterator[AsyncIterator[HeardSegment]]:
        """See `Listener.transcribe`."""
        async with self._ear(request, None, live=False) as ear:
            hearing = LiveHearing(ear, request.detector or OF_RECORDINGS, recording=_pieces(sound))
            yield _segments(hearing)

    async def preload(self, progress: Progress | None = None) -> None:
        """Load the default model, where there is one; a failure is logged and told to whoever asks for it."""
        try:
            async with self.library.acquire(await asyncio.to_thread(self.choose), progress):
                await asyncio.to_thread(self._activity.get)
        except VivaVoceError as error:
            logger.warning("nothing listens: %s", error)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for everybody who is listened to. Returns False where some still were."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop watching; the pool and the models are closed by whoever made them."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None

    @asynccontextmanager
    async def _ear(self, request: HearingRequest, place: Place | None, *, live: bool) -> AsyncIterator[LiveEar]:
        model = request.model if isinstance(request.model, ResolvedModel) else self.choose(request.model)
        async with self.library.acquire(model) as loaded:
            loaded.recognizer.check(loaded.model, request.options)
            activity = await asyncio.to_thread(self._activity.get)
            async with self._place(request, loaded, place, live=live) as held:
                ear = LiveEar(
                    loaded,
                    request.options,
                    self._pool,
                    activity,
                    self._intonation,
                    held,
                    request.sample_rate,
                    live=live,
                )
                try:
                    with self._counted(request.transport):
                        yield ear
                finally:
                    ear.close()

    def _place(
        self, request: HearingRequest, loaded: LoadedModel, place: Place | None, *, live: bool
    ) -> AbstractAsyncContextManager[Place]:
        if place is not None:
            return nullcontext(place)
        kinds = [Kind(loaded.recognizer.name, loaded.model.id)]
        return self._admissions.enter(request.owner, [*kinds, DETECTOR] if live else kinds, live=live)

    @contextmanager
    def _counted(self, transport: str) -> Iterator[None]:
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="transcriber-watch")
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
            self._pool.give_up_hung_steps()
            if self._admissions.waiting:
                self._admissions.wake()


async def _segments(hearing: LiveHearing) -> AsyncIterator[HeardSegment]:
    async for event in hearing:
        if isinstance(event, HeardSegment):
            yield event


def _pieces(sound: Sequence[AnySamples]) -> Iterator[Samples]:
    """float32 [n], n at most `PIECE`."""
    for part in sound:
        for start in range(0, len(part), PIECE):
            piece = part[start : start + PIECE]
            yield piece.astype(np.float32) / np.float32(32768) if piece.dtype == np.int16 else piece.astype(np.float32)


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
