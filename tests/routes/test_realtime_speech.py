"""A real conversation: a spoken question is heard, understood, judged finished and answered, all on this machine."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from chat_stand_in import DONE, ChatStandIn, chunk
from live_server import LiveServer, live_server
from realtime_sdk import connect, openai_client, sound_of, think_with, until
from vivavoce.config import VoiceSettings
from vivavoce.engines.embedded import open_engine
from vivavoce.hosted.chat import HostedChat

QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def stand_in() -> ChatStandIn:
    return ChatStandIn([chunk("Paris is the capital of France."), chunk(finish="stop"), DONE])


@pytest.fixture(scope="module")
def server(stand_in: ChatStandIn) -> Iterator[LiveServer]:
    with live_server([open_engine(VoiceSettings())]) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=stand_in))
        yield running


@pytest.mark.parametrize("detection", [{"type": "server_vad"}, {"type": "semantic_vad"}, None])
async def test_a_question_is_heard_and_answered(server: LiveServer, stand_in: ChatStandIn, detection: Any) -> None:
    async with openai_client(server) as client:
        spoken = await client.audio.speech.create(model="tts-1", voice="heart", input=QUESTION, response_format="pcm")
        pcm = np.concatenate([np.frombuffer(spoken.read(), "<i2"), np.zeros(36_000, "<i2")]).astype("<i2").tobytes()
    audio: Any = {"input": {"turn_detection": detection, "transcription": {"model": "whisper-1"}}}
    async with connect(server) as connection:
        await connection.session.update(session={"type": "realtime", "audio": audio})
        for at in range(0, len(pcm), 9600):
            await connection.input_audio_buffer.append(audio=base64.b64encode(pcm[at : at + 9600]).decode())
        if detection is None:
            await connection.input_audio_buffer.commit()
            await connection.response.create()
        events = await until(connection, "response.done")
    (completed,) = [e for e in events if e.type == "conversation.item.input_audio_transcription.completed"]
    assert "capital of France" in completed.transcript
    assert events[-1].response.output[0].content[0].transcript == "Paris is the capital of France."
    assert len(sound_of(events)) / 48_000 > 1.0
    assert stand_in.asked[-1]["messages"][-1]["content"] == completed.transcript
