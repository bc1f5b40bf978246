"""Viva Voce inside FastRTC: its voices as a `TTSModel`, and a FastRTC `Stream` that speaks.

Needs the extra `[fastrtc]`, which brings Gradio; nothing in this package imports this module unless it is asked for.

    from vivavoce.adapters.fastrtc import SpeechModel  # the voice of a ReplyOnPause handler
    model = SpeechModel()
    for rate, samples in model.stream_tts_sync("Hello!"): ...

    vivavoce serve --fastrtc                          # FastRTC's own browser snippets, under /fastrtc
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from fastapi import FastAPI
from fastrtc import AsyncStreamHandler, Stream
from fastrtc.text_to_speech.tts import TTSOptions
from fastrtc.utils import create_message
from pydantic import BaseModel

from vivavoce.app.generator import build_synthesizer
from vivavoce.audio.chunk import Samples
from vivavoce.audio.samples import Pcm16, to_pcm16
from vivavoce.config import Config
from vivavoce.engines.speech_options import SpeechOptions
from vivavoce.errors import NotFound, VivaVoceError
from vivavoce.languages import language_code
from vivavoce.metrics import Metrics
from vivavoce.speaking.sink import pieces
from vivavoce.synthesis.speaker import Speaker, SpeechRequest
from vivavoce.synthesis.synthesizer import Synthesizer
from vivavoce.transports.pacing import Pacer

logger = logging.getLogger(__name__)

SAMPLE_RATE = 24_000  # Hz of the stream's sound; FastRTC wants a multiple of 50
AHEAD_S = 0.6  # handed to FastRTC before it is due: it keeps all it is given in a queue without a bound
MAX_WAITING = 8  # texts not yet spoken; one more and the oldest is dropped
IDLE_S = 10.0  # FastRTC gives up on an `emit` that takes a minute
_T = TypeVar("_T")

# -- voices for a FastRTC application ------------------------------------------------------------------------------


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
        self._synthesizer = synthesizer or build_synthesizer(config or Config(), Metrics())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vivavoce-fastrtc", daemon=True)
        self._thread.start()

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
            while (piece := self._call(anext(chunks, None))) is not None:
                yield piece
        finally:
            self._call(chunks.aclose())

    async def stream_tts(
        self, text: str, options: SpeechModelOptions | None = None
    ) -> AsyncGenerator[tuple[int, Samples], None]:
        """The same on an event loop."""
        chunks = self._speak(text, options or SpeechModelOptions())
        try:
            while (piece := await self._call_async(anext(chunks, None))) is not None:
                yield piece
        finally:
            await self._call_async(chunks.aclose())

    def close(self) -> None:
        """Stop the workers and the thread."""
        self._call(self._synthesizer.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _speak(self, text: str, options: SpeechModelOptions) -> AsyncGenerator[tuple[int, Samples], None]:
        request = SpeechRequest(
            voice=options.voice,
            text=text,
            options=SpeechOptions(language=language_code(options.language), speed=options.speed, seed=options.seed),
            sample_rate=options.sample_rate,
            transport="fastrtc",
        )
        async with self._synthesizer.stream(request) as utterance:
            async for chunk in utterance:
                yield utterance.sample_rate, chunk.audio.samples

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(_as_coroutine(work), self._loop).result()

    async def _call_async(self, work: Any) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_as_coroutine(work), self._loop))


async def _as_coroutine(work: Coroutine[Any, Any, _T]) -> _T:
    return await work


# -- a FastRTC stream that speaks ----------------------------------------------------------------------------------


class SpeechHandler(AsyncStreamHandler):  # type: ignore[misc]  # FastRTC has no types here
    """Says the texts it is given with `Stream.set_input(webrtc_id, text)`, one after another; "" stops it.

    What the microphone hears is not used.
    """

    def __init__(self, speaker: Speaker, voice: str = "default") -> None:
        super().__init__(output_sample_rate=SAMPLE_RATE)
        self._speaker = speaker
        self._voice = voice
        self._texts: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._sound: asyncio.Queue[Pcm16] = asyncio.Queue(2)  # full: the utterance waits
        self._pacer = Pacer()
        self._running: asyncio.Task[None] | None = None
        self._speaking: asyncio.Task[None] | None = None

    def copy(self) -> SpeechHandler:
        """One handler for each connection."""
        return SpeechHandler(self._speaker, self._voice)

    async def start_up(self) -> None:
        """Speak until `shutdown`: FastRTC starts this as a task and never ends it."""
        self._running = asyncio.current_task()
        while True:
            text = await self._texts.get()
            self._speaking = asyncio.create_task(self._speak(text), name="fastrtc-utterance")
            await asyncio.wait([self._speaking])

    def set_args(self, args: list[Any]) -> None:
        """A text to be said, from `Stream.set_input`."""
        super().set_args(args)
        text = str(self.latest_args[-1])
        if not text:
            self._stop()
            return
        if self._texts.full():
            self._texts.get_nowait()
        self._texts.put_nowait(text)

    async def receive(self, frame: tuple[int, Any]) -> None:
        """The microphone; nobody listens."""

    async def emit(self) -> tuple[int, Pcm16] | None:
        """The next piece of sound, when it is nearly due; None where there is none for a while."""
        try:
            samples = await asyncio.wait_for(self._sound.get(), IDLE_S)
        except TimeoutError:
            return None
        self._pacer.send(len(samples) / SAMPLE_RATE, time.monotonic())
        await asyncio.sleep(max(0.0, self._pacer.ahead_s(time.monotonic()) - AHEAD_S))
        return SAMPLE_RATE, samples

    async def shutdown(self) -> None:
        """The connection is over."""
        self._stop()
        if self._running is not None:
            self._running.cancel()

    def _stop(self) -> None:
        for queue in (self._texts, self._sound):
            with suppress(asyncio.QueueEmpty):
                while True:
                    queue.get_nowait()
        if self._speaking is not None:
            self._speaking.cancel()
        if self._clear_queue is not None:
            self._clear_queue()
        self._pacer.cancel(time.monotonic())

    async def _speak(self, text: str) -> None:
        request = SpeechRequest(voice=self._voice, text=text, sample_rate=SAMPLE_RATE, paced=True, transport="fastrtc")
        try:
            async with self._speaker.stream(request) as utterance:
                async for chunk in utterance:
                    for piece in pieces(chunk, AHEAD_S / 2):
                        await self._sound.put(to_pcm16(piece.audio.samples))
        except VivaVoceError as error:
            await self.send_message(create_message("error", error.message))
        except Exception:
            logger.exception("utterance failed unexpectedly")


class SpeechInput(BaseModel):
    """What to say on which connection."""

    webrtc_id: str
    text: str


def mount(
    app: FastAPI, speaker: Speaker, *, path: str = "/fastrtc", voice: str = "default", max_calls: int = 20
) -> Any:
    """Put a FastRTC `Stream` on an application, over a speaker that it has already.

    Routes under `path`: FastRTC's `webrtc/offer` and its others, and `input` (`{"webrtc_id", "text"}`) for the texts.
    FastRTC handles offers by itself: the limits that the native calls have do not hold here.

    Returns:
        The `Stream`.
    """
    stream = Stream(
        SpeechHandler(speaker, voice), modality="audio", mode="send-receive", concurrency_limit=max_calls,
        server_rtc_configuration={"iceServers": []}, verbose=False,
    )  # fmt: skip
    stream.mount(app, path=path, tags=["fastrtc"])

    @app.post(path + "/input", tags=["fastrtc"], summary="Say a text on a FastRTC connection", status_code=204)
    async def say(body: SpeechInput) -> None:
        """An empty text stops what is being said."""
        if body.webrtc_id not in stream.connections:
            raise NotFound("no such connection")
        stream.set_input(body.webrtc_id, body.text)

    return stream
