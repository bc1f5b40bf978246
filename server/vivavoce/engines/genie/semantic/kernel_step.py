"""The decode step in C: one token further for any rows of the cache, weights in the 16 bits they were published in.

`pack_weights` writes a voice's matrices as the kernel reads them; `KernelStep` maps that file and calls
`kernels/decode_step.c`. Twice as fast as the graph of `text_to_semantic_graphs.step_graph` and in half the memory;
the logits differ as far as sums in another order do. `graph_step.py` is its stand-in where it cannot run.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vivavoce.engines.genie.kernels import library
from vivavoce.engines.genie.semantic.inputs import position_table
from vivavoce.engines.genie.semantic.key_value_cache import Holder, KeyValueCache
from vivavoce.engines.genie.shape import INNER, LAYERS, MAX_POSITIONS, VOCABULARY, WIDTH

Array = NDArray[np.float32]

PANEL = 16  # outputs side by side


def _matrix(outputs: int, inputs: int) -> tuple[str, tuple[int, int, int]]:
    return "<f2", (-(-outputs // PANEL), inputs, PANEL)


# `layer_weights` and `decoder_weights` of decode_step.h, and behind them what embeds a token.
_LAYER = np.dtype(
    [
        ("qkv", *_matrix(3 * WIDTH, WIDTH)), ("qkv_bias", "<f4", 3 * WIDTH),
        ("out", *_matrix(WIDTH, WIDTH)), ("out_bias", "<f4", WIDTH),
        ("norm1_weight", "<f4", WIDTH), ("norm1_shift", "<f4", WIDTH),
        ("up", *_matrix(INNER, WIDTH)), ("up_bias", "<f4", INNER),
        ("down", *_matrix(WIDTH, INNER)), ("down_bias", "<f4", WIDTH),
        ("norm2_weight", "<f4", WIDTH), ("norm2_shift", "<f4", WIDTH),
    ]
)  # fmt: skip
_KERNEL = np.dtype([("layers", _LAYER, LAYERS), ("predict", *_matrix(VOCABULARY, WIDTH))])
_FILE = np.dtype([("kernel", _KERNEL), ("tokens", "<f4", (VOCABULARY, WIDTH)), ("alpha", "<f4", 1)])

_NAMES = {  # ours -> the model's
    "qkv": "self_attn.in_proj_weight", "qkv_bias": "self_attn.in_proj_bias",
    "out": "self_attn.out_proj.weight", "out_bias": "self_attn.out_proj.bias",
    "norm1_weight": "norm1.weight", "norm1_shift": "norm1.bias",
    "up": "linear1.weight", "up_bias": "linear1.bias",
    "down": "linear2.weight", "down_bias": "linear2.bias",
    "norm2_weight": "norm2.weight", "norm2_shift": "norm2.bias",
}  # fmt: skip


class _Decoder(ctypes.Structure):
    """`decoder` of decode_step.h."""

    _fields_ = (
        ("weights", ctypes.c_void_p),
        ("keys", ctypes.c_void_p * LAYERS),
        ("values", ctypes.c_void_p * LAYERS),
        ("places", ctypes.c_int64),
    )


def step_kernel() -> ctypes.CDLL | None:
    """The library, if this processor can run the step in it and both sides agree on the weights."""
    found = library()
    if found is None or not found.decode_step_is_supported():
        return None
    found.decode_step_weights_bytes.restype = ctypes.c_int64
    return found if found.decode_step_weights_bytes() == _KERNEL.itemsize else None


def pack_weights(decoder: Mapping[str, Array], path: Path) -> None:
    """Write the file of a voice, 154 MB.

    Args:
        decoder: weights of `t2s_stage_decoder`.
        path: the file to be.

    Raises:
        ValueError: If a matrix does not fit into 16 bits; Genie's converter makes none such.
    """
    packed = np.memmap(path, _FILE, mode="w+", shape=1)
    record = packed[0]
    for layer in range(LAYERS):
        for ours, theirs in _NAMES.items():
            _fill(record["kernel"]["layers"][layer][ours], decoder[f"transformer_encoder.layers.{layer}.{theirs}"])
    _fill(record["kernel"]["predict"], decoder["ar_predict_layer.weight"])
    record["tokens"][:] = decoder["ar_audio_embedding.word_embeddings.weight"]
    record["alpha"][:] = decoder["ar_audio_position.alpha"].reshape(1)
    packed.flush()


def _fill(field: NDArray[np.floating], weight: Array) -> None:
    if field.ndim == 1:
        field[:] = weight
        return
    panels, inputs, width = field.shape
    halves = weight.astype(np.float16)
    if not np.array_equal(halves, weight):
        raise ValueError("a matrix of the voice is not made of 16-bit numbers")
    padded = np.zeros((panels * width, inputs), np.float16)
    padded[: len(weight)] = halves
    field[:] = padded.reshape(panels, width, inputs).transpose(0, 2, 1)


class KernelStep:
    """Decodes rows of a cache; see `graph_step.GraphStep`, whose place it takes.

    Args:
        kernel: from `step_kernel`.
        weights: a file of `pack_weights`.
        cache: the rows.
        threads: the most that a call is given.
    """

    def __init__(self, kernel: ctypes.CDLL, weights: Path, cache: KeyValueCache, threads: int) -> None:
        self._kernel, self._cache, self._threads = kernel, cache, threads
        self._file = np.memmap(weights, _FILE, mode="r", shape=1)
        record = self._file[0]
        self._tokens = record["tokens"]
        self._positions = record["alpha"] * position_table()
        keys, values = cache.arrays[0::2], cache.arrays[1::2]
        pointers = ctypes.c_void_p * LAYERS
        self._decoder = _Decoder(
            self._file.ctypes.data,
            pointers(*(array.ctypes.data for array in keys)),
            pointers(*(array.ctypes.data for array in values)),
            cache.places,
        )

    def run(
        self, holders: Sequence[Holder], tokens: Sequence[int], positions: Sequence[int], *, threads: int = 1
    ) -> Array:
        """One pass over the weights: each holder's token at its position; logits float32 [n, 1025].

        Raises:
            ValueError: If a token, a position or a row is out of range.
        """
        count = len(holders)
        if not (all(0 <= token < VOCABULARY for token in tokens) and all(0 <= p < MAX_POSITIONS for p in positions)):
            raise ValueError("a token or position is out of range")
        hidden = self._tokens[list(tokens)] + self._positions[list(positions)]  # float32 [n, 512]
        logits = np.empty((count, VOCABULARY), np.float32)
        numbers = ctypes.c_int32 * count
        rows = numbers(*(-1 if holder.row is None else holder.row for holder in holders))
        lengths = numbers(*(holder.length for holder in holders))
        self._cache.touch(holders)
        failed = self._kernel.decode_step(
            ctypes.byref(self._decoder), count, rows, lengths,
            ctypes.c_void_p(hidden.ctypes.data), ctypes.c_void_p(logits.ctypes.data),
            min(threads, self._threads),
        )  # fmt: skip
        if failed:
            raise ValueError("a row of the cache is out of range")
        return logits
