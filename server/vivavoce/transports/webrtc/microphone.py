"""The microphone at the other end of a call: decoded frames become samples at the rate recognizers take.

Called by `call.py`; knows nothing of what listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.transports.carried import HEARD_RATE


class Microphone:
    """Reads one audio track, once there is one.

    Args:
        hear: takes float32 [n] at `HEARD_RATE`, mono; must not block.
    """

    def __init__(self, hear: Callable[[Samples], None]) -> None:
        self._hear = hear
        self._track: MediaStreamTrack | None = None
        self._plugged_in = asyncio.Event()

    def plug_in(self, track: MediaStreamTrack) -> None:
        """Listen to this track; a second one changes nothing."""
        if self._track is None:
            self._track = track
            self._plugged_in.set()

    async def run(self) -> None:
        """Hand over what is heard until cancelled; a track that ends is silence."""
        await self._plugged_in.wait()
        assert self._track is not None
        resampler: Resampler | None = None
        rate = 0
        try:
            while True:
                frame: Any = await self._track.recv()
                if resampler is None or frame.sample_rate != rate:
                    rate = frame.sample_rate
                    resampler = Resampler(rate, HEARD_RATE)
                self._hear(resampler.process(mono(frame)))
        except MediaStreamError:
            await asyncio.Event().wait()  # the call goes on without it


def mono(frame: Any) -> Samples:
    """The samples of a decoded 16-bit frame as float32 [n]; channels are averaged."""
    channels = len(frame.layout.channels)
    samples = frame.to_ndarray().reshape(-1, channels)  # int16 [n, channels]: packed, as Opus decodes here
    mixed: Samples = samples.mean(axis=1, dtype=np.float32) / np.float32(32768)
    return mixed
