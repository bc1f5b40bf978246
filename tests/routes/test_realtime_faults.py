"""A Realtime conversation whose surroundings fail: the chat model, the recognizer, the client itself, the machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from chat_stand_in import DONE, ChatStandIn, chunk, line
from fake_engine import FakeEngine, wait_until
from fake_listening import FakeListening
from live_server import LiveServer, live_server
from realtime_sdk import connect, sound_of, speak, think_with, until
from vivavoce.assistant.turn_ear import TurnEar
from vivavoce.errors import EngineError, Overloaded, VivaVoceError
from vivavoce.hosted.chat import ChatTimeouts, HostedChat

ANSWER = [chunk("It is noon.", finish="stop"), DONE]
STORY = "One two three four five six seven eight nine ten. " * 3
PATIENCE = ChatTimeouts(begin_s=0.3, between_s=0.3, whole_s=5.0)


@pytest.fixture
def stand_in() -> ChatStandIn:
    return ChatStandIn(ANSWER)


@pytest.fixture
def listening() -> FakeListening:
    return FakeListening({2: "What time is it?", 5: "Wait, stop."})


@pytest.fixture
def server(stand_in: ChatStandIn, listening: FakeListening) -> Iterator[LiveServer]:
    with live_server([FakeEngine(["heart"], step_samples=2400)], preload=False) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", timeouts=PATIENCE, transport=stand_in))
        sessions = running.server.assistant.sessions
        object.__setattr__(sessions, "make_ear", lambda owner, transport: TurnEar(listening, owner, transport))
        yield running


@pytest.fixture
async def connection(server: LiveServer) -> AsyncIterator[AsyncRealtimeConnection]:
    async with connect(server) as connected:
        await until(connected, "session.created")
        yield connected


BROKEN: dict[str, tuple[list[bytes | float | Exception], int]] = {
    "refused": ([httpx.ConnectError("connection refused")], 200),
    "slow to begin": ([30.0], 200),
    "slow in between": ([chunk("Well, it is "), 30.0], 200),
    "cut in mid-stream": ([chunk("Well, it is "), httpx.ReadError("connection lost")], 200),
    "ended in mid-stream": ([chunk("Well, it is ")], 200),
    "nonsense": ([b"<html>no such page</html>\n\n"], 200),
    "nonsense for JSON": ([b"data: {{{\n\n"], 200),
    "choices that are none": ([line({"choices": [7]})], 200),
    "another shape": ([line({"choices": [{"index": 0, "delta": {"content": {"deep": [1]}}}]})], 200),
    "a line without an end": ([b"data: " + b"x" * 2_000_000], 200),
    "an error of its own": ([line({"error": {"message": "out of memory"}})], 500),
    "too many questions": ([line({"error": {"message": "slow down"}})], 429),
    "nothing": ([], 200),
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_chat_model_that_fails_is_heard_told_and_forgotten(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, fault: str
) -> None:
    stand_in.parts, stand_in.status = list(BROKEN[fault][0]), BROKEN[fault][1]
    await speak(connection, 0.2, 0.6)
    events = await until(connection, "error")
    done = next(event for event in events if event.type == "response.done").response
    assert done.status == "failed"
    assert "I cannot think right now." in done.output[0].content[0].transcript
    assert sound_of(events)
    stand_in.parts, stand_in.status = list(ANSWER), 200
    await speak(connection, 0.2, 0.6)
    answered = (await until(connection, "response.done"))[-1].response
    assert answered.status == "completed"
    assert "noon" in answered.output[0].content[0].transcript


@pytest.mark.parametrize("error", [EngineError("the recognizer is gone"), Overloaded("too much is being heard")])
async def test_a_recognizer_that_breaks_off_is_told_and_the_next_turn_is_heard(
    connection: AsyncRealtimeConnection, listening: FakeListening, error: VivaVoceError
) -> None:
    listening.error, listening.breaks = error, True
    await speak(connection, 0.2, 0.6)
    assert error.message in (await until(connection, "error"))[-1].error.message
    listening.error, listening.breaks = None, False
    await speak(connection, 0.2, 0.6)
    assert (await until(connection, "response.done"))[-1].response.status == "completed"


async def test_a_third_conversation_is_refused_in_a_sentence(server: LiveServer, listening: FakeListening) -> None:
    async with connect(server) as first, connect(server) as second, connect(server) as third:
        for each in (first, second):
            await speak(each, 0.2, 0.6)
            await until(each, "response.done")
        listening.error = Overloaded("two people are being listened to already")
        await speak(third, 0.2, 0.6)
        told = (await until(third, "error"))[-1].error
        assert told.message == "two people are being listened to already"
        await speak(first, 0.2, 0.6)  # whoever was there first does not notice
        assert (await until(first, "response.done"))[-1].response.status == "completed"


async def test_a_hundred_conversations_that_are_dropped_leave_nothing(
    server: LiveServer, stand_in: ChatStandIn, listening: FakeListening
) -> None:
    """At every stage: connected, in mid-word, thinking, speaking."""
    stand_in.parts = [chunk(STORY), 0.2, *ANSWER]

    async def drop(stage: int) -> None:
        async with connect(server) as connection:
            await until(connection, "session.created")
            if stage:
                await speak(connection, 0.2, 0.4, quiet_s=0.0 if stage == 1 else 0.7)
            if stage > 1:
                await until(connection, "response.created" if stage == 2 else "response.output_audio.delta")
            connection._connection.transport.abort()  # no farewell

    def is_quiet() -> bool:
        """Only the server's own three tasks, and the one that counts them."""
        return not listening.lent and len(server.tasks()) <= 4

    for begin in range(0, 100, 10):
        await asyncio.gather(*(drop(stage % 4) for stage in range(begin, begin + 10)))
    await asyncio.to_thread(wait_until, is_quiet)
    assert stand_in.closed == len(stand_in.asked)


async def test_words_without_end_are_bounded(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    stand_in.parts = [chunk("word " * 1000) for _ in range(100)]
    await speak(connection, 0.2, 0.6)
    await until(connection, "response.output_audio.delta")
    await connection.response.cancel()
    done: Any = (await until(connection, "response.done"))[-1].response
    assert done.status == "cancelled"
