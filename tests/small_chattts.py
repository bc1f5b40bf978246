"""ChatTTS's own networks, built small: random weights of a seed, in the files that its hub repository has.

Every network is one of the package's classes, in the package's own arrangement; only their sizes differ. What the
package compares its files with is theirs here.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import ChatTTS
import numpy as np
import pybase16384
import torch
from ChatTTS.config import config as sizes
from ChatTTS.model import DVAE, Embed
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertTokenizerFast, LlamaConfig, LlamaModel
from vocos import Vocos
from vocos.pretrained import instantiate_class

WIDTH, CODES = 64, 626  # of the language model; sound codes, the last of which ends the sentence
MARKS = [
    "[Sbreak]",
    "[Pbreak]",
    "[Ebreak]",
    "[Stts]",
    "[Ptts]",
    "[Etts]",
    "[spk_emb]",
    "[empty_spk]",
    "[break_0]",
    "[speed_5]",
    "[uv_break]",
    "[laugh]",
]
_LETTERS = [*"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
_VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *MARKS,
    *".,，。、?!",
    *"你好世界早上三十二点五",
    *_LETTERS,
]


def small_config() -> Any:
    """The package's `Config` with everything small."""
    config = ChatTTS.config.Config()
    config.gpt = sizes.GPT(WIDTH, 128, 4, 2, num_audio_tokens=CODES, num_text_tokens=len(_VOCABULARY))
    config.embed = sizes.Embed(WIDTH, CODES, len(_VOCABULARY))
    config.decoder = sizes.Decoder(idim=WIDTH // 2, odim=WIDTH // 2, hidden=32, n_layer=12, bn_dim=16)
    coding = sizes.Decoder(idim=32, odim=32, hidden=16, n_layer=2, bn_dim=8)
    config.dvae = sizes.DVAE(
        encoder=sizes.Decoder(idim=32, odim=64, hidden=16, n_layer=2, bn_dim=8), decoder=coding, vq=sizes.VQ(dim=64)
    )
    config.vocos = sizes.Vocos(
        backbone=sizes.Backbone(init_args=sizes.BackboneInitArgs(dim=32, intermediate_dim=64, num_layers=8)),
        head=sizes.FourierHead(init_args=sizes.FourierHeadInitArgs(dim=32)),
    )
    spread = np.concatenate([np.full(WIDTH, 1.0), np.zeros(WIDTH)]).astype(np.float16)
    config.spk_stat = pybase16384.encode_to_string(spread.tobytes())
    return config


def build(folder: Path, seed: int = 0) -> dict[str, str]:
    """Fill a folder. Returns what the package's list of hashes says of these files."""
    torch.manual_seed(seed)
    config, asset = small_config(), folder / "asset"
    asset.mkdir(parents=True)
    pieces = vars(config.vocos)
    vocos = Vocos(
        feature_extractor=_made(pieces["feature_extractor"]),
        backbone=_made(pieces["backbone"]),
        head=_made(pieces["head"]),
    )
    coder = DVAE(
        decoder_config=vars(config.dvae.decoder),
        encoder_config=vars(config.dvae.encoder),
        vq_config=vars(config.dvae.vq),
        dim=config.dvae.decoder.idim,
    )
    decoder = DVAE(decoder_config=vars(config.decoder), dim=config.decoder.idim)
    embed = Embed(WIDTH, CODES, len(_VOCABULARY), config.embed.num_vq)
    named = {"Vocos": vocos, "DVAE": coder, "Decoder": decoder, "Embed": embed}
    for name, network in named.items():
        _spread(network)
        save_file({k: v.contiguous().clone() for k, v in network.state_dict().items()}, asset / f"{name}.safetensors")
    LlamaModel(LlamaConfig(**vars(config.gpt), vocab_size=32)).save_pretrained(asset / "gpt")
    _write_tokenizer(asset / "tokenizer")
    return {_key(path.relative_to(folder)): _sha256(path) for path in asset.rglob("*") if path.is_file()}


def small_chat(hashes: dict[str, str]) -> type[Any]:
    """The package's `Chat`, with the small sizes and the hashes of these files; all else is the package's."""

    class SmallChat(ChatTTS.Chat):  # type: ignore[misc]  # the package has no types
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.config = small_config()
            self.sha256_map = hashes

    return SmallChat


def _made(piece: Any) -> Any:
    return instantiate_class(args=(), init={"class_path": piece.class_path, "init_args": vars(piece.init_args)})


def _spread(network: torch.nn.Module) -> None:
    """New layers of this kind start as if they were not there (scale 1e-6): give them something to say."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.ndim == 1 and ("gamma" in name or name.endswith(".weight")) and parameter.max() < 1e-3:
                parameter.fill_(0.3)


def _write_tokenizer(folder: Path) -> None:
    words = {word: number for number, word in enumerate(_VOCABULARY)}
    tokenizer = Tokenizer(WordPiece(words, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    BertTokenizerFast(tokenizer_object=tokenizer, additional_special_tokens=MARKS).save_pretrained(folder)
    if not (special := folder / "special_tokens_map.json").exists():  # later versions leave it out
        special.write_text(json.dumps({"additional_special_tokens": MARKS, "unk_token": "[UNK]", "pad_token": "[PAD]"}))


def _key(path: Path) -> str:
    return "sha256_" + "_".join(path.parts).replace(".", "_")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
