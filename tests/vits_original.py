"""Genie's own VITS graph with its noise as an input, and our pieces of the same voice, compiled once into the cache."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.utils import Extractor

from synthetic_voice import RECIPE, Version, cached, synthetic_voice
from vivavoce.engines.genie.preparing import (
    decoder_graph,
    decoder_weights,
    fast_convolution,
    graph_builder,
    graph_cut,
    vits_graphs,
)
from vivavoce.engines.genie.preparing.decoder_weights import save_vocoder_weights
from vivavoce.engines.genie.preparing.vits_graphs import build_prompt_graph, build_vits_graphs
from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights
from vivavoce.engines.genie.sound.vocoder import Vocoder

Array = NDArray[np.float32]

NOISE = "/vq_model/RandomNormalLike_output_0"
LATENT = {"v2": "/vq_model/Mul_3_output_0", "v2ProPlus": "/vq_model/Mul_2_output_0"}
GE_V2 = "/vq_model/ref_enc/Unsqueeze_6_output_0"
MASK = "/vq_model/enc_p/ConstantOfShape_output_0"


def compiled_vits(version: Version) -> Path:
    """Folder of our graphs, built again whenever a builder changes."""
    digest = _digest(graph_cut, graph_builder, fast_convolution, vits_graphs, decoder_graph)
    return cached(f"vits-{version}-r{RECIPE}-{digest}", lambda folder: _build(folder, version))


def packed_decoder(version: Version) -> Path:
    """The decoder's weights for the kernel, written again whenever the packing changes."""
    digest = _digest(fast_convolution, decoder_graph, decoder_weights)
    name = f"decoder-{version}-r{RECIPE}-{digest}"
    return cached(name, lambda folder: _pack(folder, version)) / "decoder.weights"


def graph_vocoder(version: Version) -> Vocoder:
    """The vocoder of a voice, run by ONNX Runtime on two threads."""
    return Vocoder.open(compiled_vits(version) / "decoder.onnx", None, threads=2)


def _digest(*modules: ModuleType) -> str:
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    return hashlib.sha256(sources).hexdigest()[:8]


def _pack(folder: Path, version: Version) -> None:
    whole = with_weights(_vits(synthetic_voice(version)))
    save_vocoder_weights(vits_graphs.decoder_weights(whole), folder / "decoder.weights")


def _build(folder: Path, version: Version) -> None:
    voice = synthetic_voice(version)
    timbre = None
    if version == "v2ProPlus":
        timbre = PackWeights(voice / "prompt_encoder_fp32.onnx", voice / "prompt_encoder_fp16.bin")
    build_vits_graphs(_vits(voice), timbre, version, folder)
    build_prompt_graph(PackWeights(voice / "t2s_encoder_fp32.onnx", voice / "t2s_encoder_fp32.bin"), folder)


def _vits(voice: Path) -> PackWeights:
    return PackWeights(voice / "vits_fp32.onnx", voice / "vits_fp16.bin")


@cache
def original(version: Version) -> ort.InferenceSession:
    """The whole graph as it came, but for its noise: an input of that tensor's name. The latent is an output too."""
    model = with_weights(_vits(synthetic_voice(version)))
    noise = next(node for node in model.graph.node if node.op_type == "RandomNormalLike")
    model.graph.node.remove(noise)
    model.graph.input.append(helper.make_tensor_value_info(NOISE, TensorProto.FLOAT, [1, 192, "frames"]))
    extra = [LATENT[version], *([GE_V2] if version == "v2" else [])]
    model.graph.output.extend(_float(name) for name in extra)
    return _session(model)


@cache
def original_decoder(version: Version) -> ort.InferenceSession:
    """The part behind the latent as it came: inputs `z` and the timbre, output `audio`."""
    model = with_weights(_vits(synthetic_voice(version)))
    inputs = [LATENT[version], GE_V2 if version == "v2" else "ge"]
    known = {value.name for value in model.graph.input}
    model.graph.value_info.extend(_float(name) for name in inputs if name not in known)
    return _session(Extractor(model).extract_model(inputs, ["audio"]))


def _float(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def _session(model: onnx.ModelProto) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Sentence:
    """Inputs of one sentence, random but for the seed, and what the original makes of them."""

    def __init__(self, version: Version, *, tokens: int = 12, phonemes: int = 15, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.version = version
        self.tokens = [int(token) for token in rng.integers(0, 1024, tokens)]
        self.phonemes = rng.integers(0, 322, (1, phonemes))
        self.sound = (0.1 * rng.standard_normal((1, 40_000))).astype(np.float32)
        self.ge = rng.standard_normal((1, 1024, 1)).astype(np.float32)
        self.ge_advanced = rng.standard_normal((1, 512, 1)).astype(np.float32)
        if version == "v2":
            self.ge = self.ge_advanced = self._timbre_v2()

    def speak(self, noise: Array, tokens: list[int] | None = None) -> tuple[Array, Array]:
        """The original's samples float32 [n] and latent float32 [1, 192, F] for noise float32 [1, 192, F]."""
        row = np.asarray(self.tokens if tokens is None else tokens, np.int64).reshape(1, 1, -1)
        feeds = {"text_seq": self.phonemes, "pred_semantic": row, NOISE: noise}
        if self.version == "v2":
            feeds["ref_audio"] = self.sound
        else:
            feeds |= {"ge": self.ge, "ge_advanced": self.ge_advanced}
        audio, latent = original(self.version).run(["audio", LATENT[self.version]], feeds)
        return audio, latent

    def _timbre_v2(self) -> Array:
        row = np.asarray(self.tokens, np.int64).reshape(1, 1, -1)
        noise = np.zeros((1, 192, 2 * row.shape[2]), np.float32)
        feeds = {"text_seq": self.phonemes, "pred_semantic": row, NOISE: noise, "ref_audio": self.sound}
        ge: Array = original("v2").run([GE_V2], feeds)[0]
        return ge
