"""Asks the model of intonation whether somebody has finished: a job of one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Protocol

from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.machine.job import Closeable
from vivavoce.machine.scheduler import Candidate

DUE_S = 0.1  # after the soft end: it decides how long is waited


class Intonation(Protocol):
    """A model that tells a finished turn from a pause."""

    def finished(self, turns: Sequence[Samples]) -> list[float]:
        """How probably each speaker has finished, 0..1; sound of 16 kHz."""
        ...


@dataclass(slots=True, eq=False)
class JudgeJob:
    """One question. Its fields are guarded by the pool's lock."""

    intonation: Intonation
    sound: Samples
    wake: Callable[[], None]
    changed: Condition
    asked_s: float = field(default_factory=time.monotonic)
    _verdict: float | None = None
    _error: VivaVoceError | None = None

    def verdict(self) -> float:
        """The answer, once there is one.

        Raises:
            VivaVoceError: If there will be none.
        """
        with self.changed:
            if self._error is not None:
                raise self._error
            assert self._verdict is not None
            return self._verdict

    def candidate(self) -> Candidate | None:
        """See `Job`."""
        if self._verdict is not None or self._error is not None:
            return None
        return Candidate(id(self), ("intonation", id(self.intonation)), 4, self.asked_s + DUE_S, kind="intonation")

    def advance(self, group: Sequence[JudgeJob], threads: int) -> None:
        """See `Job`."""
        verdicts = self.intonation.finished([job.sound for job in group])
        with self.changed:
            for job, verdict in zip(group, verdicts, strict=True):
                job._verdict = verdict
        for job in group:
            job.wake()

    def fail(self, error: VivaVoceError) -> None:
        """See `Job`."""
        self._error = error
        self.wake()

    def detach(self) -> Closeable | None:
        """See `Job`."""
        return None
