"""A whisper model as its authors publish it: made small, or made again from a converted one, in every form of file.

Nothing of the code under test is used to write them: safetensors by hand, torch's files through Python's own pickle.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vivavoce.engines.whisper.weights import Weights

Tensors = dict[str, NDArray[Any]]

WIDTH, HEADS, INNER, BINS, LAYERS = 8, 2, 16, 80, 2
COMMANDS = ("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|translate|>", "<|transcribe|>",
            "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")  # fmt: skip
WORDS = ("a", "b", "ab", "Ġ")
CONFIG = {
    "model_type": "whisper",
    "vocab_size": len(WORDS) + len(COMMANDS) + 5,
    "encoder_layers": LAYERS,
    "decoder_layers": LAYERS,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "suppress_tokens": [1],
    "begin_suppress_tokens": [3, len(WORDS)],
}
PREPROCESSOR = {"feature_size": BINS, "n_fft": 400}


def small_tensors(seed: int = 0) -> Tensors:
    """A model of two layers a side."""
    rng = np.random.default_rng(seed)
    found: Tensors = {}

    def add(name: str, *shape: int) -> None:
        found[name] = rng.standard_normal(shape).astype(np.float32)

    def both(name: str, *shape: int) -> None:
        add(f"{name}.weight", *shape)
        if not name.endswith("k_proj"):
            add(f"{name}.bias", shape[0])

    both("model.encoder.conv1", WIDTH, BINS, 3)
    both("model.encoder.conv2", WIDTH, WIDTH, 3)
    for side, positions in (("encoder", 1500), ("decoder", 448)):
        add(f"model.{side}.embed_positions.weight", positions, WIDTH)
        both(f"model.{side}.layer_norm", WIDTH)
        for i in range(LAYERS):
            here = f"model.{side}.layers.{i}"
            for attention in ("self_attn", "encoder_attn")[: 1 + (side == "decoder")]:
                both(f"{here}.{attention}_layer_norm", WIDTH)
                for part in ("q", "k", "v", "out"):
                    both(f"{here}.{attention}.{part}_proj", WIDTH, WIDTH)
            both(f"{here}.final_layer_norm", WIDTH)
            both(f"{here}.fc1", INNER, WIDTH)
            both(f"{here}.fc2", WIDTH, INNER)
    add("model.decoder.embed_tokens.weight", int(str(CONFIG["vocab_size"])), WIDTH)
    found["proj_out.weight"] = found["model.decoder.embed_tokens.weight"]
    return found


def tensors_of(weights: Weights) -> Tensors:
    """The original tensors of a converted model, in half precision."""
    shape, found = weights.shape, {}

    def put(name: str, source: str) -> None:
        found[name] = weights.matrix(source).astype(np.float16)

    def both(name: str, source: str, kinds: tuple[str, str] = ("weight", "bias")) -> None:
        put(f"{name}.weight", f"{source}/{kinds[0]}")
        put(f"{name}.bias", f"{source}/{kinds[1]}")

    def apart(name: str, source: str, parts: str) -> None:
        for kind in ("weight", "bias"):
            pieces = np.split(weights.matrix(f"{source}/{kind}").astype(np.float16), len(parts))
            for part, piece in zip(parts, pieces, strict=True):
                if (part, kind) != ("k", "bias"):
                    found[f"{name}.{part}_proj.{kind}"] = piece

    norm = ("gamma", "beta")
    for part in ("conv1", "conv2"):
        both(f"model.encoder.{part}", f"encoder/{part}")
    for side, layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        put(f"model.{side}.embed_positions.weight", f"{side}/position_encodings/encodings")
        both(f"model.{side}.layer_norm", f"{side}/layer_norm", norm)
        for i in range(layers):
            here, there = f"model.{side}.layers.{i}", f"{side}/layer_{i}"
            both(f"{here}.self_attn_layer_norm", f"{there}/self_attention/layer_norm", norm)
            apart(f"{here}.self_attn", f"{there}/self_attention/linear_0", "qkv")
            both(f"{here}.self_attn.out_proj", f"{there}/self_attention/linear_1")
            both(f"{here}.final_layer_norm", f"{there}/ffn/layer_norm", norm)
            both(f"{here}.fc1", f"{there}/ffn/linear_0")
            both(f"{here}.fc2", f"{there}/ffn/linear_1")
            if side == "decoder":
                both(f"{here}.encoder_attn_layer_norm", f"{there}/attention/layer_norm", norm)
                apart(f"{here}.encoder_attn", f"{there}/attention/linear_0", "q")
                apart(f"{here}.encoder_attn", f"{there}/attention/linear_1", "kv")
                both(f"{here}.encoder_attn.out_proj", f"{there}/attention/linear_2")
    put("model.decoder.embed_tokens.weight", "decoder/embeddings/weight")
    return found


def tokenizer() -> dict[str, Any]:
    """A tokenizer of a few words."""
    added = [
        {"id": len(WORDS) + i, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for i, name in enumerate(COMMANDS)
    ]  # fmt: skip
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    return {"version": "1.0", "added_tokens": added, "model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}}


def write_small(folder: Path, *, old_tokenizer: bool = False) -> Tensors:
    """Everything of a small model but its weights, which are returned."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    if old_tokenizer:
        (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(WORDS)}))
        (folder / "merges.txt").write_text("#version: 0.2\na b\n")
        added = {name: len(WORDS) + i for i, name in enumerate(COMMANDS)}
        (folder / "added_tokens.json").write_text(json.dumps(added))
    else:
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    return small_tensors()


def safetensors(tensors: Mapping[str, NDArray[Any]], *, bfloat16: bool = False) -> bytes:
    """A .safetensors file."""
    header, content = {}, bytearray()
    kinds = {"<f4": "F32", "<f2": "F16"}
    for name, tensor in tensors.items():
        data = tensor.astype("<f4").view("<u4") >> 16 if bfloat16 else tensor
        raw = data.astype("<u2").tobytes() if bfloat16 else tensor.tobytes()
        header[name] = {
            "dtype": "BF16" if bfloat16 else kinds[tensor.dtype.str],
            "shape": list(tensor.shape),
            "data_offsets": [len(content), len(content) + len(raw)],
        }
        content += raw
    head = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    return struct.pack("<Q", len(head)) + head + bytes(content)


def torch_zip(tensors: Mapping[str, NDArray[Any]], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A pytorch_model.bin as `torch.save` writes it: made with Python's pickle and stand-ins for torch's names."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*arguments: object) -> None:
        raise AssertionError("this is called by nobody")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    kinds = {}
    for name in ("FloatStorage", "HalfStorage"):
        kinds[name] = type(name, (), {"__module__": "torch"})
        setattr(torch, name, kinds[name])
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Storage:
        def __init__(self, key: str, values: NDArray[Any]) -> None:
            self.key, self.values = key, values

    class Stored:
        def __init__(self, storage: Storage) -> None:
            self.storage = storage

        def __reduce__(self) -> Any:
            values = self.storage.values
            strides = tuple(step // values.itemsize for step in values.strides)
            arguments: tuple[Any, ...] = (self.storage, 0, values.shape, strides, False, OrderedDict())
            return _rebuild_tensor_v2, arguments

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: object) -> Any:
            if not isinstance(thing, Storage):
                return None
            kind = kinds["HalfStorage" if thing.values.dtype == np.float16 else "FloatStorage"]
            return ("storage", kind, thing.key, "cpu", thing.values.size)

    storages = {name: Storage(str(i), tensor) for i, (name, tensor) in enumerate(tensors.items())}
    state = OrderedDict((name, Stored(storage)) for name, storage in storages.items())
    state._metadata = OrderedDict(version=1)  # type: ignore[attr-defined]
    index = io.BytesIO()
    Pickler(index, protocol=2).dump(state)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", index.getvalue())
        for storage in storages.values():
            archive.writestr(f"archive/data/{storage.key}", storage.values.tobytes())
    return out.getvalue()
