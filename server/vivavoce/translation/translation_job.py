"""Lines to translate among the workers: one a step. A `machine.job.Job`; its fields are guarded by the pool's lock."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Condition

from vivavoce.engines.translation import TranslationModel
from vivavoce.errors import VivaVoceError
from vivavoce.machine.job import Closeable
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM, Candidate


@dataclass(slots=True, eq=False)
class TranslationJob:
    """The lines of one recording among the workers, on their way into another language.

    Attributes:
        model: translates.
        lines: each short enough for a step.
        changed: the pool's lock.
        wake: told once, when all are done or one failed; called from worker threads.
        kind: of its steps, for the scheduler.
    """

    model: TranslationModel
    lines: Sequence[str]
    changed: Condition
    wake: Callable[[], None]
    kind: Hashable
    _done: list[str] = field(default_factory=list)
    _error: VivaVoceError | None = None

    def __post_init__(self) -> None:
        if not self.lines:
            self.wake()

    def result(self) -> list[str]:
        """All of them, translated.

        Raises:
            VivaVoceError: What ended it early.
        """
        with self.changed:
            if self._error is not None:
                raise self._error
            return self._done

    def candidate(self) -> Candidate | None:
        """See `Job`."""
        if self._error is not None or len(self._done) >= len(self.lines):
            return None
        return Candidate(id(self), ("translation", id(self)), 1, WHEN_THERE_IS_ROOM, live=False, kind=self.kind)

    def advance(self, group: Sequence[TranslationJob], threads: int) -> None:
        """See `Job`."""
        line = self.model.translate(self.lines[len(self._done)])
        with self.changed:
            self._done.append(line)
            over = len(self._done) >= len(self.lines)
        if over:
            self.wake()

    def fail(self, error: VivaVoceError) -> None:
        """See `Job`."""
        self._error = error
        self.wake()

    def detach(self) -> Closeable | None:
        """See `Job`."""
        return None
