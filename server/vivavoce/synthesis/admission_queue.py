"""Where requests wait for room: a short, bounded, fair queue in front of the admission's books. On the event loop."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass

from vivavoce.metrics import Metrics
from vivavoce.synthesis.admission import Admission, refusal
from vivavoce.synthesis.scheduler import fair_order


class AdmissionQueue:
    """Admits requests, a little later if need be.

    A request waits for two things: room for its stream to keep real time, and the first chunks of those before it.
    After the wait it is refused where the first is missing; where only the second is, it begins late.

    Args:
        wait_s: how long a request waits.
        max_waiting: requests waiting at once; one more is refused at once.
    """

    def __init__(self, admission: Admission, *, wait_s: float, max_waiting: int, metrics: Metrics) -> None:
        self._admission = admission
        self._wait_s = wait_s
        self._max_waiting = max_waiting
        self._metrics = metrics
        self._numbers = itertools.count()
        self._waiting: dict[int, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def admit(self, owner: str, kind: str) -> int:
        """A ticket, after a short fair wait.

        Raises:
            Overloaded: If there was no room within the wait.
            RateLimited, ShuttingDown: If waiting cannot help.
        """
        admission = self._admission
        admission.check(owner)
        if not self._waiting and admission.may_admit(kind):
            self._metrics.queue.observe(0.0)
            return admission.admit(owner, kind)
        if len(self._waiting) >= self._max_waiting:
            raise refusal(0.0)
        me = _Waiting(owner, kind, time.monotonic(), asyncio.get_running_loop().create_future())
        number = next(self._numbers)
        self._waiting[number] = me
        try:
            async with asyncio.timeout(self._wait_s):
                while not self._is_next(number):
                    await me.turn()
                    admission.check(owner)
        except TimeoutError:
            if not admission.keeps_up(kind):
                raise refusal(time.monotonic() - me.since_s) from None
            admission.check(owner)
        finally:
            del self._waiting[number]
            self.wake()
        self._metrics.queue.observe(time.monotonic() - me.since_s)
        return admission.admit(owner, kind)

    def _is_next(self, number: int) -> bool:
        """True when the request stands first in the fair order and there is room for it."""
        numbers = list(self._waiting)
        order = fair_order([(w.owner, w.since_s) for w in self._waiting.values()], self._admission.active())
        return numbers[order[0]] == number and self._admission.may_admit(self._waiting[number].kind)

    def sounding(self, ticket: int) -> None:
        """Its first chunk is made: those whose first chunk would have come too late may begin now."""
        self._admission.sounding(ticket)
        self.wake()

    def leave(self, ticket: int) -> None:
        """It ended, however."""
        self._admission.leave(ticket)
        self.wake()

    def wake(self) -> None:
        """There may be room now: let everybody look."""
        for waiting in self._waiting.values():
            waiting.wake()


@dataclass(slots=True)
class _Waiting:
    """A request in the queue."""

    owner: str
    kind: str
    since_s: float
    future: asyncio.Future[None]

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    async def turn(self) -> None:
        await self.future
        self.future = asyncio.get_running_loop().create_future()
