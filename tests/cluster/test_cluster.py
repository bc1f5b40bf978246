"""What a cluster promises, on three nodes of Ray: it grows, mixes nothing up, fails honestly and leaves nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from live_server import live_server
from ray_cluster import STEP_S, RayCluster, wait_until
from sleeping_engine import SleepingEngine
from stream_client import stream_client
from vivavoce.adapters.ray_serve.ray_calls import MOUTH, RayMouths
from vivavoce.adapters.ray_serve.remote_speaker import RemoteSpeaker
from vivavoce.app.generator import build_synthesizer
from vivavoce.config import Config
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EngineError, VivaVoceError
from vivavoce.metrics import Metrics
from vivavoce.synthesis.speaker import Speaker, SpeechRequest

pytestmark = pytest.mark.timeout(170)  # replicas take their time to start

Samples = NDArray[np.float32]
TEXT = "Hello there. I am well."  # 2 sentences, 23 steps


@asynccontextmanager
async def door_speaker(cluster: RayCluster) -> AsyncIterator[RemoteSpeaker]:
    """A Door's speaker, in this process."""
    config = Config(max_streams_per_key=10_000)
    speaker = RemoteSpeaker(RayMouths(cluster.handle(MOUTH)), config, Metrics())
    await speaker.start()
    try:
        yield speaker
    finally:
        await speaker.aclose()


async def heard(speaker: Speaker, text: str, seed: int, **wishes: Any) -> Samples:
    request = SpeechRequest(text=text, options=SpeechOptions(seed=seed), **wishes)
    async with speaker.stream(request) as spoken:
        return np.concatenate([chunk.audio.samples async for chunk in spoken])


async def expected(texts: dict[int, str]) -> dict[int, Samples]:
    """What one machine makes of them, by seed."""
    synthesizer = build_synthesizer(Config(admission_share=0.0), Metrics(), [SleepingEngine(0.0)])
    try:
        return {seed: await heard(synthesizer, text, seed) for seed, text in texts.items()}
    finally:
        await synthesizer.aclose()


async def test_first_audio_through_the_door_is_hardly_later(cluster: RayCluster) -> None:
    """p50 over HTTP, by turns with a server on the same machine: at most 15 ms."""
    cluster.deploy(1)
    body = {"input": "Hello.", "response_format": "pcm"}
    waits: dict[str, list[float]] = {"door": [], "alone": []}
    with live_server([SleepingEngine(STEP_S)]) as alone:
        urls = {"door": cluster.url, "alone": alone.url}
        async with httpx.AsyncClient(timeout=30) as client:
            for turn in range(44):
                for name, url in urls.items():
                    asked = time.perf_counter()
                    async with client.stream("POST", f"{url}/v1/audio/speech", json=body) as response:
                        assert response.status_code == 200
                        parts = response.aiter_raw()
                        await anext(parts)
                        if turn >= 4:
                            waits[name].append(time.perf_counter() - asked)
                        async for _ in parts:
                            pass
    door, direct = statistics.median(waits["door"]), statistics.median(waits["alone"])
    print(f"first audio p50: {1e3 * door:.1f} ms through the Door, {1e3 * direct:.1f} ms alone")
    assert door - direct <= 0.015


async def test_the_native_stream_is_carried_to_the_mouths_and_back(cluster: RayCluster) -> None:
    cluster.deploy(1)
    whole = (await expected({5: TEXT}))[5]
    async with stream_client(cluster.port) as client:
        await client.send("session.config", pace="burst", seed=5)
        await client.say(TEXT, piece=3)
        spoken = await client.until("session.done")
    assert spoken.done["status"] == "completed"
    assert np.max(np.abs(spoken.samples - whole)) < 1e-3


async def test_cancels_stop_the_mouth_and_leave_nothing(cluster: RayCluster) -> None:
    """200 of them, by disconnects and by leaving the block: each within 200 ms (p99) of the client's going."""
    cluster.deploy(1)
    mouths = cluster.handle(MOUTH)
    text = "This is a sentence of some length, and it goes on for quite a while, as you can hear."
    took = []
    async with door_speaker(cluster) as speaker:
        for number in range(100):
            async with speaker.stream(SpeechRequest(text=text, owner=str(number))) as spoken:
                await anext(spoken)
            left = time.perf_counter()
            while await mouths.speaking.remote():
                assert time.perf_counter() - left < 5
            took.append(time.perf_counter() - left)
        assert speaker.speaking == 0
    async with httpx.AsyncClient(timeout=30) as client:
        for _ in range(100):
            body = {"input": text, "response_format": "pcm"}
            async with client.stream("POST", f"{cluster.url}/v1/audio/speech", json=body) as response:
                await anext(response.aiter_raw())
            left = time.perf_counter()
            while await mouths.speaking.remote():
                assert time.perf_counter() - left < 5
            took.append(time.perf_counter() - left)
    print(f"cancel to the Mouth's silence: p50 {1e3 * statistics.median(took):.0f} ms, max {1e3 * max(took):.0f} ms")
    assert sorted(took)[int(len(took) * 0.95)] < 0.2
    assert await mouths.speaking.remote() == 0
    assert await mouths.open_work.remote() == {"jobs": 0, "utterances": 0, "places": 0}
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert "remote-utterance" not in names


async def test_throughput_grows_with_the_mouths_and_no_stream_is_mixed_up(cluster: RayCluster) -> None:
    """From 1 to 8 at least 0.9 times linearly; 1000 streams, each with a text, a seed and samples of its own."""
    texts = {seed: f"No {seed}." for seed in range(1000)}
    whole = await expected(texts)
    seeds = {1: range(40), 8: range(40, 1000)}
    rates: dict[int, float] = {}
    for mouths in seeds:
        cluster.deploy(mouths)
        room = asyncio.Semaphore(6 * mouths)
        async with door_speaker(cluster) as speaker:

            async def one(seed: int, room: asyncio.Semaphore, speaker: Speaker) -> None:
                async with room:
                    assert np.array_equal(await heard(speaker, texts[seed], seed), whole[seed]), f"stream {seed}"

            await asyncio.gather(*(one(seed, room, speaker) for seed in range(2 * mouths)))
            began = time.perf_counter()
            await asyncio.gather(*(one(seed, room, speaker) for seed in seeds[mouths]))
            rates[mouths] = sum(len(whole[seed]) for seed in seeds[mouths]) / (time.perf_counter() - began)
    print(f"throughput: {rates[8] / rates[1]:.2f} times with 8 Mouths")
    assert rates[8] >= 0.9 * 8 * rates[1]


async def test_a_mouth_killed_in_mid_stream_is_an_error_or_nothing(cluster: RayCluster) -> None:
    """20 times: each utterance is whole, sample by sample, or fails; the next one speaks within 5 s."""
    cluster.deploy(3)
    texts = {seed: f"Utterance {seed} is here. And it goes on for a while." for seed in range(6)}
    whole = await expected(texts)
    hello = (await expected({99: "Hello."}))[99]
    ends: dict[str, int] = {"whole": 0, "failed": 0}
    async with door_speaker(cluster) as speaker:

        async def one(seed: int, begun: asyncio.Event) -> None:
            parts: list[Samples] = []
            request = SpeechRequest(text=texts[seed], options=SpeechOptions(seed=seed))
            try:
                async with speaker.stream(request) as spoken:
                    async for chunk in spoken:
                        parts.append(chunk.audio.samples)
                        begun.set()
            except EngineError:
                got = np.concatenate(parts) if parts else np.zeros(0, np.float32)
                assert np.array_equal(got, whole[seed][: len(got)])
                ends["failed"] += 1
                return
            assert np.array_equal(np.concatenate(parts), whole[seed])
            ends["whole"] += 1

        for _ in range(20):
            begun = asyncio.Event()
            speaking = [asyncio.create_task(one(seed, begun)) for seed in texts]
            await begun.wait()
            await asyncio.to_thread(cluster.kill, cluster.replicas(MOUTH)[0])
            asked = time.perf_counter()
            assert np.array_equal(await again(speaker, "Hello.", 99), hello)
            assert time.perf_counter() - asked < 5
            await asyncio.gather(*speaking)
            await asyncio.to_thread(wait_until, lambda: len(cluster.replicas(MOUTH)) >= 2)
        await asyncio.to_thread(wait_until, lambda: len(cluster.replicas(MOUTH)) == 3)  # the killed came back
    print(f"of {sum(ends.values())} utterances {ends['failed']} failed, {ends['whole']} were whole")
    assert ends["failed"] + ends["whole"] == 20 * len(texts)
    assert ends["failed"]


async def again(speaker: Speaker, text: str, seed: int) -> Samples:
    """A client that tries once more."""
    for last in (False, False, True):
        try:
            return await heard(speaker, text, seed)
        except VivaVoceError:
            if last:
                raise
    raise AssertionError


async def test_a_killed_door_closes_its_sockets_and_others_go_on(cluster: RayCluster) -> None:
    cluster.deploy(1, doors=2)
    clients, text = 12, "This is a sentence of some length. And another one comes after it."
    whole = (await expected({3: text}))[3]

    async def one(begun: asyncio.Event) -> bool:
        """Whether it was whole; what is not ends in an error of the connection."""
        try:
            async with httpx.AsyncClient(timeout=30) as client:
                body = {"input": text, "response_format": "pcm", "seed": 3}
                async with client.stream("POST", f"{cluster.url}/v1/audio/speech", json=body) as response:
                    if response.status_code != 200:
                        return False
                    data = b""
                    async for part in response.aiter_raw():
                        data += part
                        begun.set()
        except httpx.HTTPError:
            return False
        assert len(data) == 2 * len(whole), "ended as if it were whole"
        return True

    assert all(await asyncio.gather(*(one(asyncio.Event()) for _ in range(clients))))  # both Doors are known by now
    begun = [asyncio.Event() for _ in range(clients)]
    speaking = [asyncio.create_task(one(each)) for each in begun]
    await asyncio.gather(*(each.wait() for each in begun))
    await asyncio.to_thread(cluster.kill, cluster.replicas("Door")[0])
    ends = await asyncio.gather(*speaking)
    print(f"of {clients} streams {ends.count(True)} went on")
    assert True in ends
    assert False in ends
    assert await one(asyncio.Event())


async def test_scaling_up_and_down_under_load_leaves_no_gap(cluster: RayCluster) -> None:
    cluster.deploy(1)
    text = "One sentence comes here. Another one follows it. And then there is a third."
    whole = (await expected({9: text}))[9]
    stopped = asyncio.Event()
    slack: list[float] = []

    async def listener(speaker: Speaker) -> int:
        """Plays in real time: how many utterances it heard, and how much sound it had left at each chunk."""
        count = 0
        while not stopped.is_set():
            parts: list[Samples] = []
            request = SpeechRequest(text=text, options=SpeechOptions(seed=9), paced=True, ahead_s=1.5)
            began, sound_s = 0.0, 0.0
            async with speaker.stream(request) as spoken:
                async for chunk in spoken:
                    if not parts:
                        began = time.perf_counter()
                    else:
                        slack.append(began + sound_s - time.perf_counter())
                    sound_s += chunk.audio.duration_s
                    parts.append(chunk.audio.samples)
            assert np.array_equal(np.concatenate(parts), whole)
            count += 1
        return count

    async with door_speaker(cluster) as speaker:
        listeners = [asyncio.create_task(listener(speaker)) for _ in range(3)]
        await asyncio.to_thread(cluster.deploy, 3)
        await asyncio.sleep(2)
        await asyncio.to_thread(cluster.deploy, 1)
        await asyncio.sleep(1)
        stopped.set()
        counts = await asyncio.gather(*listeners)
    print(f"{sum(counts)} utterances while it grew and shrank; least sound left {1e3 * min(slack):.0f} ms")
    assert min(counts) >= 1
    assert min(slack) > 0
