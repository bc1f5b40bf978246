"""The border inside an ear: whatever hears its segments, a model among our own workers or one on another machine.

The ear knows sound and where speech is; a hearer gets a segment's sound and gives words. `pool_hearer.py` and
`distant_hearer.py` are hearers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import Heard, HearingOptions
from vivavoce.machine.admission import Kind

Wish = Literal["draft", "end"]


class Books(Protocol):
    """Where the cost of hearing is told: somebody's `Place`, or the machine's `Admissions`."""

    def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
        """`real_s` seconds of sound took `core_s` core seconds of compute."""
        ...


class SegmentWork(Protocol):
    """One segment being heard. Used on the event loop only."""

    def hear(self, sound: Samples, wish: Wish, due_s: float) -> None:
        """More of the segment, and hear all of it: what was begun before and is not done is dropped.

        Args:
            sound: float32 [n], 16 kHz; may be empty.
            due_s: when the result should be there, on the monotonic clock; `WHEN_THERE_IS_ROOM` for a mere glance.
        """
        ...

    def is_idle(self) -> bool:
        """Nothing is being heard, and a glance would be welcome."""
        ...

    def take(self) -> list[Heard]:
        """What was understood since it was asked last.

        Raises:
            VivaVoceError: What ended it early.
        """
        ...

    def close(self) -> None:
        """Stop, in mid-sentence too. Any number of times."""
        ...


class Hearer(Protocol):
    """Hears the segments of one ear."""

    @property
    def kind(self) -> Kind:
        """What a second of sound costs here."""
        ...

    def begin(self, options: HearingOptions, books: Books, wake: Callable[[], None], *, live: bool) -> SegmentWork:
        """Begin to hear a segment.

        Args:
            books: where its cost is told.
            wake: tells that something was understood; callable from any thread.
            live: False for a part of a recording.
        """
        ...
