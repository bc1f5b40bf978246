"""A folder in CTranslate2's form is read as it was written, and a damaged one is refused with a sentence."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import synthetic_whisper
from vivavoce.engines.whisper.weights import Weights
from vivavoce.errors import ModelUnavailable


def copied(tmp_path: Path, data: bytes) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(synthetic_whisper.folder(), folder)
    (folder / "model.bin").write_bytes(data)
    return folder


def original() -> bytes:
    return (synthetic_whisper.folder() / "model.bin").read_bytes()


def test_the_numbers_of_a_model() -> None:
    shape = Weights(synthetic_whisper.folder()).shape
    assert (shape.bins, shape.width, shape.inner, shape.head) == (80, 128, 256, 64)
    assert (shape.encoder_layers, shape.decoder_layers) == (2, 2)
    assert (shape.audio_positions, shape.text_positions) == (1500, 448)


def test_arrays_come_as_float32_whatever_they_were(tmp_path: Path) -> None:
    folder = copied(tmp_path, b"")
    whole = np.array([[1, -2], [3, 4]], np.float32)
    made: dict[str, NDArray[Any]] = {
        "single": whole,
        "half": whole.astype(np.float16),
        "rounded": np.array([[10, -20], [6, 8]], np.int8),
        "rounded_scale": np.array([10, 2], np.float32),
        "short": whole.astype(np.int16),
        "short_scale": np.array(2, np.float32),
    }
    arrays = {name: array for name, (_, array) in Weights(synthetic_whisper.folder()).arrays.items()}
    synthetic_whisper.write_model(folder / "model.bin", arrays | made, {"also": "half"})
    weights = Weights(folder)
    for name in ("single", "half", "rounded", "also"):
        np.testing.assert_array_equal(weights.matrix(name), whole)
        assert weights.matrix(name).dtype == np.float32
    np.testing.assert_array_equal(weights.matrix("short"), whole / 2)
    with pytest.raises(ModelUnavailable, match="lacks 'nothing'"):
        weights.matrix("nothing")


def test_the_digest_follows_the_content(tmp_path: Path) -> None:
    data = bytearray(original())
    data[-40] ^= 1  # in the last array
    folder = copied(tmp_path, bytes(data))
    assert Weights(folder).digest() != Weights(synthetic_whisper.folder()).digest()


@pytest.mark.parametrize("kept", [0, 3, 20, 100, 5000, 600_000])
def test_a_file_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    with pytest.raises(ModelUnavailable, match="'model'"):
        Weights(copied(tmp_path, original()[:kept]))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, struct.pack("<I", 99)),  # a version of the future
        (8, b"MarianSpec\0"),  # another kind of model
        (22, struct.pack("<I", 2**31)),  # arrays without end
        (26, struct.pack("<H", 65_535)),  # a name longer than the file
    ],
)
def test_a_file_that_lies_is_refused(tmp_path: Path, place: int, value: bytes) -> None:
    data = bytearray(original())
    data[place : place + len(value)] = value
    with pytest.raises(ModelUnavailable):
        Weights(copied(tmp_path, bytes(data)))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        Weights(tmp_path)
