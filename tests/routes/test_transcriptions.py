"""`/v1/audio/transcriptions` and `/translations` over a fake recognizer: what comes in, goes out, and is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from fake_engine import FakeEngine, StepGate, wait_until
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recordings import wav
from vivavoce.audio.chunk import Samples
from vivavoce.logs import REQUEST_ID
from vivavoce.routes.transcription_answers import SHARE

PATH = "/v1/audio/transcriptions"
SILENCE = np.zeros(16_000, np.float32)


def level(value: float, seconds: float = 0.5) -> Samples:
    return np.full(round(16_000 * seconds), value, np.float32)


TWO = wav(np.concatenate([level(0.25), SILENCE, level(0.5), SILENCE]), 16_000)  # two segments


@pytest.fixture(scope="module")
def ears() -> FakeRecognizer:
    return FakeRecognizer(("whisper-base", "other"), missing=("absent",))


@pytest.fixture(scope="module")
def server(ears: FakeRecognizer) -> Iterator[LiveServer]:
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), max_upload_mib=1) as server:
        yield server


def post(server: LiveServer, path: str = PATH, *, audio: Any = TWO, **fields: Any) -> httpx.Response:
    return httpx.post(server.url + path, files={"file": ("a.wav", audio)}, data=fields, timeout=30)


def test_json_is_the_default(server: LiveServer) -> None:
    answer = post(server, model="whisper-1")
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content["usage"] == {"type": "duration", "seconds": 3.0}
    assert content["text"].split()[0] == "w25"
    assert "w50" in content["text"]


@pytest.mark.parametrize(
    ("format", "kind", "begins"),
    [
        ("text", "text/plain; charset=utf-8", "w25"),
        ("srt", "text/plain; charset=utf-8", "1\n00:00:0"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n00:00:0"),
        ("verbose_json", "application/json", '{"task": "transcribe", "language": "english", "duration": 3.0'),
        ("VERBOSE_JSON", "application/json", '{"task"'),
    ],
)
def test_each_format_has_its_type(server: LiveServer, format: str, kind: str, begins: str) -> None:
    answer = post(server, response_format=format)
    assert answer.headers["content-type"] == kind
    assert answer.text.startswith(begins)


@pytest.mark.parametrize("wanted", [[], ["segment"], ["word"], ["word", "segment"]])
@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities"])
def test_segments_words_or_both(server: LiveServer, name: str, wanted: list[str]) -> None:
    sent: dict[str, Any] = {"response_format": "verbose_json", name: wanted}
    content = post(server, **sent).json()
    assert ("segments" in content) == (not wanted or "segment" in wanted)
    assert ("words" in content) == ("word" in wanted)
    for segment in content.get("segments", ()):
        fields = "id seek start end text tokens temperature avg_logprob compression_ratio no_speech_prob"
        assert list(segment) == fields.split()
        assert 0 <= segment["start"] <= segment["end"] <= content["duration"]
    for word in content.get("words", ()):
        assert list(word) == ["word", "start", "end"]


def test_words_have_the_times_of_the_recording(server: LiveServer) -> None:
    words = post(server, response_format="verbose_json", **{"timestamp_granularities[]": "word"}).json()["words"]
    second = next(word for word in words if word["word"] == "w50")
    assert second["start"] == pytest.approx(1.5, abs=0.55)  # the fake's words fill half seconds from its segment on


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return [json.loads(line[6:]) for line in answer.text.split("\n\n") if line]


def test_a_stream_of_events(server: LiveServer) -> None:
    plain = post(server).json()["text"]
    told = events(post(server, stream="true", **{"include[]": "logprobs"}))
    assert {event["type"] for event in told[:-1]} == {"transcript.text.delta"}
    assert told[-1]["type"] == "transcript.text.done"
    assert [each for event in told[:-1] for each in event["logprobs"]] == told[-1]["logprobs"]
    assert "".join(event["delta"] for event in told[:-1]) == told[-1]["text"] == plain
    assert told[-1]["usage"]["type"] == "tokens"
    assert told[-1]["usage"]["total_tokens"] == 150 + len(told[-1]["logprobs"])


def test_words_are_told_while_the_rest_is_being_decoded() -> None:
    gate = threading.Semaphore(2)  # the encoder, and the first word
    ears = FakeRecognizer(("whisper-base",), before_step=lambda _: _passed(gate))
    audio = wav(np.concatenate([level(0.25), level(0.5), level(0.75), SILENCE]), 16_000)  # one segment
    with (
        live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server,
        httpx.stream(
            "POST", server.url + PATH, files={"file": ("a.wav", audio)}, data={"stream": "true"}, timeout=30
        ) as answer,
    ):
        lines = (line for line in answer.iter_lines() if line)
        first = json.loads(next(lines)[6:])
        assert (first["type"], first["delta"]) == ("transcript.text.delta", "w25")
        gate.release(50)
        rest = [json.loads(line[6:]) for line in lines]
    assert "".join(event["delta"] for event in [first, *rest[:-1]]) == rest[-1]["text"]
    assert rest[-1]["text"].startswith("w25 w50 w75")


def test_silence_is_no_words(server: LiveServer) -> None:
    quiet = wav(SILENCE, 16_000)
    assert post(server, audio=quiet).json()["text"] == ""
    assert post(server, audio=quiet, response_format="srt").text == ""
    assert post(server, audio=quiet, response_format="verbose_json").json()["segments"] == []
    assert [event["type"] for event in events(post(server, audio=quiet, stream="true"))] == ["transcript.text.done"]


def test_the_file_may_come_first_without_a_length(server: LiveServer) -> None:
    """As OpenAI's JavaScript client sends it."""
    parts = (
        b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + TWO + b"\r\n",
        b'--cut\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n',
        b'--cut\r\nContent-Disposition: form-data; name="response_format"\r\n\r\ntext\r\n--cut--\r\n',
    )
    headers = {"content-type": "multipart/form-data; boundary=cut"}
    answer = httpx.post(server.url + PATH, content=iter(parts), headers=headers)
    assert answer.text.startswith("w25")


def test_a_film_with_six_channels_is_heard(server: LiveServer) -> None:
    mono = np.concatenate([level(0.25), SILENCE])
    film = np.zeros((len(mono), 6), np.float32)
    film[:, 2] = 3 * mono  # speech in the middle
    answer = post(server, audio=wav(film.reshape(-1), 16_000, 6))
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["seconds"] == 1.5
    assert post(server, audio=wav(np.zeros(16_000 * 8, np.float32), 16_000, 8)).status_code == 400


def test_unknown_fields_are_ignored(server: LiveServer) -> None:
    further = {f"keywords[{k}]": "Ulm" for k in range(20)}
    answer = post(server, model="gpt-transcribe", kwargs='{"a": 1}', **{"known_speaker_names[]": "Ada", **further})
    assert answer.json()["languages"] == [{"code": "en"}]


@pytest.mark.parametrize("nothing", ["null", "None", "undefined", "", " "])
@pytest.mark.parametrize(
    "name",
    [
        "model",
        "language",
        "prompt",
        "response_format",
        "temperature",
        "stream",
        "chunking_strategy",
        "to_language",
        "seed",
        "return_timestamps",
    ],
)
def test_nothing_is_nothing_however_a_client_writes_it(server: LiveServer, name: str, nothing: str) -> None:
    assert post(server, **{name: nothing}).json()["text"].startswith("w25")


@pytest.mark.parametrize(
    ("name", "values", "temperature"),
    [
        ("temperature", "[0.2, 0.4]", 0.2),
        ("temperature", "0.4,0.6", 0.4),
        ("temperature[]", ["0.6", "0.8"], 0.6),
        ("temperature", ["0", "0.2"], 0.0),
        ("temperature", "[]", 0.0),
    ],
)
def test_of_a_list_of_temperatures_the_first_counts(
    server: LiveServer, ears: FakeRecognizer, name: str, values: Any, temperature: float
) -> None:
    assert post(server, **{name: values}).status_code == 200
    assert ears.streams[-1].options.temperature == temperature


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp_granularities": "word,segment"},
        {"timestamp_granularities": '["word", "segment"]'},
        {"timestamp_granularities[0]": "word", "timestamp_granularities[1]": "segment"},
        {"timestamp_granularities[]": ["Segment", "WORD"]},
    ],
)
def test_a_list_in_every_way_it_is_written(server: LiveServer, fields: dict[str, Any]) -> None:
    content = post(server, response_format="verbose_json", **fields).json()
    assert content["words"]
    assert content["segments"]


@pytest.mark.parametrize("written", ["en, Portuguese", ["en", "pt"], '["EN", "pt-BR"]'])
def test_languages_in_every_way_they_are_written(server: LiveServer, ears: FakeRecognizer, written: Any) -> None:
    assert post(server, **{"languages[]": written}).status_code == 200
    assert ears.streams[-1].options.languages == ("en", "pt")


def test_of_a_long_prompt_the_end_counts(server: LiveServer, ears: FakeRecognizer) -> None:
    assert post(server, prompt="x" * 10_000 + " Ulm").status_code == 200
    assert ears.streams[-1].options.prompt.endswith("xx Ulm")
    assert len(ears.streams[-1].options.prompt) == 8192


@pytest.mark.parametrize(
    "disposition",
    [
        b'name="file"; filename=""',
        b'name="file"; filename="no extension"',
        b'name="file"; filename="a.exe"\r\nContent-Type: image/png',
        b'name="file[]"; filename="a.wav"',
        b'name="audio"; filename="a.wav"',
    ],
)
def test_a_file_is_told_by_its_content_alone(server: LiveServer, disposition: bytes) -> None:
    body = b"--cut\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + TWO + b"\r\n--cut--\r\n"
    headers = {"content-type": "Multipart/Form-Data; boundary=cut"}
    assert httpx.post(server.url + PATH, content=body, headers=headers).json()["text"].startswith("w25")


@pytest.mark.parametrize(
    "files",
    [
        [("file", ("a.wav", b""))],
        [("file", ("a.wav", TWO)), ("file", ("b.wav", TWO))],
        [("file", (None, TWO)), ("file", ("b.wav", TWO))],
        [("picture", ("a.wav", TWO)), ("photo", ("b.wav", TWO))],
        [("model", (None, "whisper-1"))],
    ],
)
def test_no_file_or_two_are_refused(server: LiveServer, files: Any) -> None:
    answer = httpx.post(server.url + PATH, files=files)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


@pytest.mark.parametrize(
    "fields",
    [
        {"chunking_strategy": "auto"},
        {"chunking_strategy": '{"type": "server_vad", "silence_duration_ms": 1500}'},
        {"chunking_strategy[type]": "server_vad", "chunking_strategy[silence_duration_ms]": "1500"},
    ],
)
def test_where_a_recording_is_cut(server: LiveServer, fields: dict[str, str]) -> None:
    segments = post(server, response_format="verbose_json", **fields).json()["segments"]
    assert len({each["seek"] for each in segments}) == (2 if fields == {"chunking_strategy": "auto"} else 1)


@pytest.mark.parametrize(
    "body",
    [
        {"model": "whisper-1", "input_audio": {"data": base64.b64encode(TWO).decode(), "format": "wav"}},
        {"inputs": base64.b64encode(TWO).decode(), "response_format": "json"},
        {"inputs": base64.urlsafe_b64encode(TWO).decode().rstrip("=")},
        {"inputs": "data:audio/wav;base64," + base64.b64encode(TWO).decode()},
    ],
)
def test_json_bodies(server: LiveServer, body: dict[str, Any]) -> None:
    answer = httpx.post(server.url + PATH, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert "w50" in answer.json()["text"]


@pytest.mark.parametrize("path", [PATH, "/models/whisper-base", "/models/openai/whisper-base"])
@pytest.mark.parametrize("kind", [None, "audio/x-wav", "application/octet-stream"])
def test_hugging_faces_clients(server: LiveServer, path: str, kind: str | None) -> None:
    answer = httpx.post(server.url + path, content=TWO, headers={} if kind is None else {"content-type": kind})
    assert list(answer.json()) == ["text"]
    body = {"inputs": base64.b64encode(TWO).decode(), "parameters": {"return_timestamps": True}}
    chunks = httpx.post(server.url + path, json=body).json()["chunks"]
    assert chunks[0]["text"].startswith("w25")
    assert chunks[1]["timestamp"][0] >= 1.0


@pytest.mark.parametrize("name", ["openai/whisper-large-v3", "whisper-small", "Systran/faster-whisper-small"])
def test_hugging_faces_clients_are_told_how_a_model_gets_here(server: LiveServer, name: str) -> None:
    answer = httpx.post(f"{server.url}/models/{name}", content=TWO, timeout=30)
    assert answer.status_code == 404, answer.text
    assert "vivavoce models pull whisper-" in answer.json()["error"]


def test_the_bytes_themselves_with_options_in_the_query(server: LiveServer) -> None:
    answer = httpx.post(server.url + PATH + "?response_format=srt", content=TWO)
    assert answer.text.startswith("1\n")


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "nobody"}, 404, "model_not_found", "model"),
        ({"model": "absent"}, 503, "model_unavailable", "model"),
        ({"response_format": "docx"}, 400, "unsupported_format", "response_format"),
        ({"response_format": "diarized_json"}, 400, "invalid_request", "response_format"),
        ({"language": "klingon"}, 400, "invalid_request", "language"),
        ({"language": "fr"}, 400, "unsupported_language", "language"),
        ({"temperature": "hot"}, 400, "invalid_request", "temperature"),
        ({"temperature": "1.5"}, 400, "invalid_request", "temperature"),
        ({"temperature": "9" * 401}, 400, "invalid_request", "temperature"),
        ({"timestamp_granularities[]": "letter"}, 400, "invalid_request", "timestamp_granularities"),
        ({"stream": "perhaps"}, 400, "invalid_request", "stream"),
        ({"stream": "true", "response_format": "srt"}, 400, "invalid_request", "stream"),
        ({"chunking_strategy": "manual"}, 400, "invalid_request", "chunking_strategy"),
        ({"chunking_strategy": '{"type":"server_vad","threshold":7}'}, 400, "invalid_request", "chunking_strategy"),
        ({"prompt": "x" * 70_000}, 400, "invalid_request", "prompt"),
        ({"to_language": "pt"}, 400, "unsupported_language", "to_language"),
        ({"model": ["whisper-1", "other"]}, 400, "invalid_request", "model"),
    ],
)
def test_refusals(server: LiveServer, fields: dict[str, Any], status: int, code: str, param: str) -> None:
    answer = post(server, **fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert "999" not in error["message"]


def test_a_model_that_does_not_translate(server: LiveServer) -> None:
    answer = post(server, "/v1/audio/translations", to_language="fr")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_language")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 400),
        (b"hello", {"content-type": "text/plain"}, 400),
        (b"<html>", {"content-type": "text/html"}, 415),
        (b"file=hello", {"content-type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"content-type": "application/json"}, 400),
        (b'{"inputs": "?"}', {"content-type": "application/json"}, 400),
        (b'{"inputs": "' + b"?" * 9000 + b'"}', {"content-type": "application/json"}, 400),
        (b'{"inputs": "' + b"A" * 9000, {"content-type": "application/json"}, 400),
        (b"--x--", {"content-type": "multipart/form-data; boundary=x"}, 400),
        (b"RIFF" + bytes(2 << 20), {}, 413),
        (b'{"inputs": "' + b"A" * (2 << 20), {"content-type": "application/json"}, 413),
        (b'{"prompt": "' + b"A" * (1 << 20), {"content-type": "application/json"}, 413),
    ],
)
def test_no_body_ends_otherwise_than_as_an_error(
    server: LiveServer, content: bytes, headers: dict[str, str], status: int
) -> None:
    for body in (content, iter([content[:5], content[5:]])):  # with a length, and without
        answer = httpx.post(server.url + PATH, content=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]


def test_bytes_are_counted_without_a_length(server: LiveServer) -> None:
    endless = (bytes(1 << 16) for _ in range(10_000))
    try:
        answer = httpx.post(server.url + PATH, content=endless, headers={"content-type": "audio/wav"})
    except httpx.WriteError:  # the connection was closed before the answer was read
        return
    assert answer.status_code == 413


def test_whoever_leaves_is_not_heard_any_more() -> None:
    gate = threading.Event()
    ears = FakeRecognizer(("whisper-base",), before_step=lambda _: _wait(gate))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            head = b"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
            client.sendall(head % len(TWO) + TWO)
            _until(lambda: server.metric("voice_active_hearings", transport="http") == 1)
        _until(lambda: server.metric("voice_active_hearings", transport="http") == 0)
        assert server.metric("voice_heard_seconds_total") > 0
        gate.set()
        _until(lambda: not ears.open_streams)
        assert server.metric(
            "voice_requests_total", route="transcriptions", outcome="client_gone", reason=""
        ) == pytest.approx(1)


def test_a_recording_that_takes_too_long() -> None:
    ears = FakeRecognizer(("whisper-base",), before_step=lambda _: time.sleep(0.3))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), hearing_timeout_s=0.5) as server:
        answer = post(server)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "engine_timeout")
        _until(lambda: not ears.open_streams)


def test_lists_and_launches(server: LiveServer, ears: FakeRecognizer) -> None:
    ids = [entry["id"] for entry in httpx.get(server.url + "/v1/models").json()["data"]]
    assert {"alpha", "whisper-base", "other", "whisper-1", "gpt-4o-transcribe"} <= set(ids)
    assert "absent" not in ids
    assert len(set(ids)) == len(ids)
    described = httpx.get(server.url + "/v1/models/other").json()
    assert (described["model_type"], described["model_ability"]) == ("audio", ["audio2text"])
    body = {"model_name": "other", "model_type": "audio", "model_uid": "mine"}
    assert httpx.post(server.url + "/v1/models", json=body).json() == {"model_uid": "mine"}
    assert "other" in ears.loads
    assert "w25" in post(server, model="mine").json()["text"]
    instances = httpx.get(server.url + "/v1/models/instances").json()
    assert instances[0]["model_ability"] == ["audio2text"]
    assert httpx.delete(server.url + "/v1/models/mine").status_code == 200
    assert post(server, model="mine").status_code == 404


def _passed(gate: threading.Semaphore) -> None:
    gate.acquire(timeout=8)


def _wait(gate: threading.Event) -> None:
    gate.wait(10)


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def sent(disposition: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """A form whose file is called as its client calls it."""
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()
    model = b'\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nopenai/whisper-1\r\n--b--\r\n'
    return head + content + model, {"content-type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize(
    "disposition",
    [
        'name="file"',
        'name="audio"',
        "name=file",
        'name="file"; filename=""',
        "name=\"file\"; filename*=UTF-8''a%20b.wav",
        'name="recording"; filename="a.wav"',
    ],
)
def test_a_file_without_a_name_is_read_by_its_content(server: LiveServer, disposition: str) -> None:
    content, headers = sent(disposition, TWO)
    answer = httpx.post(server.url + PATH, content=content, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"].split()[0] == "w25"


def test_a_file_without_a_name_may_be_as_long_as_one_with_a_name(ears: FakeRecognizer) -> None:
    long = wav(np.concatenate([level(0.25), np.zeros(16_000 * 50, np.float32)]), 16_000)
    assert len(long) > 3 << 19  # more than a field may hold
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), max_upload_mib=2) as roomy:
        content, headers = sent('name="file"', long)
        answer = httpx.post(roomy.url + PATH, content=content, headers=headers, timeout=60)
        assert answer.json()["text"] == "w25"
        content, headers = sent('name="file"', long + bytes(1 << 21))
        assert httpx.post(roomy.url + PATH, content=content, headers=headers, timeout=60).status_code == 413


def test_words_in_place_of_a_file_are_no_recording(server: LiveServer) -> None:
    content, headers = sent('name="file"', b"/home/me/a.wav")
    answer = httpx.post(server.url + PATH, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_audio")


def test_a_recording_that_curl_calls_a_form(server: LiveServer) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert httpx.post(server.url + PATH, content=TWO, headers=headers, timeout=30).json()["text"].split()[0] == "w25"
    assert httpx.post(server.url + PATH, content=b"file=a.wav", headers=headers).status_code == 415


@pytest.mark.parametrize(
    ("written", "begins"),
    [(".srt", "1\n00"), ("text/vtt", "WEBVTT"), ("txt", "w25"), ("application/json", "{"), ("Verbose-JSON", '{"task"')],
)
def test_a_format_by_its_ending_or_type(server: LiveServer, written: str, begins: str) -> None:
    assert post(server, response_format=written).text.startswith(begins)


@pytest.mark.parametrize("door", ["transcriptions", "translations", "events", "stream"])
def test_a_line_of_the_log_says_how_a_hearing_ended(
    server: LiveServer, caplog: pytest.LogCaptureFixture, door: str
) -> None:
    """By the request that it answers, and without a word of what was said."""
    caplog.set_level("INFO", logger="vivavoce")
    named: list[str | None] = []

    def note(_: logging.LogRecord) -> bool:
        named.append(REQUEST_ID.get())
        return True

    caplog.handler.addFilter(note)
    if door == "stream":
        with connect(f"ws://127.0.0.1:{server.port}{PATH}/stream") as client:
            client.send((32_000 * level(0.25)).astype("<i2").tobytes())
            client.send('{"type": "input.done"}')
            while "session.done" not in str(client.recv(10)):
                pass
        answered = named[-1] if named else None
    else:
        path = "/v1/audio/translations" if door == "translations" else PATH
        answer = post(server, path, audio=TWO, stream="true" if door == "events" else "false")
        answered = answer.headers["x-request-id"]
    wait_until(lambda: any(record.message == "hearing ended" for record in caplog.records))
    caplog.handler.removeFilter(note)
    line = next(record for record in caplog.records if record.message == "hearing ended")
    assert named[caplog.records.index(line)] == answered is not None
    told = vars(line)
    assert told["sound_s"] == pytest.approx(0.5 if door == "stream" else 3.0, abs=0.1)
    assert (told["transport"], told["outcome"]) == ("websocket" if door == "stream" else "http", "completed")
    assert "w25" not in caplog.text


@pytest.mark.parametrize("streamed", ["false", "true"])
def test_a_server_that_stops_finishes_what_it_hears(streamed: str) -> None:
    """Recordings were cut off after the five seconds that connections have to close."""
    began, go = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        began.set()
        go.wait(20)

    ears = FakeRecognizer(before_step=hold)
    with (
        live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server,
        ThreadPoolExecutor(1) as client,
    ):
        try:
            running = client.submit(post, server, stream=streamed)
            assert began.wait(20)
            drained = asyncio.run_coroutine_threadsafe(server.server.drain(), server.loop)
            refused = post(server)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "server_shutting_down")
            with pytest.raises(TimeoutError):
                drained.result(0.5)
        finally:
            go.set()
        assert "w25" in running.result(20).text
        drained.result(20)


def test_without_keys_one_address_leaves_room_for_another() -> None:
    """Every address of 127/8 is this machine's: two clients as a server without keys sees them."""
    gate = StepGate()
    hears = FakeRecognizer(("whisper-base",), before_step=gate)
    with (
        live_server([FakeEngine()], recognizers=[hears], activity=Loudness()) as server,
        ThreadPoolExecutor(SHARE + 2) as pool,
    ):

        def post_from(address: str, timeout_s: float = 60.0) -> httpx.Response:
            transport = httpx.HTTPTransport(local_address=address)
            with httpx.Client(transport=transport, timeout=timeout_s) as client:
                return client.post(server.url + PATH, files={"file": ("a.wav", TWO)})

        try:
            for number in range(SHARE):
                pool.submit(post_from, "127.0.0.1")
                wait_until(lambda: server.metric("voice_active_hearings", transport="http") == number + 1)  # noqa: B023
            assert post_from("127.0.0.1").status_code == 429
            with pytest.raises(httpx.ReadTimeout):  # it waits its turn
                post_from("127.0.0.2", timeout_s=2.0)
        finally:
            gate.open()
        assert post_from("127.0.0.2").status_code == 200
