"""Every number that is published moves: a walk through all of them, each fed by what it is about."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from fake_engine import FakeEngine, wait_until
from live_server import LiveServer, live_server
from vivavoce.audio.chunk import AudioChunk
from vivavoce.metrics import Metrics

KEY = "a-key-of-enough-characters"
HEADERS = {"x-api-key": KEY}


class BadEngine(FakeEngine):
    """Some of its samples are no numbers."""

    def step(self, streams: Sequence[Any], *, threads: int) -> list[AudioChunk | None]:
        chunks = super().step(streams, threads=threads)
        for chunk in chunks:
            if chunk is not None and len(chunk.samples):
                chunk.samples[0] = np.nan
        return chunks


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    engine = BadEngine(("alpha",), missing=("gone",))
    with live_server([engine], api_keys=(KEY,), admission_share=0.85, preload=False) as running:
        yield running


def families(metrics: Metrics) -> dict[str, float]:
    """Every published family and the sum of what it has counted."""
    counted = {}
    for family in metrics.registry.collect():
        samples = [s for s in family.samples if not s.name.endswith(("_created", "_bucket", "_sum"))]
        counted[family.name] = sum(abs(sample.value) for sample in samples)
    return counted


def everything(server: LiveServer) -> None:
    """What moves them, all but those named in `ELSEWHERE`."""
    url = server.url
    httpx.get(url + "/v1/models")
    httpx.get(url + "/v1/models/nope", headers=HEADERS)
    for voice in ("alpha", "gone", "nobody"):
        httpx.post(
            url + "/v1/audio/speech", headers=HEADERS, json={"input": "Hello there.", "voice": voice}, timeout=20
        )
    with connect(f"ws://127.0.0.1:{server.port}/v1/audio/speech/stream", additional_headers=HEADERS) as client:
        client.send(json.dumps({"type": "input.text", "text": "word " * 400}))
        client.send(json.dumps({"type": "input.done"}))
        while isinstance(client.recv(20), str):
            pass
        assert server.metric("voice_open_sockets", transport="websocket") == 1
        assert server.metric("voice_active_streams", transport="websocket") == 1
        wait_until(lambda: server.metric("voice_rt_load_ratio") > 0)
        share = server.metric("voice_rt_capacity_ratio")
        speaker: Any = server.server.synthesizer
        speaker.admission.underrun(time.monotonic() + 10)
        assert server.metric("voice_rt_capacity_ratio") < share
        client.send(json.dumps({"type": "input.cancel"}))
        with suppress(TimeoutError):
            while client.recv(1):
                pass


# What needs a fault, a listener that runs dry or a recognizer is moved by the tests of whoever feeds it.
ELSEWHERE: dict[str, str] = {
    "voice_underruns": "tests/synthesis/test_synthesizer.py",
    "voice_underrun_seconds": "tests/synthesis/test_synthesizer.py",
    "voice_decoder_deaths": "tests/decoding/test_service.py",
    "voice_active_hearings": "tests/routes/test_transcriptions.py",
    "voice_heard_seconds": "tests/routes/test_transcriptions.py",
    "voice_rt_load_ratio": "here, while it speaks",
    "voice_rt_capacity_ratio": "here, after an underrun",
    "voice_open_sockets": "here, while it is open",
    "voice_active_streams": "here, while it speaks",
}


def test_every_number_moves(server: LiveServer) -> None:
    before = families(server.server.metrics)
    everything(server)

    def still() -> set[str]:
        after = families(server.server.metrics)
        return {name for name in after if after[name] == before.get(name, 0.0)} - ELSEWHERE.keys()

    with suppress(AssertionError):
        wait_until(lambda: not still(), timeout_s=10)
    assert still() == set()


def test_what_is_moved_elsewhere_is_published(server: LiveServer) -> None:
    assert families(server.server.metrics).keys() >= ELSEWHERE.keys()


@pytest.mark.parametrize("name", [name for name, where in ELSEWHERE.items() if where.startswith("tests/")])
def test_the_tests_elsewhere_ask_for_it(name: str, request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / ELSEWHERE[name]).read_text()
    assert name in text or name.removeprefix("voice_") in text
