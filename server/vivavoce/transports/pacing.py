"""How far a listener is behind what was sent to it. Pure: times come in as arguments.

Audio leaves faster than it plays, so that a slow network can be ridden out, but not without a bound: what was sent
cannot be taken back, and the server would not know what has been heard. One `Pacer` follows a connection through all
its utterances; the WebSocket transport asks it when the next chunk may leave.
"""

from __future__ import annotations

GRAIN_S = 0.005  # a shorter gap is nobody's: threads and tasks take turns


class Pacer:
    """The listener's clock: plays in real time from the first chunk on, unless it reports otherwise."""

    def __init__(self) -> None:
        self._sent_s = 0.0  # audio of all utterances
        self._dry_at_s = 0.0  # when the listener will have played all of it
        self._floor_s = 0.0  # of `_sent_s`: what lies below was cancelled, reports about it say nothing

    @property
    def sent_s(self) -> float:
        """Seconds of audio sent so far, over all utterances."""
        return self._sent_s

    def ahead_s(self, now: float) -> float:
        """Seconds of audio sent and not yet played."""
        return max(0.0, self._dry_at_s - now)

    def position_s(self, now: float) -> float:
        """Where the listener is, on the scale of `sent_s`."""
        return self._sent_s - self.ahead_s(now)

    def waited_s(self, now: float, since: float) -> float:
        """Seconds up to now in which the listener had nothing left to play, not counted before `since`.

        What leaves a carrier later than it came to it, `since`, was late by the carrier's fault; whether it came there
        too late is the utterance's matter. 0 where nothing was sent before, or the gap is too short to be heard.
        """
        waited_s = now - max(self._dry_at_s, since) if self._sent_s > 0 else 0.0
        return waited_s if waited_s > GRAIN_S else 0.0

    def send(self, duration_s: float, now: float) -> None:
        """A chunk of this length was sent."""
        self._sent_s += duration_s
        self._dry_at_s = max(self._dry_at_s, now) + duration_s

    def report(self, position_s: float, now: float) -> None:
        """The listener says where it is, on the scale of `sent_s`; it goes on in real time from there."""
        if position_s >= self._floor_s:
            self._dry_at_s = now + max(0.0, self._sent_s - position_s)

    def cancel(self, now: float) -> None:
        """The listener throws away what it has not played."""
        self._dry_at_s = now
        self._floor_s = self._sent_s
