"""Somebody who talks to a Realtime server: sends a microphone's frames on the clock, and notes when what comes back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import websockets

from conversation_clips import AUDIBLE, RATE
from vivavoce.audio.chunk import Samples

FRAME = RATE // 50  # 20 ms
_QUIET = base64.b64encode(bytes(2 * FRAME)).decode()


class RealtimeUser:
    """One connection.

    Attributes:
        came: (seconds, type, event) of everything that came since it was cleared.
        first_audible_s: of the reply, by the monotonic clock: when a player that starts at once makes it heard.
    """

    def __init__(self, connection: Any) -> None:
        self.came: list[tuple[float, str, dict[str, Any]]] = []
        self.first_audible_s: float | None = None
        self.sounding = asyncio.Event()
        self._connection = connection
        self._microphone: list[str] = []  # frames that are still to be said
        self._said = asyncio.Event()
        self._begun_s = self._ended_s = 0.0
        self._changed = asyncio.Event()

    async def say(self, sound: Samples) -> tuple[float, float]:
        """Say it; returns when its first and its last sample left."""
        data = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2")
        data = np.pad(data, (0, -len(data) % FRAME))
        self._microphone = [base64.b64encode(frame.tobytes()).decode() for frame in data.reshape(-1, FRAME)]
        self._said.clear()
        await self._said.wait()
        return self._begun_s, self._ended_s

    def forget(self) -> None:
        """Begin to note anew."""
        self.came.clear()
        self.first_audible_s = None
        self.sounding.clear()

    async def until(self, *kinds: str, within_s: float = 12.0) -> dict[str, Any] | None:
        """The first event of one of these types since; None: none came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    for _, kind, event in self.came:
                        if kind in kinds:
                            return event
                    self._changed.clear()
                    await self._changed.wait()
        return None

    def at(self, kind: str) -> float | None:
        """When the first event of a type came."""
        return next((at_s for at_s, name, _ in self.came if name == kind), None)

    async def send(self, **event: Any) -> None:
        """Another event."""
        await self._connection.send(json.dumps(event))

    async def run(self) -> None:
        """Talk and listen until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._speak())
            group.create_task(self._listen())

    async def _speak(self) -> None:
        """A frame every 20 ms: what is to be said, or silence."""
        due_s = time.monotonic()
        pending: list[str] = []
        while True:
            if not pending and self._microphone:
                pending, self._microphone = self._microphone, []
                self._begun_s = time.monotonic() - FRAME / RATE  # a frame is sent when its last sample is there
            frame = pending.pop(0) if pending else _QUIET
            await self._connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": frame}))
            if frame is not _QUIET and not pending:
                self._ended_s = time.monotonic()
                self._said.set()
            due_s += FRAME / RATE
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _listen(self) -> None:
        async for message in self._connection:
            event = json.loads(message)
            now_s = time.monotonic()
            if event["type"] == "response.output_audio.delta":
                self._hear(base64.b64decode(event["delta"]), now_s)
            self.came.append((now_s, event["type"], event))
            self._changed.set()

    def _hear(self, data: bytes, now_s: float) -> None:
        if self.first_audible_s is None:
            loud = np.abs(np.frombuffer(data, "<i2")) > AUDIBLE * 32767
            if loud.any():
                self.first_audible_s = now_s + float(np.argmax(loud)) / RATE
                self.sounding.set()


@contextlib.asynccontextmanager
async def realtime_user(
    url: str, detection: dict[str, Any], languages: Sequence[str] = ("en",), voice: str = "default"
) -> AsyncIterator[Any]:
    """A user whose microphone is open."""
    address = f"{url.replace('http', 'ws')}/v1/realtime?model=assistant"
    async with websockets.connect(address, max_size=2**22) as connection:
        transcription = {"model": "whisper-1", "language": languages[0]}
        audio: dict[str, Any] = {"input": {"turn_detection": detection, "transcription": transcription}}
        if voice != "default":
            audio["output"] = {"voice": voice}
        await connection.send(json.dumps({"type": "session.update", "session": {"type": "realtime", "audio": audio}}))
        user = RealtimeUser(connection)
        running = asyncio.create_task(user.run())
        try:
            yield user
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
