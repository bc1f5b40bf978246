"""What every carrier does for whatever it carries: one suite, a fixture line for each carrier.

The session is a fake that speaks no protocol; the WebSocket has no socket (its ASGI messages are handed over), the call
has aiortc at both ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Protocol

import numpy as np
import pytest
from aiortc.mediastreams import AudioStreamTrack
from starlette.websockets import WebSocket

from call_client import CallClient
from fake_speaker import chunk
from vivavoce.audio.chunk import AudioChunk, Samples
from vivavoce.config import WebRTCSettings
from vivavoce.draining import Draining
from vivavoce.errors import Overloaded, ShuttingDown
from vivavoce.metrics import Metrics
from vivavoce.protocols.commands import Close
from vivavoce.serving.shares import Shares
from vivavoce.speaking.sink import Carrier, SoundFormat, SpokenChunk
from vivavoce.text.sentences import Sentence
from vivavoce.transports.carried import HEARD_RATE, Carry, Patience
from vivavoce.transports.connections import Connections
from vivavoce.transports.webrtc.calls import Calls
from vivavoce.transports.websocket import WebSocketConnection


class FakeSession:
    """A `Carried` that echoes, and can be made to speak and to close. Also the `Teller` of what it speaks."""

    def __init__(self, carrier: Carrier, *, hears: bool = False) -> None:
        self.carrier = carrier
        self.hears = hears
        self.closing: Close | None = None
        self.active_s = asyncio.get_running_loop().time()
        self.received: list[str | bytes] = []
        self.heard: list[Samples] = []
        self.told: list[str] = []
        self.running = self.stopped = False
        self._due: list[str | bytes] = []
        self._news = asyncio.Event()
        self._sent = asyncio.Event()

    # -- as a carrier sees it

    def receive(self, data: str | bytes) -> None:
        self.received.append(data)
        self.send(f"echo {data!r}")

    def hear(self, samples: Samples) -> None:
        self.heard.append(samples)

    async def next_messages(self) -> list[str | bytes]:
        while not self._due:
            if self.closing is not None:
                return []
            self._sent.set()
            self._news.clear()
            await self._news.wait()
        due, self._due = self._due, []
        return due

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped = True

    def close(self, code: int, reason: str) -> None:
        self.closing = self.closing or Close(code, reason)
        self._news.set()

    def drain(self) -> None:
        self.close(1001, "shutdown")

    # -- as its sink sees it

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        self.told.append(chunk.sentence.text)

    def send_audio(self, payload: bytes) -> None:
        if payload:
            self.send(payload)

    def end_sentence(self) -> None:
        self.told.append("end")

    async def all_sent(self) -> None:
        await self._sent.wait()

    def send(self, message: str | bytes) -> None:
        self._sent.clear()
        self._due.append(message)
        self._news.set()


class Client(Protocol):
    """The other end."""

    session: FakeSession
    messages: list[str | bytes]
    is_open: bool

    async def send(self, text: str) -> None: ...
    async def go(self) -> None: ...


class WebSocketClient:
    """Plays the ASGI server."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.is_open = True
        self.close_code: int | None = None
        self.subprotocol: str | None = None
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self.session: FakeSession = None  # type: ignore[assignment]  # set when the carrier makes it

    async def accept(self, message: Any) -> None:
        match message["type"]:
            case "websocket.accept":
                self.subprotocol = message.get("subprotocol")
            case "websocket.send":
                text = message.get("text")
                self.messages.append(message["bytes"] if text is None else text)
            case "websocket.close":
                self.is_open, self.close_code = False, message["code"]
                self.incoming.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    async def send(self, text: str) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    async def go(self) -> None:
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})


class WebRTCClient:
    """aiortc at the other end."""

    def __init__(self, *, microphone: bool = False) -> None:
        self.call = CallClient()
        self.messages: list[str | bytes] = []
        self.is_open = True
        self.call.channel.remove_all_listeners("message")
        self.call.channel.on("message", self.messages.append)
        self.call.channel.on("close", self._on_close)
        if microphone:
            self.call.peer.getTransceivers()[0].sender.replaceTrack(AudioStreamTrack())
            self.call.peer.getTransceivers()[0].direction = "sendrecv"
        self.session: FakeSession = None  # type: ignore[assignment]

    def _on_close(self) -> None:
        self.is_open = False

    async def send(self, text: str) -> None:
        self.call.channel.send(text)

    async def go(self) -> None:
        await self.call.close()


class Place:
    """What the carriers of one server share."""

    def __init__(self, limit: int = 10, idle_s: float = 60.0) -> None:
        self.draining = Draining()
        self.metrics = Metrics()
        self.connections = Connections(Shares("live connections", limit), self.draining, self.metrics)
        self.patience = Patience(idle_s=idle_s, stall_s=5.0)


@asynccontextmanager
async def over_websocket(place: Place, hears: bool = False) -> AsyncIterator[WebSocketClient]:
    client = WebSocketClient()
    scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": ["other", "ours"], "extensions": {}}
    with ThreadPoolExecutor(1) as threads:
        websocket = WebSocket(scope, client.incoming.get, client.accept)
        connection = WebSocketConnection(
            websocket, _making(client, hears), threads, place.patience, owner="owner", subprotocol="ours"
        )
        serving = asyncio.create_task(connection.serve(place.connections))
        try:
            await until(lambda: client.session.running or serving.done())
            yield client
        finally:
            await client.go()
            await asyncio.wait_for(asyncio.gather(serving, return_exceptions=True), 10)


@asynccontextmanager
async def over_webrtc(place: Place, hears: bool = False) -> AsyncIterator[WebRTCClient]:
    client = WebRTCClient(microphone=hears)
    calls = Calls(
        WebRTCSettings(), place.patience, allow_private=True, connections=place.connections, draining=place.draining
    )
    try:
        offer = (await client.call.offer()).encode()
        _, answer = await calls.open(offer, "me", _making(client, hears))
        await client.call.accept(answer)
        await until(lambda: client.session.running)
        yield client
    finally:
        await client.go()
        await calls.aclose()


def _making(client: Any, hears: bool) -> Carry:
    def carry(carrier: Carrier) -> FakeSession:
        session = client.session = FakeSession(carrier, hears=hears)
        return session

    return carry


async def until(condition: Callable[[], bool]) -> None:
    """Give way until something makes the condition true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for happens at several parties
            await asyncio.sleep(0.005)


CARRIERS = [pytest.param(over_websocket, id="websocket"), pytest.param(over_webrtc, id="webrtc")]
Open = Callable[..., Any]


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.mark.parametrize("carry", CARRIERS)
async def test_messages_go_both_ways_in_order(carry: Open, place: Place) -> None:
    async with carry(place) as client:
        client.session.send("hello")
        for k in range(20):
            await client.send(f"m{k}")
        await until(lambda: len(client.messages) == 21)
        assert client.session.received == [f"m{k}" for k in range(20)]
        assert client.messages == ["hello", *(f"echo 'm{k}'" for k in range(20))]


@pytest.mark.parametrize("carry", CARRIERS)
async def test_what_is_due_is_sent_before_it_closes(carry: Open, place: Place) -> None:
    async with carry(place) as client:
        for k in range(5):
            client.session.send(f"last words {k}")
        client.session.close(1000, "bye")
        await until(lambda: not client.is_open)
        assert client.messages == [f"last words {k}" for k in range(5)]
        await until(lambda: client.session.stopped)


@pytest.mark.parametrize("carry", CARRIERS)
async def test_a_client_that_goes_ends_everything(carry: Open, place: Place) -> None:
    async with carry(place) as client:
        assert len(place.connections) == 1
        await client.go()
        await until(lambda: client.session.stopped and len(place.connections) == 0)
        assert (
            place.metrics.registry.get_sample_value("voice_open_sockets", {"transport": client.session.carrier.name})
            == 0
        )


@pytest.mark.parametrize("carry", CARRIERS)
async def test_one_on_which_nothing_happens_is_closed(carry: Open) -> None:
    async with carry(Place(idle_s=0.1)) as client:
        await until(lambda: not client.is_open)
        assert client.session.closing == Close(1001, "idle_timeout")


@pytest.mark.parametrize("carry", CARRIERS)
async def test_draining_reaches_what_is_carried(carry: Open, place: Place) -> None:
    async with carry(place) as client:
        place.draining.begin()
        place.connections.drain()
        await until(lambda: not client.is_open)
        assert client.session.closing == Close(1001, "shutdown")
        with pytest.raises(ShuttingDown):
            place.connections.check("owner")


@pytest.mark.parametrize("carry", CARRIERS)
async def test_there_is_an_end_to_how_many_there_may_be(carry: Open) -> None:
    place = Place(limit=1)
    async with carry(place):
        with pytest.raises(Overloaded):
            place.connections.check("owner")


@pytest.mark.parametrize("carry", CARRIERS)
async def test_a_sink_takes_sound_tells_of_it_and_knows_where_the_listener_is(carry: Open, place: Place) -> None:
    async with carry(place) as client:
        session = client.session
        rate = session.carrier.sample_rate or 24_000
        sink = session.carrier.open_sink(session, SoundFormat("pcm", rate))
        samples: Samples = np.full(rate // 5, 0.25, np.float32)  # 0.2 s
        await sink.send(SpokenChunk(AudioChunk(samples, rate), Sentence("Hi.", 0, 0, "sentence"), 0.0, True, True))
        await sink.finish()
        await until(lambda: session.told[:1] == ["Hi."])
        assert sink.sent_s == pytest.approx(0.2)
        await until(lambda: sink.position_s == pytest.approx(0.2))
        sink.stop()
        assert sink.position_s <= 0.2 + 1e-9


async def test_a_subprotocol_is_chosen_where_it_is_offered(place: Place) -> None:
    async with over_websocket(place) as client:
        assert client.subprotocol == "ours"


async def test_sound_among_the_messages_is_what_the_encoder_made(place: Place) -> None:
    async with over_websocket(place) as client:
        sink = client.session.carrier.open_sink(client.session, SoundFormat("pcm", 24_000))
        await sink.send(chunk("Hi."))
        assert client.messages == [np.full(2400, 0.25 * 32767).round().astype("<i2").tobytes()]
        assert client.session.told == ["Hi.", "end"]


async def test_a_call_hears_where_that_is_wanted(place: Place) -> None:
    async with over_webrtc(place, hears=True) as client:
        await until(lambda: sum(map(len, client.session.heard)) > HEARD_RATE // 2)
        assert all(piece.dtype == np.float32 and piece.ndim == 1 for piece in client.session.heard)


async def test_a_call_does_not_listen_where_nobody_wants_to_hear(place: Place) -> None:
    async with over_webrtc(place) as client:
        await client.send("x")
        await until(lambda: len(client.messages) == 1)
        assert client.session.heard == []
        assert client.call.peer.getTransceivers()[0].currentDirection == "recvonly"


@pytest.mark.parametrize("carry", CARRIERS)
async def test_a_message_that_the_session_fails_at_ends_the_connection_with_a_reason(carry: Open, place: Place) -> None:
    async with carry(place) as client:

        def fail(data: str | bytes) -> None:
            raise OverflowError("int too large")

        client.session.send("before")
        client.session.receive = fail
        await client.send("x")
        await until(lambda: not client.is_open)
        assert client.session.closing == Close(1011, "internal_error")
        assert client.messages == ["before"]
