"""The speaker of a Door: names are known here, sentences are spoken by the Mouths.

A `VoiceKeeper`, so that a server is built around it as around the synthesizer. Knows no Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from vivavoce.adapters.ray_serve.mouths import Catalogue, Line, Mouths
from vivavoce.adapters.ray_serve.remote_spoken import RemoteSpoken, Wanted
from vivavoce.adapters.ray_serve.upkeep import Upkeep
from vivavoce.config import Config
from vivavoce.engines.speech import SpokenClip, VoiceInfo
from vivavoce.errors import EngineTimeout, Overloaded, RateLimited, ShuttingDown, VivaVoceError, VoiceUnavailable
from vivavoce.machine.admission import Place
from vivavoce.metrics import Metrics
from vivavoce.progress import Progress
from vivavoce.synthesis.preparation import PreparedText
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest, SpokenChunk
from vivavoce.synthesis.voice_choice import choose
from vivavoce.text.limits import refuse_long

logger = logging.getLogger(__name__)

TRIES = 2  # Mouths that may say they are full before the client is told


class RemoteSpeaker:
    """A `VoiceKeeper` over the Mouths.

    Args:
        mouths: where speech is made.
        config: limits of the Door.
    """

    def __init__(self, mouths: Mouths, config: Config, metrics: Metrics) -> None:
        self._mouths = mouths
        self._config = config
        self._metrics = metrics
        self._catalogue = Catalogue()
        self._open = 0
        self._owned: Counter[str] = Counter()  # utterances with something to say
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._upkeep = Upkeep()

    async def start(self) -> None:
        """Learn what the Mouths can speak with, and keep learning."""
        if not self._upkeep.looks:
            with contextlib.suppress(VivaVoceError):  # none is there yet: not ready
                self._catalogue = await self._mouths.catalogue()
            self._upkeep.look_again(self._refresh, name="voices-of-the-mouths")

    # -- names

    def voices(self) -> list[VoiceInfo]:
        return [*self._catalogue.voices]

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        known = self._catalogue
        return choose(known.voices, voice, model, default=known.default, names=known.names)

    @property
    def is_ready(self) -> bool:
        return self._catalogue.is_ready and not self._draining

    @property
    def speaking(self) -> int:
        return self._open

    def default_id(self) -> str | None:
        return self._catalogue.default

    def spoken_for(self) -> frozenset[str]:
        return self._catalogue.reserved

    def forget(self, voice_id: str) -> None:
        self._upkeep.begin(self._forget(voice_id), name="forget-voice")

    async def load_voice(self, voice_id: str, progress: Progress | None = None) -> None:
        await self._mouths.load_voice(voice_id)
        if progress is not None:
            progress(voice_id, 1.0)

    async def study(self, voice: ResolvedVoice, clip: SpokenClip) -> ResolvedVoice:
        return await self._mouths.study(voice, clip)

    async def preload(self, progress: Progress | None = None) -> None:
        """The Mouths load their voices themselves."""
        await self.start()

    # -- speaking

    @asynccontextmanager
    async def stream(self, request: SpeechRequest, place: Place | None = None) -> AsyncIterator[RemoteSpoken]:
        """Speak; the block ends it, or stops the Mouth in mid-sentence. Raises as `Speaker.stream`."""
        if request.text is not None:
            refuse_long(request.text, self._config.limits.max_text)
        self._check(request.owner)
        voice = request.voice if isinstance(request.voice, ResolvedVoice) else self.choose(request.voice)
        if voice.info.problem is not None:
            raise VoiceUnavailable(f"voice '{voice.info.id}' is not available: {voice.info.problem}", param="voice")
        spoken = RemoteSpoken(
            request,
            voice,
            lambda wanted: self._said(request, voice, wanted),
            max_buffered=self._config.live.max_buffered_text,
            clock=time.monotonic,
        )
        self._begin(request)
        try:
            if request.text is not None and not await spoken.looked_at():  # nothing of it was said: why?
                await self._mouths.prepare(request.text, voice, request.options)
            yield spoken
        finally:
            await spoken.aclose()
            self._end(spoken)

    async def drain(self, timeout_s: float) -> bool:
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop looking after the Mouths."""
        await self._upkeep.aclose()

    async def _said(
        self, request: SpeechRequest, voice: ResolvedVoice, wanted: Wanted
    ) -> AsyncGenerator[SpokenChunk | PreparedText, None]:
        """One sentence, by a Mouth that has room.

        Raises:
            Overloaded: If none of those asked has.
            RateLimited: If the owner has too much being said.
            EngineTimeout: If nothing comes for too long.
        """
        line = Line(
            voice=voice,
            sentence=wanted.sentence,
            options=request.options,
            sample_rate=request.sample_rate or voice.info.sample_rate,
            ahead_s=request.ahead_s,
            paced=request.paced,
            owner=request.owner,
            transport=request.transport,
            buffered_s=wanted.buffered_s,
            begun=wanted.begun,
            whole=wanted.whole,
        )
        if not wanted.begun:
            self._check(request.owner)
        self._owned[request.owner] += 1
        try:
            for left in reversed(range(TRIES)):
                try:
                    async with aclosing(self._mouths.say(line)) as chunks:
                        async for chunk in self._watched(chunks, request):
                            yield chunk
                    return
                except Overloaded as error:
                    if not left or isinstance(error, RateLimited):
                        raise
                    line = dataclasses.replace(line, anywhere=True)
        finally:
            self._owned[request.owner] -= 1
            if not self._owned[request.owner]:
                del self._owned[request.owner]

    async def _watched(
        self, chunks: AsyncGenerator[SpokenChunk | PreparedText, None], request: SpeechRequest
    ) -> AsyncGenerator[SpokenChunk | PreparedText, None]:
        """The same, but it does not hang where a machine has vanished without a word."""
        speed = self._config.speed
        patience_s = speed.step_timeout_s + speed.queue_wait_s + request.ahead_s
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise EngineTimeout(f"the machine that speaks did not answer within {patience_s:.0f} s") from None
            if chunk is None:
                return
            yield chunk

    def _check(self, owner: str) -> None:
        if self._draining:
            raise ShuttingDown("the server is shutting down", retry_after_s=5.0)
        most = self._config.limits.max_streams_per_key
        if self._owned[owner] >= most:
            raise RateLimited(f"this key already has {most} streams; wait for one to end")

    # -- the books

    def _begin(self, request: SpeechRequest) -> None:
        self._open += 1
        self._idle.clear()
        self._metrics.active_streams.labels(request.transport).inc()

    def _end(self, spoken: RemoteSpoken) -> None:
        self._open -= 1
        if not self._open:
            self._idle.set()
        request, metrics = spoken.request, self._metrics
        metrics.active_streams.labels(request.transport).dec()
        metrics.input_characters.inc(spoken.written)
        metrics.audio_seconds.inc(spoken.produced_s)
        if spoken.first_chunk_s is not None:
            metrics.ttfa.labels(request.transport, spoken.voice.info.engine).observe(spoken.first_chunk_s)
        logger.info(
            "utterance ended",
            extra={
                "transport": request.transport,
                "voice": spoken.voice.info.id,
                "characters": spoken.written,
                "audio_s": round(spoken.produced_s, 3),
                "first_chunk_ms": None if spoken.first_chunk_s is None else round(spoken.first_chunk_s * 1e3),
                "outcome": spoken.outcome,
            },
        )

    async def _refresh(self) -> None:
        try:
            self._catalogue = await self._mouths.catalogue()
        except VivaVoceError as error:
            logger.warning("no Mouth answers: %s", error)
            self._catalogue = dataclasses.replace(self._catalogue, is_ready=False)

    async def _forget(self, voice_id: str) -> None:
        try:
            await self._mouths.forget(voice_id)
            self._catalogue = await self._mouths.catalogue()
        except VivaVoceError as error:
            logger.warning("voice '%s' could not be dropped everywhere: %s", voice_id, error)
