"""What a cluster promises of listening, on three nodes of Ray: the words of one machine, or an error that is true."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

from loudness import Loudness
from ray_cluster import RayCluster, wait_until
from realtime_sdk import connect as connect_realtime
from realtime_sdk import sound_of, speak, until
from recordings import wav
from sleeping_recognizer import SleepingRecognizer
from vivavoce.adapters.ray_serve.ray_calls import EAR, RayEars
from vivavoce.adapters.ray_serve.remote_listener import RemoteListener
from vivavoce.app.listener import build_ears, build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.audio.chunk import Samples
from vivavoce.config import Config
from vivavoce.errors import EngineError
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import (
    SAMPLE_RATE,
    HeardSegment,
    HearingRequest,
    Listener,
    SpeechStarted,
    SpeechStopped,
)

pytestmark = pytest.mark.timeout(300)  # replicas take their time to start

TRANSCRIPTIONS = "/v1/audio/transcriptions"
KILLS = int(os.environ.get("KILLS", "5"))  # each costs the start of a process
NOTHING = {"stretches": 0, "jobs": 0, "places": 0}
REQUEST = HearingRequest(model="whisper-base")


def level(value: float, seconds: float) -> Samples:
    return np.full(round(seconds * SAMPLE_RATE), value, np.float32)


def talk(seed: int, segments: int = 6) -> Samples:
    """Segments of a second and a half, each of a level of its own."""
    levels = np.random.default_rng(seed).integers(10, 90, segments) / 100
    return np.concatenate([part for each in levels for part in (level(each, 1.5), level(0.0, 0.7))])


@asynccontextmanager
async def door_listener(cluster: RayCluster) -> AsyncIterator[RemoteListener]:
    """A Door's listener, in this process."""
    config = Config(admission_share=0.0, max_streams_per_key=1000, max_streams=1000)
    machine = build_machine(config, Metrics())
    ears = build_ears(machine, Metrics(), Loudness())
    listener = RemoteListener(RayEars(cluster.handle(EAR)), ears, machine, config)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.aclose()


async def words(listener: Listener, sound: Samples) -> list[HeardSegment]:
    async with listener.transcribe([sound], REQUEST) as segments:
        return [segment async for segment in segments]


async def expected(sounds: dict[int, Samples]) -> dict[int, list[HeardSegment]]:
    """What one machine makes of them, by seed."""
    config = Config(admission_share=0.0)
    machine = build_machine(config, Metrics())
    transcriber = build_transcriber(config, Metrics(), machine, [SleepingRecognizer(0.0)], Loudness())
    try:
        return {seed: await words(transcriber, sound) for seed, sound in sounds.items()}
    finally:
        await transcriber.aclose()
        machine.pool.close()


async def test_recordings_are_written_down_and_translated(cluster: RayCluster) -> None:
    cluster.deploy()
    sound = talk(1)
    told = " ".join(segment.heard.text for segment in (await expected({1: sound}))[1])
    files = {"file": ("a.wav", wav(sound, SAMPLE_RATE))}
    async with httpx.AsyncClient(base_url=cluster.url, timeout=60) as client:
        answer = await client.post(TRANSCRIPTIONS, files=files)
        assert answer.json()["text"] == told
        translated = await client.post("/v1/audio/translations", files=files, data={"model": "other"})
        assert translated.json()["text"] == told.upper()
        unknown = await client.post(TRANSCRIPTIONS, files=files, data={"model": "nobody"})
        assert unknown.status_code == 404


async def test_a_conversation_by_voice(cluster: RayCluster) -> None:
    """Heard by an Ear, thought about elsewhere, spoken by a Mouth, carried by the Door."""
    cluster.deploy()
    async with connect_realtime(cluster) as connection:
        await until(connection, "session.created")
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
        )
        await until(connection, "session.updated")
        await speak(connection, 0.2, 1.0)
        events = await until(connection, "response.done")
    (completed,) = [e for e in events if e.type == "conversation.item.input_audio_transcription.completed"]
    assert "w21" in completed.transcript.split()  # as loud as it is, once it was brought to 16 kHz
    assert events[-1].response.status == "completed"
    assert len(sound_of(events)) > 24_000


async def test_whoever_leaves_stops_the_ear_and_leaves_nothing(cluster: RayCluster) -> None:
    """Blocks that are left, sockets and uploads that are dropped: a small part of what hearing it out would take."""
    cluster.deploy()
    ears = cluster.handle(EAR)
    long = level(0.3, 20.0)
    took: dict[str, list[float]] = {"whole": [], "block": [], "socket": [], "upload": []}

    async def at_work() -> None:
        async with asyncio.timeout(30):
            while not await ears.hearing.remote():
                pass

    async def silent(kind: str) -> None:
        left = time.perf_counter()
        async with asyncio.timeout(30):
            while await ears.hearing.remote():
                pass
        took[kind].append(time.perf_counter() - left)

    async with door_listener(cluster) as listener:
        for _ in range(3):
            began = time.perf_counter()
            assert await words(listener, long)
            took["whole"].append(time.perf_counter() - began)
        for _ in range(40):
            async with listener.transcribe([long], REQUEST) as segments:
                reading = asyncio.create_task(_all(segments))
                await at_work()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            await silent("block")
        assert listener.ears.active == 0
    for _ in range(20):
        async with connect(f"ws://127.0.0.1:{cluster.port}{TRANSCRIPTIONS}/stream") as socket:
            await socket.recv()
            for _ in range(20):
                await socket.send((level(0.3, 1.0) * 32767).astype("<i2").tobytes())
            await socket.send(json.dumps({"type": "input.done"}))
            await at_work()
        await silent("socket")
    upload = wav(long, SAMPLE_RATE)
    async with httpx.AsyncClient(base_url=cluster.url, timeout=60) as client:
        for _ in range(20):
            asking = asyncio.create_task(client.post(TRANSCRIPTIONS, files={"file": ("a.wav", upload)}))
            await at_work()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await silent("upload")
    for kind, times in took.items():
        print(f"{kind}: p50 {1e3 * statistics.median(times):.0f} ms, max {1e3 * max(times):.0f} ms")
    whole = statistics.median(took["whole"])
    assert all(statistics.median(took[kind]) < whole / 2 for kind in ("block", "socket", "upload"))
    assert await ears.open_work.remote() == NOTHING
    assert "asked-elsewhere" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_who_speaks_is_heard_before_any_number_of_recordings(cluster: RayCluster) -> None:
    """An Ear is given more stretches of recordings than people it hears at once; nobody's words wait for theirs."""
    cluster.deploy()
    files, done = 45, 0
    async with door_listener(cluster) as listener:

        async def write_down(seed: int) -> None:
            nonlocal done
            async with listener.transcribe([talk(seed, 12)], REQUEST) as segments:
                async for _ in segments:
                    done += 1

        writing = [asyncio.create_task(write_down(seed)) for seed in range(files)]
        try:
            async with asyncio.timeout(60):
                while await cluster.handle(EAR).hearing.remote() < 2 * files:
                    pass
            async with listener.listen(REQUEST) as hearing:
                assert (await cluster.handle(EAR).open_work.remote())["places"] == files + 1
                hearing.write(np.concatenate([level(0.3, 1.0), level(0.0, 0.5)]))
                events = aiter(hearing)
                while not isinstance(await anext(events), SpeechStopped):
                    pass
                before = done
                heard = await anext(events)
                assert isinstance(heard, HeardSegment)
                assert {*heard.heard.text.split()} == {"w30"}
                assert done - before < 8, "it waited for recordings"
        finally:
            for each in writing:
                each.cancel()
            await asyncio.gather(*writing, return_exceptions=True)
    async with asyncio.timeout(30):
        while await cluster.handle(EAR).open_work.remote() != NOTHING:
            pass


async def test_an_ear_killed_in_mid_sentence_is_an_error_or_nothing(cluster: RayCluster) -> None:
    """Several times: each recording is heard as a whole, or fails; the killed one comes back."""
    cluster.deploy(ears=3)
    sounds = {seed: talk(seed) for seed in range(9)}
    whole = await expected(sounds)
    ends = {"whole": 0, "failed": 0}
    async with door_listener(cluster) as listener:

        async def one(seed: int) -> None:
            got: list[HeardSegment] = []
            try:
                async with listener.transcribe([sounds[seed]], REQUEST) as segments:
                    async for segment in segments:
                        got.append(segment)
            except EngineError:
                assert got == whole[seed][: len(got)]
                ends["failed"] += 1
                return
            assert got == whole[seed], "ended as if it were whole"
            ends["whole"] += 1

        for _ in range(KILLS):
            hearing = [asyncio.create_task(one(seed)) for seed in sounds]
            while not any(await cluster.handle(EAR).broadcast("hearing").results_async()):
                pass
            await asyncio.to_thread(cluster.kill, cluster.replicas(EAR)[0])
            await asyncio.gather(*hearing)
            assert await words(listener, sounds[0]) == whole[0]
            await asyncio.to_thread(wait_until, lambda: len(cluster.replicas(EAR)) >= 2)
        await asyncio.to_thread(wait_until, lambda: cluster.has(EAR, 3))
    print(f"of {sum(ends.values())} recordings {ends['failed']} failed, {ends['whole']} were whole")
    assert sum(ends.values()) == KILLS * len(sounds)


async def test_the_only_ear_killed_while_somebody_speaks(cluster: RayCluster) -> None:
    """What was being said fails, or is heard by the one that comes in its place; the next is heard."""
    cluster.deploy()
    async with door_listener(cluster) as listener:
        async with listener.listen(REQUEST) as hearing:
            hearing.write(level(0.3, 20.0))
            events = aiter(hearing)
            assert isinstance(await anext(events), SpeechStarted)
            hearing.end()
            rest = asyncio.create_task(_all(events))
            while not await cluster.handle(EAR).hearing.remote():
                pass
            await asyncio.to_thread(cluster.kill, cluster.replicas(EAR)[0])
            try:
                heard = [event.heard for event in await rest if isinstance(event, HeardSegment)]
            except EngineError:
                pass
            else:
                assert all(each.is_final for each in heard)
                assert sum(len(each.text.split()) for each in heard) >= 40, "ended as if it were whole"
        await asyncio.to_thread(wait_until, lambda: cluster.has(EAR, 1))
        assert await again(listener, talk(3))


async def again(listener: Listener, sound: Samples) -> list[HeardSegment]:
    """A client that tries until the Ear is there."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await words(listener, sound)
            except EngineError:
                await asyncio.sleep(0.1)


async def _all(events: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in events]
