"""The same wish gets the same answer at every door: HTTP, WebSocket, call, command line, FastRTC."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from call_client import call
from fake_engine import FakeEngine, FakeStream
from live_server import LiveServer, live_server
from stream_client import stream_client
from vivavoce.engines.speech import Voice, VoiceInfo
from vivavoce.engines.speech_options import SpeechOptions
from vivavoce.text.normalize import SpokenText

LEVELS = {"alpha": 1 / 16, "beta": 2 / 16, "gamma": 3 / 16}  # what each fake voice sounds like


class HearingEngine(FakeEngine):
    """Remembers how it was to say it."""

    def __init__(self) -> None:
        super().__init__(("alpha", "beta"))
        self.wishes: list[SpeechOptions] = []

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> FakeStream:
        self.wishes.append(options)
        return super().open(sentence, voice, options)


class OtherEngine(FakeEngine):
    """Speaks gamma, and counts how often it is asked for its voices."""

    name = "other"

    def __init__(self) -> None:
        super().__init__(("gamma",))
        self.levels["gamma"] = LEVELS["gamma"]
        self.listings = 0

    def voices(self) -> list[VoiceInfo]:
        self.listings += 1
        return super().voices()


@pytest.fixture(scope="module")
def engine() -> HearingEngine:
    return HearingEngine()


@pytest.fixture(scope="module")
def other() -> OtherEngine:
    return OtherEngine()


@pytest.fixture(scope="module")
def server(engine: HearingEngine, other: OtherEngine) -> Iterator[LiveServer]:
    with live_server([engine, other], voice_map=("echo=beta",)) as running:
        yield running


async def over_http(server: LiveServer, **wish: Any) -> str:
    """Who spoke, or the error's `param`."""
    async with httpx.AsyncClient() as client:
        body = {"input": "Hello.", "response_format": "pcm", **wish}
        answer = await client.post(server.url + "/v1/audio/speech", json=body)
    return answer.json()["error"]["param"] if answer.status_code != 200 else _who(answer.content)


async def over_websocket(server: LiveServer, **wish: Any) -> str:
    async with stream_client(server.port) as client:
        await client.send("session.config", pace="burst", **wish)
        await client.say("Hello.")
        spoken = await client.until("session.done")
    errors = [message["error"]["param"] for message in spoken.messages if message["type"] == "error"]
    return errors[0] if errors else _who(spoken.audio)


def _who(pcm: bytes) -> str:
    peak = int.from_bytes(pcm[100:102], "little") / 32768
    return min(LEVELS, key=lambda name: abs(LEVELS[name] - peak))


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({}, "alpha"),
        ({"voice": "alloy", "model": "beta"}, "beta"),
        ({"voice": "Beta"}, "beta"),
        ({"voice": "echo"}, "beta"),
        ({"voice": "alloy", "model": "other"}, "gamma"),
        ({"model": "gpt-4o-mini-tts-2025-12-15"}, "alpha"),
        ({"voice": None, "model": None, "speed": None, "language": None, "seed": None}, "alpha"),
        ({"voice": "nobody"}, "voice"),
        ({"model": "gpt-9"}, "model"),
        ({"language": "English"}, "alpha"),
        ({"language": "en-US"}, "alpha"),
        ({"language": "Auto"}, "alpha"),
        ({"language": "xx"}, "language"),
        ({"response_format": " PCM "}, "alpha"),
        ({"response_format": "midi"}, "response_format"),
        ({"response_format": "audio/pcm"}, "alpha"),
        ({"response_format": ".pcm"}, "alpha"),
        ({"response_format": "audio/pcm; rate=24000; channels=1"}, "alpha"),
        ({"response_format": "pcm_24000"}, "alpha"),
        ({"response_format": "pcm_96000"}, "response_format"),
        ({"response_format": "ulaw_96000"}, "response_format"),
        ({"speed": "1.5"}, "alpha"),
        ({"speed": "fast"}, "speed"),
        ({"seed": "42", "top_k": "5"}, "alpha"),
        ({"model": "openai/tts-1"}, "alpha"),
        ({"model": "openai/gpt-9"}, "model"),
        ({"timestamps": "None"}, "alpha"),
        ({"speed": 4}, "alpha"),
        ({"speed": 4.5}, "speed"),
        ({"seed": 2**60}, "alpha"),
        ({"seed": 2**63}, "seed"),
        ({"temperature": 3}, "alpha"),
        ({"temperature": 5.5}, "temperature"),
        ({"top_k": 1025}, "alpha"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1}, "alpha"),
        ({"repetition_penalty": 4}, "alpha"),
        ({"repetition_penalty": 0.3}, "alpha"),
        ({"repetition_penalty": 0}, "repetition_penalty"),
        ({"sample_rate": 7999}, "sample_rate"),
        ({"instructions": "x" * 4097}, "instructions"),
    ],
)
async def test_http_and_the_stream_answer_alike(server: LiveServer, wish: dict[str, Any], answer: str) -> None:
    assert await over_http(server, **wish) == answer
    assert await over_websocket(server, **wish) == answer


@pytest.mark.parametrize(("wish", "param"), [({"top_p": 0}, "top_p"), ({"language": "xx"}, "language")])
async def test_a_call_answers_as_the_stream_does(server: LiveServer, wish: dict[str, Any], param: str) -> None:
    async with call(server.url) as client:
        client.send("session.config", **wish)
        assert (await client.until("error"))["error"]["param"] == param


async def test_what_reaches_the_engine_is_the_same(server: LiveServer, engine: HearingEngine) -> None:
    wish = {"language": "English", "speed": 1.25, "seed": 2**60, "temperature": 3, "top_k": 1025, "top_p": 0.5}
    expected = SpeechOptions(language="en", speed=1.25, seed=2**60, temperature=3, top_k=1025, top_p=0.5)
    for door in (over_http, over_websocket):
        engine.wishes.clear()
        await door(server, voice="alpha", **wish)
        assert engine.wishes == [expected]


async def test_the_voices_are_listed_once_for_a_request(server: LiveServer, other: OtherEngine) -> None:
    other.listings = 0
    await over_http(server, voice="alloy", model="tts-1")
    assert other.listings == 1
    async with stream_client(server.port) as client:
        other.listings = 0
        await client.send("session.config", pace="burst", voice="alloy")
        await client.say("Hello.")
        await client.until("session.done")
    assert other.listings == 1


async def test_the_limit_of_a_text_is_the_settings() -> None:
    with live_server([FakeEngine()], max_text=10_000) as server:
        async with httpx.AsyncClient(timeout=60) as client:
            url = server.url + "/v1/audio/speech"
            spoken, refused = await asyncio.gather(
                client.post(url, json={"input": "\U0001f600" * 9_990 + "Hello.", "response_format": "pcm"}),
                client.post(url, json={"input": "a" * 10_001}),
            )
    assert spoken.status_code == 200
    error = refused.json()["error"]
    assert (error["code"], error["message"]) == (
        "string_above_max_length",
        "the input has 10001 characters; the limit is 10000",
    )


async def test_bodies_of_windows_and_of_other_charsets(server: LiveServer) -> None:
    async with httpx.AsyncClient() as client:

        async def post(body: bytes) -> httpx.Response:
            headers = {"Content-Type": "application/json"}
            return await client.post(server.url + "/v1/audio/speech", content=body, headers=headers)

        assert (await post(b'\xef\xbb\xbf{"input": "Hello."}')).status_code == 200
        for foreign in ('{"input": "Olé."}'.encode("latin-1"), '{"input": "Hello."}'.encode("utf-16")):
            error = (await post(foreign)).json()["error"]
            assert error["code"] == "invalid_json"
            assert "UTF-8" in error["message"]
