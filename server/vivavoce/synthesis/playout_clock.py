"""When a listener who plays in real time runs out of sound. Pure: the clock comes in as an argument.

Two of them follow each utterance: the job's counts what is made and sets its deadlines, the utterance's counts what
leaves and tells what was heard of it too late.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class PlayoutClock:
    """Seconds of sound against seconds of time.

    Attributes:
        since_s: when a listener who never waited would have begun; None before the first sound. Moved by pauses and by
            what the listener reports.
        sound_s: seconds of sound so far.
    """

    since_s: float | None = None
    sound_s: float = 0.0

    @property
    def dry_at_s(self) -> float | None:
        """When the listener runs out of sound; None before there was any."""
        return None if self.since_s is None else self.since_s + self.sound_s

    def add(self, sound_s: float, now_s: float) -> float | None:
        """More sound is there. Returns the seconds the listener had left, negative where it waited; None at first."""
        dry_at_s = self.dry_at_s
        if self.since_s is None or dry_at_s is None:
            self.since_s, slack_s = now_s, None
        else:
            slack_s = dry_at_s - now_s
            self.since_s -= min(0.0, slack_s)
        self.sound_s += sound_s
        return slack_s

    def heard(self, position_s: float, now_s: float) -> None:
        """The listener says how far it is."""
        if self.since_s is not None:
            self.since_s = now_s - min(max(position_s, 0.0), self.sound_s)
