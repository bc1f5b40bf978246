"""How often something may happen: a sliding window over times that the caller supplies."""

from __future__ import annotations

from collections import deque


class RateWindow:
    """Allows `limit` events in any `span_s` seconds. Holds at most `limit + 1` times."""

    def __init__(self, limit: int, span_s: float) -> None:
        self._limit = limit
        self._span_s = span_s
        self._times: deque[float] = deque(maxlen=limit + 1)

    def add(self, now: float) -> bool:
        """Count one event at `now` (seconds, never going back); False where it is one too many."""
        self._times.append(now)
        while now - self._times[0] >= self._span_s:
            self._times.popleft()
        return len(self._times) <= self._limit
