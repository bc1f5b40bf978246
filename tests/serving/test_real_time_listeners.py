"""Nobody who takes sound at the speed of speech is cut off: every format, rate, speed and door, by a clock in a model.

What lies between server and ear is modelled: a send buffer, a receive window, and a player that takes in steps as large
as both. The bytes are those of the real encoders; how fast they are asked for follows from the sound in them.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import itertools
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from starlette.websockets import WebSocket

from fake_speaker import RATE, chunk
from vivavoce.audio.chunk import Samples
from vivavoce.audio.encoders import FORMATS, open_encoder
from vivavoce.draining import Draining
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import Close
from vivavoce.serving.http_protocol import CHECK_EVERY_S, STALL_TIMEOUT_S
from vivavoce.serving.shares import Shares
from vivavoce.serving.taking import LOOK_EVERY_S, STEP_BYTES, TakingPace
from vivavoce.speaking.sink import Carrier, SoundFormat, SpokenChunk
from vivavoce.transports import websocket as transport
from vivavoce.transports.carried import Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc.paced_playout import PacedPlayout
from vivavoce.transports.webrtc.playout import SAMPLE_RATE
from vivavoce.transports.webrtc.track_sink import TrackSink

STALL_S = 30.0  # what the settings begin with
PART_S = 0.4
SPEEDS = (0.25, 1.0, 4.0)
RATES = (8_000, 24_000, 48_000)
TEXT_S = 240.0  # of speech at its own speed, as much as a request may hold
HIGH_BYTES = 64 * 1024  # waiting in the process: a write waits above it


def speech(rate: int, seconds: float) -> Samples:
    """Like speech: a voice and its breath swell four times a second, and every third second it rests."""
    time_s = np.arange(round(rate * seconds)) / rate
    voice = np.sin(2 * np.pi * 140 * time_s) + 0.5 * np.sin(2 * np.pi * 1_400 * time_s)
    voice += 0.3 * np.random.default_rng(3).standard_normal(len(time_s))
    sound: Samples = (0.3 * voice * np.maximum(0, np.sin(2 * np.pi * 4 * time_s)) * (time_s % 3 < 2)).astype(np.float32)
    return sound


@functools.cache
def parts_of(format: str, rate: int, door: str) -> tuple[int, ...]:
    """Bytes that a door writes, a part of `PART_S` at a time: ten seconds of sound, to be said again and again."""
    encoder = open_encoder(format, rate)
    sound, length = speech(rate, 10.0), round(PART_S * rate)
    encoded = [encoder.encode(sound[at : at + length]) for at in range(0, len(sound), length)]
    return tuple(len(base64.b64encode(part)) if door == "events" else len(part) for part in encoded)


def listened(parts: tuple[int, ...], seconds: float, step: int) -> float | None:
    """When a listener in real time is given up; None: never.

    It plays the bytes in their own time, and frees what lies between in steps of so many bytes.
    """
    pace = TakingPace(STALL_S)
    now_s = written = 0.0
    borders = [0, *itertools.accumulate(parts)]  # bytes at each `PART_S` of a round
    for number in range(round(seconds / PART_S)):
        count = parts[number % len(parts)]
        written += count
        pace.wrote(count, PART_S)
        while (unsent := written - min(written, left(borders, now_s, step))) > HIGH_BYTES:
            if pace.is_too_slow(round(unsent), now_s):
                return now_s
            now_s += LOOK_EVERY_S
        pace.caught_up()
    return None


def left(borders: list[int], now_s: float, step: int) -> float:
    """Bytes that may have left the server's machine: what was played, in steps, and a window beyond it."""
    rounds, parts = divmod(now_s / PART_S, len(borders) - 1)
    played = rounds * borders[-1] + borders[int(parts)]
    return played // step * step + step


@pytest.mark.parametrize("door", ["bytes", "events"])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("format", FORMATS)
def test_http_and_server_sent_events(format: str, rate: int, door: str) -> None:
    for speed in SPEEDS:
        for step in (1, STEP_BYTES // 2, STEP_BYTES):
            assert listened(parts_of(format, rate, door), TEXT_S / speed, step) is None, (speed, step)


@pytest.mark.parametrize("format", FORMATS)
def test_a_connection_has_no_other_limit_that_a_listener_meets(format: str) -> None:
    """The connection's own looks only for bytes: a step of the thinnest sound is over before it gives up."""
    slowest = min(sum(parts_of(format, rate, "bytes")) / 10.0 for rate in RATES)
    assert STEP_BYTES / slowest < STALL_TIMEOUT_S - CHECK_EVERY_S


class Session:
    """A `Carried` that speaks as much as it is told to, and is its own teller."""

    def __init__(self, carrier: Carrier, chunks: int) -> None:
        self.carrier, self.chunks = carrier, chunks
        self.hears, self.active_s = False, asyncio.get_running_loop().time()
        self.closing: Close | None = None
        self.due: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.spoken_s = 0.0

    def receive(self, data: str | bytes) -> None: ...

    def hear(self, samples: Samples) -> None: ...

    async def next_messages(self) -> list[str | bytes]:
        if self.closing is not None and self.due.empty():
            return []
        return [await self.due.get()]

    async def run(self) -> None:
        sink = self.carrier.open_sink(self, SoundFormat("pcm", RATE, paced=False))
        for _ in range(self.chunks):
            await sink.send(chunk("Hi."))
        self.spoken_s = sink.sent_s
        self.closing = Close(1000, "bye")
        self.due.put_nowait("done")
        await asyncio.Event().wait()

    def close(self, code: int, reason: str) -> None: ...

    def drain(self) -> None: ...

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None: ...

    def send_audio(self, payload: bytes) -> None:
        self.due.put_nowait(payload)

    def end_sentence(self) -> None: ...

    async def all_sent(self) -> None: ...


async def test_a_websocket_is_judged_by_the_sound_it_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """By bytes alone a step of thin sound, 36 s of it, would be a client that takes nothing."""
    written: list[tuple[int, float]] = []

    class Noted:
        def __init__(self, scope: object, stall_s: float) -> None: ...

        async def send(self, sending: Awaitable[None], count: int, sound_s: float = 0.0) -> None:
            written.append((count, sound_s))
            await sending

    monkeypatch.setattr(transport, "Taking", Noted)
    metrics = Metrics()
    sessions: list[Session] = []

    def carry(carrier: Carrier) -> Session:
        sessions.append(Session(carrier, chunks=20))
        return sessions[0]

    async def send(message: Any) -> None: ...

    scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": [], "extensions": {}}
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    connection = transport.WebSocketConnection(
        WebSocket(scope, incoming.get, send), carry, ThreadPoolExecutor(1), Patience(), owner="me"
    )
    await connection.serve(Connections(Shares("live connections", 1), Draining(), metrics))
    assert sum(count for count, _ in written) == len("done") + round(2 * RATE * sessions[0].spoken_s)
    assert sum(sound_s for _, sound_s in written) == pytest.approx(sessions[0].spoken_s)


@pytest.mark.parametrize("speed", SPEEDS)
async def test_a_call_plays_all_of_it_in_its_own_time(speed: float) -> None:
    now_s = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += max(0.0, seconds)

    class Silent(Session):
        def __init__(self) -> None: ...

    track = PacedPlayout(4.0, now=lambda: now_s, sleep=sleep)
    sink = TrackSink(Silent(), track)
    seconds = TEXT_S / speed

    async def speak() -> None:
        whole = round(seconds / 0.1)
        for _ in range(whole):
            await sink.send(at_track_rate())
        await sink.finish()

    speaking = asyncio.create_task(speak())
    frame = SAMPLE_RATE // 10
    while not speaking.done():
        await track.due(frame)
        track.take(frame)
        await asyncio.sleep(0)
    await speaking
    assert sink.position_s == pytest.approx(seconds)
    assert now_s == pytest.approx(seconds, rel=0.02)


def at_track_rate() -> SpokenChunk:
    spoken = chunk("Hi.")
    audio = type(spoken.audio)(np.full(SAMPLE_RATE // 10, 0.25, np.float32), SAMPLE_RATE, ())
    return SpokenChunk(audio, spoken.sentence, 0.0, True, True)
