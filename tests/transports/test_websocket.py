"""The native stream as the `websockets` client sees it, over a real server with an engine that can be counted."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import av
import httpx
import pytest
from websockets.exceptions import InvalidStatus

from fake_engine import FakeEngine, StepGate, wait_until
from live_server import LiveServer, live_server
from stream_client import StreamClient, stream_client

TEXT = "One two three. Four five six, seven eight. Nine ten!"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine(("alpha", "beta"))]) as running:
        yield running


async def speak(client: StreamClient, text: str, **config: Any) -> Any:
    await client.send("session.config", **{"pace": "burst", **config})
    await client.say(text)
    return await client.until("session.done")


async def test_the_first_message_publishes_voices_and_limits(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        assert client.created["protocol"] == 1
        assert [voice["id"] for voice in client.created["voices"]] == ["alpha", "beta"]
        assert client.created["limits"]["max_ahead_ms"] == 4000
        assert "mp3" in client.created["limits"]["formats"]


async def test_the_versioned_subprotocol_is_chosen(server: LiveServer) -> None:
    async with stream_client(server.port, subprotocols=["vivavoce.v1"]) as client:
        assert client.socket.subprotocol == "vivavoce.v1"


async def test_a_text_is_spoken_sentence_by_sentence(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        spoken = await speak(client, TEXT, voice="beta")
    starts = [m for m in spoken.messages if m["type"] == "audio.start"]
    dones = [m for m in spoken.messages if m["type"] == "audio.done"]
    assert "".join(m["sentence_text"] for m in starts) == TEXT
    assert [m["sentence_index"] for m in starts] == [m["sentence_index"] for m in dones]
    assert {(m["format"], m["sample_rate"]) for m in starts} == {("pcm", 24000)}
    assert sum(m["total_bytes"] for m in dones) == len(spoken.audio)
    assert spoken.types == ["audio.start", "audio.done"] * len(starts) + ["session.done"]
    assert (spoken.done["status"], spoken.done["total_sentences"]) == ("completed", len(starts))
    assert spoken.done["duration_ms"] == round(len(spoken.samples) / 24)
    assert spoken.samples.max() == pytest.approx(2 / 16, abs=1e-3)  # the level of "beta"


async def test_text_in_single_characters_sounds_the_same_as_in_one_piece(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("session.config", pace="burst", seed=7)
        await client.say(TEXT)
        whole = await client.until("session.done")
        await client.say(TEXT, piece=1)
        pieces = await client.until("session.done")
    assert pieces.done["utterance_index"] == 1
    assert pieces.audio == whole.audio


async def test_the_first_audio_comes_before_the_text_is_complete(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("input.text", text="One two three. Four")
        spoken = await client.until("audio")
        await client.send("input.done")
        await client.until("session.done", spoken)
    assert spoken.done["status"] == "completed"


async def test_flush_speaks_what_is_buffered_and_the_utterance_goes_on(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("input.text", text="Hello")
        await client.send("input.flush")
        spoken = await client.until("audio")
        await client.say(" again.")
        await client.until("session.done", spoken)
    assert [m["sentence_text"] for m in spoken.messages if m["type"] == "audio.start"] == ["Hello", " again."]


async def test_word_times_come_with_the_chunk_that_holds_them(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("session.config", timestamps="word", pace="burst")
        await client.say("abc def.")
        times, bytes_before = [], []
        heard = 0
        while (message := await client.receive()) and not (
            isinstance(message, dict) and message["type"] == "session.done"
        ):
            if isinstance(message, bytes):
                heard += len(message)
            elif message["type"] == "audio.timestamps":
                times.append(message)
                bytes_before.append(heard)
    assert [m["start_ms"] for m in times] == [round(b / 48) for b in bytes_before]
    assert all(m["words"][0]["start_ms"] == m["start_ms"] for m in times)
    assert "".join(w["text"] for m in times for w in m["words"]) == "abc def."
    assert all(m["estimated"] for m in times)


async def test_no_word_times_unless_asked_for(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        assert "audio.timestamps" not in (await speak(client, "abc.")).types


async def test_base64_audio_is_the_same_audio(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        binary = await speak(client, TEXT)
        text = await speak(client, TEXT, audio="base64")
    deltas = [base64.b64decode(m["audio"]) for m in text.messages if m["type"] == "audio.delta"]
    assert text.audio == b""
    assert b"".join(deltas) == binary.audio


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "aac", "flac", "ogg"])
async def test_every_format_is_one_whole_file_that_another_decoder_reads(server: LiveServer, name: str) -> None:
    async with stream_client(server.port) as client:
        spoken = await speak(client, TEXT, response_format=name)
    with av.open(io.BytesIO(spoken.audio), "r") as file:
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(file.streams.audio[0]))
    assert seconds == pytest.approx(spoken.done["duration_ms"] / 1000, abs=0.15)
    assert sum(m["total_bytes"] for m in spoken.messages if m["type"] == "audio.done") == len(spoken.audio)


async def test_the_sample_rate_is_the_listeners_choice(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        default = await speak(client, "Hello there.")
        other = await speak(client, "Hello there.", sample_rate=16000)
    assert [m["sample_rate"] for m in other.messages if m["type"] == "audio.start"] == [16000]
    assert len(other.audio) == pytest.approx(len(default.audio) * 2 / 3, rel=0.01)


async def test_a_model_that_names_a_voice_speaks(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        spoken = await speak(client, "Hello.", model="beta")
        other = await speak(client, "Hello.", model="tts-1", voice="alpha")
    assert spoken.samples.max() == pytest.approx(2 / 16, abs=1e-3)
    assert other.samples.max() == pytest.approx(1 / 16, abs=1e-3)


async def test_several_utterances_are_spoken_in_order(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await client.send("session.config", pace="burst")
        for text in ("One.", "Two.", "Three."):
            await client.say(text)
        spoken = [await client.until("session.done") for _ in range(3)]
    assert [s.done["utterance_index"] for s in spoken] == [0, 1, 2]
    assert [s.messages[0]["sentence_text"] for s in spoken] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
async def test_nothing_to_say_is_done_without_a_sound(server: LiveServer, text: str) -> None:
    async with stream_client(server.port) as client:
        await client.send("input.text", text=text)
        await client.send("input.done")
        spoken = await client.until("session.done")
    assert spoken.types == ["session.done"]
    assert (spoken.done["status"], spoken.done["total_sentences"], spoken.done["duration_ms"]) == ("completed", 0, 0)


async def test_an_unknown_voice_fails_its_utterance_and_the_next_one_speaks(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        failed = await speak(client, "Hello.", voice="nobody")
        spoken = await speak(client, "Hello.", voice="alpha")
    error, done = failed.messages
    assert (error["error"]["code"], error["utterance_index"]) == ("voice_not_found", 0)
    assert "alpha, beta" in error["error"]["message"]
    assert done["status"] == "failed"
    assert spoken.done["status"] == "completed"


async def test_a_client_that_only_knows_the_basic_messages_is_served(server: LiveServer) -> None:
    """What vLLM-Omni's own client sends: extra fields, no playback reports, text and done."""
    async with stream_client(server.port) as client:
        await client.send(
            "session.config", model="tts-1", voice="alpha", task_type="CustomVoice", split_granularity="sentence",
            stream_audio=True, response_format="pcm",
        )  # fmt: skip
        await client.send("input.text", text="Hello there.")
        await client.send("input.done")
        spoken = await client.until("session.done")
    assert spoken.audio


# -- pacing and what was heard


async def test_burst_sends_all_of_it(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        spoken = await speak(client, "a" * 1000 + ".")
    assert spoken.done["duration_ms"] > 20_000
    assert len(spoken.samples) / 24 == pytest.approx(spoken.done["duration_ms"], abs=1)


async def test_cancel_tells_what_was_heard_of_what_the_listener_reported() -> None:
    gate = StepGate(allowed=10)
    with live_server([FakeEngine(before_step=gate)]) as server:  # 20 ms a letter
        async with stream_client(server.port) as client:
            await client.say("abcdefghijklmnopqrstuvwxyz")
            spoken = await client.until("audio")
            while len(spoken.samples) < 10 * 480:
                await client.until("audio", spoken)
            await client.send("playback.position", utterance_index=0, played_ms=70)
            await client.send("input.cancel")
            end = await client.until("session.done")
        gate.open()
    heard, done = end.messages
    assert heard["type"] == "playback.heard"
    assert heard["utterance_index"] == 0
    assert 70 <= heard["played_ms"] <= 200
    assert heard["text"] == "abcdefghijklmnopqrstuvwxyz"[: -(-heard["played_ms"] // 20)]
    assert (done["status"], done["heard"]) == ("cancelled", heard["text"])


async def test_cancel_after_the_last_chunk_still_tells_what_was_heard(server: LiveServer) -> None:
    async with stream_client(server.port) as client:
        await speak(client, "abcdefghij")
        await client.send("playback.position", utterance_index=0, played_ms=50)
        await client.send("input.cancel")
        heard = (await client.until("playback.heard")).messages
        await client.send("input.done")
        assert (await client.until("session.done")).done["utterance_index"] == 1  # no second one for the first
    assert len(heard) == 1
    assert heard[0]["text"].startswith("abc")


# -- access


KEY = "a-key-of-enough-characters"


@pytest.fixture(scope="module")
def locked() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], api_keys=(KEY,)) as running:
        yield running


async def refused(port: int, **options: Any) -> tuple[int, str]:
    """Status and error code of a handshake that the server refuses."""
    with pytest.raises(InvalidStatus) as error:
        async with stream_client(port, **options):
            pass
    body = error.value.response.body
    return error.value.response.status_code, json.loads(body)["error"]["code"] if body else ""


async def token_of(server: LiveServer, key: str = KEY) -> tuple[int, Any]:
    async with httpx.AsyncClient() as client:
        answer = await client.post(server.url + "/v1/audio/speech/token", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.json()


async def test_a_key_is_asked_for_before_the_connection_opens(locked: LiveServer) -> None:
    assert await refused(locked.port) == (401, "invalid_api_key")
    wrong = {"Authorization": "Bearer not-the-key-at-all"}
    assert await refused(locked.port, additional_headers=wrong) == (401, "invalid_api_key")
    right = {"Authorization": f"Bearer {KEY}"}
    async with stream_client(locked.port, additional_headers=right) as client:
        assert (await speak(client, "Hello.")).done["status"] == "completed"


async def test_a_token_opens_one_connection(locked: LiveServer) -> None:
    status, answer = await token_of(locked)
    assert (status, answer["subprotocol"]) == (200, "vivavoce.v1")
    offer: Any = ["vivavoce.v1", f"vivavoce.token.{answer['token']}"]
    async with stream_client(locked.port, subprotocols=offer) as client:
        assert client.socket.subprotocol == "vivavoce.v1"
    assert await refused(locked.port, subprotocols=offer) == (401, "invalid_api_key")


async def test_a_token_is_not_worth_another_token(locked: LiveServer) -> None:
    _, answer = await token_of(locked)
    status, error = await token_of(locked, key=answer["token"])
    assert (status, error["error"]["code"]) == (401, "invalid_api_key")


async def test_pages_of_other_sites_are_refused_before_the_connection_opens(server: LiveServer) -> None:
    status, _ = await refused(server.port, origin="https://evil.example")
    assert status == 403
    status, _ = await refused(server.port, named="evil.example")
    assert status == 403
    async with stream_client(server.port, origin=f"http://127.0.0.1:{server.port}"):
        pass


async def test_more_connections_than_allowed_are_refused() -> None:
    with live_server([FakeEngine()], max_sockets=1) as server:
        async with stream_client(server.port):
            assert await refused(server.port) == (503, "server_overloaded")
        wait_until(lambda: server.metric("voice_open_sockets", transport="websocket") == 0)
        async with stream_client(server.port):
            pass


# -- shutdown


async def test_shutdown_lets_the_utterance_finish_and_says_goodbye() -> None:
    gate = StepGate(allowed=3)
    with live_server([FakeEngine(before_step=gate)]) as server:
        async with stream_client(server.port) as idle, stream_client(server.port) as busy:
            await busy.say("Hello there.")
            spoken = await busy.until("audio")
            drained = asyncio.run_coroutine_threadsafe(server.server.drain(), server.loop)
            code, reason, said = await idle.closed()
            assert (code, reason, [m["type"] for m in said]) == (1001, "shutdown", ["session.closing"])
            gate.open()
            await busy.until("session.done", spoken)
            assert spoken.done["status"] == "completed"
            code, reason, said = await busy.closed()
            assert (code, reason, [m["type"] for m in said]) == (1001, "shutdown", ["session.closing"])
            await asyncio.wait_for(asyncio.wrap_future(drained), 10)
            status, _ = await refused(server.port)
            assert status == 503
