"""The tokenizer of a whisper model, from `tokenizer.json` or put together from the older files that some have instead.

Pure but for reading the files; the format is that of the `tokenizers` library, which reads it when the model is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vivavoce.errors import ModelPackError

MAX_BYTES = 32 << 20


def tokenizer_of(folder: Path) -> dict[str, Any]:
    """What `tokenizer.json` holds, or would.

    Raises:
        ModelPackError: If neither it nor vocab.json with merges.txt is there, or they are damaged.
    """
    try:
        if (folder / "tokenizer.json").is_file():
            found = json.loads(_text(folder / "tokenizer.json"))
        else:
            found = _put_together(folder)
        if not isinstance(found["model"]["vocab"], dict) or not isinstance(found["added_tokens"], list):
            raise ModelPackError("the tokenizer is of another kind than whisper's")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelPackError(f"the tokenizer in '{folder.name}' cannot be read: {error}") from error
    return dict(found)


def vocabulary_of(tokenizer: dict[str, Any], size: int) -> list[str]:
    """All tokens by their number; those beyond the tokenizer's are times, 20 ms apart."""
    tokens = {int(number): str(token) for token, number in tokenizer["model"]["vocab"].items()}
    tokens |= {int(entry["id"]): str(entry["content"]) for entry in tokenizer["added_tokens"]}
    known = len(tokens)
    if sorted(tokens) != list(range(known)) or known > size:
        raise ModelPackError(f"the tokenizer has {known} tokens with gaps, the model {size}")
    return [tokens[i] for i in range(known)] + [f"<|{i * 0.02:.2f}|>" for i in range(size - known)]


def _put_together(folder: Path) -> dict[str, Any]:
    vocabulary = json.loads(_text(folder / "vocab.json"))
    lines = _text(folder / "merges.txt").splitlines()
    merges = [line for line in lines if line and not line.startswith("#version")]
    added = json.loads(_text(folder / "added_tokens.json")) if (folder / "added_tokens.json").is_file() else {}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": int(number),
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token, number in sorted(added.items(), key=lambda item: int(item[1]))
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level | {"add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES >> 20} MiB")
    return path.read_text("utf-8")
