"""Runs the encoder part by part: a window of any length becomes what the decoder looks at.

A short window is one step, a long one several, so that nobody waits for the whole of it. The graphs of `graphs.py` are
opened twice over the same mapped weights, for one thread and for all: a session of ONNX Runtime cannot change its
number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onnxruntime import InferenceSession

from vivavoce.audio.mel import Features
from vivavoce.engines.whisper.weights import Array
from vivavoce.onnx_session import open_session

# Names of inputs and outputs.
FEATURES, HIDDEN, NEXT, CROSS = "features", "hidden", "next", "cross"

# Parts times positions in one step: 4 s of sound through two layers, 5 to 7 ms for the base model; of a window of 20 s
# and more a step is one part. Whoever wants to speak waits for no longer.
STEP_POSITIONS = 1000


def encoder_parts(layers: int) -> list[str]:
    """Names of the graphs, in order."""
    return ["stem", *(f"{half}_{layer}" for layer in range(layers) for half in ("attention", "feed_forward"))]


class Encoding:
    """A window on its way through the parts.

    Args:
        features: float32 [bins, frames], frames even.
    """

    def __init__(self, features: Features) -> None:
        self.hidden: Array = features[None]
        self.positions = features.shape[1] // 2
        self.parts_done = 0


class Encoder:
    """The encoder of a model and what makes keys and values of its output.

    Args:
        folder: holds the graphs.
        layers: of the encoder.
        threads: of the wide sessions.
    """

    def __init__(self, folder: Path, layers: int, threads: int) -> None:
        paths = [folder / f"{name}.onnx" for name in (*encoder_parts(layers), CROSS)]
        self._narrow = [open_session(path, optimization="none", arena=False) for path in paths]
        self._wide = self._narrow
        if threads > 1:
            # They do not wait busily: where somebody else has a core, that took twice as long as one thread.
            self._wide = [open_session(path, threads=threads, optimization="none", arena=False) for path in paths]

    def advance(self, encoding: Encoding, threads: int) -> bool:
        """One step; True once `hidden` is the encoder's output, float32 [1, n, width]."""
        *parts, _ = self._sessions(threads)
        together = max(1, STEP_POSITIONS // max(1, encoding.positions))
        for session in parts[encoding.parts_done : encoding.parts_done + together]:
            name = FEATURES if encoding.parts_done == 0 else HIDDEN
            (encoding.hidden,) = session.run([NEXT], {name: encoding.hidden})
            encoding.parts_done += 1
        return encoding.parts_done == len(parts)

    def whole(self, features: Features, threads: int) -> Array:
        """All steps at once: float32 [1, n, width]."""
        encoding = Encoding(features)
        while not self.advance(encoding, threads):
            pass
        return encoding.hidden

    def cross(self, hidden: Array, threads: int) -> Array:
        """Keys and values of cross-attention: [1, n, width] -> [layers, 2, heads, n, head]."""
        (found,) = self._sessions(threads)[-1].run([CROSS], {HIDDEN: hidden})
        keys_and_values: Array = found
        return keys_and_values

    def _sessions(self, threads: int) -> Sequence[InferenceSession]:
        return self._wide if threads > 1 else self._narrow
