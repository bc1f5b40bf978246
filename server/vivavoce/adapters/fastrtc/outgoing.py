"""What waits for FastRTC to ask for it: sound, when it is due, and events, at once.

Called by `conversation_handler.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from vivavoce.audio.chunk import Samples
from vivavoce.transports.webrtc.paced_playout import PacedPlayout

FRAME: Final = 1920  # samples, 40 ms: FastRTC's WebSocket rests 20 ms after each piece; shorter ones would pile up
AHEAD_S: Final = 4.0
MAX_EVENTS: Final = 16  # not yet taken; the conversation waits


class Outgoing(PacedPlayout):
    """The sound and the events of one connection that FastRTC has not asked for yet.

    Args:
        cleared: called when what was written is thrown away: FastRTC has taken some of it already.
    """

    def __init__(self, cleared: Callable[[], None]) -> None:
        super().__init__(AHEAD_S)
        self._cleared = cleared
        self._events: asyncio.Queue[dict[str, Any] | str] = asyncio.Queue(MAX_EVENTS)
        self._news = asyncio.Event()

    def write(self, samples: Samples, on_start: Callable[[], None] | None = None) -> None:
        """See `PacedPlayout`."""
        super().write(samples, on_start)
        self._news.set()

    def clear(self) -> None:
        """See `PacedPlayout`."""
        super().clear()
        self._cleared()
        self._news.set()

    async def tell(self, event: dict[str, Any] | str) -> None:
        """Queue an event, or the reason of the end behind all of them; waits where nobody takes them."""
        await self._events.put(event)
        self._news.set()

    def wake(self) -> None:
        """Whoever waits in `next` gets None."""
        self._news.set()

    async def next(self) -> dict[str, Any] | str | Samples | None:
        """An event, the reason of the end, or float32 [`FRAME`] of 48 kHz when it is due; None: woken for nothing."""
        if not self._has_something:
            self._news.clear()
            await self._news.wait()
        if not self._events.empty():
            return self._events.get_nowait()
        if self.playout.is_silent:
            return None
        await self.due(FRAME)
        return self.take(FRAME)

    @property
    def _has_something(self) -> bool:
        return not self._events.empty() or not self.playout.is_silent
