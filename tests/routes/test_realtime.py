"""Realtime over a WebSocket, with OpenAI's own client, unmodified: text in, speech out, functions, interruptions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from openai import AuthenticationError
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from chat_stand_in import DONE, ChatStandIn, chunk, line
from fake_engine import FakeEngine, wait_until
from live_server import LiveServer, live_server
from realtime_sdk import connect, openai_client, say, sound_of, think_with, until
from vivavoce.errors import EngineError
from vivavoce.hosted.chat import HostedChat

STEP = 2400  # samples a character: a tenth of a second at 24 kHz


@pytest.fixture
def stand_in() -> ChatStandIn:
    """The chat model's server."""
    return ChatStandIn([chunk("Hello there. "), chunk("How are you?"), chunk(finish="stop"), DONE])


@pytest.fixture
def server(stand_in: ChatStandIn) -> Iterator[LiveServer]:
    with live_server([FakeEngine(["heart", "mika"], step_samples=STEP)], preload=False) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=stand_in))
        yield running


@pytest.fixture
async def connection(server: LiveServer) -> AsyncIterator[AsyncRealtimeConnection]:
    async with connect(server) as connected:
        yield connected


async def test_a_written_question_is_answered_in_speech(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    assert (await until(connection, "session.created"))[-1].session.type == "realtime"
    await connection.session.update(session={"type": "realtime", "instructions": "Speak like a pirate."})
    assert [event.type for event in await until(connection, "session.updated")] == ["session.updated"]
    await say(connection, "Hello?")
    await connection.response.create()
    events = await until(connection, "response.done")
    done = events[-1].response
    assert done.status == "completed"
    assert done.output[0].content[0].transcript == "Hello there. How are you?"
    assert 2.4 < len(sound_of(events)) / 48_000 < 2.7  # 24 characters, and the pause between the sentences
    assert [m["content"] for m in stand_in.asked[0]["messages"]] == ["Speak like a pirate.", "Hello?"]


@pytest.mark.parametrize("text", ["\N{THUMBS UP SIGN}", "...", "Sure! \N{THUMBS UP SIGN}", "Hello.\n\n---"])
async def test_words_without_a_sound_are_told(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, text: str
) -> None:
    stand_in.parts = [chunk(text, finish="stop"), DONE]
    await say(connection, "Well?")
    await connection.response.create()
    events = await until(connection, "response.done")
    assert events[-1].response.status == "completed"
    assert events[-1].response.output[0].content[0].transcript == text
    assert "".join(e.delta for e in events if e.type == "response.output_audio_transcript.delta") == text


async def test_functions_go_to_the_client_and_back(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    tool: Any = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}
    await connection.session.update(session={"type": "realtime", "tools": [tool]})
    calls = [{"index": 0, "id": "c1", "function": {"name": "get_weather", "arguments": "{}"}}]
    stand_in.parts = [chunk(tool_calls=calls, finish="tool_calls"), DONE]
    await say(connection, "What is the weather like?")
    await connection.response.create()
    events = await until(connection, "response.done")
    call = next(event for event in events if event.type == "response.function_call_arguments.done")
    assert (call.name, call.call_id, call.arguments) == ("get_weather", "c1", "{}")
    output: Any = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}
    await connection.conversation.item.create(item=output)
    stand_in.parts = [chunk("It is sunny.", finish="stop"), DONE]
    await connection.response.create()
    assert (await until(connection, "response.done"))[-1].response.status == "completed"
    roles = [message["role"] for message in stand_in.asked[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool"]


async def test_a_command_needs_no_chat_model(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    await say(connection, "Set a timer for five minutes, please.")
    await connection.response.create()
    events = await until(connection, "response.done")
    call = next(event for event in events if event.type == "response.function_call_arguments.done")
    assert (call.name, json.loads(call.arguments)) == ("set_timer", {"seconds": 300})
    assert events[-1].response.output[0].content[0].transcript == "I set a timer for five minutes."
    assert sound_of(events)
    assert not stand_in.asked


async def test_a_command_that_cannot_be_confirmed_aloud_is_obeyed(stand_in: ChatStandIn) -> None:
    """A voice of another language, or one that fails, keeps nobody from what he asked for."""

    def fail(streams: object) -> None:
        raise EngineError("no voice today")

    with live_server([FakeEngine(["heart"], before_step=fail)], preload=False) as server:
        async with connect(server) as connection:
            await say(connection, "Set a timer for five minutes, please.")
            await connection.response.create()
            events = await until(connection, "response.done")
    call = next(event for event in events if event.type == "response.function_call_arguments.done")
    assert (call.name, json.loads(call.arguments)) == ("set_timer", {"seconds": 300})
    assert events[-1].response.status == "failed"


async def test_a_cancel_is_silence_and_the_model_sees_what_was_heard(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    text = "One two three four five six seven eight nine ten. " * 4
    stand_in.parts = [chunk(text), 30.0, chunk(finish="stop")]
    await say(connection, "Count.")
    await connection.response.create()
    await until(connection, "response.output_audio.delta")
    await connection.response.cancel()
    events = await until(connection, "response.done")
    item = events[-1].response.output[0]
    assert events[-1].response.status_details.reason == "client_cancelled"
    assert item.status == "incomplete"
    await connection.conversation.item.truncate(item_id=item.id, content_index=0, audio_end_ms=0)
    await until(connection, "conversation.item.truncated")
    stand_in.parts = [chunk("Yes.", finish="stop"), DONE]
    await say(connection, "Wait.")
    await connection.response.create()
    await until(connection, "response.done")
    assert [message["role"] for message in stand_in.asked[-1]["messages"]] == ["system", "user", "user"]


async def test_speech_without_a_brain(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    """What Open WebUI and wyoming-openai send to have a text read out."""
    await connection.session.update(
        session={"type": "realtime", "instructions": "You are a text-to-speech engine.", "tool_choice": "none"}
    )
    content: Any = [{"type": "input_text", "text": "Read this."}]
    message: Any = {"type": "message", "role": "user", "content": content}
    await connection.response.create(response={"conversation": "none", "input": [message]})
    events = await until(connection, "response.done")
    assert events[-1].response.output[0].content[0].transcript == "Read this."
    assert len(sound_of(events)) == 2 * STEP * len("Read this.")
    assert not stand_in.asked


async def test_a_voice_for_a_model_reads_what_it_is_given(server: LiveServer, stand_in: ChatStandIn) -> None:
    async with connect(server, model="mika") as connection:
        await say(connection, "Good morning.")
        await connection.response.create()
        events = await until(connection, "response.done")
    assert events[-1].response.audio.output.voice == "mika"
    assert events[-1].response.output[0].content[0].transcript == "Good morning."
    assert not stand_in.asked


@pytest.mark.parametrize("format", ["audio/pcmu", "audio/pcma"])
async def test_telephones_hear_eight_bits(connection: AsyncRealtimeConnection, format: Any) -> None:
    await connection.session.update(session={"type": "realtime", "audio": {"output": {"format": {"type": format}}}})
    await say(connection, "Hello?")
    await connection.response.create()
    sound = sound_of(await until(connection, "response.done"))
    assert 2.4 < len(sound) / 8_000 < 2.7


@pytest.mark.parametrize(
    "parts",
    [[line({"error": {"message": "out of memory"}})], [chunk("Well, "), b"data: nonsense\n\n"], []],
)
async def test_a_chat_model_that_fails_is_heard_and_told(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, parts: list[bytes]
) -> None:
    stand_in.parts = list(parts)
    await say(connection, "Hello?")
    await connection.response.create()
    events = await until(connection, "error")
    done = next(event for event in events if event.type == "response.done").response
    assert done.status == "failed"
    assert done.status_details.error.code == "hosted_model_failed"
    assert done.output[0].content[0].transcript.endswith("I cannot think right now. Please try again.")
    assert sound_of(events)
    stand_in.parts = [chunk("Yes.", finish="stop")]
    await connection.response.create()
    assert (await until(connection, "response.done"))[-1].response.status == "completed"


async def test_without_a_chat_model_it_says_so(server: LiveServer) -> None:
    think_with(server, None)
    async with connect(server) as connection:
        await say(connection, "Hello?")
        await connection.response.create()
        events = await until(connection, "response.done")
    assert "no chat model" in events[-1].response.output[0].content[0].transcript


async def test_an_unknown_voice_is_refused_where_it_is_asked_for(connection: AsyncRealtimeConnection) -> None:
    await connection.session.update(session={"type": "realtime", "audio": {"output": {"voice": "nobody"}}})
    assert (await until(connection, "error"))[-1].error.code == "voice_not_found"


async def test_clients_that_vanish_leave_nothing(server: LiveServer, stand_in: ChatStandIn) -> None:
    stand_in.parts = [chunk("One two three four five. " * 9), 30.0]
    for _ in range(10):
        async with connect(server) as connection:
            await say(connection, "Hello?")
            await connection.response.create()
            await until(connection, "response.created")
    await asyncio.to_thread(
        wait_until,
        lambda: server.server.synthesizer.speaking == 0 and not any("resp_" in n for n in server.tasks()),
    )
    assert stand_in.closed == len(stand_in.asked)


async def test_a_key_for_a_browser_begins_the_session_it_was_made_for(stand_in: ChatStandIn) -> None:
    with live_server([FakeEngine(["heart"])], preload=False, api_keys=("k" * 16,)) as server:
        async with openai_client(server, "k" * 16) as owner:
            secret = await owner.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 60},
                session={"type": "realtime", "instructions": "Whisper."},
            )
        assert secret.value.startswith("ek_")
        async with openai_client(server, secret.value) as browser:
            for _ in range(2):
                async with browser.realtime.connect(model="gpt-realtime") as connection:
                    created = (await until(connection, "session.created"))[-1]
                    assert created.session.instructions == "Whisper."
            with pytest.raises(AuthenticationError):
                await browser.realtime.client_secrets.create()
        async with openai_client(server, "ek_wrong") as stranger:
            with pytest.raises(AuthenticationError):
                await stranger.realtime.client_secrets.create()


async def test_half_a_character_in_a_session_is_no_failure(server: LiveServer) -> None:
    """JSON can write it, UTF-8 cannot."""
    body = r'{"session": {"type": "realtime", "instructions": "a\ud800b"}}'
    async with httpx.AsyncClient() as http:
        url = f"{server.url}/v1/realtime/client_secrets"
        answer = await http.post(url, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["session"]["instructions"] == "a\N{REPLACEMENT CHARACTER}b"
    async with openai_client(server, answer.json()["value"]).realtime.connect(model="gpt-realtime") as connection:
        created = (await until(connection, "session.created"))[-1]
        assert created.session.instructions == "a\N{REPLACEMENT CHARACTER}b"


async def test_a_transcription_session_is_one(server: LiveServer) -> None:
    async with connect(server, model="", extra_query={"intent": "transcription"}) as connection:
        created = (await until(connection, "session.created"))[-1]
        assert created.session.type == "transcription"


async def test_word_times_and_the_first_words_are_told_to_whoever_asks(server: LiveServer) -> None:
    extras: Any = {"type": "realtime", "vivavoce": {"events": ["words", "metrics"]}}
    async with connect(server) as connection:
        await connection.session.update(session=extras)
        await say(connection, "Hello?")
        await connection.response.create()
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != "response.done":
            events.append(json.loads(await connection.recv_bytes()))
    (first,) = [event for event in events if event["type"] == "vivavoce.metrics"]
    told = [event for event in events if event["type"] == "vivavoce.words"]
    response, output = events[-1]["response"], events[-1]["response"]["output"][0]
    assert (first["stage"], first["response_id"]) == ("first_words", response["id"])
    assert {event["item_id"] for event in told} == {output["id"]}
    words = [word for event in told for word in event["words"]]
    said = "".join(word["text"] for word in words)  # characters: the engine of this test times those
    assert said.replace(" ", "") == output["content"][0]["transcript"].replace(" ", "")
    assert [word["start_ms"] for word in words] == sorted(word["start_ms"] for word in words)
    kinds = [event["type"] for event in events]
    assert kinds.index("vivavoce.metrics") < kinds.index("response.output_audio.delta")


async def test_nobody_else_is_told(connection: AsyncRealtimeConnection) -> None:
    await say(connection, "Hello?")
    await connection.response.create()
    assert not [event for event in await until(connection, "response.done") if event.type.startswith("vivavoce")]
