"""What the files of every GPT-SoVITS voice in Genie's form have in common: their names, lengths and graphs.

The graphs of a version are the same for all voices, only the weights differ. The hashes below are those of the graph
templates in the genie-tts 2.0.2 wheel after Genie's converter has linked them to their weights (it rewrites location,
offset and length of every initializer); the published voices hold exactly these bytes. A test derives them from the
installed wheel again. Nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

Version = Literal["v2", "v2ProPlus"]

_SHARED_BYTES = {
    "t2s_encoder_fp32.onnx": 14_568,
    "t2s_encoder_fp32.bin": 11_465_732,
    "t2s_first_stage_decoder_fp32.onnx": 416_803,
    "t2s_stage_decoder_fp32.onnx": 417_625,
    "t2s_shared_fp16.bin": 153_413_634,
}

# File name -> bytes, for each version.
FILE_BYTES: Mapping[Version, Mapping[str, int]] = MappingProxyType(
    {
        "v2": MappingProxyType({**_SHARED_BYTES, "vits_fp32.onnx": 1_654_845, "vits_fp16.bin": 80_843_520}),
        "v2ProPlus": MappingProxyType(
            {
                **_SHARED_BYTES,
                "vits_fp32.onnx": 1_611_210,
                "vits_fp16.bin": 124_345_856,
                "prompt_encoder_fp32.onnx": 44_464,
                "prompt_encoder_fp16.bin": 44_262_912,
            }
        ),
    }
)

_SHARED_GRAPHS = {
    "t2s_encoder_fp32.onnx": "f6eb1acd47c8e6d36b777886981a49122e8e070a5eb9888d458fb188dc139f75",
    "t2s_first_stage_decoder_fp32.onnx": "868f395999508905128c5325c5db4f4b37b2e70e04d6e2719fec64cbb60ee7f9",
    "t2s_stage_decoder_fp32.onnx": "3f02881c517423deb610f86d5441bd9825937c5069f3887cacefa1e9dc403b0d",
}

# Graph file -> sha256, for each version.
GRAPH_SHA256: Mapping[Version, Mapping[str, str]] = MappingProxyType(
    {
        "v2": MappingProxyType(
            {
                **_SHARED_GRAPHS,
                "vits_fp32.onnx": "634c21025f9fea03901c1fb5741a98ada512adeb67183e79b261c059fa4d842a",
            }
        ),
        "v2ProPlus": MappingProxyType(
            {
                **_SHARED_GRAPHS,
                "vits_fp32.onnx": "2f918e08a1bfecc568de4cc5dc96135cb8baf37a07f4eb4ec9258a4854fcd3f3",
                "prompt_encoder_fp32.onnx": "c4a3d8c1e385a17aecb7bd9c5ede5707ba390f85c3eb49b388deeaaaf53d2748",
            }
        ),
    }
)

MODEL_FILES = frozenset(FILE_BYTES["v2ProPlus"])  # every name a version can have


def version_of(sizes: Mapping[str, int]) -> Version:
    """The version these files (name -> bytes) mean to be, even where some are missing or damaged.

    A timbre encoder, or a vits file with the length of one, speaks for v2ProPlus; so a pack that lost its timbre
    encoder is refused as a damaged v2ProPlus voice and not taken for a v2 voice.
    """
    pro, plain = FILE_BYTES["v2ProPlus"], FILE_BYTES["v2"]
    if any(name in sizes for name in pro.keys() - plain.keys()):
        return "v2ProPlus"
    if any(sizes.get(name) == pro[name] for name in ("vits_fp32.onnx", "vits_fp16.bin")):
        return "v2ProPlus"
    return "v2"


def wrong_length(version: Version, sizes: Mapping[str, int]) -> Iterable[str]:
    """A sentence for every file that is missing or has the wrong length; nothing when all are as they should be."""
    for name, expected in FILE_BYTES[version].items():
        found = sizes.get(name)
        if found is None:
            yield f"{name} is missing"
        elif found == 0:
            yield f"{name} is empty"
        elif found != expected:
            kind = "truncated" if found < expected else "too long"
            yield f"{name} is {kind}: {found} bytes, every {version} voice has {expected}"
