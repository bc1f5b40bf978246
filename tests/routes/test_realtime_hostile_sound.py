"""Sound that nobody speaks: a Realtime connection with this server's own detector, fed with every kind of it.

Ten seconds of each kind, as fast as they go. No turn may be invented, and a question behind it is still understood.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosed

from chat_stand_in import DONE, ChatStandIn, chunk
from fake_engine import FakeEngine
from live_server import LiveServer, live_server
from realtime_sdk import connect, think_with, until
from vivavoce.audio.chunk import Samples
from vivavoce.hosted.chat import HostedChat

RATE = 24_000
SECONDS = 10
TIMES = np.arange(SECONDS * RATE) / RATE


def noise(level: float) -> Samples:
    sound: Samples = np.random.default_rng(1).normal(0, level, len(TIMES)).astype(np.float32)
    return sound


def brown_noise() -> Samples:
    walk = np.cumsum(np.random.default_rng(2).normal(0, 1, len(TIMES)))
    drift = np.convolve(walk, np.ones(2400) / 2400, "same")
    rumbles: Samples = (0.3 * (walk - drift) / np.abs(walk - drift).max()).astype(np.float32)
    return rumbles


def music() -> Samples:
    """Chords of plucked strings, two a second, and a beat."""
    sound = np.zeros(len(TIMES))
    for n in range(2 * SECONDS):
        at = TIMES - n / 2
        envelope = np.where(at >= 0, np.exp(-3 * np.clip(at, 0, None)), 0.0)
        for note in np.array([0, 4, 7, 12]) + (0, 5, 7, -4)[n % 4]:
            pitch = 196 * 2 ** (note / 12)
            sound += envelope * sum(np.sin(2 * np.pi * pitch * k * at) / k**2 for k in range(1, 6))
        sound += np.where((at >= 0) & (at < 0.03), np.random.default_rng(n).normal(0, 0.5, len(TIMES)), 0.0)
    played: Samples = (0.5 * sound / np.abs(sound).max()).astype(np.float32)
    return played


def tone(pitch: float, level: float = 0.5) -> Samples:
    return (level * np.sin(2 * np.pi * pitch * TIMES)).astype(np.float32)


def clicks() -> Samples:
    sound = np.zeros(len(TIMES), np.float32)
    sound[:: RATE // 3] = 1.0
    return sound


SOUNDS: dict[str, Callable[[], Samples]] = {
    "silence": lambda: np.zeros(len(TIMES), np.float32),
    "one bit": lambda: (np.arange(len(TIMES)) % 2 / 32768).astype(np.float32),
    "white noise": lambda: noise(0.05),
    "loud noise": lambda: noise(0.5),
    "rumble": brown_noise,
    "music": music,
    "clipping": lambda: np.sign(tone(200)),
    "hum of the mains": lambda: tone(50) + tone(150, 0.2),
    "hum of 8 kHz": lambda: tone(8_000),
    "hum at the edge": lambda: tone(11_990),
    "direct current": lambda: np.full(len(TIMES), 0.7, np.float32),
    "clicks": clicks,
}


@pytest.fixture(scope="module")
def stand_in() -> ChatStandIn:
    return ChatStandIn([chunk("It is noon.", finish="stop"), DONE])


@pytest.fixture(scope="module")
def server(stand_in: ChatStandIn) -> Iterator[LiveServer]:
    with live_server([FakeEngine(["heart"], step_samples=2400)], preload=False) as running:
        think_with(running, HostedChat("http://chat.test/v1", "tiny", transport=stand_in))
        yield running


async def play(connection: AsyncRealtimeConnection, sound: Samples) -> None:
    data = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    for at in range(0, len(data), 9600):
        await connection.input_audio_buffer.append(audio=base64.b64encode(data[at : at + 9600]).decode())


@pytest.fixture
async def connection(server: LiveServer) -> AsyncIterator[AsyncRealtimeConnection]:
    async with connect(server) as connected:
        await until(connected, "session.created")
        audio: Any = {"input": {"transcription": {"model": "whisper-1", "language": "en"}}}
        await connected.session.update(session={"type": "realtime", "audio": audio})
        await until(connected, "session.updated")
        yield connected


async def heard_of(connection: AsyncRealtimeConnection, sound: Samples) -> tuple[list[str], str]:
    """The types of what came up to the end of the sound, and the words of what no turn had taken by then."""
    await play(connection, sound)
    await connection.input_audio_buffer.commit()  # finds all sound that came before it
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    return [event.type for event in events], events[-1].transcript


@pytest.mark.parametrize("kind", SOUNDS)
async def test_what_nobody_says_is_no_turn(
    connection: AsyncRealtimeConnection, stand_in: ChatStandIn, kind: str
) -> None:
    asked = len(stand_in.asked)
    kinds, words = await heard_of(connection, SOUNDS[kind]())
    assert kinds.count("input_audio_buffer.committed") == 1, kinds  # the test's own
    assert not [each for each in kinds if each.startswith("response.")], kinds
    assert words == ""
    assert len(stand_in.asked) == asked


async def test_what_somebody_says_in_between_is_one(connection: AsyncRealtimeConnection) -> None:
    from hibari import Hibari
    from hibari.voices import DEFAULT

    voice = Hibari(voice=DEFAULT, threads=2)
    (phonemes,) = voice.phonemize("What time is it in Paris?")
    speech = np.concatenate([noise(0.002)[: 2 * RATE], voice.from_phonemes(phonemes, 1.0, 1), np.zeros(RATE)])
    await play(connection, speech.astype(np.float32))
    events = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert "Paris" in events[-1].transcript
    assert (await until(connection, "response.done"))[-1].response.status == "completed"


async def test_frames_without_sound_are_nothing(connection: AsyncRealtimeConnection) -> None:
    for _ in range(500):
        await connection.input_audio_buffer.append(audio="")
    await connection.input_audio_buffer.commit()
    events = await until(connection, "error")
    assert events[-1].error.code == "input_audio_buffer_commit_empty"


async def test_a_flood_is_limited_and_hurts_nobody_else(
    server: LiveServer, connection: AsyncRealtimeConnection, stand_in: ChatStandIn
) -> None:
    """Five minutes at once: some fifty times what a microphone gives."""
    second = base64.b64encode(np.rint(32767 * noise(0.2)[:RATE]).astype("<i2").tobytes()).decode()
    async with connect(server) as flooded:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(300):
                await flooded.input_audio_buffer.append(audio=second)
        events = []
        with contextlib.suppress(ConnectionClosed):
            events = await until(flooded, "error")
        assert events[-1].error.code == "rate_limit_exceeded"
        _, words = await heard_of(connection, SOUNDS["white noise"]())
        assert words == ""
