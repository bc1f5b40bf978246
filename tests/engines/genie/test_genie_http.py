"""A Genie voice through the whole server: sound leaves early, stops at once, and is never somebody else's."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_engine import wait_until
from live_server import LiveServer, live_server
from synthetic_genie_data import ReferenceClip, reference_clip
from vivavoce.audio.chunk import AudioChunk
from vivavoce.engines.genie.engine import GenieEngine
from vivavoce.engines.speech import SentenceStream

ROUTE = "/v1/audio/speech"
LONG = "さんぽにいきましょう。"


class Watch:
    """Notes the stage of every step; holds the engine once sound has left it until `release`."""

    def __init__(self, step: Callable[..., list[AudioChunk | None]]) -> None:
        self._step = step
        self._free = threading.Event()
        self._spoke = False
        self.stages: list[str] = []

    def __call__(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        if self._spoke:
            assert self._free.wait(60)
        self.stages.append(streams[0].stage)
        chunks = self._step(streams, threads=threads)
        self._spoke = self._spoke or any(chunk is not None and len(chunk.samples) for chunk in chunks)
        return chunks

    def release(self) -> None:
        self._free.set()

    @property
    def decodes(self) -> int:
        return self.stages.count("decode")


@pytest.fixture
def watch(engine: GenieEngine, monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch(engine.step)
    monkeypatch.setattr(engine, "step", watch)
    return watch


@pytest.fixture
def server(engine: GenieEngine) -> Iterator[LiveServer]:
    with live_server([engine], preload=False) as server:
        yield server


def request(voice: str, seed: int, text: str = LONG) -> dict[str, object]:
    return {"model": voice, "input": text, "response_format": "pcm", "seed": seed}


def test_sound_leaves_while_the_sentence_is_being_decoded(watch: Watch, server: LiveServer) -> None:
    with httpx.stream("POST", server.url + ROUTE, json=request("beta", 1), timeout=60) as response:
        parts = response.iter_raw()
        assert response.status_code == 200
        first = next(parts)
        assert any(first)
        assert watch.decodes == 14
        watch.release()
        sound = first + b"".join(parts)
    assert watch.decodes > 2 * 14
    assert len(sound) % (2 * 24_000 // 25) == 0, "whole tokens of 40 ms"


def test_a_client_that_leaves_stops_the_engine_within_one_step(
    watch: Watch, server: LiveServer, engine: GenieEngine
) -> None:
    with httpx.stream("POST", server.url + ROUTE, json=request("beta", 1), timeout=60) as response:
        next(response.iter_raw())
        before = len(watch.stages)
    wait_until(lambda: server.server.synthesizer.speaking == 0)
    watch.release()
    wait_until(lambda: server.metric("vivavoce_active_streams") == 0)
    again = httpx.post(server.url + ROUTE, json=request("beta", 2, "はい。"), timeout=60)
    assert again.status_code == 200
    new_sentence = watch.stages.index("prefill", 1)
    assert new_sentence - before <= 1


def test_eight_requests_over_two_voices_never_mix(server: LiveServer) -> None:
    requests = [request(voice, seed, "こんにちは。") for voice in ("alpha", "beta") for seed in (1, 2)]

    def sound(body: dict[str, object]) -> bytes:
        response = httpx.post(server.url + ROUTE, json=body, timeout=110)
        response.raise_for_status()
        return response.content

    alone = [sound(body) for body in requests]
    assert len(set(alone)) == len(alone)
    with ThreadPoolExecutor(8) as clients:
        together = list(clients.map(sound, requests * 2))
    assert together == alone * 2


@pytest.mark.parametrize("voice", ["alpha", "beta"])
def test_a_voice_speaks_like_a_recording_for_one_request(
    server: LiveServer, graph_cache: Path, voice: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With its own clip it speaks as ever, with another's otherwise; nothing of a recording reaches the disk."""

    def sound(clip: ReferenceClip | None) -> bytes:
        files = None if clip is None else {"prompt_speech": clip.path.read_bytes()}
        said = {} if clip is None else {"prompt_text": clip.text}
        wish = request(voice, 1)
        sent: dict[str, Any] = {"json": wish} if files is None else {"data": {**wish, **said}, "files": files}
        response = httpx.post(server.url + ROUTE, **sent, timeout=110)
        response.raise_for_status()
        return response.content

    own, other = (reference_clip(0), reference_clip(1)) if voice == "alpha" else (reference_clip(1), reference_clip(0))
    plain = sound(None)
    before = set(graph_cache.rglob("*"))
    assert sound(own) == plain
    changed = sound(other)
    assert any(changed)
    assert changed != plain
    assert sound(None) == plain
    assert set(graph_cache.rglob("*")) == before
    assert own.text not in caplog.text


def test_korean_with_the_words_that_were_written(server: LiveServer) -> None:
    text = "사과 3개를 coffee와 샀어요."
    body = {**request("alpha", 1, text), "stream_format": "sse", "timestamps": "word"}
    response = httpx.post(server.url + ROUTE, json=body, timeout=110)
    response.raise_for_status()
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]

    words = [word for event in events if event["type"] == "speech.audio.words" for word in event["words"]]
    assert [word["text"] for word in words] == ["사과", "3개를", "coffee와", "샀어요."]
    assert [text[slice(*word["characters"])] for word in words] == [word["text"] for word in words]
    assert all(a["end"] <= b["start"] for a, b in pairwise(words))
    sound = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
    assert any(sound)
    assert words[-1]["end"] <= len(sound) / 2 / 24_000 + 0.01
