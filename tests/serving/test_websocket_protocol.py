"""A flood is paid for by the connection that sends it: it is not read for a while, and nobody else notices."""

from __future__ import annotations

import json
import socket
from contextlib import suppress

import pytest
from websockets.sync.client import connect

from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from vivavoce.serving import uvicorn_server, websocket_protocol, work_budget
from vivavoce.serving.work_budget import WorkBudget

STREAM = "/v1/audio/speech/stream"
PONG = b"\x8a\x80\x00\x00\x00\x00"  # masked, empty
FRAGMENT = b"\x00\x80\x00\x00\x00\x00"  # a continuation of nothing, empty, not the last
HANDSHAKE = (
    f"GET {STREAM} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
MESSAGE = b"\x81\x82\x00\x00\x00\x00{}"


@pytest.mark.parametrize("frame", [PONG, MESSAGE], ids=["pongs", "messages"])
def test_a_flood_is_read_slowly(monkeypatch: pytest.MonkeyPatch, frame: bytes) -> None:
    monkeypatch.setattr(websocket_protocol, "OWN_SHARE", 0.001)
    monkeypatch.setattr(websocket_protocol, "OWN_BURST_S", 0.01)
    monkeypatch.setattr(uvicorn_server, "POT_SHARE", 0.001)
    monkeypatch.setattr(uvicorn_server, "POT_BURST_S", 0.01)
    monkeypatch.setattr(work_budget, "IN_DEBT_SHARE", 0.001)
    with live_server([FakeEngine()]) as live:
        client = open_stream(live)
        client.settimeout(1.0)
        sent = 0
        with suppress(TimeoutError, ConnectionError):
            while sent < 64 << 20:
                sent += client.send(frame * 10_000)
        client.close()
        assert sent < 64 << 20, "the server read all of it"
        with connect(f"ws://127.0.0.1:{live.port}{STREAM}") as other:
            assert "session.created" in str(other.recv())


def test_who_has_spent_his_budget_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it sends stays in the sockets' buffers."""
    monkeypatch.setattr(WorkBudget, "spend", lambda budget, work_s, now_s: 3600.0)
    with live_server([FakeEngine()]) as live, open_stream(live) as client:
        client.settimeout(1.5)
        sent = 0
        with suppress(TimeoutError):
            while sent < 64 << 20:
                sent += client.send((b"\x8a\xfd" + bytes(4) + b"x" * 125) * 500)
        assert sent < 64 << 20, "the server read all of it"


def test_messages_wait_outside_until_their_turn_comes() -> None:
    """Thousands in one read do not become thousands of objects."""
    with live_server([FakeEngine()]) as live, open_stream(live) as client:
        client.sendall(MESSAGE * 20_000)
        client.settimeout(20)
        got = b""
        with suppress(ConnectionError):
            while part := client.recv(65536):
                got += part
        assert b"rate_limit" in got or b"1008" in got or b"\x03\xf0" in got, "too many errors close it"


@pytest.mark.parametrize("cut", [0, 1, 600])
def test_a_client_that_does_not_wait_for_the_handshake_is_heard(cut: int) -> None:
    """Its first messages come in one packet with the handshake, or some of them do."""
    messages = frame({"type": "input.text", "text": "Hello. " * 90}) + frame({"type": "input.done"})
    with live_server([FakeEngine()]) as live, socket.create_connection(("127.0.0.1", live.port)) as client:
        client.settimeout(20)
        client.sendall(HANDSHAKE + messages[: len(messages) - cut])
        client.sendall(messages[len(messages) - cut :])
        got = b""
        while b"session.created" not in got or b'"audio.done"' not in got:
            part = client.recv(65536)
            assert part, got[-500:]
            got += part


def test_what_comes_before_the_handshakes_answer_is_bounded_too() -> None:
    with live_server([FakeEngine()]) as live, socket.create_connection(("127.0.0.1", live.port)) as client:
        client.settimeout(20)
        client.sendall(HANDSHAKE + b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4))
        got = b""
        with suppress(ConnectionError):
            while part := client.recv(65536):
                got += part
        assert b"session.created" not in got or b"\x03\xf1" in got, "1009: too big"


NOT_UTF_8 = b"\x81\x82\x00\x00\x00\x00\xff\xfe"
AFTER_THE_HANDSHAKE = {
    "a ping": (b"\x89\x81\x00\x00\x00\x00?", b"\x8a\x01?"),
    "a close": (b"\x88\x82\x00\x00\x00\x00\x03\xe8", b"\x88\x02\x03\xe8"),
    "a text that is none": (NOT_UTF_8, b"\x88"),
    "one in fragments": (b"\x01\x81\x00\x00\x00\x00\xc3\x80\x81\x00\x00\x00\x00\xc3", b"\x88"),
    "a reserved kind": (b"\x83\x80\x00\x00\x00\x00", b"\x88"),
    "a continuation of nothing": (b"\x80\x80\x00\x00\x00\x00", b"\x88"),
    "no mask": (b"\x81\x02{}", b"\x88"),
}


@pytest.mark.parametrize("kind", AFTER_THE_HANDSHAKE)
@pytest.mark.parametrize("is_early", [True, False], ids=["with the handshake", "after its answer"])
def test_the_handshake_is_answered_before_any_frame(
    kind: str, is_early: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever comes in its packet; and no stranger's bytes put a traceback into the log."""
    sent, answer = AFTER_THE_HANDSHAKE[kind]
    with live_server([FakeEngine()]) as live, socket.create_connection(("127.0.0.1", live.port)) as client:
        client.settimeout(20)
        client.sendall(HANDSHAKE + sent if is_early else HANDSHAKE)
        got = b"" if is_early else client.recv(65536)
        if not is_early:
            client.sendall(sent)
        while answer not in got:
            part = client.recv(65536)
            assert part, got[-500:]
            got += part
    assert got.startswith(b"HTTP/1.1 101 ")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("line", ["X: " + "y" * 9000, "Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_handshake_that_cannot_be_read_is_answered(line: str) -> None:
    """At once, and not by the end of the time that a handshake has."""
    with live_server([FakeEngine()]) as live, socket.create_connection(("127.0.0.1", live.port)) as client:
        client.settimeout(websocket_protocol.HANDSHAKE_TIMEOUT_S / 2)
        client.sendall(HANDSHAKE.replace(b"\r\n\r\n", b"\r\n" + line.encode() + b"\r\n\r\n"))
        got = b""
        while part := client.recv(65536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "invalid_http"


def pings_every(live: LiveServer, seconds: float) -> None:
    config = live.uvicorn_server.config
    config.ws_ping_interval = config.ws_ping_timeout = seconds


def test_who_sends_more_than_is_read_at_once_has_not_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer to a ping stands behind what it has sent before."""
    monkeypatch.setattr(websocket_protocol, "OWN_BURST_S", 0.0)
    monkeypatch.setattr(uvicorn_server, "POT_BURST_S", 0.0)
    with live_server([FakeEngine()]) as live:
        pings_every(live, 0.2)
        with connect(f"ws://127.0.0.1:{live.port}{STREAM}") as client:
            client.send(json.dumps({"type": "session.config", "pace": "burst"}))
            for _ in range(1000):
                client.send(json.dumps({"type": "input.text", "text": "a"}))
            client.send(json.dumps({"type": "input.done"}))
            while '"session.done"' not in str(client.recv(60)):
                pass
        with open_stream(live) as silent:
            silent.settimeout(60)
            got = b""
            while b"keepalive" not in got:
                got += silent.recv(65536)


def test_a_ping_behind_a_burst_of_sound_is_answered_soon() -> None:
    """A client that sends a recording at once is read at its own pace, and asks meanwhile whether anybody is there."""
    with live_server([FakeEngine()]) as live, open_stream(live):
        (protocol,) = live.uvicorn_server.server_state.connections
        sock = protocol.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 * websocket_protocol.RECEIVE_BUFFER_BYTES


def frame(message: dict[str, str]) -> bytes:
    """A text message, masked with nothing."""
    data = json.dumps(message).encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + data


def open_stream(live: LiveServer) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", live.port))
    client.settimeout(20)
    client.sendall(HANDSHAKE)
    assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
    return client
