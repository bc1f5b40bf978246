"""The words of one turn, heard in one part or several: long turns are cut where their speaker pauses.

Part of the ear. Knows no time; places are samples of the connection's sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from vivavoce.assistant.drafts import Drafts
from vivavoce.assistant.ear import Heard, LentEar, Segment, Understood
from vivavoce.errors import VivaVoceError
from vivavoce.text.language import is_unspaced

LONG: Final = 10 * 16_000  # samples: from here on a part ends at the next pause
LONGEST: Final = 20 * 16_000  # and here it ends in mid-speech; recognizers hear half a minute at most


class HeardPart:
    """One stretch of a turn that an ear hears as a segment."""

    def __init__(self, segment: Segment, start: int) -> None:
        self.start = start
        self.text = ""  # as far as it is understood
        self.language: str | None = None
        self.error: VivaVoceError | None = None
        self.is_final = False
        self._segment = segment

    def take(self) -> Heard | None:
        """The latest that was understood, if there is news."""
        if self.is_final:
            return None
        try:
            news = self._segment.take()
        except VivaVoceError as error:
            self.error, self.is_final = error, True
            return None
        for heard in news:
            self.text, self.language = heard.text, heard.language
            self.is_final = self.is_final or heard.is_final
        return news[-1] if news else None

    def draft(self, end: int) -> None:
        """Hear it up to a place; what was understood before is read first, so that what comes next is of this."""
        self.take()
        if not self.is_final:
            self._segment.draft(end)

    def finish(self, end: int) -> None:
        """The part ends at a place, in samples: its final words are asked for."""
        if not self.is_final:
            self._segment.finish(end)

    def drop(self) -> None:
        """Stop hearing it: its words are not wanted any more."""
        self._segment.drop()


class TurnWords:
    """The parts of one turn, or of all that waits to be committed.

    Attributes:
        known: set when all of its words are final.
        drafts: what was told of them already.
    """

    def __init__(self) -> None:
        self.parts: list[HeardPart] = []
        self.known = asyncio.Event()
        self.drafts = Drafts()
        self._closed = False

    def open(self, ear: LentEar, start: int) -> HeardPart:
        """A new part from a place on."""
        part = HeardPart(ear.open(start), start)
        self.parts.append(part)
        return part

    def close(self) -> None:
        """No more parts come: known as soon as they all are final."""
        self._closed = True
        self.settle()

    def settle(self) -> None:
        """Look whether it is known."""
        if self._closed and all(part.is_final for part in self.parts):
            self.known.set()

    def drop(self) -> None:
        """Stop hearing all parts: their words are not wanted any more."""
        for part in self.parts:
            part.drop()
        self.parts.clear()

    @property
    def text(self) -> str:
        """The words as far as they are understood."""
        return joined(part.text for part in self.parts)

    async def understood(self) -> Understood:
        """Wait until all parts are final, and return their words as one text.

        Raises:
            VivaVoceError: If no part was understood, and one of them failed.
        """
        await self.known.wait()
        errors = [part.error for part in self.parts if part.error is not None]
        if errors and not self.text:
            raise errors[0]
        return Understood(self.text, next((part.language for part in self.parts if part.text), None))


def joined(texts: Iterable[str]) -> str:
    """Texts one after the other, with a blank between them where their script has any."""
    whole = ""
    for text in texts:
        blank = " " if whole and text and not is_unspaced(whole[-1]) and not is_unspaced(text[0]) else ""
        whole += blank + text
    return whole
