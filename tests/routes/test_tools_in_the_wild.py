"""Requests as tools write them: other names of fields and formats, recordings as text, each answered as it is meant."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from fake_engine import FakeEngine
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recordings import wav
from stream_client import stream_client

SPEECH, HEARING = "/v1/audio/speech", "/v1/audio/transcriptions"
RECORDING = wav(np.concatenate([np.full(8_000, 0.25, np.float32), np.zeros(16_000, np.float32)]), 16_000)
SHORT = wav(np.full(400, 0.25, np.float32), 16_000)
TEXT = base64.b64encode(RECORDING).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    ears = FakeRecognizer(("whisper-base", "other"))
    with live_server(
        [FakeEngine(("alpha", "beta"))], recognizers=[ears], activity=Loudness(), max_upload_mib=1
    ) as running:
        yield running


def spoken(server: LiveServer, **fields: Any) -> httpx.Response:
    return httpx.post(server.url + SPEECH, json={"input": "Hello there.", **fields}, timeout=20)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"response_format": "pcm_24000"}, "audio/pcm"),
        ({"response_format": "mp3_44100_128"}, "audio/mpeg"),
        ({"response_format": "opus_48000_64"}, "audio/ogg"),
        ({"response_format": "ulaw_8000"}, "audio/pcmu"),
        ({"response_format": "mulaw"}, "audio/pcmu"),
        ({"response_format": "alaw_8000"}, "audio/pcma"),
        ({"output_format": "wav"}, "audio/wav"),
        ({"audio_format": "pcm"}, "audio/pcm"),
        ({"format": "flac"}, "audio/flac"),
        ({"format": "json", "output_format": "wav"}, "audio/wav"),
        ({"format": "json"}, "audio/mpeg"),  # somebody's own field
        ({"response_format": "pcm", "format": "wav"}, "audio/pcm"),
    ],
)
def test_formats_by_the_names_that_others_give_them(server: LiveServer, fields: dict[str, str], kind: str) -> None:
    answer = spoken(server, **fields)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)


def test_telephone_sound_is_a_byte_a_sample(server: LiveServer) -> None:
    rates = {
        name: len(spoken(server, response_format=name).content) for name in ("ulaw_8000", "ulaw_16000", "pcm_8000")
    }
    assert rates["ulaw_16000"] == pytest.approx(2 * rates["ulaw_8000"], rel=0.02)
    assert rates["pcm_8000"] == 2 * rates["ulaw_8000"]
    assert spoken(server, response_format="ulaw").content == spoken(server, response_format="ulaw_8000").content
    refused = spoken(server, response_format="ulaw_96000")
    assert refused.status_code == 400
    assert "ulaw_96000" in refused.json()["error"]["message"]


@pytest.mark.parametrize("name", ["voice_id", "voiceId"])
def test_a_voice_under_another_name(server: LiveServer, name: str) -> None:
    def said(**fields: str) -> bytes:
        return spoken(server, response_format="pcm", **fields).content

    assert said(**{name: "beta"}) == said(voice="beta") != said(voice="alpha")
    assert said(**{name: "beta"}, voice="alpha") == said(voice="alpha")
    assert spoken(server, **{name: "nobody"}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"model": "tts-1", "voice": "shimmer", "speed": 1.0, "instructions": None, "response_format": "wav"},
        {"model": "tts-1", "voice": "alloy", "response_format": "mp3", "stream": True, "user": "u"},
        {"model": "openai/tts-1", "voice": None, "metadata": {"a": 1}, "timeout": 600, "extra_body": {"x": 1}},
        {"model": "tts-1", "voice": "", "speed": "1.0", "instructions": "", "stream_format": ""},
        {"model": "tts-1", "voice": "alloy", "lang_code": "a", "volume_multiplier": 1.0, "return_download_link": False},
        {"model": "tts-1", "voice": {"id": "alpha"}, "response_format": "Mp3"},
    ],
)
def test_bodies_of_assistants_and_gateways(server: LiveServer, body: dict[str, Any]) -> None:
    assert spoken(server, **body).status_code == 200


def heard(server: LiveServer, **request: Any) -> httpx.Response:
    return httpx.post(server.url + HEARING, timeout=30, **request)


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"file": TEXT, "model": "whisper-1"}},
        {"json": {"file": "data:audio/wav;base64," + TEXT}},
        {"json": {"audio": TEXT}},
        {"json": {"audio_base64": TEXT, "language": "en"}},
        {"json": {"config": {"languageCode": "en-US"}, "audio": {"content": TEXT}}},
        {"json": {"input_audio": {"data": TEXT, "format": "wav"}, "model": "whisper-1"}},
        {"files": {"file": (None, TEXT), "model": (None, "whisper-1")}},
        {"files": {"file": (None, "data:audio/wav;base64," + TEXT)}},
        {"files": {"file": ("recording.txt", TEXT)}},
        {"files": {"file": (None, base64.encodebytes(RECORDING))}},
        {"files": {"file": (None, base64.urlsafe_b64encode(RECORDING).rstrip(b"="))}},
        {"files": {"audio_base64": (None, TEXT)}},
        {"content": TEXT.encode(), "headers": {"content-type": "text/plain"}},
        {"content": RECORDING, "headers": {"content-type": "audio/wav"}},
        {"files": {"file": ("data", RECORDING, "application/octet-stream")}, "data": {"model": "whisper"}},
        {"files": {"file": ("a.wav", RECORDING)}, "data": {"model": "openai/whisper-1", "language": "auto"}},
        {"files": {"file": ("a.wav", RECORDING)}, "data": {"temperature": "", "prompt": "", "language": "English"}},
    ],
)
def test_a_recording_in_any_writing(server: LiveServer, request_: dict[str, Any]) -> None:
    answer = heard(server, **request_)
    assert answer.status_code == 200, answer.text
    assert "w25" in answer.json()["text"]


@pytest.mark.parametrize("name", ["file", "audio", "audio_base64", "inputs"])
def test_a_short_recording_in_json(server: LiveServer, name: str) -> None:
    assert heard(server, json={name: base64.b64encode(SHORT).decode()}).status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        {"files": {"file": (None, "data:audio/wav;base64,????")}},
        {"files": {"file": (None, TEXT[:-200] + "=" + TEXT[-200:])}},
        {"files": {"file": (None, "data:audio/wav;base64,")}},
        {"json": {"audio": {"content": ""}}},
    ],
)
def test_what_only_looks_like_one_is_refused(server: LiveServer, request_: dict[str, Any]) -> None:
    answer = heard(server, **request_)
    assert answer.status_code == 400, answer.text


def test_a_recording_as_text_has_the_limit_of_any_recording(server: LiveServer) -> None:
    long = base64.b64encode(wav(np.zeros(700_000, np.float32), 16_000)).decode()
    for request in ({"files": {"file": (None, long)}}, {"json": {"file": long}}):
        answer = heard(server, **request)
        assert answer.status_code == 413, answer.text
    error = json.loads(answer.text)["error"]
    assert error["message"]


@pytest.mark.parametrize("name", ["ulaw_8000", "alaw", "ulaw_16000"])
async def test_telephone_sound_is_the_same_over_the_stream(server: LiveServer, name: str) -> None:
    async with stream_client(server.port) as client:
        await client.send("session.config", pace="burst", response_format=name)
        await client.say("Hello there.")
        streamed = await client.until("session.done")
    async with httpx.AsyncClient() as over_http:
        body = {"input": "Hello there.", "response_format": name}
        answer = await over_http.post(server.url + SPEECH, json=body, timeout=20)
    assert streamed.audio == answer.content != b""
