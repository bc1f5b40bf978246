"""Turns a whisper model as transformers keeps it into the form this server reads, without torch or transformers.

The weights are renamed, the three projections of an attention joined, and everything written in half precision, as
the published conversions are; the lists that decoding needs come from the model's own settings, its vocabulary from its
tokenizer. Called by `pull.py`. Source of both layouts: huggingface/transformers, modeling_whisper.py; OpenNMT/
CTranslate2, converters/transformers.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vivavoce.errors import ModelPackError
from vivavoce.models.model_file import ArrayToWrite, write_model
from vivavoce.models.tensors import Tensor, open_tensors
from vivavoce.models.tokenizer import tokenizer_of, vocabulary_of

MAX_JSON_BYTES = 16 << 20
HALF = np.dtype("<f2")
_GELU = 3  # CTranslate2's number of the activation


def convert(source: Path, target: Path, progress: Callable[[float], None] | None = None) -> None:
    """Write the model in `source` into the folder `target`.

    Args:
        source: config.json, generation_config.json, weights and tokenizer, as transformers saves them.
        target: an empty folder.
        progress: told the fraction that is written, 0..1.

    Raises:
        ModelPackError: If it is no whisper model, or a damaged one.
    """
    config = read_json(source / "config.json")
    if config.get("model_type") != "whisper":
        raise ModelPackError(
            f"'{source.name}' is a model of the kind '{str(config.get('model_type'))[:40]}', not whisper"
        )
    tokenizer = tokenizer_of(source)
    try:
        arrays, aliases = _arrays(open_tensors(source), config)
        settings = _settings(source, config, tokenizer)
        vocabulary = vocabulary_of(tokenizer, int(config["vocab_size"]))
        with (target / "model.bin").open("wb") as out:
            write_model(out, arrays, aliases, progress)
    except (KeyError, TypeError, ValueError, OverflowError, MemoryError) as error:
        raise ModelPackError(f"'{source.name}' lacks {error} or holds it in another form") from error
    _write_json(target / "config.json", settings, sort_keys=True)
    _write_json(target / "vocabulary.json", vocabulary)
    _write_json(target / "tokenizer.json", tokenizer)
    preprocessor = source / "preprocessor_config.json"
    if preprocessor.is_file():
        (target / preprocessor.name).write_bytes(preprocessor.read_bytes())


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ModelPackError: If it is missing, too large or none.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ModelPackError(f"{path.name} is larger than {MAX_JSON_BYTES >> 20} MiB")
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelPackError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelPackError(f"{path.name} does not hold an object")
    return found


def _arrays(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> tuple[dict[str, ArrayToWrite], dict[str, str]]:
    """The arrays of the model under the names of CTranslate2's specification, and their further names."""
    found: dict[str, ArrayToWrite] = {}

    def take(name: str, *sources: str) -> None:
        parts = [tensors[source] for source in sources]
        found[name] = _joined(parts)

    def linear(name: str, *sources: str) -> None:
        """Weight and bias; a projection without bias (that of the keys) gets zeros."""
        take(f"{name}/weight", *(f"{source}.weight" for source in sources))
        widths = [tensors[f"{source}.weight"].shape[0] for source in sources]
        biases = [tensors.get(f"{source}.bias") for source in sources]
        found[f"{name}/bias"] = _joined_biases(biases, widths)

    def norm(name: str, source: str) -> None:
        take(f"{name}/gamma", f"{source}.weight")
        take(f"{name}/beta", f"{source}.bias")

    for part in ("conv1", "conv2"):
        linear(f"encoder/{part}", f"model.encoder.{part}")
    for side in ("encoder", "decoder"):
        take(f"{side}/position_encodings/encodings", f"model.{side}.embed_positions.weight")
        norm(f"{side}/layer_norm", f"model.{side}.layer_norm")
        for i in range(int(config[f"{side}_layers"])):
            here, there = f"{side}/layer_{i}", f"model.{side}.layers.{i}"
            norm(f"{here}/self_attention/layer_norm", f"{there}.self_attn_layer_norm")
            linear(f"{here}/self_attention/linear_0", *(f"{there}.self_attn.{p}_proj" for p in "qkv"))
            linear(f"{here}/self_attention/linear_1", f"{there}.self_attn.out_proj")
            norm(f"{here}/ffn/layer_norm", f"{there}.final_layer_norm")
            linear(f"{here}/ffn/linear_0", f"{there}.fc1")
            linear(f"{here}/ffn/linear_1", f"{there}.fc2")
            if side == "decoder":
                norm(f"{here}/attention/layer_norm", f"{there}.encoder_attn_layer_norm")
                linear(f"{here}/attention/linear_0", f"{there}.encoder_attn.q_proj")
                linear(f"{here}/attention/linear_1", *(f"{there}.encoder_attn.{p}_proj" for p in "kv"))
                linear(f"{here}/attention/linear_2", f"{there}.encoder_attn.out_proj")
    take("decoder/embeddings/weight", "model.decoder.embed_tokens.weight")
    return found | _numbers(config), {"decoder/projection/weight": "decoder/embeddings/weight"}


def _numbers(config: Mapping[str, Any]) -> dict[str, ArrayToWrite]:
    """What the specification says about the model besides its weights."""
    small = {
        "decoder/activation": _GELU,
        "decoder/alibi": 0,
        "decoder/alibi_use_positive_positions": 0,
        "decoder/pre_norm": 1,
        "decoder/scale_alibi": 0,
        "decoder/scale_embeddings": 0,
        "decoder/start_from_zero_embedding": 0,
    }
    wide = {
        "decoder/alignment_heads": 1,
        "decoder/alignment_layer": -1,
        "decoder/num_heads": int(config["decoder_attention_heads"]),
        "encoder/num_heads": int(config["encoder_attention_heads"]),
    }
    return {name: _number(value, "|i1") for name, value in small.items()} | {
        name: _number(value, "<i2") for name, value in wide.items()
    }


def _number(value: int, kind: str) -> ArrayToWrite:
    return ArrayToWrite((), np.dtype(kind), lambda: np.array(value, kind))


def _joined(tensors: Sequence[Tensor]) -> ArrayToWrite:
    shape = (sum(tensor.shape[0] for tensor in tensors), *tensors[0].shape[1:])
    return ArrayToWrite(shape, HALF, lambda: _half(np.concatenate([tensor.read() for tensor in tensors])))


def _joined_biases(biases: Sequence[Tensor | None], widths: Sequence[int]) -> ArrayToWrite:
    def make() -> NDArray[Any]:
        parts = [
            np.zeros(width, np.float32) if bias is None else bias.read()
            for bias, width in zip(biases, widths, strict=True)
        ]
        return _half(np.concatenate(parts))

    return ArrayToWrite((sum(widths),), HALF, make)


def _half(array: NDArray[Any]) -> NDArray[np.float16]:
    with np.errstate(over="raise"):
        try:
            return array.astype(HALF)
        except FloatingPointError as error:
            raise ModelPackError("a weight is too large for half precision") from error


def _settings(source: Path, config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """The lists that decoding needs, as CTranslate2's converter writes them into config.json."""
    path = source / "generation_config.json"
    generation = read_json(path) if path.is_file() else config
    heads, layers = int(config["decoder_attention_heads"]), int(config["decoder_layers"])
    second_half = [[layer, head] for layer in range(layers // 2, layers) for head in range(heads)]
    languages = generation.get("lang_to_id") or _languages(tokenizer)
    return {
        "alignment_heads": generation.get("alignment_heads") or second_half,
        "lang_ids": sorted(int(token) for token in languages.values()),
        "suppress_ids": generation.get("suppress_tokens") or config.get("suppress_tokens") or [],
        "suppress_ids_begin": generation.get("begin_suppress_tokens") or config.get("begin_suppress_tokens") or [],
    }


def _languages(tokenizer: Mapping[str, Any]) -> dict[str, int]:
    """Tokens between the start of a transcript and the tasks."""
    tokens = {str(entry["content"]): int(entry["id"]) for entry in tokenizer["added_tokens"]}
    tasks = min(tokens["<|translate|>"], tokens["<|transcribe|>"])
    return {name: token for name, token in tokens.items() if tokens["<|startoftranscript|>"] < token < tasks}


def _write_json(path: Path, content: object, *, sort_keys: bool = False) -> None:
    path.write_text(
        json.dumps(content, indent=2, sort_keys=sort_keys, ensure_ascii=path.name != "tokenizer.json") + "\n"
    )
