"""The weights of a Genie voice, by name, out of its half-precision files.

Every tensor of a Genie graph says at which byte of an fp32 file its data begins. That file does not exist: offset and
length are those of fp32, the file beside the graph holds the same numbers as fp16 (or, for `t2s_encoder`, as true
fp32). The location a graph names is not trusted. This module knows nothing of what the weights are for; the graph
builders (`text_to_semantic_graphs.py`, the front and decoder graphs) read them while a voice is compiled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from vivavoce.errors import VoicePackError

Array = NDArray[np.float32]

_FP32_BYTES = 4
_PRECISIONS: dict[int, str] = {2: "<f2", 4: "<f4"}


class PackWeights(Mapping[str, Array]):
    """Tensors of one graph, cast to float32 one at a time as they are asked for.

    The file is mapped, so nothing is read before it is needed and nothing is held twice.

    Args:
        graph: the `.onnx` file; constants it holds itself are left there.
        blob: the `.bin` file with the numbers, fp16 or fp32, told apart by its length.

    Raises:
        VoicePackError: If the graph cannot be read or the two files do not belong together.
    """

    def __init__(self, graph: Path, blob: Path) -> None:
        self.model = read_graph(graph)
        outside = _outside(self.model)
        self._places = {tensor.name: _place(tensor, graph) for tensor in outside}
        self._shapes = {tensor.name: tuple(tensor.dims) for tensor in outside}
        self._numbers = _map(blob, max((start + count for start, count in self._places.values()), default=1))

    def __getitem__(self, name: str) -> Array:
        start, count = self._places[name]
        return self._numbers[start : start + count].astype(np.float32).reshape(self._shapes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def read_graph(path: Path) -> onnx.ModelProto:
    """A graph without its weights.

    Raises:
        VoicePackError: If it is missing or not an ONNX graph.
    """
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises its own DecodeError, which the onnx package does not export
        raise VoicePackError(f"'{path.name}' cannot be read as an ONNX graph: {error}") from error


def with_weights(weights: PackWeights) -> onnx.ModelProto:
    """The graph of `weights` with its numbers inside, as float32; for graphs used as they came.

    Returns:
        The same `ModelProto` object, changed in place.
    """
    for tensor in _outside(weights.model):
        tensor.raw_data = weights[tensor.name].tobytes()
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return weights.model


def _outside(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Tensors whose numbers are not in the graph."""
    return [tensor for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]


def _place(tensor: onnx.TensorProto, graph: Path) -> tuple[int, int]:
    """First number and count of numbers, from the fp32 bytes a tensor names."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    try:
        offset, length = int(entries["offset"]), int(entries["length"])
    except (KeyError, ValueError) as error:
        raise VoicePackError(f"'{graph.name}': tensor '{tensor.name}' does not say where its numbers are") from error
    if offset < 0 or length != _FP32_BYTES * int(np.prod(tensor.dims)) or offset % _FP32_BYTES:
        raise VoicePackError(f"'{graph.name}': tensor '{tensor.name}' has a place that does not fit its shape")
    return offset // _FP32_BYTES, length // _FP32_BYTES


def _map(blob: Path, count: int) -> NDArray[np.floating[Any]]:
    """The numbers of a weight file, mapped; its length must be exactly `count` numbers of two or of four bytes."""
    try:
        size = blob.stat().st_size
    except OSError as error:
        raise VoicePackError(f"'{blob.name}' is missing") from error
    precision = _PRECISIONS.get(size // count) if size % count == 0 else None
    if precision is None:
        raise VoicePackError(f"'{blob.name}' has {size} bytes; {2 * count} are expected")
    return np.memmap(blob, dtype=np.dtype(precision), mode="r")
