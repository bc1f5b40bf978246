"""THE generator: every way in or out of the server is a thin adapter over `Synthesizer.stream`.

    async with synthesizer.stream(request) as utterance:
        async for chunk in utterance:
            await send(encoder.encode(chunk.audio.samples))
    await send(encoder.flush())

It resolves the voice, admits the request, splits its text into sentences, and yields their audio in order while it is
being computed. Leaving the block cancels. Lives on the event loop; computing is `worker.py`'s part.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from vivavoce.engines.speech import SpeechOptions, VoiceInfo
from vivavoce.errors import TextTooLong
from vivavoce.machine.admission import Admission, Place
from vivavoce.machine.admission_queue import Admissions
from vivavoce.metrics import Metrics
from vivavoce.synthesis.preparation import PreparedText, prepare_text
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.track import Track
from vivavoce.synthesis.utterance import Utterance
from vivavoce.synthesis.voice_library import LoadedVoice, VoiceLibrary
from vivavoce.synthesis.worker import WorkerPool
from vivavoce.text.limits import refuse_explosive

logger = logging.getLogger(__name__)

_WATCH_EVERY_S = 0.5
MAX_SPOKEN_GROWTH = 3  # characters read aloud for each that may be written: numbers grow, honest text never that much


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizerLimits:
    """What one synthesizer takes on.

    Attributes:
        max_text: code points of a whole text.
        max_buffered_text: code points written and not yet spoken.
        queue_wait_s: how long a request waits to be admitted before it is refused.
        max_queue: requests waiting at once.
    """

    max_text: int = 4096
    max_buffered_text: int = 8000
    queue_wait_s: float = 1.0
    max_queue: int = 64


class Synthesizer:
    """Text to ordered audio chunks, for many listeners at once."""

    def __init__(
        self,
        voices: VoiceLibrary,
        pool: WorkerPool,
        admission: Admission,
        metrics: Metrics,
        limits: SynthesizerLimits | None = None,
    ) -> None:
        self.library = voices
        self.limits = limits or SynthesizerLimits()
        self._pool = pool
        self._admission = admission
        self._metrics = metrics
        self._ids = itertools.count(1)
        self._admissions = Admissions(
            admission, wait_s=self.limits.queue_wait_s, max_waiting=self.limits.max_queue, metrics=metrics
        )
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def active(self) -> int:
        """Utterances being spoken now."""
        return self._active

    def voices(self) -> list[VoiceInfo]:
        """Every voice of every engine, unavailable ones included."""
        return self.library.list()

    @asynccontextmanager
    async def stream(self, request: SpeechRequest, place: Place | None = None) -> AsyncIterator[Utterance]:
        """Speak; the block ends or cancels the utterance.

        Args:
            place: of the conversation it belongs to; None: it is admitted by itself.

        Raises:
            EmptyInput, TextTooLong, UnspeakableText: If the text cannot be spoken.
            UnknownVoice, VoiceUnavailable: If the voice cannot speak it.
            Overloaded, RateLimited, ShuttingDown: If the server may not take it on.
        """
        arrival_s = time.monotonic()
        if request.text is not None and len(request.text) > self.limits.max_text:
            raise TextTooLong(len(request.text), self.limits.max_text)
        if request.text is not None:
            refuse_explosive(request.text, MAX_SPOKEN_GROWTH * self.limits.max_text)
        if place is None:
            self._admission.check(request.owner)
        async with self.library.acquire(request.voice) as loaded:
            prepared: PreparedText | None = None
            if request.text is not None:
                longest = MAX_SPOKEN_GROWTH * self.limits.max_text
                prepared = await asyncio.to_thread(prepare_text, request.text, loaded, request.options, longest)
            entered = nullcontext(place) if place is not None else self._admissions.enter(request.owner, [loaded.kind])
            async with entered as held:
                track = self._track(request, loaded, arrival_s)
                utterance = Utterance(request, loaded, track, self._pool, held, self.limits.max_buffered_text)
                self._begin(request)
                try:
                    self._pool.add(track)
                    if request.text is not None and prepared is not None:
                        utterance._begin_with(request.text, prepared)
                    yield utterance
                finally:
                    self._pool.remove(track)
                    utterance._close()
                    self._end(request, utterance, arrival_s)

    async def drain(self, timeout_s: float) -> bool:
        """Refuse new utterances and wait for the running ones. Returns False where some were still running."""
        self._admission.draining = True
        self._admissions.wake()
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop the workers and free the voices; every block has been left."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        await asyncio.to_thread(self._pool.close)
        await asyncio.to_thread(self.library.close)

    # -- one utterance

    def _track(self, request: SpeechRequest, loaded: LoadedVoice, arrival_s: float) -> Track:
        options = request.options
        if loaded.reference is not None and options.reference is None:
            options = _with_reference(options, loaded.reference)
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        return Track(
            id=next(self._ids),
            engine=loaded.engine,
            voice=loaded.voice,
            options=options,
            home_language=loaded.info.languages[0],
            sample_rate=request.sample_rate or loaded.engine.sample_rate,
            ahead_s=request.ahead_s,
            paced=request.paced,
            arrival_s=arrival_s,
            wake=wake,
            changed=changed,
        )

    def _begin(self, request: SpeechRequest) -> None:
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="synthesizer-watch")
        self._active += 1
        self._idle.clear()
        self._metrics.active_streams.labels(request.transport).inc()
        self._note_load()

    def _end(self, request: SpeechRequest, utterance: Utterance, arrival_s: float) -> None:
        self._active -= 1
        if self._active == 0:
            self._idle.set()
        metrics = self._metrics
        metrics.active_streams.labels(request.transport).dec()
        metrics.input_characters.inc(utterance.written)
        engine = utterance.engine_name
        if utterance.first_chunk_s is not None:
            metrics.ttfa.labels(request.transport, engine).observe(utterance.first_chunk_s)
        if utterance.produced_s > 0:
            metrics.engine_rtf.labels(engine, "all").observe(utterance.core_s / utterance.produced_s)
        self._note_load()
        logger.info(
            "utterance ended",
            extra={
                "transport": request.transport,
                "voice": utterance.voice_id,
                "characters": utterance.written,
                "audio_s": round(utterance.produced_s, 3),
                "core_s": round(utterance.core_s, 3),
                "first_chunk_ms": None if utterance.first_chunk_s is None else round(utterance.first_chunk_s * 1e3),
                "underruns": utterance.underruns,
                "wall_s": round(time.monotonic() - arrival_s, 3),
                "outcome": utterance.outcome,
            },
        )

    def _note_load(self) -> None:
        self._metrics.load_ratio.set(self._admission.load() / self._admission.cores)
        self._metrics.capacity_ratio.set(self._admission.share)

    async def _watch(self) -> None:
        """Look after hung steps and measure how late the loop wakes, for as long as the server lives."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _WATCH_EVERY_S
            await asyncio.sleep(_WATCH_EVERY_S)
            self._metrics.event_loop_lag.observe(max(0.0, loop.time() - due))
            self._pool.give_up_hung_steps()
            if self._admissions.waiting:  # measured costs fall as batches grow: somebody may fit now
                self._admissions.wake()


def _with_reference(options: SpeechOptions, reference: str) -> SpeechOptions:
    return dataclasses.replace(options, reference=reference)
