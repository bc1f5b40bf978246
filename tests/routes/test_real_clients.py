"""What users of such servers really send, and clients really ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from vivavoce.settings import load

KEY = "a-key-of-enough-characters"
LISTS = ("/v1/models", "/v1/audio/models", "/v1/audio/voices")


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine(("alpha", "beta"))], voice_map=("alloy=beta",)) as running:
        yield running


@pytest.mark.parametrize(
    "fields",
    [
        {"response_format": "MP3"},
        {"response_format": " wav "},
        {"voice": "Alloy"},
        {"voice": " BETA "},
        {"response_format": "Pcm", "voice": "ALPHA", "language": "EN-us", "model": "TTS-1"},
        {"stream_format": "SSE", "timestamps": "Word"},
    ],
)
def test_words_mean_the_same_in_any_case(server: LiveServer, fields: dict[str, str]) -> None:
    answer = httpx.post(server.url + "/v1/audio/speech", json={"input": "Hello.", **fields}, timeout=20)
    assert answer.status_code == 200, answer.text


def test_places_of_words_count_in_what_was_sent(server: LiveServer) -> None:
    """Composed or not: the pieces of the client's own text; the fake engine calls every letter a word."""
    text = "Cafe\u0301 au lait is open now."
    body = {"input": text, "stream_format": "sse", "timestamps": "word", "response_format": "pcm"}
    answer = httpx.post(server.url + "/v1/audio/speech", json=body, timeout=20)
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    words = [word for event in events if event["type"] == "speech.audio.words" for word in event["words"]]
    places = [word["characters"] for word in words]
    assert "".join(text[start:end] for start, end in places) == text
    assert text[slice(*places[-2])] == "w"


def test_open_webui_finds_its_models_and_voices(server: LiveServer) -> None:
    found = httpx.get(server.url + "/v1/audio/models").json()["models"]
    assert {"alpha", "beta", "tts-1"} <= {entry["id"] for entry in found}
    assert all(entry["name"] == entry["id"] for entry in found)


def test_lists_are_open_where_a_setting_says_so() -> None:
    with live_server([FakeEngine()], api_keys=(KEY,), open_lists=True) as opened:
        for path in LISTS:
            assert httpx.get(opened.url + path).status_code == 200
        for path in ("/metrics", "/v1/ice"):
            assert httpx.get(opened.url + path).status_code == 401
        assert httpx.post(opened.url + "/v1/audio/speech", json={"input": "Hi."}).status_code == 401
    with live_server([FakeEngine()], api_keys=(KEY,)) as shut:
        assert all(httpx.get(shut.url + path).status_code == 401 for path in LISTS)


@pytest.mark.parametrize(
    "toml", ['voice_map = ["alloy=mika", "Echo = mika/Sad"]', '[voice_map]\nalloy = "mika"\nEcho = "mika/Sad"']
)
def test_a_voice_map_may_be_a_table_of_the_file(tmp_path: Path, toml: str) -> None:
    file = tmp_path / "vivavoce.toml"
    file.write_text(toml)
    assert load(file=file, environment={}).voices.aliases() == {"alloy": "mika", "echo": "mika/Sad"}


def test_a_mapped_name_speaks(server: LiveServer) -> None:
    def spoken(voice: str) -> bytes:
        body = {"input": "Hello.", "voice": voice, "response_format": "pcm"}
        return httpx.post(server.url + "/v1/audio/speech", json=body, timeout=20).content

    assert spoken("alloy") == spoken("beta") != spoken("alpha")
