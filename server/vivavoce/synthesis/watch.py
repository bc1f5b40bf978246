"""Looks after the machine while somebody speaks: steps that hang, room that came free, readers that have left, an event
loop that is late.

Made by `synthesizer.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from vivavoce.machine.admission_queue import Admissions
from vivavoce.machine.worker import WorkerPool
from vivavoce.metrics import Metrics

_LOOK_EVERY_S = 0.1  # how late the event loop is
_LATE_S = 0.02  # less is its ordinary business
_STEPS_EVERY_S = 0.5  # whether a step hangs


class Watch:
    """One task, from the first utterance until it is closed.

    Args:
        look: called every half second with the time, on `time.monotonic`.

    Attributes:
        lag_s: seconds by which the event loop has been late so far, in all.
    """

    def __init__(
        self,
        pool: WorkerPool,
        admissions: Admissions,
        metrics: Metrics,
        look: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.lag_s = 0.0
        self._pool = pool
        self._admissions = admissions
        self._metrics = metrics
        self._look = look
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """There is something to look after. Any number of times."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="synthesizer-watch")

    async def aclose(self) -> None:
        """Nothing is looked after any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        looked_s = loop.time()
        while True:
            due_s = loop.time() + _LOOK_EVERY_S
            await asyncio.sleep(_LOOK_EVERY_S)
            late_s = max(0.0, loop.time() - due_s)
            self.lag_s += late_s if late_s > _LATE_S else 0.0
            self._metrics.event_loop_lag.observe(late_s)
            if loop.time() - looked_s >= _STEPS_EVERY_S:
                looked_s = loop.time()
                self._metrics.event_loop_tasks.set(len(asyncio.all_tasks()))
                self._pool.give_up_hung_steps()
                if self._look is not None:
                    await self._look(time.monotonic())
                if self._admissions.waiting:  # measured costs fall as batches grow: somebody may fit now
                    self._admissions.wake()
