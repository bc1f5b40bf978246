"""A wish that waits under a link: for whatever can only GET."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from decoders import decode_with_libsndfile
from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from vivavoce.errors import NotFound, RateLimited
from vivavoce.routes.speech_links import PATH, SpeechLinks, SpeechWish
from vivavoce.synthesis.speaker import SpeechRequest

KEY = "a-key-of-enough-characters"
HEADERS = {"Authorization": f"Bearer {KEY}"}


def wish(owner: str = "me") -> SpeechWish:
    return SpeechWish(SpeechRequest(text="Hello.", owner=owner), "mp3")


def name_of(url: str) -> str:
    assert url.startswith(PATH)
    return url.removeprefix(PATH)


def test_a_link_is_good_for_a_while_and_as_often_as_it_is_asked_for() -> None:
    links = SpeechLinks(lifetime_s=60.0)
    name = name_of(links.add(wish(), 0.0))
    assert name.endswith(".mp3")
    assert links.get(name, 1.0) == links.get(name, 59.0) == wish()
    with pytest.raises(NotFound):
        links.get(name, 60.0)
    with pytest.raises(NotFound):
        links.get("guessed.mp3", 0.0)


def test_each_owner_has_a_share_and_all_of_them_a_limit() -> None:
    links = SpeechLinks(share=2, capacity=3)
    first = name_of(links.add(wish("a"), 0.0))
    links.add(wish("a"), 0.0)
    with pytest.raises(RateLimited):
        links.add(wish("a"), 0.0)
    links.add(wish("b"), 0.0)
    links.add(wish("b"), 0.0)
    with pytest.raises(NotFound):
        links.get(first, 0.0)
    links.add(wish("a"), 60.0)


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="module")
def server(engine: FakeEngine) -> Iterator[LiveServer]:
    with live_server([engine], api_keys=(KEY,)) as running:
        yield running


def link(server: LiveServer, **fields: Any) -> httpx.Response:
    body = {"input": "Hello there.", **fields}
    return httpx.post(server.url + "/v1/audio/speech?link=1", json=body, headers=HEADERS)


def test_a_player_without_a_key_gets_what_was_wished_for(server: LiveServer) -> None:
    made = link(server, response_format="flac")
    assert made.status_code == 201
    url = made.json()["url"]
    assert made.headers["location"] == url
    assert made.json()["expires_in"] == 60
    assert "Hello" not in url
    posted = httpx.post(
        server.url + "/v1/audio/speech", json={"input": "Hello there.", "response_format": "flac"}, headers=HEADERS
    )
    for _ in range(2):
        got = httpx.get(server.url + url)
        assert (got.status_code, got.headers["content-type"]) == (200, "audio/flac")
        assert len(decode_with_libsndfile(got.content).samples) == len(decode_with_libsndfile(posted.content).samples)


def test_looking_costs_nothing(server: LiveServer, engine: FakeEngine) -> None:
    url = server.url + link(server).json()["url"]
    before = engine.steps
    head = httpx.head(url)
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "audio/mpeg", b"")
    assert engine.steps == before


def test_a_link_is_made_with_a_key_and_for_good_wishes_only(server: LiveServer) -> None:
    assert httpx.post(server.url + "/v1/audio/speech?link=1", json={"input": "Hi."}).status_code == 401
    assert link(server, voice="nobody").status_code == 404
    assert link(server, input=" ").json()["error"]["code"] == "empty_input"
    assert httpx.get(server.url + PATH + "guessed.mp3").json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("name", ["sizes", "wav_sizes"])
def test_flac_with_its_true_length_is_read_by_soundfile(server: LiveServer, name: str) -> None:
    body = {"input": "Hello there.", "response_format": "flac"}
    answer = httpx.post(server.url + "/v1/audio/speech", params={name: "exact"}, json=body, headers=HEADERS)
    total = int.from_bytes(answer.content[18:26], "big") & ((1 << 36) - 1)  # STREAMINFO: samples of the stream
    assert total == len(decode_with_libsndfile(answer.content).samples)
