"""Conversion without torch: all forms of files give the same model, the published weights the published file."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from vivavoce.engines.whisper.weights import Weights
from vivavoce.errors import ModelPackError
from vivavoce.models.conversion import convert
from vivavoce.models.packaged import PACKAGED
from vivavoce.models.tensors import open_tensors
from whisper_original import (
    COMMANDS,
    CONFIG,
    HEADS,
    LAYERS,
    WIDTH,
    WORDS,
    Tensors,
    safetensors,
    small_tensors,
    tensors_of,
    torch_zip,
    write_small,
)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A small model without weights."""
    write_small(tmp_path / "original")
    return tmp_path / "original"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "converted").mkdir()
    return tmp_path / "converted"


def half(name: str) -> np.ndarray[Any, Any]:
    return small_tensors()[name].astype(np.float16).astype(np.float32)


def check_small(folder: Path, tolerance: float = 0.0) -> None:
    weights = Weights(folder)
    assert (weights.shape.width, weights.shape.decoder_heads) == (WIDTH, HEADS)
    assert (weights.shape.encoder_layers, weights.shape.decoder_layers) == (LAYERS, LAYERS)
    layer = "model.decoder.layers.1.self_attn"
    joined = np.concatenate([half(f"{layer}.{part}_proj.weight") for part in "qkv"])
    np.testing.assert_allclose(weights.matrix("decoder/layer_1/self_attention/linear_0/weight"), joined, atol=tolerance)
    bias = np.concatenate([half(f"{layer}.q_proj.bias"), np.zeros(WIDTH), half(f"{layer}.v_proj.bias")])
    np.testing.assert_allclose(weights.matrix("decoder/layer_1/self_attention/linear_0/bias"), bias, atol=tolerance)
    embeddings = half("model.decoder.embed_tokens.weight")
    for name in ("decoder/embeddings/weight", "decoder/projection/weight"):
        np.testing.assert_allclose(weights.matrix(name), embeddings, atol=tolerance)


def test_safetensors(original: Path, target: Path) -> None:
    (original / "model.safetensors").write_bytes(safetensors(small_tensors()))
    told: list[float] = []
    convert(original, target, told.append)
    check_small(target)
    assert told == sorted(told)
    assert told[-1] == 1.0
    settings = json.loads((target / "config.json").read_text())
    assert settings["suppress_ids"] == CONFIG["suppress_tokens"]
    assert settings["lang_ids"] == [len(WORDS) + 2, len(WORDS) + 3]
    assert settings["alignment_heads"] == [[1, 0], [1, 1]], "the second half of the layers"
    vocabulary = json.loads((target / "vocabulary.json").read_text())
    assert vocabulary == [*WORDS, *COMMANDS, "<|0.00|>", "<|0.02|>", "<|0.04|>", "<|0.06|>", "<|0.08|>"]
    assert json.loads((target / "preprocessor_config.json").read_text())["feature_size"] == 80


def test_brain_floats(original: Path, target: Path) -> None:
    (original / "model.safetensors").write_bytes(safetensors(small_tensors(), bfloat16=True))
    convert(original, target)
    check_small(target, tolerance=0.03)


def test_shards(original: Path, target: Path) -> None:
    tensors = list(small_tensors().items())
    parts = {
        "model-00001-of-00002.safetensors": dict(tensors[::2]),
        "model-00002-of-00002.safetensors": dict(tensors[1::2]),
    }
    for part, content in parts.items():
        (original / part).write_bytes(safetensors(content))
    weight_map = {name: part for part, content in parts.items() for name in content}
    (original / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    convert(original, target)
    check_small(target)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_torch_files(original: Path, target: Path, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors: Tensors = {name: tensor.astype(dtype) for name, tensor in small_tensors().items()}
    (original / "pytorch_model.bin").write_bytes(torch_zip(tensors, monkeypatch))
    convert(original, target)
    check_small(target)


def test_tensors_that_lie_otherwise_in_their_storage(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T  # strides (1, 3)
    (original / "pytorch_model.bin").write_bytes(torch_zip({"turned": turned.copy(order="F")}, monkeypatch))
    found = open_tensors(original)["turned"]
    assert found.shape == (3, 2)
    assert found.strides == (1, 3)


def test_the_older_files_of_a_tokenizer(tmp_path: Path, target: Path) -> None:
    tensors = write_small(tmp_path / "old", old_tokenizer=True)
    (tmp_path / "old" / "model.safetensors").write_bytes(safetensors(tensors))
    convert(tmp_path / "old", target)
    tokenizer = Tokenizer.from_file(str(target / "tokenizer.json"))
    assert tokenizer.encode("ab", add_special_tokens=False).ids == [2]
    assert tokenizer.token_to_id("<|notimestamps|>") == len(WORDS) + len(COMMANDS) - 1
    assert tokenizer.decode([2, 3, 0]) == "ab a"


def test_the_embedded_model_and_back(tmp_path: Path, target: Path) -> None:
    """whisper-base, made into what its authors publish and converted again, is the published conversion to the byte."""
    first, mirror = PACKAGED[:2]
    assert first.is_here(), "the packages of the embedded model are not installed"
    published = Weights(first.folder(tmp_path / "cache"))
    original = tmp_path / "original"
    original.mkdir()
    (original / "model.safetensors").write_bytes(safetensors(tensors_of(published)))
    settings = json.loads((published.folder / "config.json").read_text())
    shape = published.shape
    config = CONFIG | {
        "vocab_size": shape.vocabulary,
        "encoder_layers": shape.encoder_layers,
        "decoder_layers": shape.decoder_layers,
        "encoder_attention_heads": shape.encoder_heads,
        "decoder_attention_heads": shape.decoder_heads,
    }
    (original / "config.json").write_text(json.dumps(config))
    generation = {
        "alignment_heads": settings["alignment_heads"],
        "suppress_tokens": settings["suppress_ids"],
        "begin_suppress_tokens": settings["suppress_ids_begin"],
        "lang_to_id": {f"<|{token}|>": token for token in reversed(settings["lang_ids"])},
    }
    (original / "generation_config.json").write_text(json.dumps(generation))
    (original / "tokenizer.json").write_bytes((published.folder / "tokenizer.json").read_bytes())
    convert(original, target)

    again = Weights(target)
    assert set(again.arrays) >= set(published.arrays)
    for name in published.arrays:
        np.testing.assert_array_equal(again.arrays[name][1], published.arrays[name][1], err_msg=name)
    assert hashlib.sha256((target / "model.bin").read_bytes()).hexdigest() == mirror.sha256, "of the newer converter"
    assert (target / "config.json").read_bytes() == (published.folder / "config.json").read_bytes()
    words = (published.folder / "vocabulary.txt").read_text().split("\n")[:-1]
    assert json.loads((target / "vocabulary.json").read_text()) == words


def _evil(state: object) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(state, protocol=2))
    return out.getvalue()


class _Runs:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        import os

        return os.system, ("touch this-must-not-be",)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pytorch_model.bin", _evil(_Runs()), "it calls 'posix.system'"),
        ("pytorch_model.bin", _evil({"a": _Runs()}), "it calls"),
        ("pytorch_model.bin", pickle.dumps({"a": 1}), "is damaged"),
        ("pytorch_model.bin", b"", "is damaged"),
        ("pytorch_model.bin", _evil([1]), "is damaged"),
        ("model.safetensors", b"", "is damaged"),
        ("model.safetensors", b"\xff" * 100, "is damaged"),
        ("model.safetensors", safetensors(small_tensors())[:-2000], "is damaged"),
        ("model.safetensors", safetensors({"a": np.zeros(3, np.float32)}), "lacks"),
        ("model.safetensors.index.json", b'{"weight_map": {"a": "../../etc/passwd"}}', "outside its folder"),
        ("model.safetensors.index.json", b"[]", "is damaged"),
        ("README.md", b"", "holds neither"),
    ],
)
def test_refused(
    original: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, said: str
) -> None:
    monkeypatch.chdir(tmp_path)  # where what must not run would leave its mark
    (original / name).write_bytes(content)
    with pytest.raises(ModelPackError, match=said):
        convert(original, target)
    assert not Path("this-must-not-be").exists()


def test_other_models(original: Path, target: Path) -> None:
    (original / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(ModelPackError, match="'llama', not whisper"):
        convert(original, target)


def test_projections_of_different_widths(original: Path, target: Path) -> None:
    tensors = small_tensors()
    tensors["model.encoder.layers.0.self_attn.k_proj.weight"] = np.zeros((WIDTH, WIDTH - 1), np.float32)
    (original / "model.safetensors").write_bytes(safetensors(tensors))
    with pytest.raises(ModelPackError, match="in another form"):
        convert(original, target)


@pytest.mark.parametrize("torch_form", [False, True])
def test_damage_is_always_told(
    original: Path, tmp_path: Path, torch_form: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = torch_zip(small_tensors(), monkeypatch) if torch_form else safetensors(small_tensors())
    index = whole.find(b"data.pkl") if torch_form else 0
    rng, refused = random.Random(1), 0
    for i in range(150):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 3, 9))):
            at = index + rng.randrange(8000)
            data[at : at + 4] = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "little")
        (original / ("pytorch_model.bin" if torch_form else "model.safetensors")).write_bytes(data)
        (tmp_path / f"target{i}").mkdir()
        try:
            convert(original, tmp_path / f"target{i}")
        except ModelPackError:
            refused += 1
    assert refused > 50


def test_weights_beyond_half_precision(original: Path, target: Path) -> None:
    tensors = small_tensors()
    tensors["model.encoder.layers.0.fc1.weight"] = np.full_like(tensors["model.encoder.layers.0.fc1.weight"], 1e6)
    (original / "model.safetensors").write_bytes(safetensors(tensors))
    with pytest.raises(ModelPackError, match="too large for half precision"):
        convert(original, target)
