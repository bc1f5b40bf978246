"""Sound packets of a network, put back in order; one that does not come is waited for a moment and given up. Pure.

A buffer for playing delays everything so that nothing ever runs dry. Whoever only listens needs no such reserve: what
is in order goes on at once, and a lost packet costs 60 ms once, after which nothing is late any more. Called by
`microphone.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PATIENCE_S: Final = 0.06  # three packets: networks that put packets out of order do so by one or two
MOST_HELD: Final = 50  # packets behind a gap: a second
_RESTART: Final = 100  # so far from the last one a packet belongs to another stream


@dataclass(frozen=True, slots=True)
class Lost:
    """A gap in the stream: so many packets did not come."""

    count: int


class PacketBuffer:
    """Packets by their RTP sequence numbers (RFC 3550 section 5.1), which wrap around at 16 bits."""

    def __init__(self) -> None:
        self._next: int | None = None  # number of the one that is due, unwrapped
        self._held: dict[int, tuple[bytes, float]] = {}  # with the time of its arrival

    @property
    def due_s(self) -> float | None:
        """When the wait for what is missing ends; None: nothing is missing."""
        return min(arrived_s for _, arrived_s in self._held.values()) + PATIENCE_S if self._held else None

    def add(self, sequence: int, payload: bytes, now_s: float) -> list[bytes | Lost]:
        """A packet came: whatever can go on now, in order. One that comes twice, or too late, is dropped.

        Args:
            sequence: its 16-bit number.
            now_s: the caller's clock.
        """
        if self._next is None:
            self._next = sequence
        distance = (sequence - self._next + 0x8000) % 0x10000 - 0x8000
        if abs(distance) >= _RESTART:
            self._held.clear()
            self._next, distance = sequence, 0
        if distance >= 0:
            self._held.setdefault(self._next + distance, (payload, now_s))
        return self.take(now_s)

    def take(self, now_s: float) -> list[bytes | Lost]:
        """Time has passed: what was waited for long enough is given up."""
        told: list[bytes | Lost] = []
        while self._next is not None and self._held:
            if self._next in self._held:
                told.append(self._held.pop(self._next)[0])
                self._next += 1
            elif len(self._held) > MOST_HELD or (self.due_s is not None and now_s >= self.due_s):
                first = min(self._held)
                told.append(Lost(first - self._next))
                self._next = first
            else:
                break
        return told
