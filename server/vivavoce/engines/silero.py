"""Is there speech in these 32 ms? Silero's voice detector over any number of listeners in one call.

A listener's state is a value: it goes in with the frame and comes out changed. Blocking and quick (0.1 ms a frame),
without clock or thread; what the probabilities mean is decided in `recognition/speech_detector.py`. Source of the model
and of how it is called: snakers4/silero-vad, utils_vad.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vivavoce.audio.chunk import Samples
from vivavoce.engines.vendored import SILERO, SILERO_OVER_TIME
from vivavoce.onnx_session import Signature, open_session

SAMPLE_RATE = 16_000
FRAME = 512  # samples: 32 ms
_CONTEXT = 64  # samples of the frame before that the model sees again
_AT_REST, _REST_FRAMES = 1e-3, 128  # so many frames of zeros that move what the model gives out less than this
_SIGNATURE = Signature(inputs=("input", "state", "sr"), outputs=("output", "stateN"))
_OVER_TIME = Signature(inputs=("sound", "memory"), outputs=("probabilities", "memory after"))


@dataclass(frozen=True, slots=True, eq=False)
class SileroState:
    """What the model remembers of one listener.

    Attributes:
        memory: float32 [2, 128], of its recurrent layer.
        context: float32 [64], the end of the last frame.
        resting: probability of each further frame of zeros, once they change nothing any more.
    """

    memory: NDArray[np.float32]
    context: Samples
    resting: float | None = None


SILENCE = SileroState(np.zeros((2, 128), np.float32), np.zeros(_CONTEXT, np.float32))  # where everybody begins


class SileroDetector:
    """The model, loaded; shared by all listeners and threads.

    Attributes:
        start: what it remembers where everybody begins.
        over_time: the graph that hears many frames of one listener in a call.
    """

    start = SILENCE

    def __init__(self) -> None:
        self._session = open_session(SILERO, signature=_SIGNATURE)
        self.over_time = open_session(SILERO_OVER_TIME, signature=_OVER_TIME)

    def step(
        self, states: Sequence[SileroState], frames: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], list[SileroState]]:
        """One frame of each listener.

        Args:
            states: of each.
            frames: float32 [listeners, 512].

        Returns:
            Probabilities of speech, float32 [listeners], and the new states.
        """
        if frames.shape != (len(states), FRAME):
            raise ValueError(f"expected frames of shape ({len(states)}, {FRAME}), got {frames.shape}")
        contexts = np.stack([state.context for state in states])
        probabilities, memories = self._session.run(
            ["output", "stateN"],
            {
                "input": np.concatenate([contexts, frames], axis=1, dtype=np.float32),
                "state": np.stack([state.memory for state in states], axis=1),  # float32 [2, listeners, 128]
                "sr": np.array(SAMPLE_RATE, np.int64),
            },
        )
        ends = frames[:, -_CONTEXT:].astype(np.float32)  # a copy: the caller may use its buffer again
        after = [SileroState(memories[:, i], ends[i]) for i in range(len(states))]
        return probabilities[:, 0], after

    def hear(self, state: SileroState, frames: NDArray[np.float32]) -> tuple[list[float], SileroState]:
        """Several frames of one listener: float32 [n, 512], n at least 1, to n probabilities and the new state.

        Less than half the time of as many steps; digital silence takes none, once the memory has come to rest.
        """
        is_silent = not frames.any() and not state.context.any()
        if is_silent and state.resting is not None:
            return [state.resting] * len(frames), state
        ends = frames[:, -_CONTEXT:]
        contexts = np.concatenate([state.context[None], ends[:-1]])
        sound = np.concatenate([contexts, frames], axis=1, dtype=np.float32)
        probabilities, memory = self.over_time.run(None, {"sound": sound, "memory": state.memory})
        moved = float(np.abs(memory[0] - state.memory[0]).max())
        rests = is_silent and len(frames) >= _REST_FRAMES and moved < _AT_REST
        found = [float(probability) for probability in probabilities]
        return found, SileroState(memory, ends[-1].astype(np.float32), found[-1] if rests else None)
