"""A client that stops reading soon holds no place on the machine, at any door, and is served when it reads on."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from chat_stand_in import DONE, ChatStandIn, chunk
from fake_engine import FakeEngine, FakeStream, wait_until
from live_server import LiveServer, live_server
from realtime_sdk import think_with
from vivavoce.audio.chunk import AudioChunk
from vivavoce.hosted.chat import HostedChat

TEXT = "word " * 40  # of a voice that needs a second for a letter: more than all buffers on the way hold


class NoisyEngine(FakeEngine):
    """Makes noise, which no codec makes small."""

    def advance(self, stream: FakeStream) -> AudioChunk:
        made = super().advance(stream)
        noise = np.random.default_rng(1).uniform(-0.5, 0.5, len(made.samples)).astype(np.float32)
        return AudioChunk(noise, made.sample_rate, made.words)


@pytest.fixture(scope="module")
def running() -> Iterator[LiveServer]:
    engine = NoisyEngine(["heart"], step_samples=24_000)
    with live_server([engine], preload=False, max_streams=1, queue_wait_s=0.0, stall_rest_s=0.1) as running:
        answer = [chunk(TEXT, finish="stop"), DONE]
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=ChatStandIn(answer)))
        yield running


@pytest.fixture
def server(running: LiveServer) -> Iterator[LiveServer]:
    yield running
    wait_until(lambda: running.server.synthesizer.speaking == 0)


def raw(port: int) -> socket.socket:
    """A connection that only the test reads; what TCP takes on for it is little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.settimeout(30)
    return sock


def posted(path: str, body: dict[str, object]) -> Callable[[LiveServer], socket.socket]:
    def ask(server: LiveServer) -> socket.socket:
        sock, data = raw(server.port), json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
        sock.sendall(head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        return sock

    return ask


def form(path: str, fields: dict[str, str]) -> Callable[[LiveServer], socket.socket]:
    def ask(server: LiveServer) -> socket.socket:
        sock = raw(server.port)
        request = httpx.Request("POST", server.url + path, files={k: (None, v) for k, v in fields.items()})
        data = request.read()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {request.headers['content-type']}\r\n"
        sock.sendall(head.encode() + f"Connection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        return sock

    return ask


def linked(server: LiveServer) -> socket.socket:
    body = {"input": TEXT, "response_format": "pcm"}
    url = httpx.post(server.url + "/v1/audio/speech?link=1", json=body).json()["url"]
    sock = raw(server.port)
    sock.sendall(f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    return sock


def over_websocket(path: str, *messages: dict[str, Any]) -> Callable[[LiveServer], socket.socket]:
    def ask(server: LiveServer) -> socket.socket:
        sock = raw(server.port)
        protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{server.port}{path}"))
        protocol.send_request(protocol.connect())
        sock.sendall(b"".join(protocol.data_to_send()))
        while b"\r\n\r\n" not in sock.recv(4096, socket.MSG_PEEK):
            pass
        for message in messages:
            sock.sendall(Frame(Opcode.TEXT, json.dumps(message).encode()).serialize(mask=True))
        return sock

    return ask


SAID = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Tell me a story."}]}
NATIVE = ({"type": "input.text", "text": TEXT}, {"type": "input.done"})
HTTP = {
    "speech": posted("/v1/audio/speech", {"input": TEXT, "response_format": "pcm"}),
    "speech as mp3": posted("/v1/audio/speech", {"input": TEXT}),
    "events": posted("/v1/audio/speech", {"input": TEXT, "response_format": "pcm", "stream_format": "sse"}),
    "whole": posted("/v1/audio/speech?sizes=exact", {"input": TEXT, "response_format": "wav"}),
    "link": linked,
    "Hugging Face": posted("/models/heart", {"inputs": TEXT}),
    "Xinference": form("/v1/audio/speech", {"kwargs": json.dumps({"input": TEXT}), "input": TEXT, "model": "heart"}),
    "hosted, spoken here": posted(
        "/v1/hosted/text-to-audio",
        {"json_description": {"api_url": "local:heart"}, "input_text": TEXT, "format": "wav"},
    ),
}
LIVE = {
    "native stream": over_websocket(
        "/v1/audio/speech/stream", {"type": "session.config", "sample_rate": 48_000}, *NATIVE
    ),
    "native stream in a burst": over_websocket(
        "/v1/audio/speech/stream", {"type": "session.config", "pace": "burst", "sample_rate": 48_000}, *NATIVE
    ),
    "conversation": over_websocket(
        "/v1/realtime?model=gpt-realtime",
        {"type": "conversation.item.create", "item": SAID},
        {"type": "response.create"},
    ),
    "read out aside": over_websocket(
        "/v1/realtime?model=gpt-realtime",
        {"type": "response.create", "response": {"conversation": "none", "input": [SAID]}},
    ),
}


def places(server: LiveServer) -> int:
    return server.server.synthesizer.load().admitted  # type: ignore[attr-defined,no-any-return]


def speaks(server: LiveServer) -> bool:
    answer = httpx.post(server.url + "/v1/audio/speech", json={"input": "Hi.", "response_format": "pcm"})
    return answer.status_code == 200


@pytest.mark.parametrize("ask", [pytest.param(ask, id=name) for name, ask in (HTTP | LIVE).items()])
def test_who_stops_reading_holds_no_place(server: LiveServer, ask: Callable[[LiveServer], socket.socket]) -> None:
    with closing(ask(server)) as sock:
        wait_until(lambda: places(server) == 1)
        wait_until(lambda: places(server) == 0)
        assert speaks(server), "others have its room"
        assert server.server.synthesizer.speaking == 1, "and it is still connected"
        assert sock.recv(100)


@pytest.mark.parametrize("ask", [pytest.param(HTTP[name], id=name) for name in ("speech", "events", "whole")])
def test_who_reads_on_hears_it_to_the_end(server: LiveServer, ask: Callable[[LiveServer], socket.socket]) -> None:
    with closing(ask(server)) as sock:
        wait_until(lambda: places(server) == 1)
        wait_until(lambda: places(server) == 0)
        received = b""
        while piece := sock.recv(1 << 20):
            received += piece
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"0\r\n\r\n"), "a body that was broken off has no last chunk"


def test_a_live_one_reads_on_too(server: LiveServer) -> None:
    with closing(LIVE["native stream in a burst"](server)) as sock:
        wait_until(lambda: places(server) == 1)
        wait_until(lambda: places(server) == 0)
        received = b""
        while b'"session.done"' not in received[-4000:]:
            received += sock.recv(1 << 20)
    assert b'"status":"completed"' in received[-4000:].replace(b" ", b"")
