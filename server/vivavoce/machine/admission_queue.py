"""Where requests wait for room: a short, bounded, fair queue in front of the admission's books. On the event loop."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vivavoce.errors import Overloaded, RateLimited
from vivavoce.machine.admission import Admission, Kind, Place, refusal
from vivavoce.machine.scheduler import fair_order
from vivavoce.metrics import Metrics

AGAIN_WAIT_S = 10.0  # for room: its listener has what was made before meanwhile


class Admissions:
    """Admits requests, a little later if need be.

    A request waits for two things: room for its stream to keep real time, and the first results of those before it.
    After the wait it is refused where the first is missing; where only the second is, it begins late.

    Args:
        wait_s: how long a request waits.
        max_waiting: requests waiting at once. When the queue is full, an owner with more requests in it than the
            newcomer's loses its last one; where there is none such, the newcomer is refused at once.

    Attributes:
        books: who was admitted, and at what cost.
    """

    def __init__(self, admission: Admission, *, wait_s: float, max_waiting: int, metrics: Metrics) -> None:
        self.books = admission
        self._wait_s = wait_s
        self._max_waiting = max_waiting
        self._metrics = metrics
        self._numbers = itertools.count()
        self._waiting: dict[int, _Waiting] = {}

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Nobody waits, and what was admitted is within the share: there is time for what may be for nothing."""
        admission = self.books
        return not self._waiting and (admission.share == 0 or admission.load() <= admission.share * admission.cores)

    def measured(self, kind: Kind, core_s: float, real_s: float) -> None:
        """See `Place`: for work that belongs to no single place."""
        self.books.measured(kind, core_s, real_s)

    @asynccontextmanager
    async def enter(
        self, owner: str, kinds: Sequence[Kind], *, live: bool = True, begun: bool = False, again: bool = False
    ) -> AsyncIterator[Place]:
        """Room for the length of the block, after a short fair wait.

        Args:
            owner: whose request it is.
            kinds: what it will compute, one or the other at a time: it pays for the dearest.
            live: somebody listens or speaks in real time; False: a file, which takes what the others leave.
            begun: it was admitted before and is being heard: it gets its room at once, and is never refused.
            again: it gave its room back while its client took nothing, and goes on: it waits longer, and may end while
                the server drains.

        Raises:
            Overloaded: If there was no room within the wait.
            RateLimited, ShuttingDown: If waiting cannot help.
        """
        if begun:
            ticket = self.books.admit(owner, kinds, live=live)
        else:
            ticket = await self._admit(owner, tuple(kinds), live, again)
        try:
            yield Place(self.books, ticket, changed=self.wake)
        finally:
            self.books.leave(ticket)
            self.wake()

    def wake(self) -> None:
        """There may be room now: let everybody look."""
        for waiting in self._waiting.values():
            waiting.wake()

    async def _admit(self, owner: str, kinds: tuple[Kind, ...], live: bool, again: bool) -> int:
        admission = self.books
        admission.check(owner, is_new=not again)
        if not self._waiting and admission.may_admit(kinds, live=live, owner=owner):
            self._metrics.queue.observe(0.0)
            return admission.admit(owner, kinds, live=live)
        self._make_room(owner)
        me = _Waiting(owner, kinds, live, time.monotonic(), asyncio.get_running_loop().create_future())
        number = next(self._numbers)
        self._waiting[number] = me
        try:
            async with asyncio.timeout(max(self._wait_s, AGAIN_WAIT_S) if again else self._wait_s):
                while not self._is_next(number):
                    await me.turn()
                    admission.check(owner, is_new=not again)
        except TimeoutError:
            if not admission.keeps_up(kinds, live=live):
                raise refusal(time.monotonic() - me.since_s) from None
            if not admission.keeps_up(kinds, live=live, owner=owner):
                raise RateLimited("what room is left is for other keys; wait for one of your streams to end") from None
            admission.check(owner, is_new=not again)
        finally:
            self._waiting.pop(number, None)
            self.wake()
        self._metrics.queue.observe(time.monotonic() - me.since_s)
        return admission.admit(owner, kinds, live=live)

    def _make_room(self, owner: str) -> None:
        """One more may wait.

        Raises:
            Overloaded: If the queue is full of others that have no more in it than this owner.
        """
        if len(self._waiting) < self._max_waiting:
            return
        held = Counter(waiting.owner for waiting in self._waiting.values())
        greediest, most = held.most_common(1)[0]
        if most <= held[owner] + 1:
            raise refusal(0.0)
        last = max(number for number, waiting in self._waiting.items() if waiting.owner == greediest)
        self._waiting.pop(last).refuse(refusal(0.0))

    def _is_next(self, number: int) -> bool:
        """True when the request stands first in the fair order and there is room for it."""
        numbers = list(self._waiting)
        order = fair_order([(w.owner, w.since_s) for w in self._waiting.values()], self.books.active())
        me = self._waiting[number]
        return numbers[order[0]] == number and self.books.may_admit(me.kinds, live=me.live, owner=me.owner)


@dataclass(slots=True)
class _Waiting:
    """A request in the queue."""

    owner: str
    kinds: tuple[Kind, ...]
    live: bool
    since_s: float
    future: asyncio.Future[None]
    refused: Overloaded | None = None

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def refuse(self, error: Overloaded) -> None:
        """It lost its room in the queue to an owner with fewer requests in it."""
        self.refused = error
        self.wake()

    async def turn(self) -> None:
        await self.future
        if self.refused is not None:
            raise self.refused
        self.future = asyncio.get_running_loop().create_future()
