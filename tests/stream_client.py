"""A client of the native stream over the `websockets` library, as a test would like to talk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


@dataclass(slots=True)
class Spoken:
    """Everything of one utterance, as it came."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    audio: bytes = b""

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def done(self) -> dict[str, Any]:
        return self.messages[-1]

    @property
    def samples(self) -> NDArray[np.float32]:
        """float32 [n] of PCM audio."""
        pcm = np.frombuffer(self.audio, "<i2")
        return (pcm / 32768).astype(np.float32)


class StreamClient:
    """One connection. `created` is the server's first message."""

    def __init__(self, socket: ClientConnection, created: dict[str, Any]) -> None:
        self.socket = socket
        self.created = created

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def say(self, text: str, *, piece: int | None = None) -> None:
        """Write a text, in pieces of so many characters, and end it."""
        size = piece or len(text)
        for start in range(0, len(text), size):
            await self.send("input.text", text=text[start : start + size])
        await self.send("input.done")

    async def receive(self) -> dict[str, Any] | bytes:
        message = await asyncio.wait_for(self.socket.recv(), 20)
        return message if isinstance(message, bytes) else dict(json.loads(message))

    async def until(self, kind: str, spoken: Spoken | None = None) -> Spoken:
        """Everything up to and with the next message of this type; `audio` is a binary one."""
        spoken = spoken or Spoken()
        while True:
            message = await self.receive()
            if isinstance(message, bytes):
                spoken.audio += message
                if kind == "audio":
                    return spoken
            else:
                spoken.messages.append(message)
                if message["type"] == kind:
                    return spoken

    async def closed(self) -> tuple[int, str, list[dict[str, Any]]]:
        """Wait for the server to close: code, reason, and what it said before."""
        said = []
        try:
            while True:
                message = await self.receive()
                if isinstance(message, dict):
                    said.append(message)
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise AssertionError("the connection was lost without a close") from None
            return closed.rcvd.code, closed.rcvd.reason, said


@asynccontextmanager
async def stream_client(port: int, *, named: str = "127.0.0.1", **options: Any) -> AsyncIterator[StreamClient]:
    """Connect to a server on this machine, by any name; `options` are those of `websockets.connect`."""
    url = f"ws://{named}:{port}/v1/audio/speech/stream"
    async with connect(url, host="127.0.0.1", compression=None, proxy=None, **options) as socket:
        created = json.loads(await asyncio.wait_for(socket.recv(), 20))
        assert created["type"] == "session.created"
        yield StreamClient(socket, created)
