"""A FastRTC handler that speaks: texts in, a voice out. Called by `mounting.py`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Final

from fastrtc import AsyncStreamHandler, CloseStream
from fastrtc.utils import create_message

from vivavoce.audio.samples import Pcm16, to_pcm16
from vivavoce.errors import VivaVoceError
from vivavoce.serving.callers import CALLER, NOBODY, Caller
from vivavoce.speaking.sink import pieces
from vivavoce.synthesis.speaker import Speaker, SpeechRequest
from vivavoce.transports.pacing import Pacer

logger = logging.getLogger(__name__)

SAMPLE_RATE: Final = 24_000  # Hz of the stream's sound; FastRTC wants a multiple of 50
AHEAD_S: Final = 0.6  # handed to FastRTC before it is due: it keeps all it is given in a queue without a bound
MAX_WAITING: Final = 8  # texts not yet spoken; one more and the oldest is dropped
IDLE_S: Final = 10.0  # FastRTC gives up on an `emit` that takes a minute

Hold = Callable[[str], AbstractContextManager[None]]  # counts a client's connection for the length of a block


class SpeechHandler(AsyncStreamHandler):  # type: ignore[misc]  # FastRTC has no types here
    """Says the texts it is given with `Stream.set_input(webrtc_id, text)`, one after another; "" stops it.

    What the microphone hears is not used.

    Args:
        hold: counts a client's connection for the length of a block; raises where there may be no more.
        caller: whose connection it is, for admission and shares.
    """

    def __init__(
        self, speaker: Speaker, voice: str = "default", *, hold: Hold | None = None, caller: Caller = NOBODY
    ) -> None:
        super().__init__(output_sample_rate=SAMPLE_RATE)
        self.caller = caller
        self._hold = hold
        self._refused: str | None = None
        self._speaker = speaker
        self._voice = voice
        self._texts: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._sound: asyncio.Queue[Pcm16] = asyncio.Queue(2)  # full: the utterance waits
        self._pacer = Pacer()
        self._running: asyncio.Task[None] | None = None
        self._speaking: asyncio.Task[None] | None = None

    def copy(self) -> SpeechHandler:
        """One handler for each connection, called while its offer is answered."""
        return SpeechHandler(self._speaker, self._voice, hold=self._hold, caller=CALLER.get())

    async def start_up(self) -> None:
        """Speak until `shutdown`: FastRTC starts this as a task and never ends it."""
        self._running = asyncio.current_task()
        try:
            with self._hold(self.caller.client) if self._hold is not None else nullcontext():
                while True:
                    text = await self._texts.get()
                    self._speaking = asyncio.create_task(self._speak(text), name="fastrtc-utterance")
                    await asyncio.wait([self._speaking])
        except VivaVoceError as error:
            self._refused = error.message
            await self.send_message(create_message("error", error.message))

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

    async def emit(self) -> Any:
        """The next piece of sound, when it is nearly due; None where there is none for a while."""
        if self._refused is not None:
            return CloseStream(self._refused)
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
        request = SpeechRequest(
            voice=self._voice,
            text=text,
            sample_rate=SAMPLE_RATE,
            paced=True,
            owner=self.caller.client,
            transport="fastrtc",
        )
        try:
            async with self._speaker.stream(request) as utterance:
                async for chunk in utterance:
                    for piece in pieces(chunk, AHEAD_S / 2):
                        await self._sound.put(to_pcm16(piece.audio.samples))
        except VivaVoceError as error:
            await self.send_message(create_message("error", error.message))
        except Exception:
            logger.exception("utterance failed unexpectedly")
