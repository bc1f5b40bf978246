"""Runs the encoder layer by layer: a window of any length becomes what the decoder looks at.

A short window is one step, a long one several, so that nobody waits for the whole of it. The graphs are opened twice,
for one thread and for all: a session of ONNX Runtime cannot change its number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnxruntime import InferenceSession

from vivavoce.audio.mel import Features
from vivavoce.engines.whisper.graphs import CROSS, FEATURES, HIDDEN, cross_graph, encoder_graphs
from vivavoce.engines.whisper.weights import Array, Weights
from vivavoce.onnx_session import SPIN_WHILE_RUNNING, open_session

# Layers times positions in one step: 4 s of sound through six layers, about 25 ms of a core for the base model; a
# window of 30 s takes one layer a step.
STEP_POSITIONS = 1536


class Encoding:
    """A window on its way through the layers.

    Args:
        features: float32 [bins, frames], frames even.
    """

    def __init__(self, features: Features) -> None:
        self.hidden: Array = features[None]
        self.layers_done = 0


class Encoder:
    """The encoder of a model and what makes keys and values of its output.

    Args:
        weights: of the model.
        bits: 32, 8 or 7; see `graphs.Builder`.
        threads: of the wide sessions.
    """

    def __init__(self, weights: Weights, bits: int, threads: int) -> None:
        self.layers = weights.shape.encoder_layers
        graphs = [model.SerializeToString() for model in _graphs(weights, bits)]
        self.memory_bytes = sum(map(len, graphs)) * (2 if threads > 1 else 1)
        self._narrow = [open_session(graph) for graph in graphs]
        self._wide = self._narrow
        if threads > 1:
            self._wide = [open_session(graph, threads=threads, settings=SPIN_WHILE_RUNNING) for graph in graphs]

    def advance(self, encoding: Encoding, threads: int) -> bool:
        """One step; True once `hidden` is the encoder's output, float32 [1, n, width]."""
        sessions = self._sessions(threads)
        frames = encoding.hidden.shape[2] // 2 if encoding.layers_done == 0 else encoding.hidden.shape[1]
        together = max(1, STEP_POSITIONS // frames)
        for layer in range(encoding.layers_done, min(encoding.layers_done + together, self.layers)):
            name = FEATURES if layer == 0 else HIDDEN
            (encoding.hidden,) = sessions[layer].run([f"next_{HIDDEN}"], {name: encoding.hidden})
            encoding.layers_done = layer + 1
        return encoding.layers_done == self.layers

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


def _graphs(weights: Weights, bits: int) -> list[onnx.ModelProto]:
    return [*encoder_graphs(weights, bits), cross_graph(weights, bits)]
