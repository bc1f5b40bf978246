"""Recognition models of another server, declared in the settings, through every door: listed, chosen, cut off."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from openai import AsyncOpenAI

from fake_engine import FakeEngine, wait_until
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from vivavoce.hosted.hearing import wav_file
from vivavoce.recognition.listener import SAMPLE_RATE

KEY = "a-key-of-sixteen-characters"


def sound(*levels: float, seconds: float = 1.0) -> bytes:
    """Speech of each level, a pause behind each."""
    pieces = [np.full(round((1.0 if i % 2 else seconds) * SAMPLE_RATE), level, np.float32)
              for i, level in enumerate(each for level in levels for each in (level, 0.0))]  # fmt: skip
    return wav_file(np.concatenate(pieces))


@pytest.fixture(scope="module")
def far() -> FakeRecognizer:
    return FakeRecognizer(translates=True)


@pytest.fixture(scope="module")
def other(far: FakeRecognizer) -> Iterator[LiveServer]:
    with live_server([FakeEngine(("x",))], recognizers=[far], activity=Loudness(), api_keys=(KEY,)) as other:
        yield other


@pytest.fixture(scope="module")
def server(other: LiveServer) -> Iterator[LiveServer]:
    with live_server([FakeEngine(("here",))], recognizers=[], activity=Loudness(), **settings(other)) as server:
        yield server


def settings(other: LiveServer, **changed: Any) -> dict[str, Any]:
    return {
        "hosted": True,
        "hosted_ears": (f"desk=openai {other.url}/v1 model=ear language=en+pt words=yes translate=yes",),
        "hosted_tokens": (f"127.0.0.1:{other.port}={KEY}",),
        **changed,
    }


def transcribe(server: LiveServer, path: str = "transcriptions", **fields: str) -> httpx.Response:
    files = {"file": ("x.wav", sound(0.2, 0.3), "audio/wav")}
    return httpx.post(f"{server.url}/v1/audio/{path}", data=fields, files=files, timeout=30)


def test_a_hosted_ear_is_listed(server: LiveServer) -> None:
    assert "desk" in [model["id"] for model in httpx.get(server.url + "/v1/models").json()["data"]]
    entry = httpx.get(server.url + "/v1/models/desk").json()
    assert entry["model_ability"] == ["audio2text"]
    assert entry["languages"] == ["en", "pt"]


def test_a_recording_is_heard_elsewhere_piece_by_piece(server: LiveServer) -> None:
    answer = transcribe(server, model="desk")
    assert answer.status_code == 200, answer.text
    assert sorted(set(answer.json()["text"].split())) == ["w20", "w30"]


@pytest.mark.parametrize("model", ["whisper-1", ""])
def test_it_hears_where_nobody_else_does(server: LiveServer, model: str) -> None:
    assert set(transcribe(server, model=model).json()["text"].split()) == {"w20", "w30"}


def test_words_have_their_times(server: LiveServer) -> None:
    granularities = {"timestamp_granularities[]": "word", "response_format": "verbose_json"}
    answer = transcribe(server, model="desk", **granularities).json()
    words = answer["words"]
    assert {word["word"].strip() for word in words} == {"w20", "w30"}
    assert all(word["start"] <= word["end"] for word in words)
    assert [word["start"] for word in words] == sorted(word["start"] for word in words)
    second = next(word for word in words if word["word"].strip() == "w30")
    assert second["start"] == pytest.approx(2.0, abs=0.5)
    assert answer["duration"] == pytest.approx(4.0, abs=0.1)


def test_a_translation_is_asked_for_there(server: LiveServer) -> None:
    answer = transcribe(server, "translations", model="desk")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["text"].split()) == {"W20", "W30"}, "the other server's English"


def test_a_language_that_was_not_declared_is_refused(server: LiveServer) -> None:
    answer = transcribe(server, model="desk", language="ja")
    assert answer.status_code == 400
    assert "ja" in answer.json()["error"]["message"]


def test_hugging_faces_clients_hear_with_it(server: LiveServer) -> None:
    answer = httpx.post(server.url + "/models/desk", content=sound(0.2), timeout=30)
    assert set(answer.json()["text"].split()) == {"w20"}


def test_nothing_is_heard_while_it_is_switched_off(other: LiveServer) -> None:
    with live_server([FakeEngine(("here",))], activity=Loudness(), **settings(other, hosted=False)) as server:
        answer = transcribe(server, model="desk")
        assert answer.status_code == 503
        assert "hosted = true" in answer.json()["error"]["message"]


def test_the_other_servers_refusal_is_told(other: LiveServer) -> None:
    with live_server([FakeEngine(("here",))], activity=Loudness(), **settings(other, hosted_tokens=())) as server:
        answer = transcribe(server, model="desk")
        assert answer.status_code == 502
        assert "the API key is missing" in answer.json()["error"]["message"]


def test_a_launch_of_it_has_nothing_to_load(server: LiveServer) -> None:
    launch = {"model_name": "desk", "model_uid": "my-ear", "model_type": "audio"}
    assert httpx.post(server.url + "/v1/models", json=launch).json() == {"model_uid": "my-ear"}
    assert set(transcribe(server, model="my-ear").json()["text"].split()) == {"w20", "w30"}
    assert httpx.delete(server.url + "/v1/models/my-ear").status_code == 200


def test_a_client_that_leaves_is_heard_no_more(server: LiveServer, other: LiveServer, far: FakeRecognizer) -> None:
    begun, held = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        begun.set()
        held.wait(20)

    far.before_step = hold
    files = {"file": ("x.wav", sound(0.2), "audio/wav")}
    try:
        with httpx.Client(timeout=httpx.Timeout(20, read=0.5)) as client, pytest.raises(httpx.ReadTimeout):
            client.post(server.url + "/v1/audio/transcriptions", data={"model": "desk"}, files=files)
        assert begun.wait(20)
        wait_until(lambda: not hearings(other) and not hearings(server))  # while the other's step still runs
    finally:
        far.before_step = None
        held.set()
    wait_until(lambda: not far.open_streams)


def hearings(server: LiveServer) -> int:
    return server.server.transcriber.active  # type: ignore[attr-defined,no-any-return]


async def test_live_captions_are_heard_elsewhere(server: LiveServer) -> None:
    client = AsyncOpenAI(
        api_key="any", base_url=server.url + "/v1", websocket_base_url=f"ws://127.0.0.1:{server.port}/v1"
    )
    async with client.realtime.connect(model="desk", extra_query={"intent": "transcription"}) as connection:
        session = {
            "type": "transcription",
            "audio": {"input": {"transcription": {"model": "desk"}, "turn_detection": {"type": "server_vad"}}},
        }
        await connection.session.update(session=session)  # type: ignore[arg-type]
        pcm = np.concatenate([np.full(24_000, 0.2), np.zeros(24_000)])
        data = np.rint(pcm * 32767).astype("<i2").tobytes()
        for at in range(0, len(data), 4800):
            await connection.input_audio_buffer.append(audio=base64.b64encode(data[at : at + 4800]).decode())
        transcript = None
        async with asyncio.timeout(20):
            async for event in connection:
                if event.type == "conversation.item.input_audio_transcription.completed":
                    transcript = event.transcript
                    break
    assert transcript is not None
    assert transcript.startswith("w2"), "0.2 loud, but for what the resampler rings"
