"""A fixed number of odd inputs for every door; longer by hand with `make fuzz-wire`."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Iterator

import httpx
import pytest

from fake_engine import FakeEngine, wait_until
from live_server import LiveServer, live_server
from vivavoce.protocols.native.server_messages import Limits
from vivavoce.protocols.native.session import Session
from wire_fuzzer import HANDSHAKE, ODD_NUMBERS, frames, requests, throw, try_messages, try_offers

SEEDS = [1, 2, 3]


@pytest.mark.parametrize("seed", SEEDS)
def test_session_messages(seed: int) -> None:
    try_messages(random.Random(seed), 2000)


@pytest.mark.parametrize("seed", SEEDS)
def test_offers(seed: int) -> None:
    try_offers(random.Random(seed), 1500)


FIELDS = ("speed", "seed", "temperature", "top_k", "top_p", "repetition_penalty", "sample_rate")


@pytest.mark.parametrize("field", [*FIELDS, "played_ms"])
def test_a_number_of_any_length_is_a_value_or_an_error(server: LiveServer, field: str) -> None:
    kind = "playback.position" if field == "played_ms" else "session.config"
    for number in [json.dumps(each) for each in ODD_NUMBERS] + ["9" * 401, "-" + "9" * 4300, "1e400", "1e-400"]:
        session = Session("numbers", Limits(formats=("pcm",)), ())
        session.messages_to_send()
        text = '{"type": "%s", "utterance_index": 0, "%s": %s}' % (kind, field, number)  # noqa: UP031
        session.receive_message(text, 0.0)
        assert all("error" in str(told) for told in session.messages_to_send())
        if field == "played_ms":
            continue
        body = '{"input": "Hi.", "response_format": "pcm", "%s": %s}' % (field, number)  # noqa: UP031
        headers = {"content-type": "application/json"}
        answer = httpx.post(server.url + "/v1/audio/speech", content=body, headers=headers, timeout=20)
        assert answer.status_code in (200, 400), (number[:20], answer.text[:200])
        if answer.status_code == 400:
            assert answer.json()["error"]["param"] in (field, None)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine(step_samples=48)], max_connections=200) as running:
        yield running


@pytest.mark.parametrize("kind", ["http", "frames"])
async def test_bytes_of_a_connection(server: LiveServer, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    random_ = random.Random(12)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if kind == "http":
        await throw(server.port, requests(random_), 300)
    else:
        await throw(server.port, frames(random_), 150, before=HANDSHAKE)
    async with httpx.AsyncClient() as client:
        assert (await client.get(server.url + "/livez")).status_code == 200
        assert (await client.post(server.url + "/v1/audio/speech", json={"input": "Hi."})).status_code == 200
    assert "Traceback" not in caplog.text
    wait_until(lambda: server.metric("voice_open_sockets", transport="websocket") == 0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 150_000
