"""The decoder as a graph of ONNX Runtime, for processors without the kernel: one hearing after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vivavoce.engines.whisper.decoder import Answer, Ask
from vivavoce.engines.whisper.graphs import step_graph
from vivavoce.engines.whisper.weights import Array, Weights
from vivavoce.onnx_session import SPIN_WHILE_RUNNING, open_session

_FAR_BELOW = np.float32(-1e9)


class GraphStep:
    """A `Decoder`.

    Args:
        weights: of the model.
        bits: 32, 8 or 7; see `graphs.Builder`.
        alignment: (layer, head) of the heads whose scores are told.
        threads: of the wide session.
    """

    def __init__(self, weights: Weights, bits: int, alignment: Sequence[tuple[int, int]], threads: int) -> None:
        self._shape = weights.shape
        model = step_graph(weights, bits, alignment).SerializeToString()
        self._narrow = open_session(model)
        self._wide = open_session(model, threads=threads, settings=SPIN_WHILE_RUNNING) if threads > 1 else self._narrow
        self._tokens = weights.matrix("decoder/embeddings/weight").astype(np.float16)
        self._positions = weights.matrix("decoder/position_encodings/encodings")
        self.memory_bytes = len(model) * (2 if threads > 1 else 1) + self._tokens.nbytes

    def run(self, asks: Sequence[Ask], threads: int) -> list[Answer]:
        return [self._one(ask, threads) for ask in asks]

    def _one(self, ask: Ask, threads: int) -> Answer:
        memory, count = ask.memory, len(ask.tokens)
        start, end = memory.length, memory.length + count
        if end > self._shape.text_positions:
            raise ValueError("the text has no place left")
        memory.make_room(count)
        session = self._wide if threads > 1 else self._narrow
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
