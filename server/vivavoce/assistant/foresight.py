"""Whether it is worth while to begin an answer now: the words up to a soft end are there, and it sounded like the end.

Pure. Called by `turn_ear.py`.
"""

from __future__ import annotations

from typing import Final

_FINISHED: Final = 0.5  # verdicts from here on: smart-turn's own threshold


class Foresight:
    """What is known of the silence that lasts; a silence is named by the number of its soft end."""

    def __init__(self) -> None:
        self._soft_end: int | None = None
        self._finished = False
        self._words = ""

    def soften(self, soft_end: int) -> None:
        """A new silence begins: nothing is known of it yet."""
        self._soft_end, self._finished, self._words = soft_end, False, ""

    def resume(self) -> None:
        """It is over; whatever is told of it from now on is late."""
        self._soft_end = None

    def judged(self, soft_end: int, finished: float) -> str | None:
        """How probably the turn is over. Returns what to answer, where that is known."""
        if soft_end != self._soft_end:
            return None
        self._finished = finished >= _FINISHED
        return self._said()

    def understood(self, soft_end: int | None, words: str) -> str | None:
        """The words up to there. Returns what to answer, where it sounds finished."""
        if soft_end is None or soft_end != self._soft_end:
            return None
        self._words = words
        return self._said()

    def _said(self) -> str | None:
        return self._words if self._finished and self._words.strip() else None
