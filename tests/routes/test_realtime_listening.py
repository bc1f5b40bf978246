"""Realtime by voice: turns, words, answers and interruptions, with OpenAI's own client and ears that tests can read."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed

from chat_stand_in import DONE, ChatStandIn, chunk
from fake_engine import FakeEngine
from fake_listening import EAR, FakeListening
from live_server import LiveServer, live_server
from realtime_sdk import connect, say, sound_of, speak, think_with, until
from vivavoce.assistant.turn_ear import TurnEar
from vivavoce.audio.encoders import open_encoder
from vivavoce.errors import EngineError, Overloaded
from vivavoce.hosted.chat import HostedChat
from vivavoce.recognition.listener import DETECTOR

WORDS = {2: "What time is it?", 3: "uh-huh", 4: "", 5: "Wait, stop.", 6: "Set a timer for five minutes."}
STORY = "One two three four five six seven eight nine ten. " * 3


@pytest.fixture
def stand_in() -> ChatStandIn:
    return ChatStandIn([chunk("It is noon."), chunk(finish="stop"), DONE])


@pytest.fixture
def listening() -> FakeListening:
    return FakeListening(WORDS)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(["heart"], step_samples=2400)


@pytest.fixture
def server(engine: FakeEngine, stand_in: ChatStandIn, listening: FakeListening) -> Iterator[LiveServer]:
    with live_server([engine], preload=False) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=stand_in))
        sessions = running.server.assistant.sessions
        object.__setattr__(sessions, "make_ear", lambda owner, transport: TurnEar(listening, owner, transport))
        yield running


@pytest.fixture
async def connection(server: LiveServer) -> AsyncIterator[AsyncRealtimeConnection]:
    async with connect(server) as connected:
        await until(connected, "session.created")
        yield connected


async def listen_with(connection: AsyncRealtimeConnection, **sound: Any) -> None:
    audio: Any = {"input": {"transcription": {"model": "whisper-1"}, **sound}}
    await connection.session.update(session={"type": "realtime", "audio": audio})
    await until(connection, "session.updated")


@pytest.mark.parametrize(
    "detection",
    [{"type": "server_vad"}, {"type": "semantic_vad"}, {"type": "semantic_vad", "eagerness": "low"}],
)
async def test_a_spoken_question_is_answered(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, detection: Any
) -> None:
    await listen_with(connection, turn_detection=detection)
    await speak(connection, 0.2, 1.0)
    events = await until(connection, "response.done")
    kinds = [event.type for event in events]
    assert kinds[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
    ]
    completed = events[6]
    assert completed.transcript == "What time is it?"
    assert 0.9 < completed.usage.seconds < 2.0
    assert 900 < events[1].audio_end_ms < 1100
    assert events[-1].response.status == "completed"
    assert sound_of(events)
    assert stand_in.asked[0]["messages"][-1] == {"role": "user", "content": "What time is it?"}


async def test_a_pause_inside_a_sentence_is_no_end(
    connection: AsyncRealtimeConnection, listening: FakeListening
) -> None:
    listening.finished = 0.1
    await listen_with(connection, turn_detection={"type": "semantic_vad"})
    await speak(connection, 0.2, 0.6, quiet_s=0.6)
    await speak(connection, 0.2, 0.6, quiet_s=4.2)
    kinds = [event.type for event in await until(connection, "response.done")]
    assert kinds.count("input_audio_buffer.speech_started") == 1
    assert kinds.count("input_audio_buffer.committed") == 1


async def test_noise_without_words_is_not_answered(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    await listen_with(connection)
    await speak(connection, 0.4, 0.5)
    assert (await until(connection, "conversation.item.input_audio_transcription.completed"))[-1].transcript == ""
    await speak(connection, 0.2, 0.5)
    await until(connection, "response.done")
    assert len(stand_in.asked) == 1


async def test_a_spoken_command_is_one(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    await listen_with(connection)
    await speak(connection, 0.6, 1.0)
    events = await until(connection, "response.done")
    (call,) = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert call.name == "set_timer"
    assert not stand_in.asked


async def begin_story(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    """The assistant speaks for long, and a second of it was heard."""
    stand_in.parts = [chunk(STORY, finish="stop"), DONE]
    await listen_with(connection)
    await speak(connection, 0.2, 0.5)
    await until(connection, "response.output_audio.delta")
    await asyncio.sleep(1.5)  # what was heard of it is a matter of real time


async def test_an_interruption_is_silence_and_a_turn(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    await begin_story(connection, stand_in)
    stand_in.parts = [chunk("Yes?", finish="stop"), DONE]
    await speak(connection, 0.5, 0.5)
    events = await until(connection, "response.done")
    kinds = [event.type for event in events]
    assert "input_audio_buffer.speech_started" in kinds
    details = events[-1].response.status_details
    assert (events[-1].response.status, details.reason) == ("cancelled", "turn_detected")
    answered = await until(connection, "response.done")
    assert answered[-1].response.status == "completed"
    messages = stand_in.asked[-1]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    heard, mark, _ = messages[2]["content"].partition(" ... [interrupted by the user]")
    assert mark
    assert STORY.startswith(heard)
    assert 10 < len(heard) < 100
    assert messages[3]["content"] == "Wait, stop."


async def test_who_goes_on_while_it_thinks_is_not_talked_over(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    """An answer that nobody has heard yet is over as soon as the user speaks again; both messages are answered."""
    stand_in.parts = [30.0, chunk("Too late.", finish="stop"), DONE]
    await listen_with(connection, turn_detection={"type": "server_vad"})
    await speak(connection, 0.2, 1.0)
    await until(connection, "response.created")
    stand_in.parts = [chunk("It is noon.", finish="stop"), DONE]
    await speak(connection, 0.5, 1.0)
    events = await until(connection, "response.done")
    assert events[-1].response.status_details.reason == "turn_detected"
    events = await until(connection, "response.done")
    assert events[-1].response.status == "completed"
    assert [message["content"] for message in stand_in.asked[-1]["messages"][1:]] == ["What time is it?", "Wait, stop."]


async def test_a_question_is_answered_that_ends_while_the_client_has_an_answer_made(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    stand_in.parts = [chunk(STORY, finish="stop"), DONE]
    await listen_with(connection, turn_detection={"type": "semantic_vad"})
    await speak(connection, 0.2, 0.5, quiet_s=0.0)
    await connection.response.create()
    await until(connection, "response.output_audio.delta")
    await speak(connection, 0.2, 0.5)
    assert (await until(connection, "response.done"))[-1].response.status == "cancelled"
    assert (await until(connection, "response.done"))[-1].response.status == "completed"
    assert stand_in.asked[-1]["messages"][-1]["content"] == "What time is it?"


async def test_a_noise_while_it_thinks_costs_no_answer(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    stand_in.parts = [1.0, chunk("It is noon.", finish="stop"), DONE]
    await listen_with(connection, turn_detection={"type": "server_vad"})
    await speak(connection, 0.2, 1.0)
    await until(connection, "response.created")
    await speak(connection, 0.4, 1.0)  # a noise without words
    events = await until(connection, "response.done")
    assert events[-1].response.status_details.reason == "turn_detected"
    events = await until(connection, "response.done")
    assert events[-1].response.status == "completed"
    assert events[-1].response.output[0].content[0].transcript == "It is noon."
    assert len(stand_in.asked) == 1


async def test_who_speaks_over_an_answer_aside_does_not_end_it(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    """Only what answers in the conversation is interrupted, as OpenAI has it."""
    stand_in.parts = [chunk("One two three. "), 0.5, chunk("Four five six.", finish="stop"), DONE]
    await listen_with(connection, turn_detection={"type": "server_vad", "create_response": False})
    content: Any = [{"type": "input_text", "text": "Count."}]
    message: Any = {"type": "message", "role": "user", "content": content}
    await connection.response.create(response={"conversation": "none", "input": [message]})
    events = await until(connection, "response.output_audio.delta")
    await speak(connection, 0.5, 1.0)
    events += await until(connection, "response.done")
    assert "input_audio_buffer.speech_started" in [event.type for event in events]
    assert events[-1].response.status == "completed"
    words = "One two three. Four five six."
    assert events[-1].response.output[0].content[0].transcript == words
    assert len(sound_of(events)) >= 2 * 2400 * len(words)


@pytest.mark.parametrize("level", [0.3, 0.4])
async def test_listening_sounds_and_noises_do_not_end_the_story(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, level: float
) -> None:
    await begin_story(connection, stand_in)
    await speak(connection, level, 0.5)
    first = (await until(connection, "response.done"))[-1].response
    resumed = await until(connection, "response.content_part.added")
    assert not [event for event in resumed if event.type == "input_audio_buffer.committed"]
    rest = await until(connection, "response.done")
    assert rest[-1].response.status == "completed"
    said = rest[-1].response.output[0].content[0].transcript
    assert STORY.rstrip().endswith(said.rstrip())
    assert len(said) < len(STORY)
    assert len(stand_in.asked) == 1
    assert first.status == "cancelled"


async def test_the_client_may_say_what_a_message_is(connection: AsyncRealtimeConnection, stand_in: ChatStandIn) -> None:
    await listen_with(connection, turn_detection=None)
    await speak(connection, 0.2, 0.6, quiet_s=1.0)
    await speak(connection, 0.5, 0.6, quiet_s=0.0)
    await connection.input_audio_buffer.commit()
    await connection.response.create()  # the words are waited for
    events = await until(connection, "response.done")
    assert not [event for event in events if "speech_st" in event.type]
    (completed,) = [e for e in events if e.type == "conversation.item.input_audio_transcription.completed"]
    assert completed.transcript == "What time is it? Wait, stop."
    deltas = [e for e in events if e.type == "conversation.item.input_audio_transcription.delta"]
    assert "".join(delta.delta for delta in deltas) == completed.transcript
    assert {delta.item_id for delta in deltas} == {completed.item_id}
    assert stand_in.asked[0]["messages"][-1]["content"] == "What time is it? Wait, stop."


async def test_a_cleared_buffer_is_forgotten(connection: AsyncRealtimeConnection) -> None:
    await listen_with(connection, turn_detection=None)
    await speak(connection, 0.2, 0.6)
    await connection.input_audio_buffer.clear()
    await speak(connection, 0.5, 0.6)
    await connection.input_audio_buffer.commit()
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert events[-1].transcript == "Wait, stop."


@pytest.fixture
def behind(server: LiveServer, listening: FakeListening) -> Callable[[], None]:
    """The ear hears nothing before this is called."""
    listening.lends.clear()

    def hear() -> None:
        server.loop.call_soon_threadsafe(listening.lends.set)

    return hear


async def test_sound_before_a_clear_begins_no_turn(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, behind: Callable[[], None]
) -> None:
    await listen_with(connection, turn_detection={"type": "server_vad"})
    await speak(connection, 0.2, 1.0, quiet_s=0.0)
    await connection.input_audio_buffer.clear()
    await until(connection, "input_audio_buffer.cleared")
    await speak(connection, 0.0, 1.0)
    await speak(connection, 0.5, 1.0)
    behind()
    events = await until(connection, "response.done")
    assert [e.transcript for e in events if e.type.endswith("transcription.completed")] == ["Wait, stop."]
    assert len([e for e in events if e.type == "input_audio_buffer.committed"]) == 1
    assert stand_in.asked[-1]["messages"][-1]["content"] == "Wait, stop."


async def test_sound_before_a_commit_is_its_message_and_no_turn(
    connection: AsyncRealtimeConnection, behind: Callable[[], None]
) -> None:
    await listen_with(connection, turn_detection={"type": "server_vad"})
    await speak(connection, 0.2, 1.0)
    await connection.input_audio_buffer.commit()
    await until(connection, "input_audio_buffer.committed")
    behind()
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert events[-1].transcript == "What time is it?"
    assert not [event.type for event in events if event.type.startswith("input_audio_buffer")]


@pytest.mark.parametrize("ends", ["commit", "clear"])
async def test_half_a_sample_is_left_behind_with_its_message(connection: AsyncRealtimeConnection, ends: str) -> None:
    await listen_with(connection, turn_detection=None)
    odd = base64.b64encode(np.full(24_000, 0.5 * 32767).astype("<i2").tobytes()[:-1]).decode()
    await connection.input_audio_buffer.append(audio=odd)
    await (connection.input_audio_buffer.commit() if ends == "commit" else connection.input_audio_buffer.clear())
    await speak(connection, 0.2, 1.0)
    await connection.input_audio_buffer.commit()
    heard = []
    while "What time is it?" not in heard:
        heard.append((await until(connection, "conversation.item.input_audio_transcription.completed"))[-1].transcript)
    assert heard[:-1] == ([] if ends == "clear" else ["Wait, stop."])


async def test_another_format_counts_from_the_next_sound_on(
    connection: AsyncRealtimeConnection, behind: Callable[[], None]
) -> None:
    await listen_with(connection, turn_detection=None)
    await speak(connection, 0.2, 1.0)
    await connection.input_audio_buffer.commit()
    await connection.session.update(
        session={"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}
    )
    encoder = open_encoder("pcmu", 8000)
    data = encoder.encode(np.full(8000, 0.5, np.float32)) + encoder.flush()
    await connection.input_audio_buffer.append(audio=base64.b64encode(data).decode())
    await connection.input_audio_buffer.commit()
    await until(connection, "session.updated")
    behind()
    kind = "conversation.item.input_audio_transcription.completed"
    heard = {(await until(connection, kind))[-1].transcript for _ in range(2)}
    assert heard == {"What time is it?", "Wait, stop."}


@pytest.mark.parametrize("refers", [False, True])
async def test_an_answer_aside_waits_for_the_words_it_answers_to(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, behind: Callable[[], None], refers: bool
) -> None:
    await listen_with(connection, turn_detection=None)
    await speak(connection, 0.2, 1.0)
    await connection.input_audio_buffer.commit()
    item_id = (await until(connection, "input_audio_buffer.committed"))[-1].item_id
    wishes: Any = {"conversation": "none", "output_modalities": ["text"]}
    if refers:
        wishes["input"] = [{"type": "item_reference", "id": item_id}]
    await connection.response.create(response=wishes)
    await until(connection, "response.created")
    await say(connection, "Answered by now, if it does not wait.")
    await until(connection, "conversation.item.done")
    behind()
    await until(connection, "response.done")
    assert {"role": "user", "content": "What time is it?"} in stand_in.asked[-1]["messages"]


async def test_a_message_that_comes_with_its_sound_is_understood(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    await listen_with(connection, turn_detection=None)
    data = np.full(12_000, 6553, "<i2").tobytes()
    content: Any = [{"type": "input_audio", "audio": base64.b64encode(data).decode()}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
    await connection.response.create()
    await until(connection, "response.done")
    assert stand_in.asked[0]["messages"][-1]["content"] == "What time is it?"


@pytest.mark.parametrize("format", ["audio/pcmu", "audio/pcma"])
async def test_telephones_are_heard(connection: AsyncRealtimeConnection, format: str) -> None:
    await listen_with(connection, turn_detection=None, format={"type": format})
    data = open_encoder(format.removeprefix("audio/"), 8000).encode(np.full(4000, 0.2, np.float32))
    await connection.input_audio_buffer.append(audio=base64.b64encode(data).decode())
    await connection.input_audio_buffer.commit()
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert events[-1].transcript == "What time is it?"


async def test_a_transcription_session_tells_words(server: LiveServer) -> None:
    async with connect(server, model="", extra_query={"intent": "transcription"}) as connection:
        await until(connection, "session.created")
        await speak(connection, 0.2, 0.6)
        events = await until(connection, "conversation.item.input_audio_transcription.completed")
        assert events[-1].transcript == "What time is it?"


@pytest.mark.parametrize("asks", [True, False])
async def test_words_are_told_while_they_are_spoken(
    connection: AsyncRealtimeConnection, listening: FakeListening, asks: bool
) -> None:
    listening.words = {2: "What time is it?", 5: "What time is it in Rome?"}
    if asks:
        session: Any = {"type": "realtime", "vivavoce": {"events": ["drafts"]}}
        await connection.session.update(session=session)
        await until(connection, "session.updated")
    await listen_with(connection)
    for level in (0.2, 0.2, 0.2):
        await speak(connection, level, 0.8, quiet_s=0.0)
    await speak(connection, 0.2, 0.8)
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    kinds = [event.type for event in events]
    deltas = [e for e in events if e.type == "conversation.item.input_audio_transcription.delta"]
    told_early = kinds.index(deltas[0].type) < kinds.index("input_audio_buffer.committed")
    assert told_early == asks
    assert "".join(delta.delta for delta in deltas) == "What time is it?"
    assert {delta.item_id for delta in deltas} == {events[-1].item_id}


async def asked(stand_in: ChatStandIn, count: int) -> None:
    async with asyncio.timeout(10):
        while len(stand_in.asked) < count:  # noqa: ASYNC110  # on the server's loop
            await asyncio.sleep(0.005)


async def test_an_answer_is_begun_before_the_turn_is_certain_and_heard_after(
    server: LiveServer, connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    await listen_with(connection, turn_detection={"type": "server_vad", "silence_duration_ms": 2000})
    await speak(connection, 0.2, 1.0, quiet_s=0.3)
    await asked(stand_in, 1)
    await speak(connection, 0.0, 0.0, quiet_s=2.0)
    events = await until(connection, "response.done")
    kinds = [event.type for event in events]
    assert kinds.index("input_audio_buffer.committed") < kinds.index("response.created")
    assert events[-1].response.status == "completed"
    assert len(sound_of(events)) > 10_000
    assert "".join(e.delta for e in events if e.type == "response.output_audio_transcript.delta") == "It is noon."
    assert len(stand_in.asked) == 1
    assert stand_in.asked[0]["messages"][-1]["content"] == "What time is it?"


async def test_a_whole_answer_is_spoken_before_the_turn_is_certain(
    connection: AsyncRealtimeConnection, engine: FakeEngine
) -> None:
    """Its last sentence, the only one here, waits for no more words."""
    await listen_with(connection, turn_detection={"type": "server_vad", "silence_duration_ms": 9000})
    await speak(connection, 0.2, 1.0, quiet_s=0.3)
    async with asyncio.timeout(6):
        while not engine.streams:  # noqa: ASYNC110  # in its worker
            await asyncio.sleep(0.005)
    await speak(connection, 0.0, 0.0, quiet_s=9.0)
    events = await until(connection, "response.done")
    assert "".join(e.delta for e in events if e.type == "response.output_audio_transcript.delta") == "It is noon."
    assert [stream.sentence.source.strip() for stream in engine.streams] == ["It is noon."]


async def test_who_goes_on_is_answered_anew(
    server: LiveServer, connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    await listen_with(connection, turn_detection={"type": "server_vad", "silence_duration_ms": 2000})
    await speak(connection, 0.2, 0.6, quiet_s=0.3)
    await asked(stand_in, 1)
    await speak(connection, 0.5, 1.2, quiet_s=2.5)
    events = await until(connection, "response.done")
    assert [event.type for event in events].count("response.created") == 1
    assert [asked["messages"][-1]["content"] for asked in stand_in.asked] == ["What time is it?", "Wait, stop."]
    item = (await say_what_is_known(connection, events)).item
    assert item.content[0].transcript == "Wait, stop."
    assert server.metric("voice_active_streams", transport="websocket") == 0.0


async def test_thinking_ahead_needs_a_verdict_and_room(
    server: LiveServer, connection: AsyncRealtimeConnection, stand_in: ChatStandIn, listening: FakeListening
) -> None:
    listening.finished = 0.005
    await listen_with(connection, turn_detection={"type": "server_vad", "silence_duration_ms": 2000})
    await speak(connection, 0.2, 0.6, quiet_s=1.5)
    await until(connection, "input_audio_buffer.speech_started")
    await asyncio.sleep(0.3)  # long enough for words and verdict
    assert stand_in.asked == []
    await speak(connection, 0.0, 0.0, quiet_s=1.0)
    assert (await until(connection, "response.done"))[-1].response.status == "completed"


async def say_what_is_known(connection: AsyncRealtimeConnection, events: list[Any]) -> Any:
    (committed,) = [event for event in events if event.type == "input_audio_buffer.committed"]
    await connection.conversation.item.retrieve(item_id=committed.item_id)
    return (await until(connection, "conversation.item.retrieved"))[-1]


async def test_a_long_turn_is_heard_in_parts(connection: AsyncRealtimeConnection, listening: FakeListening) -> None:
    await listen_with(connection)
    for level in (0.2, 0.5, 0.6):
        await speak(connection, level, 11.0, quiet_s=0.3)
    await speak(connection, 0.2, 0.5)
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert events[-1].transcript == ("What time is it? Wait, stop. Set a timer for five minutes. What time is it?")


async def test_words_that_cannot_be_understood_are_told(
    connection: AsyncRealtimeConnection, listening: FakeListening
) -> None:
    await listen_with(connection)
    listening.error, listening.breaks = EngineError("the recognizer is gone"), True
    await speak(connection, 0.2, 0.6)
    events = await until(connection, "error")
    assert events[-1].error.message == "the recognizer is gone"
    assert [e for e in events if e.type == "conversation.item.input_audio_transcription.failed"]
    listening.error, listening.breaks = None, False
    await speak(connection, 0.2, 0.6)
    assert (await until(connection, "response.done"))[-1].response.status == "completed"


async def test_where_no_ear_is_left_the_client_is_told_and_let_go(
    connection: AsyncRealtimeConnection, listening: FakeListening
) -> None:
    listening.error = Overloaded("two people are being listened to already")
    await speak(connection, 0.2, 0.6)
    assert (await until(connection, "error"))[-1].error.code == "server_overloaded"


async def test_an_ear_is_lent_only_to_who_speaks_and_given_back(server: LiveServer, listening: FakeListening) -> None:
    async with connect(server) as connection:
        await listen_with(connection)
        assert listening.lent == 0
        await speak(connection, 0.2, 0.6)
        await until(connection, "response.done")
        assert listening.lent == 1
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"language": "de"}}}}
        )
        await speak(connection, 0.5, 0.6)
        await until(connection, "response.done")
        assert [wishes.language for wishes in listening.wishes] == [None, "de"]
    async with asyncio.timeout(10):
        while listening.lent:  # noqa: ASYNC110  # of the server's thread
            await asyncio.sleep(0.01)


async def test_a_conversation_is_admitted_once_and_the_third_is_refused(stand_in: ChatStandIn) -> None:
    listening = FakeListening(WORDS)
    settings: dict[str, Any] = {"preload": False, "admission_share": 0.85, "workers": 2, "queue_wait_s": 0.05}
    settings["chat_model"] = "none"  # the demo brain would be in the books as well
    with live_server([FakeEngine(["heart"], step_samples=2400)], **settings) as server:
        think_with(server, HostedChat("http://chat.test/v1", "tiny", transport=stand_in))
        sessions = server.server.assistant.sessions
        object.__setattr__(sessions, "make_ear", lambda owner, transport: TurnEar(listening, owner, transport))
        assert sessions.admissions is not None
        books = sessions.admissions.books
        books.measured(EAR, 0.8, 1.0)
        books.measured(DETECTOR, 0.02, 1.0)
        async with connect(server) as first, connect(server) as second, connect(server) as third:
            for connection in (first, second):
                await listen_with(connection)
                await speak(connection, 0.2, 0.6)
                assert (await until(connection, "response.done"))[-1].response.status == "completed"
            assert list(books.active().values()) == [2]
            assert books.load() == pytest.approx(2 * 0.82)
            assert all(place is not None for place in listening.places)
            await say(third, "Hello?")
            await third.response.create()
            events = await until(third, "error")
            assert events[-1].error.code == "server_overloaded"
            assert "at capacity" in events[-1].error.message
            assert [e.response.status for e in events if e.type == "response.done"] == ["failed"]
            with pytest.raises(ConnectionClosed) as closed:
                await until(third, "never")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
            await speak(first, 0.5, 0.6)
            assert (await until(first, "response.done"))[-1].response.status == "completed"
        async with asyncio.timeout(10):
            while books.active():  # noqa: ASYNC110  # of the server's thread
                await asyncio.sleep(0.01)


async def test_what_is_still_being_written_is_said_after_a_false_alarm(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    stand_in.parts = [chunk(STORY), 3.0, chunk("And that is the end."), chunk(finish="stop"), DONE]
    await listen_with(connection)
    await speak(connection, 0.2, 0.5)
    await until(connection, "response.output_audio.delta")
    await asyncio.sleep(0.5)
    await speak(connection, 0.3, 0.5)
    assert (await until(connection, "response.done"))[-1].response.status == "cancelled"
    rest = await until(connection, "response.done")
    assert rest[-1].response.status == "completed"
    assert rest[-1].response.output[0].content[0].transcript.rstrip().endswith("And that is the end.")
    assert len(stand_in.asked) == 1


@pytest.mark.parametrize("level", [0.0, 0.01])
async def test_silence_is_no_turn(connection: AsyncRealtimeConnection, level: float) -> None:
    await listen_with(connection)
    await speak(connection, level, 20.0)
    await connection.input_audio_buffer.clear()
    assert [event.type for event in await until(connection, "input_audio_buffer.cleared")] == [
        "input_audio_buffer.cleared"
    ]
