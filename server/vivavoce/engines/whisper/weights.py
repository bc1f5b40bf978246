"""Reads a folder in CTranslate2's form: `model.bin` with named arrays, `config.json` with the numbers of the model.

The file is mapped, nothing is copied before somebody asks for it. Whoever builds graphs or packs a kernel's weights
takes float32 matrices from here and does not care in which precision they were stored.
Source of the layout: OpenNMT/CTranslate2, python/ctranslate2/specs/model_spec.py.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import ModelUnavailable

Array = NDArray[np.float32]

MODEL_FILE = "model.bin"
CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"

_SPEC = "WhisperSpec"
_NEWEST_VERSION = 6
_TYPES = ("<f4", "<i1", "<i2", "<i4", "<f2", "<u2")  # by CTranslate2's number; the last one holds bfloat16
_BFLOAT16 = 5
_MOST_ARRAYS, _MOST_AXES = 20_000, 4


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of a model.

    Attributes:
        bins: mel bands it reads.
        width: of a position, in encoder and decoder.
        encoder_heads, decoder_heads: each of `width / heads`.
        encoder_layers, decoder_layers: blocks.
        inner: width of the feed-forward part.
        vocabulary: tokens.
        audio_positions: of the whole window of 30 s.
        text_positions: tokens a text may have, prompt included.
    """

    bins: int
    width: int
    encoder_heads: int
    decoder_heads: int
    encoder_layers: int
    decoder_layers: int
    inner: int
    vocabulary: int
    audio_positions: int
    text_positions: int

    @property
    def head(self) -> int:
        """Width of one of the decoder's heads."""
        return self.width // self.decoder_heads


class Weights:
    """The arrays of a model, by their names in CTranslate2's specification.

    Args:
        folder: holds `model.bin` and `config.json`.

    Attributes:
        arrays: name -> CTranslate2's number of the type, and the array as it is stored, mapped.
        config: of `config.json`.
        shape: the numbers of the model.

    Raises:
        ModelUnavailable: If the folder holds no whisper model, or a damaged one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            with (folder / MODEL_FILE).open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self.arrays = _read(self._data)
            self.config: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text())
            self.shape = self._shape()
        except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
            raise ModelUnavailable(f"'{folder.name}' is no whisper model in CTranslate2's form: {error}") from error

    def matrix(self, name: str) -> Array:
        """An array as float32, whatever it was stored in.

        Raises:
            ModelUnavailable: If the model has none of that name.
        """
        try:
            kind, raw = self.arrays[name]
        except KeyError:
            raise ModelUnavailable(f"the model lacks '{name}'") from None
        if kind == _BFLOAT16:
            return (raw.astype(np.uint32) << 16).view(np.float32)
        values: Array = raw.astype(np.float32)
        if f"{name}_scale" in self.arrays:
            scale = self.matrix(f"{name}_scale")
            values /= scale.reshape(-1, *[1] * (values.ndim - 1)) if scale.ndim else scale
        return values

    def linear(self, name: str) -> tuple[Array, Array]:
        """(weight [outputs, inputs], bias [outputs]) of a linear layer."""
        return self.matrix(f"{name}/weight"), self.matrix(f"{name}/bias")

    def digest(self) -> str:
        """16 hex digits of everything the model's answers depend on."""
        found = hashlib.sha256(self._data)
        for name in (CONFIG_FILE, TOKENIZER_FILE):
            path = self.folder / name
            found.update(path.read_bytes() if path.exists() else b"")
        return found.hexdigest()[:16]

    def _shape(self) -> Shape:
        def size(name: str) -> tuple[int, ...]:
            return self.arrays[name][1].shape

        def layers(side: str) -> int:
            return len(
                {name.split("/")[1] for name in self.arrays if name.startswith(f"{side}/layer_")} - {"layer_norm"}
            )

        vocabulary, width = size("decoder/embeddings/weight")
        shape = Shape(
            bins=size("encoder/conv1/weight")[1],
            width=width,
            encoder_heads=int(self.matrix("encoder/num_heads")),
            decoder_heads=int(self.matrix("decoder/num_heads")),
            encoder_layers=layers("encoder"),
            decoder_layers=layers("decoder"),
            inner=size("decoder/layer_0/ffn/linear_0/weight")[0],
            vocabulary=vocabulary,
            audio_positions=size("encoder/position_encodings/encodings")[0],
            text_positions=size("decoder/position_encodings/encodings")[0],
        )
        if shape.width % shape.decoder_heads or shape.width % shape.encoder_heads:
            raise ValueError("its width is no multiple of its heads")
        return shape


def _read(data: mmap.mmap) -> dict[str, tuple[int, NDArray[Any]]]:
    """Name -> (type, array over the mapped file)."""
    reader = _Reader(data)
    version, spec = reader.number("<I"), reader.text()
    if version > _NEWEST_VERSION or spec != _SPEC:
        raise ValueError(f"it is a '{spec[:40]}' of version {version}")
    reader.number("<I")  # revision of the specification
    count = reader.number("<I")
    if count > _MOST_ARRAYS:
        raise ValueError("it claims too many arrays")
    arrays = dict(reader.array() for _ in range(count))
    for _ in range(reader.number("<I")):
        alias, name = reader.text(), reader.text()
        arrays[alias] = arrays[name]
    return arrays


class _Reader:
    """Numbers and names of the file, one after the other; every length is held against what is left."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._place = data, 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._place)
        self._place += struct.calcsize(form)
        return int(value)

    def text(self) -> str:
        length = self.number("<H")
        found = bytes(self._data[self._place : self._place + length])
        self._place += length
        return found.rstrip(b"\0").decode()

    def array(self) -> tuple[str, tuple[int, NDArray[Any]]]:
        name = self.text()
        axes = self.number("<B")
        if axes > _MOST_AXES:
            raise ValueError(f"'{name[:80]}' has {axes} axes")
        shape = tuple(self.number("<I") for _ in range(axes))
        kind = self.number("<B")
        length = self.number("<I")
        dtype = np.dtype(_TYPES[kind])
        count = int(np.prod(shape, dtype=np.int64))
        if count * dtype.itemsize != length or self._place + length > len(self._data):
            raise ValueError(f"'{name[:80]}' is cut off")
        found = np.frombuffer(self._data, dtype, count, self._place).reshape(shape)
        self._place += length
        return name, (kind, found)
