"""Whether it is worth while to begin an answer now: the words up to a soft end are there, and it sounded like the end.

Pure. Called by `turn_ear.py`.
"""

from __future__ import annotations

from typing import Final

from vivavoce.recognition.patience import Evidence, sureness
from vivavoce.recognition.turn_events import Words

_LIKELY: Final = 1.2  # log odds: four of five whole utterances have them, and one break in four


class Foresight:
    """What is known of the silence that lasts; a silence is named by the number of its soft end."""

    def __init__(self) -> None:
        self._soft_end: int | None = None
        self._finished: float | None = None
        self._words: Words | None = None

    def soften(self, soft_end: int) -> None:
        """A new silence begins: nothing is known of it yet."""
        self._soft_end, self._finished, self._words = soft_end, None, None

    def resume(self) -> None:
        """It is over; whatever is told of it from now on is late."""
        self._soft_end = None

    def judged(self, soft_end: int, finished: float) -> str | None:
        """How probably the turn is over. Returns what to answer, where that is known."""
        if soft_end != self._soft_end:
            return None
        self._finished = finished
        return self._said()

    def understood(self, words: Words) -> str | None:
        """The words up to there. Returns what to answer, where it sounds finished."""
        if words.soft_end is None or words.soft_end != self._soft_end:
            return None
        self._words = words
        return self._said()

    def _said(self) -> str | None:
        words = self._words
        if self._finished is None or words is None or not words.text.strip():
            return None
        evidence = Evidence(self._finished, words.text, words.language, words.closed, words.marked)
        return words.text if sureness(evidence) >= _LIKELY else None
