"""A listener's player, simulated: when playback can start, how much it holds, and when it runs dry.

Pure: time comes in as an argument, in seconds since the request. Knows nothing of transports; `listener.py` feeds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

AUDIBLE = 10 ** (-45 / 20)  # -45 dBFS: below it is breath and noise before the voice


@dataclass(slots=True)
class Player:
    """Plays what has arrived at the speed of speech and remembers where it could not.

    Attributes:
        prebuffer_s: playback starts once this much sound has arrived (or all of it), as a browser's player does.
        received_s: sound that has arrived.
        starts: when playback began and began again after each underrun, seconds since the request.
        stalls_s: how long each underrun was silent.
    """

    prebuffer_s: float = 0.08
    received_s: float = 0.0
    started_s: float | None = None
    stalls_s: list[float] = field(default_factory=list)

    def receive(self, duration_s: float, now_s: float) -> None:
        """Take sound that arrived at `now_s`."""
        if self.started_s is not None and now_s > self.dry_s:
            self.stalls_s.append(now_s - self.dry_s)
        self.received_s += duration_s
        if self.started_s is None and self.received_s >= self.prebuffer_s:
            self.started_s = now_s

    @property
    def dry_s(self) -> float:
        """When the sound that has arrived will have been played; infinity before playback starts."""
        return float("inf") if self.started_s is None else self.started_s + self.received_s + sum(self.stalls_s)

    def buffered_s(self, now_s: float) -> float:
        """Sound that has arrived and not been played."""
        return self.received_s if self.started_s is None else max(0.0, self.dry_s - now_s)
