"""Weights are found where Genie's own loader finds them, and files that do not belong together are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from vivavoce.engines.genie.preparing.weights import PackWeights, read_graph, with_weights
from vivavoce.errors import VoicePackError


def as_genie_reads(graph: Path, blob: Path, name: str) -> np.ndarray:
    """Genie's way: the whole file becomes fp32 bytes, and the graph's offsets point into those."""
    numbers = np.fromfile(blob, np.float16).astype(np.float32).tobytes()
    tensor = next(t for t in onnx.load(graph, load_external_data=False).graph.initializer if t.name == name)
    entries = {entry.key: int(entry.value) for entry in tensor.external_data if entry.key != "location"}
    piece = numbers[entries["offset"] : entries["offset"] + entries["length"]]
    return np.frombuffer(piece, np.float32).reshape(tuple(tensor.dims))


@pytest.mark.parametrize("name", ["ref_enc.spectral.0.fc.weight", "sv_emb.weight", "prelu.weight"])
def test_tensors_are_those_of_genies_loader(voice_v2pp: Path, name: str) -> None:
    graph, blob = voice_v2pp / "prompt_encoder_fp32.onnx", voice_v2pp / "prompt_encoder_fp16.bin"
    np.testing.assert_array_equal(PackWeights(graph, blob)[name], as_genie_reads(graph, blob, name))


def test_files_of_true_fp32_are_told_by_their_length(voice_v2pp: Path) -> None:
    weights = PackWeights(voice_v2pp / "t2s_encoder_fp32.onnx", voice_v2pp / "t2s_encoder_fp32.bin")
    raw = np.fromfile(voice_v2pp / "t2s_encoder_fp32.bin", np.float32)
    np.testing.assert_array_equal(weights["encoder.ar_text_embedding.word_embeddings.weight"].ravel(), raw[: 732 * 512])


def test_a_filled_graph_holds_every_number(voice_v2pp: Path) -> None:
    weights = PackWeights(voice_v2pp / "t2s_encoder_fp32.onnx", voice_v2pp / "t2s_encoder_fp32.bin")
    filled = with_weights(weights)
    assert all(t.data_location == onnx.TensorProto.DEFAULT and t.raw_data for t in filled.graph.initializer)


def test_constants_inside_the_graph_stay_there(genie_data_folder: Path) -> None:
    hubert = genie_data_folder / "chinese-hubert-base"
    graph, blob = hubert / "chinese-hubert-base.onnx", hubert / "chinese-hubert-base_weights_fp16.bin"
    filled = with_weights(PackWeights(graph, blob))
    assert "one" in {tensor.name for tensor in filled.graph.initializer}


@pytest.mark.parametrize("change", [-2, -1, 1, 2])
def test_a_file_of_another_length_is_refused(voice_v2pp: Path, tmp_path: Path, change: int) -> None:
    blob = tmp_path / "prompt_encoder_fp16.bin"
    content = (voice_v2pp / "prompt_encoder_fp16.bin").read_bytes()
    blob.write_bytes(content[:change] if change < 0 else content + bytes(change))
    with pytest.raises(VoicePackError, match=r"prompt_encoder_fp16\.bin.*bytes"):
        PackWeights(voice_v2pp / "prompt_encoder_fp32.onnx", blob)


def test_missing_and_foreign_files_are_named(voice_v2pp: Path, tmp_path: Path) -> None:
    with pytest.raises(VoicePackError, match=r"nothing\.bin"):
        PackWeights(voice_v2pp / "t2s_encoder_fp32.onnx", tmp_path / "nothing.bin")
    (tmp_path / "noise.onnx").write_bytes(b"\x00 no graph")
    with pytest.raises(VoicePackError, match=r"noise\.onnx"):
        read_graph(tmp_path / "noise.onnx")


@pytest.mark.parametrize(("key", "value"), [("offset", "-4"), ("offset", "2"), ("length", "8"), ("length", "much")])
def test_a_graph_that_lies_about_places_is_refused(voice_v2pp: Path, tmp_path: Path, key: str, value: str) -> None:
    model = onnx.load(voice_v2pp / "t2s_encoder_fp32.onnx", load_external_data=False)
    next(entry for entry in model.graph.initializer[1].external_data if entry.key == key).value = value
    onnx.save(model, tmp_path / "lies.onnx")
    with pytest.raises(VoicePackError, match=model.graph.initializer[1].name):
        PackWeights(tmp_path / "lies.onnx", voice_v2pp / "t2s_encoder_fp32.bin")
