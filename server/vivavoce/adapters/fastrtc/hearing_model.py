"""The recognizer as FastRTC's `STTModel`: what a handler of `ReplyOnPause` was told, in words."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.adapters.fastrtc.heard_sound import HeardSound
from vivavoce.adapters.fastrtc.own_loop import OwnLoop
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.assistant.ear import Wishes
from vivavoce.assistant.listening import ListenerEars
from vivavoce.audio.chunk import Samples
from vivavoce.config import Config
from vivavoce.metrics import Metrics


class HearingModel:
    """FastRTC's `STTModel`. May be called from any thread and any event loop; calls wait for each other's turn.

    The recognizer lives on an event loop in a thread of its own until `close()`; its weights are loaded by the first
    call, or by `warm_up()`.

    Args:
        config: which models; None: as `vivavoce serve` would find them.
        model: by name; None: the default of the configuration.
        language: ISO 639-1 code of what is spoken; None: it is found out.
    """

    def __init__(self, config: Config | None = None, *, model: str | None = None, language: str | None = None) -> None:
        chosen, metrics = config or Config(), Metrics()
        self._machine = build_machine(chosen, metrics)
        self._transcriber = build_transcriber(chosen, metrics, self._machine)
        self._ears = ListenerEars(self._transcriber)
        self._wishes = Wishes(model=model, language=language, transport="fastrtc")
        self._loop = OwnLoop("vivavoce-fastrtc-hearing")

    def stt(self, audio: tuple[int, NDArray[Any]]) -> str:
        """The words of a sound; empty where nobody speaks.

        Args:
            audio: Hz, and int16 or float32 [n] or [channels, n].

        Raises:
            VivaVoceError: If it cannot be understood.
        """
        return self._loop.call(self._understand(_samples(audio)))

    async def stt_async(self, audio: tuple[int, NDArray[Any]]) -> str:
        """The same on an event loop."""
        return await self._loop.call_async(self._understand(_samples(audio)))

    def warm_up(self) -> None:
        """Have the weights in memory before the first call."""
        self._loop.call(self._transcriber.preload())

    def close(self) -> None:
        """Stop the workers and the thread."""
        self._loop.close(self._end())

    async def _understand(self, samples: Samples) -> str:
        return (await self._ears.transcribe(samples, self._wishes)).text

    async def _end(self) -> None:
        await self._transcriber.aclose()
        await asyncio.to_thread(self._machine.pool.close)


def _samples(audio: tuple[int, NDArray[Any]]) -> Samples:
    rate, sound = audio
    heard = HeardSound()
    return np.concatenate([heard.process(rate, sound), heard.flush()])
