"""The border between a carrier and what it carries: a live session, whatever protocol it speaks.

A carrier moves messages and sound and knows no protocol; it is given a factory and builds no session. Implemented by
`speaking.live_session` and its like; called by `websocket.py`, `webrtc/call.py` and `connections.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.protocols.commands import Close
from vivavoce.speaking.sink import Carrier

logger = logging.getLogger(__name__)

HEARD_RATE = 16_000  # Hz of what `hear` is given


class Carried(Protocol):
    """The face of a live session."""

    @property
    def hears(self) -> bool:
        """Whether the sound of the client's microphone is wanted; a carrier with a track then takes it."""
        ...

    @property
    def closing(self) -> Close | None:
        """Set when the connection is to be closed, after everything due was sent."""
        ...

    @property
    def active_s(self) -> float:
        """When the client last said something or was sent audio, on `time.monotonic`."""
        ...

    def receive(self, data: str | bytes) -> None:
        """Act on one message of the client; never raises for what it holds."""
        ...

    def hear(self, samples: Samples) -> None:
        """Take what the microphone heard: float32 [n] at `HEARD_RATE`, mono, pieces of any length, in order."""
        ...

    async def next_messages(self) -> list[str | bytes]:
        """What to send next, when there is something; empty: nothing more will come, close the connection.

        Calling it says that everything it gave before was sent.
        """
        ...

    async def run(self) -> None:
        """Speak, listen and think until cancelled; then whatever still runs is stopped."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close after what is due was sent; the first reason stays."""
        ...

    def drain(self) -> None:
        """The server stops: close as soon as nothing is being spoken."""
        ...


Carry = Callable[[Carrier], Carried]  # makes the session, once the carrier can say what it offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a carrier waits for a client.

    Attributes:
        idle_s: without a word or a sound before the connection is closed.
        stall_s: without taking what is sent before it is given up.
        ahead_s: seconds of sound sent before they are due.
    """

    idle_s: float = 120.0
    stall_s: float = 30.0
    ahead_s: float = 4.0


def hand_over(carried: Carried, data: str | bytes) -> None:
    """Give a session a message of its client. Where it fails all the same, the connection ends with a reason instead
    of being lost.
    """
    try:
        carried.receive(data)
    except Exception:
        logger.exception("a message could not be acted on; the connection is closed")
        carried.close(1011, "internal_error")
