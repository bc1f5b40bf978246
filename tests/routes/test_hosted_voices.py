"""Voices of another server, declared in the settings, through every door: listed, chosen, spoken, cut off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import websockets

from decoders import decode_pcm
from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server

KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def gate() -> StepGate:
    return StepGate()


@pytest.fixture(scope="module")
def other(gate: StepGate) -> Iterator[LiveServer]:
    with live_server([FakeEngine(("alpha", "beta"), before_step=gate)], api_keys=(KEY,)) as other:
        yield other


@pytest.fixture(scope="module")
def server(other: LiveServer) -> Iterator[LiveServer]:
    with live_server([FakeEngine(("here",))], **settings(other)) as server:
        yield server


def settings(other: LiveServer, **changed: Any) -> dict[str, Any]:
    return {
        "hosted": True,
        "hosted_voices": (f"desk=openai {other.url}/v1 voice=beta language=en",),
        "hosted_tokens": (f"127.0.0.1:{other.port}={KEY}",),
        **changed,
    }


def test_a_hosted_voice_is_listed(server: LiveServer) -> None:
    voices = {voice["id"]: voice for voice in httpx.get(server.url + "/v1/audio/voices").json()["voices"]}
    assert voices["desk"]["engine"] == "hosted"
    assert voices["desk"]["available"]
    assert voices["here"]["default"]
    assert "desk" in [model["id"] for model in httpx.get(server.url + "/v1/models").json()["data"]]
    assert httpx.get(server.url + "/v1/models/desk").json()["model_ability"] == ["text2audio"]


@pytest.mark.parametrize("fields", [{"voice": "desk"}, {"model": "desk"}, {"voice": "alloy", "model": "desk"}])
def test_a_hosted_voice_speaks_over_http(server: LiveServer, gate: StepGate, fields: dict[str, str]) -> None:
    gate.allow(13)
    body = {"input": "Hello, there.", "response_format": "pcm", **fields}
    samples = decode_pcm(httpx.post(server.url + "/v1/audio/speech", json=body, timeout=20).content)
    assert len(samples) == 13 * 480
    assert np.median(samples) == pytest.approx(2 / 16, abs=0.001)


def test_the_default_voice_stays_at_home(server: LiveServer) -> None:
    body = {"input": "Hello.", "response_format": "pcm"}
    samples = decode_pcm(httpx.post(server.url + "/v1/audio/speech", json=body).content)
    assert np.median(samples) == pytest.approx(1 / 16, abs=0.001)


async def test_an_interruption_over_the_live_stream_stops_it_over_there(
    server: LiveServer, other: LiveServer, gate: StepGate
) -> None:
    before = other.metric("voice_requests_total", route="speech", outcome="client_gone", reason="")
    url = f"ws://127.0.0.1:{server.port}/v1/audio/speech/stream"
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps({"type": "session.config", "voice": "desk"}))
        await socket.send(json.dumps({"type": "input.text", "text": "A sentence that is much longer than that. "}))
        gate.allow(5)
        async with asyncio.timeout(20):
            while not isinstance(await socket.recv(), bytes):
                pass
        await socket.send(json.dumps({"type": "input.cancel"}))
        async with asyncio.timeout(20):
            while True:
                message = await socket.recv()
                if isinstance(message, str) and json.loads(message)["type"] == "session.done":
                    break
        assert json.loads(message)["status"] == "cancelled"
    gone = {"route": "speech", "outcome": "client_gone", "reason": ""}
    await asyncio.to_thread(wait_until, lambda: other.metric("voice_requests_total", **gone) == before + 1)
    gate.allow(1)


def test_a_voice_that_is_switched_off_says_so(other: LiveServer) -> None:
    with live_server([FakeEngine(("here",))], **settings(other, hosted=False)) as server:
        voices = {voice["id"]: voice for voice in httpx.get(server.url + "/v1/audio/voices").json()["voices"]}
        assert voices["desk"]["available"] is False
        response = httpx.post(server.url + "/v1/audio/speech", json={"input": "Hello.", "voice": "desk"})
        assert response.status_code == 503
        assert "hosted = true" in response.json()["error"]["message"]


def test_the_other_servers_refusal_is_told(other: LiveServer) -> None:
    with live_server([FakeEngine(("here",))], **settings(other, hosted_tokens=())) as server:
        response = httpx.post(server.url + "/v1/audio/speech", json={"input": "Hello.", "voice": "desk"})
        assert response.status_code == 502
        assert "the API key is missing" in response.json()["error"]["message"]
