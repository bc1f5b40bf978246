"""The books of one utterance: what it has taken of the cores, and what sound came of it.

Called by `speech_job.py`, which guards them with the lock of the pool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spent:
    """What an utterance, or a sentence of it, has taken and given.

    Attributes:
        core_s: core seconds of compute.
        sound_s: seconds of audio made.
        stages: core seconds by the stage of the engine they went into.
    """

    core_s: float = 0.0
    sound_s: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)


class Costs:
    """What was spent so far, by stage and by sentence."""

    def __init__(self) -> None:
        self._core_s = 0.0  # of sentences that are over
        self._stages: defaultdict[str, float] = defaultdict(float)
        self._new: list[Spent] = []  # of sentences that have ended, not told yet

    def add_stage(self, stage: str, core_s: float) -> None:
        """A step of that stage is done."""
        self._stages[stage] += core_s

    def end_sentence(self, spent: Spent) -> None:
        """A sentence was made to its end."""
        self._core_s += spent.core_s
        self._new.append(spent)

    def drop_sentence(self, core_s: float) -> None:
        """A sentence was left off: its compute was spent all the same."""
        self._core_s += core_s

    def take_new(self) -> list[Spent]:
        """Of each sentence that has ended since this was called last."""
        new, self._new = self._new, []
        return new

    def total(self, open_core_s: float, sound_s: float) -> Spent:
        """What was spent on the whole utterance.

        Args:
            open_core_s: core seconds of the sentence that is being made.
            sound_s: seconds of audio made so far.
        """
        return Spent(self._core_s + open_core_s, sound_s, dict(self._stages))
