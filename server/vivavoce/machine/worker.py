"""The only threads that compute: they step jobs, one group at a time, as the scheduler says.

Everything the threads share is behind one lock, the pool's and its jobs'; steps run outside it. A removed job stops
with the step it is in. What is dropped is closed by a worker, outside the lock, and never by whoever dropped it.
The services (`synthesis/`, `recognition/`) add jobs; the pool knows nothing of what they make.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from vivavoce.errors import EngineCrashed, EngineTimeout, VivaVoceError
from vivavoce.machine.job import Closeable, Job
from vivavoce.machine.scheduler import Candidate, Choice, Running, choose
from vivavoce.metrics import Metrics

logger = logging.getLogger(__name__)

# Of a core's work, what each further thread of a step adds: threads that wait for each other do less. Measured on two
# hardware threads of one core, Genie V2: 1.2 core seconds for a second of speech alone, 0.8 beside another listener.
FURTHER_THREAD = 0.3
# Of a worker's thread, above the process's own: where the cores are busy, the event loop, which carries everybody's
# sound in slices of a millisecond, and a newcomer's first step do not wait behind steps of fifty. Linux; elsewhere it
# would be the whole process.
NICER = 5
CLOSE_WITHIN_S = 2.0  # a step that takes longer is left behind at shutdown, in a thread that dies with the process
_EWMA = 0.2


def step_cores(threads: int) -> float:
    """What a second of a step counts as, in core seconds of a step that runs beside others with one thread."""
    return 1 + (threads - 1) * FURTHER_THREAD


@dataclass(slots=True, eq=False)
class _Entry:
    """A job of the pool, or one that was removed while a worker was in its step."""

    job: Job
    busy: bool = False
    removed_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """A step that a worker is in."""

    choice: Choice
    entries: list[_Entry]
    since_s: float
    beside: bool

    @property
    def running(self) -> Running:
        return Running(self.choice.group, self.choice.live, self.choice.threads, self.choice.due_s)


class WorkerPool:
    """The threads that step all jobs of this machine.

    Args:
        workers: steps at once, one a core; a thread more takes up what is due while all of them are ahead.
        step_timeout_s: a step that takes longer is given up; its thread is replaced.

    Attributes:
        changed: the lock of the pool and of all fields of its jobs. Whoever changes what a `candidate` says notifies.
        step_s: how long a step takes, smoothed, in seconds, by the kind of its job.
    """

    def __init__(self, *, workers: int, step_timeout_s: float, metrics: Metrics) -> None:
        self.changed: Final = threading.Condition()
        self._workers = workers
        self._step_timeout_s = step_timeout_s
        self._metrics = metrics
        self._entries: dict[int, _Entry] = {}  # by the identity of the job, in the order of their coming
        self._parked: dict[int, _Entry] = {}
        self._dropped: deque[Closeable] = deque()  # to be closed by whoever is free; as many as jobs were removed
        self._steps: dict[threading.Thread, _Step] = {}
        self.step_s: dict[Hashable, float] = {}
        self._closed = False
        self._spawned = 0
        self._threads: list[threading.Thread] = []
        for number in range(workers + 1):
            self._spawn(beside=number == workers)

    # -- for the event loop

    def __len__(self) -> int:
        """Jobs that may be stepped."""
        return len(self._entries)

    def add(self, job: Job) -> None:
        """Let it be scheduled, for the first time or again."""
        with self.changed:
            self._entries[id(job)] = self._parked.pop(id(job), _Entry(job))
            self.changed.notify_all()

    def park(self, job: Job) -> None:
        """Look away from a job that has nothing to do until it is added again, and leave it as it is."""
        with self.changed:
            entry = self._entries.pop(id(job), None)
            if entry is not None:
                self._parked[id(job)] = entry

    def remove(self, job: Job) -> None:
        """Let go of it: at once where no worker steps it, else after that step. Any number of times."""
        with self.changed:
            entry = self._entries.pop(id(job), self._parked.pop(id(job), None))
            if entry is None:
                return
            entry.removed_s = time.monotonic()
            if not entry.busy:
                self._drop(entry)

    def give_up_hung_steps(self) -> None:
        """Fail the jobs of steps that take too long and put fresh threads in the place of the stuck ones."""
        now_s = time.monotonic()
        with self.changed:
            for thread, step in list(self._steps.items()):
                if now_s - step.since_s <= self._step_timeout_s:
                    continue
                logger.error("a step took longer than %.0f s; its worker is replaced", self._step_timeout_s)
                del self._steps[thread]
                self._threads.remove(thread)
                for entry in step.entries:
                    entry.job.fail(EngineTimeout(f"the engine did not answer within {self._step_timeout_s:.0f} s"))
                self._spawn(beside=step.beside)

    def close(self, within_s: float = CLOSE_WITHIN_S) -> bool:
        """Stop all threads after the step they are in. Returns False where one did not end in time and is left."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
        end_s = time.monotonic() + within_s
        for thread in list(self._threads):
            thread.join(max(0.0, end_s - time.monotonic()))
        left = sum(thread.is_alive() for thread in self._threads)
        if left:
            logger.error("%d steps did not end within %.0f s and are left behind", left, within_s)
        return not left

    # -- the threads

    def _spawn(self, *, beside: bool) -> None:
        self._spawned += 1
        thread = threading.Thread(target=self._work, args=(beside,), name=f"worker-{self._spawned}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, beside: bool) -> None:
        me = threading.current_thread()
        if not beside:
            _give_way()
        while self._turn(me, beside):  # a call each: a worker that waits holds nothing of what it did last
            pass

    def _turn(self, me: threading.Thread, beside: bool) -> bool:
        """Wait for one thing to do, and do it; False where there is nothing more for this worker."""
        with self.changed:
            todo = self._next(beside)
            if isinstance(todo, _Step):
                self._steps[me] = todo
        if todo is None:
            return False
        if not isinstance(todo, _Step):
            _close(todo)
            return True
        failed: VivaVoceError | None = None
        try:
            failed = _advance(todo)
        finally:
            with self.changed:
                replaced = self._steps.pop(me, None) is None
                self._end_step(todo, failed, replaced=replaced)
        return not replaced

    def _next(self, beside: bool) -> _Step | Closeable | None:
        """Wait for work; None when the pool closes. Holds the lock, marks the jobs busy."""
        while True:
            if self._dropped:
                return self._dropped.popleft()
            if self._closed:
                return None
            now_s = time.monotonic()
            running = [step.running for step in self._steps.values()]
            choice = choose(
                self._candidates(), now_s, running, workers=self._workers, step_s=self.step_s, beside=beside
            )
            if choice.ids:
                entries = [self._entries[number] for number in choice.ids]
                for entry in entries:
                    entry.busy = True
                return _Step(choice, entries, now_s, beside)
            self.changed.wait(choice.wait_s)

    def _candidates(self) -> list[Candidate]:
        found = (entry.job.candidate() for entry in self._entries.values() if not entry.busy)
        return [candidate for candidate in found if candidate is not None]

    def _end_step(self, step: _Step, failed: VivaVoceError | None, *, replaced: bool) -> None:
        """Its jobs may be stepped again, or are dropped. Holds the lock."""
        if not replaced:
            self._note_length(step)
        for entry in step.entries:
            entry.busy = False
            if failed is not None and not replaced:
                entry.job.fail(failed)
            if replaced:  # it was told so before; nobody steps a stream again that a step may have left half done
                self._entries.pop(id(entry.job), None)
                entry.removed_s = entry.removed_s or time.monotonic()
            if entry.removed_s is not None:
                self._drop(entry)
        self.changed.notify_all()

    def _note_length(self, step: _Step) -> None:
        took_s = time.monotonic() - step.since_s
        old_s = self.step_s.get(step.choice.kind, took_s)
        self.step_s[step.choice.kind] = old_s + _EWMA * (took_s - old_s)

    def _drop(self, entry: _Entry) -> None:
        """Holds the lock."""
        left = entry.job.detach()
        if left is not None:
            self._dropped.append(left)
            self.changed.notify_all()
        assert entry.removed_s is not None
        self._metrics.cancel_latency.observe(max(0.0, time.monotonic() - entry.removed_s))


def _advance(step: _Step) -> VivaVoceError | None:
    """One step of the group; whatever goes wrong belongs to its jobs, never to the thread."""
    group = [entry.job for entry in step.entries]
    try:
        group[0].advance(group, step.choice.threads)
    except VivaVoceError as error:
        return error
    except Exception as error:
        # By its class and place: an exception's own words may hold what was to be spoken.
        where = " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(traceback.extract_tb(error.__traceback__)))
        logger.error("an engine failed in an unexpected way: %s", type(error).__name__, extra={"where": where})
        return EngineCrashed("the engine failed")
    return None


def _give_way() -> None:
    """Let this thread come behind those that only hand on, and the one for what is due."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICER)


def _close(left: Closeable) -> None:
    try:
        left.close()
    except Exception:
        logger.exception("what a removed job held could not be freed")
