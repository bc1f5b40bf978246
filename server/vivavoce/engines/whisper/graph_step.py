"""The decoder as a graph of ONNX Runtime: one hearing after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vivavoce.engines.whisper.decoder import Answer, Ask
from vivavoce.engines.whisper.weights import Array, Shape
from vivavoce.onnx_session import open_session

STEP = "step"  # the graph
EMBEDDINGS_FILE, POSITIONS_FILE = "embeddings.npy", "positions.npy"
WIDE_FROM = 800  # places of a window from which a second thread gives more than its waking costs
_FAR_BELOW = np.float32(-1e9)


class GraphStep:
    """A `Decoder` that runs an ONNX graph.

    Args:
        folder: holds the graph and the embeddings.
        shape: of the model.
        threads: of the wide session.
    """

    def __init__(self, folder: Path, shape: Shape, threads: int) -> None:
        self._shape = shape
        path = folder / f"{STEP}.onnx"
        self._narrow = self._wide = open_session(path, optimization="none", arena=False)
        if threads > 1:
            self._wide = open_session(path, threads=threads, optimization="none", arena=False)
        self._tokens = np.load(folder / EMBEDDINGS_FILE, mmap_mode="r")  # float16 [vocabulary, width]
        self._positions = np.load(folder / POSITIONS_FILE)  # float32 [text positions, width]

    def run(self, asks: Sequence[Ask], threads: int) -> list[Answer]:
        return [self._one(ask, threads) for ask in asks]

    def _one(self, ask: Ask, threads: int) -> Answer:
        memory, count = ask.memory, len(ask.tokens)
        start, end = memory.length, memory.length + count
        if end > self._shape.text_positions:
            raise ValueError("the text has no place left")
        memory.make_room(count)
        session = self._wide if threads > 1 and memory.cross.shape[3] >= WIDE_FROM else self._narrow
        logits, present, scores = session.run(
            ["logits", "present", "scores"],
            {
                "embedded": (self._tokens[list(ask.tokens)] + self._positions[start:end])[None],
                "mask": _mask(start, count),
                "past": memory.past[:, :, :, :start],
                "cross": memory.cross,
                "cross_bias": memory.bias,
                "wanted": np.array([place % count for place in ask.wanted]),
            },
        )
        memory.past[:, :, :, start:end] = present[:, :, :, start:]
        memory.length = end
        return Answer(logits, scores[:, -1, : memory.sound])


def _mask(start: int, count: int) -> Array:
    """A token looks at those before it and itself: float32 [count, start + count]."""
    ahead = np.triu(np.full((count, count), _FAR_BELOW), 1)
    return np.concatenate([np.zeros((count, start), np.float32), ahead], axis=1)
