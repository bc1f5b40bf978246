"""What the workers step: a stream that wants cores, whatever it makes of them.

An utterance is one, and so is somebody who is being listened to. All fields of a job are guarded by the lock of its
`worker.WorkerPool`; what takes time happens outside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from vivavoce.errors import VivaVoceError
from vivavoce.machine.scheduler import Candidate


class Closeable(Protocol):
    """What is freed by closing it, at any time, any number of times."""

    def close(self) -> None: ...


class Job(Protocol):
    """A stream that wants cores, one step at a time."""

    def candidate(self) -> Candidate | None:
        """Its place in the schedule; None: nothing to do, or its reader is behind. The lock is held."""
        ...

    def advance(self, group: Sequence[Any], threads: int) -> None:
        """One step of the whole group, which it is the first of. The lock is not held.

        Args:
            group: jobs whose candidates have equal groups, so all of its own class.
            threads: to compute with, the calling one included.

        Raises:
            VivaVoceError: If the step failed; each job of the group is told by `fail`.
        """
        ...

    def fail(self, error: VivaVoceError) -> None:
        """A step it took part in failed, or was given up. The lock is held."""
        ...

    def detach(self) -> Closeable | None:
        """It was removed and no worker steps it: let go of everything. The lock is held.

        Returns:
            What a worker then closes outside the lock.
        """
        ...
