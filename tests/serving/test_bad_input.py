"""Every bad input has its answer: the right status, the right code, never an echo of what was sent."""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server
from vivavoce.serving import http_protocol

ROUTE = "/v1/audio/speech"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine(voices=("alpha", "beta"), missing=("gone",))], body_timeout_s=0.5) as live:
        yield live


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert response.headers["x-request-id"]
    return error


def post(server: LiveServer, **fields: Any) -> httpx.Response:
    return httpx.post(server.url + ROUTE, json={"model": "tts-1", "voice": "alloy", **fields}, timeout=30)


def raw(server: LiveServer, body: bytes, content_type: str = "application/json") -> httpx.Response:
    return httpx.post(server.url + ROUTE, content=body, headers={"content-type": content_type}, timeout=30)


def test_text_too_long(server: LiveServer) -> None:
    error = refused(post(server, input="x" * 4097), 400, "string_above_max_length")
    assert error["param"] == "input"
    assert "4096" in error["message"]


def test_length_is_counted_after_nfc(server: LiveServer) -> None:
    assert post(server, input="e\u0301" * 4096 + "!", response_format="pcm").status_code == 400
    decomposed = ("e\u0301" * 40 + " ") * 90  # 7290 code points as sent, 3690 in NFC
    assert post(server, input=decomposed, response_format="pcm").status_code == 200


@pytest.mark.parametrize("text", ["", "   \n\t ", "🙂🎉", "\x00\x01\x07", "\u202e\u200f", "*** --- ***"])
def test_nothing_to_speak(server: LiveServer, text: str) -> None:
    refused(post(server, input=text), 400, "empty_input")


def test_a_lone_surrogate_alone_is_nothing_to_speak(server: LiveServer) -> None:
    refused(raw(server, b'{"input": "\\ud800"}'), 400, "empty_input")


def test_a_lone_surrogate_within_text_is_passed_over(server: LiveServer) -> None:
    assert raw(server, b'{"input": "Fine \\ud800 text."}').status_code == 200


def test_text_that_explodes_when_spoken(server: LiveServer) -> None:
    response = post(server, input="9" * 4000)
    assert response.status_code == 400, response.text


@pytest.mark.parametrize("declared", [True, False])
def test_oversize_body(server: LiveServer, declared: bool) -> None:
    body = b'{"input": "' + b"x" * 70_000 + b'"}'

    def parts() -> Iterator[bytes]:
        for start in range(0, len(body), 5000):
            yield body[start : start + 5000]

    headers = {"content-type": "application/json"}
    content: Any = body if declared else parts()
    refused(httpx.post(server.url + ROUTE, content=content, headers=headers), 413, "payload_too_large")


def test_a_length_that_lies(server: LiveServer) -> None:
    request = (
        f"POST {ROUTE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: 99999999999999999999\r\n\r\n{}"
    )
    answer = talk(server, request.encode())
    assert b" 413 " in answer.split(b"\r\n")[0] or b" 400 " in answer.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"input": NaN}',
        b'{"input": "a", "speed": Infinity}',
        b"[" * 60_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
        json.dumps({str(i): i for i in range(300)}).encode(),
        b'{"input": "\xff\xfe"}',
        b'{"input": "hi", }',
        b'{"input": "hi"} {"input": "hi"}',
        b"{'input': 'hi'}",
    ],
)
def test_malformed_json(server: LiveServer, body: bytes) -> None:
    refused(raw(server, body), 400, "invalid_json")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "latin-1"])
def test_another_encoding_is_named(server: LiveServer, encoding: str) -> None:
    body = json.dumps({"input": "caf\u00e9"}, ensure_ascii=False).encode(encoding)
    assert "not UTF-8" in refused(raw(server, body), 400, "invalid_json")["message"]


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "identity, gzip", "zstd"])
def test_a_compressed_body_is_refused_by_its_name(server: LiveServer, coding: str) -> None:
    body = gzip.compress(b'{"input": "hi there"}')
    for path in (ROUTE, "/v1/audio/transcriptions", "/v1/audio/voices"):
        headers = {"content-type": "application/json", "content-encoding": coding}
        answer = httpx.post(server.url + path, content=body, headers=headers)
        assert "content-encoding" in refused(answer, 415, "unsupported_media_type")["message"]


@pytest.mark.parametrize("coding", ["identity", "utf-8", "UTF-8", ""])
def test_what_is_no_coding_is_passed_over(server: LiveServer, coding: str) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    assert httpx.post(server.url + ROUTE, content=b'{"input": "hi there"}', headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("response_format", ""),
        ("response_format", ".mp3"),
        ("response_format", "audio/mpeg"),
        ("response_format", "audio/wav"),
        ("response_format", "audio/ogg; codecs=opus"),
        ("stream_format", ""),
        ("language", "English (US)"),
        ("language", "en_US.UTF-8"),
        ("sample_rate", 24000.0),
        ("seed", 1e3),
        ("seed", 7.0),
    ],
)
def test_what_means_one_thing_only_is_understood(server: LiveServer, field: str, value: object) -> None:
    assert post(server, **{"input": "hi there", field: value}).status_code == 200


def test_another_content_type(server: LiveServer) -> None:
    refused(raw(server, b'{"input": "hi"}', "text/html"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", 7),
        ("input", None),
        ("speed", 0.2),
        ("speed", 4.5),
        ("speed", "fast"),
        ("stream_format", "video"),
        ("sample_rate", 100),
        ("sample_rate", 1e9),
        ("language", "xx"),
        ("seed", -1),
        ("top_p", 0),
        ("voice", 5),
        ("voice", {"name": "alpha"}),
        ("voice", ["alpha"]),
        ("seed", 7.5),
        ("sample_rate", True),
        ("timestamps", "word"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(server: LiveServer, field: str, value: object) -> None:
    error = refused(post(server, **{"input": "hi", field: value}), 400, "invalid_request")
    assert error["param"] is not None
    assert error["param"] == field


def test_what_was_sent_is_not_echoed(server: LiveServer) -> None:
    for body in (b'{"input": "sesame', b'{"input": "hi", "speed": "sesame"}', b'{"sesame": 1}'):
        assert "sesame" not in raw(server, body).text


def test_unknown_names_are_answered_with_the_known_ones(server: LiveServer) -> None:
    voice = refused(post(server, input="hi", voice="nobody"), 404, "voice_not_found")
    assert "alpha" in voice["message"]
    assert "beta" in voice["message"]
    model = refused(post(server, input="hi", model="gpt-9"), 404, "model_not_found")
    assert "tts-1" in model["message"]
    format_ = refused(post(server, input="hi", response_format="midi"), 400, "unsupported_format")
    assert "mp3" in format_["message"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/etc/passwd", "alpha/../beta", "a" * 5000, "\u0000"])
def test_no_name_is_ever_a_path(server: LiveServer, name: str) -> None:
    error = refused(post(server, input="hi", voice=name), 404, "voice_not_found")
    assert len(error["message"]) < 200
    assert "/home" not in error["message"]


def test_a_voice_without_its_files_is_unavailable_and_the_others_speak(server: LiveServer) -> None:
    response = post(server, input="hi", voice="gone")
    refused(response, 503, "voice_unavailable")
    assert response.headers["x-should-retry"] == "false"
    assert post(server, input="hi there", voice="alpha").status_code == 200
    assert httpx.get(server.url + "/readyz").status_code == 200


def test_aliases_of_other_clients(server: LiveServer) -> None:
    spoken = post(server, input="hi there", response_format="pcm", voice="alpha").content
    as_text = httpx.post(server.url + ROUTE, json={"text": "hi there", "response_format": "pcm", "voice": "alpha"})
    as_model = httpx.post(server.url + ROUTE, json={"input": "hi there", "response_format": "pcm", "model": "beta"})
    as_object = post(server, input="hi there", response_format="pcm", voice={"id": "beta"})
    assert as_text.content == spoken
    assert as_model.content == as_object.content != spoken


def test_no_route_and_no_method(server: LiveServer) -> None:
    refused(httpx.get(server.url + "/nope"), 404, "not_found")
    refused(httpx.get(server.url + ROUTE), 405, "method_not_allowed")
    allowed = {path: httpx.put(server.url + path).headers["allow"] for path in (ROUTE, "/v1/models", "/health")}
    assert allowed == {ROUTE: "POST", "/v1/models": "GET, HEAD, POST", "/health": "GET, HEAD"}
    refused(httpx.post(server.url + ROUTE + "?wav_sizes=big", json={"input": "hi"}), 400, "invalid_parameter")


def talk(server: LiveServer, data: bytes, timeout_s: float = 10.0) -> bytes:
    """Send bytes and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(timeout_s)
        client.sendall(data)
        answer = b""
        while got := client.recv(65536):
            answer += got
            if b"\r\n\r\n" in answer and b"}" in answer:
                break
        return answer


def test_slow_headers_are_cut_off(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEADERS_TIMEOUT_S", 0.2)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: 127")
        client.settimeout(10)
        with suppress(ConnectionResetError):  # dropped without a word, in either of two ways
            assert client.recv(100) == b""
    assert server.server.synthesizer.speaking == 0


def test_a_slow_body_is_cut_off(server: LiveServer) -> None:
    head = f"POST {ROUTE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    answer = talk(server, head.encode() + b'{"input"')
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"request_timeout" in answer


def test_overload_is_told_before_the_first_byte() -> None:
    gate = StepGate()
    with (
        live_server([FakeEngine(before_step=gate)], max_streams=1, queue_wait_s=0.05) as live,
        httpx.Client(timeout=30) as client,
        socket.create_connection(("127.0.0.1", live.port)) as first,
    ):
        body = b'{"input": "hello there"}'
        head = f"POST {ROUTE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        first.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        wait_until(lambda: live.server.synthesizer.speaking == 1)
        response = client.post(live.url + ROUTE, json={"input": "me too"})
        refused(response, 503, "server_overloaded")
        assert int(response.headers["retry-after"]) >= 1
        gate.open()


def test_one_keys_own_limit_is_another_answer() -> None:
    gate = StepGate()
    keys = ("first-key-0123456789", "second-key-012345678")
    with live_server([FakeEngine(before_step=gate)], max_streams_per_key=1, api_keys=keys) as live:
        headers = [{"authorization": f"Bearer {key}"} for key in keys]
        with socket.create_connection(("127.0.0.1", live.port)) as first:
            body = b'{"input": "hello there"}'
            head = f"POST {ROUTE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            head += f"Authorization: Bearer {keys[0]}\r\nContent-Length: {len(body)}\r\n\r\n"
            first.sendall(head.encode() + body)
            wait_until(lambda: live.server.synthesizer.speaking == 1)
            refused(httpx.post(live.url + ROUTE, json={"input": "hi"}, headers=headers[0]), 429, "rate_limit_exceeded")
            gate.open()
            assert httpx.post(live.url + ROUTE, json={"input": "hi"}, headers=headers[1]).status_code == 200


# -- keys, pages of other sites ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], api_keys=("correct-horse-battery",)) as live:
        yield live


@pytest.mark.parametrize("path", ["/v1/models", "/v1/audio/voices", "/metrics"])
def test_keys_are_asked_for(locked: LiveServer, path: str) -> None:
    url = locked.url + path
    response = httpx.get(url)
    refused(response, 401, "invalid_api_key")
    assert response.headers["www-authenticate"] == "Bearer"
    refused(httpx.get(url, headers={"authorization": "Bearer wrong"}), 401, "invalid_api_key")
    refused(httpx.get(url, headers={"authorization": "Basic correct-horse-battery"}), 401, "invalid_api_key")
    assert httpx.get(url, headers={"authorization": "Bearer correct-horse-battery"}).status_code == 200
    assert httpx.get(url, headers={"x-api-key": "correct-horse-battery"}).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health"])
def test_probes_need_no_key(locked: LiveServer, path: str) -> None:
    assert httpx.get(locked.url + path).status_code == 200


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_pages_of_other_sites_are_refused(server: LiveServer, headers: dict[str, str]) -> None:
    response = httpx.post(server.url + ROUTE, json={"input": "hi"}, headers=headers)
    refused(response, 403, "forbidden_origin")


def test_the_servers_own_page_may_call(server: LiveServer) -> None:
    response = httpx.post(server.url + ROUTE, json={"input": "hi you"}, headers={"origin": server.url})
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


def test_cors_answers_only_the_sites_it_was_told() -> None:
    with live_server([FakeEngine()], cors=True, allowed_origins=("https://friend.example",)) as live:
        ask = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        good = httpx.options(live.url + ROUTE, headers={"origin": "https://friend.example", **ask})
        assert good.headers["access-control-allow-origin"] == "https://friend.example"
        bad = httpx.options(live.url + ROUTE, headers={"origin": "https://evil.example", **ask})
        assert "access-control-allow-origin" not in bad.headers


def test_the_network_is_not_served_without_keys() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vivavoce", "serve", "--host", "0.0.0.0", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "VIVAVOCE_API_KEYS" in done.stderr


# -- shutdown ------------------------------------------------------------------------------------------------------


def test_sigterm_finishes_what_is_being_spoken_and_exits_clean() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "vivavoce", "serve", "--port", "0", "--engines", "embedded"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        url = f"http://127.0.0.1:{found[1]}"
        while httpx.get(url + "/health").json()["models"] == []:
            time.sleep(0.05)
        text = "This is one of many sentences that are being spoken. " * 70
        with httpx.stream("POST", url + ROUTE, json={"input": text, "response_format": "pcm"}, timeout=60) as response:
            parts = response.iter_raw()
            size = len(next(parts))
            process.terminate()
            while httpx.get(url + "/readyz").status_code == 200:
                time.sleep(0.01)
            refusal = httpx.post(url + ROUTE, json={"input": "too late"})
            assert refusal.status_code == 503
            assert refusal.json()["error"]["code"] == "server_shutting_down"
            size += sum(len(part) for part in parts)  # raises where the body does not end as it should
        assert size > 2 * 24_000 * 60
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
