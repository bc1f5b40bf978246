"""What a voice leaves out of a text is told: a header that any proxy carries, an event among server-sent ones."""

from __future__ import annotations

import json
from urllib.parse import unquote

import httpx
import pytest

from fake_engine import FakeEngine
from live_server import live_server
from vivavoce.routes.left_out import MAX_HEADER, MORE, unspoken_event, unspoken_header
from vivavoce.synthesis.speaker import Unspoken


def told(*texts: str) -> str | None:
    value = unspoken_header([Unspoken(text, 0) for text in texts])
    return None if value is None else value.decode("ascii")


def test_nothing_left_out_is_no_header() -> None:
    assert told() is None


@pytest.mark.parametrize("texts", [["你好"], ["a, b", "c;d=e"], ["\r\nset-cookie: x", "\0", "%"], ["\ud800", "東京"]])
def test_parts_come_back_as_written_and_cannot_break_a_header(texts: list[str]) -> None:
    value = told(*texts)
    assert value is not None
    assert not set(value) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%-_.~, ")
    assert [unquote(part) for part in value.split(", ")] == [text.replace("\ud800", "?") for text in texts]


@pytest.mark.parametrize("texts", [["你" * 4000], ["好"] * 4000, ["x" * 2000], ["你好" * 56 + "ab", "c" * 30]])
def test_it_is_bounded_and_says_that_there_is_more(texts: list[str]) -> None:
    value = told(*texts)
    assert value is not None
    assert MAX_HEADER - 12 <= len(value) <= MAX_HEADER
    *parts, last = value.split(", ")
    assert last == MORE
    assert "".join(texts).startswith("".join(unquote(part, errors="strict") for part in parts))


def test_the_event_says_where_each_part_stands() -> None:
    assert unspoken_event([Unspoken("你好", 13)]) == {"parts": [{"text": "你好", "characters": [13, 15]}]}


def test_both_doors_of_a_server_tell_it_before_the_sound() -> None:
    wish = {"input": "All is fine. 你好", "response_format": "pcm"}
    with live_server([FakeEngine()]) as server:
        plain = httpx.post(server.url + "/v1/audio/speech", json=wish, timeout=30)
        assert plain.headers["x-unspoken"] == "%E4%BD%A0%E5%A5%BD"
        whole = httpx.post(server.url + "/v1/audio/speech", json={**wish, "input": "All is fine."}, timeout=30)
        assert "x-unspoken" not in whole.headers
        events = httpx.post(server.url + "/v1/audio/speech", json={**wish, "stream_format": "sse"}, timeout=30)
        first, second, *_ = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
        assert first == {"type": "speech.audio.unspoken", "parts": [{"text": "你好", "characters": [13, 15]}]}
        assert second["type"] == "speech.audio.delta"
