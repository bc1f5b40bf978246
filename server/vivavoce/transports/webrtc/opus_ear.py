"""Opus packets become samples at the rate recognizers take; what was lost is covered over.

Called by `microphone.py`.
"""

from __future__ import annotations

from typing import Final

import av
import numpy as np
from av.packet import Packet

from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.transports.carried import HEARD_RATE
from vivavoce.transports.webrtc.packet_buffer import Lost

SAMPLE_RATE: Final = 48_000  # Hz, Opus' own clock
FRAME: Final = 960  # samples, 20 ms: what browsers send in a packet
_FADE: Final = 3 * FRAME  # a lost stretch fades out in 60 ms: longer, and the detector hears speech that is none


class OpusEar:
    """Decodes one stream of Opus packets, and fills in what was lost."""

    def __init__(self) -> None:
        codec = av.AudioCodecContext.create("libopus", "r")
        codec.format, codec.layout, codec.sample_rate = "s16", "mono", SAMPLE_RATE
        self._codec = codec
        self._resampler = Resampler(SAMPLE_RATE, HEARD_RATE)
        self._last: Samples = np.zeros(FRAME, np.float32)
        self._covered = 0  # samples made up since the last real one

    def hear(self, packet: bytes | Lost) -> Samples:
        """float32 [n] at `HEARD_RATE`; a packet that is none counts as lost."""
        sound = self._cover(packet.count) if isinstance(packet, Lost) else self._decode(packet)
        return self._resampler.process(sound)

    def _decode(self, packet: bytes) -> Samples:
        try:
            frames = self._codec.decode(Packet(packet))
        except av.FFmpegError:
            return self._cover(1)
        parts = [frame.to_ndarray().reshape(-1) for frame in frames]  # int16 [n] each
        if not parts:
            return self._cover(1)
        sound: Samples = np.concatenate(parts).astype(np.float32) / np.float32(32768)
        self._last, self._covered = sound, 0
        return sound

    def _cover(self, count: int) -> Samples:
        """The last sound again, there and back, fading out; then silence. Its length is that of what was lost."""
        length = count * len(self._last)
        there_and_back = np.concatenate([self._last[::-1], self._last])
        sound = np.resize(there_and_back, length)
        places = np.arange(self._covered, self._covered + length, dtype=np.float32)
        self._covered += length
        covered: Samples = sound * np.clip(1.0 - places / _FADE, 0.0, 1.0)
        return covered
