"""What is heard of a call whose packets are lost, late and out of order."""

from __future__ import annotations

import asyncio
import fractions
import random
from types import SimpleNamespace
from typing import Any

import aiortc
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.jitterbuffer import JitterBuffer
from aiortc.mediastreams import AudioStreamTrack
from av.packet import Packet
from numpy.typing import NDArray

from vivavoce.transports.carried import HEARD_RATE
from vivavoce.transports.webrtc import packet_tap
from vivavoce.transports.webrtc.microphone import MOST_AHEAD_S, Microphone
from vivavoce.transports.webrtc.packet_buffer import PATIENCE_S
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.speech_track import FRAME_SAMPLES, OpusEncoder

TONE_HZ = 400.0


class Clock:
    def __init__(self) -> None:
        self.now_s = 10.0

    def __call__(self) -> float:
        return self.now_s


class Ear:
    def __init__(self) -> None:
        self.clock = Clock()
        self.pieces: list[NDArray[np.float32]] = []
        self.microphone = Microphone(self.pieces.append, now=self.clock)

    @property
    def sound(self) -> NDArray[np.float32]:
        return np.concatenate(self.pieces) if self.pieces else np.zeros(0, np.float32)


def packets(seconds: float) -> list[bytes]:
    """A tone in Opus, 20 ms each."""
    encoder = OpusEncoder()
    time_s = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = (0.5 * np.sin(2 * np.pi * TONE_HZ * time_s)).astype(np.float32)
    return [encoder.encode(tone[at : at + FRAME_SAMPLES]) for at in range(0, len(tone), FRAME_SAMPLES)]


async def test_all_of_a_tone_is_heard() -> None:
    ear = Ear()
    for number, packet in enumerate(packets(1.0)):
        ear.microphone.take_packet(number, packet)
        ear.clock.now_s += 0.02
    assert len(ear.sound) == pytest.approx(HEARD_RATE, abs=400)  # but for what the resampler keeps
    spectrum = np.abs(np.fft.rfft(ear.sound[HEARD_RATE // 4 : HEARD_RATE // 2]))
    assert np.argmax(spectrum) == round(TONE_HZ * 0.25)


async def test_with_loss_and_disorder_the_length_is_true_and_nothing_stays_late() -> None:
    chance = random.Random(7)
    sent = list(enumerate(packets(6.0)))
    kept = [each for each in sent if each[0] < 5 or chance.random() > 0.1]
    kept.sort(key=lambda each: each[0] + 1.5 * chance.random())
    ear, lateness_s = Ear(), []  # type: tuple[Ear, list[float]]
    for number, packet in kept:
        ear.clock.now_s = 10.0 + 0.02 * (number + 1)
        ear.microphone.take_packet(number, packet)
        lateness_s.append(ear.clock.now_s - 10.0 - len(ear.sound) / HEARD_RATE)
    assert len(kept) < len(sent) - 10
    assert max(lateness_s) < PATIENCE_S + 0.08
    assert float(np.median(lateness_s[-100:])) < 0.05
    assert len(ear.sound) / HEARD_RATE == pytest.approx(6.0, abs=0.1)


async def test_one_lost_packet_is_covered_over() -> None:
    ear = Ear()
    for number, packet in enumerate(packets(1.0)):
        if number != 25:
            ear.microphone.take_packet(number, packet)
        ear.clock.now_s += 0.02
    gap = ear.sound[round(0.505 * HEARD_RATE) : round(0.515 * HEARD_RATE)]
    assert float(np.abs(gap).max()) > 0.1
    assert float(np.abs(ear.sound).max()) < 0.75  # and does not click


async def test_a_long_loss_is_silence() -> None:
    ear = Ear()
    for number, packet in enumerate(packets(2.0)):
        if not 25 <= number < 75:
            ear.microphone.take_packet(number, packet)
        ear.clock.now_s += 0.02
    lost = ear.sound[round(0.7 * HEARD_RATE) : round(1.3 * HEARD_RATE)]
    assert float(np.abs(lost).max()) < 0.01


async def test_what_waits_behind_a_gap_comes_although_nothing_follows() -> None:
    heard: list[NDArray[np.float32]] = []
    microphone = Microphone(heard.append)
    receiver = RTCRtpReceiver("audio", _transport())
    microphone.plug_in(AudioStreamTrack(), receiver)
    listening = asyncio.create_task(microphone.run())
    some = packets(0.5)
    for number in (*range(20), 21, 22):
        microphone.take_packet(number, some[number])
    before = sum(map(len, heard))
    async with asyncio.timeout(5):
        while sum(map(len, heard)) <= before:  # noqa: ASYNC110  # the time-out of the gap is a matter of real time
            await asyncio.sleep(0.01)
    listening.cancel()


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xff" * 40, bytes(range(256))])
async def test_packets_that_are_none_break_nothing(payload: bytes) -> None:
    ear, good = Ear(), packets(0.2)
    for number, packet in enumerate([*good[:5], payload, *good[5:]]):
        ear.microphone.take_packet(number, packet)
        ear.clock.now_s += 0.02
    assert np.isfinite(ear.sound).all()
    assert len(ear.sound) > 0.15 * HEARD_RATE


async def test_a_flood_is_not_heard_faster_than_anybody_speaks() -> None:
    ear, tone = Ear(), packets(1.0)
    for number in range(2000):  # 40 s of sound in 0.8 s
        ear.microphone.take_packet(number % 0x10000, tone[number % len(tone)])
        ear.clock.now_s += 0.0004
    assert len(ear.sound) / HEARD_RATE < MOST_AHEAD_S + 0.9


def test_the_tap_fits_the_aiortc_that_is_installed() -> None:
    receiver = RTCRtpReceiver("audio", _transport())
    assert packet_tap.tap(receiver, lambda sequence, payload: None)


def test_with_another_aiortc_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc, "__version__", "2.0.0")
    receiver = RTCRtpReceiver("audio", _transport())
    assert not packet_tap.tap(receiver, lambda sequence, payload: None)
    assert isinstance(vars(receiver)["_RTCRtpReceiver__jitter_buffer"], JitterBuffer)


def _transport() -> Any:
    """As much of a DTLS transport as a receiver looks at while it is made."""
    return SimpleNamespace(state="new")


class _Tone(MediaStreamTrack):
    """A tone that a real sender plays."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._packets = iter(enumerate(packets(10.0)))
        self._begun_s: float | None = None

    async def recv(self) -> Any:
        loop = asyncio.get_running_loop()
        number, data = next(self._packets)
        self._begun_s = loop.time() if self._begun_s is None else self._begun_s
        await asyncio.sleep(max(0.0, self._begun_s + 0.02 * number - loop.time()))
        packet: Packet[Any] = Packet(data)
        packet.pts, packet.time_base = number * FRAME_SAMPLES, fractions.Fraction(1, SAMPLE_RATE)
        return packet


async def test_a_real_sender_over_a_network_that_loses_and_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two aiortc peers; a tenth of the packets is lost, others change places."""
    caller, callee = RTCPeerConnection(), RTCPeerConnection()
    heard: list[NDArray[np.float32]] = []
    microphone = Microphone(heard.append)
    chance = random.Random(3)
    held: list[tuple[Any, Any]] = []
    handle = RTCRtpReceiver._handle_rtp_packet

    async def lossy(self: RTCRtpReceiver, packet: Any, arrival_time_ms: int) -> None:
        if chance.random() < 0.1:
            return
        if chance.random() < 0.1 and not held:
            held.append((packet, arrival_time_ms))
            return
        await handle(self, packet, arrival_time_ms)
        while held:
            await handle(self, *held.pop())

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", lossy)

    def on_track(track: MediaStreamTrack) -> None:
        receiver = next(each.receiver for each in callee.getTransceivers() if each.receiver.track is track)
        microphone.plug_in(track, receiver)

    callee.on("track", on_track)
    listening = asyncio.create_task(microphone.run())
    try:
        sender = caller.addTrack(_Tone())
        assert isinstance(sender, RTCRtpSender)
        await caller.setLocalDescription(await caller.createOffer())
        await callee.setRemoteDescription(caller.localDescription)
        await callee.setLocalDescription(await callee.createAnswer())
        await caller.setRemoteDescription(callee.localDescription)
        async with asyncio.timeout(20):
            while sum(map(len, heard)) < 2 * HEARD_RATE:  # noqa: ASYNC110  # sound comes in real time
                await asyncio.sleep(0.05)
    finally:
        listening.cancel()
        await caller.close()
        await callee.close()
    sound = np.concatenate(heard)
    loud = np.sqrt(np.mean(sound[: len(sound) // 320 * 320].reshape(-1, 320) ** 2, axis=1)) > 0.1
    assert loud[25:].mean() > 0.9  # covered over, not cut out
