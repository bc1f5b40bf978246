"""The decoder process: it gives what the decoder gives, and its death is one recording's trouble only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from fake_engine import wait_until
from recordings import recording, silence, tone, wav
from vivavoce.audio.decoders import LIVE_STREAM, AudioDecoder, DecodingRules
from vivavoce.decoding.live_decoder import REST_S, LiveDecoder
from vivavoce.decoding.process import DecoderProcess, ProcessLimits
from vivavoce.decoding.service import DecodingLimits, DecodingService
from vivavoce.errors import InvalidAudio, Overloaded, RateLimited
from vivavoce.metrics import Metrics

RATE = 16_000


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def service(metrics: Metrics) -> AsyncIterator[DecodingService]:
    async with running(DecodingLimits(), metrics) as started:
        yield started


@contextlib.asynccontextmanager
async def running(limits: DecodingLimits, metrics: Metrics | None = None) -> AsyncIterator[DecodingService]:
    service = DecodingService(metrics or Metrics(), limits)
    await service.start()
    try:
        yield service
    finally:
        await service.aclose()


async def blocks(data: bytes, size: int = 1 << 16) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def here(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    with AudioDecoder(RATE) as decoder:
        return np.concatenate([decoder.decode(data), decoder.flush()])


def _proc(pid: int) -> tuple[str, bytes]:
    return Path(f"/proc/{pid}/limits").read_text(), Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.parametrize("container", ["wav", "mp3", "m4a", "webm live"])
async def test_the_process_gives_what_the_decoder_gives(service: DecodingService, container: str) -> None:
    data = recording(container)
    decoded = await service.decode(blocks(data, 5000), owner="a")
    assert decoded.sample_rate == RATE
    np.testing.assert_allclose(decoded.samples, here(data), atol=1e-6)


async def test_refusals_keep_their_sentence_and_the_process(service: DecodingService) -> None:
    for data, said in [(b"", "is empty"), (b"hello, world", "is not WAV"), (wav(tone(1, RATE), RATE, 9), "9 channels")]:
        with pytest.raises(InvalidAudio, match=said) as caught:
            await service.decode(blocks(data), owner="a", rules=DecodingRules(param="audio_sample"))
        assert caught.value.param == "audio_sample"
    assert len((await service.decode(blocks(recording("wav")), owner="a")).samples) == 2 * RATE
    assert len(service.idle) == 1
    assert service.idle[0].recordings == 4, "one process served them all"


async def test_an_hour_of_silence_in_a_small_file(service: DecodingService) -> None:
    data = silence("flac", 3600)
    assert len(data) < 3 << 20
    with pytest.raises(InvalidAudio, match="longer than 600 s"):
        await service.decode(blocks(data), owner="a")


@pytest.mark.parametrize(("number", "error"), [(signal.SIGSEGV, InvalidAudio), (signal.SIGKILL, Overloaded)])
async def test_a_death_is_one_recordings_trouble(
    service: DecodingService, metrics: Metrics, number: signal.Signals, error: type[Exception]
) -> None:
    async def then_it_dies() -> AsyncIterator[bytes]:
        data = recording("mp3")
        yield data[:3000]
        (dying,) = service.lent
        neighbour = asyncio.create_task(service.decode(blocks(data), owner="b"))
        await asyncio.sleep(0)
        os.kill(dying.pid, number)
        assert len((await neighbour).samples) > RATE
        yield data[3000:]

    with pytest.raises(error):
        await service.decode(then_it_dies(), owner="a")
    with pytest.raises(RateLimited, match="wait a moment"):
        await service.decode(blocks(recording("wav")), owner="a")
    assert metrics.registry.get_sample_value("voice_decoder_deaths_total") == 1
    assert len((await service.decode(blocks(recording("wav")), owner="c")).samples) == 2 * RATE


async def test_a_client_that_leaves_in_mid_answer_is_no_death(
    service: DecodingService, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_start, begin = asyncio.Event(), DecoderProcess.start

    async def start(limits: ProcessLimits) -> DecoderProcess:
        await may_start.wait()
        return await begin(limits)

    async def decode() -> None:
        async with service.live(owner="a", sample_rate=RATE) as decoder:
            begun.set()
            while True:
                await decoder.decode(bytes(1 << 20))

    begun = asyncio.Event()
    reading = asyncio.create_task(decode())
    await begun.wait()
    (process,) = service.lent
    assert not process.usable, "it owes an answer"
    monkeypatch.setattr(DecoderProcess, "start", start)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading  # though no other process can begin yet
    assert not process.usable
    assert metrics.registry.get_sample_value("voice_decoder_deaths_total") == 0
    may_start.set()
    await asyncio.to_thread(wait_until, lambda: bool(service.idle))
    assert [each.usable for each in service.idle] == [True]


async def test_an_idle_process_that_was_killed_is_noticed_by_nobody(service: DecodingService) -> None:
    os.kill(service.idle[0].pid, signal.SIGKILL)
    await asyncio.to_thread(wait_until, lambda: not service.idle[0].usable)
    assert len((await service.decode(blocks(recording("wav")), owner="a")).samples) == 2 * RATE


async def test_memory_time_and_descriptors_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_API_KEYS", "a key that nobody may see")
    process = await DecoderProcess.start(ProcessLimits(memory_bytes=64 << 20))
    try:
        await process.begin(RATE, DecodingRules())
        limits, environment = _proc(process.pid)
        rows = {line[:25].strip(): line[25:].split() for line in limits.splitlines()}
        assert int(rows["Max address space"][0]) < 2 << 30
        assert rows["Max open files"][0] == "16"
        assert rows["Max file size"][0] == rows["Max core file size"][0] == "0"
        assert 0 < int(rows["Max cpu time"][0]) < 30
        assert b"VIVAVOCE_" not in environment
        await process.decode(b"\0\0\0\x18ftypM4A " + bytes(1000))
        with pytest.raises(InvalidAudio, match="MemoryError"):
            await process.decode(bytes(100 << 20))
    finally:
        await process.aclose()


async def test_one_that_computes_for_ever_is_ended_by_the_kernel() -> None:
    process = await DecoderProcess.start(ProcessLimits(cpu_s=0.0, cpu_share=0.0))  # rounded up to a second
    data = silence("flac", 3600)

    async def send() -> None:
        async for piece in blocks(data * 20, 1 << 14):
            await process.decode(piece)

    try:
        await process.begin(8000, DecodingRules(max_s=1e6, max_pcm_bytes=1 << 40))
        with pytest.raises(InvalidAudio, match="the decoder fails on it"):
            await send()
        assert not process.usable
    finally:
        await process.aclose()


async def test_one_that_never_answers_is_ended() -> None:
    process = await DecoderProcess.start(ProcessLimits(answer_s=0.05))
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(InvalidAudio, match="too long"):
        await process.begin(RATE, DecodingRules())
    assert not process.usable
    await process.aclose()


async def test_a_stream_of_which_nothing_comes_gives_way(metrics: Metrics) -> None:
    """Four connections that had sent a byte each kept everybody else from being heard."""
    now_s = 0.0
    limits = DecodingLimits(streams=3, streams_per_owner=2)
    service = DecodingService(metrics, limits, now=lambda: now_s)
    sound = recording("ogg opus", 1.0)
    async with contextlib.AsyncExitStack() as held:
        held.push_async_callback(service.aclose)

        async def open_one(owner: str, *, may_rest: bool = True) -> LiveDecoder:
            return await held.enter_async_context(service.live(owner=owner, sample_rate=RATE, may_rest=may_rest))

        idle, busy = await open_one("a"), await open_one("a")
        await idle.decode(sound[:100])
        elsewhere = await open_one("b", may_rest=False)
        now_s = REST_S - 0.1
        for owner, refusal in (("a", RateLimited), ("c", Overloaded)):
            with pytest.raises(refusal):
                await open_one(owner)
        await busy.decode(sound[:500])
        now_s = REST_S + 0.1
        newcomer = await open_one("c")  # there is none left: whoever rests longest gives way
        assert len(await newcomer.decode(sound)) > 0
        with pytest.raises(Overloaded, match="begin a new stream"):
            await idle.decode(sound[100:])
        with pytest.raises(Overloaded):
            await open_one("a")
        assert len(await busy.decode(sound[500:])) > 0
        assert len(await elsewhere.decode(sound)) > 0
        now_s = 3 * REST_S
        await newcomer.decode(b"")
        await open_one("a")  # his own gives way, not the one from elsewhere
        with pytest.raises(Overloaded, match="begin a new stream"):
            await busy.flush()
        assert len(service.lent) == 3
    assert not service.lent


async def test_live_streams_have_places_of_their_own_and_a_share() -> None:
    async with running(DecodingLimits(streams=2, streams_per_owner=1)) as service:
        data = recording("webm live", 4.0)
        async with service.live(owner="a") as first, service.live(owner="b") as second:
            with pytest.raises(RateLimited):
                async with service.live(owner="a"):
                    pass
            with pytest.raises(Overloaded):
                async with service.live(owner="c"):
                    pass
            assert len(await first.decode(data[:9000])) > 0.5 * RATE
            assert len((await service.decode(blocks(recording("wav")), owner="a")).samples) == 2 * RATE
            await second.decode(data)
            await second.flush()
            assert second.duration_s == pytest.approx(4.0, abs=0.1)
        async with service.live(owner="c") as third:
            assert len(await third.decode(recording("wav"))) == 2 * RATE


async def test_a_microphone_has_no_end() -> None:
    """More than a recording may last, and more processor time than one may take, in pieces."""
    limits = DecodingLimits(process=ProcessLimits(cpu_s=0.0))
    data = silence("flac", 3600)
    async with running(limits) as service, service.live(owner="a", sample_rate=8000, rules=LIVE_STREAM) as decoder:
        async for piece in blocks(data, 1 << 14):
            await decoder.decode(piece)
        await decoder.flush()
        assert decoder.duration_s == pytest.approx(3600, abs=1)


async def test_a_cancelled_upload_leaves_nothing_behind(service: DecodingService) -> None:
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield recording("mp3")[:5000]
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(service.decode(endless(), owner="a"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len((await service.decode(blocks(recording("wav")), owner="a")).samples) == 2 * RATE
    assert not service.lent
