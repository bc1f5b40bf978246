"""Prepares a model: its graphs with rounded weights, its embeddings and its silent tail, in one folder.

Brings the package `onnx` and the embedded voice; `loaded_model.py` calls it for what the cache does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vivavoce.audio.chunk import Samples
from vivavoce.engines.packed_weights import save_sharing_weights
from vivavoce.engines.whisper.encoder import CROSS, Encoder
from vivavoce.engines.whisper.graph_step import EMBEDDINGS_FILE, POSITIONS_FILE, STEP
from vivavoce.engines.whisper.graphs import cross_graph, encoder_graphs, step_graph
from vivavoce.engines.whisper.silent_tail import save_silent_tail
from vivavoce.engines.whisper.weights import Weights

BITS = 7  # of the weights of linear layers: the same words on every processor, see `graphs.Builder`


def build_model(
    weights: Weights,
    alignment: Sequence[tuple[int, int]],
    speech: Callable[[], Sequence[Samples]],
    threads: int,
    folder: Path,
) -> None:
    """Fill the folder: half a second for the graphs of the base model, and a few windows of 30 s for the tail.

    Args:
        weights: of the model.
        alignment: (layer, head) of the heads that tell when a word is said.
        speech: makes short sentences, for the silent tail.
        threads: to compute the tail with.
        folder: empty.
    """
    models = encoder_graphs(weights, BITS)
    models[CROSS] = cross_graph(weights, BITS)
    models[STEP] = step_graph(weights, BITS, alignment)
    save_sharing_weights(models, folder, "weights.data")
    np.save(folder / EMBEDDINGS_FILE, weights.matrix("decoder/embeddings/weight").astype(np.float16))
    np.save(folder / POSITIONS_FILE, weights.matrix("decoder/position_encodings/encodings"))
    encoder = Encoder(folder, weights.shape.encoder_layers, threads)
    save_silent_tail(encoder, weights.shape, speech(), folder, threads)
