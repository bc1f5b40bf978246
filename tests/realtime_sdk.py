"""OpenAI's own Realtime client against a live server, and short ways to say what tests say often."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from live_server import LiveServer
from vivavoce.assistant.brain import Brain
from vivavoce.assistant.realtime import RealtimeSessions
from vivavoce.hosted.chat import HostedChat


def think_with(running: LiveServer, chat: HostedChat | None) -> None:
    """Give the server's assistant another chat model."""
    sessions: RealtimeSessions = running.server.assistant.sessions
    brain = Brain(chat=chat, commands=sessions.brain.commands, instructions="Be kind.")
    object.__setattr__(sessions, "brain", brain)


class Reachable(Protocol):
    """A server: in this process, or a cluster."""

    @property
    def url(self) -> str: ...
    @property
    def port(self) -> int: ...


def openai_client(server: Reachable, key: str = "any") -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key=key, base_url=f"{server.url}/v1", websocket_base_url=f"ws://127.0.0.1:{server.port}/v1", max_retries=0
    )


def connect(server: Reachable, **query: Any) -> Any:
    return openai_client(server).realtime.connect(**{"model": "gpt-realtime", **query})


async def until(connection: AsyncRealtimeConnection, kind: str) -> list[Any]:
    """Events up to the first one of that type."""
    events: list[Any] = []
    async with asyncio.timeout(20):
        async for event in connection:
            events.append(event)
            if event.type == kind:
                return events
    raise AssertionError(f"{kind} did not come")


async def say(connection: AsyncRealtimeConnection, text: str) -> None:
    content: Any = [{"type": "input_text", "text": text}]
    await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})


async def speak(connection: AsyncRealtimeConnection, level: float, seconds: float, quiet_s: float = 0.7) -> None:
    """Sound of one level, and silence behind it, in pieces of 100 ms as fast as they go."""
    loud, quiet = np.full(round(24_000 * seconds), level), np.zeros(round(24_000 * quiet_s))
    await hear(connection, np.concatenate([loud, quiet]))


async def hear(connection: AsyncRealtimeConnection, sound: NDArray[np.floating[Any]]) -> None:
    """Sound of 24 kHz, in pieces of 100 ms as fast as they go."""
    data = np.rint(sound * 32767).astype("<i2").tobytes()
    for at in range(0, len(data), 4800):
        await connection.input_audio_buffer.append(audio=base64.b64encode(data[at : at + 4800]).decode())


def sound_of(events: list[Any]) -> bytes:
    return b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.output_audio.delta")
