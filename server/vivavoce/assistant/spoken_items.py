"""What was spoken in a connection, item by item, and how much of each was heard."""

from __future__ import annotations

from typing import Final

from vivavoce.assistant.heard import SpokenText

_MOST: Final = 64  # items whose word times are kept: clients cut the last one or two


class SpokenItems:
    """Spoken texts by the ids of their items."""

    def __init__(self) -> None:
        self._texts: dict[str, SpokenText] = {}
        self._heard: dict[str, str] = {}  # of those that were cut

    def keep(self, item_id: str, text: SpokenText) -> None:
        """Remember when the words of an item were spoken; the oldest is forgotten."""
        self._texts[item_id] = text
        while len(self._texts) > _MOST:
            oldest = next(iter(self._texts))
            del self._texts[oldest]
            self._heard.pop(oldest, None)

    def heard(self, item_id: str, position_s: float) -> str | None:
        """The words of an item up to a place in its sound; None: it was not spoken here, or is forgotten."""
        text = self._texts.get(item_id)
        return text.heard(position_s) if text is not None else None

    def cut(self, item_id: str, heard: str) -> bool:
        """Only so much of it was heard. False where less is known to have been heard, or it was all of it."""
        text, before = self._texts.get(item_id), self._heard.get(item_id)
        if text is None or heard == text.text or (before is not None and len(before) <= len(heard)):
            return False
        self._heard[item_id] = heard
        return True

    def cut_of(self, item_id: str) -> str | None:
        """What was heard of an item that was cut; None: all of it."""
        return self._heard.get(item_id)

    def whole(self, item_id: str) -> str | None:
        """All that was spoken of an item."""
        text = self._texts.get(item_id)
        return text.text if text is not None else None
