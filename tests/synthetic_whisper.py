"""A whisper of 0.6 MB in CTranslate2's form, from a seed: real layers, and positions that know what comes next.

Its layers are random and small, so that every number depends on the sound, the tokens and their order; but the position
embeddings point at the next token so strongly that it always says `WORDS`, whatever it hears.
"""

from __future__ import annotations

import functools
import json
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from vivavoce.audio.chunk import Samples
from vivavoce.engines.recognizer import RecognizerInfo
from vivavoce.progress import Progress

WORDS = (" One", " two", " three", " four", ".")
LANGUAGES = ("en", "zh", "de")
WIDTH, HEADS, LAYERS, INNER, BINS = 128, 2, 2, 256, 80
AUDIO_POSITIONS, TEXT_POSITIONS = 1500, 448
COMMAND = 4  # tokens: start, language, task, no times
_TIMES = 16


def folder(words: Sequence[str] = WORDS) -> Path:
    """A model's folder, made once in a process for each text."""
    return _folder(tuple(words))


@functools.cache
def _folder(words: tuple[str, ...]) -> Path:
    made = Path(tempfile.mkdtemp(prefix="synthetic-whisper-"))
    tokenizer = _tokenizer(words)
    tokenizer.save(str(made / "tokenizer.json"))
    write_model(made / "model.bin", _arrays(tokenizer, words))
    end = tokenizer.get_vocab()["<|endoftext|>"]
    config = {"suppress_ids": [2, 3], "suppress_ids_begin": [0, end], "alignment_heads": [[1, 0], [1, 1]]}
    (made / "config.json").write_text(json.dumps(config))
    return made


@functools.cache
def cache() -> Path:
    """Where models are prepared, one folder in a process."""
    return Path(tempfile.mkdtemp(prefix="whisper-cache-"))


def sound(seed: int, seconds: float) -> Samples:
    """Noise that swells and fades."""
    count = round(seconds * 16_000)
    noise = np.random.default_rng(seed).standard_normal(count)
    return np.asarray(0.2 * noise * np.sin(np.arange(count) / 3000) ** 2, np.float32)


def short_sounds() -> list[Samples]:
    """Stand in for the short sentences of which a silent tail is made."""
    return [sound(1, 0.3), sound(2, 0.5)]


class Folders:
    """`ModelFolders` over folders that are there."""

    def __init__(self, folders: dict[str, Path], languages: tuple[str, ...] = LANGUAGES) -> None:
        self._folders, self._languages = folders, languages

    def models(self) -> list[RecognizerInfo]:
        translates = len(self._languages) > 1
        return [RecognizerInfo(name, self._languages, "whisper", translates) for name in self._folders]

    def folder(self, model_id: str, progress: Progress | None = None) -> Path:
        return self._folders[model_id]


def write_model(path: Path, arrays: dict[str, NDArray[Any]], aliases: dict[str, str] | None = None) -> None:
    """`model.bin` in CTranslate2's layout."""
    types = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    with path.open("wb") as file:
        file.write(struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays)))
        for name, array in arrays.items():
            file.write(text(name) + struct.pack("<B", array.ndim) + struct.pack(f"<{array.ndim}I", *array.shape))
            file.write(struct.pack("<BI", types[array.dtype.name], array.nbytes) + array.tobytes())
        file.write(struct.pack("<I", len(aliases or {})))
        for alias, name in (aliases or {}).items():
            file.write(text(alias) + text(name))


def _tokenizer(words: Sequence[str]) -> Tokenizer:
    """Byte by byte, and each of the words as a token that only the model writes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    name_of = {byte: chr(byte) for byte in plain} | {byte: chr(256 + k) for k, byte in enumerate(others)}
    names = [name_of[byte] for byte in range(256)]
    names += ["".join(name_of[byte] for byte in word.encode()) for word in words]
    vocabulary = {name: k for k, name in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    languages = [f"<|{language}|>" for language in LANGUAGES]
    commands = [
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
    ]
    specials = ["<|endoftext|>", "<|startoftranscript|>", *languages, *commands]
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in specials])
    return tokenizer


def _arrays(tokenizer: Tokenizer, words: Sequence[str]) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(7)
    size = tokenizer.get_vocab_size() + _TIMES
    tokens = 0.15 * random.choice([-1.0, 1.0], (size, WIDTH))
    token_of = {tokenizer.id_to_token(k): k for k in range(tokenizer.get_vocab_size())}
    text = [token_of[word.replace(" ", "Ġ")] for word in words]
    plan = [token_of["<|en|>"], 0, 0, *text, *[token_of["<|endoftext|>"]] * TEXT_POSITIONS][:TEXT_POSITIONS]

    arrays: dict[str, NDArray[Any]] = {}

    def linear(name: str, outputs: int, inputs: int) -> None:
        arrays[f"{name}/weight"] = (random.standard_normal((outputs, inputs)) * 0.5 / inputs**0.5).astype(np.float16)
        arrays[f"{name}/bias"] = (random.standard_normal(outputs) * 0.02).astype(np.float16)

    def norm(name: str) -> None:
        arrays[f"{name}/gamma"] = (1 + random.standard_normal(WIDTH) * 0.05).astype(np.float16)
        arrays[f"{name}/beta"] = (random.standard_normal(WIDTH) * 0.05).astype(np.float16)

    for side in ("encoder", "decoder"):
        arrays[f"{side}/num_heads"] = np.array(HEADS, np.int16)
        for layer in range(LAYERS):
            name = f"{side}/layer_{layer}"
            norm(f"{name}/self_attention/layer_norm")
            linear(f"{name}/self_attention/linear_0", 3 * WIDTH, WIDTH)
            linear(f"{name}/self_attention/linear_1", WIDTH, WIDTH)
            if side == "decoder":
                norm(f"{name}/attention/layer_norm")
                linear(f"{name}/attention/linear_0", WIDTH, WIDTH)
                linear(f"{name}/attention/linear_1", 2 * WIDTH, WIDTH)
                linear(f"{name}/attention/linear_2", WIDTH, WIDTH)
            norm(f"{name}/ffn/layer_norm")
            linear(f"{name}/ffn/linear_0", INNER, WIDTH)
            linear(f"{name}/ffn/linear_1", WIDTH, INNER)
        norm(f"{side}/layer_norm")
    for name, inputs in (("conv1", BINS), ("conv2", WIDTH)):
        linear(f"encoder/{name}", WIDTH, inputs * 3)
        arrays[f"encoder/{name}/weight"] = arrays[f"encoder/{name}/weight"].reshape(WIDTH, inputs, 3)
    places = random.standard_normal((AUDIO_POSITIONS, WIDTH)) * 0.1
    arrays["encoder/position_encodings/encodings"] = places.astype(np.float16)
    arrays["decoder/embeddings/weight"] = tokens.astype(np.float16)
    arrays["decoder/position_encodings/encodings"] = (16 * tokens[plan]).astype(np.float16)
    arrays["decoder/projection/weight"] = arrays["decoder/embeddings/weight"]
    return arrays
