"""The pool, with jobs that make nothing: who is stepped, on which thread, and what becomes of what is dropped."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from fake_engine import wait_until
from vivavoce.errors import EngineCrashed, EngineTimeout, GenerationFailed, VivaVoceError
from vivavoce.machine.scheduler import FETCHED_S, Candidate
from vivavoce.machine.worker import NICER, WorkerPool
from vivavoce.metrics import Metrics


class FakeJob:
    """A job of so many steps; what happens in one is the test's choice."""

    def __init__(
        self,
        steps: int = 1,
        *,
        during: Callable[[], None] = lambda: None,
        group: str = "",
        batch: int = 1,
        due_s: float = 1.0,
    ) -> None:
        self.left = steps
        self.during = during
        self.group = group or str(id(self))
        self.batch = batch
        self.due_s = due_s
        self.threads: list[int] = []
        self.groups: list[int] = []
        self.failed: list[VivaVoceError] = []
        self.closed_by: list[str] = []
        self.detached = 0
        self.close: Callable[[], None] = lambda: None

    def candidate(self) -> Candidate | None:
        return Candidate(id(self), self.group, self.batch, self.due_s) if self.left and not self.failed else None

    def advance(self, group: Sequence[Any], threads: int) -> None:
        self.during()
        for job in group:
            job.left -= 1
            job.threads.append(threads)
            job.groups.append(len(group))

    def fail(self, error: VivaVoceError) -> None:
        self.failed.append(error)

    def detach(self) -> Left:
        self.detached += 1
        return Left(self)


class Left:
    """What a job held."""

    def __init__(self, job: FakeJob) -> None:
        self._job = job

    def close(self) -> None:
        self._job.close()
        self._job.closed_by.append(threading.current_thread().name)


@pytest.fixture
def make_pool() -> Iterator[Callable[..., WorkerPool]]:
    pools: list[WorkerPool] = []

    def make(workers: int = 2, step_timeout_s: float = 10.0, metrics: Metrics | None = None) -> WorkerPool:
        pools.append(WorkerPool(workers=workers, step_timeout_s=step_timeout_s, metrics=metrics or Metrics()))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


Make = Callable[..., WorkerPool]


def raises(error: Exception) -> Callable[[], None]:
    def during() -> None:
        raise error

    return during


def test_a_job_is_stepped_until_it_wants_no_more(make_pool: Make) -> None:
    pool, job = make_pool(), FakeJob(steps=3)
    pool.add(job)
    wait_until(lambda: job.left == 0)
    assert job.threads == [2, 2, 2], "alone, it has all threads"
    pool.remove(job)
    wait_until(lambda: len(job.closed_by) == 1)
    assert len(pool) == 0


def test_jobs_side_by_side_have_a_thread_each(make_pool: Make) -> None:
    together = threading.Barrier(2, timeout=10)

    def meet() -> None:
        together.wait()

    pool, jobs = make_pool(), [FakeJob(during=meet) for _ in range(2)]
    with pool.changed:  # both are there before a worker looks
        for job in jobs:
            pool.add(job)
    wait_until(lambda: all(job.left == 0 for job in jobs))
    assert [job.threads for job in jobs] == [[1], [1]]


def test_a_newcomer_does_not_wait_for_steps_that_are_ahead_of_their_listeners(make_pool: Make) -> None:
    leave = threading.Event()
    inside = threading.Semaphore(0)

    def stay() -> None:
        inside.release()
        assert leave.wait(10)

    pool = make_pool()
    ahead = [FakeJob(during=stay, due_s=time.monotonic() + FETCHED_S - 1) for _ in range(2)]
    with pool.changed:
        for each in ahead:
            pool.add(each)
    assert all(inside.acquire(timeout=10) for _ in ahead)
    newcomer = FakeJob(steps=3)
    pool.add(newcomer)
    try:
        wait_until(lambda: newcomer.left == 0)
        assert [each.left for each in ahead] == [1, 1], "both are still in their steps"
    finally:
        leave.set()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_steps_come_behind_the_threads_that_only_hand_on(make_pool: Make) -> None:
    seen: list[int] = []
    pool, job = make_pool(), FakeJob(during=lambda: seen.append(os.getpriority(os.PRIO_PROCESS, 0)))
    pool.add(job)
    wait_until(lambda: job.left == 0)
    assert seen == [min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICER)]


def test_jobs_of_one_group_are_stepped_together(make_pool: Make) -> None:
    pool, jobs = make_pool(), [FakeJob(group="g", batch=4) for _ in range(3)]
    with pool.changed:
        for job in jobs:
            pool.add(job)
    wait_until(lambda: all(job.left == 0 for job in jobs))
    assert [job.groups for job in jobs] == [[3], [3], [3]]


def test_what_is_dropped_is_closed_by_a_worker_outside_the_lock(make_pool: Make) -> None:
    """Whoever removes a job does not wait for it: an engine may hold its own lock for the length of a pass."""
    pool, job = make_pool(), FakeJob(steps=0)
    closing, go = threading.Event(), threading.Event()

    def close() -> None:
        closing.set()
        assert go.wait(10)

    job.close = close
    pool.add(job)
    pool.remove(job)  # returns although the close cannot
    assert closing.wait(10)
    other = FakeJob()
    pool.add(other)  # nor is the lock held
    wait_until(lambda: other.left == 0)
    go.set()
    wait_until(lambda: len(job.closed_by) == 1)
    assert job.closed_by[0].startswith("worker-")


def test_a_job_removed_in_its_step_is_dropped_after_it(make_pool: Make) -> None:
    begun, go = threading.Event(), threading.Event()

    def during() -> None:
        begun.set()
        assert go.wait(10)

    pool, job = make_pool(), FakeJob(steps=5, during=during)
    pool.add(job)
    assert begun.wait(10)
    pool.remove(job)
    pool.remove(job)
    assert job.detached == 0
    go.set()
    wait_until(lambda: len(job.closed_by) == 1)
    assert (job.detached, job.left) == (1, 4)


def test_a_close_that_fails_hurts_nobody(make_pool: Make, caplog: pytest.LogCaptureFixture) -> None:
    pool, job, next_one = make_pool(workers=1), FakeJob(steps=0), FakeJob()
    job.close = raises(RuntimeError("no"))
    pool.add(job)
    pool.remove(job)
    pool.add(next_one)
    wait_until(lambda: next_one.left == 0)
    assert "could not be freed" in caplog.text


def test_a_parked_job_is_left_alone_and_goes_on(make_pool: Make) -> None:
    pool, job = make_pool(), FakeJob(steps=0)
    pool.add(job)
    pool.park(job)
    with pool.changed:
        job.left = 2
        pool.changed.notify_all()
    other = FakeJob()
    pool.add(other)
    wait_until(lambda: other.left == 0)
    assert (job.left, job.detached, len(pool)) == (2, 0, 1)
    pool.add(job)
    wait_until(lambda: job.left == 0)
    pool.park(job)
    pool.remove(job)
    wait_until(lambda: len(job.closed_by) == 1)


@pytest.mark.parametrize(
    ("error", "told"), [(GenerationFailed("collapsed"), GenerationFailed), (ZeroDivisionError("secret"), EngineCrashed)]
)
def test_a_step_that_fails_is_told_to_its_jobs(
    make_pool: Make, error: Exception, told: type[VivaVoceError], caplog: pytest.LogCaptureFixture
) -> None:
    """And what an engine raises goes into the log by its class and place: its words may be somebody's text."""
    pool, jobs = make_pool(), [FakeJob(during=raises(error), group="g", batch=2) for _ in range(2)]
    with pool.changed:
        for job in jobs:
            pool.add(job)
    wait_until(lambda: all(job.failed for job in jobs))
    assert all(isinstance(job.failed[0], told) for job in jobs)
    assert "secret" not in caplog.text
    healthy = FakeJob()
    pool.add(healthy)
    wait_until(lambda: healthy.left == 0)


def test_a_hung_step_is_given_up_and_its_worker_replaced(make_pool: Make) -> None:
    begun, go = threading.Event(), threading.Event()

    def during() -> None:
        begun.set()
        go.wait(30)

    pool, job, healthy = make_pool(workers=1, step_timeout_s=0.0), FakeJob(during=during), FakeJob()
    pool.add(job)
    assert begun.wait(10)
    pool.give_up_hung_steps()
    assert isinstance(job.failed[0], EngineTimeout)
    pool.add(healthy)
    wait_until(lambda: healthy.left == 0)
    pool.remove(job)
    assert job.detached == 0, "a thread is still in it"
    go.set()
    wait_until(lambda: len(job.closed_by) == 1)
    assert job.detached == 1


def test_closing_waits_for_a_hung_step_only_so_long(make_pool: Make) -> None:
    begun, go = threading.Event(), threading.Event()

    def during() -> None:
        begun.set()
        go.wait(30)

    pool = make_pool()
    pool.add(FakeJob(during=during))
    assert begun.wait(10)
    assert not pool.close(within_s=0.05)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("worker-"))
    go.set()
    assert pool.close()


def test_closing_closes_what_was_dropped_before(make_pool: Make) -> None:
    pool, jobs = make_pool(workers=1), [FakeJob(steps=0) for _ in range(5)]
    for job in jobs:
        pool.add(job)
        pool.remove(job)
    assert pool.close()
    assert all(job.closed_by for job in jobs)


def test_the_length_of_steps_is_measured_by_kind(make_pool: Make) -> None:
    pool, job = make_pool(), FakeJob(steps=2)
    pool.add(job)
    wait_until(lambda: job.left == 0 and bool(pool.step_s))
    assert set(pool.step_s) == {None}
    assert pool.step_s[None] >= 0


def test_a_cancel_is_timed(make_pool: Make) -> None:
    metrics = Metrics()
    pool, job = make_pool(metrics=metrics), FakeJob(steps=0)
    pool.add(job)
    pool.remove(job)
    assert metrics.registry.get_sample_value("voice_cancel_latency_seconds_count") == 1
