"""Does a client take what it is sent? Counted in bytes that have left this machine, never in the time of one write.

A client that plays what it hears takes it in real time, and what lies between (our buffer, two kernels) fills and
empties in steps: a single write may wait for a minute although nothing is wrong. So a client is too slow only when it
has taken much less than real time over a while, and never because one write waits. `TakingPace` is pure.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from vivavoce.errors import ClientTooSlow

UNSENT = "vivavoce.unsent"  # scope extension: {"bytes": a function that tells how many were written and not taken}
STEP_BYTES = (
    128 * 1024
)  # in which a connection may empty: a receive window of the loopback, and as much of a send buffer
SHARE = 0.5  # of real time
LATEST = 64  # writes, some ten seconds of sound: a connection may go on in another format
LOOK_EVERY_S = 1.0


class TakingPace:
    """How fast a client takes, from looks at it while it is waited for.

    Args:
        stall_s: over at least this long it is judged.
    """

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s
        self._bytes = 0  # written so far
        self._latest: deque[tuple[int, float]] = deque(
            maxlen=LATEST
        )  # (bytes, seconds of sound) of those that have any
        self._since_s: float | None = None  # the present judgement began
        self._taken_then = 0

    def wrote(self, count: int, sound_s: float = 0.0) -> None:
        """Bytes were handed over, with so many seconds of sound in them; 0 where nobody plays them."""
        self._bytes += count
        if sound_s > 0:
            self._latest.append((count, sound_s))
        elif self._latest:  # words and events belong to the sound before them
            bytes_before, sound_before_s = self._latest.pop()
            self._latest.append((bytes_before + count, sound_before_s))

    def is_too_slow(self, unsent: int, now_s: float) -> bool:
        """A look while a write waits.

        Args:
            unsent: bytes written and not taken.
            now_s: seconds of a monotonic clock.
        """
        taken = self._bytes - unsent
        sound_s = sum(each_s for _, each_s in self._latest)
        rate = sum(count for count, _ in self._latest) / sound_s if sound_s else 0.0  # bytes a second of sound
        over_s = max(self._stall_s, 2 * STEP_BYTES / rate) if rate > 0 else self._stall_s
        needed = max(1.0, SHARE * rate * over_s - STEP_BYTES)
        if self._since_s is None or taken - self._taken_then >= needed:
            self._since_s, self._taken_then = now_s, taken
            return False
        return now_s - self._since_s >= over_s

    def caught_up(self) -> None:
        """Nothing waits: the next wait is judged anew."""
        self._since_s = None


class Taking:
    """Writes to one client and gives it up when it is too slow.

    Args:
        scope: of the ASGI connection; a server that does not tell what is unsent is judged by the time of a write.
        stall_s: see `TakingPace`.
    """

    def __init__(self, scope: Mapping[str, Any], stall_s: float) -> None:
        extension = (scope.get("extensions") or {}).get(UNSENT)
        self._unsent: Callable[[], int] = extension["bytes"] if extension is not None else (lambda: 0)
        self._pace = TakingPace(stall_s)
        self._stall_s = stall_s
        self._knows = extension is not None

    async def send(self, sending: Awaitable[None], count: int, sound_s: float = 0.0) -> None:
        """Wait for a write of `count` bytes that hold `sound_s` seconds of sound.

        Raises:
            ClientTooSlow: If the client takes much less than it would play.
        """
        self._pace.wrote(count, sound_s)
        writing = asyncio.ensure_future(sending)
        began_s = time.monotonic()
        try:
            while not writing.done():
                await asyncio.wait([writing], timeout=min(LOOK_EVERY_S, self._stall_s / 4))
                if not writing.done() and self._is_too_slow(began_s):
                    raise ClientTooSlow(f"the client took too little for {self._stall_s:.0f} s")
            self._pace.caught_up()
            writing.result()
        finally:
            if not writing.done():
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            elif not writing.cancelled():
                writing.exception()  # seen, though nobody waits any more: a client that vanished is no riddle

    def _is_too_slow(self, began_s: float) -> bool:
        now_s = time.monotonic()
        if not self._knows:
            return now_s - began_s >= self._stall_s
        return self._pace.is_too_slow(self._unsent(), now_s)
