"""The constants are what the genie-tts wheel gives: its templates, linked the way its converter links them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import pytest

from synthetic_voice import FILE_BYTES as SYNTHETIC_BYTES
from synthetic_voice import genie_package
from vivavoce.voices.fingerprints import FILE_BYTES, GRAPH_SHA256, Version, version_of, wrong_length

VERSIONS: tuple[Version, ...] = ("v2", "v2ProPlus")
# Graph -> (its keys, the file it points into).
LINKS = {
    "t2s_first_stage_decoder_fp32.onnx": ("v2/Keys/t2s_onnx_keys.txt", "t2s_shared_fp32.bin"),
    "t2s_stage_decoder_fp32.onnx": ("v2/Keys/t2s_onnx_keys.txt", "t2s_shared_fp32.bin"),
    "prompt_encoder_fp32.onnx": ("v2ProPlus/Keys/prompt_encoder_weights.txt", "prompt_encoder_fp32.bin"),
}
VITS_KEYS = {"v2": "v2/Keys/vits_onnx_keys.txt", "v2ProPlus": "v2ProPlus/Keys/vits_weights.txt"}


@pytest.mark.parametrize("version", VERSIONS)
def test_graphs_are_the_wheels_templates_linked_to_their_weights(version: Version, tmp_path: Path) -> None:
    data = genie_package() / "Data"
    for name, expected in GRAPH_SHA256[version].items():
        own = data / version / "Models" / name
        template = own if own.exists() else data / "v2/Models" / name
        if name == "t2s_encoder_fp32.onnx":
            linked, weights = template.read_bytes(), FILE_BYTES[version]["t2s_encoder_fp32.bin"]
            assert sum(tensor_bytes(tensor) for tensor in tensors(template)) == weights
        else:
            keys, location = LINKS.get(name, (VITS_KEYS[version], "vits_fp32.bin"))
            count = relink(template, (data / keys).read_text().split(), location, tmp_path / name)
            linked = (tmp_path / name).read_bytes()
            assert 2 * count == FILE_BYTES[version][location.replace("fp32", "fp16")]
        assert hashlib.sha256(linked).hexdigest() == expected, name
        assert len(linked) == FILE_BYTES[version][name]


def test_the_synthetic_voices_have_these_lengths() -> None:
    assert {version: dict(files) for version, files in FILE_BYTES.items()} == SYNTHETIC_BYTES


@pytest.mark.parametrize("version", VERSIONS)
def test_version_survives_the_loss_of_any_one_file(version: Version) -> None:
    for lost in FILE_BYTES[version]:
        sizes = {name: size for name, size in FILE_BYTES[version].items() if name != lost}
        assert version_of(sizes) == version
        assert list(wrong_length(version, sizes)) == [f"{lost} is missing"]
    assert not list(wrong_length(version, FILE_BYTES[version]))


def tensors(path: Path) -> list[onnx.TensorProto]:
    return list(onnx.load(path, load_external_data=False).graph.initializer)


def tensor_bytes(tensor: onnx.TensorProto) -> int:
    count = 4
    for dim in tensor.dims:
        count *= dim
    return count


def relink(template: Path, keys: list[str], location: str, target: Path) -> int:
    """What genie-tts' converters do to a template; the number of weights."""
    model = onnx.load(template, load_external_data=False)
    by_name = {tensor.name: tensor for tensor in model.graph.initializer}
    offset = 0
    for key in keys:
        tensor = by_name[key]
        length = tensor_bytes(tensor)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        del tensor.external_data[:]
        for name, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
            entry = tensor.external_data.add()
            entry.key, entry.value = name, value
        offset += length
    onnx.save(model, target)
    return offset // 4
