"""Places for work that is bounded: so many at once, so many that wait, and a share for each owner.

A place that falls free goes to the owner who has the fewest, and among equals to who came first: one owner's pile does
not stand in front of another's single file. Used on the event loop only.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vivavoce.errors import Overloaded, RateLimited


class Places:
    """Places of one kind.

    Args:
        what: for sentences: "files to decode".
        at_once: how many are taken at the same time.
        waiting: how many may wait.
        per_owner: how many one owner may have, taken and waiting together.
        share: of `at_once` that one owner may take while others might come, 0..1; at least one.
    """

    def __init__(self, what: str, at_once: int, waiting: int, per_owner: int, *, share: float = 1.0) -> None:
        self._what = what
        self._of_one = max(1, int(at_once * share))
        self._free = at_once
        self._waiting, self._per_owner = waiting, per_owner
        self._owned: Counter[str] = Counter()  # taken and waiting
        self._taken: Counter[str] = Counter()
        self._queue: list[tuple[str, asyncio.Future[None]]] = []  # in the order of arrival

    @asynccontextmanager
    async def enter(self, owner: str) -> AsyncIterator[None]:
        """Hold a place inside the block, waiting for it if need be.

        Raises:
            RateLimited: If the owner has its share already.
            Overloaded: If all places are taken and the queue is full.
        """
        if self._owned[owner] >= self._per_owner:
            raise RateLimited(f"you have {self._per_owner} {self._what} already")
        if not self._may_take(owner) and len(self._queue) >= self._waiting:
            raise Overloaded(f"the server has too many {self._what}")
        self._owned[owner] += 1
        try:
            await self._wait(owner)
            try:
                yield
            finally:
                self._give_back(owner)
        finally:
            _less(self._owned, owner)

    async def _wait(self, owner: str) -> None:
        if self._may_take(owner):
            self._take(owner)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (owner, turn)
        self._queue.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._queue:
                self._queue.remove(entry)
            else:  # it was called up at the same moment
                self._give_back(owner)
            raise

    def _may_take(self, owner: str) -> bool:
        return self._free > 0 and self._taken[owner] < self._of_one

    def _take(self, owner: str) -> None:
        self._free -= 1
        self._taken[owner] += 1

    def _give_back(self, owner: str) -> None:
        _less(self._taken, owner)
        self._free += 1
        while ready := [waiting for waiting in self._queue if self._may_take(waiting[0])]:
            entry = min(ready, key=lambda waiting: self._taken[waiting[0]])
            self._queue.remove(entry)
            self._take(entry[0])
            entry[1].set_result(None)


def _less(counter: Counter[str], owner: str) -> None:
    counter[owner] -= 1
    if not counter[owner]:
        del counter[owner]
