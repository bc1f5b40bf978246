"""Voices on other machines behind the border of speech: chosen by name, spoken over every transport, cut off at once.

Nothing of theirs needs our cores, so they are no engine: a sentence is a request, its sound is decoded as it comes.
Made by `app/`; the requests themselves are `inference.py`'s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vivavoce.audio.chunk import Samples
from vivavoce.audio.decoders import PcmDecoder
from vivavoce.audio.stretch import TimeStretcher
from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.draining import Draining
from vivavoce.engines.speech import SpeechOptions, VoiceInfo
from vivavoce.errors import ShuttingDown, TextTooLong, UnknownVoice, VoiceUnavailable
from vivavoce.hosted.asking import Question
from vivavoce.hosted.inference import HostedModels
from vivavoce.hosted.spoken import HostedSpoken
from vivavoce.hosted.transcoding import as_the_models_fault
from vivavoce.hosted.voices import SAMPLE_RATE, HostedVoice
from vivavoce.machine.admission import Place
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest
from vivavoce.text.normalize import SpokenText


class HostedSpeaker:
    """A `Speaker` of declared voices.

    Args:
        models: makes the requests; its transport may reach private addresses, for the operator named them.
        places: utterances at once, with a share for each owner.
    """

    def __init__(
        self,
        voices: tuple[HostedVoice, ...],
        models: HostedModels,
        decoding: DecodingService,
        places: Places,
        draining: Draining,
        metrics: Metrics,
        *,
        max_text: int = 4096,
        max_buffered_text: int = 8000,
    ) -> None:
        self._voices = {voice.info.id: voice for voice in voices}
        self._models = models
        self._decoding = decoding
        self._places = places
        self._metrics = metrics
        self._max_text, self._max_buffered = max_text, max_buffered_text
        self._draining = draining
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def voices(self) -> list[VoiceInfo]:
        return [voice.info for voice in self._voices.values()]

    def choose(self, voice: str | None = None, model: str | None = None) -> ResolvedVoice:
        for name in (voice, model):
            wanted = (name or "").strip().lower()
            if wanted in self._voices:
                return ResolvedVoice(self._voices[wanted].info)
        raise UnknownVoice(voice or model or "default", self._voices)

    @asynccontextmanager
    async def stream(self, request: SpeechRequest, place: Place | None = None) -> AsyncIterator[HostedSpoken]:
        """Speak; the block ends it, or hangs up in mid-sentence.

        Raises:
            UnknownVoice, VoiceUnavailable, TextTooLong, RateLimited, Overloaded, ShuttingDown: Before anything is sent.
        """
        chosen = request.voice if isinstance(request.voice, ResolvedVoice) else self.choose(request.voice)
        voice = self._voices[chosen.info.id]
        if voice.info.problem is not None:
            raise VoiceUnavailable(f"voice '{voice.info.id}' is not available: {voice.info.problem}", param="voice")
        if request.text is not None and len(request.text) > self._max_text:
            raise TextTooLong(len(request.text), self._max_text)
        if self._draining.has_begun:
            raise ShuttingDown("the server is shutting down")
        async with self._places.enter(request.owner):
            spoken = HostedSpoken(
                request,
                voice,
                lambda sentence: self._sentence(voice, sentence, request),
                max_buffered=self._max_buffered,
                clock=asyncio.get_running_loop().time,
            )
            self._begin(request)
            try:
                yield spoken
            finally:
                await spoken.aclose()
                self._end(request, spoken)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for the running utterances. Returns False where some were still running."""
        try:
            await asyncio.wait_for(self._idle.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Hang up everywhere."""
        await self._models.aclose()

    @asynccontextmanager
    async def _sentence(
        self, voice: HostedVoice, sentence: SpokenText, request: SpeechRequest
    ) -> AsyncIterator[AsyncGenerator[Samples, None]]:
        question = _question(voice, sentence, request.options)
        async with self._models.hear(voice.target, voice.token, question) as sound:
            parts = self._bare(sound) if voice.kind == "openai" else self._decoded(sound, request)
            try:
                yield parts
            finally:
                await parts.aclose()

    async def _bare(self, sound: AsyncIterator[bytes]) -> AsyncGenerator[Samples, None]:
        decoder = PcmDecoder("s16", SAMPLE_RATE, SAMPLE_RATE)
        async for data in sound:
            yield decoder.decode(data)
        yield decoder.flush()

    async def _decoded(self, sound: AsyncIterator[bytes], request: SpeechRequest) -> AsyncGenerator[Samples, None]:
        stretcher = TimeStretcher(SAMPLE_RATE, request.options.speed)
        with as_the_models_fault():
            async with self._decoding.live(owner=request.owner, sample_rate=SAMPLE_RATE) as decoder:
                async for data in sound:
                    yield stretcher.process(await decoder.decode(data))
                yield stretcher.process(await decoder.flush())
        yield stretcher.flush()

    def _begin(self, request: SpeechRequest) -> None:
        self._active += 1
        self._idle.clear()
        self._metrics.active_streams.labels(request.transport).inc()

    def _end(self, request: SpeechRequest, spoken: HostedSpoken) -> None:
        self._active -= 1
        if not self._active:
            self._idle.set()
        self._metrics.active_streams.labels(request.transport).dec()
        self._metrics.input_characters.inc(spoken.written)


def _question(voice: HostedVoice, sentence: SpokenText, options: SpeechOptions) -> Question:
    """One sentence, as the voice's server reads it."""
    fields: dict[str, Any]
    if voice.kind == "openai":  # reads numbers and signs itself, as well as it can
        fields = {"input": sentence.source.strip(), "model": voice.model or "tts-1", "voice": voice.voice or "alloy"}
        fields |= {"response_format": "pcm", "speed": options.speed}
        if options.instructions:
            fields["instructions"] = options.instructions
    else:
        names = {"voice": voice.voice, "model": voice.model}
        parameters = {name: value for name, value in names.items() if value is not None}
        fields = {"inputs": sentence.text} | ({"parameters": parameters} if parameters else {})
    return Question(json.dumps(fields, ensure_ascii=False).encode(), "application/json", "audio/*, */*")
