"""What tools send that say the wrong thing about their body, or nothing: read where it can be only one thing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fake_engine import FakeEngine
from live_server import LiveServer, live_server

ROUTE = "/v1/audio/speech"
BODY = json.dumps({"model": "tts-1", "voice": "alloy", "input": "Hello there.", "response_format": "wav"}).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine()]) as live:
        yield live


def post(server: LiveServer, body: bytes, content_type: str | None, **headers: str) -> httpx.Response:
    if content_type is not None:
        headers["content-type"] = content_type
    return httpx.post(server.url + ROUTE, content=body, headers=headers, timeout=30)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "*/*",
        "text/plain",
        "text/plain;charset=UTF-8",
        "text/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ],
)
def test_an_object_is_read_as_one_whatever_the_tool_says_it_is(server: LiveServer, content_type: str | None) -> None:
    for body in (BODY, b"\xef\xbb\xbf" + BODY, b"\r\n " + BODY):
        answer = post(server, body, content_type)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream"])
def test_what_is_no_object_is_told_what_to_send(server: LiveServer, content_type: str | None) -> None:
    answer = post(server, b"Hello there.", content_type)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content_type", ["text/html", "application/xml", "audio/wav"])
def test_a_type_that_means_something_else_is_refused(server: LiveServer, content_type: str) -> None:
    assert post(server, BODY, content_type).status_code == 415


def test_a_page_of_another_site_is_refused_whatever_type_it_names(server: LiveServer) -> None:
    """No preflight is asked for these types, so the Origin alone must do."""
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        assert post(server, BODY, content_type, origin="https://elsewhere.example").status_code == 403


def test_fields_of_a_plain_form(server: LiveServer) -> None:
    form = {
        "model": "tts-1",
        "voice": "alloy",
        "input": "Hello there, & more.",
        "speed": "1.0",
        "response_format": "wav",
    }
    answer = httpx.post(server.url + ROUTE, data=form, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    many = httpx.post(server.url + ROUTE, data={f"f{at}": "x" for at in range(100)})
    assert (many.status_code, many.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_an_empty_body_is_called_empty(server: LiveServer, content_type: str | None) -> None:
    answer = httpx.post(
        server.url + ROUTE + "?input=Hello", headers={} if content_type is None else {"content-type": content_type}
    )
    assert answer.status_code == 400
    assert "the body is empty" in answer.json()["error"]["message"]


def test_a_method_that_is_not_taken_is_told_which_one_is(server: LiveServer) -> None:
    answer = httpx.get(server.url + ROUTE + "?input=Hello")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "POST" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speed", "1.0"),
        ("speed", " 2 "),
        ("seed", "42"),
        ("sample_rate", "16000"),
        ("temperature", "0.7"),
        ("top_k", "5"),
    ],
)
def test_a_number_may_be_written_as_text(server: LiveServer, field: str, value: str) -> None:
    answer = httpx.post(server.url + ROUTE, json={"input": "Hello.", field: value}, timeout=30)
    assert answer.status_code == 200
    if field == "sample_rate":
        assert answer.headers["x-audio-sample-rate"] == "16000"


@pytest.mark.parametrize(
    ("field", "value"),
    [("speed", "fast"), ("speed", ""), ("speed", "nan"), ("seed", "1.5"), ("speed", True), ("voice", {})],
)
def test_what_is_no_number_or_name_is_refused_by_its_field(server: LiveServer, field: str, value: Any) -> None:
    answer = httpx.post(server.url + ROUTE, json={"input": "Hello.", field: value})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


@pytest.mark.parametrize(
    ("written", "kind", "rate"),
    [
        ("mp3_44100_128", "audio/mpeg", "44100"),
        ("audio/pcm;rate=16000", "audio/pcm", "16000"),
        (".flac", "audio/flac", None),
    ],
)
def test_a_format_may_name_its_rate(server: LiveServer, written: str, kind: str, rate: str | None) -> None:
    answer = httpx.post(server.url + ROUTE, json={"input": "Hello.", "response_format": written}, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert rate in (None, answer.headers["x-audio-sample-rate"])
