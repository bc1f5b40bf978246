"""The queue of tasks: bounded, several at once, each with exactly one report to its engine.

When the server stops, running tasks finish and tell so; those that were not begun are given back as failed, with a
sentence that says why, so that nothing is waited for in vain.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from vivavoce.adapters.engine.tasks import Status, Task
from vivavoce.errors import Overloaded, VivaVoceError

logger = logging.getLogger(__name__)

KEPT = 1000  # tasks whose end is remembered
REPORT_TRIES = 6
REPORT_PAUSE_S = 1.0  # doubled from try to try
LAST_WORD_S = 5.0  # for the reports of tasks that were cut off

Tell = Callable[[str, dict[str, object]], Awaitable[bool]]  # (callback, report) -> whether it was taken
Sleep = Callable[[float], Awaitable[None]]


class Service(Protocol):
    """What is done with a task."""

    async def run(self, task: Task, stage: Callable[[Status], None]) -> tuple[str, ...]:
        """Do it; returns the keys of the results. `stage` is told of each step."""
        ...


class QueueFull(Overloaded):
    """No more tasks for now."""

    code = "queue_full"

    def __init__(self, message: str = "Queue is full") -> None:
        super().__init__(message)


class TaskQueue:
    """The tasks of one service that wait or run, and how those ended that are not forgotten yet.

    Args:
        tell: sends a report.
        max_tasks: waiting and running together.
        at_once: running.
        sleep: between two tries to tell.
    """

    def __init__(
        self,
        service: Service,
        tell: Tell,
        *,
        max_tasks: int = 50,
        at_once: int = 4,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._service = service
        self._tell = tell
        self._max_tasks, self._at_once = max_tasks, at_once
        self._sleep = sleep
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._waiting: asyncio.Queue[str] = asyncio.Queue()  # bounded by `add`
        self._open = 0  # not reported yet
        self._workers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self) -> None:
        """Begin to work; on a running loop."""
        self._workers = [asyncio.create_task(self._work(), name="engine-task") for _ in range(self._at_once)]

    def add(self, task: Task) -> None:
        """Take a task on; one that is known already is taken on once.

        Raises:
            QueueFull: If there are too many, or the server stops.
        """
        if self._stopping:
            raise QueueFull("the service is being stopped")
        if (known := self._tasks.get(task.id)) is not None and known.status is not Status.ERROR:
            return
        if self._open >= self._max_tasks:
            raise QueueFull
        self._keep(task)
        self._open += 1
        self._idle.clear()
        self._waiting.put_nowait(task.id)

    def status(self, task_id: str) -> Status | None:
        """How far a task is; None where it is not known."""
        task = self._tasks.get(task_id)
        return None if task is None else task.status

    async def stop(self, timeout_s: float) -> None:
        """Give back what was not begun, let the rest finish until the time is over, then give that back too."""
        self._stopping = True
        returned = []
        while not self._waiting.empty():
            task = self._tasks[self._waiting.get_nowait()]
            returned.append(task.failed("the service was stopped before it began this task; send it again"))
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*map(self._end, returned))
                await self._idle.wait()
        except TimeoutError:
            logger.warning("%d tasks were cut off", self._open)
        for worker in self._workers:
            worker.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            task = self._tasks[await self._waiting.get()]
            try:
                await self._end(await self._run(task))
            except asyncio.CancelledError:
                if self._tasks[task.id].status not in (Status.FINISHED, Status.ERROR):
                    await self._end(task.failed("the service was stopped; send this task again"))
                raise

    async def _run(self, task: Task) -> Task:
        try:
            keys = await self._service.run(task, lambda status: self._keep(replace(task, status=status)))
        except VivaVoceError as error:
            return task.failed(error.message)
        except Exception as error:  # its words may quote what was sent
            logger.error("task %s failed: %s", task.id, type(error).__name__)
            return task.failed("the service failed; its log says why")
        return replace(task, status=Status.FINISHED, data_out=keys)

    async def _end(self, task: Task) -> None:
        """Keep how it ended and tell its engine, until it has heard."""
        self._keep(task)
        pause_s = REPORT_PAUSE_S
        for tried in range(1, REPORT_TRIES + 1):
            if await self._tell(task.callback_url, task.report()):
                break
            if tried < REPORT_TRIES:
                await self._sleep(pause_s)
                pause_s *= 2
        else:
            logger.error("the engine was not told the end of task %s: %s", task.id, task.status.value)
        self._open -= 1
        if not self._open:
            self._idle.set()

    def _keep(self, task: Task) -> None:
        self._tasks[task.id] = task
        while len(self._tasks) > KEPT:
            ended = next((i for i, t in self._tasks.items() if t.status in (Status.FINISHED, Status.ERROR)), None)
            if ended is None:
                return
            del self._tasks[ended]
