"""What the WebSocket does when clients misbehave, vanish or are many: the right code, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server
from stream_client import StreamClient, stream_client

LONG = "a" * 4000 + "."  # 80 s of speech


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="module")
def server(engine: FakeEngine) -> Iterator[LiveServer]:
    with live_server([engine]) as running:
        yield running


def open_sockets(server: LiveServer) -> float:
    return server.metric("voice_open_sockets", transport="websocket")


def assert_nothing_left(server: LiveServer, engine: FakeEngine) -> None:
    """No connection, no utterance, no stream of the engine, no task."""
    wait_until(lambda: open_sockets(server) == 0)
    wait_until(lambda: not engine.open_streams)
    assert server.server.synthesizer.speaking == 0
    assert server.metric("voice_active_streams", transport="websocket") == 0
    wait_until(lambda: not [name for name in server.tasks() if name.startswith("utterance")])


async def speaks(port: int) -> bool:
    """Whether the server serves one more client as if nothing had happened."""
    async with stream_client(port) as client:
        await client.say("Hello there.")
        return bool((await client.until("session.done")).done["status"] == "completed")


# -- nonsense on the wire


def masked(opcode: int, payload: bytes) -> bytes:
    """A frame as a client sends it, with a mask of zeros."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\0\0\0\0" + payload


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(masked(3, b""), 1002, id="reserved opcode"),
        pytest.param(bytes([0x81, 0x02]) + b"{}", 1002, id="not masked"),
        pytest.param(bytes([0xC1, 0x82]) + b"\0\0\0\0{}", 1002, id="reserved bit"),
        pytest.param(masked(1, b"\xff\xfe"), 1007, id="not UTF-8"),
        pytest.param(bytes([0x81, 0xFF]) + (300 * 1024).to_bytes(8, "big") + b"\0\0\0\0", 1009, id="too big"),
        pytest.param(masked(2, b"\0\1"), 1003, id="binary where text is due"),
    ],
)
async def test_what_cannot_be_read_closes_with_its_code(server: LiveServer, frame: bytes, code: int) -> None:
    async with stream_client(server.port) as client:
        client.socket.transport.write(frame)
        assert (await client.closed())[0] == code
    assert await speaks(server.port)


async def test_a_message_just_over_the_limit_is_answered_before_the_close(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("input.text", text="a" * (256 * 1024))
        code, reason, said = await client.closed()
    assert (code, reason) == (1009, "payload_too_large")
    assert said[0]["error"]["code"] == "payload_too_large"


async def test_a_flood_of_controls_is_answered_and_closed(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        for _ in range(21):
            await client.send("input.cancel")
        code, reason, said = await client.closed()
    assert (code, reason) == (1008, "rate_limit_exceeded")
    assert [m["error"]["code"] for m in said] == ["rate_limit_exceeded"]


async def test_errors_without_end_close_the_connection(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        for _ in range(11):
            await client.send("no.such.message")
        code, _, said = await client.closed()
    assert code == 1008
    assert len(said) == 11


async def test_text_over_the_limit_is_refused_and_what_was_taken_is_spoken(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("session.config", pace="burst")
        await client.send("input.text", text="Hello. ")
        await client.send("input.text", text="a" * 9000)
        await client.send("input.done")
        spoken = await client.until("session.done")
    assert [m["error"]["code"] for m in spoken.messages if m["type"] == "error"] == ["string_above_max_length"]
    assert "".join(m["sentence_text"] for m in spoken.messages if m["type"] == "audio.start") == "Hello. "
    assert spoken.done["status"] == "completed"


async def test_an_idle_connection_is_closed() -> None:
    with live_server([FakeEngine()], idle_timeout_s=0.3) as server:
        async with stream_client(server.port) as client:
            code, reason, said = await client.closed()
    assert (code, reason, [m["type"] for m in said]) == (1001, "idle_timeout", ["session.closing"])


async def test_an_utterance_that_waits_for_text_for_ever_is_closed_too() -> None:
    engine = FakeEngine()
    with live_server([engine], idle_timeout_s=0.3) as server:
        async with stream_client(server.port) as client:
            await client.send("input.text", text="Hel")
            code, _, _ = await client.closed()
            assert code == 1001
        assert_nothing_left(server, engine)


# -- cancel


async def test_cancel_stops_the_engine_within_one_step_and_nothing_follows() -> None:
    gate = StepGate(allowed=3)
    engine = FakeEngine(before_step=gate)
    with live_server([engine], workers=1) as server:
        async with stream_client(server.port) as client:
            await client.say(LONG)
            spoken = await client.until("audio")
            await client.send("input.cancel")
            await client.until("session.done", spoken)
            assert spoken.done["status"] == "cancelled"
            wait_until(lambda: server.server.synthesizer.speaking == 0)
            gate.allow(1)  # the step that was under way
            wait_until(lambda: not engine.open_streams)
            assert engine.steps <= 4
            gate.open()
            await client.say("Hi.")
            following = await client.until("session.done")
            assert {m["utterance_index"] for m in following.messages} == {1}
            assert len(following.samples) == 3 * 480
        assert_nothing_left(server, engine)


async def test_a_thousand_cancels_at_random_times(server: LiveServer, engine: FakeEngine) -> None:
    """50 connections with 20 cancels each: one end an utterance, no sound after it."""
    dice = random.Random(1)

    async def one_connection() -> int:
        async with stream_client(server.port) as client:
            for index in range(20):
                await client.send("input.text", text="Some words, and more words. " * 4)
                await asyncio.sleep(dice.choice([0, 0, dice.random() * 0.02]))
                await client.send("input.cancel")
                if dice.random() < 0.5:
                    await client.send("input.done")
                spoken = await client.until("session.done")
                assert {m["utterance_index"] for m in spoken.messages} == {index}
                assert spoken.types.count("session.done") == 1
                assert not spoken.audio or "audio.start" in spoken.types
                assert spoken.done["status"] == "cancelled"
        return index + 1

    async def some_connections() -> int:
        return sum([await one_connection() for _ in range(5)])

    cancelled = await asyncio.gather(*(some_connections() for _ in range(10)))
    assert sum(cancelled) == 1000
    assert_nothing_left(server, engine)
    assert await speaks(server.port)


@pytest.mark.parametrize("order", ["cancel cancel", "done cancel", "cancel done cancel"])
async def test_cancel_races_end_once(server: LiveServer, order: str) -> None:
    async with stream_client(server.port) as client:
        await client.send("input.text", text="Hello there, and more. ")
        for kind in order.split():
            await client.send(f"input.{kind}")
        spoken = await client.until("session.done")
        await client.say("Hi.")
        following = await client.until("session.done")
    assert spoken.done["utterance_index"] == 0
    ends = [m["utterance_index"] for m in following.messages if m["type"] == "session.done"]
    assert ends == [1]


# -- clients that vanish or do not read


async def test_a_client_that_goes_stops_its_speech() -> None:
    gate = StepGate(allowed=3)
    engine = FakeEngine(before_step=gate)
    with live_server([engine], workers=1) as server:
        async with stream_client(server.port) as client:
            await client.say(LONG)
            await client.until("audio")
            client.socket.transport.abort()
        wait_until(lambda: open_sockets(server) == 0)
        gate.allow(1)
        assert_nothing_left(server, engine)
        assert engine.steps <= 4
        gone = {"route": "websocket", "outcome": "cancelled", "reason": "client_gone"}
        assert server.metric("voice_requests_total", **gone) == 1


def raw_client(port: int) -> socket.socket:
    """A connection that only this test reads, with a small buffer: what TCP takes on for it is little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/v1/audio/speech/stream"))
    protocol.send_request(protocol.connect())
    sock.sendall(b"".join(protocol.data_to_send()))
    sock.settimeout(20)
    while b"\r\n\r\n" not in sock.recv(4096, socket.MSG_PEEK):
        pass
    return sock


def say(sock: socket.socket, kind: str, **fields: object) -> None:
    frame = Frame(Opcode.TEXT, json.dumps({"type": kind, **fields}).encode())
    sock.sendall(frame.serialize(mask=True))


def read_to_the_end(sock: socket.socket) -> bytes:
    received = b""
    try:
        while piece := sock.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("reads", [0, 2000], ids=["silent", "slow"])
async def test_a_client_that_does_not_read_is_dropped_and_nobody_else_waits(reads: int) -> None:
    engine = FakeEngine()
    with live_server([engine], stall_timeout_s=0.5) as server:
        sock = raw_client(server.port)
        say(sock, "session.config", pace="burst", sample_rate=48000)
        for _ in range(5):
            say(sock, "input.text", text=LONG)
            say(sock, "input.done")
        while reads > 0:  # a little, and then no more
            reads -= len(await asyncio.to_thread(sock.recv, 500))
        assert await speaks(server.port)  # a neighbour, meanwhile
        await asyncio.to_thread(wait_until, lambda: open_sockets(server) == 0)
        assert_nothing_left(server, engine)
        received = await asyncio.to_thread(read_to_the_end, sock)
        sock.close()
        assert received.endswith(b"\x88\x11\x03\xf3client_too_slow")  # a close frame with 1011, for those who wake up


async def test_a_half_closed_connection_is_over(server: LiveServer, engine: FakeEngine) -> None:
    sock = raw_client(server.port)
    say(sock, "input.text", text=LONG)
    wait_until(lambda: bool(engine.open_streams))
    sock.shutdown(socket.SHUT_WR)
    assert_nothing_left(server, engine)
    sock.close()


async def test_two_hundred_disconnects_do_not_disturb_a_neighbour(server: LiveServer, engine: FakeEngine) -> None:
    dice = random.Random(2)

    async def vanish() -> None:
        async with stream_client(server.port) as client:
            await client.say("Some words, and more words. " * dice.randint(1, 20))
            for _ in range(dice.randint(0, 6)):
                await client.receive()
            if dice.random() < 0.5:
                client.socket.transport.abort()

    async def neighbour(client: StreamClient) -> list[int]:
        lengths = []
        for _ in range(10):
            await client.say("I go on speaking.")
            spoken = await client.until("session.done")
            assert spoken.done["status"] == "completed"
            lengths.append(len(spoken.samples))
        return lengths

    async with stream_client(server.port) as client:
        await client.send("session.config", pace="burst")
        speaking = asyncio.create_task(neighbour(client))
        for _ in range(10):
            await asyncio.gather(*(vanish() for _ in range(20)))
        lengths = await speaking
    assert set(lengths) == {len("I go on speaking.") * 480}
    assert_nothing_left(server, engine)


async def test_a_thousand_idle_connections_cost_no_one_anything(server: LiveServer, engine: FakeEngine) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    async with AsyncExitStack() as stack:
        for _ in range(20):
            entering = (stack.enter_async_context(stream_client(server.port)) for _ in range(50))
            await asyncio.gather(*entering)
        assert open_sockets(server) == 1000
        assert server.server.synthesizer.speaking == 0
        assert await speaks(server.port)
        await stack.aclose()
    assert_nothing_left(server, engine)
