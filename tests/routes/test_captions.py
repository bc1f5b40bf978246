"""`/v1/audio/transcriptions/stream` over a real socket and a fake recognizer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fake_engine import FakeEngine, wait_until
from fake_recognizer import FakeRecognizer
from live_server import LiveServer, live_server
from loudness import Loudness
from recordings import recording
from vivavoce.audio.chunk import Samples
from vivavoce.audio.telephone import TelephoneEncoder
from vivavoce.decoding.service import DecodingLimits
from vivavoce.engines.recognizer import HearingOptions

KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with live_server([FakeEngine()], recognizers=[FakeRecognizer(("whisper-base",))], activity=Loudness()) as server:
        yield server


@asynccontextmanager
async def listening(server: LiveServer, **options: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{server.port}/v1/audio/transcriptions/stream", **options) as socket:
        created = await message(socket)
        assert created["type"] == "session.created"
        assert "whisper-base" in created["models"]
        yield socket


async def message(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), 20)))


async def send(socket: ClientConnection, kind: str, **fields: Any) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def until_done(socket: ClientConnection) -> list[dict[str, Any]]:
    messages = [await message(socket)]
    while messages[-1]["type"] != "session.done":
        messages.append(await message(socket))
    return messages


def finals(messages: list[dict[str, Any]]) -> list[str]:
    return [each["text"] for each in messages if each["type"] == "transcript.final"]


def spoken(rate: int = 16_000) -> Samples:
    """Two words with a second of silence behind each: "w25", "w50"."""
    quiet = np.zeros(rate, np.float32)
    return np.concatenate([np.full(rate // 2, 0.25, np.float32), quiet, np.full(rate // 2, 0.5, np.float32), quiet])


def s16(samples: Samples) -> bytes:
    return np.rint(samples * 32767).astype("<i2").tobytes()


async def test_speech_becomes_words_with_times(server: LiveServer) -> None:
    async with listening(server) as socket:
        await send(socket, "session.config", words=True)
        data = s16(spoken())
        for start in range(0, len(data), 3201):  # pieces that cut a sample in two
            await socket.send(data[start : start + 3201])
        await send(socket, "input.done")
        messages = await until_done(socket)
    kinds = [each["type"] for each in messages if each["type"] != "transcript.partial"]
    segment = ["speech.started", "speech.stopped", "transcript.final"]
    assert sorted(kinds[:-1]) == sorted(segment * 2)
    assert [text.split()[0] for text in finals(messages)] == ["w25", "w50"]
    second = next(each for each in messages if each["type"] == "transcript.final" and each["segment"] == 1)
    assert second["start_ms"] == pytest.approx(1200, abs=70)  # 0.3 s before the word
    assert second["words"][0]["start_ms"] == second["start_ms"]
    assert second["language"] == "en"
    assert messages[-1] == {"type": "session.done", "status": "completed", "duration_ms": 3000, "segments": 2}


@pytest.mark.parametrize("rate", [8000, 24_000, 48_000])
async def test_bare_samples_of_any_rate(server: LiveServer, rate: int) -> None:
    async with listening(server) as socket:
        await send(socket, "session.config", sample_rate=rate, partials=False)
        await socket.send(s16(spoken(rate)[: rate * 2]))
        await send(socket, "input.done")
        messages = await until_done(socket)
    assert len(finals(messages)) == 2
    assert not any(each["type"] == "transcript.partial" for each in messages)


async def test_a_telephones_samples(server: LiveServer) -> None:
    async with listening(server) as socket:
        await send(socket, "session.config", encoding="mulaw")
        await socket.send(TelephoneEncoder("pcmu", 8000).encode(spoken(8000)))
        await send(socket, "input.done")
        assert len(finals(await until_done(socket))) == 2


@pytest.mark.parametrize("container", ["webm live", "ogg opus"])
async def test_opus_in_a_container(server: LiveServer, container: str) -> None:
    data = recording(container, 2.0)
    async with listening(server) as socket:
        await send(socket, "session.config", encoding="container")
        for start in range(0, len(data), 1000):
            await socket.send(data[start : start + 1000])
        await send(socket, "input.done")
        messages = await until_done(socket)
        assert messages[-1]["status"] == "completed", messages
        assert len(finals(messages)) == 1
        assert messages[-1]["duration_ms"] == pytest.approx(2000, abs=60)
        await socket.send(data)  # the next stream
        await send(socket, "input.done")
        assert len(finals(await until_done(socket))) == 1


async def test_a_container_of_which_nothing_comes_gives_its_decoder_to_who_speaks(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many connections as one client may have decoders send the head of a recording, and no more."""
    monkeypatch.setattr("vivavoce.decoding.service.REST_S", 0.0)
    data = recording("ogg opus", 2.0)
    async with AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(listening(server)) for _ in range(DecodingLimits().streams_per_owner)]
        for socket in idle:
            await send(socket, "session.config", encoding="container")
            await socket.send(data[:1000])
            await asyncio.to_thread(wait_until, lambda: len(server.server.decoding.lent) > idle.index(socket))  # noqa: B023
        async with listening(server) as speaks:
            await send(speaks, "session.config", encoding="container")
            await speaks.send(data)
            await send(speaks, "input.done")
            messages = await until_done(speaks)
        assert messages[-1]["status"] == "completed", messages
        await idle[0].send(data[1000:])
        refused = (await until_done(idle[0]))[0]
        assert refused["error"]["code"] == "server_overloaded", "the one that rested longest has to begin anew"


async def test_what_is_no_container_fails_alone(server: LiveServer) -> None:
    async with listening(server) as socket:
        await send(socket, "session.config", encoding="container")
        await socket.send(b"this is no sound" * 100)
        messages = await until_done(socket)
        assert [each["type"] for each in messages] == ["error", "session.done"]
        assert messages[0]["error"]["code"] == "invalid_audio"
        await socket.send(b"more of it")
        await send(socket, "input.done")
        await send(socket, "session.config", encoding="pcm")
        await socket.send(s16(spoken()))
        await send(socket, "input.done")
        assert len(finals(await until_done(socket))) == 2


async def test_a_flush_ends_the_segment_at_once(server: LiveServer) -> None:
    async with listening(server) as socket:
        await socket.send(s16(np.full(8000, 0.25, np.float32)))
        await send(socket, "input.flush")
        while (told := await message(socket))["type"] != "transcript.final":
            pass
        assert told["text"] == "w25"
        await send(socket, "session.close")
        with pytest.raises(ConnectionClosed) as closed:
            await until_done(socket)  # which never comes
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000


async def test_who_is_silent_holds_no_place(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.captions.live_captions.QUIET_S", 0.05)

    def held() -> float:
        return server.metric("voice_active_hearings", transport="websocket")

    async with listening(server) as socket:
        await socket.send(s16(spoken()[:24_000]))
        async with asyncio.timeout(20):
            while not held():  # noqa: ASYNC110 - what is waited for happens in another thread
                await asyncio.sleep(0.01)
            while held():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await socket.send(s16(spoken()[24_000:]))
        await send(socket, "input.done")
        messages = await until_done(socket)
    assert [each["segment"] for each in messages if each["type"] == "transcript.final"] == [0, 1]
    second = [each for each in messages if each["type"] == "transcript.final"][1]
    assert second["start_ms"] == pytest.approx(1500, abs=70)  # of the whole stream


async def test_an_unknown_model_and_language(server: LiveServer) -> None:
    for field, code in (({"model": "nobody"}, "model_not_found"), ({"language": "klingon"}, "invalid_request")):
        async with listening(server) as socket:
            await send(socket, "session.config", **field)
            await socket.send(s16(spoken()))
            messages = await until_done(socket)
            assert messages[0]["error"]["code"] == code
            assert messages[-1]["status"] == "failed"


async def test_keys_and_tokens() -> None:
    ears = FakeRecognizer(("whisper-base",))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness(), api_keys=(KEY,)) as server:
        with pytest.raises(InvalidStatus):
            async with listening(server):
                pass
        headers = {"authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient() as client:
            answer = await client.post(server.url + "/v1/audio/speech/token", headers=headers)
        token = answer.json()["token"]
        async with listening(server, subprotocols=["vivavoce.v1", f"vivavoce.token.{token}"]) as socket:
            assert socket.subprotocol == "vivavoce.v1"


async def test_the_options_reach_the_recognizer() -> None:
    ears = FakeRecognizer(("whisper-base",))
    with live_server([FakeEngine()], recognizers=[ears], activity=Loudness()) as server:
        async with listening(server) as socket:
            await send(socket, "session.config", language="Portuguese", prompt="Ulm.", keywords=["Ulm"])
            await socket.send(s16(spoken()))
            await send(socket, "input.done")
            await until_done(socket)
    wanted = HearingOptions(language="pt", prompt="Ulm.", hotwords=("Ulm",))
    assert {stream.options for stream in ears.streams} == {wanted}
