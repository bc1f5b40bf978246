"""Checkpoints made from a synthetic voice convert to that voice again, byte for byte. Needs torch."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from synthetic_voice import Version, genie_package, synthetic_voice
from vivavoce.voices.convert import convert

torch: Any = pytest.importorskip("torch", reason="the test install has no torch: pip install 'vivavoce[convert]'")

T2S_KEYS = "v2/Keys/t2s_onnx_keys.txt"
VITS_KEYS = {"v2": "v2/Keys/vits_onnx_keys.txt", "v2ProPlus": "v2ProPlus/Keys/vits_weights.txt"}
ENCODER_KEYS = (
    "encoder.ar_text_embedding.word_embeddings.weight", "encoder.bert_proj.weight", "encoder.bert_proj.bias",
    "encoder.ar_text_position.alpha", "vits.ssl_proj.weight", "vits.ssl_proj.bias",
    "vits.quantizer.vq.layers.0._codebook.embed",
)  # fmt: skip


@pytest.mark.parametrize("version", ["v2", "v2ProPlus"])
def test_there_and_back(tmp_path: Path, version: Version, settings: object) -> None:
    voice = synthetic_voice(version)
    gpt, sovits = weights_of(voice, version)
    torch.save({"weight": gpt, "config": {"model": {"n_layer": 24}}, "info": "GPT-e15"}, tmp_path / "a.ckpt")
    torch.save({"weight": sovits, "config": settings, "info": "8epoch"}, tmp_path / "a.pth")
    if version == "v2ProPlus":  # GPT-SoVITS writes its mark over the first two bytes
        content = bytearray((tmp_path / "a.pth").read_bytes())
        content[:2] = b"06"
        (tmp_path / "a.pth").write_bytes(content)
    assert convert(tmp_path / "a.ckpt", tmp_path / "a.pth", tmp_path / "out") == version
    for path in voice.iterdir():
        if path.name != "t2s_encoder_fp32.bin":  # shares two tensors with vits, which a synthetic voice draws twice
            assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), path.name
    size = (voice / "t2s_encoder_fp32.bin").stat().st_size
    assert (tmp_path / "out" / "t2s_encoder_fp32.bin").stat().st_size == size


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> object:
    """The settings object of a fine-tuned model: an instance of the class `HParams` in GPT-SoVITS' module `utils`."""
    module = types.ModuleType("utils")
    kind = type("HParams", (), {"__module__": "utils"})
    module.__dict__["HParams"] = kind
    monkeypatch.setitem(sys.modules, "utils", module)
    made = kind()
    made.__dict__.update(train={"lr": 1e-4}, model={"gin_channels": 1024})
    return made


def weights_of(voice: Path, version: str) -> tuple[dict[str, object], dict[str, object]]:
    """The GPT and SoVITS weights a voice was converted from."""
    data = genie_package() / "Data"
    gpt = {
        "model." + key.replace("transformer_encoder", "h"): tensor
        for key, tensor in read(
            voice, "t2s_shared_fp16.bin", "t2s_stage_decoder_fp32.onnx", keys(data / T2S_KEYS)
        ).items()
    }
    sovits: dict[str, object] = {}
    for key, tensor in read(voice, "t2s_encoder_fp32.bin", "t2s_encoder_fp32.onnx", list(ENCODER_KEYS)).items():
        target, prefix = (gpt, "model.") if key.startswith("encoder.") else (sovits, "")
        target[prefix + key.partition(".")[2]] = tensor
    for key, tensor in read(voice, "vits_fp16.bin", "vits_fp32.onnx", keys(data / VITS_KEYS[version])).items():
        sovits[key.removeprefix("vq_model.")] = tensor
    if version == "v2ProPlus":
        names = keys(data / "v2ProPlus/Keys/prompt_encoder_weights.txt")
        sovits.update(read(voice, "prompt_encoder_fp16.bin", "prompt_encoder_fp32.onnx", names))
        sovits["sv_emb.weight"] = sovits.get("sv_emb.weight", torch.zeros(1))
    return gpt, sovits


def keys(path: Path) -> list[str]:
    return path.read_text().split()


def read(voice: Path, weights: str, graph: str, names: list[str]) -> dict[str, object]:
    dims = {t.name: list(t.dims) for t in onnx.load(voice / graph, load_external_data=False).graph.initializer}
    numbers = np.fromfile(voice / weights, np.float16 if "fp16" in weights else np.float32)
    found: dict[str, object] = {}
    offset = 0
    for name in names:
        count = int(np.prod(dims[name]))
        found[name] = torch.from_numpy(numbers[offset : offset + count].reshape(dims[name]).copy())
        offset += count
    return found
