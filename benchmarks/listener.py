"""One listener: asks the server for speech and notes when it came.

A new way in is one function of the `Transport` shape and one line in `TRANSPORTS`. One that keeps a connection open
between utterances yields an empty piece when it is open: the clock starts there, with the text.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import httpx
import numpy as np
import websockets
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from player import AUDIBLE, Player

SAMPLE_RATE = 24_000  # Hz; what every transport is asked for
SECONDS_PER_WORD = 0.05  # of a chat model that writes twenty words a second
HOLD_S = 2.0  # a real player holds about this much and lets the rest wait in the socket

Transport = Callable[
    [str, str, str], AsyncGenerator[bytes, None]
]  # (server's address, voice, text) -> 16-bit little-endian


class Refused(Exception):
    """The server said no before the first byte.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:200]}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Heard:
    """What one request was like for its listener; times in seconds since the request was sent.

    Attributes:
        first_byte_s: the first byte of audio arrived.
        first_audible_s: the first sample above -45 dBFS arrived.
        lead_in_s: quiet sound before that sample.
        done_s: the last byte arrived.
        audio_s: length of the speech.
        waits_s: for each piece after the first, how long the listener waited for it while ready to read.
        stalls_s: how long each underrun of the player was silent.
    """

    first_byte_s: float
    first_audible_s: float
    lead_in_s: float
    done_s: float
    audio_s: float
    waits_s: tuple[float, ...]
    stalls_s: tuple[float, ...]

    @property
    def heard_s(self) -> float:
        """When somebody who plays the first byte at once hears the voice: its quiet lead-in is waiting too."""
        return max(self.first_audible_s, self.first_byte_s + self.lead_in_s)


async def listen(url: str, voice: str, text: str, *, transport: str = "http", real_time: bool = False) -> Heard:
    """Hear one text to its end.

    Args:
        url: the server's address.
        voice: voice id.
        text: what to say.
        transport: one of `TRANSPORTS`.
        real_time: read no further than `HOLD_S` ahead of what has been played; else as fast as it comes.

    Raises:
        Refused: If the server refuses.
    """
    player = Player()
    waits: list[float] = []
    first_byte_s = first_audible_s = lead_in_s = None
    rest = b""
    start = asked = time.perf_counter()
    async with contextlib.aclosing(TRANSPORTS[transport](url, voice, text)) as pieces:
        async for piece in pieces:
            now = time.perf_counter()
            if not piece:
                start = asked = now
                continue
            at_s = now - start
            if first_byte_s is None:
                first_byte_s = at_s
            else:
                waits.append(now - asked)
            data = rest + piece
            samples, rest = _samples(data[: len(data) // 2 * 2]), data[len(data) // 2 * 2 :]
            loud = np.flatnonzero(np.abs(samples) > AUDIBLE)
            if first_audible_s is None and len(loud):
                first_audible_s, lead_in_s = at_s, player.received_s + float(loud[0]) / SAMPLE_RATE
            player.receive(len(samples) / SAMPLE_RATE, at_s)
            if real_time:
                await asyncio.sleep(max(0.0, player.buffered_s(at_s) - HOLD_S))
            asked = time.perf_counter()
    if first_byte_s is None or first_audible_s is None or lead_in_s is None:
        raise RuntimeError("the server sent no audible sound")
    done_s = time.perf_counter() - start
    return Heard(
        first_byte_s, first_audible_s, lead_in_s, done_s, player.received_s, tuple(waits), tuple(player.stalls_s)
    )


async def speak_over_http(url: str, voice: str, text: str) -> AsyncGenerator[bytes, None]:
    """`POST /v1/audio/speech`, bare samples, on a connection of its own."""
    body = {"input": text, "voice": voice, "response_format": "pcm", "sample_rate": SAMPLE_RATE}
    async with (
        httpx.AsyncClient(timeout=60, verify=_certificates()) as client,
        client.stream("POST", f"{url}/v1/audio/speech", json=body) as response,
    ):
        if response.status_code != 200:
            raise Refused(response.status_code, (await response.aread()).decode())
        async for piece in response.aiter_raw():
            yield piece


async def speak_over_websocket(url: str, voice: str, text: str) -> AsyncGenerator[bytes, None]:
    """The native stream, the whole text in one message."""
    async for piece in _over_websocket(url, voice, [text], 0.0):
        yield piece


async def speak_as_it_is_written(url: str, voice: str, text: str) -> AsyncGenerator[bytes, None]:
    """The native stream, word by word as a chat model writes: the clock starts with the first word."""
    async for piece in _over_websocket(url, voice, re.findall(r"\S+\s*", text), SECONDS_PER_WORD):
        yield piece


async def _over_websocket(url: str, voice: str, deltas: list[str], pause_s: float) -> AsyncGenerator[bytes, None]:
    async with websockets.connect(f"{url.replace('http', 'ws', 1)}/v1/audio/speech/stream", compression=None) as socket:
        await socket.recv()  # session.created
        config = {"voice": voice, "response_format": "pcm", "sample_rate": SAMPLE_RATE, "pace": "burst"}
        await socket.send(json.dumps({"type": "session.config", **config}))
        yield b""
        writing = asyncio.create_task(_write(socket, deltas, pause_s))
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    yield message
                elif (event := json.loads(message))["type"] == "error":
                    raise Refused(503, event["error"]["message"])
                elif event["type"] == "session.done":
                    return
        finally:
            writing.cancel()


async def _write(socket: websockets.ClientConnection, deltas: list[str], pause_s: float) -> None:
    for delta in deltas:
        await socket.send(json.dumps({"type": "input.text", "text": delta}))
        await asyncio.sleep(pause_s)
    await socket.send(json.dumps({"type": "input.done"}))


async def speak_over_webrtc(url: str, voice: str, text: str) -> AsyncGenerator[bytes, None]:
    """A call of its own: Opus packets of 20 ms as they are decoded, silence before the voice included."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    frames: asyncio.Queue[bytes | Refused | None] = asyncio.Queue()
    opened = asyncio.Event()
    channel = peer.createDataChannel("speech")
    peer.addTransceiver("audio", direction="recvonly")
    listening: list[asyncio.Task[None]] = []

    @channel.on("message")  # type: ignore[untyped-decorator]
    def on_message(message: str) -> None:
        event = json.loads(message)
        if event["type"] == "session.created":
            opened.set()
        elif event["type"] == "session.done":
            frames.put_nowait(None)
        elif event["type"] == "error":
            frames.put_nowait(Refused(503, event["error"]["message"]))

    @peer.on("track")  # type: ignore[untyped-decorator]
    def on_track(track: MediaStreamTrack) -> None:
        listening.append(asyncio.create_task(_decode(track, frames)))

    try:
        await peer.setLocalDescription(await peer.createOffer())
        async with httpx.AsyncClient(timeout=60, verify=_certificates()) as client:
            offer, headers = peer.localDescription.sdp, {"content-type": "application/sdp"}
            answer = await client.post(f"{url}/v1/audio/speech/calls", content=offer, headers=headers)
        if answer.status_code != 201:
            raise Refused(answer.status_code, answer.text)
        await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        await opened.wait()
        channel.send(json.dumps({"type": "session.config", "voice": voice}))
        while not frames.empty():  # silence from before
            frames.get_nowait()
        yield b""
        channel.send(json.dumps({"type": "input.text", "text": text}))
        channel.send(json.dumps({"type": "input.done"}))
        while (piece := await frames.get()) is not None:
            if isinstance(piece, Refused):
                raise piece
            yield piece
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        await peer.close()


async def _decode(track: MediaStreamTrack, frames: asyncio.Queue[bytes | Refused | None]) -> None:
    """Frames of a track as 16-bit samples at `SAMPLE_RATE`, of the first channel."""
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        channels = len(frame.layout.channels)
        samples = frame.to_ndarray().reshape(-1)[:: channels * (frame.sample_rate // SAMPLE_RATE)]
        frames.put_nowait(samples.astype("<i2").tobytes())


TRANSPORTS: dict[str, Transport] = {
    "http": speak_over_http,
    "websocket": speak_over_websocket,
    "websocket-deltas": speak_as_it_is_written,
    "webrtc": speak_over_webrtc,
}


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes 30 ms, which is not the server's: once, during the warm-up."""
    return ssl.create_default_context()


def _samples(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
