"""Builds the parts of a voice: each function fills one folder with graphs and weights made from the voice's own files.

Brings the package `onnx`; called by `compile.py` for what its cache does not hold.
"""

from __future__ import annotations

from pathlib import Path

from vivavoce.engines.genie.preparing.decoder_weights import save_vocoder_weights
from vivavoce.engines.genie.preparing.source import KERNEL_FILE, VOCODER_FILE, VoiceSource
from vivavoce.engines.genie.preparing.text_to_semantic_graphs import prefill_graph, step_graph
from vivavoce.engines.genie.preparing.vits_graphs import build_prompt_graph, build_vits_graphs, decoder_weights
from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights
from vivavoce.engines.genie.semantic.kernel_step import pack_weights
from vivavoce.engines.genie.sound.vocoder import kernel_is_faster
from vivavoce.engines.packed_weights import save_sharing_weights


def build_semantic(source: VoiceSource, folder: Path) -> None:
    """Write the graphs of the prefill and of the step in float32."""
    weights = _step_weights(source)
    models = {"step": step_graph(weights), "prefill": prefill_graph(weights, _encoder(source))}
    save_sharing_weights(models, folder, "semantic.data")
    build_prompt_graph(_encoder(source), folder)


def build_int8(source: VoiceSource, folder: Path) -> None:
    """Write the step's graph with weights of 8 bits."""
    save_sharing_weights({"step": step_graph(_step_weights(source), int8=True)}, folder, "step.data")


def build_kernel(source: VoiceSource, folder: Path) -> None:
    """Write the step's weights as the native kernel reads them."""
    pack_weights(_step_weights(source), folder / KERNEL_FILE)


def build_vits(source: VoiceSource, folder: Path) -> None:
    """Write the graphs from tokens to sound, and the decoder's weights for the kernel."""
    prompt_encoder = None
    if source.version == "v2ProPlus":
        graph = source.models / "prompt_encoder_fp32.onnx"
        prompt_encoder = PackWeights(graph, source.models / "prompt_encoder_fp16.bin")
    build_vits_graphs(_vits_weights(source), prompt_encoder, source.version, folder)


def build_vocoder(source: VoiceSource, vits: Path, folder: Path) -> None:
    """Weights of the native decoder, or an empty folder where the graph was measured to be faster."""
    weights = folder / VOCODER_FILE
    save_vocoder_weights(decoder_weights(with_weights(_vits_weights(source))), weights)
    if not kernel_is_faster(vits / "decoder.onnx", weights):
        weights.unlink()


def _step_weights(source: VoiceSource) -> PackWeights:
    return PackWeights(source.models / "t2s_stage_decoder_fp32.onnx", source.models / "t2s_shared_fp16.bin")


def _vits_weights(source: VoiceSource) -> PackWeights:
    return PackWeights(source.models / "vits_fp32.onnx", source.models / "vits_fp16.bin")


def _encoder(source: VoiceSource) -> PackWeights:
    return PackWeights(source.models / "t2s_encoder_fp32.onnx", source.models / "t2s_encoder_fp32.bin")
