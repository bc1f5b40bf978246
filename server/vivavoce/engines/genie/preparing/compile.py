"""Compiles a voice once: Genie's graphs and half-precision weights become our streaming graphs in a cache.

A part of a voice (its text-to-semantic half, its VITS half) is a folder in the cache, named by the content of the
files it came from, this format, the CPU and the release of ONNX Runtime, since saved weights are arranged for both.
It appears whole or not at all. Loading a prepared voice opens files and computes nothing. `voice_loader.py` calls
this; how a part is made is known to `building.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import onnxruntime as ort

from vivavoce.engines.genie.preparing.source import KERNEL_FILE, VOCODER_FILE, VoiceSource
from vivavoce.engines.genie.semantic.kernel_step import step_kernel
from vivavoce.engines.genie.sound.kernel_decoder import vocoder_kernel
from vivavoce.engines.prepared import prepared, processor, sweep
from vivavoce.progress import Progress

Precision = Literal["fp32", "int8"]

FORMAT = 2  # raise it when a graph builder changes what it writes

_T2S_FILES = ("t2s_shared_fp16.bin", "t2s_encoder_fp32.bin")
_VITS_FILES = ("vits_fp32.onnx", "vits_fp16.bin", "prompt_encoder_fp16.bin")
_GRAPHS = ("t2s_first_stage_decoder_fp32.onnx", "t2s_stage_decoder_fp32.onnx", "t2s_encoder_fp32.onnx")


@dataclass(frozen=True, slots=True)
class CompiledVoice:
    """The folders that hold a voice's graphs and packed weights.

    Attributes:
        semantic: holds prefill.onnx and prompt.onnx.
        step: holds step.onnx in the wanted precision.
        vits: holds the graphs of `vits_graphs.GRAPHS`.
        kernel: weights of the native step; None where it cannot run, and for 8 bits.
        vocoder: weights of the native decoder; None where the graph is the faster one.
    """

    semantic: Path
    step: Path
    vits: Path
    kernel: Path | None = None
    vocoder: Path | None = None

    @property
    def weights_bytes(self) -> int:
        """Of the arrangements that run: half of `semantic.data`, which also holds the plain ones for loading."""
        semantic = sum(path.stat().st_size for folder in {self.semantic, self.step} for path in folder.glob("*.data"))
        native = sum(path.stat().st_size for path in (self.kernel, self.vocoder) if path)
        vits = {path.name: path.stat().st_size for path in self.vits.glob("*.data")}
        if self.vocoder:
            vits.pop("decoder.data", None)  # not opened then
        return semantic // 2 + native + sum(vits.values())


def compile_voice(
    source: VoiceSource, cache: Path, *, precision: Precision = "fp32", progress: Progress | None = None
) -> CompiledVoice:
    """The compiled voice, from the cache where it is there; else built, which takes about 20 s and 2 GB.

    Args:
        source: the voice.
        cache: folder of compiled voices, made when missing.
        precision: of the step graph's weights.
        progress: told what is being done and which fraction of all is done.

    Raises:
        VoicePackError: If the voice's files do not fit their graphs.
    """
    tell = progress or (lambda what, fraction: None)
    semantic_key = _key(source, (*_T2S_FILES, *_GRAPHS))
    vits_key = _key(source, [name for name in _VITS_FILES if name in source.digests])
    cache.mkdir(parents=True, exist_ok=True)
    sweep(cache)

    tell("text to semantic tokens", 0.0)
    semantic = prepared(cache, f"semantic-{semantic_key}", lambda to: _building().build_semantic(source, to))
    step = semantic
    if precision == "int8":
        tell("8-bit step", 0.4)
        step = prepared(cache, f"step-int8-{semantic_key}", lambda to: _building().build_int8(source, to))
    kernel = None
    if precision == "fp32" and step_kernel() is not None:
        tell("native step", 0.4)
        folder = prepared(cache, f"step-kernel-{semantic_key}", lambda to: _building().build_kernel(source, to))
        kernel = folder / KERNEL_FILE
    tell("semantic tokens to sound", 0.5)
    vits = prepared(cache, f"vits-{vits_key}", lambda to: _building().build_vits(source, to))
    vocoder = None
    if vocoder_kernel() is not None:
        tell("native decoder", 0.9)
        folder = prepared(cache, f"vocoder-kernel-{vits_key}", lambda to: _building().build_vocoder(source, vits, to))
        vocoder = folder / VOCODER_FILE if (folder / VOCODER_FILE).exists() else None
    tell("prepared", 1.0)
    return CompiledVoice(semantic, step, vits, kernel, vocoder)


def _building() -> ModuleType:
    """The builders, which bring the package `onnx`: loaded only where something has to be built."""
    from vivavoce.engines.genie.preparing import building

    return building


def _key(source: VoiceSource, names: Sequence[str]) -> str:
    """16 hex digits of everything the compiled files depend on."""
    parts = [str(FORMAT), ort.__version__, processor(), *(source.digests[name] for name in names)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
