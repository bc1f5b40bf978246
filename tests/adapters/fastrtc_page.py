"""A browser page on a FastRTC stream, as its documentation writes it, with a microphone that plays recordings."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import av
import httpx
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

FRAME = 960
RATE = 48_000


class Microphone(MediaStreamTrack):
    """Silence, but for what is said into it: float32 [n] at 48 kHz."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._unsaid = np.zeros(0, np.float32)
        self._sent = 0
        self._begun_s: float | None = None

    def say(self, samples: NDArray[np.float32]) -> None:
        self._unsaid = np.concatenate([self._unsaid, samples])

    async def recv(self) -> Any:
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        self._begun_s = self._begun_s if self._begun_s is not None else now
        await asyncio.sleep(self._begun_s + self._sent / RATE - now)
        part, self._unsaid = self._unsaid[:FRAME], self._unsaid[FRAME:]
        samples = np.pad(part, (0, FRAME - len(part)))
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._sent, fractions.Fraction(1, RATE)
        self._sent += FRAME
        return frame


class Page:
    """One connection.

    Attributes:
        heard: pieces of sound, float32 at 48 kHz.
        said: messages on the data channel.
        events: what the conversation told, where it is read.
    """

    def __init__(self, url: str, path: str = "/fastrtc", id: str = "page-1", key: str = "") -> None:
        self.id = id
        self.path = path
        self.heard: list[NDArray[np.float32]] = []
        self.said: list[Any] = []
        self.events: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}
        self.news = asyncio.Event()
        headers = {"x-api-key": key} if key else {}
        self.http = httpx.AsyncClient(base_url=url, verify=False, timeout=20, headers=headers)
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone = Microphone()
        self.peer.addTrack(self.microphone)
        self.channel = self.peer.createDataChannel("text")
        self.channel.on("message", self._message)
        self.peer.on("track", lambda track: self._tasks.append(asyncio.create_task(self._listen(track))))
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, *, reads_events: bool = False) -> None:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        local = self.peer.localDescription
        offer = {"sdp": local.sdp, "type": local.type, "webrtc_id": self.id}
        self.answer = (await self.http.post(f"{self.path}/webrtc/offer", json=offer)).json()
        await self.peer.setRemoteDescription(RTCSessionDescription(self.answer["sdp"], self.answer["type"]))
        if reads_events:
            self._tasks.append(asyncio.create_task(self._read_events()))

    async def say(self, text: str) -> None:
        await self.put(text=text)

    async def put(self, **fields: object) -> None:
        answer = await self.http.post(f"{self.path}/input", json={"webrtc_id": self.id, **fields})
        assert answer.status_code == 204

    def sound(self) -> NDArray[np.float32]:
        """float32 [n] at 48 kHz."""
        return np.concatenate([np.zeros(0, np.float32), *self.heard])

    async def hears(self, samples: int) -> None:
        """Until so many samples have come."""
        await self.until("sound", lambda: len(self.sound()) >= samples)

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of that type, so far."""
        return [event for event in self.events if event["type"] == kind]

    async def until(self, what: str, happened: Callable[[], bool], timeout_s: float = 30) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not happened():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            kinds = [event["type"] for event in self.events]
            raise AssertionError(f"waited for {what}: {kinds}, {self.said}, {len(self.sound())} samples") from None

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.peer.close()
        await self.http.aclose()

    def _message(self, message: str) -> None:
        self.said.append(json.loads(message))
        self.news.set()

    async def _listen(self, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
                self.heard.append((samples / 32768).astype(np.float32))
                self.news.set()

    async def _read_events(self) -> None:
        async with self.http.stream("GET", f"{self.path}/events", params={"webrtc_id": self.id}, timeout=None) as lines:
            async for line in lines.aiter_lines():
                if line.startswith("data: "):
                    self.events.append(json.loads(line[6:]))
                    self.news.set()


@asynccontextmanager
async def page(
    url: str, path: str = "/fastrtc", *, id: str = "page-1", key: str = "", reads_events: bool = False
) -> AsyncIterator[Page]:
    client = Page(url, path, id, key)
    try:
        await client.connect(reads_events=reads_events)
        yield client
    finally:
        await client.close()
