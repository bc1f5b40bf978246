"""THE generator: every way in or out of the server is a thin adapter over `Synthesizer.stream`.

    async with synthesizer.stream(request) as utterance:
        async for chunk in utterance:
            await send(encoder.encode(chunk.audio.samples))
    await send(encoder.flush())

It finds the voice, splits the text into sentences, admits the request when there is something to speak, and yields the
audio in order while it is being computed. Leaving the block cancels. Lives on the event loop; computing is the part of
`machine/worker.py`. The `VoiceKeeper` of this machine.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vivavoce.engines.speech import SpeechOptions, SpokenClip, VoiceInfo
from vivavoce.errors import VivaVoceError
from vivavoce.machine.admission import Admission, Place
from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.synthesis.copying import studied
from vivavoce.synthesis.job_settings import JobSettings
from vivavoce.synthesis.open_utterances import OpenUtterances
from vivavoce.synthesis.preparation import PreparedText, prepare_text
from vivavoce.synthesis.reading import ReadingThreads
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest
from vivavoce.synthesis.speech_job import SpeechJob
from vivavoce.synthesis.utterance import Utterance
from vivavoce.synthesis.utterance_record import note_end
from vivavoce.synthesis.voice_library import LoadedVoice, VoiceLibrary
from vivavoce.synthesis.voice_trials import VoiceTrials
from vivavoce.synthesis.warm_up import warm_up_request
from vivavoce.synthesis.watch import Watch
from vivavoce.text.limits import MAX_SPOKEN_GROWTH, refuse_long

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizerLimits:
    """What one synthesizer takes on.

    Attributes:
        max_text: code points of a whole text.
        max_buffered_text: code points written and not yet spoken.
        rest_s: an utterance whose reader takes nothing for this long gives its place to others until it does.
    """

    max_text: int = 4096
    max_buffered_text: int = 8000
    rest_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much a synthesizer has to do at this moment.

    Attributes:
        utterances: open blocks of `stream`, those that wait for their client included.
        waiting: of them in the queue for a place.
        working: of them before the workers.
        admitted: places taken, whoever holds them.
        cores: cores' worth of compute that everything admitted needs.
        share: of the cores that may be admitted.
    """

    utterances: int
    waiting: int
    working: int
    admitted: int
    cores: float
    share: float


class Synthesizer:
    """Text to ordered audio chunks, for many listeners at once.

    Attributes:
        library: the voices.
        limits: of a request.
        admission: the books of who computes.
    """

    def __init__(
        self,
        library: VoiceLibrary,
        pool: WorkerPool,
        admission: Admission,
        admissions: Admissions,
        metrics: Metrics,
        limits: SynthesizerLimits | None = None,
    ) -> None:
        self.library = library
        self.limits = limits or SynthesizerLimits()
        self._pool = pool
        self.admission = admission
        self._admissions = admissions
        self._metrics = metrics
        metrics.load_ratio.set_function(lambda: self.admission.load() / self.admission.cores)
        metrics.capacity_ratio.set_function(lambda: self.admission.share)
        self._reading = ReadingThreads()
        self._open = OpenUtterances(max(1, admission.max_streams // 2))
        self._trials = VoiceTrials(library, self._say)
        self._watch = Watch(pool, admissions, metrics, self._look)

    def voices(self) -> list[VoiceInfo]:
        """Every voice of every engine, unavailable ones included."""
        return self.library.list()

    def load(self) -> Load:
        """How much is on the way now."""
        admission = self.admission
        admitted = sum(admission.active().values())
        return Load(
            len(self._open), self._admissions.waiting, len(self._pool), admitted, admission.load(), admission.share
        )

    @property
    def is_ready(self) -> bool:
        """True when a request sent now is spoken at once."""
        return not self.admission.draining.has_begun and self.library.is_ready()

    @property
    def speaking(self) -> int:
        """Open blocks of `stream`."""
        return len(self._open)

    def default_id(self) -> str | None:
        """Id of the voice that speaks where none is named."""
        return self.library.default_id()

    def spoken_for(self) -> frozenset[str]:
        """Names that no new voice may have."""
        return self.library.spoken_for()

    def forget(self, voice_id: str) -> None:
        """Drop a voice that was removed from disk or replaced."""
        self.library.forget(voice_id)

    async def load_voice(self, voice_id: str, progress: Progress | None = None) -> None:
        """Have it in memory, as long as there is room."""
        async with self.library.acquire(voice_id, progress):
            pass

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        """See `VoiceKeeper`; up to a few seconds in a thread."""
        async with self.library.acquire(voice) as loaded:
            work = asyncio.ensure_future(asyncio.to_thread(studied, voice, loaded, clip))
            try:
                return await asyncio.shield(work)
            finally:
                await asyncio.wait([work])  # whoever stops waiting lets go of the voice when its engine has

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        """Who speaks where a request names this voice and this model; may look at the disk.

        Raises:
            UnknownVoice, UnknownModel: If one of them means nothing here.
        """
        return self.library.choose(voice, model)

    @asynccontextmanager
    async def stream(
        self, request: SpeechRequest, place: Place | None = None, *, live: bool = True, begun: bool = False
    ) -> AsyncIterator[Utterance]:
        """Speak; the block ends or cancels the utterance.

        Args:
            place: of the conversation it belongs to; None: it is admitted by itself, when there is text.
            live: somebody listens; False: it is made in what time the others leave.
            begun: it goes on with what was admitted before, elsewhere: it is not refused for want of room.

        Raises:
            EmptyInput, TextTooLong, UnspeakableText: If the text cannot be spoken.
            UnknownVoice, VoiceUnavailable: If the voice cannot speak it.
            Overloaded, RateLimited, ShuttingDown: If the server may not take it on.
        """
        text = request.text
        if text is not None:
            refuse_long(text, self.limits.max_text)
        if place is None and not begun:
            self.admission.check(request.owner)
        voice = request.voice if isinstance(request.voice, ResolvedVoice) else self.library.choose(request.voice)
        utterance = self._utterance(request, voice, place, live=live, begun=begun)
        try:
            if text is not None:
                utterance.write_whole(text, await self._prepared(text, await utterance.hold_voice(), request.options))
                await utterance.take_up()
            else:
                async with self.library.acquire(voice):
                    pass  # so that it is told now if it cannot be loaded, and ready when the text comes
            self._begin(utterance)
            try:
                yield utterance
            finally:
                await utterance.close()
                self._open.end(utterance)
                note_end(utterance, self._metrics)
                self._trials.note(utterance)
        finally:
            await utterance.close()

    async def prepare(self, text: str, voice: ResolvedVoice, options: SpeechOptions) -> PreparedText:
        """What would be said of a whole text.

        Raises:
            EmptyInput, TextTooLong, UnspeakableText, VoiceUnavailable: As `stream`.
        """
        async with self.library.acquire(voice) as loaded:
            return await self._prepared(text, loaded, options)

    async def preload(self, progress: Progress | None = None) -> None:
        """Load the default voice and those marked for it, and learn what they cost; one that fails is logged."""
        tried: set[str] = set()
        waiting = {info.id: info for info in self.library.to_preload()}
        while waiting:
            info = waiting.pop(next(iter(waiting)))
            tried.add(info.id)
            try:
                await self.warm_up(ResolvedVoice(info), progress)
            except VivaVoceError as error:
                named = error.message.startswith(f"voice '{info.id}'")
                logger.warning("%s", error.message if named else f"voice '{info.id}' is not available: {error}")
                # Where the default cannot be loaded another one is, and comes next; those that a request has tried
                # in vain meanwhile are told of, too.
                now = {each.id: each for each in self.library.to_preload() if each.id not in tried}
                waiting = now | waiting
        for name, why in (await asyncio.to_thread(self.library.misnamed)).items():
            logger.warning("voice_map: '%s' means %s", name, why)

    async def warm_up(self, voice: ResolvedVoice, progress: Progress | None = None) -> None:
        """Load a voice, and where admission counts let it say a word, behind everything live, to learn what it costs.

        Raises:
            VoiceUnavailable: If it cannot be loaded.
        """
        async with self.library.acquire(voice, progress) as loaded:
            if not self.admission.wants_to_know(loaded.kind):
                return
            try:
                await self._say(voice)
            except VivaVoceError as error:
                logger.warning("voice '%s' was loaded but not tried: %s", voice.info.id, error)
                self._trials.tried(voice, error)

    async def _say(self, voice: ResolvedVoice) -> None:
        """Let a voice say its sentence to nobody; raises what keeps it from that."""
        nobody = Place(self.admission, 0, changed=self._admissions.wake)  # counted nowhere: it takes what is left
        utterance = self._utterance(warm_up_request(voice), voice, nobody, live=False)
        self._watch.begin()
        try:
            text = utterance.request.text or ""
            loaded = await utterance.hold_voice()
            utterance.write_whole(text, prepare_text(text, loaded, SpeechOptions(), len(text)))
            async for _ in utterance:
                pass
        finally:
            await utterance.close()

    async def _look(self, now_s: float) -> None:
        await self._open.look(now_s)
        self._trials.look(now_s)

    async def drain(self, timeout_s: float) -> bool:
        """Refuse new utterances and wait for the running ones. Returns False where some were still running."""
        self.admission.draining.begin()
        self._admissions.wake()
        return await self._open.until_none(timeout_s)

    async def aclose(self) -> None:
        """Stop the workers and free the voices; every block has been left. Waits for a hung step only so long."""
        await self._watch.aclose()
        await self._trials.aclose()
        self._reading.close()
        await asyncio.to_thread(self._pool.close)
        self.library.close()

    # -- one utterance

    def _utterance(
        self, request: SpeechRequest, voice: ResolvedVoice, place: Place | None, *, live: bool, begun: bool = False
    ) -> Utterance:
        options = request.options
        if voice.reference is not None and options.reference is None:
            options = dataclasses.replace(options, reference=voice.reference)
        if voice.like is not None:
            options = dataclasses.replace(options, like=voice.like)
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        settings = JobSettings(
            options=options,
            sample_rate=request.sample_rate or voice.info.sample_rate,
            ahead_s=request.ahead_s,
            paced=request.paced,
            live=live,
            first_audio_target_s=self.admission.first_audio_target_s,
        )
        job = SpeechJob(settings, time.monotonic(), self._pool.changed, self._metrics, wake)
        return Utterance(
            request,
            voice,
            job,
            woken,
            pool=self._pool,
            library=self.library,
            admissions=self._admissions,
            place=place,
            begun=begun,
            metrics=self._metrics,
            max_buffered_text=self.limits.max_buffered_text,
            rest_s=self.limits.rest_s,
            lag_s=lambda: self._watch.lag_s,
        )

    async def _prepared(self, text: str, loaded: LoadedVoice, options: SpeechOptions) -> PreparedText:
        longest = MAX_SPOKEN_GROWTH * self.limits.max_text
        return await self._reading.read(text, lambda: prepare_text(text, loaded, options, longest))

    def _begin(self, utterance: Utterance) -> None:
        self._watch.begin()
        self._open.begin(utterance)
        self._metrics.active_streams.labels(utterance.request.transport).inc()
