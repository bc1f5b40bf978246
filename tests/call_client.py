"""A client of WebRTC calls made of aiortc, as a browser would behave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

SAMPLE_RATE = 48_000


class CallClient:
    """One peer connection with its data channel and everything heard so far."""

    def __init__(self, channel: str = "speech", microphone: MediaStreamTrack | None = None) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        if microphone is None:
            self.peer.addTransceiver("audio", direction="recvonly")
        else:
            self.peer.addTrack(microphone)
        self.channel = self.peer.createDataChannel(channel)
        self.messages: list[dict[str, Any]] = []
        self.location = ""
        self._news = asyncio.Event()
        self._frames: list[NDArray[np.float32]] = []
        self._listening: asyncio.Task[None] | None = None
        self.channel.on("message", self._on_message)
        self.peer.on("track", self._on_track)

    async def offer(self) -> str:
        """An SDP offer with every address gathered."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    @property
    def heard(self) -> NDArray[np.float32]:
        """float32 [n] at 48 kHz: all sound since the call began, silence included."""
        return np.concatenate(self._frames) if self._frames else np.zeros(0, np.float32)

    def send(self, kind: str, **fields: Any) -> None:
        self.channel.send(json.dumps({"type": kind, **fields}))

    def say(self, text: str) -> None:
        self.send("input.text", text=text)
        self.send("input.done")

    async def until(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The `count`-th message of this type since the call began."""
        await self.wait(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    async def wait(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        """Until something that was said or heard makes the condition true."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.peer.close()

    def _on_message(self, message: str) -> None:
        self.messages.append(json.loads(message))
        self._news.set()

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: Any = await track.recv()
                interleaved = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
                self._frames.append((interleaved[:, 0] / 32768).astype(np.float32))
                self._news.set()
        except MediaStreamError:
            pass


async def post_offer(url: str, offer: str | bytes, **headers: str) -> httpx.Response:
    """What a page does with its offer."""
    async with httpx.AsyncClient(timeout=20, verify=False) as client:  # no TLS here: reading its roots takes longest
        return await client.post(
            f"{url}/v1/audio/speech/calls", content=offer, headers={"Content-Type": "application/sdp", **headers}
        )


@asynccontextmanager
async def call(url: str) -> AsyncIterator[CallClient]:
    """An open call: the session was created."""
    client = CallClient()
    try:
        answer = await post_offer(url, await client.offer())
        assert answer.status_code == 201, answer.text
        client.location = answer.headers["location"]
        await client.accept(answer.text)
        await client.until("session.created")
        yield client
    finally:
        await client.close()
