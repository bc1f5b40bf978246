"""A client that says what no client should, at rest and in the middle of an answer: answered each time, never fatal."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import websockets

from chat_stand_in import DONE, ChatStandIn, chunk
from fake_engine import FakeEngine, wait_until
from fake_listening import FakeListening
from live_server import LiveServer, live_server
from realtime_sdk import think_with
from vivavoce.assistant.turn_ear import TurnEar
from vivavoce.hosted.chat import ChatTimeouts, HostedChat

ANSWER = [chunk("It is noon.", finish="stop"), DONE]
STORY = "One two three four five six seven eight nine ten. " * 3
CALL = {"index": 0, "id": "c1", "function": {"name": "light", "arguments": '{"on": tr'}}
CALLS = [chunk(tool_calls=[CALL]), chunk(finish="tool_calls"), DONE]


class Wire:
    """A WebSocket with nothing in between."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def send(self, *messages: Any) -> None:
        for each in messages:
            await self.socket.send(each if isinstance(each, str) else json.dumps(each))

    async def until(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Events up to the first one of that type; of an error, with these fields."""
        came: list[dict[str, Any]] = []
        async with asyncio.timeout(20):
            while True:
                event = json.loads(await self.socket.recv())
                came.append(event)
                if event["type"] == kind and fields.items() <= event.get("error", {}).items():
                    return came

    async def ask(self) -> None:
        content = [{"type": "input_text", "text": "What time is it?"}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send(event("conversation.item.create", item=item), event("response.create"))

    async def answered(self) -> dict[str, Any]:
        await self.ask()
        response: dict[str, Any] = (await self.until("response.done"))[-1]["response"]
        return response


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


@pytest.fixture
def stand_in() -> ChatStandIn:
    return ChatStandIn(ANSWER)


@pytest.fixture
def server(stand_in: ChatStandIn) -> Iterator[LiveServer]:
    listening = FakeListening({2: "What time is it?"})
    with live_server([FakeEngine(["heart"], step_samples=2400)], preload=False) as running:
        patience = ChatTimeouts(begin_s=20, between_s=20, whole_s=20)
        think_with(running, HostedChat("http://chat.test/v1", "tiny", timeouts=patience, transport=stand_in))
        sessions = running.server.assistant.sessions
        object.__setattr__(sessions, "make_ear", lambda owner, transport: TurnEar(listening, owner, transport))
        yield running


def opened(server: LiveServer, path: str = "/v1/realtime") -> Any:
    return websockets.connect(f"ws://127.0.0.1:{server.port}{path}?model=gpt-realtime", max_size=2**22)


@pytest.fixture
async def wire(server: LiveServer) -> AsyncIterator[Wire]:
    async with opened(server) as socket:
        wire = Wire(socket)
        await wire.until("session.created")
        yield wire


NOTHING: list[Any] = [None, []]
APPEND, CREATE, TRUNCATE = "input_audio_buffer.append", "conversation.item.create", "conversation.item.truncate"
STRANGE: dict[str, list[Any]] = {
    "cancels": [event("response.cancel")] * 2 + [event("response.cancel", response_id=each) for each in ("no", 7)],
    "buffers": [event(f"input_audio_buffer.{each}") for each in ("commit", "clear", "commit")]
    + [event("output_audio_buffer.clear")],
    "truncations": [
        event(TRUNCATE, item_id="no", content_index=0, audio_end_ms=ms) for ms in (0, 10**8, 10**12, -1, 1e300, "x")
    ]
    + [event(TRUNCATE, item_id=[1], content_index={}), event(TRUNCATE)],
    "unknown types": [event("no.such.event"), event("x" * 1000), {"type": 7}, {"type": None}, {"hello": 1}],
    "no objects": ["", "{{{", "[1,2]", "null", "1e999", "[" * 50_000 + "]" * 50_000],
    "odd JSON": [
        '{"type":"response.create","response":{"max_output_tokens":NaN}}',
        '{"type":"\\ud800"}',
        '{"type":"response.cancel","event_id":"\\udfff"}',
        event("no.such.event", event_id={"a": 1}),
        event("no.such.event", event_id="x" * 100_000),
    ],
    "no audio": [*[event(APPEND, audio=each) for each in ("%%%!!", "QUJ", 7, None, "\u97f3")], event(APPEND)],
    "sessions": [event("session.update", session=each) for each in (*NOTHING, {"type": "realtime", "tools": "x"})]
    + [event("session.update", session={"type": "realtime", "audio": {"output": {"speed": -1}}})]
    + [event("session.update", session={"type": "realtime", "tools": [{"type": "mcp", "server_label": "x"}]})],
    "items": [event(CREATE, item=each) for each in (None, {"type": "message"}, {"type": "what"})]
    + [event(CREATE, item={"type": "message", "role": "king", "content": "x"})]
    + [event(CREATE, item={"type": "function_call_output", "call_id": "no", "output": {"a": 1}})]
    + [event(CREATE, item={"type": "function_call_output", "call_id": "no", "output": "nobody asked"})]
    + [event("conversation.item.retrieve", item_id="no"), event("conversation.item.delete", item_id="x" * 100_000)],
    "responses": [event("response.create", response=each) for each in (*NOTHING, {"output_modalities": ["smell"]})]
    + [event("response.create", response={"input": [{"type": "item_reference", "id": "no"}]})],
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("in_an_answer", [False, True])
async def test_it_is_answered_and_the_conversation_goes_on(
    wire: Wire, stand_in: ChatStandIn, name: str, in_an_answer: bool
) -> None:
    if in_an_answer:
        stand_in.parts = [chunk(STORY), 15.0]
        await wire.ask()
        await wire.until("response.output_audio.delta")
    await wire.send(*STRANGE[name], event("no.such.event", event_id="the last"))
    came = await wire.until("error", event_id="the last")
    assert [each["type"] for each in came].count("error") > 1
    if in_an_answer and not any(each["type"] == "response.done" for each in came):
        await wire.send(event("response.cancel"))
        await wire.until("response.done")
    stand_in.parts = list(ANSWER)
    assert (await wire.answered())["status"] == "completed"


@pytest.mark.parametrize("path", ["/v1/realtime", "/v1/realtime/"])
async def test_what_was_said_may_come_in_one_message_as_long_as_the_limit(server: LiveServer, path: str) -> None:
    """Seven seconds of sound in an item, as of a record button; far more ends the connection, which says why."""
    async with opened(server, path) as socket:
        wire = Wire(socket)
        await wire.until("session.created")
        await _say_much(wire)


async def _say_much(wire: Wire) -> None:
    sound = base64.b64encode(bytes(7 * 48_000)).decode()
    content = [{"type": "input_audio", "audio": sound}]
    await wire.send(event(CREATE, item={"type": "message", "role": "user", "content": content}))
    await wire.until("conversation.item.done")
    await wire.send(event(APPEND, audio=sound))
    assert (await wire.answered())["status"] == "completed"
    with contextlib.suppress(websockets.ConnectionClosed):
        await wire.send(event(APPEND, audio="A" * 15_000_000))
        await wire.until("no such event")
    assert wire.socket.close_code == 1009


async def test_a_call_with_broken_arguments_is_told_and_a_client_may_vanish_before_its_result(
    server: LiveServer, stand_in: ChatStandIn
) -> None:
    stand_in.parts = list(CALLS)
    async with opened(server) as socket:
        wire = Wire(socket)
        await wire.until("session.created")
        done = await wire.answered()
        assert [(each["type"], each["arguments"]) for each in done["output"]] == [("function_call", '{"on": tr')]
        socket.transport.abort()
    await asyncio.to_thread(wait_until, lambda: len(server.tasks()) <= 4)


async def test_who_speaks_while_a_function_runs_is_answered(wire: Wire, stand_in: ChatStandIn) -> None:
    stand_in.parts = list(CALLS)
    assert (await wire.answered())["status"] == "completed"
    stand_in.parts = list(ANSWER)
    assert (await wire.answered())["status"] == "completed"  # and the call is still open
    result = {"type": "function_call_output", "call_id": "c1", "output": "done"}
    await wire.send(event(CREATE, item=result), event("response.create"))
    assert (await wire.until("response.done"))[-1]["response"]["status"] == "completed"
    roles = [message["role"] for message in stand_in.asked[-1]["messages"]]
    assert "tool" in roles
    assert roles.index("tool") == 1 + next(n for n, m in enumerate(stand_in.asked[-1]["messages"]) if "tool_calls" in m)


async def test_an_answer_without_a_word_is_not_met_with_silence(wire: Wire, stand_in: ChatStandIn) -> None:
    stand_in.parts = [chunk(role="assistant"), chunk("", finish="stop"), DONE]
    done = await wire.answered()
    assert done["status"] == "failed"
    assert "I cannot think right now." in done["output"][0]["content"][0]["transcript"]
