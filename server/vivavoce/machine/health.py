"""Which models work: one that fails again and again is tried alone, and counts as broken only where that fails, too.

A failure by itself says little: it may be the fault of what was asked. So whoever sends three requests that break the
engine takes a voice from nobody; only a trial of our own decides. A broken one is tried again, less and less often, and
is well with the first trial that succeeds. Pure: times come in; keys are whatever names a model. `trials.py` makes
the trials.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from vivavoce.errors import EngineTimeout, VivaVoceError

SUSPECT_AFTER: Final = 3  # failures, one after the other
FIRST_AGAIN_S: Final = 1.0
LAST_AGAIN_S: Final = 60.0  # a step that hangs leaves a thread behind: no more of them than one a minute


@dataclass(slots=True)
class _Record:
    """What is known of one model.

    Attributes:
        failures: since it last worked.
        error: of the last trial, where that failed: it is broken.
        try_at_s: when it is to be tried; None: it is not, or is being tried.
        again_s: until the next trial, where that fails.
    """

    failures: int = 0
    error: VivaVoceError | None = None
    try_at_s: float | None = None
    again_s: float = FIRST_AGAIN_S


class Health:
    """Of all models of one kind. Changed on the event loop, read from anywhere."""

    def __init__(self) -> None:
        self._records: dict[Hashable, _Record] = {}  # of models that were used or tried

    def problem(self, key: Hashable) -> VivaVoceError | None:
        """Why it does not work; None where it does, as far as is known."""
        record = self._records.get(key)
        return None if record is None else record.error

    def is_known(self, key: Hashable) -> bool:
        """Whether it has worked or failed before."""
        return key in self._records

    def worked(self, key: Hashable) -> None:
        """It did what was asked."""
        self._records[key] = _Record()

    def failed(self, key: Hashable, now_s: float) -> None:
        """It did not."""
        record = self._records.setdefault(key, _Record())
        record.failures += 1
        if record.failures == SUSPECT_AFTER and record.error is None:
            record.try_at_s = now_s

    def suspect(self, key: Hashable, now_s: float) -> None:
        """Try it, whatever is known of it."""
        self._records.setdefault(key, _Record()).try_at_s = now_s

    def due(self, now_s: float) -> list[Hashable]:
        """What is to be tried now; each is told once, until `tried`."""
        found = [key for key, each in self._records.items() if each.try_at_s is not None and each.try_at_s <= now_s]
        for key in found:
            self._records[key].try_at_s = None
        return found

    def tried(self, key: Hashable, error: VivaVoceError | None, now_s: float) -> None:
        """How a trial ended."""
        if error is None:
            self.worked(key)
            return
        record = self._records.setdefault(key, _Record())
        if isinstance(error, EngineTimeout):
            record.again_s = LAST_AGAIN_S
        record.error, record.try_at_s = error, now_s + record.again_s
        record.again_s = min(2 * record.again_s, LAST_AGAIN_S)

    def forget(self, key: Hashable) -> None:
        """It has gone, or was replaced."""
        self._records.pop(key, None)
