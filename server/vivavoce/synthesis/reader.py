"""Whoever takes the sound of an utterance: is it on its way back, or has it left the sound lying? Pure: times come in.

What a reader has taken may lie before its listener in buffers, so being away is no fault by itself. A reader that the
server paces comes back before its listener runs dry; one that reads as fast as it can is away because its client takes
nothing. Kept by `utterance.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

# A client that plays while it reads takes in steps, as far apart as what its buffers hold. One that was seen to come
# back in time is waited for as long as its listener has sound, and no longer than this.
STEP_S = 15.0


@dataclass(slots=True)
class Reader:
    """The reader of one utterance.

    Attributes:
        rest_s: it is waited for as long as this.
        paced: its carrier keeps it at the speed of listening.
        is_missed: it has left, and what it left lying is looked after no more until it comes back.
    """

    rest_s: float
    paced: bool
    is_missed: bool = False
    _went_s: float | None = None  # None: it is here, and waits for the next chunk
    _keeps_time: bool = False

    def comes(self, now_s: float, dry_at_s: float | None) -> bool:
        """It wants the next chunk.

        Args:
            dry_at_s: when its listener runs out of what was taken; None before there was anything.

        Returns:
            True where it was missed.
        """
        was_missed, self.is_missed, self._went_s = self.is_missed, False, None
        if was_missed:
            self._keeps_time = dry_at_s is not None and now_s < dry_at_s
        return was_missed

    def goes(self, now_s: float) -> None:
        """It has its chunk."""
        self._went_s = now_s

    def has_left(self, now_s: float, dry_at_s: float | None) -> bool:
        """True where it stays away longer than there is a reason for."""
        if self._went_s is None:
            return False
        since_s = self._went_s
        if dry_at_s is not None and self.paced:
            since_s = max(since_s, dry_at_s)
        elif dry_at_s is not None and self._keeps_time:
            since_s = max(since_s, min(dry_at_s, since_s + STEP_S))
        return now_s - since_s >= self.rest_s
