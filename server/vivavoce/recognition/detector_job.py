"""Finds speech in the sound of one speaker: a fraction of a millisecond for every 32 ms, of all speakers in one call.

A `machine.job.Job`. The event loop feeds it and takes probabilities; its fields are guarded by the pool's lock.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.machine.job import Closeable
from vivavoce.machine.scheduler import WHEN_THERE_IS_ROOM, Candidate, detector_deadline
from vivavoce.recognition.speech_detector import FRAME, SAMPLE_RATE

LISTENERS_AT_ONCE = 32
FRAMES_AT_ONCE = 8  # of one listener who is behind: 1 ms
FRAMES_OF_A_FILE = 256  # 8 ms, of 8 s of sound


class VoiceActivity(Protocol):
    """A model that tells speech from noise; what it remembers of a listener is a value."""

    @property
    def start(self) -> Any:
        """What it remembers where everybody begins."""
        ...

    def step(self, states: Sequence[Any], frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[Any]]:
        """The next frame of several listeners, float32 [listeners, 512]: probabilities 0..1, and what it remembers."""
        ...

    def hear(self, state: Any, frames: NDArray[np.float32]) -> tuple[Sequence[float], Any]:
        """Several frames of one, float32 [n, 512], n at least 1, in less time than as many steps."""
        ...


@dataclass(slots=True, eq=False)
class DetectorJob:
    """Speech detection for one listener: a job that is stepped together with those of all others.

    Attributes:
        activity: the model.
        changed: the pool's lock.
        wake: tells the listener's owner that there are probabilities; called from worker threads.
        live: False for a recording, which has time.
    """

    activity: VoiceActivity
    changed: Condition
    wake: Callable[[], None]
    live: bool = True
    _state: Any = None
    _frames: deque[tuple[Samples, float]] = field(default_factory=deque)  # float32 [512], when it came
    _rest: list[Samples] = field(default_factory=list)  # less than a frame; the event loop's
    _rest_count: int = 0
    _found: list[float] = field(default_factory=list)
    _error: VivaVoceError | None = None
    _core_s: float = 0.0  # spent and not told
    _looked: int = 0  # frames that took it

    # -- for the event loop

    def feed(self, samples: Samples) -> None:
        """More sound: float32 [n], 16 kHz."""
        self._rest.append(samples)
        self._rest_count += len(samples)
        if self._rest_count < FRAME:
            return
        sound = np.concatenate(self._rest)
        whole = len(sound) // FRAME
        self._rest, self._rest_count = [sound[whole * FRAME :]], len(sound) - whole * FRAME
        now_s = time.monotonic()
        with self.changed:
            self._frames.extend((sound[i * FRAME : (i + 1) * FRAME], now_s) for i in range(whole))
            self.changed.notify_all()

    def waiting(self) -> int:
        """Frames that were not looked at yet."""
        with self.changed:
            return len(self._frames)

    def take(self) -> list[float]:
        """Probabilities since it was asked last.

        Raises:
            VivaVoceError: What ended it early.
        """
        with self.changed:
            if self._error is not None:
                raise self._error
            found, self._found = self._found, []
            return found

    def take_cost(self) -> tuple[float, float]:
        """Core seconds spent since it was asked last, and the seconds of sound that they went into."""
        with self.changed:
            spent = self._core_s, self._looked * FRAME / SAMPLE_RATE
            self._core_s, self._looked = 0.0, 0
            return spent

    # -- for the pool

    def candidate(self) -> Candidate | None:
        """See `Job`."""
        if not self._frames or self._error is not None:
            return None
        return Candidate(
            id=id(self),
            group=("detector", id(self.activity), self.live),
            max_batch=LISTENERS_AT_ONCE if self.live else 1,
            deadline_s=detector_deadline(self._frames[0][1]) if self.live else WHEN_THERE_IS_ROOM,
            live=self.live,
            kind=("detector", self.live),
        )

    def advance(self, group: Sequence[DetectorJob], threads: int) -> None:
        """See `Job`."""
        most = FRAMES_AT_ONCE if self.live else FRAMES_OF_A_FILE
        with self.changed:
            taken = [[job._frames.popleft()[0] for _ in range(min(most, len(job._frames)))] for job in group]
        begun_s = time.monotonic()
        alone = len(group) == 1 and len(taken[0]) > 1
        found = [self._hear(taken[0])] if alone else self._step(group, taken)
        share_s = (time.monotonic() - begun_s) / len(group)
        with self.changed:
            for job, probabilities_of in zip(group, found, strict=True):
                job._found += probabilities_of
                job._core_s, job._looked = job._core_s + share_s, job._looked + len(probabilities_of)
        for job in group:
            job.wake()

    def _hear(self, frames: Sequence[Samples]) -> list[float]:
        """What one listener has: a file, or somebody who is behind while nobody else is."""
        state = self.activity.start if self._state is None else self._state
        probabilities, self._state = self.activity.hear(state, np.stack(frames))
        return [*probabilities]

    def _step(self, group: Sequence[DetectorJob], taken: Sequence[Sequence[Samples]]) -> list[list[float]]:
        """What several have, frame by frame, in one call for all."""
        found: list[list[float]] = [[] for _ in group]
        for place in range(max(map(len, taken), default=0)):
            members = [i for i, frames in enumerate(taken) if place < len(frames)]
            states = [group[i].activity.start if group[i]._state is None else group[i]._state for i in members]
            probabilities, after = self.activity.step(states, np.stack([taken[i][place] for i in members]))
            for i, probability, state in zip(members, probabilities, after, strict=True):
                found[i].append(float(probability))
                group[i]._state = state
        return found

    def fail(self, error: VivaVoceError) -> None:
        """See `Job`."""
        self._error = error
        self.wake()

    def detach(self) -> Closeable | None:
        """See `Job`."""
        self._frames.clear()
        return None
