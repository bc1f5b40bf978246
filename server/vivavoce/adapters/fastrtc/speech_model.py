"""Voices as FastRTC's `TTSModel`: three ways to have a text spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass

import numpy as np
from fastrtc.text_to_speech.tts import TTSOptions

from vivavoce.adapters.fastrtc.own_loop import OwnLoop
from vivavoce.app.generator import build_synthesizer
from vivavoce.audio.chunk import Samples
from vivavoce.config import Config
from vivavoce.engines.speech_options import SpeechOptions
from vivavoce.languages import language_code
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer


@dataclass
class SpeechModelOptions(TTSOptions):  # type: ignore[misc]  # FastRTC has no types here
    """How to say it; the fields mean what they mean over HTTP."""

    voice: str = "default"
    speed: float = 1.0
    language: str = "auto"
    seed: int | None = None
    sample_rate: int | None = None


class SpeechModel:
    """FastRTC's `TTSModel`: three ways to have a text spoken. May be called from any thread and any event loop.

    The synthesizer lives on an event loop in a thread of its own, from the first call until `close()`.

    Args:
        config: which voices and engines; None: as `vivavoce serve` would find them.
        synthesizer: instead of one made from `config`; it must not be used elsewhere.
    """

    def __init__(self, config: Config | None = None, *, synthesizer: Synthesizer | None = None) -> None:
        self.synthesizer = synthesizer or build_synthesizer(config or Config(), Metrics())
        self._loop = OwnLoop("vivavoce-fastrtc-speech")

    def tts(self, text: str, options: SpeechModelOptions | None = None) -> tuple[int, Samples]:
        """The whole text: (Hz, float32 [n])."""
        spoken = list(self.stream_tts_sync(text, options))
        return spoken[0][0], np.concatenate([samples for _, samples in spoken])

    def stream_tts_sync(
        self, text: str, options: SpeechModelOptions | None = None
    ) -> Generator[tuple[int, Samples], None, None]:
        """Pieces as they are made: (Hz, float32 [n]). Raises `VivaVoceError` where the text cannot be spoken."""
        chunks = self._speak(text, options or SpeechModelOptions())
        try:
            while (piece := self._loop.call(anext(chunks, None))) is not None:
                yield piece
        finally:
            self._loop.call(chunks.aclose())

    async def stream_tts(
        self, text: str, options: SpeechModelOptions | None = None
    ) -> AsyncGenerator[tuple[int, Samples], None]:
        """The same on an event loop."""
        chunks = self._speak(text, options or SpeechModelOptions())
        try:
            while (piece := await self._loop.call_async(anext(chunks, None))) is not None:
                yield piece
        finally:
            await self._loop.call_async(chunks.aclose())

    def close(self) -> None:
        """Stop the workers and the thread."""
        self._loop.close(self.synthesizer.aclose())

    async def _speak(self, text: str, options: SpeechModelOptions) -> AsyncGenerator[tuple[int, Samples], None]:
        request = SpeechRequest(
            voice=options.voice,
            text=text,
            options=SpeechOptions(language=language_code(options.language), speed=options.speed, seed=options.seed),
            sample_rate=options.sample_rate,
            transport="fastrtc",
        )
        async with self.synthesizer.stream(request) as utterance:
            async for chunk in utterance:
                yield utterance.sample_rate, chunk.audio.samples
