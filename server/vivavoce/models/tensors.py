"""Opens the weights of a model as its authors publish them, without torch: safetensors, or torch's zip of pickles.

A tensor is read when it is asked for, out of the mapped file. Pickles go through the restricted reader, which knows
how a tensor is rebuilt and nothing else; still this is for the command that pulls, never for the server.
Source of the layouts: huggingface/safetensors, README; pytorch, torch/serialization.py and torch/_utils.py.
"""

from __future__ import annotations

import json
import mmap
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import ModelPackError
from vivavoce.safe_pickle import ObjectRules, UnsafePickle, read_pickle

MAX_HEADER_BYTES = 64 << 20
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
SINGLE = ("model.safetensors", "pytorch_model.bin")

# The name of a kind of number -> how numpy reads it; bfloat16 is the upper half of a float32.
_SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "bf16"}
_TORCH = {"DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "BFloat16Storage": "bf16"}


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """An array inside a file that is mapped, not read.

    Attributes:
        shape: of the array.
        kind: numpy's name of its numbers, or "bf16".
        data: mapped bytes, from its first number on.
        strides: in numbers; None where it is contiguous.
    """

    shape: tuple[int, ...]
    kind: str
    data: memoryview
    strides: tuple[int, ...] | None = None

    def read(self) -> NDArray[np.floating[Any]]:
        """The array; of bfloat16 as float32."""
        dtype = np.dtype("<u2" if self.kind == "bf16" else self.kind)
        strides = None if self.strides is None else tuple(step * dtype.itemsize for step in self.strides)
        array: NDArray[Any] = np.ndarray(self.shape, dtype, self.data, strides=strides)
        if self.kind == "bf16":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array


def open_tensors(folder: Path) -> Mapping[str, Tensor]:
    """The tensors of a model by name, in one file or several.

    Raises:
        ModelPackError: If there are none, or the files are damaged or hold more than tensors.
    """
    for name in INDEXES:
        if (folder / name).is_file():
            parts = sorted(set(_weight_map(folder / name).values()))
            tensors: dict[str, Tensor] = {}
            for part in parts:
                tensors |= _open(folder / part)
            return tensors
    for name in SINGLE:
        if (folder / name).is_file():
            return _open(folder / name)
    raise ModelPackError(f"'{folder.name}' holds neither {SINGLE[0]} nor {SINGLE[1]}")


def _weight_map(path: Path) -> Mapping[str, str]:
    try:
        found = json.loads(path.read_text())["weight_map"]
        parts = {str(tensor): str(part) for tensor, part in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelPackError(f"{path.name} is damaged") from error
    if any("/" in part or "\\" in part or part.startswith(".") for part in parts.values()):
        raise ModelPackError(f"{path.name} names files outside its folder")
    return parts


def _open(path: Path) -> dict[str, Tensor]:
    try:
        with path.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return _safetensors(data) if path.suffix == ".safetensors" else _torch_zip(path, data)
    except UnsafePickle as error:
        raise ModelPackError(error.message) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, struct.error, zipfile.BadZipFile) as error:
        raise ModelPackError(f"{path.name} is damaged, or no file of tensors ({type(error).__name__})") from error


def _safetensors(data: memoryview) -> dict[str, Tensor]:
    """A length, a JSON object that says where each tensor begins and ends, and then their bytes."""
    length = struct.unpack_from("<Q", data)[0]
    if length > MAX_HEADER_BYTES:
        raise ValueError("its header is too long")
    header = json.loads(bytes(data[8 : 8 + length]))
    content = data[8 + length :]
    return {
        name: _tensor(entry["shape"], _SAFETENSORS[entry["dtype"]], content[slice(*entry["data_offsets"])])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] in _SAFETENSORS
    }


def _torch_zip(path: Path, data: memoryview) -> dict[str, Tensor]:
    """A zip without compression: `data.pkl` names the tensors, `data/KEY` holds the numbers of a storage."""
    with zipfile.ZipFile(path) as archive:
        index = next(name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1)
        root = index.removesuffix("data.pkl")
        if archive.getinfo(index).file_size > MAX_HEADER_BYTES:
            raise ValueError("its index is too long")
        storages = {
            entry.filename.removeprefix(f"{root}data/"): _stored(data, entry)
            for entry in archive.infolist()
            if entry.filename.startswith(f"{root}data/")
        }
        found = read_pickle(archive.read(index), _TorchObjects(storages))
    if not isinstance(found, dict):
        raise ValueError("it holds no dictionary")
    return {str(name): value for name, value in found.items() if isinstance(value, Tensor)}


def _stored(data: memoryview, entry: zipfile.ZipInfo) -> memoryview:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("its numbers are compressed")
    name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)  # of the local header, which may differ
    start = entry.header_offset + 30 + name + extra
    return data[start : start + entry.file_size]


class _TorchObjects(ObjectRules):
    """What a checkpoint of tensors is made of: storages by their key, tensors over them, ordered dictionaries."""

    def __init__(self, storages: Mapping[str, memoryview]) -> None:
        self._storages = storages

    def construct(self, name: str, arguments: tuple[Any, ...]) -> Any:
        match name:
            case "collections.OrderedDict" if not arguments:
                return {}
            case "torch._utils._rebuild_tensor_v2":
                (kind, content), offset, shape, strides = arguments[:4]
                size = np.dtype("<u2" if kind == "bf16" else kind).itemsize
                return _tensor(shape, kind, content[offset * size :], strides)
            case "torch._utils._rebuild_parameter":
                return arguments[0]
        raise UnsafePickle(f"it calls '{name[:80]}'")

    def persistent(self, identity: Any) -> Any:
        what, storage, key, _, _ = identity
        kind = _TORCH.get(str(storage).removeprefix("torch."))
        if what != "storage":
            raise UnsafePickle("it refers to something that is no storage")
        return kind or "<i8", self._storages[key] if kind else memoryview(b"")


def _tensor(shape: Sequence[int], kind: str, data: memoryview, strides: Sequence[int] | None = None) -> Tensor:
    """A tensor that lies inside its bytes.

    Raises:
        ValueError: If it does not.
    """
    sizes = tuple(int(size) for size in shape)
    steps = None if strides is None else tuple(int(step) for step in strides)
    if len(sizes) > 4 or min(sizes, default=0) < 0 or (steps and (min(steps) < 0 or len(steps) != len(sizes))):
        raise ValueError("a tensor has an impossible shape")
    numbers = 1 + sum((size - 1) * step for size, step in zip(sizes, steps or _contiguous(sizes), strict=True))
    width = 2 if kind == "bf16" else np.dtype(kind).itemsize
    if len(data) < (0 if 0 in sizes else numbers * width):
        raise ValueError("a tensor is longer than the file")
    return Tensor(sizes, kind, data, steps)


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    steps = [1]
    for size in reversed(shape[1:]):
        steps.append(steps[-1] * size)
    return tuple(reversed(steps))[: len(shape)] if shape else ()
