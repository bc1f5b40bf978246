"""What no test noticed when it was taken out: each of these fails where its mend is gone (`tests/mutants.py`)."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx
import pytest
from websockets.sync.client import connect

from fake_engine import FakeEngine, wait_until
from live_server import LiveServer, live_server
from vivavoce.config import WebRTCSettings
from vivavoce.draining import Draining
from vivavoce.errors import NotFound, Overloaded, RateLimited
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import Close
from vivavoce.serving import websocket_protocol
from vivavoce.serving.shares import Shares
from vivavoce.serving.uvicorn_server import uvicorn_options
from vivavoce.transports.carried import Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc import calls as calls_module
from vivavoce.transports.webrtc.call import MAX_BUFFERED_BYTES, Call
from vivavoce.transports.webrtc.calls import Calls
from vivavoce.transports.websocket import WebSocketConnection

KEY, OTHER_KEY = "a-key-of-enough-characters", "another-key-of-enough-characters"
OFFER = (
    b"v=0\r\na=fingerprint:sha-256 " + b":".join([b"0a"] * 32) + b"\r\n"
    b"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], api_keys=(KEY, OTHER_KEY), body_timeout_s=0.3) as running:
        yield running


# -- WebSockets ------------------------------------------------------------------------------------------------------


def test_frames_are_not_deflated_and_vanished_clients_are_found(server: LiveServer) -> None:
    options = uvicorn_options()
    assert options["ws_per_message_deflate"] is False
    assert 0 < options["ws_ping_interval"] <= 30
    assert 0 < options["ws_ping_timeout"] <= 30
    address = f"ws://127.0.0.1:{server.port}/v1/audio/speech/stream"
    with connect(address, additional_headers={"x-api-key": KEY}, compression="deflate") as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


def upgrade(port: int) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    raw.sendall(
        b"GET /v1/audio/speech/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"X-API-Key: " + KEY.encode() + b"\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    return raw


def test_a_handshake_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "HANDSHAKE_TIMEOUT_S", 0.1)
    with live_server([FakeEngine()], api_keys=(KEY,)) as live:

        async def never(owner: str) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr("vivavoce.routes.live.WebSockets.serve", lambda *a, **k: never(""))
        with upgrade(live.port) as raw:
            assert raw.recv(100) == b""


def test_a_client_that_is_given_up_and_reads_nothing_is_gone_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_protocol, "GRACE_S", 0.1)
    with live_server([FakeEngine(step_samples=24_000)], stall_timeout_s=0.3) as live:
        book = live.uvicorn_server.config.ws.keywords["book"]  # type: ignore[union-attr]
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", live.port))
        with raw:
            raw.sendall(
                b"GET /v1/audio/speech/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            for message in (
                {"type": "session.config", "pace": "burst", "sample_rate": 48000},
                {"type": "input.text", "text": "word " * 700},
                {"type": "input.done"},
            ):
                data = json.dumps(message).encode()
                head = bytes([0x81, 0x80 | 126]) + len(data).to_bytes(2, "big")
                raw.sendall(head + b"\0\0\0\0" + data)
            wait_until(lambda: len(book) == 1)
            wait_until(lambda: len(book) == 0)  # although what was written never left


class Session:
    """A `Carried` that only listens."""

    hears = False
    closing: Close | None = None

    def __init__(self) -> None:
        self.active_s = asyncio.get_running_loop().time()
        self.received: list[str | bytes] = []
        self.due: list[list[str | bytes]] = []

    def receive(self, data: str | bytes) -> None:
        self.received.append(data)

    def hear(self, samples: object) -> None: ...

    async def next_messages(self) -> list[str | bytes]:
        if self.due:
            return self.due.pop(0)
        await asyncio.Event().wait()
        return []

    async def run(self) -> None:
        await asyncio.Event().wait()

    def close(self, code: int, reason: str) -> None: ...
    def drain(self) -> None: ...


async def test_messages_are_read_as_they_come() -> None:
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    for k in range(500):
        incoming.put_nowait({"type": "websocket.receive", "text": str(k)})
    session = Session()

    async def send(message: Any) -> None: ...

    from fastapi import WebSocket

    scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": [], "extensions": {}}
    with ThreadPoolExecutor(1) as threads:
        websocket = WebSocket(scope, incoming.get, send)
        connection = WebSocketConnection(websocket, lambda _: session, threads, Patience(), owner="me")
        serving = asyncio.create_task(connection.serve(Connections(Shares("x", 1), Draining(), Metrics())))
        for _ in range(5000):
            await asyncio.sleep(0)
        assert len(session.received) == 500
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


# -- calls -----------------------------------------------------------------------------------------------------------


class SlowCall:
    """A `Call` whose offer is still being answered."""

    made: ClassVar[list[SlowCall]] = []

    def __init__(self, id: str, owner: str, *args: object, **kwargs: object) -> None:
        self.id, self.owner = id, owner
        self.hung_up = False
        self.made.append(self)

    async def answer(self, offer: str) -> str:
        await asyncio.Event().wait()
        return ""

    def hang_up(self) -> None:
        self.hung_up = True

    async def close(self) -> None: ...


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Calls]:
    monkeypatch.setattr(calls_module, "Call", SlowCall)
    SlowCall.made.clear()

    def make(max_calls: int, share: float = 1.0) -> Calls:
        draining, metrics = Draining(), Metrics()
        connections = Connections(Shares("live connections", 100), draining, metrics)
        settings = WebRTCSettings(max_calls=max_calls)
        return Calls(settings, Patience(), allow_private=True, share=share, connections=connections, draining=draining)

    return make


def carry(carrier: object) -> Any: ...


async def opening(calls: Calls, owner: str) -> asyncio.Task[tuple[str, str]]:
    task = asyncio.create_task(calls.open(OFFER, owner, carry))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_offers_count_while_they_come(calls: Callable[..., Calls]) -> None:
    made = calls(2)
    waiting = [await opening(made, "me") for _ in range(2)]
    with pytest.raises(Overloaded):
        await made.open(OFFER, "you", carry)
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    waiting.append(await opening(made, "you"))
    assert len(made) == 2
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(made) == 0


async def test_one_owner_leaves_calls_for_the_others(calls: Callable[..., Calls]) -> None:
    made = calls(4, share=0.5)
    waiting = [await opening(made, "me") for _ in range(2)]
    with pytest.raises(RateLimited):
        await made.open(OFFER, "me", carry)
    waiting.append(await opening(made, "you"))
    assert len(made) == 3
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_nobody_hangs_up_anothers_call(calls: Callable[..., Calls]) -> None:
    made = calls(2)
    task = await opening(made, "me")
    (call,) = SlowCall.made
    for wrong in ((call.id, "you"), ("call_x", "me")):
        with pytest.raises(NotFound):
            made.hang_up(*wrong)
    assert not call.hung_up
    made.hang_up(call.id, "me")
    assert call.hung_up
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_data_channel_is_not_filled_without_end() -> None:
    session = Session()
    session.due = [["one", "two", "three"]]
    with ThreadPoolExecutor(1) as threads:
        call = Call("id", "me", lambda _: session, (), threads, Patience(stall_s=20), channel="speech")
        sent: list[str | bytes] = []
        listeners: dict[str, Callable[[], None]] = {}
        channel: Any = SimpleNamespace(
            label="speech", readyState="open", bufferedAmount=0, bufferedAmountLowThreshold=0, send=sent.append,
            on=listeners.__setitem__,
        )  # fmt: skip
        call.on_channel(channel)
        channel.bufferedAmount = MAX_BUFFERED_BYTES
        sending = asyncio.create_task(call.send_messages())
        for _ in range(20):
            await asyncio.sleep(0)
        assert sent == ["one"]
        channel.bufferedAmount = 0
        listeners["bufferedamountlow"]()
        for _ in range(20):
            await asyncio.sleep(0)
        assert sent == ["one", "two", "three"]
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await call.close()


# -- HTTP ------------------------------------------------------------------------------------------------------------

FORMS = ["/v1/audio/voices", "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/realtime/calls"]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_has_a_time_limit(server: LiveServer, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(
            b"POST " + path.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: " + KEY.encode() +
            b"\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000\r\n\r\n--x\r\n"
        )  # fmt: skip
        answer = raw.recv(65536)
    assert answer.split(b" ")[1] == b"408", answer


def test_no_path_makes_a_metric_of_its_own(server: LiveServer) -> None:
    def series() -> int:
        return sum(len(family.samples) for family in server.server.metrics.registry.collect())

    def ask(path: str) -> None:
        for headers in ({}, {"x-api-key": KEY}):
            httpx.get(f"{server.url}/{path}", headers=headers)
            httpx.post(f"{server.url}/v1/{path}", headers=headers, json={"input": "x", "voice": path})

    ask("first")
    before = series()
    for _ in range(10):
        ask(secrets.token_hex(6))
    assert series() == before


def test_the_log_holds_no_key_no_text_and_no_offer(server: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="vivavoce")
    wrong, said, named = secrets.token_hex(12), secrets.token_hex(12), secrets.token_hex(12)
    httpx.get(server.url + "/v1/models", headers={"authorization": f"Bearer {wrong}"})
    httpx.get(server.url + f"/v1/models/{named}", headers={"x-api-key": KEY})
    for body in (OFFER + b"a=" + said.encode(), b"v=0 " + said.encode()):
        headers = {"x-api-key": KEY, "content-type": "application/sdp"}
        httpx.post(server.url + "/v1/audio/speech/calls", content=body, headers=headers, timeout=20)
    address = f"ws://127.0.0.1:{server.port}/v1/audio/speech/stream"
    with connect(address, additional_headers={"x-api-key": KEY}) as client:
        for message in ({"type": "input.text", "text": said}, {"type": said}, {"type": "input.done"}):
            client.send(json.dumps(message))
        while json.loads(heard)["type"] != "session.done" if isinstance(heard := client.recv(20), str) else True:
            pass
    httpx.post(server.url + "/v1/audio/speech", headers={"x-api-key": KEY}, json={"input": said}, timeout=20)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("vivavoce"))
    for secret in (wrong, said, named, KEY):
        assert secret not in ours
