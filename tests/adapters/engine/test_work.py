"""The queue of tasks: bounded, several at once, one report each, nothing lost when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from vivavoce.adapters.engine.tasks import Status, Storage, Task
from vivavoce.adapters.engine.work import REPORT_TRIES, QueueFull, TaskQueue
from vivavoce.errors import HostedModelFailed

STORAGE = Storage("http://minio:9000", "eu", "bucket", "key", "secret")


def task(number: int) -> Task:
    return Task(f"00000000-0000-0000-0000-{number:012d}", STORAGE, f"http://engine/tasks/{number}", ("a.json", "b.txt"))


class Work:
    """A service whose tasks end when the test says so."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.most = 0
        self.ends: dict[str, asyncio.Future[tuple[str, ...]]] = {}

    async def run(self, task: Task, stage: Callable[[Status], None]) -> tuple[str, ...]:
        stage(Status.PROCESSING)
        self.running.add(task.id)
        self.most = max(self.most, len(self.running))
        try:
            return await self.ends.setdefault(task.id, asyncio.get_running_loop().create_future())
        finally:
            self.running.discard(task.id)


class Engine:
    """Takes reports, or does not."""

    def __init__(self, refusals: int = 0) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.times: dict[str, int] = {}
        self.refusals = refusals

    async def tell(self, callback: str, report: dict[str, object]) -> bool:
        self.times[callback] = self.times.get(callback, 0) + 1
        if self.times[callback] <= self.refusals:
            return False
        self.told[callback] = report
        return True


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_several_run_at_once_and_the_queue_has_an_end() -> None:
    work, engine = Work(), Engine()
    queue = TaskQueue(work, engine.tell, max_tasks=4, at_once=2)
    queue.start()
    for number in range(4):
        queue.add(task(number))
    queue.add(task(3))  # the same one again is not another one
    with pytest.raises(QueueFull, match="Queue is full"):
        queue.add(task(4))
    await settle()
    assert (len(work.running), work.most) == (2, 2)
    assert [queue.status(task(n).id) for n in (0, 1, 2, 9)] == [
        Status.PROCESSING,
        Status.PROCESSING,
        Status.PENDING,
        None,
    ]
    for number in range(4):
        work.ends.setdefault(task(number).id, asyncio.get_running_loop().create_future()).set_result((f"{number}.ogg",))
    await settle()
    assert engine.told["http://engine/tasks/2"]["status"] == "finished"
    assert engine.told["http://engine/tasks/2"]["data_out"] == ["2.ogg"]
    assert len(engine.told) == 4
    queue.add(task(4))
    await queue.stop(0.0)


async def test_failures_are_told_in_our_words() -> None:
    work, engine = Work(), Engine()
    queue = TaskQueue(work, engine.tell, at_once=2)
    queue.start()
    for number in (0, 1):
        queue.add(task(number))
    await settle()
    work.ends[task(0).id].set_exception(HostedModelFailed("the model's server says 402: no credit"))
    work.ends[task(1).id].set_exception(KeyError("hf_a_secret"))
    await settle()
    assert engine.told["http://engine/tasks/0"]["error_message"] == "the model's server says 402: no credit"
    assert engine.told["http://engine/tasks/1"]["status"] == "error"
    assert "hf_a_secret" not in str(engine.told)
    assert engine.told["http://engine/tasks/0"]["data_out"] is None
    work.ends.clear()
    queue.add(task(0))  # what failed may be sent again
    await settle()
    assert queue.status(task(0).id) is Status.PROCESSING
    await queue.stop(0.0)


async def test_a_report_is_sent_until_it_is_taken() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    for refusals, told in [(3, 1), (REPORT_TRIES, 0)]:
        work, engine = Work(), Engine(refusals)
        queue = TaskQueue(work, engine.tell, sleep=sleep)
        queue.start()
        queue.add(task(0))
        await settle()
        work.ends[task(0).id].set_result(("0.ogg",))
        await settle()
        assert len(engine.told) == told
        assert queue.status(task(0).id) is Status.FINISHED
        await queue.stop(1.0)
    assert pauses == [1.0, 2.0, 4.0, 1.0, 2.0, 4.0, 8.0, 16.0]


async def test_nothing_is_lost_when_it_stops() -> None:
    work, engine = Work(), Engine()
    queue = TaskQueue(work, engine.tell, at_once=1)
    queue.start()
    for number in range(3):
        queue.add(task(number))
    await settle()
    stopping = asyncio.create_task(queue.stop(10.0))
    await settle()
    assert set(engine.told) == {"http://engine/tasks/1", "http://engine/tasks/2"}  # given back at once
    assert all("send it again" in report["error_message"] for report in engine.told.values())
    with pytest.raises(QueueFull, match="stopped"):
        queue.add(task(7))
    work.ends[task(0).id].set_result(("0.ogg",))
    await stopping
    assert engine.told["http://engine/tasks/0"]["status"] == "finished"


async def test_what_does_not_end_in_time_is_given_back_too() -> None:
    work, engine = Work(), Engine()
    queue = TaskQueue(work, engine.tell)
    queue.start()
    queue.add(task(0))
    await settle()
    await queue.stop(0.0)
    assert engine.told["http://engine/tasks/0"]["status"] == "error"
    assert work.running == set()
