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
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from vivavoce.engines.base import SpeechOptions
from vivavoce.errors import EmptyInput, TextTooLong, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.synthesis.admission import Admission, refusal
from vivavoce.synthesis.scheduler import fair_order
from vivavoce.synthesis.track import SpokenChunk, Track
from vivavoce.synthesis.voice_library import LoadedVoice, VoiceLibrary
from vivavoce.synthesis.worker import WorkerPool
from vivavoce.text.limits import refuse_explosive
from vivavoce.text.normalize import normalize
from vivavoce.text.sentences import Sentence, SentenceSplitter

logger = logging.getLogger(__name__)

__all__ = ["SpeechRequest", "SpokenChunk", "Synthesizer", "SynthesizerLimits", "Utterance"]

_WATCH_EVERY_S = 0.5
MAX_SPOKEN_GROWTH = 3  # characters read aloud for each that may be written: numbers grow, honest text never that much


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """One wish to speak.

    Attributes:
        voice: "mika", "mika/Sad", "default" or one of OpenAI's names.
        text: the whole text; None: it will be written piece by piece.
        options: how to say it.
        sample_rate: Hz of the audio wanted; None: the engine's own.
        ahead_s: unread audio held before the work for this stream stops.
        paced: stop computing also when more than `ahead_s` ahead of a listener who plays in real time.
        owner: whose request this is (a hash of the API key), for fair admission.
        transport: http, websocket, webrtc or cli, for the metrics.
    """

    voice: str = "default"
    text: str | None = None
    options: SpeechOptions = field(default_factory=SpeechOptions)
    sample_rate: int | None = None
    ahead_s: float = 5.0
    paced: bool = False
    owner: str = ""
    transport: str = "http"


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
        self.voices = voices
        self.limits = limits or SynthesizerLimits()
        self._pool = pool
        self._admission = admission
        self._metrics = metrics
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def active(self) -> int:
        """Utterances being spoken now."""
        return self._active

    @asynccontextmanager
    async def stream(self, request: SpeechRequest) -> AsyncIterator[Utterance]:
        """Speak; the block ends or cancels the utterance.

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
        self._admission.check(request.owner)
        async with self.voices.acquire(request.voice) as loaded:
            sentences: list[Sentence] = []
            if request.text is not None:
                sentences = await asyncio.to_thread(_prepare, request.text, loaded, request.options)
            ticket = await self._admit(request.owner, _kind(loaded), arrival_s)
            track = self._track(request, loaded, arrival_s)
            utterance = Utterance(request, loaded, track, self._pool, self._admission, ticket, self.limits)
            self._begin(request)
            try:
                self._pool.add(track)
                if request.text is not None:
                    utterance._begin_with(request.text, sentences)
                yield utterance
            finally:
                self._pool.remove(track)
                utterance._close()
                self._admission.leave(ticket)
                self._end(request, utterance, arrival_s)

    async def drain(self, timeout_s: float) -> bool:
        """Refuse new utterances and wait for the running ones. Returns False where some were still running."""
        self._admission.draining = True
        for waiting in self._waiting.values():
            waiting.wake()
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
        await asyncio.to_thread(self.voices.close)

    # -- admission

    async def _admit(self, owner: str, kind: str, arrival_s: float) -> int:
        """A ticket, after a short fair wait.

        Raises:
            Overloaded: If there was no room within the wait.
        """
        admission = self._admission
        admission.check(owner)
        if not self._waiting and admission.may_admit(kind):
            self._metrics.queue.observe(0.0)
            return admission.admit(owner, kind)
        if len(self._waiting) >= self.limits.max_queue:
            raise refusal(0.0)
        me = _Waiting(owner, kind, time.monotonic(), asyncio.get_running_loop().create_future())
        number = next(self._ids)
        self._waiting[number] = me
        try:
            async with asyncio.timeout(self.limits.queue_wait_s):
                while not self._is_next(number):
                    await me.turn()
                    admission.check(owner)
            self._metrics.queue.observe(time.monotonic() - me.since_s)
            return admission.admit(owner, kind)
        except TimeoutError:
            raise refusal(time.monotonic() - arrival_s) from None
        finally:
            del self._waiting[number]
            self._wake_waiting()

    def _is_next(self, number: int) -> bool:
        """True when the request stands first in the fair order and there is room for it."""
        numbers = list(self._waiting)
        order = fair_order([(w.owner, w.since_s) for w in self._waiting.values()], self._admission.active())
        return numbers[order[0]] == number and self._admission.may_admit(self._waiting[number].kind)

    def _wake_waiting(self) -> None:
        for waiting in self._waiting.values():
            waiting.wake()

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
        self._wake_waiting()
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
            if self._waiting:  # measured costs fall as batches grow: somebody may fit now
                self._wake_waiting()


class Utterance:
    """The audio of one request, in order; text may still be written while it speaks.

    An async iterator of `SpokenChunk`. `__anext__` raises the error that ended the synthesis, if one did.

    Attributes:
        request: what was asked for.
        sample_rate: Hz of the chunks.
        voice_id: id of the voice that speaks.
        written: code points taken in so far.
    """

    def __init__(
        self,
        request: SpeechRequest,
        loaded: LoadedVoice,
        track: Track,
        pool: WorkerPool,
        admission: Admission,
        ticket: int,
        limits: SynthesizerLimits,
    ) -> None:
        self.request = request
        self.sample_rate = track.sample_rate
        self.voice_id = loaded.info.id
        self.engine_name = loaded.engine.name
        self.written = 0
        self.first_chunk_s: float | None = None
        self.outcome = "cancelled"
        self._loaded = loaded
        self._track = track
        self._pool = pool
        self._admission = admission
        self._ticket = ticket
        self._limits = limits
        self._splitter = SentenceSplitter()
        self._ended = False
        self._text: list[str] = []  # sentences spoken so far, as written
        self._text_end = 0  # code points of the text that engines have begun to speak
        self._words: list[tuple[float, int]] = []  # (start_s, source_end) of every word delivered

    # -- text in

    @property
    def backlog(self) -> int:
        """Code points written of which nothing has been heard of yet."""
        return self.written - self._text_end

    def write(self, delta: str) -> None:
        """More text, of any size.

        Raises:
            TextTooLong: If more is buffered than the limit; nothing of `delta` was taken.
        """
        if self._ended:
            raise RuntimeError("write() after end()")
        buffered = self.backlog + len(delta)
        if buffered > self._limits.max_buffered_text:
            raise TextTooLong(buffered, self._limits.max_buffered_text, param="text")
        self.written += len(delta)
        self._feed(self._splitter.feed(delta))

    def flush(self) -> None:
        """Speak what is buffered now; more text may come."""
        self._feed(self._splitter.flush())

    def end(self) -> None:
        """No more text will come. Any number of times."""
        if not self._ended:
            self._ended = True
            self._feed(self._splitter.flush(), ended=True)

    # -- the listener

    def played(self, position_s: float) -> None:
        """What the listener has heard so far; moves its clock."""
        self._pool.played(self._track, position_s)

    def heard(self, position_s: float) -> str:
        """The written text up to the last word that began before `position_s`."""
        end = 0
        for start_s, source_end in self._words:
            if start_s < position_s:
                end = max(end, source_end)
        return "".join(self._text)[:end]

    # -- audio out

    def __aiter__(self) -> Utterance:
        return self

    async def __anext__(self) -> SpokenChunk:
        track = self._track
        while True:
            track.changed.clear()
            chunk = self._pool.take(track)
            if chunk is not None:
                self._note(chunk)
                return chunk
            if track.error is not None:
                self.outcome = "error"
                raise track.error
            if track.finished:
                if self.request.text is not None and not track.produced:
                    self.outcome = "error"
                    raise EmptyInput
                self.outcome = "completed"
                raise StopAsyncIteration
            await track.changed.wait()

    # -- what became of it

    @property
    def produced_s(self) -> float:
        """Seconds of audio made so far."""
        return self._track.produced / self.sample_rate

    @property
    def core_s(self) -> float:
        """Core seconds of compute spent."""
        return self._track.core_s + self._track.sentence_core_s

    @property
    def underruns(self) -> int:
        """Chunks that a real-time listener had to wait for."""
        return self._track.underruns

    @property
    def error(self) -> VivaVoceError | None:
        """What ended it early, if anything did."""
        return self._track.error

    # -- for the synthesizer

    def _begin_with(self, text: str, sentences: list[Sentence]) -> None:
        self.written = len(text)
        self._ended = True
        self._feed(sentences, ended=True)

    def _close(self) -> None:
        self._ended = True
        self._settle_costs()

    def _feed(self, sentences: list[Sentence], *, ended: bool = False) -> None:
        if sentences or ended:
            self._pool.feed(self._track, sentences, ended=ended)

    def _note(self, chunk: SpokenChunk) -> None:
        """Keep the books: what was said, when, and what it cost."""
        if self.first_chunk_s is None:
            self.first_chunk_s = time.monotonic() - self._track.arrival_s
            self._admission.sounding(self._ticket)
            self._admission.first_chunk_took(_kind(self._loaded), self.core_s)
        if chunk.begins_sentence:
            self._text.append(chunk.sentence.text)
            self._text_end = chunk.sentence.start + len(chunk.sentence.text)
        self._words.extend((w.start_s, w.source_end) for w in chunk.audio.words)
        if chunk.ends_sentence:
            self._settle_costs()

    def _settle_costs(self) -> None:
        costs, self._track.costs = self._track.costs, []
        for cost in costs:
            self._admission.measured(_kind(self._loaded), cost.core_s, cost.audio_s)
        now_s = time.monotonic()
        if self._track.underruns > self._track.underruns_told:
            self._track.underruns_told = self._track.underruns
            self._admission.underrun(now_s)
        else:
            self._admission.ample(now_s)


@dataclass(slots=True)
class _Waiting:
    """A request in the queue."""

    owner: str
    kind: str
    since_s: float
    future: asyncio.Future[None]

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    async def turn(self) -> None:
        await self.future
        self.future = asyncio.get_running_loop().create_future()


def _prepare(text: str, loaded: LoadedVoice, options: SpeechOptions) -> list[Sentence]:
    """Split a whole text and refuse what the voice cannot speak, before anything is sent. Runs in a thread.

    Raises:
        EmptyInput: If nothing in it can be spoken.
        UnspeakableText: If a part of it is in a language the voice does not speak.
    """
    splitter = SentenceSplitter()
    sentences = [*splitter.feed(text), *splitter.flush()]
    spoken = [normalize(s.text, options.language) for s in sentences if s.spoken]
    if not any(s.text for s in spoken):
        raise EmptyInput
    for sentence in spoken:
        if sentence.text:
            loaded.engine.check(sentence, loaded.voice, options)
    return sentences


def _kind(loaded: LoadedVoice) -> str:
    """Voices of one engine cost alike."""
    return loaded.engine.name


def _with_reference(options: SpeechOptions, reference: str) -> SpeechOptions:
    return dataclasses.replace(options, reference=reference)
