"""The official OpenAI SDK, unmodified, against a server that really speaks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai import OpenAI

from decoders import decode_pcm, decode_with_ffmpeg
from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine
from vivavoce.errors import GenerationFailed

KEY = "correct-horse-battery"
TEXT = "Good morning. The train to Berlin leaves at nine."


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([open_engine(VoiceSettings()), FakeEngine(missing=("gone",))], api_keys=(KEY,)) as live:
        yield live


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("name", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_speech_streams_in_every_format(client: OpenAI, name: str) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts",
        voice="alloy",
        input=TEXT,
        response_format=name,  # type: ignore[arg-type]
    ) as response:
        parts = list(response.iter_bytes(1024))
    data = b"".join(parts)
    seconds = (
        len(decode_pcm(data)) / 24_000
        if name == "pcm"
        else len((audio := decode_with_ffmpeg(data)).samples) / audio.sample_rate
    )
    assert len(parts) > 2
    assert 2.0 < seconds < 8.0


def test_the_plain_call_and_the_file(client: OpenAI, tmp_path: object) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="nova", input=TEXT, instructions="Cheerful.", speed=1.5)
    assert len(decode_with_ffmpeg(answer.read()).samples) > 20_000


def test_events_carry_usage(client: OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input=TEXT, stream_format="sse", response_format="pcm"
    ) as response:
        events = [json.loads(line.removeprefix("data: ")) for line in response.iter_lines() if line]
    assert {e["type"] for e in events} == {"speech.audio.delta", "speech.audio.done"}
    usage = events[-1]["usage"]
    assert usage["input_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_models_and_voices_are_listed(client: OpenAI) -> None:
    models = [model.id for model in client.models.list()]
    assert {"heart", "alpha", "tts-1"} <= set(models)
    assert "gone" not in models
    assert client.models.retrieve("heart").owned_by == "vivavoce-embedded"


def test_a_bad_request_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        client.audio.speech.create(model="tts-1", voice="alloy", input="x" * 5000)
    assert error.value.code == "string_above_max_length"
    assert error.value.param == "input"
    with pytest.raises(openai.BadRequestError, match="English"):
        client.audio.speech.create(model="tts-1", voice="alloy", input="你好，世界")


def test_a_wrong_key_is_an_authentication_error(server: LiveServer) -> None:
    with (
        OpenAI(base_url=server.url + "/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as error,
    ):
        stranger.audio.speech.create(model="tts-1", voice="alloy", input="hi")
    assert error.value.code == "invalid_api_key"


def test_an_unknown_voice_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="known: alpha"):
        client.audio.speech.create(model="tts-1", voice="nobody", input="hi")


def test_a_voice_without_files_is_not_tried_again(server: LiveServer) -> None:
    with OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=2) as patient:
        before = server.metric("voice_rejected_inputs_total", code="voice_unavailable")
        with pytest.raises(openai.InternalServerError) as error:
            patient.audio.speech.create(model="tts-1", voice="gone", input="hi")
        assert error.value.status_code == 503
        assert server.metric("voice_rejected_inputs_total", code="voice_unavailable") == before + 1


def test_limits_are_told_apart() -> None:
    keys = (KEY, KEY + "-two")
    gate = StepGate()
    with live_server(
        [FakeEngine(before_step=gate)], api_keys=keys, max_streams=1, max_streams_per_key=1, queue_wait_s=0.05
    ) as live:
        first, second = (OpenAI(base_url=live.url + "/v1", api_key=key, max_retries=0) for key in keys)
        with first, second:
            speaking = threading.Thread(
                target=lambda: first.audio.speech.create(model="tts-1", voice="alloy", input="hello there").read()
            )
            speaking.start()
            wait_until(lambda: live.server.synthesizer.speaking == 1)
            with pytest.raises(openai.RateLimitError) as own:
                first.audio.speech.create(model="tts-1", voice="alloy", input="hi")
            with pytest.raises(openai.InternalServerError) as full:
                second.audio.speech.create(model="tts-1", voice="alloy", input="hi")
            gate.open()
            speaking.join(30)
    assert own.value.code == "rate_limit_exceeded"
    assert full.value.status_code == 503
    assert full.value.code == "server_overloaded"


def test_a_stream_that_fails_is_not_taken_for_a_whole_one() -> None:
    engine = FakeEngine()

    def before(_: object) -> None:
        if engine.steps >= 3:
            raise GenerationFailed("collapsed")

    engine.before_step = before
    with (
        live_server([engine]) as live,
        OpenAI(base_url=live.url + "/v1", api_key="any", max_retries=0) as client,
        pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError), match=r"peer closed|Connection"),
    ):
        client.audio.speech.create(model="tts-1", voice="alpha", input=TEXT, response_format="pcm").read()
