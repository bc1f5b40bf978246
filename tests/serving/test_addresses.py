"""Addresses as clients write them: the route that is meant answers, with its own limits and its own wish for a key."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from openai import AzureOpenAI
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fake_engine import FakeEngine
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recordings import wav
from vivavoce.serving.addresses import named_deployment, ways

KEY = "a-key-of-enough-characters"
BODY = {"input": "Hello.", "voice": "alloy", "response_format": "pcm"}


@pytest.fixture(scope="module")
def locked() -> Iterator[LiveServer]:
    ears = FakeRecognizer(("whisper-base",))
    with live_server(
        [FakeEngine(("alpha", "beta"))], recognizers=[ears], activity=Loudness(), api_keys=(KEY,), max_text=500
    ) as running:
        yield running


@pytest.mark.parametrize(
    "path",
    [
        "/v1/audio/speech",
        "//v1//audio/speech/",
        "/audio/speech",
        "/v1/v1/audio/speech",
        "/openai/v1/audio/speech",
        "/openai/audio/speech",
        "/api/v1/audio/speech",
        "/api/audio/speech/",
        "/api/openai/v1/audio/speech",
        "/openai/deployments/my tts/audio/speech",
    ],
)
def test_one_of_the_ways_is_the_route(path: str) -> None:
    assert "/v1/audio/speech" in list(ways(path))


@pytest.mark.parametrize("path", ["/v2/audio/speech", "/apis/v1/audio/speech", "/openai/deployments/x/chat/completions",
                                  "/x/api/v1/audio/speech", "/openai/deployments//audio/speech"])  # fmt: skip
def test_nothing_else_is(path: str) -> None:
    assert "/v1/audio/speech" not in list(ways(path))


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/openai/deployments/alpha/audio/speech", b"api-version=2024-05-01-preview", "alpha"),
        ("/openai/realtime", b"api-version=1&deployment=mine", "mine"),
        ("/openai/v1/realtime", b"model=x", None),
        ("/v1/realtime", b"deployment=mine", None),
        ("/v1/audio/speech", b"", None),
        (f"/openai/deployments/{'x' * 129}/audio/speech", b"", None),
    ],
)
def test_the_model_that_an_address_names(path: str, query: bytes, name: str | None) -> None:
    assert named_deployment(path, query) == name


def spoken(server: LiveServer, path: str, **fields: str) -> httpx.Response:
    return httpx.post(server.url + path, json={**BODY, **fields}, headers={"api-key": KEY}, timeout=20)


PATHS = ["/openai/v1/audio/speech", "/api/v1/audio/speech", "/openai/deployments/tts-1/audio/speech?api-version=x"]


@pytest.mark.parametrize("path", PATHS)
def test_it_speaks_there_with_the_limits_and_the_key_of_the_route(locked: LiveServer, path: str) -> None:
    assert spoken(locked, path).content == spoken(locked, "/v1/audio/speech").content != b""
    assert spoken(locked, path, input="word " * 200).json()["error"]["code"] == "string_above_max_length"
    assert httpx.post(locked.url + path, json=BODY).status_code == 401
    assert httpx.get(locked.url + path.partition("?")[0], headers={"api-key": KEY}).status_code == 405


def test_a_deployment_is_the_model_unless_the_body_names_one(locked: LiveServer) -> None:
    def named(path: str, **fields: str) -> httpx.Response:
        body = {"input": "Hello.", "response_format": "pcm", **fields}
        return httpx.post(locked.url + path, json=body, headers={"api-key": KEY}, timeout=20)

    path = "/openai/deployments/{}/audio/speech?api-version=2024-05-01-preview"
    assert named(path.format("beta")).content == named("/v1/audio/speech", model="beta").content
    assert named(path.format("beta"), model="alpha").content == named("/v1/audio/speech", model="alpha").content
    refused = named(path.format("nobody"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")


def test_a_stream_of_messages_opens_under_a_base_address(locked: LiveServer) -> None:
    address = f"ws://127.0.0.1:{locked.port}/api/v1/audio/speech/stream"
    with connect(address, additional_headers={"x-api-key": KEY}) as opened:
        opened.send('{"type": "session.config"}')
    with pytest.raises(InvalidStatus) as refused, connect(address):
        pass
    assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as refused, connect(address + f"?api_key={KEY}"):
        pass
    assert refused.value.response.status_code == 401
    assert b"Authorization: Bearer" in (refused.value.response.body or b"")


@pytest.mark.parametrize("name", ["api_key", "key", "token", "access_token", "API-Key"])
def test_a_key_in_the_address_is_not_read_and_told_where_it_goes(locked: LiveServer, name: str) -> None:
    answer = httpx.get(f"{locked.url}/v1/models?{name}={KEY}")
    assert answer.status_code == 401
    assert "a key in the address is not read" in answer.json()["error"]["message"]
    assert "Authorization: Bearer" in answer.json()["error"]["message"]
    assert KEY not in answer.text
    plain = httpx.get(f"{locked.url}/v1/models?{name}x={KEY}")
    assert "in the address" not in plain.json()["error"]["message"]
    assert httpx.get(f"{locked.url}/v1/models?{name}={KEY}", headers={"x-api-key": KEY}).status_code == 200


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (
            "/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-4o-realtime-preview",
            "gpt-4o-realtime-preview",
        ),
        ("/openai/v1/realtime?model=gpt-realtime", "gpt-realtime"),
        ("/openai/v1/realtime?model=gpt-realtime&deployment=another", "gpt-realtime"),
        ("/v1/realtime?deployment=another", "assistant"),
    ],
)
def test_a_session_of_realtime_with_the_model_of_its_address(locked: LiveServer, path: str, model: str) -> None:
    with connect(f"ws://127.0.0.1:{locked.port}{path}", additional_headers={"api-key": KEY}) as opened:
        created = json.loads(opened.recv(10))
    assert (created["type"], created["session"]["model"]) == ("session.created", model)


def test_azures_own_client_unmodified(locked: LiveServer) -> None:
    def client(deployment: str | None = None) -> AzureOpenAI:
        version = "2024-05-01-preview"
        if deployment is None:
            return AzureOpenAI(azure_endpoint=locked.url, api_key=KEY, api_version=version, max_retries=0)
        return AzureOpenAI(
            azure_endpoint=locked.url, azure_deployment=deployment, api_key=KEY, api_version=version, max_retries=0
        )

    with client() as named, client("beta") as deployed:
        said = [
            each.audio.speech.create(model="beta", voice="alloy", input="Hello.", response_format="pcm").content
            for each in (named, deployed)
        ]
        assert said[0] == said[1] != b""
        recording = wav(np.full(16_000, 0.25, np.float32), 16_000)
        assert named.audio.transcriptions.create(model="whisper", file=("a.wav", recording)).text.startswith("w25")
        assert {"alpha", "beta"} <= {model.id for model in named.models.list()}
