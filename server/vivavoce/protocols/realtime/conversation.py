"""The items of a Realtime conversation in their order, and the events that tell of them: part of the machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from vivavoce.protocols.realtime.items import Item
from vivavoce.protocols.realtime.outbox import Outbox

MOST_ITEMS: Final = 1_000
MOST_CHARACTERS: Final = 2_000_000


class Conversation:
    """Items by id, in order. Where there are too many the oldest are forgotten."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._items: dict[str, Item] = {}
        self._order: list[str] = []
        self._characters = 0

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    def __iter__(self) -> Iterator[Item]:
        return (self._items[item_id] for item_id in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def get(self, item_id: str) -> Item | None:
        """The item of that id."""
        return self._items.get(item_id)

    @property
    def last(self) -> str | None:
        """Id of the last item."""
        return self._order[-1] if self._order else None

    def add(self, item: Item, after: str | None) -> None:
        """Put a whole item behind another one (None: in front of all), and tell so. Its sound is not kept."""
        kept = dataclasses.replace(item, content=tuple(dataclasses.replace(p, audio=None) for p in item.content))
        self._tell("added", kept, after)
        self._insert(kept, after)
        self._tell("done", kept, after)

    def begin(self, item: Item) -> None:
        """Put an item that is still being made behind all, and tell so."""
        self._tell("added", item, self.last)
        self._insert(item, self.last)

    def finish(self, item: Item) -> None:
        """It is made, and told so; unless somebody has taken it out meanwhile."""
        if item.id in self._items:
            at = self._order.index(item.id)
            self.replace(item)
            self._tell("done", item, self._order[at - 1] if at else None)

    def replace(self, item: Item) -> None:
        """Another state of an item; one that is not here any more stays forgotten."""
        former = self._items.get(item.id)
        if former is not None:
            self._items[item.id] = item
            self._characters += _size(item) - _size(former)

    def remove(self, item_id: str) -> None:
        """Take out an item that is here."""
        self._characters -= _size(self._items.pop(item_id))
        self._order.remove(item_id)

    def _insert(self, item: Item, after: str | None) -> None:
        self._order.insert(0 if after is None else self._order.index(after) + 1, item.id)
        self._items[item.id] = item
        self._characters += _size(item)
        while len(self._order) > 1 and (len(self._order) > MOST_ITEMS or self._characters > MOST_CHARACTERS):
            self.remove(next(item_id for item_id in self._order if item_id != item.id))

    def _tell(self, what: str, item: Item, after: str | None) -> None:
        self._outbox.send(f"conversation.item.{what}", previous_item_id=after, item=item.to_wire())


def _size(item: Item) -> int:
    return len(item.text) + len(item.arguments) + len(item.output)
