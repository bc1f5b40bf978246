"""Realtime over WebRTC: the offer's two forms, events on `oai-events`, sound both ways, hanging up."""

from __future__ import annotations

import asyncio
import fractions
import json
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import pytest
from aiortc import MediaStreamTrack

from call_client import CallClient
from chat_stand_in import DONE, ChatStandIn, chunk
from fake_engine import wait_until
from fake_listening import FakeListening
from live_server import LiveServer, live_server
from realtime_sdk import think_with
from tone_engine import ToneEngine
from vivavoce.assistant.turn_ear import TurnEar
from vivavoce.hosted.chat import HostedChat

RATE = 48_000


class Microphone(MediaStreamTrack):
    """A second of silence, then a second of speech, then silence: 20 ms at a time, in real time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0
        self._begin_s = 0.0

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._begin_s = self._begin_s or loop.time()
        await asyncio.sleep(max(0.0, self._begin_s + 0.02 * self.frames - loop.time()))
        times = (np.arange(960) + 960 * self.frames) / RATE
        loud = 0.3 * np.sin(2 * np.pi * 300 * times) if 50 <= self.frames < 100 else np.zeros(960)
        frame = av.AudioFrame.from_ndarray(np.rint(loud * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 960 * self.frames, fractions.Fraction(1, RATE)
        self.frames += 1
        return frame


@pytest.fixture
def stand_in() -> ChatStandIn:
    return ChatStandIn([chunk("Hello there. "), chunk("How are you?"), chunk(finish="stop"), DONE])


@pytest.fixture
def server(stand_in: ChatStandIn) -> Iterator[LiveServer]:
    listening = FakeListening({2: "What time is it?", 3: "What time is it?"})
    with live_server([ToneEngine(["heart"], step_samples=2400)], preload=False) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=stand_in))
        sessions = running.server.assistant.sessions
        object.__setattr__(sessions, "make_ear", lambda owner, transport: TurnEar(listening, owner, transport))
        yield running


async def open_call(server: LiveServer, client: CallClient, session: dict[str, Any] | None = None) -> None:
    """Post the offer, as SDP or with a session in a form, and wait for the channel."""
    offer = await client.offer()
    async with httpx.AsyncClient(timeout=20) as http:
        url = f"{server.url}/v1/realtime/calls"
        if session is None:
            answer = await http.post(url, content=offer, headers={"content-type": "application/sdp"})
        else:
            form = {"sdp": (None, offer), "session": (None, json.dumps(session))}
            answer = await http.post(url, files=form)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/sdp"
    client.location = answer.headers["location"]
    await client.accept(answer.text)
    await client.until("session.created")


async def test_half_a_character_in_a_calls_session_does_not_end_it(server: LiveServer) -> None:
    client = CallClient("oai-events")
    try:
        await open_call(server, client, {"type": "realtime", "instructions": "a\ud800b"})
        assert client.of("session.created")[0]["session"]["instructions"] == "a\N{REPLACEMENT CHARACTER}b"
    finally:
        await client.close()


async def test_a_written_question_is_answered_on_the_track(server: LiveServer) -> None:
    client = CallClient("oai-events")
    try:
        await open_call(server, client, {"type": "realtime", "instructions": "Whisper."})
        assert client.of("session.created")[0]["session"]["instructions"] == "Whisper."
        content = [{"type": "input_text", "text": "Hello?"}]
        client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        client.send("response.create")
        done = await client.until("response.done")
        await client.until("output_audio_buffer.stopped")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "Hello there. How are you?"
        assert len(client.of("output_audio_buffer.started")) == 1
        assert not client.of("response.output_audio.delta")
        loud = np.abs(client.heard) > 0.05
        assert 1.8 < loud.sum() / RATE < 2.7
    finally:
        await client.close()


async def test_a_reply_that_only_calls_a_function_has_no_sound(server: LiveServer, stand_in: ChatStandIn) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    stand_in.parts = [chunk(tool_calls=[call], finish="tool_calls"), DONE]
    client = CallClient("oai-events")
    try:
        tool = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
        await open_call(server, client, {"type": "realtime", "tools": [tool]})
        content = [{"type": "input_text", "text": "How is the weather?"}]
        client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        client.send("response.create")
        done = await client.until("response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["function_call"]
        client.send("conversation.item.retrieve", item_id=done["response"]["output"][0]["id"])
        await client.until("conversation.item.retrieved")  # whatever belongs to the response has come before it
        assert not client.of("output_audio_buffer.started")
        assert not client.of("output_audio_buffer.stopped")
    finally:
        await client.close()


async def test_a_spoken_question_is_heard(server: LiveServer, stand_in: ChatStandIn) -> None:
    client = CallClient("oai-events", Microphone())
    try:
        await open_call(server, client)
        await client.until("input_audio_buffer.speech_started")
        committed = await client.until("input_audio_buffer.committed")
        await client.until("response.done")
        client.send("conversation.item.retrieve", item_id=committed["item_id"])
        item = (await client.until("conversation.item.retrieved"))["item"]
        assert item["content"][0]["transcript"] == "What time is it?"
        assert stand_in.asked[0]["messages"][-1]["content"] == "What time is it?"
    finally:
        await client.close()


async def test_silence_when_the_client_wants_it(server: LiveServer, stand_in: ChatStandIn) -> None:
    stand_in.parts = [chunk("One two three four five six seven eight nine ten. " * 3, finish="stop"), DONE]
    client = CallClient("oai-events")
    try:
        await open_call(server, client)
        content = [{"type": "input_text", "text": "Count."}]
        client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        client.send("response.create")
        await client.wait(lambda: bool((np.abs(client.heard[-960:]) > 0.05).any()))
        client.send("output_audio_buffer.clear")
        await client.until("output_audio_buffer.cleared")
        assert (await client.until("response.done"))["response"]["status"] == "cancelled"
        heard_at_the_end = len(client.heard)
        await client.wait(lambda: len(client.heard) > heard_at_the_end + RATE // 2)
        assert not (np.abs(client.heard[-RATE // 5 :]) > 0.05).any()
    finally:
        await client.close()


async def test_hanging_up(server: LiveServer) -> None:
    client = CallClient("oai-events")
    try:
        await open_call(server, client)
        async with httpx.AsyncClient(timeout=20) as http:
            assert (await http.post(f"{server.url}{client.location}/hangup")).status_code == 200
            assert (await http.post(f"{server.url}/v1/realtime/calls/nowhere/hangup")).status_code == 404
        await asyncio.to_thread(wait_until, lambda: not any("call" in name for name in server.tasks()))
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ({"content-type": "text/plain"}, b"v=0", 415),
        ({"content-type": "application/sdp"}, b"nonsense", 400),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x--", 400),
    ],
)
async def test_what_is_no_offer_is_refused(server: LiveServer, kind: dict[str, str], body: bytes, status: int) -> None:
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.post(f"{server.url}/v1/realtime/calls", content=body, headers=kind)
    assert answer.status_code == status, answer.text
