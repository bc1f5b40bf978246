"""An Ear with the weights of whisper, a Mouth with the embedded voice: what is said through a Door is understood there.

The words are those of a transcriber without a cluster.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect

from ray_cluster import RayCluster
from realtime_sdk import connect as connect_realtime
from realtime_sdk import hear, until
from recordings import encoded, wav
from vivavoce.adapters.ray_serve.parts import Parts
from vivavoce.app.listener import build_transcriber
from vivavoce.app.machine import build_machine
from vivavoce.audio.chunk import Samples
from vivavoce.audio.resample import Resampler
from vivavoce.config import Config
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.metrics import Metrics
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment, HearingRequest

pytestmark = pytest.mark.timeout(300)  # replicas take their time to start

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TEXT = "The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore, every single morning."
RATE = 24_000


@pytest.fixture(scope="module")
def real(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> RayCluster:
    """The parts that a user gets, and nothing but what comes with the packages."""
    cluster.deploy(parts=Parts(), admission_share=0.85, data_dir=tmp_path_factory.mktemp("data"))
    return cluster


@pytest.fixture(scope="module")
def speech(real: RayCluster) -> Samples:
    """float32 [n], 24 kHz: the text, by a Mouth."""
    body = {"input": TEXT, "response_format": "pcm"}
    answer = httpx.post(f"{real.url}/v1/audio/speech", json=body, timeout=60)
    assert answer.status_code == 200
    return np.frombuffer(answer.content, "<i2").astype(np.float32) / np.float32(32768)


@pytest.fixture(scope="module")
def alone(speech: Samples, tmp_path_factory: pytest.TempPathFactory) -> list[HeardSegment]:
    """What this process makes of it."""

    async def heard() -> list[HeardSegment]:
        config = Config(data_dir=tmp_path_factory.mktemp("alone"))
        machine = build_machine(config, Metrics())
        transcriber = build_transcriber(config, Metrics(), machine)
        request = HearingRequest(options=HearingOptions(word_times=True))
        try:
            async with transcriber.transcribe([at_rate(speech, SAMPLE_RATE)], request) as segments:
                return [segment async for segment in segments]
        finally:
            await transcriber.aclose()
            machine.pool.close()

    found = asyncio.run(heard())
    assert words_of(" ".join(segment.heard.text for segment in found))[:4] == ["the", "quick", "brown", "fox"]
    return found


def at_rate(samples: Samples, rate: int) -> Samples:
    resampler = Resampler(RATE, rate)
    return np.concatenate([resampler.process(samples), resampler.flush()])


def words_of(text: str) -> list[str]:
    return [word.strip(".,").lower() for word in text.split()]


def test_a_recording_is_understood_as_without_a_cluster(real: RayCluster, speech: Samples, alone: Any) -> None:
    text = " ".join(segment.heard.text for segment in alone)
    files = {"file": ("a.wav", wav(at_rate(speech, SAMPLE_RATE), SAMPLE_RATE))}

    def ask(**fields: Any) -> httpx.Response:
        answer = httpx.post(f"{real.url}{TRANSCRIPTIONS}", files=files, data=fields, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer

    assert ask(model="whisper-1").json()["text"] == text
    verbose = ask(response_format="verbose_json", **{"timestamp_granularities[]": "word"}).json()
    assert [word["word"] for word in verbose["words"]] == [
        word.text.strip() for segment in alone for word in segment.heard.words
    ]
    times = [segment.start_s + word.start_s for segment in alone for word in segment.heard.words]
    assert [word["start"] for word in verbose["words"]] == pytest.approx(times, abs=0.05)
    lines = [line for line in ask(stream="true").text.splitlines() if line.startswith("data: {")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert "".join(each["delta"] for each in events if each["type"] == "transcript.text.delta") == text
    assert events[-1]["type"] == "transcript.text.done"
    assert events[-1]["text"] == text
    other = ask(model="whisper-tiny.en").json()["text"]  # loaded beside the first
    assert words_of(other)[:4] == words_of(text)[:4]


@pytest.mark.parametrize("carried", ["samples", "a browser's recorder"])
async def test_live_sound_is_understood(real: RayCluster, speech: Samples, alone: Any, carried: str) -> None:
    if carried == "samples":
        config: dict[str, Any] = {"sample_rate": RATE}
        data = (speech * 32767).astype("<i2").tobytes()
    else:
        config = {"encoding": "container"}
        data = encoded("webm live", at_rate(speech, 48_000))
    async with connect(f"ws://127.0.0.1:{real.port}{TRANSCRIPTIONS}/stream") as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "session.config", "language": "en", **config}))
        for at in range(0, len(data), 4800):
            await socket.send(data[at : at + 4800])
        await socket.send(json.dumps({"type": "input.done"}))
        messages: list[dict[str, Any]] = []
        while not messages or messages[-1]["type"] != "session.done":
            messages.append(json.loads(await asyncio.wait_for(socket.recv(), 60)))
    assert messages[-1]["status"] == "completed", messages
    finals = [each["text"] for each in messages if each["type"] == "transcript.final"]
    assert words_of(" ".join(finals)) == words_of(" ".join(segment.heard.text for segment in alone))


async def test_a_realtime_session_is_transcribed(real: RayCluster, speech: Samples, alone: Any) -> None:
    async with connect_realtime(real, model="", extra_query={"intent": "transcription"}) as connection:
        await until(connection, "session.created")
        heard_by = {"transcription": {"model": "whisper-1", "language": "en"}, "turn_detection": {"type": "server_vad"}}
        await connection.session.update(session={"type": "transcription", "audio": {"input": heard_by}})
        await until(connection, "session.updated")
        await hear(connection, np.concatenate([speech, np.zeros(RATE, np.float32)]))
        events = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert words_of(events[-1].transcript)[:9] == words_of(alone[0].heard.text)[:9]
