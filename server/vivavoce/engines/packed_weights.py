"""Saves graphs so that they load at once and share their weights.

ONNX Runtime rearranges the matrices of a graph before it can run. It can save the rearranged ones, but then once for
every graph. Here the graphs of a model get one file that holds every matrix once. What they run on is that file,
mapped: the same memory for all graphs and all processes, where it would be a copy each. Called where a model is
prepared; it knows nothing of speech.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import onnxruntime as ort

from vivavoce.onnx_session import session_options

_ALIGNMENT = 4096  # a page: what is mapped should begin on one
_PREPACKED = "prepacked_0"


def save_sharing_weights(models: Mapping[str, onnx.ModelProto], folder: Path, data_name: str) -> None:
    """Write `<name>.onnx` for each model and one file of weights for all of them.

    Args:
        models: name -> model with its weights inside; weights of the same name and shape in two models are the same.
        folder: exists.
        data_name: file name of the shared weights.
    """
    shared = _SharedFile(folder / data_name)
    with shared:
        for name, model in models.items():
            with tempfile.TemporaryDirectory(dir=folder) as temporary:
                saved = _optimized(model, Path(temporary))
                for tensor in saved.graph.initializer:
                    shared.take(tensor, Path(temporary))
                onnx.save(saved, folder / f"{name}.onnx")


def _optimized(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """The model as ONNX Runtime would run it, its weights in `folder`, plain and rearranged."""
    settings = {
        "session.optimized_model_external_initializers_file_name": "weights",
        "session.optimized_model_external_initializers_min_size_in_bytes": "1024",
        "session.save_external_prepacked_constant_initializers": "1",
    }
    options = session_options(threads=1, optimization="all", settings=settings)
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "optimized.onnx", load_external_data=False)


class _SharedFile:
    """One file of weights under construction; what is in it already is not written again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offsets: dict[str, int] = {}  # what a tensor is -> where it lies

    def __enter__(self) -> _SharedFile:
        self._out = self._path.open("wb")
        return self

    def __exit__(self, *error: object) -> None:
        self._out.close()

    def take(self, tensor: onnx.TensorProto, folder: Path) -> None:
        """Move a tensor's numbers here, in both arrangements where there are two, and point it at them.

        The plain matrix is needed at load: ONNX Runtime rearranges it once more and, finding that it has the result
        already, maps that and drops both the copy and the plain one.
        """
        entries = {entry.key: entry.value for entry in tensor.external_data}
        if not entries:
            return
        source, length = folder / entries["location"], int(entries["length"])
        start = self._place(f"{tensor.name} {list(tensor.dims)}", source, int(entries["offset"]), length)
        _point(tensor, {"location": self._path.name, "offset": str(start), "length": str(length)})
        if _PREPACKED in entries:
            identity, place = entries[_PREPACKED].split("|")
            offset, length, flags = (int(number) for number in place.split(";"))
            start = self._place(identity, source, offset, length)
            _point(tensor, {_PREPACKED: f"{identity}|{start};{length};{flags}"})

    def _place(self, identity: str, source: Path, offset: int, length: int) -> int:
        if identity not in self._offsets:
            start = -(-self._out.tell() // _ALIGNMENT) * _ALIGNMENT
            self._out.seek(start)
            with source.open("rb") as numbers:
                numbers.seek(offset)
                self._out.write(numbers.read(length))
            self._offsets[identity] = start
        return self._offsets[identity]


def _point(tensor: onnx.TensorProto, entries: Mapping[str, str]) -> None:
    if "location" in entries:
        del tensor.external_data[:]
    for key, value in entries.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
