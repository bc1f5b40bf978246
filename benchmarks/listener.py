"""One listener: asks the server for speech and notes when it came.

A new way in is one function of the `Transport` shape and one line in `TRANSPORTS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import httpx
import numpy as np
from numpy.typing import NDArray

from player import AUDIBLE, Player

SAMPLE_RATE = 24_000  # Hz; what every transport is asked for
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


TRANSPORTS: dict[str, Transport] = {"http": speak_over_http}


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes 30 ms, which is not the server's: once, during the warm-up."""
    return ssl.create_default_context()


def _samples(data: bytes) -> NDArray[np.float32]:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
