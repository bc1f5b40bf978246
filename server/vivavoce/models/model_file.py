"""Writes `model.bin` as CTranslate2 reads it: named arrays, one after the other, sorted by name.

Each array is made when its turn comes, so a model larger than memory is written with one array in it. Source of the
layout: OpenNMT/CTranslate2, python/ctranslate2/specs/model_spec.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

BINARY_VERSION = 6
SPEC, SPEC_REVISION = "WhisperSpec", 3
_TYPE_NUMBERS = {"<f4": 0, "|i1": 1, "<i2": 2, "<i4": 3, "<f2": 4}


@dataclass(frozen=True, slots=True)
class ArrayToWrite:
    """An array that is made late.

    Attributes:
        shape: what `make` will return.
        dtype: the same; little-endian.
        make: returns it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    make: Callable[[], NDArray[Any]]


def write_model(
    out: BinaryIO,
    arrays: Mapping[str, ArrayToWrite],
    aliases: Mapping[str, str],
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write a whisper model.

    Args:
        out: an empty file.
        arrays: by their names in the specification.
        aliases: further names of arrays.
        progress: told the fraction that is written, 0..1.
    """
    out.write(struct.pack("<I", BINARY_VERSION) + _text(SPEC) + struct.pack("<II", SPEC_REVISION, len(arrays)))
    for i, name in enumerate(sorted(arrays)):
        array = arrays[name]
        size = array.dtype.itemsize * int(np.prod(array.shape, dtype=np.int64))
        shape = struct.pack(f"<B{len(array.shape)}I", len(array.shape), *array.shape)
        out.write(_text(name) + shape + struct.pack("<BI", _TYPE_NUMBERS[array.dtype.str], size))
        values = array.make()
        if values.shape != array.shape or values.dtype != array.dtype:
            raise ValueError(f"'{name}' is {values.dtype}{values.shape}, announced was {array.dtype}{array.shape}")
        out.write(np.ascontiguousarray(values).data)
        if progress is not None:
            progress((i + 1) / len(arrays))
    out.write(struct.pack("<I", len(aliases)))
    for alias, name in aliases.items():
        out.write(_text(alias) + _text(name))


def _text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data
