"""How much sound a client may send: a whole file at once, but over time not much more than it takes to play."""

from __future__ import annotations


class SoundBudget:
    """Credit in milliseconds of sound, over times that the caller supplies.

    Args:
        burst_s: sound that may come at once.
        rate: seconds of sound that are earned in a second.
    """

    def __init__(self, burst_s: float, rate: float) -> None:
        self._burst_ms = 1000 * burst_s
        self._rate = rate
        self._credit_ms = self._burst_ms
        self._credited_s: float | None = None

    def take(self, duration_ms: float, now: float) -> bool:
        """Pay for more sound; False, and nothing is paid, where there is too little credit."""
        if self._credited_s is not None:
            earned_ms = 1000 * self._rate * (now - self._credited_s)
            self._credit_ms = min(self._burst_ms, self._credit_ms + earned_ms)
        self._credited_s = now
        if duration_ms > self._credit_ms:
            return False
        self._credit_ms -= duration_ms
        return True
