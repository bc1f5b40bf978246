"""The sound of a call: an aiortc track that plays what is written to it, 20 ms at a time, by the clock.

It hands aiortc Opus packets, encoded in an executor of ours: aiortc itself would encode on the event loop's default
executor, behind whatever else waits there, and without the redundancy that hides lost packets. Called by `call.py`;
knows nothing of sessions.
"""

from __future__ import annotations

import asyncio
import fractions
from concurrent.futures import Executor
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet

from vivavoce.audio.chunk import Samples
from vivavoce.audio.ffmpeg_threads import without_threads
from vivavoce.audio.samples import to_pcm16
from vivavoce.transports.webrtc.paced_playout import PacedPlayout
from vivavoce.transports.webrtc.playout import SAMPLE_RATE

FRAME_SAMPLES = SAMPLE_RATE // 50  # 20 ms
SILENT_FRAMES = 10  # after so many the encoder has nothing new to say of silence
_TIME_BASE = fractions.Fraction(1, SAMPLE_RATE)


class OpusEncoder:
    """One mono stream of speech, 20 ms a packet.

    In-band redundancy (RFC 6716 section 2.1.7) is on: each packet carries a rough copy of the one before, and a lost
    packet is hardly heard. 40 kbit/s holds both.
    """

    def __init__(self) -> None:
        without_threads()
        codec = av.AudioCodecContext.create("libopus", "w")
        codec.bit_rate = 40_000
        codec.format = "s16"
        codec.layout = "mono"
        codec.sample_rate = SAMPLE_RATE
        codec.time_base = _TIME_BASE
        codec.options = {"application": "voip", "frame_duration": "20", "fec": "1", "packet_loss": "5"}
        self._codec = codec

    def encode(self, samples: Samples) -> bytes:
        """float32 [960] to one packet."""
        frame = av.AudioFrame.from_ndarray(to_pcm16(samples)[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = _TIME_BASE
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))


class SpeechTrack(MediaStreamTrack):
    """An endless track: speech where there is some, silence otherwise.

    Args:
        executor: where Opus is encoded.
        max_ahead_s: seconds that may wait to be played.

    Attributes:
        sound: what it plays.
    """

    kind = "audio"

    def __init__(self, executor: Executor, max_ahead_s: float) -> None:
        super().__init__()
        self.sound = PacedPlayout(max_ahead_s)
        self._executor = executor
        self._encoder = OpusEncoder()
        self._frames = 0  # sent so far; the clock of RTP
        self._silent = 0  # silent frames in a row
        self._silence = b""  # what the last of them was encoded to

    async def recv(self) -> Packet[Any]:
        """The next 20 ms, when they are due. Called by aiortc."""
        if self.readyState != "live":
            raise MediaStreamError
        await self.sound.due(FRAME_SAMPLES)
        silent = self.sound.playout.is_silent
        packet: Packet[Any] = Packet(await self._encode(self.sound.take(FRAME_SAMPLES), silent))
        packet.pts = self._frames * FRAME_SAMPLES
        packet.time_base = _TIME_BASE
        self._frames += 1
        return packet

    async def _encode(self, samples: Samples, silent: bool) -> bytes:
        """Opus of a frame. Silence that goes on is not encoded again and again: an idle call costs nearly nothing."""
        self._silent = self._silent + 1 if silent else 0
        if self._silent > SILENT_FRAMES:
            return self._silence
        packet = await asyncio.get_running_loop().run_in_executor(self._executor, self._encoder.encode, samples)
        self._silence = packet
        return packet
