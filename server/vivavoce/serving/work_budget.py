"""What a connection may cost the event loop: seconds of work that come back with time. Pure; times are arguments.

Every connection has a little of its own, enough for any honest client. What one needs beyond that comes out of a pot
that all share, so that a flood, from one connection or from many, takes a bounded part of the loop and its sender
waits. Used by `websocket_protocol.py`.
"""

from __future__ import annotations


class WorkBudget:
    """Seconds of work, refilled in proportion to the time that passes.

    Args:
        share: of the time, 0..1.
        burst_s: what may be saved up, in seconds of work.
        pot: where more may come from; None: nowhere.
    """

    def __init__(self, share: float, burst_s: float, pot: WorkBudget | None = None) -> None:
        self._share = share
        self._burst_s = burst_s
        self._pot = pot
        self._left_s = burst_s
        self._refilled_s = 0.0

    def spend(self, work_s: float, now_s: float) -> float:
        """Take what some work has cost. Returns how many seconds to wait before the next; 0: go on."""
        self._refill(now_s)
        self._left_s -= work_s
        if self._left_s >= 0:
            return 0.0
        if self._pot is not None:
            self._left_s += self._pot._give(-self._left_s, now_s)
        return max(0.0, -self._left_s / self._share)

    def _give(self, work_s: float, now_s: float) -> float:
        self._refill(now_s)
        given_s = min(work_s, max(0.0, self._left_s))
        self._left_s -= given_s
        return given_s

    def _refill(self, now_s: float) -> None:
        self._left_s = min(self._burst_s, self._left_s + self._share * max(0.0, now_s - self._refilled_s))
        self._refilled_s = now_s
