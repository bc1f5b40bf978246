"""What a stranger may make a connection keep, and for how long: header lines, waiting requests, bodies, trailers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server
from vivavoce.serving import http_protocol

KEY = "correct-horse-battery"
MUCH = 64 << 20  # bytes, more than sockets hold
HEAD = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], api_keys=(KEY,)) as live:
        yield live


@contextmanager
def connection(server: LiveServer) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(20)
        yield client


def answers(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    got = b""
    with suppress(ConnectionResetError):
        while part := client.recv(65536):
            got += part
    return got


def push(client: socket.socket, piece: bytes, most: int) -> int:
    """Send `piece` again and again until the server has had enough. Returns the bytes that left."""
    sent = 0
    with suppress(ConnectionError):
        while sent < most:
            client.sendall(piece)
            sent += len(piece)
    return sent


@pytest.mark.parametrize(
    "head",
    [
        b"X-A: " + b"a" * 40_000 + b"\r\n",
        b"X-B: b\r\n" * 101,
        b"X-C: " + b"c" * 500 + b"\r\n" + (b"X-D: " + b"d" * 900 + b"\r\n") * 50,
    ],
)
def test_headers_have_a_limit(server: LiveServer, head: bytes) -> None:
    with connection(server) as client:
        client.sendall(b"GET /health HTTP/1.1\r\n" + HEAD + head + b"\r\n")
        answer = answers(client)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"headers_too_large"' in answer


def test_an_address_has_a_limit(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(b"GET /health?" + b"q" * 9000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert answers(client).startswith(b"HTTP/1.1 431 ")


def test_ninety_headers_are_fine(server: LiveServer) -> None:
    with connection(server) as client:
        lines = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 200) for i in range(90))
        client.sendall(b"GET /health HTTP/1.1\r\n" + HEAD + lines + b"Connection: close\r\n\r\n")
        assert answers(client).startswith(b"HTTP/1.1 200 ")


def test_a_line_without_end_is_not_kept(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(b"GET /health HTTP/1.1\r\n" + HEAD + b"X-Long: ")
        sent = push(client, b"y" * 65536, MUCH)
    assert sent < MUCH, "the server took all of it"


def test_nonsense_is_answered_as_an_error(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        answer = answers(client)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"invalid_http"' in answer


def test_requests_that_wait_have_a_limit() -> None:
    gate = StepGate()
    body = b'{"input": "hello there"}'
    speak = (
        b"POST /v1/audio/speech HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    with live_server([FakeEngine(before_step=gate)]) as live:
        with connection(live) as client:
            client.sendall(speak % len(body) + body)
            wait_until(lambda: live.server.synthesizer.speaking == 1)
            sent = push(client, (b"GET /health HTTP/1.1\r\n" + HEAD + b"\r\n") * 1000, MUCH)
            assert sent < MUCH, "the server took all of it"
            gate.open()
        wait_until(lambda: live.server.synthesizer.speaking == 0)
        assert httpx.get(live.url + "/health").status_code == 200


def test_a_few_requests_in_a_row_are_answered_in_order(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(
            b"".join(b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HEAD) for path in (b"/livez", b"/nope", b"/livez"))
        )
        client.sendall(b"GET /health HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
        answer = answers(client)
    assert [int(part.split(b" ")[0]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 401, 200, 200]


def test_a_body_that_nobody_reads_ends_the_connection(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "LINGER_S", 0.1)
    with connection(server) as client:
        client.sendall(b"POST /nope HTTP/1.1\r\n" + HEAD + b"Content-Length: 60000\r\n\r\nx")
        assert answers(client).startswith(b"HTTP/1.1 401 ")


def test_a_body_that_never_ends_has_a_deadline(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_S", 0.1)
    with connection(server) as client:
        client.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer " + KEY.encode() +
            b"\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )  # fmt: skip
        assert answers(client) == b""


@pytest.mark.parametrize("between", [b"", b"\r\n", b"GET"])
def test_a_kept_connection_waits_for_no_request_for_ever(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch, between: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "HEADERS_TIMEOUT_S", 0.1)
    with connection(server) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\n" + HEAD + b"\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += client.recv(65536)
        if between:
            client.sendall(between)
        assert answers(client) == b""


def test_an_answer_outlives_the_deadline_of_its_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEADERS_TIMEOUT_S", 0.2)
    monkeypatch.setattr(http_protocol, "BODY_TIMEOUT_S", 0.2)
    gate = StepGate()
    with live_server([FakeEngine(before_step=gate)]) as live, httpx.Client(timeout=30) as client:
        client.get(live.url + "/livez")  # a kept connection
        live.loop.call_soon_threadsafe(live.loop.call_later, 0.6, gate.open)
        assert client.post(live.url + "/v1/audio/speech", json={"input": "hi there"}).status_code == 200


def test_a_trailer_is_no_header(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"17\r\n" + b'{"input": "hello you."}' + b"\r\n0\r\nAuthorization: Bearer " + KEY.encode() + b"\r\n\r\n"
        )
        assert answers(client).startswith(b"HTTP/1.1 401 ")


def test_trailers_have_a_limit(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer " + KEY.encode() +
            b"\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        )  # fmt: skip
        assert push(client, b"X-T: " + b"t" * 1000 + b"\r\n", MUCH) < MUCH


def test_a_client_of_http_1_0_gets_no_chunks(server: LiveServer) -> None:
    body = b'{"input": "Hello there.", "response_format": "pcm"}'
    with connection(server) as client:
        client.sendall(
            b"POST /v1/audio/speech HTTP/1.0\r\n" + HEAD + b"Authorization: Bearer " + KEY.encode() +
            b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )  # fmt: skip
        head, _, sound = answers(client).partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert b"transfer-encoding" not in head.lower()
    headers = {"authorization": f"Bearer {KEY}"}
    same = httpx.post(
        server.url + "/v1/audio/speech", content=body, headers={**headers, "content-type": "application/json"}
    )
    assert sound == same.content != b""


def test_a_length_is_told_to_clients_of_http_1_0(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(b"GET /livez HTTP/1.0\r\n" + HEAD + b"\r\n")
        head, _, body = answers(client).partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head.lower()


def chunked(body: bytes) -> bytes:
    """The head of a request with a key, and what stands in place of its body."""
    return (
        b"POST /v1/audio/speech HTTP/1.1\r\n" + HEAD + b"Authorization: Bearer " + KEY.encode() +
        b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body
    )  # fmt: skip


@pytest.mark.parametrize("size", [b"-1", b"0x17", b"xyz", b"fffffffffffffffff"])
def test_a_chunk_of_no_size_is_answered(server: LiveServer, size: bytes) -> None:
    with connection(server) as client:
        client.sendall(chunked(size + b'\r\n{"input": "hello you."}\r\n0\r\n\r\n'))
        got = answers(client)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"invalid_http" in got


def test_extensions_of_chunks_have_a_limit(server: LiveServer) -> None:
    with connection(server) as client:
        client.sendall(chunked(b"1;a="))
        assert push(client, b"b" * 16384, MUCH) < MUCH
    with connection(server) as client:
        client.sendall(chunked(b""))
        assert push(client, b"1;" + b"c" * 500 + b"\r\n \r\n", MUCH) < MUCH


def test_a_body_in_chunks_of_one_byte_is_read(server: LiveServer) -> None:
    body = b'{"input": "hello you.", "instructions": "%s"}' % (b"x" * 4000)
    with connection(server) as client:
        client.sendall(chunked(b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"))
        assert answers(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked", b"identity", b"xchunked"])
def test_other_transfer_codings_are_refused(server: LiveServer, coding: bytes) -> None:
    request = chunked(b'17\r\n{"input": "hello you."}\r\n0\r\n\r\n').replace(b"g: chunked", b"g: " + coding)
    with connection(server) as client:
        client.sendall(request)
        assert answers(client).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        (b"http://127.0.0.1/livez", b"Host: 127.0.0.1\r\n", b"200"),
        (b"http://127.0.0.1:9/livez?x", b"Host: evil.example\r\n", b"200"),
        (b"http://evil.example/livez", b"Host: 127.0.0.1\r\n", b"403"),
        (b"HTTP://evil.example/", b"Host: 127.0.0.1\r\n", b"403"),
        (b"/livez", b"Host: evil.example\r\nHost: 127.0.0.1\r\n", b"400"),
        (b"/livez", b"Host: 127.0.0.1\r\nhost: 127.0.0.1\r\n", b"400"),
        (b"/livez", b"Host: evil@127.0.0.1\r\n", b"403"),
        (b"/livez", b"Host: 127.0.0.1/x\r\n", b"403"),
        (b"/livez", b"Host: 127.0.0.1:x\r\n", b"403"),
        (b"/livez", b"Host: [::1]:80\r\n", b"200"),
        (b"/livez", b"Host: localhost.\r\n", b"200"),
        (b"/livez", b"Host: 127.0.0.1 evil\r\n", b"403"),
    ],
)
def test_a_request_has_one_host(server: LiveServer, request_line: bytes, hosts: bytes, status: bytes) -> None:
    with connection(server) as client:
        client.sendall(b"GET " + request_line + b" HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
        assert answers(client).startswith(b"HTTP/1.1 " + status)
