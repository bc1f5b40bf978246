"""Sound as messages, paced by the listener's clock; the clock is the test's and nothing sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest

from fake_speaker import chunk
from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.audio.encoders import open_encoder
from vivavoce.errors import ClientTooSlow
from vivavoce.speaking.sink import SpokenChunk
from vivavoce.text.sentences import Sentence
from vivavoce.transports.carried import Patience
from vivavoce.transports.encoding import INLINE_SAMPLES, Encoding
from vivavoce.transports.frame_sink import FrameSink
from vivavoce.transports.pacing import Pacer

RATE = 24_000


class InPlace(Executor):
    """Runs what it is given at once; counts it."""

    def __init__(self) -> None:
        self.runs = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.runs += 1
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Client:
    """A `Teller` that remembers, and the clock of both sides."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.log: list[Any] = []
        self.reads = asyncio.Event()
        self.reads.set()

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        self.log.append((round(chunk.start_s, 3), format, sample_rate))

    def send_audio(self, payload: bytes) -> None:
        self.log.append(len(payload))

    def end_sentence(self) -> None:
        self.log.append("end")

    async def all_sent(self) -> None:
        await self.reads.wait()

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds + 0.001  # a clock always moves on


def sink_of(client: Client, pacer: Pacer, format: str = "pcm", **options: Any) -> tuple[FrameSink, InPlace]:
    threads = InPlace()
    encoding = Encoding(open_encoder(format, RATE), threads)
    patience = Patience(idle_s=options.pop("idle_s", 60.0), ahead_s=4.0)
    options.setdefault("sleep", client.sleep)
    return FrameSink(client, pacer, encoding, patience, now=client.now, **options), threads


def long_chunk(seconds: float) -> SpokenChunk:
    samples: Samples = np.zeros(round(seconds * RATE), np.float32)
    return SpokenChunk(AudioChunk(samples, RATE), Sentence("Long.", 0, 0, "sentence"), 0.0, True, True)


async def test_a_chunk_is_told_before_its_sound_and_a_sentence_ends_after_it() -> None:
    client = Client()
    sink, threads = sink_of(client, Pacer())
    await sink.send(chunk("Hi."))
    assert client.log == [(0.0, "pcm", RATE), 4800, "end"]
    assert sink.sent_s == pytest.approx(0.1)
    assert threads.runs == 0


async def test_at_most_four_seconds_are_sent_ahead_of_the_listener() -> None:
    client, pacer = Client(), Pacer()
    sink, _ = sink_of(client, pacer)
    for k in range(20):
        await sink.send(long_chunk(1.0))
        assert sink.sent_s - client.now_s <= 4.0 + 1e-6, k
    assert client.now_s == pytest.approx(16.0, abs=0.5)
    assert sink.position_s == pytest.approx(client.now_s, abs=0.01)


async def test_burst_is_as_fast_as_it_is_made() -> None:
    client = Client()
    sink, _ = sink_of(client, Pacer(), paced=False)
    await sink.send(long_chunk(60.0))
    assert client.now_s == 0.0
    assert sink.sent_s == pytest.approx(60.0)


async def test_a_listener_that_stands_still_is_not_sent_more_and_given_up() -> None:
    client, pacer = Client(), Pacer()

    async def stand_still(seconds: float) -> None:
        client.now_s += seconds
        sink.played(0.0)

    sink, _ = sink_of(client, pacer, idle_s=30.0, sleep=stand_still)
    await sink.send(long_chunk(4.0))
    with pytest.raises(ClientTooSlow):
        await sink.send(long_chunk(2.0))
    assert sink.sent_s == pytest.approx(4.0)
    assert 30.0 <= client.now_s <= 31.0
    sink.played(4.0)
    await sink.send(long_chunk(2.0))
    assert sink.sent_s == pytest.approx(6.0)


async def test_the_position_is_what_the_listener_says_and_goes_on_in_real_time() -> None:
    client, pacer = Client(), Pacer()
    sink, _ = sink_of(client, pacer)
    await sink.send(long_chunk(3.0))
    client.now_s = 2.0
    assert sink.position_s == pytest.approx(2.0)
    sink.played(1.0)
    client.now_s = 2.5
    assert sink.position_s == pytest.approx(1.5)
    client.now_s = 60.0
    assert sink.position_s == pytest.approx(3.0), "never more than was sent"


async def test_positions_begin_anew_with_each_utterance() -> None:
    client, pacer = Client(), Pacer()
    first, _ = sink_of(client, pacer)
    await first.send(long_chunk(2.0))
    second, _ = sink_of(client, pacer)
    await second.send(long_chunk(1.0))
    assert second.position_s == 0.0
    client.now_s = 2.5
    assert second.position_s == pytest.approx(0.5)
    second.stop()
    assert pacer.ahead_s(client.now_s) == 0.0


async def test_a_slow_reader_is_waited_for() -> None:
    client = Client()
    client.reads.clear()
    sink, _ = sink_of(client, Pacer())
    sending = asyncio.create_task(sink.send(long_chunk(0.8)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not sending.done()
    assert len(client.log) == 2, "the second piece has not left"
    client.reads.set()
    await sending
    assert sink.sent_s == pytest.approx(0.8)


@pytest.mark.parametrize("format", ["mp3", "opus", "aac", "flac", "ogg"])
async def test_codecs_and_their_ends_run_in_threads(format: str) -> None:
    client = Client()
    sink, threads = sink_of(client, Pacer(), format)
    await sink.send(long_chunk(0.3))
    await sink.finish()
    assert threads.runs == 2
    assert "end" not in client.log, "a codec may owe some of the sentence"


async def test_light_formats_need_no_thread_unless_there_is_much_of_them() -> None:
    for format in ("pcm", "wav"):
        threads = InPlace()
        encoding = Encoding(open_encoder(format, RATE), threads)
        assert await encoding.encode(np.zeros(INLINE_SAMPLES, np.float32))
        await encoding.flush()
        assert threads.runs == 0
        await encoding.encode(np.zeros(INLINE_SAMPLES + 1, np.float32))
        assert threads.runs == 1


async def test_a_file_with_exact_sizes_is_written_in_a_thread() -> None:
    threads = InPlace()
    encoding = Encoding(open_encoder("wav", RATE, exact_sizes=True), threads)
    await encoding.encode(np.zeros(100, np.float32))
    assert len(await encoding.flush()) == 44 + 200
    assert threads.runs == 2
