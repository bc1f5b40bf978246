"""A detector for which loud is speech; it remembers how many frames it has seen, to show that a state comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Loudness:
    """A `VoiceActivity`."""

    start = 0

    def step(self, states: Sequence[Any], frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[Any]]:
        return np.where(np.abs(frames).max(axis=1) > 0.05, 0.9, 0.1).astype(np.float32), [state + 1 for state in states]

    def hear(self, state: Any, frames: NDArray[np.float32]) -> tuple[list[float], Any]:
        probabilities, _ = self.step([state] * len(frames), frames)
        return [float(each) for each in probabilities], state + len(frames)
