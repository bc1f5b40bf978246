"""What a listener does not hear because a carrier was late is counted, and nothing else is; the clock is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from fake_speaker import CHUNK_S, RATE, FakeSpeaker, chunk
from vivavoce.audio.chunk import Samples
from vivavoce.draining import Draining
from vivavoce.metrics import Metrics
from vivavoce.routes.speech_response import SpeechResponse
from vivavoce.serving.shares import Shares
from vivavoce.synthesis.speaker import SpeechRequest, SpokenChunk
from vivavoce.transports.carried import Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.encoding import Encoding
from vivavoce.transports.frame_sink import FrameSink
from vivavoce.transports.pacing import Pacer
from vivavoce.transports.webrtc.paced_playout import PacedPlayout
from vivavoce.transports.webrtc.playout import SAMPLE_RATE

FRAME = SAMPLE_RATE // 50


class Clock:
    """Moves when it is told to, and by sleeping."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)


class SlowEncoder:
    """Bare samples, each call as late as the test wants."""

    name = "pcm"
    media_type = "audio/pcm"
    sample_rate = stream_rate = RATE
    is_light = True

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.takes_s = 0.0

    def encode(self, samples: Samples) -> bytes:
        self.clock.now_s += self.takes_s
        return bytes(2 * len(samples))

    def flush(self) -> bytes:
        return b""


class Deaf:
    """A `Teller` nobody listens to; `before_sent` is what its client does before it takes the next message."""

    def __init__(self) -> None:
        self.before_sent: Callable[[], None] = lambda: None

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None: ...

    def send_audio(self, payload: bytes) -> None: ...

    def end_sentence(self) -> None: ...

    async def all_sent(self) -> None:
        self.before_sent()


def underruns(metrics: Metrics) -> tuple[float, float]:
    """How many there were, and the seconds of silence."""
    value = metrics.registry.get_sample_value
    return value("voice_underruns_total") or 0, round(value("voice_underrun_seconds_total") or 0, 3)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def clock() -> Clock:
    return Clock()


class OverWebSocket:
    """A sink that sends a tenth of a second at a time."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self.clock, self.encoder, self.client = clock, SlowEncoder(clock), Deaf()
        connections = Connections(Shares("live connections", 1), Draining(), metrics)
        self.sink = FrameSink(
            self.client,
            Pacer(),
            Encoding(self.encoder, ThreadPoolExecutor(1)),
            Patience(),
            ran_dry=connections.ran_dry,
            now=clock,
            sleep=clock.sleep,
        )

    async def send(self) -> None:
        await self.sink.send(chunk("Hi.", self.sink.sent_s))


async def test_a_websocket_whose_codec_is_late_is_counted(clock: Clock, metrics: Metrics) -> None:
    over = OverWebSocket(clock, metrics)
    over.encoder.takes_s = 3.0
    await over.send()
    assert underruns(metrics) == (0, 0), "the first sound is late, and nobody's buffer ran dry"
    over.encoder.takes_s = 0.5
    await over.send()
    assert underruns(metrics) == (1, 0.5 - CHUNK_S)
    over.encoder.takes_s = 0.05
    await over.send()
    assert underruns(metrics) == (1, 0.4), "in time again"


async def test_a_websocket_is_not_to_blame_for_what_comes_late_to_it(clock: Clock, metrics: Metrics) -> None:
    """Neither for the engine, whose lateness is counted where it leaves, nor for a client that does not read."""
    over = OverWebSocket(clock, metrics)
    await over.send()
    clock.now_s += 2.0
    await over.send()
    over.client.before_sent = lambda: setattr(clock, "now_s", clock.now_s + 7.0)
    await over.send()
    await over.send()
    assert underruns(metrics) == (0, 0)


@pytest.mark.parametrize("sse", [False, True])
async def test_an_http_answer_whose_codec_is_late_is_counted(clock: Clock, metrics: Metrics, sse: bool) -> None:
    over = OverHTTP(clock, metrics, sse=sse)
    async with over:
        over.encoder.takes_s = 3.0
        await over.say()
        assert underruns(metrics) == (0, 0)
        over.encoder.takes_s = 0.5
        await over.say()
        assert underruns(metrics) == (1, 0.4)


async def test_an_http_answer_is_not_to_blame_for_what_comes_late_to_it(clock: Clock, metrics: Metrics) -> None:
    over = OverHTTP(clock, metrics)
    async with over:
        await over.say()
        clock.now_s += 2.0
        await over.say()
        over.client_takes_s = 7.0
        await over.say()
        await over.say()
    assert underruns(metrics) == (0, 0)


class OverHTTP:
    """An answer that is being spoken."""

    def __init__(self, clock: Clock, metrics: Metrics, *, sse: bool = False) -> None:
        self.clock, self.encoder = clock, SlowEncoder(clock)
        self.client_takes_s = 0.0
        self.taken = asyncio.Event()
        self.speaker = FakeSpeaker()
        self.response = SpeechResponse(
            self.speaker,
            SpeechRequest(voice="alpha", text="Hi.", sample_rate=RATE),
            self.encoder,
            encoding=ThreadPoolExecutor(1),
            metrics=metrics,
            stall_timeout_s=60.0,
            sse=sse,
            now=clock,
        )

    async def __aenter__(self) -> OverHTTP:
        scope: dict[str, Any] = {"type": "http", "extensions": {}}
        self.answering = asyncio.create_task(self.response(scope, asyncio.Event().wait, self.take))  # type: ignore[arg-type]
        await self.speaker.begun.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.speaker.spoken[0].chunks.put_nowait(None)
        await self.answering

    async def take(self, message: dict[str, Any]) -> None:
        self.clock.now_s += self.client_takes_s
        if message.get("body"):
            self.taken.set()

    async def say(self) -> None:
        """One chunk, until it was taken."""
        self.taken.clear()
        self.speaker.spoken[0].chunks.put_nowait(chunk("Hi."))
        await self.taken.wait()


async def test_a_call_that_is_not_played_in_time_is_counted(clock: Clock, metrics: Metrics) -> None:
    """The event loop was busy: the clock starts afresh, and what lies between was silence for the listener."""
    track = PacedPlayout(4.0, now=clock, sleep=clock.sleep)
    track.ran_dry = Connections(Shares("live connections", 1), Draining(), metrics).ran_dry
    track.write(np.full(SAMPLE_RATE, 0.25, np.float32))
    await play(track, frames=5)
    clock.now_s += 0.5
    await play(track, frames=5)
    assert underruns(metrics) == (1, 0.48)
    clock.now_s += 0.05
    await play(track, frames=5)
    assert underruns(metrics) == (1, 0.48), "a little late is made up for"


async def test_a_call_with_nothing_to_play_is_not_late(clock: Clock, metrics: Metrics) -> None:
    track = PacedPlayout(4.0, now=clock, sleep=clock.sleep)
    track.ran_dry = Connections(Shares("live connections", 1), Draining(), metrics).ran_dry
    await play(track, frames=5)
    clock.now_s += 0.5
    track.write(np.full(2 * FRAME, 0.25, np.float32))  # the first sound after silence
    await play(track, frames=3)
    clock.now_s += 0.5
    await play(track, frames=3)
    assert underruns(metrics) == (0, 0)


async def play(track: PacedPlayout, *, frames: int) -> None:
    for _ in range(frames):
        await track.due(FRAME)
        track.take(FRAME)
