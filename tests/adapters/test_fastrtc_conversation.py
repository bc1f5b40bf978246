"""The assistant as a FastRTC handler: a page with a microphone talks to it over a real `Stream`, and is answered.

The voice and the recognizer are those of a server; only the chat model is a stand-in.
"""

from __future__ import annotations

import asyncio
import audioop
import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from websockets.asyncio.client import connect

from adapters.fastrtc_page import RATE, Page, page
from fake_engine import wait_until
from live_server import LiveServer, live_server
from realtime_clients.chat_server import STORY, ChatServer, chat_server
from vivavoce.adapters.fastrtc import ConversationHandler, HearingModel, SpeechModel
from vivavoce.config import Config
from vivavoce.errors import ProtocolError

PATH = "/fastrtc/conversation"
QUESTION = "What is the capital of France?"
WISH = "Please tell me a long story about the sea."
NO_MORE = "Stop it now, please, that is enough."


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatServer]:
    with chat_server() as serving:
        yield serving


@pytest.fixture(scope="module")
def server(chat: ChatServer) -> Iterator[LiveServer]:
    with live_server(
        fastrtc=True, recognizer="tiny.en", preload_recognizer=True, chat_url=chat.url, chat_model="stub"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def hearing() -> Iterator[HearingModel]:
    model = HearingModel(Config(workers=1), model="tiny.en")
    yield model
    model.close()


@pytest.fixture(scope="module")
def user() -> Iterator[dict[str, NDArray[np.float32]]]:
    """What the user says, at 48 kHz, with silence behind it."""
    model = SpeechModel(Config(workers=1))
    spoken = {}
    for text in (QUESTION, WISH, NO_MORE):
        rate, samples = model.tts(text)
        spoken[text] = np.pad(soxr.resample(samples, rate, RATE), (0, RATE))
    yield spoken
    model.close()


async def read(hearing: HearingModel, client: Page, begin: int = 0) -> str:
    """What a recognizer hears of what the page heard."""
    return await hearing.stt_async((RATE, client.sound()[begin:]))


async def silent(client: Page) -> None:
    """Until nothing more comes."""
    heard = -1
    while len(client.sound()) > heard:
        heard = len(client.sound())
        await asyncio.sleep(0.5)


async def test_a_question_is_heard_and_answered_aloud(
    server: LiveServer, hearing: HearingModel, user: dict[str, NDArray[np.float32]]
) -> None:
    async with page(server.url, PATH, id="asks", reads_events=True) as client:
        await client.until("the session", lambda: bool(client.told("session.created")))
        client.microphone.say(user[QUESTION])
        await client.until("the answer", lambda: bool(client.told("response.done")))
        await client.until("the end of its sound", lambda: bool(client.told("output_audio_buffer.stopped")))
        await silent(client)
        [heard] = client.told("conversation.item.input_audio_transcription.completed")
        assert "capital of france" in heard["transcript"].lower()
        [done] = client.told("response.done")
        assert done["response"]["status"] == "completed"
        assert {"paris", "capital", "france"} <= set((await read(hearing, client)).lower().replace(".", "").split())
        assert not client.told("error")


async def test_talking_over_it_silences_it_and_cuts_what_it_said(
    server: LiveServer, chat: ChatServer, user: dict[str, NDArray[np.float32]]
) -> None:
    async with page(server.url, PATH, id="interrupts", reads_events=True) as client:
        await client.until("the session", lambda: bool(client.told("session.created")))
        client.microphone.say(user[WISH])
        await client.hears(3 * RATE)
        client.microphone.say(user[NO_MORE])
        await client.until("an interruption", lambda: bool(client.told("output_audio_buffer.cleared")))
        before = len(client.sound())
        [cleared] = client.told("output_audio_buffer.cleared")
        done = client.told("response.done")[0]["response"]
        assert (done["status"], done["id"]) == ("cancelled", cleared["response_id"])
        await client.until("the next answer", lambda: len(client.told("response.done")) == 2)
        story = next(str(each["content"]) for each in chat.asked[-1] if "[interrupted" in str(each["content"]))
        told = story.partition(" ... [interrupted")[0].strip()
        assert STORY.startswith(told)
        assert 2 < len(told.split()) < len(STORY.split()) / 2
        assert before < 15 * RATE  # the whole story takes half a minute


async def test_texts_and_events_speak_in_the_users_place(server: LiveServer, hearing: HearingModel) -> None:
    async with page(server.url, PATH, id="writes", reads_events=True) as client:
        await client.until("the session", lambda: bool(client.told("session.created")))
        await client.put(event={"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}})
        await client.until("the update", lambda: bool(client.told("session.updated")))
        await client.put(text=QUESTION)
        await client.until("the answer", lambda: bool(client.told("output_audio_buffer.stopped")))
        await silent(client)
        assert "capital of france is paris" in (await read(hearing, client)).lower()
        await client.put(text=WISH)
        heard = len(client.sound())
        await client.hears(heard + RATE)
        await client.put(text="")
        await client.until("silence", lambda: client.told("response.done")[-1]["response"]["status"] == "cancelled")
        await client.put(event={"type": "response.cancel"})
        await client.until("the refusal", lambda: bool(client.told("error")))
        assert client.told("error")[0]["error"]["code"] == "response_cancel_not_active"
        await client.until("the message", lambda: "error" in [each.get("type") for each in client.said])


async def test_a_page_that_goes_leaves_nothing(server: LiveServer) -> None:
    async with page(server.url, PATH, id="leaves") as client:
        await client.put(text=WISH)  # before the conversation has begun: it is not lost
        await client.hears(RATE)
        assert len(server.server.connections) >= 1
    gone = {"ear", "place", "reply-speech"}
    await asyncio.to_thread(wait_until, lambda: len(server.server.connections) == 0)
    await asyncio.to_thread(wait_until, lambda: server.server.synthesizer.speaking == 0)
    await asyncio.to_thread(wait_until, lambda: not gone & server.tasks())


async def test_one_too_many_is_told_and_hung_up_on(chat: ChatServer) -> None:
    with live_server(fastrtc=True, max_sockets=1, chat_url=chat.url, chat_model="stub") as server:
        async with page(server.url, PATH, id="first", reads_events=True) as first:
            await first.until("the session", lambda: bool(first.told("session.created")))
            async with page(server.url, PATH, id="second", reads_events=True) as second:
                await second.until("the end", lambda: "end_stream" in [each["type"] for each in second.said])
                [refused] = second.told("error")
                assert refused["error"]["code"] == "server_overloaded"
                assert "1 live connections are open" in refused["error"]["message"]


KEYS = ("a-key-of-enough-characters", "another-key-of-enough-characters")


@pytest.mark.parametrize("path", [PATH, "/fastrtc"])
async def test_one_key_leaves_calls_for_the_others_and_hears_none_of_theirs(chat: ChatServer, path: str) -> None:
    settings: dict[str, Any] = {"max_calls": 3, "api_keys": KEYS, "chat_url": chat.url, "chat_model": "stub"}
    with live_server(fastrtc=True, **settings) as server:

        async def until_hung_up(client: Page) -> None:
            await client.until("the end", lambda: "end_stream" in [each["type"] for each in client.said])

        async with page(server.url, path, id="first", key=KEYS[0]) as first:
            await first.put(text="Hello.")
            await first.hears(RATE // 10)
            async with page(server.url, path, id="second", key=KEYS[0]) as second:
                await until_hung_up(second)
            async with page(server.url, path, id="third", key=KEYS[1]) as third:
                await third.put(text="Hello there.")
                await third.hears(RATE // 10)
                for other in (first.http, third.http):
                    id = "third" if other is first.http else "first"
                    answer = await other.post(path + "/input", json={"webrtc_id": id, "text": "Say this."})
                    assert answer.status_code == 404


async def test_a_conversation_is_let_in_as_a_whole_or_told_why_not(chat: ChatServer) -> None:
    settings: dict[str, Any] = {"max_streams": 1, "queue_wait_s": 0.1, "chat_url": chat.url, "chat_model": "stub"}
    with live_server(fastrtc=True, **settings) as server:
        async with page(server.url, PATH, id="talks", reads_events=True) as first:
            await first.put(text=WISH)
            await first.until("the session", lambda: bool(first.told("session.created")))
            await first.hears(1)
            async with page(server.url, PATH, id="waits", reads_events=True) as second:
                await second.put(text=QUESTION)
                await second.until("the end", lambda: "end_stream" in [each["type"] for each in second.said])
                assert second.told("error")[-1]["error"]["code"] == "server_overloaded"
            assert first.told("error") == []
            assert first.told("response.done") == []


async def test_a_server_that_stops_says_goodbye(chat: ChatServer) -> None:
    with live_server(fastrtc=True, chat_url=chat.url, chat_model="stub") as server:
        async with page(server.url, PATH, id="stays", reads_events=True) as client:
            await client.until("the session", lambda: bool(client.told("session.created")))
            drained = asyncio.run_coroutine_threadsafe(server.server.drain(), server.loop)
            await client.until("goodbye", lambda: "end_stream" in [each["type"] for each in client.said])
            assert [each["data"] for each in client.said if each["type"] == "end_stream"] == ["shutdown"]
            await asyncio.wrap_future(drained)


async def test_the_same_over_fastrtcs_websocket(
    server: LiveServer, hearing: HearingModel, user: dict[str, NDArray[np.float32]]
) -> None:
    """FastRTC's own protocol: mu-law at the handler's rate, both ways."""
    address = server.url.replace("http", "ws") + f"{PATH}/websocket/offer"
    said = audioop.lin2ulaw((user[QUESTION] * 32767).astype("<i2").tobytes(), 2)
    heard = bytearray()
    async with connect(address) as socket, asyncio.timeout(60):
        await socket.send(json.dumps({"event": "start", "websocket_id": "over-a-socket"}))

        async def speak() -> None:
            for at in range(0, len(said), 960):
                payload = base64.b64encode(said[at : at + 960]).decode()
                await socket.send(json.dumps({"event": "media", "media": {"payload": payload}}))
                await asyncio.sleep(0.02)

        speaking = asyncio.create_task(speak())
        with contextlib.suppress(TimeoutError):
            while True:  # until it has begun, and there has been silence for a while
                async with asyncio.timeout(2.0 if heard else None):
                    message = json.loads(await socket.recv())
                if message.get("event") == "media":
                    heard += base64.b64decode(message["media"]["payload"])
        await speaking
    samples = np.frombuffer(audioop.ulaw2lin(bytes(heard), 2), "<i2")
    assert "capital of france" in (await hearing.stt_async((RATE, samples))).lower()
    await asyncio.to_thread(wait_until, lambda: not {"ear", "place"} & server.tasks())


async def test_settings_that_cannot_be_are_refused_at_once(server: LiveServer) -> None:
    sessions = server.server.assistant.sessions
    with pytest.raises(ProtocolError, match="speed"):
        ConversationHandler(sessions, {"audio": {"output": {"speed": 9}}})


async def test_nobodys_events_are_not_to_be_had(server: LiveServer) -> None:
    async with page(server.url, PATH, id="someone") as client:
        answer = await client.http.get(f"{PATH}/events", params={"webrtc_id": "nobody"})
        assert answer.status_code == 404
        answer = await client.http.post(f"{PATH}/input", json={"webrtc_id": "nobody", "text": "Hello."})
        assert answer.status_code == 404
