"""The microphone at the other end of a call: packets become samples at the rate recognizers take.

Called by `call.py`; knows nothing of what listens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.transports.carried import HEARD_RATE
from vivavoce.transports.webrtc.opus_ear import OpusEar
from vivavoce.transports.webrtc.packet_buffer import Lost, PacketBuffer
from vivavoce.transports.webrtc.packet_tap import tap

MOST_AHEAD_S: Final = 2.0  # of sound that comes faster than anybody speaks; what is beyond it is dropped
_IDLE_S: Final = 60.0


class Microphone:
    """Reads one audio track, once there is one.

    Args:
        hear: takes float32 [n] at `HEARD_RATE`, mono; must not block.
        now: a clock in seconds that does not go back.
    """

    def __init__(self, hear: Callable[[Samples], None], *, now: Callable[[], float] = time.monotonic) -> None:
        self._hear = hear
        self._now = now
        self._track: MediaStreamTrack | None = None
        self._is_tapped = False
        self._plugged_in = asyncio.Event()
        self._packets = PacketBuffer()
        self._opus = OpusEar()
        self._something = asyncio.Event()
        self._ahead_s = 0.0  # of the sound before the clock
        self._heard_s = 0.0  # by the clock, when sound came last

    def plug_in(self, track: MediaStreamTrack, receiver: RTCRtpReceiver | None = None) -> None:
        """Listen to this track; a second one changes nothing.

        Args:
            receiver: that the track comes from, before its first packet; None: the track itself is read.
        """
        if self._track is None:
            self._track = track
            self._is_tapped = receiver is not None and tap(receiver, self.take_packet)
            self._plugged_in.set()

    def take_packet(self, sequence: int, payload: bytes) -> None:
        """A packet of Opus, as it came."""
        self._listen(self._packets.add(sequence, payload, self._now()))
        self._something.set()

    async def run(self) -> None:
        """Hand over what is heard until cancelled; a track that ends is silence."""
        await self._plugged_in.wait()
        assert self._track is not None
        if self._is_tapped:
            await self._follow_packets()
        else:
            await self._read(self._track)

    async def _follow_packets(self) -> None:
        """What follows a lost packet goes on in time, even if nothing more comes."""
        while True:
            due_s = self._packets.due_s
            self._something.clear()
            try:
                wait_s = _IDLE_S if due_s is None else max(0.0, due_s - self._now())
                await asyncio.wait_for(self._something.wait(), wait_s)
            except TimeoutError:
                self._listen(self._packets.take(self._now()))

    def _listen(self, packets: Iterable[bytes | Lost]) -> None:
        for packet in packets:
            samples = self._opus.hear(packet)
            if len(samples) and self._is_in_time(len(samples) / HEARD_RATE):
                self._hear(samples)

    def _is_in_time(self, sound_s: float) -> bool:
        """Nobody speaks faster than time passes: more than a burst of it is dropped."""
        now_s = self._now()
        self._ahead_s = max(0.0, self._ahead_s - (now_s - self._heard_s))
        self._heard_s = now_s
        if self._ahead_s + sound_s > MOST_AHEAD_S:
            return False
        self._ahead_s += sound_s
        return True

    async def _read(self, track: MediaStreamTrack) -> None:
        """The decoded frames of a track."""
        resampler: Resampler | None = None
        rate = 0
        try:
            while True:
                frame: Any = await track.recv()
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
